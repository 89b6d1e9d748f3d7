//! Kubernetes Events of the lifecycle (`lifecycle §18`), deduplicated for two minutes by object and text.

use std::time::Duration;

use jiff::Timestamp;

use super::memory::Memory;
use crate::api::names;
use crate::model::decision::Effect;
use crate::model::decision::effect::ObjectKind;
use crate::model::{Claim, Conditions, Name, Node, NodeClass, NodePool, Pod};

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
    /// `None` for objects without one.
    pub namespace: Option<&'a Name>,
    pub name: &'a Name,
    pub uid: &'a Name,
}

impl<'a> About<'a> {
    fn new(kind: ObjectKind, namespace: &'a Name, name: &'a Name, uid: &'a Name) -> Self {
        Self {
            kind,
            namespace: Some(namespace),
            name,
            uid,
        }
    }

    /// An object without a namespace.
    fn global(kind: ObjectKind, name: &'a Name, uid: &'a Name) -> Self {
        Self {
            kind,
            namespace: None,
            name,
            uid,
        }
    }

    pub fn of_claim(claim: &'a Claim) -> Self {
        Self::global(ObjectKind::NodeClaim, &claim.name, &claim.uid)
    }

    pub fn of_node(node: &'a Node) -> Self {
        Self::global(ObjectKind::Node, &node.name, &node.uid)
    }

    pub fn of_pool(pool: &'a NodePool) -> Self {
        Self::global(ObjectKind::NodePool, &pool.name, &pool.uid)
    }

    pub fn of_class(class: &'a NodeClass) -> Self {
        Self::global(ObjectKind::NodeClass, &class.name, &class.uid)
    }

    pub fn of_pod(pod: &'a Pod) -> Self {
        Self::new(ObjectKind::Pod, &pod.namespace, &pod.name, &pod.uid)
    }
}

impl Memory {
    /// Queues an event unless the same text was said about the object within two minutes.
    pub(super) fn say_about(
        &mut self,
        about: &About<'_>,
        warning: bool,
        reason: &str,
        message: String,
        now: Timestamp,
    ) {
        self.say_for(about, warning, reason, message, now, QUIET);
    }

    /// The same, with another time.
    pub(super) fn say_for(
        &mut self,
        about: &About<'_>,
        warning: bool,
        reason: &str,
        message: String,
        now: Timestamp,
        quiet: Duration,
    ) {
        let event = Effect::Event {
            kind: about.kind,
            namespace: about.namespace.cloned().unwrap_or_else(|| "".into()),
            name: about.name.clone(),
            uid: about.uid.clone(),
            warning,
            reason: reason.into(),
            message,
        };
        self.say(format!("{}/{}", about.uid, event.key()), event, now, quiet);
    }

    pub(super) fn say_claim(
        &mut self,
        claim: &Claim,
        warning: bool,
        reason: &str,
        message: String,
        now: Timestamp,
    ) {
        self.say_about(&About::of_claim(claim), warning, reason, message, now);
    }

    pub(super) fn say_node(
        &mut self,
        node: &Node,
        warning: bool,
        reason: &str,
        message: String,
        now: Timestamp,
    ) {
        self.say_about(&About::of_node(node), warning, reason, message, now);
    }

    /// A launch that ended the claim: no capacity, or an unusable class (Q3: upstream never emits the second).
    pub(super) fn say_doomed(
        &mut self,
        claim: &Name,
        uid: &Name,
        reason: &str,
        message: &str,
        now: Timestamp,
    ) {
        let message = super::conditions::truncate(message);
        let about = About::global(ObjectKind::NodeClaim, claim, uid);
        let text = format!("NodeClaim {claim} event: {message}");
        self.say_about(&about, true, reason, text, now);
    }

    pub(super) fn say_evicted(
        &mut self,
        namespace: &Name,
        pod: &Name,
        uid: &Name,
        reason: &Name,
        now: Timestamp,
    ) {
        let about = About::new(ObjectKind::Pod, namespace, pod, uid);
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
