//! A drain that a person ordered, as kubectl's: every pod but daemons and static ones, budgets asked; what is
//! marked do-not-disrupt goes too, because a person said so.

use jiff::Timestamp;

use crate::decide::pods;
use crate::model::decision::Effect;
use crate::model::{Name, Pod, Snapshot};

/// The evictions that are left to send; `None` when nothing is left to wait for either.
pub fn drain_order(snapshot: &Snapshot, node: &Name, now: Timestamp) -> Option<Vec<Effect>> {
    let left: Vec<&Pod> = snapshot
        .pods
        .values()
        .map(AsRef::as_ref)
        .filter(|p| p.node.as_ref() == Some(node) && !p.is_terminal())
        .filter(|p| !pods::is_daemon(p) && !pods::is_mirror(p) && !pods::is_stuck(p, now))
        .collect();
    if left.is_empty() {
        return None;
    }
    let evictions = left
        .into_iter()
        .filter(|p| p.is_active())
        .map(|p| Effect::Evict {
            namespace: p.namespace.clone(),
            pod: p.name.clone(),
            uid: p.uid.clone(),
            node: node.clone(),
            reason: "ordered".into(),
        })
        .collect();
    Some(evictions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::testing::{World, at, owner};

    #[test]
    fn daemons_stay_and_protected_pods_go() {
        let mut world = World::new();
        world.machine("a", "m5.xlarge");
        world.pod("web", Some("a"), 100, |_| {});
        world.pod("kept", Some("a"), 100, |p| p.do_not_disrupt = Some("true".into()));
        world.pod("daemon", Some("a"), 100, |p| p.owners = vec![owner("DaemonSet")]);
        let sent = drain_order(&world.snapshot, &"a".into(), at(0)).expect("pods are left");
        let names: Vec<String> = sent.iter().map(Effect::key).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(names.iter().all(|key| !key.contains("daemon")), "{names:?}");
        assert_eq!(drain_order(&world.snapshot, &"other".into(), at(0)), None);
    }
}
