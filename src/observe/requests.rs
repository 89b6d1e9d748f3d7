//! What a pod asks for (`scheduling §8.1`).

use super::slim::{Container, ContainerStatus, PodSpec, PodStatus, Quantities};
use crate::model::Resources;
use crate::model::resources::{BadQuantity, CPU, MEMORY, PODS};

/// App containers and sidecars run together; ordinary init containers run one by one before them, beside the
/// sidecars declared earlier. `template` copies limits into missing requests, as admission does for pods.
pub fn pod_requests(
    spec: &PodSpec,
    status: Option<&PodStatus>,
    template: bool,
) -> Result<Resources, BadQuantity> {
    let infeasible = status.is_some_and(|s| {
        s.conditions
            .iter()
            .any(|c| c.kind == "PodResizePending" && c.reason == "Infeasible")
    });
    let own = |container: &Container, statuses: &[ContainerStatus]| -> Result<Resources, BadQuantity> {
        let mut asked = quantities(&container.resources.requests)?;
        if template {
            for (key, limit) in &container.resources.limits {
                if !container.resources.requests.contains_key(key) {
                    asked.set_quantity(key, &limit.text())?;
                }
            }
        }
        let Some(now) = statuses.iter().find(|s| s.name == container.name) else {
            return Ok(asked);
        };
        let Some(actual) = &now.resources else {
            return Ok(asked);
        };
        let mut resized = quantities(&actual.requests)?;
        Resources::max(&mut resized, &quantities(&now.allocated_resources)?);
        if infeasible {
            return Ok(resized);
        }
        Resources::max(&mut asked, &resized);
        Ok(asked)
    };
    let (apps, inits) = match status {
        Some(s) => (
            s.container_statuses.as_slice(),
            s.init_container_statuses.as_slice(),
        ),
        None => (&[][..], &[][..]),
    };
    let mut total = Resources::default();
    for container in &spec.containers {
        total.add(&own(container, apps)?);
    }
    let (mut sidecars, mut peak) = (Resources::default(), Resources::default());
    for container in &spec.init_containers {
        if container.restart_policy.as_deref() == Some("Always") {
            sidecars.add(&own(container, inits)?);
            Resources::max(&mut peak, &sidecars);
        } else {
            let mut alone = own(container, &[])?;
            alone.add(&sidecars);
            Resources::max(&mut peak, &alone);
        }
    }
    total.add(&sidecars);
    Resources::max(&mut total, &peak);
    for (key, quantity) in &spec.resources.requests {
        if key == CPU || key == MEMORY || key.starts_with("hugepages-") {
            total.set_quantity(key, &quantity.text())?;
        }
    }
    total.add(&quantities(&spec.overhead)?);
    total.set(PODS, 1);
    Ok(total)
}

pub fn quantities(map: &Quantities) -> Result<Resources, BadQuantity> {
    let mut out = Resources::default();
    for (key, quantity) in map {
        out.set_quantity(key, &quantity.text())?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(yaml: &str) -> Resources {
        let spec: PodSpec = serde_saphyr::from_str(&yaml.replace("\n             ", "\n")).expect("a spec");
        pod_requests(&spec, None, false).expect("quantities")
    }

    #[test]
    fn init_containers_peak_beside_the_sidecars_before_them() {
        let r = requests(
            "initContainers:
             - {name: a, resources: {requests: {cpu: 2}}}
             - {name: s, restartPolicy: Always, resources: {requests: {cpu: 500m}}}
             - {name: b, resources: {requests: {cpu: 3}}}
             containers:
             - {name: m, resources: {requests: {cpu: 1, memory: 1Gi}}}",
        );
        assert_eq!((r.cpu, r.memory, r.pods), (3500, 1 << 30, 1));
        let r = requests(
            "initContainers:
             - {name: s, restartPolicy: Always, resources: {requests: {cpu: 500m}}}
             containers:
             - {name: m, resources: {requests: {cpu: 1}}}
             overhead: {cpu: 250m}",
        );
        assert_eq!(r.cpu, 1750);
    }

    #[test]
    fn pod_level_requests_replace_what_they_name() {
        let r = requests(
            "resources: {requests: {cpu: 4}}
             containers:
             - {name: m, resources: {requests: {cpu: 1, memory: 1Gi, nvidia.com/gpu: 1}}}",
        );
        assert_eq!((r.cpu, r.memory, r.get("nvidia.com/gpu")), (4000, 1 << 30, 1));
    }

    #[test]
    fn a_resize_counts_the_larger_until_it_is_infeasible() {
        let spec: PodSpec =
            serde_saphyr::from_str("containers: [{name: m, resources: {requests: {cpu: 1}}}]").expect("spec");
        let mut status: PodStatus = serde_saphyr::from_str(
            "containerStatuses: [{name: m, resources: {requests: {cpu: 2}}, allocatedResources: {cpu: 500m}}]",
        )
        .expect("status");
        assert_eq!(pod_requests(&spec, Some(&status), false).expect("sum").cpu, 2000);
        status.conditions.push(super::super::slim::Condition {
            kind: "PodResizePending".into(),
            reason: "Infeasible".into(),
            ..Default::default()
        });
        let bigger: PodSpec =
            serde_saphyr::from_str("containers: [{name: m, resources: {requests: {cpu: 9}}}]").expect("spec");
        assert_eq!(
            pod_requests(&bigger, Some(&status), false).expect("sum").cpu,
            2000
        );
    }
}
