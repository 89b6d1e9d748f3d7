//! What `act` does, step by step.

use super::names::{list, node, plural};
use crate::model::decision::{Effect, ObjectPatch};

/// One line a step: `create NodeClaim general-x8k2p (general, 60 types)`.
pub fn effect(e: &Effect) -> String {
    match e {
        Effect::CreateClaim(d) => format!(
            "create NodeClaim {} in {}: {} for {}",
            d.name,
            d.pool,
            plural(d.instance_types.len(), "type"),
            plural(d.pods.len(), "pod")
        ),
        Effect::Launch { claim, .. } => format!("launch an instance for {claim}"),
        Effect::DeleteClaim { claim, reason, .. } if reason.is_empty() => format!("delete NodeClaim {claim}"),
        Effect::DeleteClaim { claim, reason, .. } => format!("delete NodeClaim {claim} ({reason})"),
        Effect::DeleteNode { node: name, .. } => format!("delete Node {}", node(name)),
        Effect::Evict {
            namespace,
            pod,
            node: name,
            ..
        } => format!("evict {namespace}/{pod} from {}", node(name)),
        Effect::DeletePod {
            namespace,
            pod,
            grace_seconds,
            ..
        } => {
            format!("delete pod {namespace}/{pod}, {grace_seconds}s of grace")
        }
        Effect::TerminateInstance { provider_id } => format!("terminate {}", instance(provider_id)),
        Effect::TagInstance { provider_id, tags } => {
            let keys: Vec<&str> = tags.keys().map(|k| &**k).collect();
            format!("tag {} with {}", instance(provider_id), list(&keys, 2))
        }
        Effect::Patch(p) => patch(p),
        Effect::Event {
            kind,
            namespace,
            name,
            reason,
            message,
            ..
        } => {
            let slash = if namespace.is_empty() { "" } else { "/" };
            format!(
                "{reason} on {} {namespace}{slash}{name}: {message}",
                kind.as_str()
            )
        }
    }
}

/// `i-0b77` of `aws:///us-east-1a/i-0b77`
fn instance(provider_id: &str) -> &str {
    provider_id.rsplit_once('/').map_or(provider_id, |(_, id)| id)
}

fn patch(p: &ObjectPatch) -> String {
    let mut parts: Vec<String> = Vec::new();
    for t in &p.add_taints {
        parts.push(format!("taint {t}"));
    }
    for t in &p.remove_taints {
        parts.push(format!("remove taint {t}"));
    }
    for (kind, c) in &p.conditions {
        let reason = if c.reason.is_empty() {
            String::new()
        } else {
            format!(" ({})", c.reason)
        };
        parts.push(format!("{kind} {}{reason}", c.status.as_str()));
    }
    for kind in &p.remove_conditions {
        parts.push(format!("clear {kind}"));
    }
    for (map, word) in [(&p.labels, "label"), (&p.annotations, "annotation")] {
        if map.len() > 2 {
            parts.push(plural(map.len(), word));
        } else {
            parts.extend(map.iter().map(|(k, v)| match v {
                Some(v) => format!("{word} {k}={v}"),
                None => format!("remove {word} {k}"),
            }));
        }
    }
    parts.extend(p.add_finalizers.iter().map(|f| format!("finalizer {f}")));
    parts.extend(
        p.remove_finalizers
            .iter()
            .map(|f| format!("remove finalizer {f}")),
    );
    if p.owner_claim.is_some() {
        parts.push("owner NodeClaim".to_owned());
    }
    if !p.status.is_empty() {
        let keys: Vec<&str> = p.status.keys().map(|k| &**k).collect();
        parts.push(format!("status {}", list(&keys, 3)));
    }
    format!("{} {}: {}", p.kind.as_str(), node(&p.name), list(&parts, 3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::decision::WriteClass;
    use crate::model::decision::effect::ObjectKind;
    use crate::model::{Taint, TaintEffect};

    #[test]
    fn steps_say_what_is_written() {
        let mut p = ObjectPatch::new(
            ObjectKind::Node,
            &"ip-1.ec2.internal".into(),
            &"u".into(),
            WriteClass::Disrupt,
        );
        p.add_taints.push(Taint {
            key: "karpenter.sh/disrupted".into(),
            value: "".into(),
            effect: TaintEffect::NoSchedule,
        });
        p.annotations
            .insert("kerf.dev/replaced-by".into(), Some("-".into()));
        assert_eq!(
            effect(&Effect::Patch(Box::new(p))),
            "Node ip-1: taint karpenter.sh/disrupted:NoSchedule, annotation kerf.dev/replaced-by=-"
        );
        let e = Effect::TerminateInstance {
            provider_id: "aws:///us-east-1a/i-0b77".into(),
        };
        assert_eq!(effect(&e), "terminate i-0b77");
    }
}
