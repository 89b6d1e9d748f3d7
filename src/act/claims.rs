//! Creating NodeClaims (`scheduling §21`).

use serde_json::{Map, Value, json};

use super::Wrote;
use super::kube::{Error, Writer};
use crate::api::names;
use crate::model::decision::ClaimDraft;
use crate::model::{Requirement, Taint};

pub(super) async fn create(kube: &Writer, draft: &ClaimDraft) -> Result<Wrote, Error> {
    kube.create("NodeClaim", "", &manifest(draft)).await
}

/// The object as Karpenter would write it.
fn manifest(draft: &ClaimDraft) -> Value {
    let mut requirements: Vec<Value> = Vec::new();
    for requirement in draft
        .requirements
        .iter()
        .filter(|r| &*r.key != names::INSTANCE_TYPE)
    {
        requirements.extend(entries(requirement));
    }
    if !draft.instance_types.is_empty() {
        let mut entry =
            json!({"key": names::INSTANCE_TYPE, "operator": "In", "values": draft.instance_types});
        if let Some(min) = draft
            .requirements
            .get(names::INSTANCE_TYPE)
            .and_then(|r| r.min_values)
        {
            entry["minValues"] = json!(min);
        }
        requirements.push(entry);
    }
    let mut spec = json!({
        "nodeClassRef": {"group": draft.class.group, "kind": draft.class.kind, "name": draft.class.name},
        "requirements": requirements,
        "resources": {"requests": draft.requests.to_quantities()},
        "expireAfter": duration(draft.expire_after),
    });
    put(&mut spec, "taints", taints(&draft.taints));
    put(&mut spec, "startupTaints", taints(&draft.startup_taints));
    if let Some(grace) = draft.termination_grace {
        put(&mut spec, "terminationGracePeriod", json!(duration(Some(grace))));
    }
    json!({
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodeClaim",
        "metadata": {
            "name": draft.name,
            "labels": draft.labels,
            "annotations": draft.annotations,
            "finalizers": [names::TERMINATION_FINALIZER],
            "ownerReferences": [{
                "apiVersion": "karpenter.sh/v1", "kind": "NodePool", "name": draft.pool, "uid": draft.pool_uid,
                "blockOwnerDeletion": true,
            }],
        },
        "spec": spec,
    })
}

fn entries(requirement: &Requirement) -> impl Iterator<Item = Value> + '_ {
    requirement.to_spec().into_iter().map(|(operator, values)| {
        let mut entry = json!({"key": requirement.key, "operator": operator.as_str()});
        if !values.is_empty() {
            entry["values"] = json!(values);
        }
        if let Some(min) = requirement.min_values {
            entry["minValues"] = json!(min);
        }
        entry
    })
}

fn put(object: &mut Value, key: &str, value: Value) {
    if !value.is_null()
        && let Some(map) = object.as_object_mut()
    {
        map.insert(key.to_owned(), value);
    }
}

fn taints(taints: &[Taint]) -> Value {
    if taints.is_empty() {
        return Value::Null;
    }
    taints.iter().map(taint).collect()
}

pub(super) fn taint(taint: &Taint) -> Value {
    let mut out = Map::new();
    out.insert("key".into(), json!(taint.key));
    if !taint.value.is_empty() {
        out.insert("value".into(), json!(taint.value));
    }
    out.insert("effect".into(), json!(taint.effect.as_str()));
    Value::Object(out)
}

/// `720h`, `1h30m` as seconds where it does not divide; `Never` for none (`api §2.5`).
fn duration(time: Option<std::time::Duration>) -> String {
    let Some(time) = time else { return "Never".into() };
    match time.as_secs() {
        s if s % 3600 == 0 => format!("{}h", s / 3600),
        s if s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Name, Operator, Requirements, Resources};

    #[test]
    fn a_draft_becomes_a_karpenter_nodeclaim() {
        let requirements: Requirements = [
            Requirement::new("karpenter.k8s.aws/instance-cpu", Operator::Lt, ["17"]),
            Requirement::new("topology.kubernetes.io/zone", Operator::In, ["b", "a"]),
            Requirement::new::<Name>("team", Operator::Exists, []),
        ]
        .into_iter()
        .collect();
        let draft = ClaimDraft {
            name: "web-bcdfg".into(),
            pool: "web".into(),
            pool_uid: "u1".into(),
            labels: [(names::NODEPOOL.into(), "web".into())].into(),
            annotations: crate::model::Labels::new(),
            class: crate::model::nodepool::ClassRef {
                group: names::AWS_GROUP.into(),
                kind: "EC2NodeClass".into(),
                name: "general".into(),
            },
            requirements,
            instance_types: vec!["c7g.large".into(), "m7g.large".into()],
            requests: Resources {
                cpu: 1500,
                memory: 1 << 30,
                pods: 3,
                ..Resources::default()
            },
            taints: vec![],
            startup_taints: vec![],
            expire_after: Some(std::time::Duration::from_secs(720 * 3600)),
            termination_grace: None,
            pods: vec![],
            expected: None,
        };
        let object = manifest(&draft);
        assert_eq!(object["spec"]["expireAfter"], "720h");
        assert_eq!(object["spec"]["resources"]["requests"]["cpu"], "1500m");
        let wanted = json!([
            {"key": "karpenter.k8s.aws/instance-cpu", "operator": "Lte", "values": ["16"]},
            {"key": "team", "operator": "Exists"},
            {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a", "b"]},
            {"key": "node.kubernetes.io/instance-type", "operator": "In", "values": ["c7g.large", "m7g.large"]},
        ]);
        assert_eq!(object["spec"]["requirements"], wanted);
        assert_eq!(
            object["metadata"]["finalizers"],
            json!([names::TERMINATION_FINALIZER])
        );
    }
}
