//! EC2NodeClass status (`lifecycle §2`, `§21`): what the cloud port resolved becomes conditions, status and hash.

use serde_json::json;

use super::conditions::Draft;
use super::events::About;
use super::memory::Memory;
use super::plan::{Context, Plan};
use crate::api::names;
use crate::model::decision::WriteClass;
use crate::model::decision::effect::ObjectKind;
use crate::model::node_class::{ResolvedClass, ResolvedReservation};
use crate::model::{Conditions, NodeClass, Status};

const FINALIZER: &str = "karpenter.k8s.aws/termination";
/// Version of our static hash of an EC2NodeClass (`api §12`).
const HASH_VERSION: &str = names::EC2_HASH_V6;

const CHECKS: [&str; 6] = [
    "AMIsReady",
    "InstanceProfileReady",
    "PlacementGroupReady",
    "SecurityGroupsReady",
    "SubnetsReady",
    names::VALIDATION_SUCCEEDED,
];
const RESERVATIONS: &str = "CapacityReservationsReady";

fn draft(context: &Context<'_>, class: &NodeClass) -> Draft {
    let mut dependents: Vec<&str> = CHECKS.to_vec();
    if context.settings.reserved_capacity {
        dependents.push(RESERVATIONS);
    }
    let mut draft = Draft::new(
        &class.conditions,
        &dependents,
        class.created,
        class.generation,
        context.now,
    );
    if let Some(resolved) = &class.resolved {
        for kind in &dependents {
            match resolved.problems.iter().find(|(k, _, _)| &**k == *kind) {
                Some((_, reason, message)) => draft.set(kind, Status::False, reason, message),
                None => draft.set_true(kind),
            }
        }
    } else if class.conditions.contains_key(names::READY) {
        // Nothing new is known: what the object says holds.
        return draft;
    }
    draft.root(&dependents);
    draft
}

/// The conditions as they follow from what was resolved, whether or not the object shows them yet.
pub fn derived(context: &Context<'_>, class: &NodeClass) -> Conditions {
    let mut out = class.conditions.clone();
    let mut patch = crate::model::decision::ObjectPatch::new(
        ObjectKind::NodeClass,
        &class.name,
        &class.uid,
        WriteClass::Mirror,
    );
    draft(context, class).write(&mut patch);
    out.extend(patch.conditions);
    out
}

/// Looks at one class.
pub fn step(context: &Context<'_>, memory: &mut Memory, class: &NodeClass, plan: &mut Plan) {
    let guarded = class.finalizers.iter().any(|f| &**f == FINALIZER);
    let about = About::of_class(class);
    memory.announce(&about, &class.conditions, context.now);
    if class.deleting.is_some() {
        if guarded {
            leave(context, memory, class, &about, plan);
        }
        return;
    }
    migrate(context, class, plan);
    let patch = plan.patch(ObjectKind::NodeClass, &class.name, &class.uid, WriteClass::Mirror);
    if !guarded {
        patch.add_finalizers.push(FINALIZER.into());
    }
    draft(context, class).write(patch);
    let Some(resolved) = &class.resolved else {
        return;
    };
    // The row does not carry what status and annotations say, so each content is written once.
    let status = status(resolved);
    let written = format!(
        "{}/{}/{}",
        class.uid,
        class.hash,
        serde_json::Value::from(status.clone())
    );
    if memory.written_classes.get(&class.name) == Some(&written) {
        return;
    }
    for (key, value) in status {
        patch.status.insert(key.as_str().into(), value);
    }
    if !class.hash.is_empty() {
        patch
            .annotations
            .insert(names::EC2_HASH.into(), Some(class.hash.clone()));
        patch
            .annotations
            .insert(names::EC2_HASH_VERSION.into(), Some(HASH_VERSION.into()));
    }
    let busy = context
        .reserved
        .effects
        .contains(&format!("patch/EC2NodeClass/{}", class.name));
    if !busy {
        memory.written_classes.insert(class.name.clone(), written);
    }
}

/// Claims hashed by an older version get the new hash, unless they have drifted (`disruption §15.2`, for classes).
fn migrate(context: &Context<'_>, class: &NodeClass, plan: &mut Plan) {
    let old = |c: &&std::sync::Arc<crate::model::Claim>| {
        c.class.name == class.name
            && super::is_managed(&c.class)
            && c.annotations
                .get(names::EC2_HASH_VERSION)
                .is_some_and(|v| &**v != HASH_VERSION)
    };
    for claim in context.snapshot.claims.values().filter(old) {
        if class.hash.is_empty() {
            continue;
        }
        let patch = plan.patch_claim(claim, WriteClass::Mirror);
        patch
            .annotations
            .insert(names::EC2_HASH_VERSION.into(), Some(HASH_VERSION.into()));
        if !claim.is(names::DRIFTED) {
            patch
                .annotations
                .insert(names::EC2_HASH.into(), Some(class.hash.clone()));
        }
    }
}

fn status(resolved: &ResolvedClass) -> serde_json::Map<String, serde_json::Value> {
    let mut out = serde_json::Map::new();
    let subnets: Vec<_> = resolved
        .subnets
        .iter()
        .map(|s| json!({"id": s.id, "zone": s.zone, "zoneID": s.zone_id}))
        .collect();
    let groups: Vec<_> = resolved
        .security_groups
        .iter()
        .map(|(id, name)| json!({"id": id, "name": name}))
        .collect();
    let images: Vec<_> = resolved
        .images
        .iter()
        .map(|i| {
            let mut requirements: Vec<serde_json::Value> = i
                .requirements
                .iter()
                .flat_map(|r| r.to_spec().into_iter().map(move |(op, values)| (r, op, values)))
                .map(|(r, op, values)| json!({"key": r.key, "operator": op.as_str(), "values": values}))
                .collect();
            if requirements.is_empty() {
                requirements.push(json!({"key": names::ARCH, "operator": "In", "values": [i.arch]}));
            }
            let mut image = json!({"id": i.id, "name": i.name, "requirements": requirements});
            if i.deprecated {
                image["deprecated"] = true.into();
            }
            image
        })
        .collect();
    out.insert("subnets".into(), subnets.into());
    out.insert("securityGroups".into(), groups.into());
    out.insert("amis".into(), images.into());
    let reservations: Vec<_> = resolved.reservations.iter().map(reservation).collect();
    out.insert("capacityReservations".into(), reservations.into());
    if !resolved.instance_profile.is_empty() {
        out.insert("instanceProfile".into(), (*resolved.instance_profile).into());
    }
    out
}

fn reservation(r: &ResolvedReservation) -> serde_json::Value {
    let mut out = json!({
        "id": r.id,
        "availabilityZone": r.zone,
        "instanceType": r.instance_type,
        "ownerID": r.owner,
        "instanceMatchCriteria": r.criteria,
        "reservationType": r.kind,
        "interruptible": r.interruptible,
        "state": if r.expiring { "expiring" } else { "active" },
    });
    if let Some(end) = r.end {
        out["endTime"] = json!(end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    }
    out
}

/// A deleting class waits until no claim refers to it.
fn leave(context: &Context<'_>, memory: &mut Memory, class: &NodeClass, about: &About<'_>, plan: &mut Plan) {
    let users: Vec<&str> = context
        .snapshot
        .claims
        .values()
        .filter(|c| super::is_managed(&c.class) && c.class.name == class.name)
        .map(|c| &*c.name)
        .collect();
    if users.is_empty() {
        plan.patch(
            ObjectKind::NodeClass,
            &class.name,
            &class.uid,
            WriteClass::Complete,
        )
        .remove_finalizers
        .push(FINALIZER.into());
        return;
    }
    let shown: Vec<&str> = users.iter().take(5).copied().collect();
    let more = match users.len().saturating_sub(5) {
        0 => String::new(),
        n => format!(" and {n} other(s)"),
    };
    memory.say_about(
        about,
        false,
        "WaitingOnNodeClaimTermination",
        format!("Waiting on NodeClaim termination for {}{more}", shown.join(", ")),
        context.now,
    );
    memory.wake(
        super::memory::Key::Class(class.name.clone()),
        crate::clock::after(context.now, std::time::Duration::from_secs(5)),
    );
}
