//! What the engine shows to the guards, and what it does when one of them stops a proposal.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use jiff::Timestamp;

use super::run::Engine;
use crate::api::names;
use crate::gate::guards::{Fleet, Health, Look, Purchase, Stop};
use crate::model::decision::effect::Launched;
use crate::model::decision::{Decision, Effect, Evidence, State};
use crate::model::{Name, Snapshot, UsdPerHour};

/// The machines and their bill by pool, and a number that stays while workloads and manifests do.
fn fleet(snapshot: &Snapshot) -> Fleet {
    let mut out = Fleet::default();
    for claim in snapshot.claims.values().filter(|c| c.deleting.is_none()) {
        let price = snapshot.price_of(&claim.labels);
        out.nodes += 1;
        out.usd_per_hour += price;
        if let Some(pool) = claim.pool() {
            let (nodes, usd) = out.pools.entry(pool.clone()).or_default();
            *nodes += 1;
            *usd += price;
        }
    }
    out
}

/// Workloads by owner with their demand, and generations of the manifests that decide.
fn fingerprint(snapshot: &Snapshot) -> u64 {
    let mut owners: BTreeMap<&str, (u64, i64, i64)> = BTreeMap::new();
    for pod in snapshot.pods.values().filter(|p| p.is_active()) {
        let owner = pod.owners.iter().find(|o| o.controller).map_or("", |o| &*o.uid);
        let (pods, cpu, memory) = owners.entry(owner).or_default();
        *pods += 1;
        *cpu += pod.spec.requests.cpu;
        *memory += pod.spec.requests.memory;
    }
    // SipHash with its fixed keys: the same on every machine.
    let mut hash = DefaultHasher::new();
    owners.hash(&mut hash);
    for pool in snapshot.pools.values() {
        (&pool.name, pool.generation).hash(&mut hash);
    }
    for class in snapshot.classes.values() {
        (&class.name, class.generation).hash(&mut hash);
    }
    hash.finish()
}

fn health(snapshot: &Snapshot) -> Health {
    let mut out = Health::default();
    for node in snapshot.nodes.values() {
        let started = node.label(names::INITIALIZED).is_some_and(|v| &**v == "true");
        if node.deleting.is_some() || !started {
            continue;
        }
        out.nodes += 1;
        out.not_ready += u32::from(!node.ready);
        let known = snapshot
            .pools
            .get(node.pool())
            .is_none_or(|p| snapshot.catalogue(&p.template.class.name).is_some());
        if !known {
            out.without_prices.insert(node.pool().into());
        }
    }
    out
}

impl Engine {
    /// What the guards say of a decision that would be carried out.
    pub(super) fn guard(&mut self, decision: &Arc<Decision>, now: Timestamp) -> Option<Stop> {
        let snapshot = self.snapshot();
        let mut fleet = fleet(&snapshot);
        if matches!(decision.evidence, Evidence::Disruption(_)) {
            fleet.fingerprint = fingerprint(&snapshot);
        }
        let health = health(&snapshot);
        let limits = self.gate.policies().limits.clone();
        let look = Look {
            fleet: &fleet,
            health: &health,
            limits: &limits,
            now,
        };
        let stage = |claim: &str| match snapshot.claims.get(claim) {
            Some(row) => row.stage().to_lowercase(),
            None => "gone".to_owned(),
        };
        let before = self.gate.trips().len();
        let stop = self.gate.guard(decision, &look, stage);
        if self.gate.trips().len() != before {
            // Trips outlive a restart.
            self.remember();
        }
        stop
    }

    /// A pod that gives up on nothing: planned for again without the stopped ones.
    pub(super) fn stop_pods(&mut self, decision: &Decision, text: String, now: Timestamp) {
        self.rule(
            decision.id,
            State::Withdrawn,
            "guard runaway",
            text,
            crate::ledger::Cause::Engine,
        );
        self.dirty.all = true;
        self.wake_at = Some(now);
    }

    /// A machine came for a claim of a decision.
    pub(super) fn bought(&mut self, decision: &Decision, launched: &Launched, now: Timestamp) {
        let place = |kind: &str, zone: &str, capacity: &str| format!("{kind} {zone} {capacity}");
        let predicted = decision
            .effects
            .iter()
            .find_map(|e| match e {
                Effect::CreateClaim(d) if d.name == launched.claim => d.expected.as_ref(),
                _ => None,
            })
            .map_or_else(
                || "nothing".to_owned(),
                |e| place(&e.instance_type, &e.zone, e.capacity_type.as_str()),
            );
        let purchase = Purchase {
            claim: launched.claim.clone(),
            predicted,
            arrived: place(
                &launched.instance_type,
                &launched.zone,
                launched.capacity_type.as_str(),
            ),
        };
        let pods: Vec<Name> = match &decision.evidence {
            Evidence::Provisioning(e) => e
                .claims
                .iter()
                .filter(|c| c.claim == launched.claim)
                .flat_map(|c| c.pods.iter().cloned())
                .collect(),
            _ => Vec::new(),
        };
        let price: UsdPerHour = launched.price_per_hour;
        self.gate.guards().bought(&purchase, &pods, price, now);
    }

    /// A decision begins.
    pub(super) fn guard_begun(&mut self, decision: &Decision, now: Timestamp) {
        if !matches!(decision.evidence, Evidence::Disruption(_)) {
            return;
        }
        let snapshot = self.snapshot();
        let fleet = Fleet {
            fingerprint: fingerprint(&snapshot),
            ..Fleet::default()
        };
        self.gate.guards().begun(decision, &fleet, now);
    }
}
