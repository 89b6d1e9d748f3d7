//! The gate's side of the guards: proposals are shown to them, their trips are kept, a person releases them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::Refused;
use super::approval::Gate;
use super::guards::{Guard, Guards, Look, Stop, Trip};
use crate::model::Name;
use crate::model::decision::{Decision, DecisionId, State};

impl Gate {
    /// Guards that tripped and were not released.
    pub fn trips(&self) -> &BTreeMap<Guard, Trip> {
        &self.supervision.trips
    }

    pub fn guards(&mut self) -> &mut Guards {
        &mut self.guards
    }

    /// Pods that the guard `runaway` keeps from being planned for.
    pub fn stopped_pods(&self) -> impl Iterator<Item = &Name> {
        self.guards.stopped_pods()
    }

    /// What the guards say of a decision that the policy would carry out.
    pub fn guard(
        &mut self,
        decision: &Arc<Decision>,
        look: &Look<'_>,
        stage: impl Fn(&str) -> String,
    ) -> Option<Stop> {
        self.guards
            .check(decision, look, &mut self.supervision.trips, stage)
    }

    /// Lets a tripped guard go. What waited for it is approved in the person's name and returned.
    ///
    /// # Errors
    /// When it has not tripped, and in observe.
    pub fn release(&mut self, guard: Guard, who: &Name, now: Timestamp) -> Result<Vec<DecisionId>, Refused> {
        self.may_write()?;
        if self.supervision.trips.remove(&guard).is_none() {
            return Err(Refused::NotTripped(guard.as_str()));
        }
        let mut approved = Vec::new();
        for id in self.guards.released(guard) {
            if let Some(open) = self.open.get_mut(&id).filter(|o| o.state == State::Held) {
                (open.state, open.since, open.approver) = (State::Approved, now, who.clone());
                approved.push(id);
            }
        }
        Ok(approved)
    }
}
