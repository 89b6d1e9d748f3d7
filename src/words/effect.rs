//! What `act` does, step by step.

use super::names::{list, node, plural, short};
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
            let about = format!("{} {namespace}{slash}{}", kind.as_str(), node(name));
            match transition(message) {
                Some(change) => format!("{about} {change}"),
                None => format!("{about}: {}: {}", words_of(reason), short(message)),
            }
        }
    }
}

/// `Ready: Unknown → True (Ready)` of the event that tells of a changed condition.
fn transition(message: &str) -> Option<String> {
    let rest = message.strip_prefix("Status condition transitioned, Type: ")?;
    let (kind, rest) = rest.split_once(", Status: ")?;
    let (change, rest) = rest.split_once(", Reason: ")?;
    let (from, to) = change.split_once(" -> ")?;
    let (reason, why) = match rest.split_once(", Message: ") {
        Some((reason, why)) => (reason, format!(": {}", short(why))),
        None => (rest, String::new()),
    };
    let reason = if reason == kind {
        String::new()
    } else {
        format!(" ({reason})")
    };
    Some(format!("{kind} {from} → {to}{reason}{why}"))
}

/// `TerminationGracePeriodExpiring` as words.
fn words_of(reason: &str) -> String {
    let mut out = String::new();
    for (i, c) in reason.chars().enumerate() {
        if i > 0 && c.is_ascii_uppercase() {
            out.push(' ');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
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
    match p.unschedulable {
        Some(true) => parts.push("cordon".to_owned()),
        Some(false) => parts.push("uncordon".to_owned()),
        None => {}
    }
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

    #[test]
    fn events_are_told_shortly() {
        let event = |message: &str, reason: &str| {
            effect(&Effect::Event {
                kind: crate::model::decision::effect::ObjectKind::NodeClaim,
                namespace: "".into(),
                name: "general-x".into(),
                uid: "".into(),
                warning: false,
                reason: reason.into(),
                message: message.into(),
            })
        };
        let ready = "Status condition transitioned, Type: Ready, Status: Unknown -> True, Reason: Ready";
        assert_eq!(event(ready, "Ready"), "NodeClaim general-x Ready Unknown → True");
        assert_eq!(
            event(
                "Disrupting Node: ip-10-0-0-1.ec2.internal",
                "DisruptionTerminating"
            ),
            "NodeClaim general-x: disruption terminating: Disrupting Node: ip-10-0-0-1"
        );
    }
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
