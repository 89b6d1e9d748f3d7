//! From an instance to what the claim's status says of it (`aws §9.6`).

use crate::api::names;
use crate::cloud::port::LaunchResult;
use crate::model::decision::effect::Launched;
use crate::model::node_class::ResolvedClass;
use crate::model::{CapacityType, Claim, InstanceType, Labels, Name, NodeClass, UsdPerHour};

/// Version text of the class hash that goes with it.
const HASH_VERSION: &str = names::EC2_HASH_V6;
const EFA: &str = "vpc.amazonaws.com/efa";

/// The instance that serves the claim.
#[derive(Clone, Debug)]
pub struct Got<'a> {
    pub id: &'a Name,
    pub instance_type: &'a InstanceType,
    pub zone: &'a Name,
    pub market: CapacityType,
    /// Labels of its reservation.
    pub reservation: Labels,
    pub tenancy: &'a str,
    pub image_id: &'a Name,
    /// Place by price among the types sent, from 1; 0 for an instance found again.
    pub rank: u32,
    pub types_sent: u32,
    pub errors: Vec<String>,
}

/// What is written to the claim.
pub fn of(got: Got<'_>, claim: &Claim, class: &NodeClass, resolved: &ResolvedClass) -> LaunchResult {
    let market = got.market.as_str();
    let offering = got.instance_type.offering(got.zone, market);
    let mut labels = Labels::new();
    for requirement in got.instance_type.requirements.iter() {
        let mut values = requirement.values.iter();
        if let (false, Some(only), None) = (requirement.complement, values.next(), values.next()) {
            labels.insert(requirement.key.clone(), only.clone());
        }
    }
    labels.insert(names::ZONE.into(), got.zone.clone());
    let subnet = resolved.subnets.iter().find(|s| s.zone == *got.zone);
    if let Some(subnet) = subnet.filter(|s| !s.zone_id.is_empty()) {
        labels.insert(names::ZONE_ID.into(), subnet.zone_id.clone());
    }
    labels.insert(names::CAPACITY_TYPE.into(), market.into());
    // A type has these of every reservation of its own; a machine is in one or none.
    for key in [
        names::RESERVATION_ID,
        names::RESERVATION_TYPE,
        names::RESERVATION_INTERRUPTIBLE,
    ] {
        labels.remove(key);
    }
    labels.extend(got.reservation);
    labels.insert(names::INSTANCE_TENANCY.into(), got.tenancy.into());
    if let Some(pool) = claim.pool() {
        labels.insert(names::NODEPOOL.into(), pool.clone());
    }
    labels.insert(names::EC2_NODECLASS.into(), class.name.clone());
    let annotations = [
        (names::EC2_HASH, class.hash.clone()),
        (names::EC2_HASH_VERSION, HASH_VERSION.into()),
        (names::INSTANCE_PROFILE, resolved.instance_profile.clone()),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(key, value)| (key.into(), value))
    .collect();
    let mut capacity = got.instance_type.capacity.clone();
    let mut allocatable = got.instance_type.allocatable();
    // Shown only where the launch attached some.
    if claim.requests.get(EFA) == 0 {
        capacity.set(EFA, 0);
        allocatable.set(EFA, 0);
    }
    LaunchResult {
        launched: Launched {
            claim: claim.name.clone(),
            provider_id: format!("aws:///{}/{}", got.zone, got.id).into(),
            instance_type: got.instance_type.name.clone(),
            zone: got.zone.clone(),
            capacity_type: got.market,
            price_per_hour: offering.map_or(UsdPerHour::ZERO, |o| o.price),
            image_id: got.image_id.clone(),
            rank: got.rank,
            types_sent: got.types_sent,
            errors: got.errors,
        },
        labels,
        annotations,
        capacity,
        allocatable,
    }
}
