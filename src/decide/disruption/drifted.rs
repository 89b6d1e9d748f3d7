//! Whether a claim still is what its NodePool and NodeClass ask for (`disruption §15.1`, `aws §18`). Derived from the
//! picture; the condition `Drifted` is a mirror of it, and counts only where the picture cannot tell.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::api::names;
use crate::model::condition::Condition;
use crate::model::requirements::Incompatible;
use crate::model::{
    CapacityType, Claim, InstanceType, Labels, Name, NodeClass, NodePool, Requirements, Snapshot, Taint,
};

/// A claim's instance type is looked up from this age on.
const TYPE_CHECK_AGE: SignedDuration = SignedDuration::from_hours(1);

/// Why a claim has drifted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// Reason of the condition, such as `NodePoolDrifted` or `AMIDrift`.
    pub reason: &'static str,
    /// The field or key that differs, as far as it can be told; empty otherwise.
    pub field: Name,
}

impl Drift {
    fn new(reason: &'static str, field: &str) -> Self {
        Self {
            reason,
            field: field.into(),
        }
    }
}

/// Reasons that only the provider can give.
const OF_PROVIDER: [&str; 6] = [
    "NodeClassDrift",
    "AMIDrift",
    "SecurityGroupDrift",
    "SubnetDrift",
    "CapacityReservationDrift",
    "PlacementGroupDrift",
];
/// Those that we work out ourselves.
const OURS: [&str; 8] = [
    "NodePoolDrifted",
    "RequirementsDrifted",
    "InstanceTypeNotFound",
    "NodeClassDrift",
    "AMIDrift",
    "SecurityGroupDrift",
    "SubnetDrift",
    "CapacityReservationDrift",
];

/// The first hit, in the order of the reference. `None` for claims that are not launched, are on their way out, or have
/// no pool.
pub fn drift(snapshot: &Snapshot, claim: &Claim, now: Timestamp) -> Option<Drift> {
    let pool = claim.pool().and_then(|p| snapshot.pools.get(p))?;
    if claim.deleting.is_some() || !is_launched(claim) {
        return None;
    }
    let class = snapshot.classes.get(&claim.class.name);
    of_pool(claim, pool)
        .or_else(|| of_requirements(claim, pool))
        .or_else(|| of_type(snapshot, claim, now))
        .or_else(|| class.and_then(|class| of_class(snapshot, claim, class)))
        .or_else(|| mirrored(snapshot, claim, pool))
}

/// Without a condition (in files) the provider id tells.
fn is_launched(claim: &Claim) -> bool {
    match claim.conditions.get(names::LAUNCHED) {
        Some(_) => claim.is(names::LAUNCHED),
        None => !claim.provider_id.is_empty(),
    }
}

/// Since when, where the condition tells.
pub fn since(claim: &Claim) -> Option<Timestamp> {
    claim
        .conditions
        .get(names::DRIFTED)
        .filter(|_| claim.is(names::DRIFTED))
        .map(|c| c.since)
}

fn versioned<'a>(annotations: &'a Labels, hash: &str, version: &str) -> Option<(&'a Name, &'a Name)> {
    annotations.get(hash).zip(annotations.get(version))
}

/// The hash on the pool is our mirror and may lag behind the pool: both it and the pool itself must differ.
fn of_pool(claim: &Claim, pool: &NodePool) -> Option<Drift> {
    let (mine, version) = versioned(
        &claim.annotations,
        names::NODEPOOL_HASH,
        names::NODEPOOL_HASH_VERSION,
    )?;
    let (theirs, current) = versioned(
        &pool.annotations,
        names::NODEPOOL_HASH,
        names::NODEPOOL_HASH_VERSION,
    )?;
    let differs = version == current && mine != theirs && *mine != pool.hash;
    differs.then(|| Drift::new("NodePoolDrifted", &static_fields(claim, pool).join(", ")))
}

/// Fields of the template that a claim does not have as the pool asks for, by path below `spec.template`.
pub fn static_fields(claim: &Claim, pool: &NodePool) -> Vec<String> {
    let template = &pool.template;
    let mut out = Vec::new();
    let missing = |have: &Labels, want: &Labels, path: &str, out: &mut Vec<String>| {
        for (key, value) in want {
            if have.get(key) != Some(value) {
                out.push(format!("{path}[{key}]"));
            }
        }
    };
    missing(&claim.labels, &template.labels, "metadata.labels", &mut out);
    missing(
        &claim.annotations,
        &template.annotations,
        "metadata.annotations",
        &mut out,
    );
    let as_set = |taints: &[Taint]| -> BTreeSet<String> { taints.iter().map(ToString::to_string).collect() };
    if as_set(&claim.taints) != as_set(&template.taints) {
        out.push("spec.taints".into());
    }
    if as_set(&claim.startup_taints) != as_set(&template.startup_taints) {
        out.push("spec.startupTaints".into());
    }
    if claim.class != template.class {
        out.push("spec.nodeClassRef".into());
    }
    if claim.expire_after != template.expire_after {
        out.push("spec.expireAfter".into());
    }
    if claim.termination_grace != template.termination_grace {
        out.push("spec.terminationGracePeriod".into());
    }
    out
}

/// Labels against requirements, nothing missing allowed.
pub fn of_requirements(claim: &Claim, pool: &NodePool) -> Option<Drift> {
    let labels = Requirements::from_labels(&claim.labels);
    let key = match labels.compatible(&pool.template.requirements, |_| false) {
        Ok(()) => return None,
        Err(Incompatible::UndefinedKey { key, .. } | Incompatible::Conflict { key, .. }) => key,
    };
    Some(Drift {
        reason: "RequirementsDrifted",
        field: key,
    })
}

/// A type that left the catalogue, or has no offering, available or not, where the claim is. What upstream caches for
/// half an hour is cheap here and looked up each time.
fn of_type(snapshot: &Snapshot, claim: &Claim, now: Timestamp) -> Option<Drift> {
    let catalogue = snapshot.catalogue(&claim.class.name).filter(|c| !c.is_empty())?;
    if now.duration_since(claim.created) <= TYPE_CHECK_AGE {
        return None;
    }
    let gone = |field: &str| Some(Drift::new("InstanceTypeNotFound", field));
    let Some(instance_type) = catalogue.get(claim.instance_type()) else {
        return gone(names::INSTANCE_TYPE);
    };
    let reserved = claim.capacity_type() == CapacityType::Reserved.as_str();
    let offered = instance_type.offerings.iter().any(|o| {
        let capacity = o.capacity_type.as_str();
        *o.zone == *claim.zone()
            && if reserved {
                [CapacityType::Reserved, CapacityType::OnDemand].contains(&o.capacity_type)
            } else {
                capacity == claim.capacity_type()
            }
    });
    if offered { None } else { gone(names::CAPACITY_TYPE) }
}

/// What the NodeClass says (`aws §18`).
fn of_class(snapshot: &Snapshot, claim: &Claim, class: &NodeClass) -> Option<Drift> {
    if class.deleting.is_some() {
        return None;
    }
    let hashed = versioned(&claim.annotations, names::EC2_HASH, names::EC2_HASH_VERSION);
    if let Some((mine, version)) = hashed
        && &**version == names::EC2_HASH_V6
        && !class.hash.is_empty()
        && *mine != class.hash
    {
        return Some(Drift::new("NodeClassDrift", "spec"));
    }
    let resolved = class.resolved.as_ref()?;
    let catalogue = snapshot.catalogue(&class.name);
    if let Some(instance_type) = catalogue.and_then(|c| c.get(claim.instance_type()))
        && !claim.image_id.is_empty()
        && !resolved.images.is_empty()
        && image_of(class, instance_type).is_none_or(|id| *id != claim.image_id)
    {
        return Some(Drift::new("AMIDrift", "spec.amiSelectorTerms"));
    }
    let instance = snapshot.instances.get(&claim.provider_id)?;
    let mut groups: Vec<&Name> = resolved.security_groups.iter().map(|(id, _)| id).collect();
    groups.sort();
    groups.dedup();
    let known = !groups.is_empty() && !instance.security_groups.is_empty();
    if known && instance.security_groups.iter().collect::<Vec<_>>() != groups {
        return Some(Drift::new(
            "SecurityGroupDrift",
            "spec.securityGroupSelectorTerms",
        ));
    }
    let known = !resolved.subnets.is_empty() && !instance.subnet.is_empty();
    if known && !resolved.subnets.iter().any(|s| s.id == instance.subnet) {
        return Some(Drift::new("SubnetDrift", "spec.subnetSelectorTerms"));
    }
    // Where the machine fell back on demand its labels are mended instead (`aws §13`).
    let reserved = claim.labels.get(names::RESERVATION_ID);
    if let Some(id) = reserved.filter(|_| instance.capacity_type == CapacityType::Reserved)
        && !resolved.reservations.iter().any(|r| r.id == *id)
    {
        return Some(Drift::new(
            "CapacityReservationDrift",
            "spec.capacityReservationSelectorTerms",
        ));
    }
    None
}

/// The image that a type boots: the first whose requirements hold.
fn image_of<'a>(class: &'a NodeClass, instance_type: &InstanceType) -> Option<&'a Name> {
    class
        .resolved
        .as_ref()?
        .images
        .iter()
        .find(|image| instance_type.requirements.intersects(&image.requirements).is_ok())
        .map(|image| &image.id)
}

/// What another controller found out and the picture cannot tell.
fn mirrored(snapshot: &Snapshot, claim: &Claim, pool: &NodePool) -> Option<Drift> {
    let condition: &Condition = claim.conditions.get(names::DRIFTED)?;
    if !claim.is(names::DRIFTED) {
        return None;
    }
    let class = snapshot.classes.get(&claim.class.name);
    let class_known = class.is_some_and(|c| c.resolved.is_some());
    let hashed = claim.annotations.contains_key(names::NODEPOOL_HASH)
        && pool.annotations.contains_key(names::NODEPOOL_HASH);
    let reason = &*condition.reason;
    let ours = OURS.contains(&reason);
    let believed = match reason {
        "NodePoolDrifted" => !hashed,
        "RequirementsDrifted" | "InstanceTypeNotFound" => false,
        _ => !class_known || !ours,
    };
    let known = OURS.iter().chain(&OF_PROVIDER).find(|r| **r == reason);
    believed.then(|| Drift::new(known.copied().unwrap_or("Drifted"), ""))
}
