//! The account: everything behind one lock, shared by all clones.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, mpsc};

use super::config::{Ec2Config, SinkError};
use super::faults::Faults;
use super::iam::Identities;
use super::images::{self, Release};
use super::life::Timer;
use super::machine::MachineEvent;
use super::network::Network;
use super::record::{Record, Template};
use super::reservations::Reservations;
use super::spot::Market;
use crate::cloud::aws::api::rates::Rates;
use crate::cloud::aws::api::{Image, Instance, InstanceStatus, InstanceTypeInfo, QueueMessage, shipped};
use crate::facts;
use crate::model::{Name, UsdPerHour};

pub(super) const INSTANCES: &str = "ec2-instances";
pub(super) const TEMPLATES: &str = "ec2-templates";
const META: &str = "ec2-meta";

/// An embedded EC2. Clones are handles to the same account.
#[derive(Clone)]
pub struct Ec2(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub config: Ec2Config,
    pub types: Vec<InstanceTypeInfo>,
    state: Mutex<State>,
    /// Rung when a timer was added.
    pub wake: Notify,
}

pub(super) struct State {
    pub network: Network,
    pub records: BTreeMap<Name, Record>,
    pub templates: BTreeMap<Name, Template>,
    /// Client token → the instances that its fleet made.
    pub tokens: BTreeMap<Name, Vec<Name>>,
    /// Live spot instances by (type, zone).
    pub spot_in_use: BTreeMap<(Name, Name), i64>,
    pub meta: Meta,
    pub images: Vec<Image>,
    pub market: Market,
    pub faults: Faults,
    pub reservations: Reservations,
    pub identities: Identities,
    /// What the checks and the schedule say of instances.
    pub statuses: BTreeMap<Name, InstanceStatus>,
    /// How often each call was made.
    pub calls: BTreeMap<String, u64>,
    /// Parameters beside the published ones; `None` hides one of those.
    pub parameters: BTreeMap<String, Option<String>>,
    pub limits: Option<Rates>,
    pub timers: BTreeMap<(Timestamp, u64), Timer>,
    pub timers_made: u64,
    pub subscribers: Vec<mpsc::UnboundedSender<MachineEvent>>,
    pub queue: VecDeque<QueueMessage>,
}

/// Small things that survive a restart with the instances.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Meta {
    /// Start of the spot market.
    pub start: Timestamp,
    /// Ids made so far.
    pub counter: u64,
    pub releases: Vec<Release>,
}

impl std::fmt::Debug for Ec2 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ec2")
            .field("region", &self.0.config.region)
            .field("instances", &self.lock().records.len())
            .finish_non_exhaustive()
    }
}

impl Ec2 {
    /// An account, with the instances and templates of the state file when there is one.
    ///
    /// # Errors
    /// A state that cannot be read.
    pub fn new(config: Ec2Config) -> Result<Self, SinkError> {
        let now = config.clock.now();
        let meta = load_meta(&config, now)?;
        let state = State {
            network: Network::new(config.seed, &config.region, &config.cluster),
            records: BTreeMap::new(),
            templates: load(&config, TEMPLATES)?,
            tokens: BTreeMap::new(),
            spot_in_use: BTreeMap::new(),
            images: images::all(config.seed, &config.kubernetes_version, &meta.releases),
            market: Market::new(config.seed, config.region.clone(), meta.start),
            meta,
            faults: Faults::default(),
            reservations: Reservations::new(),
            identities: Identities::default(),
            statuses: BTreeMap::new(),
            calls: BTreeMap::new(),
            parameters: BTreeMap::new(),
            limits: config.rate_limits.then(|| Rates::new(now)),
            timers: BTreeMap::new(),
            timers_made: 0,
            subscribers: Vec::new(),
            queue: VecDeque::new(),
        };
        let records: BTreeMap<Name, Record> = load(&config, INSTANCES)?;
        let out = Self(Arc::new(Shared {
            types: facts::get().types().iter().map(shipped::instance_type).collect(),
            state: Mutex::new(state),
            wake: Notify::new(),
            config,
        }));
        for record in records.into_values() {
            out.restore(record, now);
        }
        Ok(out)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the lock is a test's; the state is then not looked at again.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.config.clock.now()
    }

    /// What happens to machines from now on; first those that run already.
    pub fn machines(&self) -> mpsc::UnboundedReceiver<MachineEvent> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut state = self.lock();
        for record in state.records.values().filter(|r| r.announced && r.is_live()) {
            if let Some(machine) = self.machine(record, &state.network) {
                // The receiver is in this function: it cannot be gone.
                drop(sender.send(MachineEvent::Running(Box::new(machine))));
            }
        }
        state.subscribers.push(sender);
        receiver
    }

    /// Every instance that is known, terminated ones for an hour.
    pub fn instances(&self) -> Vec<Instance> {
        let now = self.now();
        let state = self.lock();
        state.records.values().map(|r| shown(&state, r, now)).collect()
    }

    /// How often each call was made, refused ones counted too.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.lock().calls.clone()
    }

    /// The synthetic spot price of a pool now.
    pub fn spot_price(&self, instance_type: &str, zone: &str) -> Option<UsdPerHour> {
        let t = facts::get().find(instance_type)?;
        let now = self.now();
        self.lock().market.price(t, &zone.into(), now)
    }

    pub(super) fn save<T: Serialize>(&self, table: &str, key: &str, value: &T) {
        let Some(sink) = &self.0.config.state else {
            return;
        };
        let written = serde_json::to_vec(value)
            .map_err(|e| SinkError(e.to_string()))
            .and_then(|bytes| sink.put(table, key, &bytes));
        if let Err(error) = written {
            tracing::error!(%error, table, key, "not saved");
        }
    }

    pub(super) fn forget(&self, table: &str, key: &str) {
        if let Some(sink) = &self.0.config.state
            && let Err(error) = sink.remove(table, key)
        {
            tracing::error!(%error, table, key, "not removed");
        }
    }

    pub(super) fn save_meta(&self, state: &State) {
        self.save(META, "meta", &state.meta);
    }
}

/// As describe calls show it: an instance whose reservation is over runs on demand.
pub(super) fn shown(state: &State, record: &Record, now: Timestamp) -> Instance {
    let mut out = record.shown(now);
    out.capacity_reservation_id = out
        .capacity_reservation_id
        .filter(|id| state.is_reserved(id, now));
    out
}

fn load<T: for<'de> Deserialize<'de>>(
    config: &Ec2Config,
    table: &str,
) -> Result<BTreeMap<Name, T>, SinkError> {
    let Some(sink) = &config.state else {
        return Ok(BTreeMap::new());
    };
    sink.load(table)?
        .into_iter()
        .map(|(key, bytes)| {
            let value =
                serde_json::from_slice(&bytes).map_err(|e| SinkError(format!("{table}/{key}: {e}")))?;
            Ok((key.into(), value))
        })
        .collect()
}

fn load_meta(config: &Ec2Config, now: Timestamp) -> Result<Meta, SinkError> {
    let held = load::<Meta>(config, META)?.into_values().next();
    Ok(held.unwrap_or_else(|| Meta {
        start: now,
        counter: 0,
        releases: images::first_releases(),
    }))
}
