//! Kubernetes Events of the lifecycle (`lifecycle §18`), deduplicated for two minutes by object and text.

use std::time::Duration;

use jiff::Timestamp;

use super::memory::Memory;
use crate::api::names;
use crate::model::decision::Effect;
use crate::model::decision::effect::ObjectKind;
use crate::model::{Claim, Conditions, Name, Node};

const QUIET: Duration = Duration::from_secs(2 * 60);

/// Transitions that show up as events (`observed §1`): conditions that come and go do not.
const ANNOUNCED: [&str; 5] = [
    names::LAUNCHED,
    names::REGISTERED_CONDITION,
    names::INITIALIZED_CONDITION,
    names::READY,
    names::DRAINED,
];

/// The object that an event is about.
pub struct About<'a> {
    pub kind: ObjectKind,
    pub namespace: &'a Name,
    pub name: &'a Name,
    pub uid: &'a Name,
}

impl Memory {
    pub(super) fn say_about(
        &mut self,
        about: &About<'_>,
        warning: bool,
        reason: &str,
        message: String,
        now: Timestamp,
    ) {
        let event = Effect::Event {
            kind: about.kind,
            namespace: about.namespace.clone(),
            name: about.name.clone(),
            uid: about.uid.clone(),
            warning,
            reason: reason.into(),
            message,
        };
        self.say(format!("{}/{}", about.uid, event.key()), event, now, QUIET);
    }

    pub(super) fn say_claim(
        &mut self,
        claim: &Claim,
        warning: bool,
        reason: &str,
        message: String,
        now: Timestamp,
    ) {
        let about = About {
            kind: ObjectKind::NodeClaim,
            namespace: &"".into(),
            name: &claim.name,
            uid: &claim.uid,
        };
        self.say_about(&about, warning, reason, message, now);
    }

    pub(super) fn say_node(
        &mut self,
        node: &Node,
        warning: bool,
        reason: &str,
        message: String,
        now: Timestamp,
    ) {
        let about = About {
            kind: ObjectKind::Node,
            namespace: &"".into(),
            name: &node.name,
            uid: &node.uid,
        };
        self.say_about(&about, warning, reason, message, now);
    }

    pub(super) fn say_insufficient(&mut self, claim: &Name, uid: &Name, message: &str, now: Timestamp) {
        let message = super::conditions::truncate(message);
        self.say_about(
            &About {
                kind: ObjectKind::NodeClaim,
                namespace: &"".into(),
                name: claim,
                uid,
            },
            true,
            "InsufficientCapacityError",
            format!("NodeClaim {claim} event: {message}"),
            now,
        );
    }

    /// Q3: upstream defines this event and never emits it.
    pub(super) fn say_class_not_ready(&mut self, claim: &Name, uid: &Name, message: &str, now: Timestamp) {
        let message = super::conditions::truncate(message);
        self.say_about(
            &About {
                kind: ObjectKind::NodeClaim,
                namespace: &"".into(),
                name: claim,
                uid,
            },
            true,
            "NodeClassNotReady",
            format!("NodeClaim {claim} event: {message}"),
            now,
        );
    }

    pub(super) fn say_evicted(
        &mut self,
        namespace: &Name,
        pod: &Name,
        uid: &Name,
        reason: &Name,
        now: Timestamp,
    ) {
        let about = About {
            kind: ObjectKind::Pod,
            namespace,
            name: pod,
            uid,
        };
        self.say_about(&about, false, "Evicted", format!("Evicted pod: {reason}"), now);
    }

    /// Announces every condition of an object whose status differs from the one last seen. A condition that
    /// appears for the first time is no transition.
    pub(super) fn announce(&mut self, about: &About<'_>, conditions: &Conditions, now: Timestamp) {
        let before = self.seen.remove(about.uid).unwrap_or_default();
        let mut after = std::collections::BTreeMap::new();
        for (kind, condition) in conditions {
            let announced = ANNOUNCED.contains(&&**kind) || about.kind != ObjectKind::NodeClaim;
            if let Some(was) = before
                .get(kind)
                .filter(|was| announced && **was != condition.status)
            {
                let mut message = format!(
                    "Status condition transitioned, Type: {kind}, Status: {} -> {}, Reason: {}",
                    was.as_str(),
                    condition.status.as_str(),
                    condition.reason
                );
                if !condition.message.is_empty() {
                    message = format!("{message}, Message: {}", condition.message);
                }
                self.say_about(about, false, kind, message, now);
            }
            after.insert(kind.clone(), condition.status);
        }
        self.seen.insert(about.uid.clone(), after);
    }
}
