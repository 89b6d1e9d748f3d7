//! What a pod asks for (`scheduling §8.1`).

use crate::model::Resources;
use crate::observe::slim;

/// Amounts that Kubernetes accepted; an entry that is no quantity counts as nothing.
pub(super) fn amounts(quantities: &slim::Quantities) -> Resources {
    let mut out = Resources::default();
    for (key, quantity) in quantities {
        // A cluster never holds one that fails; files are checked before they come here.
        let _ = out.set_quantity(key, quantity.as_str());
    }
    out
}

/// Requests, with limits copied into the missing ones as API defaulting does (`scheduling §8.4`).
fn needs(needs: &slim::ResourceNeeds) -> Resources {
    let mut out = amounts(&needs.limits);
    for (key, quantity) in &needs.requests {
        let _ = out.set_quantity(key, quantity.as_str());
    }
    out
}

/// Per container: the greater of what is wanted and what an in-place resize left (`scheduling §8.1`).
fn container(c: &slim::Container, statuses: &[slim::ContainerStatus], infeasible: bool) -> Resources {
    let wanted = needs(&c.resources);
    let Some((status, resources)) = statuses
        .iter()
        .find(|s| s.name == c.name)
        .and_then(|s| s.resources.as_ref().map(|r| (s, r)))
    else {
        return wanted;
    };
    let mut now = amounts(&resources.requests);
    Resources::max(&mut now, &amounts(&status.allocated_resources));
    if !infeasible {
        Resources::max(&mut now, &wanted);
    }
    now
}

fn is_sidecar(c: &slim::Container) -> bool {
    c.restart_policy.as_deref() == Some("Always")
}

/// The pod's requests, `pods: 1` included.
pub(super) fn of_pod(spec: &slim::PodSpec, status: &slim::PodStatus) -> Resources {
    let infeasible = status
        .conditions
        .iter()
        .any(|c| c.kind == "PodResizePending" && c.reason.as_deref() == Some("Infeasible"));
    let mut total = Resources::default();
    for c in &spec.containers {
        total.add(&container(c, &status.container_statuses, infeasible));
    }
    let mut sidecars = Resources::default();
    let mut peak = Resources::default();
    for c in &spec.init_containers {
        if is_sidecar(c) {
            sidecars.add(&container(c, &status.init_container_statuses, infeasible));
            Resources::max(&mut peak, &sidecars);
        } else {
            let mut here = needs(&c.resources);
            here.add(&sidecars);
            Resources::max(&mut peak, &here);
        }
    }
    total.add(&sidecars);
    Resources::max(&mut total, &peak);
    if let Some(level) = &spec.resources {
        // A limit alone becomes a request where no container asks for the resource.
        let mut wanted = amounts(&level.requests);
        for (key, value) in amounts(&level.limits).iter() {
            if !level.requests.contains_key(key) && total.get(key) == 0 {
                wanted.set(key, value);
            }
        }
        for (key, value) in wanted.iter() {
            if matches!(key, "cpu" | "memory") || key.starts_with("hugepages-") {
                total.set(key, value);
            }
        }
    }
    total.add(&amounts(&spec.overhead));
    total.pods = 1;
    total
}
