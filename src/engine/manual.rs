//! Orders about one node or NodeClaim, carried out at once under the name of who gave them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::run::Engine;
use crate::decide::lifecycle::drain_order;
use crate::model::decision::effect::ObjectKind;
use crate::model::decision::{Effect, EffectResult, ObjectPatch, WriteClass};
use crate::model::{Name, Node};

/// A drain that a person ordered and that is not over.
#[derive(Debug)]
pub(super) struct Drain {
    who: Name,
    /// Effect key of a refused eviction → when it may be asked again.
    again: BTreeMap<String, Timestamp>,
}

impl Engine {
    fn known_node(&self, name: &Name) -> Result<std::sync::Arc<Node>, String> {
        let node = self.book.view().snapshot.nodes.get(name).cloned();
        node.ok_or_else(|| format!("node {name} is gone"))
    }

    /// No new pods, or new pods again; the latter also ends a drain.
    pub(super) fn cordon(&mut self, name: &Name, on: bool, who: &Name) -> Result<(), String> {
        let node = self.known_node(name)?;
        if !on {
            self.drains.remove(name);
        }
        let mut patch = ObjectPatch::new(ObjectKind::Node, &node.name, &node.uid, WriteClass::Complete);
        patch.unschedulable = Some(on);
        self.order(Effect::Patch(Box::new(patch)), WriteClass::Complete, who)
    }

    /// Cordons, then evicts in passes until nothing but daemons is left.
    pub(super) fn drain(&mut self, name: &Name, who: &Name) -> Result<(), String> {
        self.gate
            .order_warrant(who, WriteClass::Disrupt, self.clock.now())
            .map_err(|e| e.to_string())?;
        self.cordon(name, true, who)?;
        let drain = Drain {
            who: who.clone(),
            again: BTreeMap::new(),
        };
        self.drains.insert(name.clone(), drain);
        Ok(())
    }

    /// Deletes the claim: its node drains and its machine ends.
    pub(super) fn terminate(&mut self, name: &Name, who: &Name) -> Result<(), String> {
        let snapshot = self.snapshot();
        let claim = snapshot
            .claims
            .get(name)
            .ok_or_else(|| format!("NodeClaim {name} is gone"))?;
        if claim.deleting.is_some() {
            return Err(format!("NodeClaim {name} is being terminated already"));
        }
        let effect = Effect::DeleteClaim {
            claim: claim.name.clone(),
            uid: claim.uid.clone(),
            reason: "ordered".into(),
        };
        self.order(effect, WriteClass::Disrupt, who)
    }

    fn order(&mut self, effect: Effect, class: WriteClass, who: &Name) -> Result<(), String> {
        let warrant = self
            .gate
            .order_warrant(who, class, self.clock.now())
            .map_err(|e| e.to_string())?;
        self.send(None, warrant, class, effect);
        Ok(())
    }

    /// Sends what the ordered drains need next; gives when a refused eviction is due again.
    pub(super) fn go_on_draining(&mut self, now: Timestamp) -> Option<Timestamp> {
        if self.drains.is_empty() {
            return None;
        }
        let snapshot = self.snapshot();
        let mut wake = None;
        for (node, mut drain) in std::mem::take(&mut self.drains) {
            let Some(left) = drain_order(&snapshot, &node, now) else {
                continue;
            };
            drain.again.retain(|_, at| *at > now);
            for effect in left {
                let key = effect.key();
                let rests = drain.again.contains_key(&key) || self.under_way.contains(&key);
                if !rests && !self.cooling.contains_key(&key) {
                    // Under a pause of everything it stands still, and goes on when that ends.
                    let _ = self.order(effect, WriteClass::Complete, &drain.who);
                }
            }
            wake = drain.again.values().copied().chain(wake).min();
            self.drains.insert(node, drain);
        }
        wake
    }

    /// Remembers when a refused eviction of an ordered drain may be asked again.
    pub(super) fn drain_result(&mut self, effect: &Effect, result: &EffectResult) {
        if let Effect::Evict { node, .. } = effect
            && let EffectResult::Retry { retry_at, .. } = result
            && let Some(drain) = self.drains.get_mut(node)
        {
            drain.again.insert(effect.key(), *retry_at);
        }
    }
}
