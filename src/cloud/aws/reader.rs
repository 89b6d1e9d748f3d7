//! The reading half of the cloud port.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::api::{self, Ec2Read, Filter, Queue};
use super::health::Health;
use super::interruption;
use super::node_class::{Parameters, Resolver, api_error};
use super::pricing::{PriceSource, Prices};
use super::settings::Settings;
use super::types::{self, Raw, Rows};
use crate::api::names;
use crate::clock::Clock;
use crate::cloud::port::{CloudError, CloudRead, Pending};
use crate::cloud::stock::{Stock, Unavailable};
use crate::model::node_class::ResolvedClass;
use crate::model::snapshot::{Instance, Notice, NoticeKind};
use crate::model::{CapacityType, Catalogue, Name, NodeClass};

/// `CloudRead` over [`Ec2Read`], with the caches of `aws §1`. It has no means to write.
pub struct Reader {
    read: Arc<dyn Ec2Read>,
    queue: Option<Arc<dyn Queue>>,
    stock: Arc<Stock>,
    settings: Arc<Settings>,
    clock: Clock,
    state: Mutex<State>,
    health: Mutex<Health>,
}

struct State {
    raw: Option<(Timestamp, Arc<Raw>)>,
    prices: Prices,
    priced: Option<Timestamp>,
    parameters: Parameters,
    /// By uid of the class.
    classes: BTreeMap<Name, ClassCache>,
    /// Instances of the last list by id.
    instances: BTreeMap<Name, Instance>,
    /// Of those the reserved ones, with their reservation.
    reserved: BTreeMap<Name, Name>,
}

#[derive(Default)]
struct ClassCache {
    generation: i64,
    resolved: Option<(Timestamp, Arc<ResolvedClass>)>,
    built: Option<Built>,
}

struct Built {
    raw: Arc<Raw>,
    resolved: Arc<ResolvedClass>,
    rows: Rows,
    /// Revisions of stock and prices.
    stamp: (u64, u64),
    catalogue: Arc<Catalogue>,
}

/// Makes the reading half. The writing half shares its [`Reader::stock`].
pub fn reader(read: Arc<dyn Ec2Read>, settings: Settings, clock: Clock) -> Reader {
    Reader {
        read,
        queue: None,
        stock: Arc::new(Stock::default()),
        state: Mutex::new(State {
            raw: None,
            prices: Prices::shipped(&settings.region),
            priced: None,
            parameters: Parameters::new(),
            classes: BTreeMap::new(),
            instances: BTreeMap::new(),
            reserved: BTreeMap::new(),
        }),
        settings: Arc::new(settings),
        clock,
        health: Mutex::default(),
    }
}

impl Reader {
    /// Interruption notices come from `queue`, which is emptied; without one there are none.
    #[must_use]
    pub fn with_queue(mut self, queue: Arc<dyn Queue>) -> Self {
        self.queue = Some(queue);
        self
    }

    /// The memory of stock-outs, for the writing half and for the screen.
    pub fn stock(&self) -> Arc<Stock> {
        self.stock.clone()
    }

    /// Where the on-demand price of a type is from.
    pub async fn price_source(&self, instance_type: &str) -> Option<PriceSource> {
        self.state.lock().await.prices.source(instance_type)
    }

    fn is_due(&self, last: Timestamp, age: std::time::Duration) -> bool {
        let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
        self.clock.now().duration_since(last) >= age
    }

    async fn raw(&self, state: &mut State) -> Result<Arc<Raw>, CloudError> {
        if let Some((at, raw)) = &state.raw
            && !self.is_due(*at, self.settings.types_refresh)
        {
            return Ok(raw.clone());
        }
        let filters = vec![
            Filter::new("supported-virtualization-type", ["hvm"]),
            Filter::new("processor-info.supported-architecture", ["x86_64", "arm64"]),
        ];
        let types = self.read.describe_instance_types(filters).await;
        let types = types.map_err(api_error("DescribeInstanceTypes"))?;
        let offerings = self.read.describe_instance_type_offerings().await;
        let offerings = offerings.map_err(api_error("DescribeInstanceTypeOfferings"))?;
        let mut raw = Raw::new(types, offerings);
        // The list of types is the same in every region: those that no zone here offers are of no use.
        raw.types.retain(|t| raw.zones.contains_key(&t.instance_type));
        let raw = Arc::new(raw);
        state.raw = Some((self.clock.now(), raw.clone()));
        Ok(raw)
    }

    /// Both price lists; a failure keeps what is there and is tried again at the next refresh of classes.
    async fn price(&self, state: &mut State) {
        if let Some(at) = state.priced
            && !self.is_due(at, self.settings.price_refresh)
        {
            return;
        }
        let static_only = self.settings.isolated_vpc || self.settings.region.starts_with("us-gov-");
        let mut complete = true;
        if !static_only {
            match self.read.on_demand_prices().await {
                Ok(prices) if !prices.is_empty() => state.prices.merge_on_demand(prices),
                Ok(_) => complete = false,
                Err(error) => {
                    tracing::warn!(%error, "on-demand prices could not be refreshed");
                    complete = false;
                }
            }
        }
        match self.read.describe_spot_price_history().await {
            Ok(prices) => state.prices.merge_spot(prices),
            Err(error) => {
                tracing::warn!(%error, "spot prices could not be refreshed");
                complete = false;
            }
        }
        if complete || state.priced.is_none() {
            state.priced = Some(self.clock.now());
        }
    }

    async fn resolved(&self, state: &mut State, class: &NodeClass) -> Result<Arc<ResolvedClass>, CloudError> {
        let cache = state.classes.entry(class.uid.clone()).or_default();
        if let Some((at, resolved)) = &cache.resolved
            && cache.generation == class.generation
            && !self.is_due(*at, self.settings.class_refresh)
        {
            return Ok(resolved.clone());
        }
        let mut resolver = Resolver {
            read: &*self.read,
            settings: &self.settings,
            stock: &self.stock,
            parameters: &mut state.parameters,
            now: self.clock.now(),
        };
        let fresh = resolver.resolve(class).await?;
        // The generation may have changed how capacity is computed even where the selectors mean the same.
        if cache.generation != class.generation {
            cache.built = None;
        }
        cache.generation = class.generation;
        let resolved = match &cache.resolved {
            Some((_, old)) if **old == fresh => old.clone(),
            _ => Arc::new(fresh),
        };
        cache.resolved = Some((self.clock.now(), resolved.clone()));
        Ok(resolved)
    }

    async fn built(&self, class: &NodeClass) -> Result<Arc<Catalogue>, CloudError> {
        let mut state = self.state.lock().await;
        let state = &mut *state;
        let raw = self.raw(state).await?;
        self.price(state).await;
        let resolved = self.resolved(state, class).await?;
        let stamp = (self.stock.revision(self.clock.now()), state.prices.revision);
        let unavailable = Unavailable::at(&self.stock, self.clock.now());
        let cache = state.classes.entry(class.uid.clone()).or_default();
        match &mut cache.built {
            Some(built) if same_rows(built, &raw, &resolved) => {
                if built.stamp != stamp {
                    let fresh = built
                        .rows
                        .catalogue(&state.prices, &unavailable, Some(&built.catalogue));
                    built.catalogue = Arc::new(fresh);
                    built.stamp = stamp;
                }
                Ok(built.catalogue.clone())
            }
            _ => {
                let rows = types::rows(&raw, class, &resolved, &self.settings)?;
                let catalogue = Arc::new(rows.catalogue(&state.prices, &unavailable, None));
                cache.built = Some(Built {
                    raw,
                    resolved,
                    rows,
                    stamp,
                    catalogue: catalogue.clone(),
                });
                Ok(catalogue)
            }
        }
    }

    async fn listed(&self) -> Result<Vec<Instance>, CloudError> {
        let filters = vec![
            Filter::new("tag-key", [names::TAG_NODEPOOL]),
            Filter::new("tag-key", [names::TAG_NODECLASS]),
            Filter::new(
                &format!("tag:{}", names::TAG_CLUSTER),
                [self.settings.cluster_name.clone()],
            ),
            Filter::new(
                "instance-state-name",
                ["pending", "running", "stopping", "stopped", "shutting-down"],
            ),
        ];
        let found = self.read.describe_instances(filters).await;
        let found = found.map_err(api_error("DescribeInstances"))?;
        let reserved = found
            .iter()
            .filter_map(|i| Some((i.instance_id.clone(), i.capacity_reservation_id.clone()?)))
            .collect();
        let mut out: Vec<Instance> = found.into_iter().map(instance).collect();
        out.sort_by(|a, b| a.provider_id.cmp(&b.provider_id));
        let mut state = self.state.lock().await;
        state.reserved = reserved;
        state.instances = out
            .iter()
            .map(|i| (id_of(&i.provider_id).into(), i.clone()))
            .collect();
        Ok(out)
    }

    /// What the queue says, and once a minute what the status checks do. A message that could not be followed up stays
    /// for the next time; what others said is told all the same.
    async fn noticed(&self) -> Result<Vec<Notice>, CloudError> {
        let (mut out, mut failed) = (Vec::new(), None);
        if let Some(queue) = &self.queue {
            let messages = queue
                .receive_messages()
                .await
                .map_err(api_error("ReceiveMessage"))?;
            for message in messages {
                match interruption::parse(&message.body) {
                    Ok(event) => match self.notices_of(&event).await {
                        Ok(notices) => out.extend(notices),
                        Err(error) => {
                            failed = Some(error);
                            continue;
                        }
                    },
                    Err(error) => tracing::error!(%error, "an interruption message could not be read"),
                }
                if let Err(error) = queue.delete_message(message.receipt).await {
                    failed = Some(api_error("DeleteMessage")(error));
                }
            }
        }
        match self.sick().await {
            Ok(notices) => out.extend(notices),
            Err(error) => failed = Some(error),
        }
        match failed {
            Some(error) if out.is_empty() => Err(error),
            Some(error) => {
                tracing::warn!(%error, "not every notice could be read");
                Ok(out)
            }
            None => Ok(out),
        }
    }

    async fn sick(&self) -> Result<Vec<Notice>, CloudError> {
        let mut health = self.health.lock().await;
        let mut out = Vec::new();
        for (id, kind, at) in health.poll(&*self.read, self.clock.now()).await? {
            out.extend(self.notice(&id, kind, at).await?);
        }
        Ok(out)
    }

    async fn notices_of(&self, event: &interruption::Event) -> Result<Vec<Notice>, CloudError> {
        let mut out = Vec::new();
        let Some(kind) = event.kind else {
            return Ok(out);
        };
        for id in &event.instances {
            let at = event.at.unwrap_or_else(|| self.clock.now());
            out.extend(self.notice(id, kind, at).await?);
        }
        Ok(out)
    }

    /// Instances of other owners are left alone.
    async fn notice(&self, id: &Name, kind: NoticeKind, at: Timestamp) -> Result<Option<Notice>, CloudError> {
        let now = self.clock.now();
        let known = self.state.lock().await.instances.get(id).cloned();
        let instance = match known {
            Some(instance) => Some(instance),
            None => self
                .listed()
                .await?
                .into_iter()
                .find(|i| id_of(&i.provider_id) == &**id),
        };
        let Some(instance) = instance else {
            return Ok(None);
        };
        if kind == NoticeKind::SpotInterruption {
            let market = CapacityType::Spot;
            self.stock
                .mark_offering(&instance.instance_type, &instance.zone, market, now);
        }
        if kind == NoticeKind::ReservationInterrupted
            && let Some(reservation) = self.state.lock().await.reserved.get(id)
        {
            self.stock.reservation_exhausted(reservation, now);
        }
        Ok(Some(Notice {
            provider_id: instance.provider_id,
            kind,
            at,
        }))
    }
}

/// Free addresses are no reason to compute capacities anew.
fn same_rows(built: &Built, raw: &Arc<Raw>, resolved: &Arc<ResolvedClass>) -> bool {
    let places = |r: &ResolvedClass| {
        r.subnets
            .iter()
            .map(|s| (s.zone.clone(), s.id.clone(), s.zone_id.clone()))
            .collect::<std::collections::BTreeSet<_>>()
    };
    Arc::ptr_eq(&built.raw, raw)
        && (Arc::ptr_eq(&built.resolved, resolved)
            || (places(&built.resolved) == places(resolved)
                && built.resolved.reservations == resolved.reservations))
}

/// The instance id at the end of a provider id.
pub(super) fn id_of(provider_id: &str) -> &str {
    provider_id.rsplit('/').next().unwrap_or(provider_id)
}

/// `aws §13`: an instance in a reservation that was not launched for it is on-demand.
pub(super) fn capacity_type(i: &api::Instance) -> CapacityType {
    match (&i.spot_instance_request_id, &i.capacity_reservation_id) {
        (Some(_), _) => CapacityType::Spot,
        (None, Some(_)) => CapacityType::Reserved,
        (None, None) => CapacityType::OnDemand,
    }
}

/// An instance as the model has it (`aws §15`, `§13` for its capacity type).
pub(super) fn instance(i: api::Instance) -> Instance {
    let tag = |key: &str| i.tags.get(key).cloned();
    let capacity_type = capacity_type(&i);
    let mut security_groups = i.security_group_ids;
    security_groups.sort();
    Instance {
        subnet: i.subnet_id,
        security_groups,
        provider_id: format!("aws:///{}/{}", i.availability_zone, i.instance_id).into(),
        capacity_type,
        launched: i.launch_time,
        pool: tag(names::TAG_NODEPOOL),
        token: tag(names::TAG_TOKEN),
        claim: tag(names::TAG_NODECLAIM),
        instance_type: i.instance_type,
        zone: i.availability_zone,
        state: i.state,
    }
}

impl CloudRead for Reader {
    fn resolve<'a>(&'a self, class: &'a NodeClass) -> Pending<'a, Result<Arc<ResolvedClass>, CloudError>> {
        Box::pin(async move {
            let mut state = self.state.lock().await;
            self.resolved(&mut state, class).await
        })
    }

    fn catalogue<'a>(&'a self, class: &'a NodeClass) -> Pending<'a, Result<Arc<Catalogue>, CloudError>> {
        Box::pin(self.built(class))
    }

    fn list(&self) -> Pending<'_, Result<Vec<Instance>, CloudError>> {
        Box::pin(self.listed())
    }

    fn notices(&self) -> Pending<'_, Result<Vec<Notice>, CloudError>> {
        Box::pin(self.noticed())
    }

    /// Steps with the memory of stock-outs, and each time a class or the prices are due to be asked for again.
    fn revision(&self) -> u64 {
        let now = self.clock.now();
        let passed = u64::try_from(now.duration_since(self.clock.start()).as_millis()).unwrap_or(0);
        let every =
            |age: std::time::Duration| passed / u64::try_from(age.as_millis().max(1)).unwrap_or(u64::MAX);
        self.stock.revision(now) + every(self.settings.class_refresh) + every(self.settings.price_refresh)
    }
}
