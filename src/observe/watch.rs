//! One watch a kind; what they report becomes batches of deltas in the order of the writes (decisions §2).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use kube::Client;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Projector;
use super::kinds::{self, Kind};
use super::rows::Rows;
use crate::clock::Clock;
use crate::model::{Delta, Name};

/// After the first delta, wait this long: the clock of the embedded world only moves when nothing can run, so every
/// watch has delivered by then.
const SETTLE: Duration = Duration::from_millis(1);

/// Why a kind cannot be watched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum WatchProblem {
    /// RBAC forbids it; asked again now and then.
    #[error("may not list or watch {kind}: {message}")]
    Forbidden { kind: &'static str, message: String },
    /// The API server does not know the kind: its definition is not installed.
    #[error("the API server has no {kind}: install the custom resource definitions (`kerf manifests crds`)")]
    Missing { kind: &'static str },
    /// Anything else, the connection most of all; asked again.
    #[error("watching {kind} fails: {message}")]
    Failing {
        kind: &'static str,
        since: Timestamp,
        message: String,
    },
}

/// What changed since the last batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// In the order of their writes.
    pub deltas: Vec<Delta>,
    /// Every kind was listed once.
    pub synced: bool,
    /// Since when at least one watch has no connection.
    pub disconnected_since: Option<Timestamp>,
    /// Kinds that cannot be watched now, by name.
    pub problems: Vec<WatchProblem>,
}

/// What a watch task reports.
#[derive(Debug)]
pub(super) enum Report {
    /// Row as of a resource version.
    Row {
        version: u64,
        delta: Delta,
    },
    /// Deleted: kind and key, as of a version.
    Gone {
        version: u64,
        kind: Kind,
        key: Name,
    },
    /// A complete list: every other row of the kind has vanished.
    Listed {
        kind: Kind,
        rows: Vec<(u64, Delta)>,
    },
    Broken(Kind, WatchProblem),
    Working(Kind),
}

/// Watches everything that decisions read. Dropping it ends the watches.
#[derive(Debug)]
pub struct Observer {
    reports: mpsc::UnboundedReceiver<Report>,
    tasks: Vec<JoinHandle<()>>,
    pending: Vec<Report>,
    settled_at: Option<Timestamp>,
    clock: Clock,
    rows: Rows,
    listed: BTreeSet<Kind>,
    /// Kinds that are not watched.
    without: Vec<Kind>,
    problems: BTreeMap<Kind, WatchProblem>,
    /// (synced, problems) as last told.
    told: Option<(bool, Vec<WatchProblem>)>,
}

impl Drop for Observer {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Observer {
    /// Starts the watches on the current runtime. The client should refuse to write. `ca_bundle` enters the hash of
    /// node classes. `without`: kinds that nothing asks for, since their feature gate is off.
    pub fn start_with(client: &Client, clock: Clock, ca_bundle: &str, without: &[Kind]) -> Self {
        let (sender, reports) = mpsc::unbounded_channel();
        let projector = Arc::new(Mutex::new(Projector::new(ca_bundle)));
        let tasks = kinds::spawn_all(client, clock, &projector, &sender, without);
        Self {
            reports,
            tasks,
            pending: Vec::new(),
            settled_at: None,
            clock,
            rows: Rows::default(),
            listed: BTreeSet::new(),
            without: without.to_vec(),
            problems: BTreeMap::new(),
            told: None,
        }
    }

    /// [`Self::start_with`] without a CA bundle, watching everything.
    pub fn start(client: &Client, clock: Clock) -> Self {
        Self::start_with(client, clock, "", &[])
    }

    /// The next batch that says something new. Cancel-safe: nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Batch {
        loop {
            if self.pending.is_empty() {
                match self.reports.recv().await {
                    Some(report) => self.pending.push(report),
                    // Only when every task ended, which they do not.
                    None => std::future::pending().await,
                }
            }
            let settled_at = self.clock.now() + SETTLE;
            let until = *self.settled_at.get_or_insert(settled_at);
            self.clock.sleep_until(until).await;
            self.settled_at = None;
            while let Ok(report) = self.reports.try_recv() {
                self.pending.push(report);
            }
            if let Some(batch) = self.settle() {
                return batch;
            }
        }
    }

    /// Keeps the instant of the first failure in a row.
    fn broken(&mut self, kind: Kind, mut problem: WatchProblem) {
        if let WatchProblem::Failing { since, .. } = &mut problem
            && let Some(WatchProblem::Failing { since: first, .. }) = self.problems.get(&kind)
        {
            *since = *first;
        }
        self.problems.insert(kind, problem);
    }

    fn settle(&mut self) -> Option<Batch> {
        let mut changes: Vec<(u64, Delta)> = Vec::new();
        for report in std::mem::take(&mut self.pending) {
            match report {
                Report::Row { version, delta } => {
                    if let Some((kind, key)) = kinds::key_of(&delta) {
                        self.rows.seen(kind, &key, version);
                        changes.push((version, delta));
                    }
                }
                Report::Gone { version, kind, key } => {
                    self.rows.gone(kind, &key, version);
                    changes.push((version, kinds::gone(kind, key)));
                }
                Report::Listed { kind, rows } => {
                    let keys = rows
                        .iter()
                        .filter_map(|(version, delta)| Some((kinds::key_of(delta)?.1, *version)))
                        .collect();
                    let vanished = self.rows.listed(kind, keys);
                    changes.extend(
                        vanished
                            .into_iter()
                            .map(|(key, version)| (version, kinds::gone(kind, key))),
                    );
                    changes.extend(rows);
                    self.listed.insert(kind);
                    self.problems.remove(&kind);
                }
                Report::Broken(kind, problem) => self.broken(kind, problem),
                Report::Working(kind) => {
                    self.problems.remove(&kind);
                }
            }
        }
        changes.sort_by(|(a, x), (b, y)| (a, kinds::key_of(x)).cmp(&(b, kinds::key_of(y))));
        let deltas: Vec<Delta> = changes
            .into_iter()
            .filter_map(|(_, delta)| self.rows.changes(&delta).then_some(delta))
            .collect();
        let state = (
            self.listed.len() + self.without.len() == Kind::ALL.len(),
            self.problems.values().cloned().collect::<Vec<_>>(),
        );
        if deltas.is_empty() && self.told.as_ref() == Some(&state) {
            return None;
        }
        self.told = Some(state.clone());
        let disconnected_since = state
            .1
            .iter()
            .filter_map(|p| match p {
                WatchProblem::Failing { since, .. } => Some(*since),
                _ => None,
            })
            .min();
        Some(Batch {
            deltas,
            synced: state.0,
            disconnected_since,
            problems: state.1,
        })
    }
}
