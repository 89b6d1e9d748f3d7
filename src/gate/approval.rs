//! The gate itself: judges proposals, takes rulings, issues warrants.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::command::{REJECTION_COOL_DOWN, REVIEW_LAPSES_AFTER};
use super::guards::{Guard, Guards, Trip};
use super::pause::{Pause, Pauses};
use super::policy::{Policies, Rule};
use super::warrant::Warrant;
use super::{Mode, Scope};
use crate::model::Name;
use crate::model::decision::{ContentHash, Decision, DecisionId, Effect, Kind, State, WriteClass};

/// A warrant is used at once or not at all.
const WARRANT_LASTS: std::time::Duration = std::time::Duration::from_secs(600);

/// A decision that is not final: held, approved and waiting, acting, or noted while its kind is off.
#[derive(Clone, Debug)]
pub struct Open {
    pub decision: Arc<Decision>,
    pub state: State,
    pub since: Timestamp,
    pub approver: Name,
}

/// Why a person's word was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("{0} is not waiting for review")]
    NotWaiting(DecisionId),
    #[error("{0} is no longer what was shown; look at it again before approving")]
    Changed(DecisionId),
    #[error("{0} cannot be undone: {1}")]
    TooLate(DecisionId, &'static str),
    #[error("mode observe writes nothing; switch to ask, supervise or auto first")]
    Observing,
    #[error("{0} leads and this one follows: nothing is written here")]
    Following(Name),
    #[error("guard {0} has not tripped: there is nothing to release")]
    NotTripped(&'static str),
    #[error("{0} is paused; resume it first (P resumes all, p a part)")]
    Paused(&'static str),
    #[error("{0} is not a scope of a pause: use everything, provisioning, disruption or a NodePool")]
    Scope(&'static str),
}

/// What outlives a restart (decisions §6): pauses, mode, policies and rejections.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Supervision {
    pub policies: Policies,
    pub pauses: Pauses,
    /// Sorted candidates joined by commas → until when they rest.
    pub rejected: BTreeMap<Name, Timestamp>,
    /// Guards that tripped and that nobody released.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub trips: BTreeMap<Guard, Trip>,
}

/// Who may act.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    pub(super) supervision: Supervision,
    pub(super) open: BTreeMap<DecisionId, Open>,
    pub(super) guards: Guards,
    /// Set while another leads: nothing may be written.
    pub(super) follows: Option<Name>,
}

impl Gate {
    pub fn new(supervision: Supervision) -> Self {
        Self {
            supervision,
            open: BTreeMap::new(),
            guards: Guards::default(),
            follows: None,
        }
    }

    pub fn supervision(&self) -> &Supervision {
        &self.supervision
    }

    pub fn policies(&self) -> &Policies {
        &self.supervision.policies
    }

    pub fn pauses(&self) -> &Pauses {
        &self.supervision.pauses
    }

    pub fn open(&self) -> impl Iterator<Item = &Open> {
        self.open.values()
    }

    pub fn get(&self, id: DecisionId) -> Option<&Open> {
        self.open.get(&id)
    }

    /// The state a new decision gets: approved by policy, held for a person, or only noted.
    pub fn judge(&self, decision: &Decision) -> State {
        if self.follows.is_some() {
            return State::Noted;
        }
        match self.policies().for_kind(decision.kind).rule_for(&decision.impact) {
            Rule::Auto => State::Approved,
            Rule::Ask => State::Held,
            Rule::Off => State::Noted,
        }
    }

    /// Why [`Gate::judge`] says so: the mode, the policy that differs from it, or the ceiling that was met.
    pub fn judged_by(&self, decision: &Decision) -> String {
        if let Err(why @ Refused::Following(_)) = self.may_write() {
            return why.to_string();
        }
        self.policies().reason(decision.kind, &decision.impact)
    }

    /// Takes a judged decision in.
    pub fn admit(&mut self, decision: Arc<Decision>, state: State, now: Timestamp) {
        let approver = "policy".into();
        self.open.insert(
            decision.id,
            Open {
                decision,
                state,
                since: now,
                approver,
            },
        );
    }

    /// # Errors
    /// When it does not wait, or is not what was shown.
    pub fn approve(
        &mut self,
        id: DecisionId,
        hash: ContentHash,
        who: &Name,
        now: Timestamp,
    ) -> Result<(), Refused> {
        self.may_write()?;
        let open = self.waiting(id)?;
        if open.decision.hash != hash {
            return Err(Refused::Changed(id));
        }
        (open.state, open.since, open.approver) = (State::Approved, now, who.clone());
        Ok(())
    }

    /// Ends a waiting decision; the same candidates rest for a while.
    ///
    /// # Errors
    /// When it does not wait.
    pub fn reject(&mut self, id: DecisionId, now: Timestamp) -> Result<(), Refused> {
        let key = candidates_key(&self.waiting(id)?.decision);
        self.open.remove(&id);
        let until = now.checked_add(REJECTION_COOL_DOWN).unwrap_or(Timestamp::MAX);
        self.supervision.rejected.insert(key, until);
        Ok(())
    }

    fn waiting(&mut self, id: DecisionId) -> Result<&mut Open, Refused> {
        match self.open.get_mut(&id) {
            Some(open) if open.state == State::Held => Ok(open),
            _ => Err(Refused::NotWaiting(id)),
        }
    }

    /// Moves an open decision on; final states leave the gate.
    pub fn set(&mut self, id: DecisionId, state: State, now: Timestamp) {
        if state.is_final() && state != State::Noted {
            self.open.remove(&id);
        } else if let Some(open) = self.open.get_mut(&id) {
            (open.state, open.since) = (state, now);
        }
    }

    /// # Errors
    /// For a scope that cannot be paused.
    pub fn pause(
        &mut self,
        scope: &Scope,
        until: Option<Timestamp>,
        who: &Name,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let pause = Pause {
            since: now,
            until,
            by: who.clone(),
        };
        let pauses = &mut self.supervision.pauses;
        match scope {
            Scope::Everything => pauses.everything = Some(pause),
            Scope::Provisioning => pauses.provisioning = Some(pause),
            Scope::Disruption => pauses.disruption = Some(pause),
            Scope::Pool(pool) => drop(pauses.pools.insert(pool.clone(), pause)),
            Scope::Node(_) => return Err(Refused::Scope("a node")),
        }
        Ok(())
    }

    /// Resuming everything also ends the narrower pauses.
    ///
    /// # Errors
    /// For a scope that cannot be paused.
    pub fn resume(&mut self, scope: &Scope) -> Result<(), Refused> {
        let pauses = &mut self.supervision.pauses;
        match scope {
            Scope::Everything => *pauses = Pauses::default(),
            Scope::Provisioning => pauses.provisioning = None,
            Scope::Disruption => pauses.disruption = None,
            Scope::Pool(pool) => drop(pauses.pools.remove(pool)),
            Scope::Node(_) => return Err(Refused::Scope("a node")),
        }
        Ok(())
    }

    pub fn set_mode(&mut self, mode: Mode) {
        self.supervision.policies.mode = mode;
    }

    pub fn set_policy(&mut self, kind: Kind, policy: super::Policy) {
        self.supervision.policies.overrides.insert(kind, policy);
    }

    /// Ends what has run out: pauses with a time, rejections, reviews of disruptions. Returns whether supervision
    /// changed, and the reviews that lapsed.
    pub fn tick(&mut self, now: Timestamp) -> (bool, Vec<DecisionId>) {
        let before = self.supervision.clone();
        let over = |pause: &Option<Pause>| pause.as_ref().is_some_and(|p| p.until.is_some_and(|t| t <= now));
        let pauses = &mut self.supervision.pauses;
        for slot in [
            &mut pauses.everything,
            &mut pauses.provisioning,
            &mut pauses.disruption,
        ] {
            if over(slot) {
                *slot = None;
            }
        }
        pauses.pools.retain(|_, p| p.until.is_none_or(|t| t > now));
        self.supervision.rejected.retain(|_, until| *until > now);
        let lapsed: Vec<DecisionId> = self
            .open
            .values()
            .filter(|o| lapses_at(o).is_some_and(|t| t <= now))
            .map(|o| o.decision.id)
            .collect();
        for id in &lapsed {
            self.open.remove(id);
        }
        (before != self.supervision, lapsed)
    }

    /// When [`Gate::tick`] has something to do next.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let pauses = &self.supervision.pauses;
        [&pauses.everything, &pauses.provisioning, &pauses.disruption]
            .into_iter()
            .flatten()
            .chain(pauses.pools.values())
            .filter_map(|p| p.until)
            .chain(self.supervision.rejected.values().copied())
            .chain(self.open.values().filter_map(lapses_at))
            .min()
    }

    /// The licence for an approved decision. `None` while a pause forbids it or when it is not approved.
    pub fn warrant(&self, id: DecisionId, now: Timestamp) -> Option<Warrant> {
        let open = self.open.get(&id).filter(|o| o.state == State::Approved)?;
        let class = open.decision.class();
        if self.may_write().is_err() || self.pauses().forbids(class) {
            return None;
        }
        let lapses = now.checked_add(WARRANT_LASTS).unwrap_or(Timestamp::MAX);
        Some(Warrant::new(
            Some(id),
            open.decision.hash,
            class,
            open.approver.clone(),
            lapses,
        ))
    }

    /// The licence for what a person orders now.
    ///
    /// # Errors
    /// In observe, and under a pause that forbids the class.
    pub fn order_warrant(&self, who: &Name, class: WriteClass, now: Timestamp) -> Result<Warrant, Refused> {
        self.may_write()?;
        if self.pauses().forbids(class) {
            let all = self.pauses().everything.is_some();
            return Err(Refused::Paused(if all { "everything" } else { "disruption" }));
        }
        let lapses = now.checked_add(WARRANT_LASTS).unwrap_or(Timestamp::MAX);
        let hash = ContentHash::default();
        Ok(Warrant::new(None, hash, class, who.clone(), lapses))
    }

    /// The licence for a step of something begun, or for housekeeping. `None` in observe and under a pause that
    /// forbids its class.
    pub fn step_warrant(&self, id: Option<DecisionId>, class: WriteClass, now: Timestamp) -> Option<Warrant> {
        if self.may_write().is_err() || self.pauses().forbids(class) {
            return None;
        }
        let lapses = now.checked_add(WARRANT_LASTS).unwrap_or(Timestamp::MAX);
        Some(Warrant::new(
            id,
            ContentHash::default(),
            class,
            "policy".into(),
            lapses,
        ))
    }
}

fn lapses_at(open: &Open) -> Option<Timestamp> {
    let disrupts = open.state == State::Held && open.decision.class() == WriteClass::Disrupt;
    disrupts.then(|| {
        open.since
            .checked_add(REVIEW_LAPSES_AFTER)
            .unwrap_or(Timestamp::MAX)
    })
}

/// The key under which a rejection rests: the sorted subjects joined by commas.
pub fn candidates_key(decision: &Decision) -> Name {
    let mut subjects: Vec<&str> = decision.subjects.iter().map(AsRef::as_ref).collect();
    subjects.sort_unstable();
    subjects.join(",").into()
}

/// The class under which a step of a decision runs: new capacity keeps its own, the rest completes.
pub fn class_of(effect: &Effect, begun: bool) -> WriteClass {
    match effect.class() {
        WriteClass::Disrupt if begun => WriteClass::Complete,
        class => class,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Policy;
    use crate::model::UsdPerHour;
    use crate::model::decision::{Evidence, Impact, Proposal};

    fn decision(id: u64, kind: Kind, nodes: u32) -> Arc<Decision> {
        let proposal = Proposal {
            kind,
            subjects: vec!["node-b".into(), "node-a".into()],
            effects: vec![],
            impact: Impact {
                nodes_added: nodes,
                usd_per_hour: UsdPerHour::from_f64(0.5),
                ..Impact::default()
            },
            evidence: Evidence::Reason {
                code: "test".into(),
                facts: BTreeMap::new(),
            },
        };
        Arc::new(Decision {
            id: DecisionId(id),
            at: Timestamp::UNIX_EPOCH,
            hash: proposal.content_hash(),
            proposal,
        })
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn presets_are_the_table_of_screens() {
        use State::{Approved, Held, Noted};
        for (mode, provisioning, consolidation, interruption) in [
            (Mode::Observe, Noted, Noted, Noted),
            (Mode::Ask, Held, Held, Approved),
            (Mode::Supervise, Approved, Held, Approved),
            (Mode::Auto, Approved, Approved, Approved),
        ] {
            let mut gate = Gate::default();
            gate.set_mode(mode);
            assert_eq!(
                gate.judge(&decision(1, Kind::Provisioning, 1)),
                provisioning,
                "{mode:?}"
            );
            assert_eq!(
                gate.judge(&decision(1, Kind::Consolidation, 1)),
                consolidation,
                "{mode:?}"
            );
            assert_eq!(
                gate.judge(&decision(1, Kind::Interruption, 1)),
                interruption,
                "{mode:?}"
            );
        }
    }

    #[test]
    fn a_ceiling_turns_auto_into_ask() {
        let mut gate = Gate::default();
        gate.set_policy(
            Kind::Provisioning,
            Policy {
                max_nodes: Some(3),
                ..Policy::plain(Rule::Auto)
            },
        );
        assert_eq!(gate.judge(&decision(1, Kind::Provisioning, 3)), State::Approved);
        assert_eq!(gate.judge(&decision(1, Kind::Provisioning, 4)), State::Held);
        let cheap = Policy {
            max_usd: Some(UsdPerHour::from_f64(0.4)),
            ..Policy::plain(Rule::Auto)
        };
        gate.set_policy(Kind::Provisioning, cheap);
        assert_eq!(gate.judge(&decision(1, Kind::Provisioning, 1)), State::Held);
    }

    #[test]
    fn approval_names_exactly_what_was_shown() {
        let mut gate = Gate::default();
        let d = decision(7, Kind::Consolidation, 0);
        gate.admit(d.clone(), State::Held, at(0));
        assert_eq!(
            gate.approve(d.id, ContentHash(1), &"ann".into(), at(1)),
            Err(Refused::Changed(d.id))
        );
        assert_eq!(gate.warrant(d.id, at(1)), None);
        assert_eq!(gate.approve(d.id, d.hash, &"ann".into(), at(2)), Ok(()));
        let warrant = gate.warrant(d.id, at(2)).expect("approved");
        assert_eq!((&**warrant.approver(), warrant.hash()), ("ann", d.hash));
        assert!(!warrant.has_lapsed(at(3)) && warrant.has_lapsed(at(10_000)));
        assert_eq!(
            gate.approve(d.id, d.hash, &"ann".into(), at(3)),
            Err(Refused::NotWaiting(d.id))
        );
    }

    #[test]
    fn a_pause_withholds_warrants_of_its_classes_only() {
        let mut gate = Gate::default();
        gate.set_mode(Mode::Auto);
        let d = decision(1, Kind::Provisioning, 1);
        gate.admit(d.clone(), State::Approved, at(0));
        gate.pause(&Scope::Provisioning, Some(at(60)), &"ann".into(), at(0))
            .expect("paused");
        assert_eq!(gate.warrant(d.id, at(1)), None);
        assert!(gate.step_warrant(None, WriteClass::Complete, at(1)).is_some());
        assert_eq!(gate.wake_at(), Some(at(60)));
        assert!(gate.tick(at(60)).0);
        assert!(gate.warrant(d.id, at(61)).is_some());
        gate.pause(&Scope::Everything, None, &"ann".into(), at(70))
            .expect("paused");
        for class in [
            WriteClass::Provision,
            WriteClass::Disrupt,
            WriteClass::Complete,
            WriteClass::Mirror,
        ] {
            assert_eq!(gate.step_warrant(None, class, at(71)), None, "{class:?}");
        }
        assert!(gate.step_warrant(None, WriteClass::Supervise, at(71)).is_some());
    }

    #[test]
    fn a_review_that_runs_out_lapses_and_a_rejection_rests() {
        let mut gate = Gate::default();
        let (disrupt, provision) = (decision(1, Kind::Drift, 0), decision(2, Kind::Provisioning, 1));
        gate.admit(disrupt.clone(), State::Held, at(0));
        gate.admit(provision.clone(), State::Held, at(0));
        assert_eq!(gate.tick(at(299)).1, vec![]);
        assert_eq!(gate.tick(at(300)).1, vec![disrupt.id]);
        assert_eq!(
            gate.tick(at(100_000)).1,
            vec![],
            "a provisioning review stays open"
        );
        gate.reject(provision.id, at(100_000)).expect("held");
        assert_eq!(
            gate.supervision().rejected.get("node-a,node-b"),
            Some(&at(100_600))
        );
    }
}
