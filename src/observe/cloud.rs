//! Polls the reading half of the cloud port: what node classes mean, types with prices, instances and notices.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::{Clock, after};
use crate::cloud::CloudRead;
use crate::cloud::port::CloudError;
use crate::model::node_class::ResolvedClass;
use crate::model::snapshot::{Instance, Notice, OfferingChange};
use crate::model::{Catalogue, Delta, Name, NodeClass, Offering, Snapshot};

const CLASSES_EVERY: Duration = Duration::from_secs(300);
/// A class that failed is asked for again this much later.
const FAILED_AGAIN: Duration = Duration::from_secs(10);
const INSTANCES_EVERY: Duration = Duration::from_secs(10);
const NOTICES_EVERY: Duration = Duration::from_secs(1);

/// What the cloud said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CloudBatch {
    pub deltas: Vec<Delta>,
    /// Classes that could not be resolved, and calls that failed, with the reason.
    pub problems: BTreeMap<Name, CloudError>,
    /// Every class of the snapshot was answered for, and instances were listed once.
    pub synced: bool,
}

/// One round of calls that is due.
#[derive(Clone, Debug, Default)]
struct Round {
    classes: Vec<Arc<NodeClass>>,
    instances: bool,
    notices: bool,
    revision: u64,
}

type Answer<T> = Result<T, CloudError>;

/// What a class resolves to: its status, and the types it may use.
type Resolution = (Arc<ResolvedClass>, Arc<Catalogue>);

/// What a round brought.
#[derive(Default)]
struct Answers {
    classes: Vec<(Arc<NodeClass>, Answer<Resolution>)>,
    instances: Option<Answer<Vec<Instance>>>,
    notices: Option<Answer<Vec<Notice>>>,
    revision: u64,
}

/// When a class was last asked about, and in which state it was.
#[derive(Clone, Debug)]
struct Asked {
    uid: Name,
    hash: Name,
    generation: i64,
    again: Timestamp,
}

type InFlight = Pin<Box<dyn Future<Output = Answers>>>;

/// `P` is a shared pointer to the port, like `Rc<dyn CloudRead>`.
pub struct CloudWatch<P> {
    port: P,
    clock: Clock,
    asked: BTreeMap<Name, Asked>,
    revision: u64,
    instances_at: Timestamp,
    notices_at: Timestamp,
    listed: bool,
    in_flight: Option<InFlight>,
    problems: BTreeMap<Name, CloudError>,
    told: Option<(BTreeMap<Name, CloudError>, bool)>,
}

impl<P> std::fmt::Debug for CloudWatch<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CloudWatch")
            .field("asked", &self.asked)
            .finish_non_exhaustive()
    }
}

impl<P> CloudWatch<P>
where
    P: Deref + Clone + 'static,
    P::Target: CloudRead,
{
    pub fn new(port: P, clock: Clock) -> Self {
        let now = clock.now();
        Self {
            revision: port.revision(),
            port,
            clock,
            asked: BTreeMap::new(),
            instances_at: now,
            notices_at: now,
            listed: false,
            in_flight: None,
            problems: BTreeMap::new(),
            told: None,
        }
    }

    /// The next batch that says something new, compared with `snapshot`. Cancel-safe: calls under way go on in the
    /// next call, so it may be dropped whenever the snapshot changed.
    pub async fn next(&mut self, snapshot: &Snapshot) -> CloudBatch {
        loop {
            if self.in_flight.is_none() {
                let round = self.due(snapshot);
                if round.classes.is_empty() && !round.instances && !round.notices {
                    let again = self.asked.values().map(|a| a.again);
                    let until = again.chain([self.instances_at, self.notices_at]).min();
                    self.clock.sleep_until(until.unwrap_or(self.notices_at)).await;
                    continue;
                }
                self.in_flight = Some(Box::pin(ask(self.port.clone(), round)));
            }
            let answers = match self.in_flight.as_mut() {
                Some(calls) => calls.await,
                None => continue,
            };
            self.in_flight = None;
            let batch = self.read(snapshot, answers);
            let state = (batch.problems.clone(), batch.synced);
            if !batch.deltas.is_empty() || self.told.as_ref() != Some(&state) {
                self.told = Some(state);
                return batch;
            }
        }
    }

    fn due(&self, snapshot: &Snapshot) -> Round {
        let now = self.clock.now();
        let revision = self.port.revision();
        let stale = |class: &NodeClass| {
            self.asked.get(&class.name).is_none_or(|a| {
                revision != self.revision
                    || a.again <= now
                    || (&a.uid, &a.hash, a.generation) != (&class.uid, &class.hash, class.generation)
            })
        };
        Round {
            classes: snapshot.classes.values().filter(|c| stale(c)).cloned().collect(),
            instances: self.instances_at <= now,
            notices: self.notices_at <= now,
            revision,
        }
    }

    fn read(&mut self, snapshot: &Snapshot, answers: Answers) -> CloudBatch {
        let now = self.clock.now();
        let mut deltas = Vec::new();
        self.revision = answers.revision;
        self.asked.retain(|name, _| snapshot.classes.contains_key(name));
        self.problems
            .retain(|name, _| snapshot.classes.contains_key(name) || is_call(name));
        for (class, answer) in answers.classes {
            let wait = if answer.is_ok() {
                CLASSES_EVERY
            } else {
                FAILED_AGAIN
            };
            self.asked.insert(
                class.name.clone(),
                Asked {
                    uid: class.uid.clone(),
                    hash: class.hash.clone(),
                    generation: class.generation,
                    again: after(now, wait),
                },
            );
            // Gone or replaced meanwhile: the next round asks about what is there now.
            let Some(row) = snapshot.classes.get(&class.name).filter(|r| r.uid == class.uid) else {
                continue;
            };
            match answer {
                Ok((resolved, catalogue)) => {
                    self.problems.remove(&class.name);
                    deltas.extend(resolution(row, resolved));
                    deltas.extend(offerings(snapshot, &class.name, catalogue));
                }
                Err(error) => drop(self.problems.insert(class.name.clone(), error)),
            }
        }
        if let Some(answer) = answers.instances {
            self.instances_at = after(now, INSTANCES_EVERY);
            match answer {
                Ok(list) => {
                    self.listed = true;
                    self.problems.remove(LIST);
                    deltas.extend(instances(snapshot, list));
                }
                Err(error) => drop(self.problems.insert(LIST.into(), error)),
            }
        }
        if let Some(answer) = answers.notices {
            self.notices_at = after(now, NOTICES_EVERY);
            match answer {
                Ok(mut list) => {
                    self.problems.remove(NOTICES);
                    list.sort_by(|a, b| (&a.provider_id, a.at, a.kind).cmp(&(&b.provider_id, b.at, b.kind)));
                    deltas.extend(list.into_iter().map(|n| Delta::Notice(Arc::new(n))));
                }
                Err(error) => drop(self.problems.insert(NOTICES.into(), error)),
            }
        }
        CloudBatch {
            deltas,
            problems: self.problems.clone(),
            synced: self.listed && snapshot.classes.keys().all(|name| self.asked.contains_key(name)),
        }
    }
}

/// Names of calls in [`CloudBatch::problems`]; no class can have them.
const LIST: &str = "list instances/";
const NOTICES: &str = "notices/";

fn is_call(name: &str) -> bool {
    name.ends_with('/')
}

async fn ask<P>(port: P, round: Round) -> Answers
where
    P: Deref,
    P::Target: CloudRead,
{
    let mut out = Answers {
        revision: round.revision,
        ..Answers::default()
    };
    for class in round.classes {
        let answer = ask_class(&*port, &class).await;
        out.classes.push((class, answer));
    }
    if round.instances {
        out.instances = Some(port.list().await);
    }
    if round.notices {
        out.notices = Some(port.notices().await);
    }
    out
}

async fn ask_class<C: CloudRead + ?Sized>(port: &C, class: &NodeClass) -> Answer<Resolution> {
    let resolved = port.resolve(class).await?;
    let class = NodeClass {
        resolved: Some(resolved.clone()),
        ..class.clone()
    };
    Ok((resolved, port.catalogue(&class).await?))
}

/// The class row with what was resolved, unless only the number of free addresses moved.
fn resolution(row: &Arc<NodeClass>, resolved: Arc<ResolvedClass>) -> Option<Delta> {
    let same = row.resolved.as_ref().is_some_and(|known| {
        let still = |r: &ResolvedClass| {
            let mut r = r.clone();
            for subnet in &mut r.subnets {
                subnet.free = 0;
            }
            r
        };
        still(known) == still(&resolved)
    });
    (!same).then(|| {
        Delta::Class(Arc::new(NodeClass {
            resolved: Some(resolved),
            ..(**row).clone()
        }))
    })
}

/// Nothing, mere changes of price and availability, or the whole catalogue.
fn offerings(snapshot: &Snapshot, class: &Name, new: Arc<Catalogue>) -> Option<Delta> {
    let whole = |types: Arc<Catalogue>| {
        Some(Delta::Catalogue {
            class: class.clone(),
            types,
        })
    };
    let Some(known) = snapshot.catalogues.get(class) else {
        return whole(new);
    };
    if *known == new {
        return None;
    }
    let mut changes = Vec::new();
    for (old, new) in known.types().iter().zip(new.types()) {
        for (was, is) in old.offerings.iter().zip(&new.offerings) {
            let terms = |o: &Offering| (o.price, o.available, o.reservation_capacity);
            if terms(was) != terms(is) {
                changes.push(OfferingChange {
                    instance_type: new.name.clone(),
                    zone: is.zone.clone(),
                    capacity_type: is.capacity_type,
                    price: is.price,
                    available: is.available,
                    reservation: is.reservation().cloned(),
                    reservation_capacity: is.reservation_capacity,
                });
            }
        }
    }
    // Only if the changes alone lead to the new catalogue.
    let delta = Delta::Offerings {
        class: class.clone(),
        changes,
    };
    let mut trial = Snapshot::default();
    trial.catalogues.insert(class.clone(), known.clone());
    trial.apply(std::slice::from_ref(&delta));
    if trial.catalogues.get(class) == Some(&new) {
        Some(delta)
    } else {
        whole(new)
    }
}

fn instances(snapshot: &Snapshot, list: Vec<Instance>) -> Vec<Delta> {
    let list: BTreeMap<Name, Instance> = list.into_iter().map(|i| (i.provider_id.clone(), i)).collect();
    let gone: Vec<Name> = snapshot
        .instances
        .keys()
        .filter(|id| !list.contains_key(*id))
        .cloned()
        .collect();
    let used: BTreeSet<&Name> = snapshot
        .claims
        .values()
        .map(|c| &c.provider_id)
        .chain(snapshot.nodes.values().map(|n| &n.provider_id))
        .collect();
    let moot: Vec<Name> = snapshot
        .notices
        .keys()
        .filter(|id| !list.contains_key(*id) && !used.contains(id))
        .cloned()
        .collect();
    list.into_iter()
        .filter(|(id, row)| snapshot.instances.get(id).is_none_or(|known| **known != *row))
        .map(|(_, row)| Delta::Instance(Arc::new(row)))
        .chain(gone.into_iter().map(Delta::InstanceGone))
        .chain(moot.into_iter().map(Delta::NoticeGone))
        .collect()
}

/// Gives class rows from a watch, which know nothing of the cloud, what was resolved for them before: of the same
/// object, whatever its generation, so that a class never turns unresolved while its change is looked up. Call it on
/// each watch batch before applying it.
pub fn merge_resolved(snapshot: &Snapshot, deltas: &mut Vec<Delta>) {
    for delta in deltas {
        if let Delta::Class(row) = delta
            && row.resolved.is_none()
            && let Some(known) = snapshot.classes.get(&row.name).filter(|k| k.uid == row.uid)
            && known.resolved.is_some()
        {
            *delta = Delta::Class(Arc::new(NodeClass {
                resolved: known.resolved.clone(),
                ..(**row).clone()
            }));
        }
    }
}
