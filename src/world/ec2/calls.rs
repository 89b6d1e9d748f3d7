//! The low port, answered from memory.

use std::future::ready;

use jiff::Timestamp;

use super::account::{Ec2, INSTANCES, State, TEMPLATES, shown};
use super::images;
use super::query::{matches, tag_values};
use super::record::{Record, Template};
use crate::cloud::aws::api::rates::Class;
use crate::cloud::aws::api::{
    Call, CapacityReservation, CreateFleet, CreateLaunchTemplate, Ec2Error, Ec2Read, Ec2Write, Filter,
    FleetResult, Image, Instance, InstanceStatus, InstanceTypeInfo, LaunchTemplate, Queue, QueueMessage,
    SecurityGroup, SpotPrice, Subnet, Tags, TypeOffering, shipped,
};
use crate::facts;
use crate::model::{Name, UsdPerHour};
use crate::world::random;

/// Messages that one receive call gives at most.
const MESSAGES: usize = 10;

impl Ec2 {
    /// Rates and scripted refusals first, then the answer.
    pub(super) fn answer<T: Send + 'static>(
        &self,
        call: &str,
        class: Class,
        work: impl FnOnce(&mut State, Timestamp) -> Result<T, Ec2Error>,
    ) -> Call<'static, T> {
        let now = self.now();
        let mut state = self.lock();
        *state.calls.entry(call.to_owned()).or_default() += 1;
        let in_time = state.limits.as_mut().is_none_or(|limits| limits.take(class, now));
        let allowed = in_time
            .then_some(())
            .ok_or_else(|| Ec2Error::new("RequestLimitExceeded", "Request limit exceeded."));
        let result = allowed
            .and_then(|()| state.faults.refuse(call))
            .and_then(|()| work(&mut state, now));
        Box::pin(ready(result))
    }
}

fn no_instance(id: &str) -> Ec2Error {
    Ec2Error::new(
        "InvalidInstanceID.NotFound",
        format!("The instance ID '{id}' does not exist"),
    )
}

fn no_template(name: &str) -> Ec2Error {
    let message = format!("The specified launch template, with template name {name}, does not exist.");
    Ec2Error::new("InvalidLaunchTemplateName.NotFoundException", message)
}

fn select<T>(
    all: impl IntoIterator<Item = T>,
    mut wanted: impl FnMut(&T) -> Result<bool, Ec2Error>,
) -> Result<Vec<T>, Ec2Error> {
    let mut out = Vec::new();
    for item in all {
        if wanted(&item)? {
            out.push(item);
        }
    }
    Ok(out)
}

fn instance_matches(record: &Record, filters: &[Filter], now: Timestamp) -> Result<bool, Ec2Error> {
    let i = &record.instance;
    matches(filters, |name| match name {
        "instance-id" => Some(vec![&*i.instance_id]),
        "instance-state-name" => Some(vec![record.state(now)]),
        "instance-type" => Some(vec![&*i.instance_type]),
        "availability-zone" => Some(vec![&*i.availability_zone]),
        "image-id" => Some(vec![&*i.image_id]),
        "subnet-id" => Some(vec![&*i.subnet_id]),
        other => tag_values(&i.tags, other),
    })
}

impl Ec2Read for Ec2 {
    fn describe_instance_types(&self, filters: Vec<Filter>) -> Call<'_, Vec<InstanceTypeInfo>> {
        self.answer("DescribeInstanceTypes", Class::Describe, |_, _| {
            let found = select(&self.0.types, |t| {
                matches(&filters, |name| match name {
                    // Every type of the facts boots hardware-virtualised images.
                    "supported-virtualization-type" => Some(vec!["hvm"]),
                    "processor-info.supported-architecture" => {
                        Some(t.supported_architectures.iter().map(|a| &**a).collect())
                    }
                    "instance-type" => Some(vec![&*t.instance_type]),
                    _ => None,
                })
            })?;
            Ok(found.into_iter().cloned().collect())
        })
    }

    fn describe_instance_type_offerings(&self) -> Call<'_, Vec<TypeOffering>> {
        let region = &self.0.config.region;
        self.answer("DescribeInstanceTypeOfferings", Class::Describe, |_, _| {
            Ok(shipped::offerings(region))
        })
    }

    fn describe_subnets(&self, filters: Vec<Filter>) -> Call<'_, Vec<Subnet>> {
        self.answer("DescribeSubnets", Class::Describe, |state, _| {
            select(state.network.subnets(), |s| {
                matches(&filters, |name| match name {
                    "subnet-id" => Some(vec![&*s.subnet_id]),
                    "vpc-id" => Some(vec![&*s.vpc_id]),
                    "availability-zone" => Some(vec![&*s.availability_zone]),
                    other => tag_values(&s.tags, other),
                })
            })
        })
    }

    fn describe_security_groups(&self, filters: Vec<Filter>) -> Call<'_, Vec<SecurityGroup>> {
        self.answer("DescribeSecurityGroups", Class::Describe, |state, _| {
            select([state.network.group.clone()], |g| {
                matches(&filters, |name| match name {
                    "group-id" => Some(vec![&*g.group_id]),
                    "group-name" => Some(vec![&*g.group_name]),
                    "vpc-id" => Some(vec![&*g.vpc_id]),
                    other => tag_values(&g.tags, other),
                })
            })
        })
    }

    fn describe_images(&self, owners: Vec<Name>, filters: Vec<Filter>) -> Call<'_, Vec<Image>> {
        self.answer("DescribeImages", Class::Describe, |state, _| {
            let owned = |image: &Image| {
                owners.is_empty() || owners.iter().any(|o| **o == *"amazon" || *o == image.owner_id)
            };
            select(state.images.iter().filter(|i| owned(i)).cloned(), |i| {
                matches(&filters, |name| match name {
                    "image-id" => Some(vec![&*i.image_id]),
                    "name" => Some(vec![&*i.name]),
                    "architecture" => Some(vec![&*i.architecture]),
                    "state" => Some(vec!["available"]),
                    other => tag_values(&i.tags, other),
                })
            })
        })
    }

    fn get_parameter(&self, name: String) -> Call<'_, String> {
        let config = &self.0.config;
        self.answer("GetParameter", Class::Describe, |state, _| {
            let published = || {
                let releases = &state.meta.releases;
                let id = images::parameter(config.seed, &config.kubernetes_version, releases, &name)?;
                Some(id.to_string())
            };
            let value = state.parameters.get(&name).cloned().unwrap_or_else(published);
            value.ok_or_else(|| Ec2Error::new("ParameterNotFound", format!("Parameter {name} not found.")))
        })
    }

    fn describe_spot_price_history(&self) -> Call<'_, Vec<SpotPrice>> {
        let region = &self.0.config.region;
        self.answer("DescribeSpotPriceHistory", Class::Describe, |state, now| {
            let mut out = Vec::new();
            for t in facts::get().types() {
                for zone in t.zone_names(region) {
                    if let Some(price) = state.market.price(t, &zone, now) {
                        out.push(SpotPrice {
                            instance_type: t.name.clone(),
                            availability_zone: zone,
                            price,
                        });
                    }
                }
            }
            Ok(out)
        })
    }

    fn on_demand_prices(&self) -> Call<'_, Vec<(Name, UsdPerHour)>> {
        let region = &self.0.config.region;
        self.answer("GetProducts", Class::Describe, |_, _| {
            let offered = facts::get()
                .types()
                .iter()
                .filter(|t| t.zones.contains_key(region));
            Ok(offered
                .filter_map(|t| Some((t.name.clone(), t.on_demand(region)?.per_hour)))
                .collect())
        })
    }

    fn describe_instances(&self, filters: Vec<Filter>) -> Call<'_, Vec<Instance>> {
        self.answer("DescribeInstances", Class::Describe, |state, now| {
            let ids = filters.iter().find(|f| &*f.name == "instance-id");
            let found = match ids.filter(|f| f.values.iter().all(|v| !v.contains('*'))) {
                Some(by_id) => {
                    let records = by_id.values.iter().filter_map(|id| state.records.get(id));
                    select(records, |r| instance_matches(r, &filters, now))?
                }
                None => select(state.records.values(), |r| instance_matches(r, &filters, now))?,
            };
            let visible = found.into_iter().filter(|r| r.visible_at <= now);
            Ok(visible.map(|r| shown(state, r, now)).collect())
        })
    }

    fn describe_capacity_reservations(
        &self,
        ids: Vec<Name>,
        filters: Vec<Filter>,
    ) -> Call<'_, Vec<CapacityReservation>> {
        self.answer("DescribeCapacityReservations", Class::Describe, |state, now| {
            state.described_reservations(&ids, &filters, now)
        })
    }

    fn describe_instance_status(&self, filters: Vec<Filter>) -> Call<'_, Vec<InstanceStatus>> {
        self.answer("DescribeInstanceStatus", Class::Describe, |state, _| {
            let live = |s: &&InstanceStatus| state.records.get(&s.instance_id).is_some_and(Record::is_live);
            let found = select(state.statuses.values().filter(live), |s| {
                let check = |since: Option<Timestamp>| vec![if since.is_some() { "impaired" } else { "ok" }];
                matches(&filters, |name| match name {
                    "event.code" => Some(s.events.iter().map(|e| &**e).collect()),
                    "instance-status.status" => Some(check(s.instance_impaired_since)),
                    "system-status.status" => Some(check(s.system_impaired_since)),
                    _ => None,
                })
            })?;
            Ok(found.into_iter().cloned().collect())
        })
    }

    fn describe_launch_template(&self, name: Name) -> Call<'_, LaunchTemplate> {
        self.answer("DescribeLaunchTemplates", Class::Describe, |state, _| {
            let found = state.templates.get(&name).map(Template::shown);
            found.ok_or_else(|| no_template(&name))
        })
    }

    fn describe_launch_templates(&self, filters: Vec<Filter>) -> Call<'_, Vec<LaunchTemplate>> {
        self.answer("DescribeLaunchTemplates", Class::Describe, |state, _| {
            select(state.templates.values().map(Template::shown), |t| {
                matches(&filters, |name| match name {
                    "launch-template-name" => Some(vec![&*t.launch_template_name]),
                    other => tag_values(&t.tags, other),
                })
            })
        })
    }
}

impl Ec2Write for Ec2 {
    fn create_launch_template(&self, request: CreateLaunchTemplate) -> Call<'_, LaunchTemplate> {
        let seed = self.0.config.seed;
        self.answer("CreateLaunchTemplate", Class::Mutate, |state, _| {
            let name = request.launch_template_name;
            if state.templates.contains_key(&name) {
                let message = format!("Launch template name already in use: {name}");
                return Err(Ec2Error::new(
                    "InvalidLaunchTemplateName.AlreadyExistsException",
                    message,
                ));
            }
            state.meta.counter += 1;
            let id = random::draw(seed, "template", &state.meta.counter.to_string());
            let template = Template {
                id: format!("lt-0{id:016x}").into(),
                name: name.clone(),
                data: request.data.into(),
                tags: request
                    .tag_specifications
                    .into_iter()
                    .filter(|s| &*s.resource_type == "launch-template")
                    .flat_map(|s| s.tags)
                    .collect(),
            };
            self.save(TEMPLATES, &name, &template);
            self.save_meta(state);
            let shown = template.shown();
            state.templates.insert(name, template);
            Ok(shown)
        })
    }

    fn delete_launch_template(&self, name: Name) -> Call<'_, ()> {
        self.answer("DeleteLaunchTemplate", Class::Mutate, |state, _| {
            state.templates.remove(&name).ok_or_else(|| no_template(&name))?;
            self.forget(TEMPLATES, &name);
            Ok(())
        })
    }

    fn create_fleet(&self, request: CreateFleet) -> Call<'_, FleetResult> {
        self.answer("CreateFleet", Class::Mutate, |state, now| {
            self.fleet(state, &request, now)
        })
    }

    fn terminate_instance(&self, instance_id: Name) -> Call<'_, ()> {
        self.answer("TerminateInstances", Class::Terminate, |state, now| {
            if !state.records.contains_key(&instance_id) {
                return Err(no_instance(&instance_id));
            }
            self.end(state, &instance_id, now);
            Ok(())
        })
    }

    fn create_tags(&self, resource: Name, tags: Tags) -> Call<'_, ()> {
        self.answer("CreateTags", Class::Tag, |state, _| {
            let record = state
                .records
                .get_mut(&resource)
                .ok_or_else(|| no_instance(&resource))?;
            record.instance.tags.extend(tags);
            self.save(INSTANCES, &resource, record);
            Ok(())
        })
    }
}

impl Queue for Ec2 {
    fn receive_messages(&self) -> Call<'_, Vec<QueueMessage>> {
        let state = self.lock();
        let messages: Vec<QueueMessage> = state.queue.iter().take(MESSAGES).cloned().collect();
        Box::pin(ready(Ok(messages)))
    }

    fn delete_message(&self, receipt: Name) -> Call<'_, ()> {
        self.lock().queue.retain(|m| m.receipt != receipt);
        Box::pin(ready(Ok(())))
    }
}
