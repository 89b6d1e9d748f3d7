//! What a NodeOverlay may say (`api §5`): the run-time part of its validation.

use super::nodeoverlay::NodeOverlaySpec;
use super::shared::Requirement;
use super::validate::requirement;

/// Resources that an overlay cannot set, since the provider reports them itself.
const REPORTED: [&str; 9] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "pods",
    "vpc.amazonaws.com/pod-eni",
    "aws.amazon.com/neuron",
    "aws.amazon.com/neuroncore",
    "habana.ai/gaudi",
    "vpc.amazonaws.com/efa",
];

/// Everything wrong; empty when the overlay may be used. Each failure says where and what.
pub fn nodeoverlay(spec: &NodeOverlaySpec) -> Vec<String> {
    let mut out = Vec::new();
    for (i, e) in spec.requirements.iter().enumerate() {
        let place = format!("spec.requirements[{i}]");
        let as_requirement = Requirement {
            key: e.key.clone(),
            operator: e.operator.clone(),
            values: e.values.clone(),
            min_values: None,
        };
        out.extend(
            requirement(&as_requirement)
                .into_iter()
                .map(|why| format!("{place}: {why}")),
        );
        if e.operator == "NotIn" && e.values.is_empty() {
            out.push(format!("{place}: the operator NotIn needs at least one value"));
        }
    }
    if spec.price.is_some() && spec.price_adjustment.is_some() {
        out.push("spec: price and priceAdjustment exclude each other".into());
    }
    for resource in spec.capacity.keys().filter(|k| REPORTED.contains(&k.as_str())) {
        out.push(format!(
            "spec.capacity[{resource:?}]: cannot be set, only resources that the provider does not report"
        ));
    }
    if spec.weight.is_some_and(|w| !(1..=10_000).contains(&w)) {
        out.push("spec.weight: must be 1 to 10000".into());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_33_to_37_of_the_api() {
        let spec = |yaml: &str| -> NodeOverlaySpec { serde_saphyr::from_str(yaml).expect("a spec") };
        for (yaml, what) in [
            (
                "requirements: []\nprice: '1'\npriceAdjustment: '+1%'",
                "exclude each other",
            ),
            (
                "requirements: []\ncapacity: {cpu: 1, nvidia.com/gpu: 1}",
                "capacity[\"cpu\"]",
            ),
            (
                "requirements: [{key: a, operator: NotIn}]",
                "NotIn needs at least one value",
            ),
            (
                "requirements: [{key: kubernetes.io/hostname, operator: Exists}]",
                "restricted",
            ),
        ] {
            let found = nodeoverlay(&spec(yaml));
            assert!(found.len() == 1 && found[0].contains(what), "{yaml}: {found:?}");
        }
        assert!(
            nodeoverlay(&spec(
                "requirements: [{key: karpenter.sh/nodepool, operator: In, values: [a]}]\nprice: '0.1'\nweight: 10"
            ))
            .is_empty()
        );
    }
}
