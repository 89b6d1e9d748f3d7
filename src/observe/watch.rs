//! Watches on every kind that decisions read, settled into batches (decisions §2).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use kube::runtime::watcher::{self, Event};
use kube::{Api, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::known::{Watched, is_known};
use super::project::{self, Interner};
use super::slim;
use crate::clock::Clock;
use crate::model::resources::BadQuantity;
use crate::model::{Delta, Name, Snapshot};

/// The clock moves only when nothing is runnable: after this, every watch has delivered.
const SETTLE: SignedDuration = SignedDuration::from_millis(1);
/// Between two tries of a watch that the API server refused.
const RETRY: Duration = Duration::from_secs(1);
const PAGE: u32 = 500;

/// Rows that changed together.
#[derive(Debug, Default)]
pub struct Batch {
    /// By resourceVersion, then kind, then name; at most one a row.
    pub deltas: Vec<Delta>,
    /// Every kind was listed at least once.
    pub synced: bool,
    /// Since when some watch has been failing.
    pub disconnected_since: Option<Timestamp>,
}

/// All watches of one cluster.
#[derive(Debug)]
pub struct Observer {
    clock: Clock,
    inbox: UnboundedReceiver<Message>,
    pending: Vec<Message>,
    settled_at: Option<Timestamp>,
    /// Rows as last delivered.
    known: Snapshot,
    listed: BTreeSet<Watched>,
    /// Keys seen so far in a list that is under way.
    listing: BTreeMap<Watched, BTreeSet<Name>>,
    failing: BTreeMap<Watched, Timestamp>,
}

#[derive(Debug)]
struct Message {
    kind: Watched,
    what: What,
}

#[derive(Debug)]
enum What {
    ListBegins,
    ListEnds,
    Row {
        version: u64,
        key: Name,
        delta: Delta,
        listed: bool,
    },
    Failed {
        at: Timestamp,
    },
    /// The kind is not served here: no rows of it will ever come.
    Absent,
}

impl Observer {
    /// Starts one task a kind on the current runtime.
    pub fn start(client: &kube::Client, clock: Clock) -> Self {
        let (outbox, inbox) = unbounded_channel();
        let ends = (client, clock, &outbox);
        spawn::<slim::Namespace>(ends, Watched::Namespace, |o, _| {
            Ok(Delta::Namespace(Arc::new(project::namespace_row(o))))
        });
        spawn::<slim::StorageClass>(ends, Watched::StorageClass, |o, _| {
            Ok(Delta::StorageClass(Arc::new(project::storage_class(o))))
        });
        spawn::<slim::Volume>(ends, Watched::Volume, |o, _| {
            Ok(Delta::Volume(Arc::new(project::volume(o))))
        });
        spawn::<slim::VolumeClaim>(ends, Watched::VolumeClaim, |o, _| {
            Ok(Delta::VolumeClaim(Arc::new(project::volume_claim(o))))
        });
        spawn::<slim::CsiNode>(ends, Watched::CsiNode, |o, _| {
            Ok(Delta::CsiNode(Arc::new(project::csi_node(o))))
        });
        spawn::<slim::Attachment>(ends, Watched::Attachment, |o, _| {
            Ok(Delta::Attachment(Arc::new(project::attachment(o))))
        });
        spawn::<slim::Pdb>(ends, Watched::Pdb, |o, _| {
            Ok(Delta::Pdb(Arc::new(project::pdb(o))))
        });
        spawn::<slim::NodeClass>(ends, Watched::Class, |o, _| {
            Ok(Delta::Class(Arc::new(project::class(o))))
        });
        spawn::<slim::NodePool>(ends, Watched::Pool, |o, _| {
            Ok(Delta::Pool(Arc::new(project::pool(o)?)))
        });
        spawn::<slim::DaemonSet>(ends, Watched::Daemon, |o, _| {
            Ok(Delta::Daemon(Arc::new(project::daemon(o)?)))
        });
        spawn::<slim::NodeClaim>(ends, Watched::Claim, |o, _| {
            Ok(Delta::Claim(Arc::new(project::claim(o)?)))
        });
        spawn::<slim::Node>(ends, Watched::Node, |o, _| {
            Ok(Delta::Node(Arc::new(project::node(o)?)))
        });
        spawn::<slim::Pod>(ends, Watched::Pod, |o, i| {
            Ok(Delta::Pod(Arc::new(project::pod(o, i)?)))
        });
        Self {
            clock,
            inbox,
            pending: Vec::new(),
            settled_at: None,
            known: Snapshot::default(),
            listed: BTreeSet::new(),
            listing: BTreeMap::new(),
            failing: BTreeMap::new(),
        }
    }

    /// The next settled batch. Cancel-safe: what was received stays for the next call.
    pub async fn next(&mut self) -> Batch {
        if self.pending.is_empty() {
            match self.inbox.recv().await {
                Some(message) => self.pending.push(message),
                // All watches ended with the runtime; nothing more will come.
                None => return std::future::pending().await,
            }
        }
        let until = *self
            .settled_at
            .get_or_insert_with(|| self.clock.now().checked_add(SETTLE).unwrap_or(Timestamp::MAX));
        self.clock.sleep_until(until).await;
        self.settled_at = None;
        while let Ok(message) = self.inbox.try_recv() {
            self.pending.push(message);
        }
        self.settle()
    }

    fn settle(&mut self) -> Batch {
        let mut rows: BTreeMap<(Watched, Name), (u64, Delta)> = BTreeMap::new();
        for Message { kind, what } in std::mem::take(&mut self.pending) {
            match what {
                What::ListBegins => drop(self.listing.insert(kind, BTreeSet::new())),
                What::Row {
                    version,
                    key,
                    delta,
                    listed,
                } => {
                    self.failing.remove(&kind);
                    if listed && let Some(seen) = self.listing.get_mut(&kind) {
                        seen.insert(key.clone());
                    }
                    rows.insert((kind, key), (version, delta));
                }
                What::ListEnds => {
                    self.failing.remove(&kind);
                    let seen = self.listing.remove(&kind).unwrap_or_default();
                    for key in kind.keys(&self.known).into_iter().filter(|k| !seen.contains(k)) {
                        rows.insert((kind, key.clone()), (0, kind.gone(key)));
                    }
                    self.listed.insert(kind);
                }
                What::Failed { at } => drop(self.failing.entry(kind).or_insert(at)),
                What::Absent => drop(self.listed.insert(kind)),
            }
        }
        let mut changed: Vec<(u64, Watched, Name, Delta)> = rows
            .into_iter()
            .filter(|((_, key), (_, delta))| !is_known(&self.known, key, delta))
            .map(|((kind, key), (version, delta))| (version, kind, key, delta))
            .collect();
        changed.sort_by(|a, b| (a.0, a.1, &a.2).cmp(&(b.0, b.1, &b.2)));
        let deltas: Vec<Delta> = changed.into_iter().map(|(_, _, _, delta)| delta).collect();
        self.known.apply(&deltas);
        Batch {
            deltas,
            synced: self.listed.len() == Watched::ALL.len(),
            disconnected_since: self.failing.values().min().copied(),
        }
    }
}

type Ends<'a> = (&'a kube::Client, Clock, &'a UnboundedSender<Message>);

fn spawn<K>(
    (client, clock, outbox): Ends<'_>,
    kind: Watched,
    project: fn(&K, &mut Interner) -> Result<Delta, BadQuantity>,
) where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let (api, outbox) = (Api::<K>::all(client.clone()), outbox.clone());
    tokio::spawn(watch(api, clock, outbox, kind, project));
}

/// Follows one kind until the observer is dropped.
async fn watch<K>(
    api: Api<K>,
    clock: Clock,
    outbox: UnboundedSender<Message>,
    kind: Watched,
    project: fn(&K, &mut Interner) -> Result<Delta, BadQuantity>,
) where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let mut interner = Interner::default();
    let mut events = std::pin::pin!(watcher::watcher(api, watcher::Config::default().page_size(PAGE)));
    while let Some(event) = events.next().await {
        let row = |object: &K, interner: &mut Interner, listed: bool| match project(object, interner) {
            Ok(delta) => Some(What::Row {
                version: version(object),
                key: key(object),
                delta,
                listed,
            }),
            Err(error) => {
                // The API server lets no such quantity in; a row that cannot be read keeps its last state.
                tracing::warn!(object = %key(object), %error, "left out");
                None
            }
        };
        let what = match event {
            Ok(Event::Init) => Some(What::ListBegins),
            Ok(Event::InitApply(object)) => row(&object, &mut interner, true),
            Ok(Event::InitDone) => Some(What::ListEnds),
            Ok(Event::Apply(object)) => row(&object, &mut interner, false),
            Ok(Event::Delete(object)) => {
                let key = key(&object);
                let delta = kind.gone(key.clone());
                Some(What::Row {
                    version: version(&object),
                    key,
                    delta,
                    listed: false,
                })
            }
            Err(error) => {
                let absent = is_absent(&error);
                if absent {
                    tracing::debug!(?kind, "not served by this cluster");
                } else {
                    tracing::warn!(?kind, %error, "the watch failed and is tried again");
                }
                let what = if absent {
                    What::Absent
                } else {
                    What::Failed { at: clock.now() }
                };
                if outbox.send(Message { kind, what }).is_err() {
                    return;
                }
                clock.sleep(if absent { RETRY * 30 } else { RETRY }).await;
                None
            }
        };
        if let Some(what) = what
            && outbox.send(Message { kind, what }).is_err()
        {
            return;
        }
    }
}

/// A kind that this API server does not know.
fn is_absent(error: &watcher::Error) -> bool {
    use kube::Error::Api;
    matches!(
        error,
        watcher::Error::InitialListFailed(Api(s)) | watcher::Error::WatchStartFailed(Api(s)) if s.code == 404
    )
}

fn version<K: Resource>(object: &K) -> u64 {
    object
        .meta()
        .resource_version
        .as_deref()
        .and_then(|v| v.parse().ok())
        .unwrap_or(0)
}

fn key<K: Resource>(object: &K) -> Name {
    let name = object.name_any();
    object.namespace().map_or_else(
        || name.as_str().into(),
        |ns| crate::model::pod::pod_key(&ns, &name),
    )
}
