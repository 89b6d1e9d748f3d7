//! CreateFleet of type `instant` to the wire and back (`aws §9.4`).

use aws_sdk_ec2::operation::create_fleet::CreateFleetOutput;
use aws_sdk_ec2::operation::create_fleet::builders::CreateFleetFluentBuilder;
use aws_sdk_ec2::types;
use jiff::Timestamp;

use super::convert::{count, name, tag_specification};
use crate::cloud::aws::api::{
    CreateFleet, FleetConfig, FleetError, FleetInstance, FleetOverride, FleetResult,
};
use crate::model::{Name, UsdPerHour};

/// Fills the call in.
pub(super) fn request(call: CreateFleetFluentBuilder, wanted: &CreateFleet) -> CreateFleetFluentBuilder {
    let capacity = types::TargetCapacitySpecificationRequest::builder()
        .total_target_capacity(count(wanted.total_target_capacity.into()))
        .default_target_capacity_type((&*wanted.default_target_capacity_type).into())
        .build();
    let spot = wanted.spot_allocation_strategy.as_ref().map(|strategy| {
        types::SpotOptionsRequest::builder()
            .allocation_strategy((&**strategy).into())
            .build()
    });
    let on_demand = wanted.on_demand_allocation_strategy.as_ref().map(|strategy| {
        types::OnDemandOptionsRequest::builder()
            .allocation_strategy((&**strategy).into())
            .build()
    });
    let reserved = (!wanted.reservation_types.is_empty()).then(|| {
        let kinds = wanted.reservation_types.iter().map(|t| (&**t).into());
        types::ReservedCapacityOptionsRequest::builder()
            .set_reservation_types(Some(kinds.collect()))
            .build()
    });
    call.r#type(types::FleetType::Instant)
        .set_reserved_capacity_options(reserved)
        .client_token(&*wanted.client_token)
        .target_capacity_specification(capacity)
        .set_spot_options(spot)
        .set_on_demand_options(on_demand)
        .set_context(wanted.context.as_ref().map(ToString::to_string))
        .set_launch_template_configs(Some(wanted.launch_template_configs.iter().map(config).collect()))
        .set_tag_specifications(Some(
            wanted.tag_specifications.iter().map(tag_specification).collect(),
        ))
}

fn config(config: &FleetConfig) -> types::FleetLaunchTemplateConfigRequest {
    let template = types::FleetLaunchTemplateSpecificationRequest::builder()
        .launch_template_name(&*config.launch_template_name)
        .version("$Latest")
        .build();
    let overrides = config.overrides.iter().map(|o| {
        types::FleetLaunchTemplateOverridesRequest::builder()
            .instance_type((&*o.instance_type).into())
            .subnet_id(&*o.subnet_id)
            .availability_zone(&*o.availability_zone)
            .image_id(&*o.image_id)
            .priority(o.priority.as_f64())
            .build()
    });
    types::FleetLaunchTemplateConfigRequest::builder()
        .launch_template_specification(template)
        .set_overrides(Some(overrides.collect()))
        .build()
}

/// What the fleet gave; an instance counts as launched when the answer came.
pub(super) fn result(answer: CreateFleetOutput, wanted: &CreateFleet, now: Timestamp) -> FleetResult {
    let lifecycle = |l: Option<types::InstanceLifecycle>| match l {
        Some(l) => l.as_str().into(),
        None if &*wanted.default_target_capacity_type == "spot" => "spot".into(),
        None => "on-demand".into(),
    };
    let instances = answer.instances.unwrap_or_default().into_iter().filter_map(|i| {
        let kind = i.instance_type.as_ref().map(types::InstanceType::as_str);
        Some(FleetInstance {
            chosen: tried(wanted, i.launch_template_and_overrides.as_ref(), kind)?,
            instance_ids: i
                .instance_ids
                .unwrap_or_default()
                .into_iter()
                .map(Name::from)
                .collect(),
            lifecycle: lifecycle(i.lifecycle),
            launched: now,
        })
    });
    let errors = answer.errors.unwrap_or_default().into_iter().map(|e| FleetError {
        error_code: name(e.error_code),
        error_message: super::error::clean(e.error_message.as_deref().unwrap_or_default()),
        lifecycle: lifecycle(e.lifecycle),
        tried: tried(wanted, e.launch_template_and_overrides.as_ref(), None),
    });
    FleetResult {
        fleet_id: name(answer.fleet_id),
        instances: instances.collect(),
        errors: errors.collect(),
    }
}

/// The override that an answer echoes. What it leaves out is completed from the override asked for: some answers name
/// the subnet but not its zone.
fn tried(
    wanted: &CreateFleet,
    echoed: Option<&types::LaunchTemplateAndOverridesResponse>,
    instance_type: Option<&str>,
) -> Option<FleetOverride> {
    let echo = echoed.and_then(|e| e.overrides.as_ref());
    let kind = echo
        .and_then(|o| o.instance_type.as_ref())
        .map(types::InstanceType::as_str);
    let kind = kind.or(instance_type)?;
    let subnet = echo.and_then(|o| o.subnet_id.as_deref());
    let zone = echo.and_then(|o| o.availability_zone.as_deref());
    let image = echo.and_then(|o| o.image_id.as_deref());
    let same = |have: &Name, said: Option<&str>| said.is_none_or(|said| **have == *said);
    let asked = wanted
        .launch_template_configs
        .iter()
        .flat_map(|c| &c.overrides)
        .find(|o| {
            *o.instance_type == *kind
                && same(&o.subnet_id, subnet)
                && same(&o.availability_zone, zone)
                && same(&o.image_id, image)
        });
    let or_asked = |said: Option<&str>, of: fn(&FleetOverride) -> &Name| match said {
        Some(said) => said.into(),
        None => asked.map_or(Name::default(), |o| of(o).clone()),
    };
    Some(FleetOverride {
        instance_type: kind.into(),
        subnet_id: or_asked(subnet, |o| &o.subnet_id),
        availability_zone: or_asked(zone, |o| &o.availability_zone),
        image_id: or_asked(image, |o| &o.image_id),
        priority: match asked {
            Some(asked) => asked.priority,
            None => UsdPerHour::from_f64(echo.and_then(|o| o.priority).unwrap_or(0.0)),
        },
    })
}
