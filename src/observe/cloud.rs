//! What the cloud port reports, as deltas: resolved classes, catalogues, instances, interruption notices.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch};

use crate::clock::Clock;
use crate::cloud::CloudRead;
use crate::model::snapshot::{Instance, OfferingChange};
use crate::model::{Catalogue, Delta, Name, NodeClass, Snapshot};

/// How often the cheap signs are looked at: the port's revision and its notices.
const TICK: Duration = Duration::from_millis(500);
/// How often a class and its catalogue are read anew without a sign (`aws §1`).
const REFRESH: SignedDuration = SignedDuration::from_mins(5);
/// How often instances are listed.
const LIST: SignedDuration = SignedDuration::from_secs(10);

/// A task that polls the cloud, and the engine's end of it.
#[derive(Debug)]
pub struct CloudWatch {
    classes: watch::Sender<Vec<Arc<NodeClass>>>,
    deltas: mpsc::UnboundedReceiver<Vec<Delta>>,
}

impl CloudWatch {
    /// Starts polling on the current `LocalSet`.
    pub fn start(cloud: Rc<dyn CloudRead>, clock: Clock) -> Self {
        let (classes, seen) = watch::channel(Vec::new());
        let (outbox, deltas) = mpsc::unbounded_channel();
        let poller = Poller {
            cloud,
            clock,
            seen,
            outbox,
            known: BTreeMap::new(),
            instances: BTreeMap::new(),
            listed: None,
        };
        tokio::task::spawn_local(poller.run());
        Self { classes, deltas }
    }

    /// Which node classes there are now.
    pub fn tell(&self, snapshot: &Snapshot) {
        let now: Vec<_> = snapshot.classes.values().cloned().collect();
        self.classes.send_if_modified(|old| {
            let same = old.len() == now.len()
                && old
                    .iter()
                    .zip(&now)
                    .all(|(a, b)| a.uid == b.uid && a.generation == b.generation);
            if !same {
                *old = now;
            }
            !same
        });
    }

    /// The next report; cancel-safe.
    pub async fn next(&mut self) -> Vec<Delta> {
        match self.deltas.recv().await {
            Some(deltas) => deltas,
            None => std::future::pending().await,
        }
    }
}

/// A watched class row knows nothing of the cloud; what was resolved for the same object is kept.
pub fn keep_resolved(snapshot: &Snapshot, deltas: &mut [Delta]) {
    for delta in deltas {
        if let Delta::Class(row) = delta
            && row.resolved.is_none()
            && let Some(old) = snapshot
                .classes
                .get(&row.name)
                .filter(|o| o.uid == row.uid && o.resolved.is_some())
        {
            let mut merged = (**row).clone();
            merged.resolved.clone_from(&old.resolved);
            *row = Arc::new(merged);
        }
    }
}

struct Poller {
    cloud: Rc<dyn CloudRead>,
    clock: Clock,
    seen: watch::Receiver<Vec<Arc<NodeClass>>>,
    outbox: mpsc::UnboundedSender<Vec<Delta>>,
    known: BTreeMap<Name, Known>,
    instances: BTreeMap<Name, Arc<Instance>>,
    listed: Option<Timestamp>,
}

/// What was last read for a class.
struct Known {
    generation: i64,
    revision: u64,
    at: Timestamp,
    row: Arc<NodeClass>,
    catalogue: Option<Arc<Catalogue>>,
}

fn due(last: Timestamp, every: SignedDuration, now: Timestamp) -> bool {
    now.duration_since(last) >= every
}

impl Poller {
    async fn run(mut self) {
        loop {
            let mut deltas = Vec::new();
            self.classes(&mut deltas).await;
            if self.listed.is_none_or(|t| due(t, LIST, self.clock.now())) {
                self.list(&mut deltas).await;
                self.listed = Some(self.clock.now());
            }
            match self.cloud.notices().await {
                Ok(notices) => deltas.extend(notices.into_iter().map(|n| Delta::Notice(Arc::new(n)))),
                Err(error) => tracing::warn!(%error, "interruption notices could not be read"),
            }
            if !deltas.is_empty() && self.outbox.send(deltas).is_err() {
                return;
            }
            tokio::select! {
                biased;
                changed = self.seen.changed() => if changed.is_err() { return },
                () = self.clock.sleep(TICK) => {}
            }
        }
    }

    async fn classes(&mut self, deltas: &mut Vec<Delta>) {
        let classes = self.seen.borrow_and_update().clone();
        self.known
            .retain(|name, _| classes.iter().any(|c| c.name == *name));
        for class in classes {
            let (now, revision) = (self.clock.now(), self.cloud.revision());
            let fresh = self.known.get(&class.name).is_some_and(|k| {
                k.generation == class.generation
                    && k.row.uid == class.uid
                    && k.revision == revision
                    && !due(k.at, REFRESH, now)
            });
            if !fresh {
                self.refresh(&class, revision, deltas).await;
            }
        }
    }

    async fn refresh(&mut self, class: &Arc<NodeClass>, revision: u64, deltas: &mut Vec<Delta>) {
        let now = self.clock.now();
        let old = self.known.remove(&class.name);
        let mut row = (**class).clone();
        match self.cloud.resolve(class).await {
            Ok(resolved) => row.resolved = Some(resolved),
            Err(error) => {
                tracing::warn!(class = %class.name, %error, "the node class could not be resolved");
                row.resolved = old.as_ref().and_then(|k| k.row.resolved.clone());
            }
        }
        let row = Arc::new(row);
        if old.as_ref().is_none_or(|k| k.row.resolved != row.resolved) {
            deltas.push(Delta::Class(row.clone()));
        }
        let before = old.and_then(|k| k.catalogue);
        let catalogue = match self.cloud.catalogue(&row).await {
            Ok(catalogue) => Some(catalogue),
            Err(error) => {
                tracing::warn!(class = %class.name, %error, "instance types could not be read; the last ones stay");
                before.clone()
            }
        };
        if let Some(new) = &catalogue {
            deltas.extend(difference(&class.name, before.as_deref(), new));
        }
        let known = Known {
            generation: class.generation,
            revision,
            at: now,
            row,
            catalogue,
        };
        self.known.insert(class.name.clone(), known);
    }

    async fn list(&mut self, deltas: &mut Vec<Delta>) {
        let list = match self.cloud.list().await {
            Ok(list) => list,
            Err(error) => {
                tracing::warn!(%error, "instances could not be listed");
                return;
            }
        };
        let now: BTreeMap<Name, Arc<Instance>> = list
            .into_iter()
            .map(|i| (i.provider_id.clone(), Arc::new(i)))
            .collect();
        for (id, row) in &now {
            if self.instances.get(id) != Some(row) {
                deltas.push(Delta::Instance(row.clone()));
            }
        }
        for id in self.instances.keys().filter(|id| !now.contains_key(*id)) {
            deltas.push(Delta::InstanceGone(id.clone()));
        }
        self.instances = now;
    }
}

/// Nothing, the offerings that changed, or the whole catalogue when types themselves did.
fn difference(class: &Name, old: Option<&Catalogue>, new: &Arc<Catalogue>) -> Option<Delta> {
    let whole = || {
        Some(Delta::Catalogue {
            class: class.clone(),
            types: new.clone(),
        })
    };
    let Some(old) = old else { return whole() };
    if old.len() != new.len() {
        return whole();
    }
    let mut changes = Vec::new();
    for (a, b) in old.types().iter().zip(new.types()) {
        if Arc::ptr_eq(a, b) {
            continue;
        }
        let same = a.name == b.name
            && a.requirements == b.requirements
            && a.capacity == b.capacity
            && a.overhead == b.overhead
            && a.offerings.len() == b.offerings.len();
        if !same {
            return whole();
        }
        for (x, y) in a.offerings.iter().zip(&b.offerings) {
            if x.zone != y.zone || x.capacity_type != y.capacity_type || x.requirements != y.requirements {
                return whole();
            }
            if x.price != y.price || x.available != y.available {
                changes.push(OfferingChange {
                    instance_type: b.name.clone(),
                    zone: y.zone.clone(),
                    capacity_type: y.capacity_type,
                    price: y.price,
                    available: y.available,
                });
            }
        }
    }
    (!changes.is_empty()).then(|| Delta::Offerings {
        class: class.clone(),
        changes,
    })
}
