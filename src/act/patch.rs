//! One desired change of one object: read, compare, write what differs with the version that was read.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Wrote;
use super::claims::taint;
use super::kube::{Error, Writer};
use crate::model::Condition;
use crate::model::decision::ObjectPatch;
use crate::model::decision::effect::ObjectKind;

/// Somebody else writing at the same time is met by reading again.
const TRIES: usize = 4;

pub(super) async fn patch(kube: &Writer, patch: &ObjectPatch, now: Timestamp) -> Result<Wrote, Error> {
    let mut last = Ok(Wrote::No);
    for _ in 0..TRIES {
        last = once(kube, patch, now).await;
        if !matches!(last, Err(Error::Conflict(_))) {
            break;
        }
    }
    last
}

async fn once(kube: &Writer, patch: &ObjectPatch, now: Timestamp) -> Result<Wrote, Error> {
    let kind = patch.kind.as_str();
    let mut object = match kube.get(kind, &patch.namespace, &patch.name).await {
        Err(Error::Gone(_)) if removes_only(patch) => return Ok(Wrote::No),
        other => other?,
    };
    if !patch.uid.is_empty() && object["metadata"]["uid"].as_str() != Some(&patch.uid) {
        return Err(Error::Replaced(format!("{kind} {}", patch.name)));
    }
    let mut wrote = Wrote::No;
    // Status first: removing the last finalizer ends the object.
    if let Some(body) = status_patch(patch, &object, now) {
        object = kube
            .merge(kind, &patch.namespace, &patch.name, "status", &body)
            .await?;
        wrote = Wrote::Yes;
    }
    if let Some(body) = main_patch(patch, &object) {
        kube.merge(kind, &patch.namespace, &patch.name, "", &body).await?;
        wrote = Wrote::Yes;
    }
    Ok(wrote)
}

/// Nothing but taking something off: an object that is gone satisfies it.
fn removes_only(patch: &ObjectPatch) -> bool {
    patch.add_finalizers.is_empty()
        && patch.conditions.is_empty()
        && patch.status.is_empty()
        && patch.owner_claim.is_none()
        && patch.unschedulable.is_none()
        && patch
            .labels
            .values()
            .chain(patch.annotations.values())
            .all(Option::is_none)
        && (!patch.remove_finalizers.is_empty() || !patch.remove_taints.is_empty())
}

fn with_version(object: &Value, mut body: Map<String, Value>) -> Value {
    let version = object["metadata"]["resourceVersion"].clone();
    let metadata = body.entry("metadata").or_insert_with(|| json!({}));
    metadata["resourceVersion"] = version;
    Value::Object(body)
}

/// `None` when the object has it all already.
fn main_patch(patch: &ObjectPatch, object: &Value) -> Option<Value> {
    let meta = &object["metadata"];
    let mut metadata = Map::new();
    for (field, wanted) in [("labels", &patch.labels), ("annotations", &patch.annotations)] {
        let changed: Map<String, Value> = wanted
            .iter()
            .filter(|(k, v)| meta[field].get(&***k).and_then(Value::as_str) != v.as_deref())
            .map(|(k, v)| (k.to_string(), json!(v)))
            .collect();
        if !changed.is_empty() {
            metadata.insert(field.into(), changed.into());
        }
    }
    let have: Vec<&str> = meta["finalizers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut want: Vec<&str> = have.clone();
    want.retain(|f| !patch.remove_finalizers.iter().any(|r| &**r == *f));
    // A deleting object takes no new finalizers.
    if meta["deletionTimestamp"].is_null() {
        for add in &patch.add_finalizers {
            if !want.contains(&&**add) {
                want.push(add);
            }
        }
    }
    if want != have {
        metadata.insert("finalizers".into(), json!(want));
    }
    if let Some((name, uid)) = &patch.owner_claim {
        let mut owners = meta["ownerReferences"].as_array().cloned().unwrap_or_default();
        if !owners.iter().any(|o| o["uid"].as_str() == Some(uid)) {
            owners.push(json!({
                "apiVersion": "karpenter.sh/v1", "kind": "NodeClaim", "name": name, "uid": uid,
                "blockOwnerDeletion": true,
            }));
            metadata.insert("ownerReferences".into(), owners.into());
        }
    }
    let mut body = Map::new();
    if !metadata.is_empty() {
        body.insert("metadata".into(), metadata.into());
    }
    if patch.kind == ObjectKind::Node {
        let mut spec = Map::new();
        if let Some(taints) = changed_taints(patch, object) {
            spec.insert("taints".into(), taints.into());
        }
        let is = object["spec"]["unschedulable"].as_bool().unwrap_or(false);
        if let Some(wanted) = patch.unschedulable.filter(|wanted| *wanted != is) {
            // As kubectl: a node that takes pods has no such field.
            spec.insert(
                "unschedulable".into(),
                if wanted { json!(true) } else { Value::Null },
            );
        }
        if !spec.is_empty() {
            body.insert("spec".into(), spec.into());
        }
    }
    (!body.is_empty()).then(|| with_version(object, body))
}

fn changed_taints(patch: &ObjectPatch, object: &Value) -> Option<Vec<Value>> {
    let have = object["spec"]["taints"].as_array().cloned().unwrap_or_default();
    let mut want = have.clone();
    want.retain(|t| {
        !patch
            .remove_taints
            .iter()
            .any(|r| t["key"].as_str() == Some(&r.key) && t["effect"].as_str() == Some(r.effect.as_str()))
    });
    for add in &patch.add_taints {
        let same = |t: &Value| {
            t["key"].as_str() == Some(&add.key)
                && t["effect"].as_str() == Some(add.effect.as_str())
                && t["value"].as_str().unwrap_or("") == &*add.value
        };
        if !want.iter().any(same) {
            want.retain(|t| {
                t["key"].as_str() != Some(&add.key) || t["effect"].as_str() != Some(add.effect.as_str())
            });
            want.push(taint(add));
        }
    }
    (want != have).then_some(want)
}

/// A merge patch that makes `old` into `new`: what an object no longer holds is nulled.
fn replacing(old: &Value, new: &Value) -> Value {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let gone = old
                .keys()
                .filter(|k| !new.contains_key(*k))
                .map(|k| (k.clone(), Value::Null));
            let kept = new
                .iter()
                .map(|(k, v)| (k.clone(), replacing(old.get(k).unwrap_or(&Value::Null), v)));
            Value::Object(gone.chain(kept).collect())
        }
        _ => new.clone(),
    }
}

/// `None` when the status says it all already.
fn status_patch(patch: &ObjectPatch, object: &Value, now: Timestamp) -> Option<Value> {
    let had = |key: &str| object["status"].get(key).unwrap_or(&Value::Null);
    let mut status: Map<String, Value> = patch
        .status
        .iter()
        .filter(|(k, v)| had(k) != *v)
        .map(|(k, v)| (k.to_string(), replacing(had(k), v)))
        .collect();
    let have = object["status"]["conditions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let generation = object["metadata"]["generation"].as_i64();
    let mut want = have.clone();
    want.retain(|c| {
        !patch
            .remove_conditions
            .iter()
            .any(|r| c["type"].as_str() == Some(r))
    });
    for (kind, condition) in &patch.conditions {
        set_condition(&mut want, kind, condition, generation, now);
    }
    if want != have {
        status.insert("conditions".into(), want.into());
    }
    if status.is_empty() {
        return None;
    }
    let mut body = Map::new();
    body.insert("status".into(), status.into());
    Some(with_version(object, body))
}

/// `lifecycle §2`: the transition time moves only with the status; a True condition without a reason has its
/// own type for one; the list is sorted by type.
pub(super) fn set_condition(
    conditions: &mut Vec<Value>,
    kind: &str,
    condition: &Condition,
    generation: Option<i64>,
    now: Timestamp,
) {
    let status = condition.status.as_str();
    let old = conditions.iter().position(|c| c["type"].as_str() == Some(kind));
    let since = old
        .map(|i| &conditions[i])
        .filter(|c| c["status"].as_str() == Some(status))
        .and_then(|c| c["lastTransitionTime"].as_str().map(str::to_owned))
        .unwrap_or_else(|| now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    let reason = if condition.reason.is_empty() {
        kind
    } else {
        &*condition.reason
    };
    let mut entry = json!({
        "type": kind, "status": status, "reason": reason, "message": condition.message,
        "lastTransitionTime": since,
    });
    if let Some(generation) = condition.observed_generation.or(generation) {
        entry["observedGeneration"] = json!(generation);
    }
    match old {
        Some(i) => conditions[i] = entry,
        None => conditions.push(entry),
    }
    conditions.sort_by(|a, b| a["type"].as_str().cmp(&b["type"].as_str()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::decision::WriteClass;
    use crate::model::{Status, Taint, TaintEffect};

    fn node() -> Value {
        json!({
            "metadata": {"name": "n", "uid": "u", "resourceVersion": "7", "generation": 3,
                "labels": {"a": "1"}, "finalizers": ["other"]},
            "spec": {"taints": [{"key": "karpenter.sh/unregistered", "effect": "NoExecute"}]},
            "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "r", "message": "",
                "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 3}]},
        })
    }

    fn empty() -> ObjectPatch {
        ObjectPatch::new(ObjectKind::Node, &"n".into(), &"u".into(), WriteClass::Complete)
    }

    #[test]
    fn what_is_so_already_is_not_written() {
        let mut p = empty();
        p.labels.insert("a".into(), Some("1".into()));
        p.labels.insert("gone".into(), None);
        p.add_finalizers.push("other".into());
        assert_eq!(main_patch(&p, &node()), None);
        assert_eq!(status_patch(&p, &node(), Timestamp::UNIX_EPOCH), None);
    }

    #[test]
    fn registration_is_one_write_with_the_version_read() {
        let mut p = empty();
        p.labels
            .insert("karpenter.sh/registered".into(), Some("true".into()));
        p.add_finalizers.push("karpenter.sh/termination".into());
        let gone = Taint {
            key: "karpenter.sh/unregistered".into(),
            value: "".into(),
            effect: TaintEffect::NoExecute,
        };
        let new = Taint {
            key: "team".into(),
            value: "web".into(),
            effect: TaintEffect::NoSchedule,
        };
        p.remove_taints.push(gone);
        p.add_taints.push(new);
        let wanted = json!({
            "metadata": {"resourceVersion": "7", "labels": {"karpenter.sh/registered": "true"},
                "finalizers": ["other", "karpenter.sh/termination"]},
            "spec": {"taints": [{"key": "team", "value": "web", "effect": "NoSchedule"}]},
        });
        assert_eq!(main_patch(&p, &node()), Some(wanted));
    }

    #[test]
    fn case_12_an_owner_is_not_added_twice() {
        let mut p = empty();
        p.owner_claim = Some(("c".into(), "uid-c".into()));
        let body = main_patch(&p, &node()).expect("added");
        let owners = body["metadata"]["ownerReferences"].clone();
        assert_eq!(owners[0]["blockOwnerDeletion"], true);
        let mut object = node();
        object["metadata"]["ownerReferences"] = owners;
        assert_eq!(main_patch(&p, &object), None);
    }

    #[test]
    fn cordoning_is_written_once_and_taken_back() {
        let mut p = empty();
        p.unschedulable = Some(true);
        let mut object = node();
        let body = main_patch(&p, &object).expect("differs");
        assert_eq!(body["spec"], json!({"unschedulable": true}));
        object["spec"]["unschedulable"] = json!(true);
        assert_eq!(main_patch(&p, &object), None);
        p.unschedulable = Some(false);
        let body = main_patch(&p, &object).expect("differs");
        assert_eq!(body["spec"], json!({"unschedulable": null}));
    }

    #[test]
    fn a_map_in_the_status_is_replaced_and_not_merged() {
        let mut object = node();
        object["status"]["resources"] = json!({"cpu": "4", "nvidia.com/gpu": "1"});
        let mut p = empty();
        p.status.insert("resources".into(), json!({"cpu": "0"}));
        let body = status_patch(&p, &object, Timestamp::UNIX_EPOCH).expect("differs");
        assert_eq!(
            body["status"]["resources"],
            json!({"cpu": "0", "nvidia.com/gpu": null})
        );
    }

    #[test]
    fn a_condition_keeps_its_time_until_the_status_changes() {
        let condition = |status, reason: &str| Condition {
            status,
            reason: reason.into(),
            message: "".into(),
            since: Timestamp::UNIX_EPOCH,
            observed_generation: None,
        };
        let now: Timestamp = "2026-01-05T09:00:00Z".parse().expect("time");
        let mut p = empty();
        p.conditions
            .insert("Ready".into(), condition(Status::True, "other"));
        let body = status_patch(&p, &node(), now).expect("a new reason");
        assert_eq!(
            body["status"]["conditions"][0]["lastTransitionTime"],
            "2026-01-01T00:00:00Z"
        );
        p.conditions
            .insert("Ready".into(), condition(Status::False, "other"));
        let body = status_patch(&p, &node(), now).expect("a new status");
        assert_eq!(
            body["status"]["conditions"][0]["lastTransitionTime"],
            "2026-01-05T09:00:00Z"
        );
        assert_eq!(body["metadata"]["resourceVersion"], "7");
    }
}
