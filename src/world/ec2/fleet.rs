//! Fleets of type `instant`: which pools are tried in which order, and what each says (`aws §28`).

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::account::{Ec2, State};
use super::record::{Reclaim, Record, Template};
use super::spot;
use crate::clock::after;
use crate::cloud::aws::api::{
    CapacityReservation, CreateFleet, Ec2Error, FleetError, FleetOverride, FleetResult, Instance, Tags,
};
use crate::facts::{self, TypeFacts};
use crate::model::{CapacityType, Name, UsdPerHour};
use crate::world::random;

/// One override of the request with all that decides about it.
struct Pool<'a> {
    tried: &'a FleetOverride,
    template: &'a Template,
    price: UsdPerHour,
    /// Instances left; endless pools hold `i64::MAX`.
    room: i64,
    /// Scatters equal pools over zones, the same for the same token.
    lot: u64,
}

impl Ec2 {
    pub(super) fn fleet(
        &self,
        state: &mut State,
        request: &CreateFleet,
        now: Timestamp,
    ) -> Result<FleetResult, Ec2Error> {
        let digest = random::draw(0, "fleet-request", &format!("{request:?}"));
        if let Some(made) = state.tokens.get(&request.client_token).cloned() {
            return repeated(state, request, &made, digest);
        }
        let market = match &*request.default_target_capacity_type {
            "spot" => CapacityType::Spot,
            "on-demand" | "capacity-block" => CapacityType::OnDemand,
            "reserved-capacity" if !request.reservation_types.is_empty() => CapacityType::OnDemand,
            other => {
                let message = format!("The target capacity type {other} is not supported here");
                return Err(Ec2Error::new("UnsupportedOperation", message));
            }
        };
        let mut templates = Vec::new();
        for config in &request.launch_template_configs {
            let name = &config.launch_template_name;
            let template = state.templates.get(name).cloned().ok_or_else(|| {
                let message =
                    format!("The specified launch template, with template name {name}, does not exist.");
                Ec2Error::new("InvalidLaunchTemplateName.NotFoundException", message)
            })?;
            templates.push((template, &config.overrides));
        }
        let mut errors = Vec::new();
        let mut pools = Vec::new();
        for (template, overrides) in &templates {
            for tried in *overrides {
                match self.pool(state, request, template, tried, market, now) {
                    Ok(pool) => pools.push(pool),
                    Err(error) => errors.push(refused(tried, market, error)),
                }
            }
        }
        let strategy = match market {
            CapacityType::Spot => request.spot_allocation_strategy.as_deref(),
            _ => request.on_demand_allocation_strategy.as_deref(),
        };
        order(&mut pools, strategy.unwrap_or("lowest-price"));
        let mut made = Vec::new();
        let mut left = request.total_target_capacity;
        for pool in &mut pools {
            while left > 0 {
                let reserved = pool.template.data.capacity_reservation_id.as_ref();
                if reserved.is_some_and(|id| state.reserved_room(id, now) <= 0) {
                    errors.push(refused(pool.tried, market, exceeded(pool.tried)));
                    break;
                }
                // What is set aside is there whatever the pool has.
                let (name, zone) = (&pool.tried.instance_type, &pool.tried.availability_zone);
                let is_short = || state.faults.is_short(name, zone, market, now);
                if pool.room <= 0 || (reserved.is_none() && is_short()) {
                    errors.push(refused(pool.tried, market, short(pool.tried)));
                    break;
                }
                if !state.network.has_room(&pool.tried.subnet_id) {
                    errors.push(refused(pool.tried, market, full(pool.tried)));
                    break;
                }
                pool.room -= 1;
                left -= 1;
                made.push(self.launch(state, request, pool, market, digest, now));
            }
        }
        self.save_meta(state);
        let instances = made
            .iter()
            .filter_map(|id| state.records.get(id))
            .map(Record::answered)
            .collect();
        Ok(FleetResult {
            fleet_id: fleet_id(&request.client_token),
            instances,
            errors,
        })
    }

    /// Checks an override and looks up its price and depth.
    fn pool<'a>(
        &self,
        state: &mut State,
        request: &CreateFleet,
        template: &'a Template,
        tried: &'a FleetOverride,
        market: CapacityType,
        now: Timestamp,
    ) -> Result<Pool<'a>, Ec2Error> {
        let config = &self.0.config;
        let t = facts::get().find(&tried.instance_type).ok_or_else(|| {
            let message = format!("The instance type '{}' does not exist", tried.instance_type);
            Ec2Error::new("InvalidInstanceType", message)
        })?;
        let (zone, _) = state.network.zone_of(&tried.subnet_id).ok_or_else(|| {
            let message = format!("The subnet ID '{}' does not exist", tried.subnet_id);
            Ec2Error::new("InvalidSubnetID.NotFound", message)
        })?;
        let zone = zone.clone();
        if zone != tried.availability_zone
            || !t.zone_names(&config.region).contains(&zone)
            || !t.offers(market.as_str())
        {
            let message = format!(
                "Your requested instance type ({}) is not supported in your requested Availability Zone ({zone}).",
                t.name
            );
            return Err(Ec2Error::new("Unsupported", message));
        }
        boots(state, t, &tried.image_id)?;
        if let Some(id) = &template.data.capacity_reservation_id {
            let other = |r: &CapacityReservation| r.instance_type != t.name || r.availability_zone != zone;
            if state.reservations.get(id).is_none_or(other) {
                let message = format!("The capacity reservation {id} is not of {} in {zone}.", t.name);
                return Err(Ec2Error::new("ReservationCapacityExceeded", message));
            }
        }
        let (price, room) = match market {
            CapacityType::Spot => (
                state.market.price(t, &zone, now),
                if config.spot_depth {
                    let used = state.spot_in_use.get(&(t.name.clone(), zone.clone()));
                    spot::depth(config.seed, t, &config.region, &zone) - used.copied().unwrap_or(0)
                } else {
                    i64::MAX
                },
            ),
            _ => (t.on_demand(&config.region).map(|p| p.per_hour), i64::MAX),
        };
        let place = format!("{}/{}/{zone}", request.client_token, t.name);
        Ok(Pool {
            tried,
            template,
            // What has no price comes last.
            price: price.unwrap_or(UsdPerHour::MAX),
            room,
            lot: random::draw(config.seed, "fleet-lot", &place),
        })
    }

    fn launch(
        &self,
        state: &mut State,
        request: &CreateFleet,
        pool: &Pool<'_>,
        market: CapacityType,
        digest: u64,
        now: Timestamp,
    ) -> Name {
        let config = &self.0.config;
        state.meta.counter += 1;
        let count = state.meta.counter.to_string();
        let id: Name = format!("i-0{:016x}", random::draw(config.seed, "instance", &count)).into();
        let tried = pool.tried;
        // Room was checked by the caller.
        let address = state.network.take(&tried.subnet_id).unwrap_or_default();
        let tags: Tags = request
            .tag_specifications
            .iter()
            .filter(|s| &*s.resource_type == "instance")
            .flat_map(|s| s.tags.clone())
            .collect();
        let is_spot = market == CapacityType::Spot;
        let request_id = random::draw(config.seed, "spot-request", &count) >> 32;
        let data = &pool.template.data;
        let consistency = random::unit(config.seed, "consistency", &id) * config.consistency.as_secs_f64();
        let record = Record {
            instance: Instance {
                instance_id: id.clone(),
                instance_type: tried.instance_type.clone(),
                image_id: tried.image_id.clone(),
                state: "pending".into(),
                launch_time: now,
                availability_zone: tried.availability_zone.clone(),
                subnet_id: tried.subnet_id.clone(),
                security_group_ids: data
                    .network_interfaces
                    .first()
                    .map(|n| n.groups.clone())
                    .unwrap_or_default(),
                private_dns_name: state.network.private_dns(&address),
                private_ip_address: address,
                spot_instance_request_id: is_spot.then(|| format!("sir-{request_id:08x}").into()),
                capacity_reservation_id: data.capacity_reservation_id.clone(),
                tenancy: data.tenancy.clone(),
                tags,
            },
            data: Arc::clone(data),
            token: request.client_token.clone(),
            request: digest,
            priority: tried.priority,
            running_at: after(now, config.pending),
            visible_at: after(now, Duration::from_secs_f64(consistency)),
            ending_at: None,
            ended_at: None,
            reclaim: if is_spot {
                self.reclaim(&id, &tried.instance_type, now)
            } else {
                None
            },
            announced: false,
        };
        self.begin(state, record);
        id
    }

    /// When the market will take a spot instance back.
    fn reclaim(&self, id: &str, instance_type: &str, now: Timestamp) -> Option<Reclaim> {
        let config = &self.0.config;
        let t = facts::get().find(instance_type)?;
        let lasts = spot::reclaimed_after(config.seed, t, &config.region, id, config.interruptions)?;
        let notice = after(now, lasts.saturating_sub(Duration::from_secs(120)));
        let warned = random::unit(config.seed, "rebalance", id) < config.rebalance_share;
        let ahead = random::between(config.seed, "rebalance-lead", id, 60.0, 600.0);
        let lead = lasts.saturating_sub(Duration::from_secs_f64(120.0 + ahead));
        Some(Reclaim {
            rebalance: warned.then(|| after(now, lead)),
            notice,
            stop: after(now, lasts),
        })
    }
}

/// The same token again: the same answer, or a refusal when something else is asked.
fn repeated(
    state: &State,
    request: &CreateFleet,
    made: &[Name],
    digest: u64,
) -> Result<FleetResult, Ec2Error> {
    let records: Vec<&Record> = made.iter().filter_map(|id| state.records.get(id)).collect();
    if records.iter().any(|r| r.request != digest) {
        let message = "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).";
        return Err(Ec2Error::new("IdempotentParameterMismatch", message));
    }
    Ok(FleetResult {
        fleet_id: fleet_id(&request.client_token),
        instances: records.into_iter().map(Record::answered).collect(),
        errors: Vec::new(),
    })
}

fn fleet_id(token: &str) -> Name {
    format!("fleet-{}", random::uuid(0, "fleet", token)).into()
}

/// Best first.
fn order(pools: &mut [Pool<'_>], strategy: &str) {
    let by_price = |a: &Pool<'_>, b: &Pool<'_>| {
        (a.price, &a.tried.instance_type, a.lot).cmp(&(b.price, &b.tried.instance_type, b.lot))
    };
    let by_room = |a: &Pool<'_>, b: &Pool<'_>| {
        b.room
            .cmp(&a.room)
            .then_with(|| a.tried.priority.cmp(&b.tried.priority))
            .then_with(|| by_price(a, b))
    };
    match strategy {
        "price-capacity-optimized" => {
            pools.sort_by(by_room);
            let deepest = pools.len().div_ceil(3);
            if let Some(first) = pools.get_mut(..deepest) {
                first.sort_by(by_price);
            }
        }
        "capacity-optimized" | "capacity-optimized-prioritized" => pools.sort_by(by_room),
        "prioritized" => pools.sort_by(|a, b| {
            a.tried
                .priority
                .cmp(&b.tried.priority)
                .then_with(|| by_price(a, b))
        }),
        _ => pools.sort_by(by_price),
    }
}

/// The image is there and of the type's architecture.
fn boots(state: &State, t: &TypeFacts, image: &str) -> Result<(), Ec2Error> {
    let Some(found) = state.images.iter().find(|i| &*i.image_id == image) else {
        let message = format!("The image id '[{image}]' does not exist");
        return Err(Ec2Error::new("InvalidAMIID.NotFound", message));
    };
    let wanted = if &*found.architecture == "x86_64" {
        "amd64"
    } else {
        "arm64"
    };
    if t.arch.iter().any(|a| &**a == wanted) {
        return Ok(());
    }
    let message = format!(
        "The architecture of the specified instance type {} does not match the architecture '{}' of the specified AMI.",
        t.name, found.architecture
    );
    Err(Ec2Error::new("InvalidParameterValue", message))
}

fn refused(tried: &FleetOverride, market: CapacityType, error: Ec2Error) -> FleetError {
    FleetError {
        error_code: error.code,
        error_message: error.message,
        lifecycle: market.as_str().into(),
        tried: Some(tried.clone()),
    }
}

fn short(tried: &FleetOverride) -> Ec2Error {
    let message = format!(
        "We currently do not have sufficient {} capacity in the Availability Zone you requested ({}).",
        tried.instance_type, tried.availability_zone
    );
    Ec2Error::new("InsufficientInstanceCapacity", message)
}

fn exceeded(tried: &FleetOverride) -> Ec2Error {
    let message = format!(
        "The requested reservation does not have sufficient compatible and available capacity for {} in {}.",
        tried.instance_type, tried.availability_zone
    );
    Ec2Error::new("ReservationCapacityExceeded", message)
}

fn full(tried: &FleetOverride) -> Ec2Error {
    let message = format!(
        "There are not enough free addresses in subnet '{}' to satisfy the requested number of instances.",
        tried.subnet_id
    );
    Ec2Error::new("InsufficientFreeAddressesInSubnet", message)
}

#[cfg(test)]
#[path = "fleet_tests.rs"]
mod tests;
