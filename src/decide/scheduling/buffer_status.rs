//! Conditions of CapacityBuffers (`scheduling §24`): whether they resolve, and whether their room is there.

use serde_json::json;

use super::buffers::{Room, Rooms, Unready, resolve};
use crate::api::capacitybuffer::ACTIVE_CAPACITY;
use crate::api::names;
use crate::decide::{Reserved, Step};
use crate::model::decision::effect::ObjectKind;
use crate::model::decision::{Effect, ObjectPatch, WriteClass};
use crate::model::pod::pod_key;
use crate::model::{Buffer, Condition, Snapshot, Status};

/// What is missing on the objects. `rooms`: of the last pass that planned; `None` before the first.
pub fn steps(
    snapshot: &Snapshot,
    rooms: Option<&Rooms>,
    reserved: &Reserved,
    now: jiff::Timestamp,
) -> Vec<Step> {
    snapshot
        .buffers
        .values()
        .map(|buffer| patch(snapshot, buffer, rooms, now))
        .filter(|patch| !patch.is_empty())
        .map(|patch| Effect::Patch(Box::new(patch)))
        .filter(|effect| !reserved.effects.contains(&effect.key()))
        .map(|effect| Step {
            decision: None,
            effect,
        })
        .collect()
}

fn patch(snapshot: &Snapshot, buffer: &Buffer, rooms: Option<&Rooms>, now: jiff::Timestamp) -> ObjectPatch {
    let mut out = ObjectPatch::new(
        ObjectKind::CapacityBuffer,
        &buffer.name,
        &buffer.uid,
        WriteClass::Mirror,
    );
    out.namespace = buffer.namespace.clone();
    let found = resolve(snapshot, buffer);
    let mut set = |kind: &str, (status, reason, message): (Status, &str, String)| {
        let same = buffer
            .conditions
            .get(kind)
            .is_some_and(|c| c.status == status && &*c.reason == reason && *c.message == *message);
        if !same {
            out.conditions.insert(
                kind.into(),
                Condition {
                    status,
                    reason: reason.into(),
                    message: message.into(),
                    since: now,
                    observed_generation: Some(buffer.generation),
                },
            );
        }
    };
    set(names::READY_FOR_PROVISIONING, ready(found.as_ref().err()));
    let room = rooms.and_then(|r| r.get(&pod_key(&buffer.namespace, &buffer.name)));
    let size = found.as_ref().map_or(0, |f| f.replicas);
    if let Some(state) = provisioning(found.is_ok(), size, room) {
        set(names::PROVISIONING, state);
    }
    if let Ok(found) = &found
        && buffer.status_replicas != Some(found.replicas)
    {
        out.status.insert("replicas".into(), json!(found.replicas));
        out.status
            .insert("provisioningStrategy".into(), json!(ACTIVE_CAPACITY));
        if let Some((name, generation)) = &found.template {
            out.status.insert("podTemplateRef".into(), json!({"name": name}));
            out.status
                .insert("podTemplateGeneration".into(), json!(generation));
        }
    }
    out
}

fn ready(unready: Option<&Unready>) -> (Status, &'static str, String) {
    match unready {
        None => (Status::True, "Resolved", String::new()),
        Some((reason, message)) => (Status::False, reason, message.clone()),
    }
}

/// `None`: nothing of it was planned, so that what the object says stays.
fn provisioning(ready: bool, size: i64, room: Option<&Room>) -> Option<(Status, &'static str, String)> {
    if !ready {
        return Some((Status::False, "NotReadyForProvisioning", String::new()));
    }
    if size == 0 {
        return Some((Status::False, "BufferEmpty", String::new()));
    }
    let room = room?;
    Some(if room.new + room.failed > 0 {
        let message = format!(
            "{} fit nodes that are there, {} need new nodes, {} have no place",
            room.existing, room.new, room.failed
        );
        (Status::False, "RequiresNewCapacity", message)
    } else {
        (Status::True, "FitsExistingCapacity", String::new())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_72_conditions() {
        let room = |existing, new, failed| Room {
            existing,
            new,
            failed,
        };
        let reason = |ready, size, room: Option<Room>| {
            provisioning(ready, size, room.as_ref()).map(|(status, reason, _)| (status, reason))
        };
        assert_eq!(
            reason(false, 3, Some(room(3, 0, 0))),
            Some((Status::False, "NotReadyForProvisioning"))
        );
        assert_eq!(reason(true, 0, None), Some((Status::False, "BufferEmpty")));
        assert_eq!(reason(true, 3, None), None);
        assert_eq!(
            reason(true, 3, Some(room(2, 1, 0))),
            Some((Status::False, "RequiresNewCapacity"))
        );
        assert_eq!(
            reason(true, 3, Some(room(2, 0, 1))),
            Some((Status::False, "RequiresNewCapacity"))
        );
        assert_eq!(
            reason(true, 3, Some(room(3, 0, 0))),
            Some((Status::True, "FitsExistingCapacity"))
        );
    }
}
