//! The loop itself.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use super::handle::Desk;
use super::progress::Acting;
use crate::act::Actor;
use crate::clock::Clock;
pub(super) use crate::clock::after;
use crate::cloud::CloudRead;
use crate::decide::{Dirty, Settings, disruption, lifecycle, scheduling};
use crate::gate::{Command, Gate, Lead, Mode, Seat, Supervision};
use crate::ledger::{Body, Book, Cause, View};
use crate::model::decision::{DecisionId, Effect, EffectResult, WriteClass};
use crate::model::{Delta, Name, Snapshot};
use crate::observe::{CloudWatch, Objects, Observer, merge_resolved};

/// What an engine is built from.
pub struct Parts {
    pub clock: Clock,
    pub observer: Observer,
    pub cloud: CloudWatch<Rc<dyn CloudRead>>,
    /// Supervision left by an earlier run, and objects shown as YAML.
    pub objects: Objects,
    /// Builds the writing halves when the mode allows writing; never called in observe. `None`: this run can only
    /// observe.
    pub actor: Option<Box<dyn Fn() -> Actor>>,
    pub book: Book,
    pub desk: Desk,
    pub settings: Settings,
    pub supervision: Supervision,
    pub source: Name,
    pub region: Name,
    /// Simulated end of the run.
    pub until: Option<Timestamp>,
    /// Speed knob of the embedded world; `None` on a real cluster.
    pub speed: Option<Arc<AtomicU32>>,
    /// The embedded world as a person may play with it; `None` on a real cluster.
    pub stage: Option<Box<dyn super::Stage>>,
    /// Somebody looks: keep the view's clock ticking.
    pub watched: bool,
    /// The place in an election: nothing is written before it is won. `None` leads alone.
    pub seat: Option<Seat>,
}

/// State of the loop. Everything about the cluster is in the view's snapshot; everything that decisions remember
/// is in the three memories.
pub struct Engine {
    pub(super) clock: Clock,
    pub(super) settings: Settings,
    pub(super) objects: Objects,
    pub(super) book: Book,
    pub(super) gate: Gate,
    pub(super) actor: Option<Rc<Actor>>,
    pub(super) scheduling: scheduling::Memory,
    pub(super) lifecycle: lifecycle::Memory,
    pub(super) disruption: disruption::Memory,
    pub(super) dirty: Dirty,
    pub(super) force: Option<disruption::Force>,
    pub(super) next_id: u64,
    /// Decisions whose effects are under way or whose outcome is awaited.
    pub(super) acting: BTreeMap<DecisionId, Acting>,
    /// Keys of effects under way.
    pub(super) under_way: BTreeSet<String>,
    /// Keys of effects just done: not repeated until their result must have been seen.
    pub(super) cooling: BTreeMap<String, (Timestamp, Effect)>,
    /// What was carried out lately, so that an effect without effect is noticed.
    pub(super) repeats: BTreeMap<String, super::carry::Repeat>,
    pub(super) results: mpsc::UnboundedSender<Report>,
    /// When each open decision was last re-validated.
    pub(super) checked: BTreeMap<DecisionId, Timestamp>,
    pub(super) wake_at: Option<Timestamp>,
    pub(super) synced: bool,
    pub(super) speed: Option<Arc<AtomicU32>>,
    pub(super) quit: bool,
    /// The pictures that the latest decisions with new machines were made from.
    pub(super) decided_on: BTreeMap<DecisionId, Snapshot>,
    /// Questions asked so far that need planning.
    pub(super) studies: Arc<AtomicU64>,
    pub(super) stage: Option<Box<dyn super::Stage>>,
    /// Drains that people ordered, by node.
    pub(super) drains: BTreeMap<Name, super::manual::Drain>,
    pub(super) make_actor: Option<Box<dyn Fn() -> Actor>>,
    /// Tells the elector how this engine may act.
    mode_out: Option<watch::Sender<Mode>>,
    watched: bool,
    pub(super) proven: super::floor::Proven,
}

/// What a task of `carry` tells.
#[derive(Debug)]
pub(super) enum Report {
    Effect {
        id: Option<DecisionId>,
        class: WriteClass,
        effect: Effect,
        result: EffectResult,
    },
    /// All effects of a decision were tried; `Some` says why the rest was given up.
    Finished { id: DecisionId, failed: Option<String> },
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    pub view: View,
    pub ledger_hash: String,
    /// What closing the recording gave.
    pub recording: std::io::Result<()>,
}

enum Happened {
    Command(Name, Command),
    Query(super::Query, tokio::sync::oneshot::Sender<super::Answer>),
    Report(Report),
    Observed(Vec<Delta>),
    Cloud(Vec<Delta>),
    Lead(Lead),
    Timer,
}

/// After an effect, its own watch events must have arrived before anything is decided: the settle time of a
/// watch, twice.
const SETTLE: Duration = Duration::from_millis(2);

impl Engine {
    /// Runs until told to quit or until the end of simulated time. Call inside a `LocalSet`.
    pub async fn run(parts: Parts) -> Ended {
        let Parts {
            mut observer,
            mut cloud,
            mut desk,
            until,
            ..
        } = parts;
        let (results, mut reports) = mpsc::unbounded_channel();
        let (mut election, mode_out) = match parts.seat {
            Some(Seat { lead, mode }) => (Some(lead), Some(mode)),
            None => (None, None),
        };
        let mut engine = Self {
            clock: parts.clock,
            settings: parts.settings,
            objects: parts.objects,
            book: parts.book,
            gate: Gate::new(parts.supervision),
            actor: None,
            scheduling: scheduling::Memory::default(),
            lifecycle: lifecycle::Memory::default(),
            disruption: disruption::Memory::default(),
            dirty: Dirty {
                all: true,
                ..Dirty::default()
            },
            force: None,
            next_id: 1,
            acting: BTreeMap::new(),
            under_way: BTreeSet::new(),
            cooling: BTreeMap::new(),
            repeats: BTreeMap::new(),
            results,
            checked: BTreeMap::new(),
            wake_at: None,
            synced: false,
            speed: parts.speed,
            quit: false,
            decided_on: BTreeMap::new(),
            studies: Arc::default(),
            stage: parts.stage,
            drains: BTreeMap::new(),
            make_actor: parts.actor,
            mode_out,
            watched: parts.watched,
            proven: super::floor::Proven::default(),
        };
        engine.start(parts.source, parts.region).await;
        engine.publish(&desk);
        // The cluster's kinds were all listed; the cloud has answered for every class.
        let mut synced = (false, false);
        while !engine.quit && until.is_none_or(|t| engine.clock.now() < t) {
            let wake = engine.next_wake(until);
            let clock = engine.clock;
            let snapshot = engine.snapshot();
            let happened = tokio::select! {
                biased;
                Some((who, command)) = desk.commands.recv() => Happened::Command(who, command),
                Some((query, reply)) = desk.queries.recv() => Happened::Query(query, reply),
                Some(report) = reports.recv() => Happened::Report(report),
                batch = observer.next() => {
                    synced.0 = batch.synced;
                    engine.book.view_mut().host.disconnected = batch.disconnected_since;
                    let now = engine.clock.now();
                    engine.gate.guards().connection(batch.disconnected_since, now);
                    Happened::Observed(batch.deltas)
                }
                batch = cloud.next(&snapshot) => {
                    synced.1 |= batch.synced;
                    Happened::Cloud(batch.deltas)
                }
                lead = super::lead::news(&mut election) => Happened::Lead(lead),
                () = clock.sleep_until(wake) => Happened::Timer,
            };
            match happened {
                Happened::Lead(lead) => engine.lead_is(lead).await,
                other => engine.take(other),
            }
            engine.now_synced(synced);
            // Whatever else is already there belongs to the same instant.
            while let Ok(report) = reports.try_recv() {
                engine.take(Happened::Report(report));
            }
            if engine.watched {
                // Whatever happened, time has passed: the clock on the screen never waits for a timer.
                let now = engine.clock.now();
                engine.book.view_mut().advance(now);
            }
            engine.publish(&desk);
        }
        let now = engine.clock.now();
        engine.book.view_mut().advance(now);
        engine.publish(&desk);
        let ledger_hash = engine.book.ledger_hash();
        Ended {
            view: engine.book.view().clone(),
            ledger_hash,
            recording: engine.book.close(),
        }
    }

    /// From here on decisions are made: every kind was listed, and every class was looked up or took too long.
    fn now_synced(&mut self, (cluster, cloud): (bool, bool)) {
        if self.synced || !cluster || !cloud {
            return;
        }
        let view = self.book.view();
        let late = self.clock.now() >= after(view.started, LOOK_UP_WITHIN);
        if late || view.snapshot.classes.values().all(|c| c.resolved.is_some()) {
            self.synced = true;
            self.book.view_mut().host.synced = true;
            self.dirty.all = true;
            self.wake_at = Some(self.clock.now());
        }
    }

    async fn start(&mut self, source: Name, region: Name) {
        self.restore().await;
        if self.mode_out.is_some() {
            self.gate.follow(Some(Name::default()));
        }
        self.sync_actor();
        let now = self.clock.now();
        let policies = self.gate.policies().clone();
        self.book.append(
            now,
            Cause::Engine,
            Body::Started {
                source,
                region,
                policies,
            },
        );
        if self.gate.pauses().any() {
            self.record_supervision(Cause::Engine);
        }
        let speed = self.speed.as_ref().map(|s| s.load(Ordering::Relaxed));
        let host = &mut self.book.view_mut().host;
        host.speed = speed;
        host.demo = speed.is_some();
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.book.view().snapshot.clone()
    }

    /// Builds the writing halves when mode and lease allow writing, and drops them when they do not.
    pub(super) fn sync_actor(&mut self) {
        let mode = self.gate.policies().mode;
        if let Some(out) = &self.mode_out {
            out.send_if_modified(|known| std::mem::replace(known, mode) != mode);
        }
        let writes = self.gate.may_write().is_ok();
        match (&self.actor, writes) {
            (None, true) => self.actor = self.make_actor.as_ref().map(|make| Rc::new(make())),
            (Some(_), false) => self.actor = None,
            _ => {}
        }
    }

    /// Simulated seconds a second of the wall.
    pub(super) fn pace(&self) -> u32 {
        let speed = self.speed.as_ref().map_or(1, |s| s.load(Ordering::Relaxed));
        speed.clamp(1, 3600)
    }

    fn next_wake(&self, until: Option<Timestamp>) -> Timestamp {
        let now = self.clock.now();
        // A watched clock ticks four times a second of the wall.
        let tick = self
            .watched
            .then(|| after(now, Duration::from_millis(250) * self.pace()));
        [self.wake_at, self.gate.wake_at(), until, tick]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(after(now, DAY))
    }

    fn take(&mut self, happened: Happened) {
        match happened {
            Happened::Command(who, command) => {
                self.obey(&who, command);
                self.pass();
            }
            Happened::Query(query, reply) => self.answer(query, reply),
            Happened::Report(report) => {
                self.report(report);
                self.wake_at = self
                    .wake_at
                    .min(Some(after(self.clock.now(), SETTLE)))
                    .or(Some(after(self.clock.now(), SETTLE)));
            }
            Happened::Observed(deltas) | Happened::Cloud(deltas) => {
                self.observed(deltas);
                self.pass();
            }
            // Needs to wait for the cluster: `lead_is` has it.
            Happened::Lead(_) => {}
            Happened::Timer => {
                let now = self.clock.now();
                self.book.view_mut().advance(now);
                if self.watched {
                    self.follow_floor(now);
                }
                self.follow_progress();
                if self.wake_at.is_some_and(|t| t <= now) || self.gate.wake_at().is_some_and(|t| t <= now) {
                    self.pass();
                }
            }
        }
    }

    fn observed(&mut self, mut deltas: Vec<Delta>) {
        if deltas.is_empty() {
            return;
        }
        merge_resolved(&self.book.view().snapshot, &mut deltas);
        for delta in &deltas {
            self.mark(delta);
        }
        let now = self.clock.now();
        self.book.append(now, Cause::Outside, Body::Observed { deltas });
        self.follow_progress();
    }

    fn mark(&mut self, delta: &Delta) {
        let dirty = &mut self.dirty;
        match delta {
            Delta::Pod(row) => {
                dirty.pods.insert(row.key());
                if row.node.is_some() || row.deleting.is_some() {
                    self.gate.guards().progress(&row.key());
                }
                dirty.nodes.extend(row.node.clone());
            }
            Delta::PodGone(key) => {
                self.gate.guards().progress(key);
                dirty.pods.insert(key.clone());
                dirty.nodes.extend(
                    self.book
                        .view()
                        .snapshot
                        .pods
                        .get(key)
                        .and_then(|p| p.node.clone()),
                );
            }
            Delta::Node(row) => drop(dirty.nodes.insert(row.name.clone())),
            Delta::NodeGone(name) => drop(dirty.nodes.insert(name.clone())),
            Delta::Claim(row) => drop(dirty.claims.insert(row.name.clone())),
            Delta::ClaimGone(name) => drop(dirty.claims.insert(name.clone())),
            Delta::Pool(row) => drop(dirty.pools.insert(row.name.clone())),
            Delta::PoolGone(name) => drop(dirty.pools.insert(name.clone())),
            Delta::Class(row) => drop(dirty.classes.insert(row.name.clone())),
            Delta::ClassGone(name) => drop(dirty.classes.insert(name.clone())),
            Delta::Instance(row) => self.mark_machine(&row.provider_id.clone()),
            Delta::InstanceGone(id) => self.mark_machine(&id.clone()),
            Delta::Notice(row) => self.mark_machine(&row.provider_id.clone()),
            Delta::Attachment(row) => drop(dirty.nodes.insert(row.node.clone())),
            Delta::AttachmentGone(_) => dirty.all = true,
            _ => {}
        }
    }

    fn mark_machine(&mut self, provider_id: &str) {
        let snapshot = &self.book.view().snapshot;
        let claim = snapshot.claim_of(provider_id).map(|c| c.name.clone());
        let node = snapshot.node_of(provider_id).map(|n| n.name.clone());
        self.dirty.claims.extend(claim);
        self.dirty.nodes.extend(node);
    }

    fn publish(&mut self, desk: &Desk) {
        desk.view.store(Arc::new(self.book.view().clone()));
        desk.changed.send_modify(|n| *n += 1);
    }
}

/// A node class that the cloud does not answer for holds nothing else up.
const LOOK_UP_WITHIN: Duration = Duration::from_secs(10);
const DAY: Duration = Duration::from_secs(86_400);
