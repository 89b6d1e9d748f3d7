//! Pods that are never considered (`scheduling §4.1`).

use super::labels::{WellKnown, faults};
use super::{demand, volumes};
use crate::api::names;
use crate::model::decision::Refusal;
use crate::model::{Operator, Pod, PodSpec, Requirement, Snapshot};

/// `Err` with the cause when the pod is ignored.
pub fn pod(snapshot: &Snapshot, pod: &Pod, well_known: &WellKnown) -> Result<(), Refusal> {
    spec(&pod.spec, well_known)?;
    volumes::validate(snapshot, pod)
}

/// The part that its spec alone decides.
pub fn spec(spec: &PodSpec, well_known: &WellKnown) -> Result<(), Refusal> {
    let ignored = |cause: &str, message: String| {
        Err(Refusal::Ignored {
            cause: cause.into(),
            message,
        })
    };
    if demand::all(spec)
        .get(names::NODEPOOL)
        .is_some_and(|r| r.operator() == Operator::DoesNotExist)
    {
        return ignored(
            "nodepool_does_not_exist",
            format!(
                "the pod does not want a node of any NodePool ({} DoesNotExist)",
                names::NODEPOOL
            ),
        );
    }
    let mut wrong: Vec<String> = Vec::new();
    for (key, value) in &spec.node_selector {
        wrong.extend(faults(&Requirement::is_in(key, [value.clone()]), well_known));
    }
    for requirement in spec.required_terms.iter().flatten() {
        wrong.extend(faults(requirement, well_known));
    }
    // The daemon controller pins its pods by field; nothing else may.
    if spec.has_match_fields {
        wrong.push("node affinity by matchFields is not supported".to_owned());
    }
    wrong.extend(spec.invalid.iter().map(ToString::to_string));
    if !wrong.is_empty() {
        return ignored("requirement", wrong.join("; "));
    }
    if spec.uses_resource_claims {
        return Err(Refusal::ResourceClaims);
    }
    Ok(())
}

/// A pod that runs and must move is not judged again, but it has to be understood: `Err` when it references resource
/// claims, or when one of its volumes cannot be looked up (Q12).
pub fn moving(snapshot: &Snapshot, pod: &Pod, parity: bool) -> Result<(), Refusal> {
    if pod.spec.uses_resource_claims {
        return Err(Refusal::ResourceClaims);
    }
    if parity {
        return Ok(());
    }
    volumes::lookup(snapshot, pod)
}
