//! The numbered cases of `lifecycle §24` that are decided here, by number.

mod deletion;
mod eviction;
mod launch;
mod numbers;
mod pools;
mod proposals;
mod registration;
mod repair;
mod reservations;
mod state;
mod static_pools;
mod tagging;

use super::{Memory, pass};
use crate::decide::testing::{World, at};
use crate::decide::{Dirty, Outcome, Reserved, Settings};
use crate::model::decision::effect::ObjectKind;
use crate::model::decision::{Effect, ObjectPatch};

/// A world with its lifecycle memory.
struct Case {
    world: World,
    memory: Memory,
    reserved: Reserved,
    settings: Settings,
}

impl Case {
    fn new() -> Self {
        Self {
            world: World::new(),
            memory: Memory::default(),
            reserved: Reserved::default(),
            settings: Settings::default(),
        }
    }

    /// A pass in which everything is dirty.
    fn pass(&mut self, seconds: i64) -> Outcome {
        self.dirty(
            seconds,
            &Dirty {
                all: true,
                ..Dirty::default()
            },
        )
    }

    /// A pass for timers alone.
    fn timers(&mut self, seconds: i64) -> Outcome {
        self.dirty(seconds, &Dirty::default())
    }

    fn dirty(&mut self, seconds: i64, dirty: &Dirty) -> Outcome {
        pass(
            &self.world.snapshot,
            &mut self.memory,
            dirty,
            &self.reserved,
            at(seconds),
            &self.settings,
        )
    }
}

/// Keys of the steps that are no events and no mirrors of pools and classes.
fn keys(outcome: &Outcome) -> Vec<String> {
    outcome
        .steps
        .iter()
        .map(|s| s.effect.key())
        .filter(|k| !k.starts_with("event/") && !k.contains("NodePool") && !k.contains("EC2NodeClass"))
        .collect()
}

fn patch_of(outcome: &Outcome, kind: ObjectKind, name: &str) -> Option<ObjectPatch> {
    outcome.steps.iter().find_map(|s| match &s.effect {
        Effect::Patch(p) if p.kind == kind && &*p.name == name => Some((**p).clone()),
        _ => None,
    })
}

/// Reason and message of every event.
fn events(outcome: &Outcome) -> Vec<(String, String)> {
    outcome
        .steps
        .iter()
        .filter_map(|s| match &s.effect {
            Effect::Event { reason, message, .. } => Some((reason.to_string(), message.clone())),
            _ => None,
        })
        .collect()
}
