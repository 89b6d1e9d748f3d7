//! Capacity kept free for pods to come (`scheduling §24`): how many virtual pods a buffer stands for, and those pods.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::capacitybuffer::ACTIVE_CAPACITY;
use crate::decide::Settings;
use crate::model::pod::{Owner, pod_key};
use crate::model::workload::Workload;
use crate::model::{Buffer, Labels, Name, Phase, Pod, PodSpec, Snapshot};

/// Owner kind of virtual pods, by which everything tells them from real ones.
const OWNER: &str = "CapacityBuffer";

/// What a buffer came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    pub replicas: i64,
    pub labels: Arc<Labels>,
    pub spec: Arc<PodSpec>,
    /// Name and generation, when it refers to a PodTemplate.
    pub template: Option<(Name, i64)>,
}

/// Why a buffer is not ready for provisioning: reason and message of the condition.
pub type Unready = (&'static str, String);

/// A pod that only stands for room.
pub fn is_virtual(pod: &Pod) -> bool {
    pod.owned_by(OWNER)
}

/// The buffer (`namespace/name`) that a virtual pod belongs to.
pub fn buffer_of(pod: &Pod) -> Option<Name> {
    let owner = pod.owners.iter().find(|o| &*o.kind == OWNER)?;
    Some(pod_key(&pod.namespace, &owner.name))
}

fn workload<'a>(snapshot: &'a Snapshot, buffer: &Buffer) -> Result<&'a Arc<Workload>, Unready> {
    let Some(target) = &buffer.scalable else {
        return Err((
            "ResolutionFailed",
            "neither podTemplateRef nor scalableRef is set".into(),
        ));
    };
    let table = match (&*target.group, &*target.kind) {
        ("apps" | "", "Deployment") => &snapshot.deployments,
        ("apps" | "", "StatefulSet") => &snapshot.stateful_sets,
        ("apps" | "", "ReplicaSet") => &snapshot.replica_sets,
        (group, kind) => {
            return Err((
                "ResolutionFailed",
                format!(
                    "{kind} of {group} cannot be scaled by a buffer: use a Deployment, StatefulSet or ReplicaSet"
                ),
            ));
        }
    };
    table
        .get(&pod_key(&buffer.namespace, &target.name))
        .ok_or_else(|| {
            (
                "ScalableRefNotFound",
                format!("{} {} is not there", target.kind, target.name),
            )
        })
}

/// Template and size of a buffer.
pub fn resolve(snapshot: &Snapshot, buffer: &Buffer) -> Result<Resolved, Unready> {
    if !buffer.strategy.is_empty() && &*buffer.strategy != ACTIVE_CAPACITY {
        return Err((
            "ResolutionFailed",
            format!(
                "the strategy {} is not known, only {ACTIVE_CAPACITY}",
                buffer.strategy
            ),
        ));
    }
    if buffer.template.is_some() && buffer.scalable.is_some() {
        return Err((
            "ResolutionFailed",
            "podTemplateRef and scalableRef exclude each other".into(),
        ));
    }
    let (template, of_workload) = if let Some(name) = &buffer.template {
        let found = snapshot.pod_templates.get(&pod_key(&buffer.namespace, name));
        let missing = || ("PodTemplateNotFound", format!("PodTemplate {name} is not there"));
        (found.ok_or_else(missing)?, None)
    } else {
        let workload = workload(snapshot, buffer)?;
        return Ok(resolved(
            buffer,
            &workload.template,
            Some(workload.replicas),
            None,
        ));
    };
    let named = Some((template.name.clone(), template.generation));
    Ok(resolved(buffer, template, of_workload, named))
}

fn resolved(
    buffer: &Buffer,
    template: &crate::model::PodTemplate,
    of_workload: Option<i64>,
    named: Option<(Name, i64)>,
) -> Resolved {
    let mut spec = (*template.spec).clone();
    // Room needs no data: volumes are left out.
    spec.volume_claims = Vec::new();
    spec.priority = i32::MIN;
    Resolved {
        replicas: replicas(buffer, of_workload, &spec),
        labels: template.labels.clone(),
        spec: Arc::new(spec),
        template: named,
    }
}

/// The size: the greater of the number and the share of the workload, and no more than the limits hold.
fn replicas(buffer: &Buffer, of_workload: Option<i64>, spec: &PodSpec) -> i64 {
    let share = buffer.percentage.zip(of_workload).map(|(percent, have)| {
        // A share of something is at least one.
        let product = percent.max(0).saturating_mul(have.max(0));
        product / 100 + i64::from(product % 100 > 0)
    });
    let wanted = buffer.replicas.max(share);
    let held = buffer
        .limits
        .iter()
        .filter_map(|(resource, limit)| {
            let each = spec.requests.get(resource);
            (each > 0).then(|| limit.max(&0) / each)
        })
        .min();
    match (wanted, held) {
        (Some(n), Some(held)) => n.min(held),
        (Some(n), None) | (None, Some(n)) => n,
        (None, None) => 0,
    }
    .max(0)
}

/// The snapshot with every buffer's virtual pods waiting in it; unchanged where the gate is off.
pub fn with_virtual(snapshot: &Snapshot, settings: &Settings) -> Snapshot {
    let mut out = snapshot.clone();
    if !settings.capacity_buffer {
        return out;
    }
    for buffer in snapshot.buffers.values() {
        let Ok(found) = resolve(snapshot, buffer) else {
            continue;
        };
        for i in 1..=found.replicas {
            let pod = virtual_pod(buffer, &found, i);
            out.pods.insert(pod.key(), Arc::new(pod));
        }
    }
    out
}

fn virtual_pod(buffer: &Buffer, found: &Resolved, i: i64) -> Pod {
    Pod {
        namespace: buffer.namespace.clone(),
        name: format!("capacity-buffer-{}-{i}", buffer.name).into(),
        uid: format!("{}-{i}", buffer.uid).into(),
        spec: found.spec.clone(),
        labels: found.labels.clone(),
        created: buffer.created,
        phase: Phase::Pending,
        node: None,
        nominated: None,
        unschedulable: true,
        ready: false,
        started: None,
        deleting: None,
        owners: vec![Owner {
            kind: OWNER.into(),
            name: buffer.name.clone(),
            uid: buffer.uid.clone(),
            controller: false,
        }],
        do_not_disrupt: None,
        deletion_cost: None,
    }
}

/// Where a buffer's virtual pods went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// On machines that are there.
    pub existing: u32,
    /// On claims of the plan.
    pub new: u32,
    pub failed: u32,
}

/// By buffer.
pub type Rooms = BTreeMap<Name, Room>;

/// Counts a plan's virtual pods; `pods` are those of the snapshot that was planned on.
pub fn rooms(snapshot: &Snapshot, solution: &super::Solution) -> Rooms {
    let mut out = Rooms::new();
    if snapshot.buffers.is_empty() {
        return out;
    }
    let mut count = |key: &Name, add: fn(&mut Room)| {
        if let Some(buffer) = snapshot.pods.get(key).and_then(|p| buffer_of(p)) {
            add(out.entry(buffer).or_default());
        }
    };
    for pod in solution.existing.values().flatten() {
        count(pod, |r| r.existing += 1);
    }
    for pod in solution.claims.iter().flat_map(|c| &c.draft.pods) {
        count(pod, |r| r.new += 1);
    }
    for one in solution.unschedulable.iter().chain(&solution.deferred) {
        count(&one.pod, |r| r.failed += 1);
    }
    out
}

/// Takes the virtual pods out of a plan: nobody is told of them (Q26). The evidence of claims keeps them, so that what
/// is held for review is not planned again.
pub fn without_virtual(snapshot: &Snapshot, solution: &mut super::Solution) {
    if snapshot.buffers.is_empty() {
        return;
    }
    let real = |key: &Name| snapshot.pods.get(key).is_none_or(|p| !is_virtual(p));
    for planned in &mut solution.claims {
        planned.draft.pods.retain(real);
    }
    for pods in solution.existing.values_mut() {
        pods.retain(real);
    }
    solution.existing.retain(|_, pods| !pods.is_empty());
    solution.unschedulable.retain(|u| real(&u.pod));
    solution.deferred.retain(|u| real(&u.pod));
}

/// Machines that hold virtual pods, by name (`scheduling §24`): they are not empty.
pub fn holders(snapshot: &Snapshot, solution: &super::Solution) -> std::collections::BTreeSet<Name> {
    let holds = |key: &Name| snapshot.pods.get(key).is_some_and(|p| is_virtual(p));
    solution
        .existing
        .iter()
        .filter(|(_, pods)| pods.iter().any(holds))
        .map(|(target, _)| target.clone())
        .collect()
}

#[cfg(test)]
#[path = "buffers_tests.rs"]
mod tests;
