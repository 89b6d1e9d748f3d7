//! Answers of the describe calls in the port's words.

use aws_sdk_ec2::types;

use super::convert::{name, tags, time, written_time};
use crate::cloud::aws::api::{
    CapacityReservation, Gpu, Image, InferenceAccelerator, Instance, InstanceStatus, InstanceStorage,
    InstanceTypeInfo, LaunchTemplate, NetworkCard, NeuronDevice, SecurityGroup, SpotPrice, Subnet,
    TypeOffering,
};
use crate::model::{Name, UsdPerHour};

fn number(n: Option<i32>) -> i64 {
    n.map_or(0, i64::from)
}

/// `None` for an entry without a name.
pub(super) fn instance_type(info: types::InstanceTypeInfo) -> Option<InstanceTypeInfo> {
    let processor = info.processor_info;
    let clock = processor.as_ref().and_then(|p| p.sustained_clock_speed_in_ghz);
    // A clock of some GHz in MHz fits.
    #[allow(clippy::cast_possible_truncation)]
    let sustained_clock_mhz = clock.map(|ghz| (ghz * 1000.0).round() as i64);
    let by_default = |e: &types::EbsInfo| {
        e.ebs_optimized_support
            .as_ref()
            .is_some_and(|s| s.as_str() == "default")
    };
    let ebs = info
        .ebs_info
        .filter(by_default)
        .and_then(|e| e.ebs_optimized_info);
    let network = info.network_info;
    let network = network.as_ref();
    Some(InstanceTypeInfo {
        instance_type: info.instance_type?.as_str().into(),
        bare_metal: info.bare_metal.unwrap_or(false),
        hypervisor: info.hypervisor.map(|h| h.as_str().into()),
        supported_usage_classes: info
            .supported_usage_classes
            .unwrap_or_default()
            .iter()
            .map(|u| u.as_str().into())
            .collect(),
        supported_architectures: processor
            .as_ref()
            .and_then(|p| p.supported_architectures.as_ref())
            .map(|all| all.iter().map(|a| a.as_str().into()).collect())
            .unwrap_or_default(),
        processor_manufacturer: processor
            .as_ref()
            .and_then(|p| p.manufacturer.as_deref())
            .map(Name::from),
        sustained_clock_mhz,
        default_vcpus: number(info.v_cpu_info.and_then(|v| v.default_v_cpus)),
        memory_mib: info.memory_info.and_then(|m| m.size_in_mib).unwrap_or(0),
        ebs_maximum_bandwidth_mbps: ebs.and_then(|e| e.maximum_bandwidth_in_mbps).map(i64::from),
        network_cards: network.map(network_cards).unwrap_or_default(),
        default_network_card_index: network
            .and_then(|n| n.default_network_card_index)
            .and_then(|i| usize::try_from(i).ok())
            .unwrap_or(0),
        ipv4_addresses_per_interface: number(network.and_then(|n| n.ipv4_addresses_per_interface)),
        maximum_efa_interfaces: number(
            network
                .and_then(|n| n.efa_info.as_ref())
                .and_then(|e| e.maximum_efa_interfaces),
        ),
        encryption_in_transit_supported: network
            .and_then(|n| n.encryption_in_transit_supported)
            .unwrap_or(false),
        nitro_enclaves_supported: info.nitro_enclaves_support.map(|s| s.as_str() == "supported"),
        instance_storage: info.instance_storage_info.and_then(|s| {
            Some(InstanceStorage {
                total_size_gb: s.total_size_in_gb?,
                nvme_support: s.nvme_support.map_or("unsupported".into(), |n| n.as_str().into()),
            })
        }),
        gpus: info
            .gpu_info
            .and_then(|g| g.gpus)
            .unwrap_or_default()
            .into_iter()
            .map(|g| Gpu {
                name: name(g.name),
                manufacturer: name(g.manufacturer),
                count: number(g.count),
                memory_mib: number(g.memory_info.and_then(|m| m.size_in_mib)),
            })
            .collect(),
        inference_accelerators: info
            .inference_accelerator_info
            .and_then(|a| a.accelerators)
            .unwrap_or_default()
            .into_iter()
            .map(|a| InferenceAccelerator {
                name: name(a.name),
                manufacturer: name(a.manufacturer),
                count: number(a.count),
            })
            .collect(),
        neuron_devices: info
            .neuron_info
            .and_then(|n| n.neuron_devices)
            .unwrap_or_default()
            .into_iter()
            .map(|n| NeuronDevice {
                name: name(n.name),
                count: number(n.count),
                cores: number(n.core_info.and_then(|c| c.count)),
            })
            .collect(),
    })
}

fn network_cards(network: &types::NetworkInfo) -> Vec<NetworkCard> {
    network
        .network_cards
        .iter()
        .flatten()
        .map(|card| NetworkCard {
            maximum_network_interfaces: number(card.maximum_network_interfaces),
        })
        .collect()
}

pub(super) fn offering(offered: types::InstanceTypeOffering) -> Option<TypeOffering> {
    Some(TypeOffering {
        instance_type: offered.instance_type?.as_str().into(),
        availability_zone: offered.location?.into(),
    })
}

pub(super) fn subnet(subnet: types::Subnet) -> Subnet {
    Subnet {
        subnet_id: name(subnet.subnet_id),
        vpc_id: name(subnet.vpc_id),
        availability_zone: name(subnet.availability_zone),
        availability_zone_id: name(subnet.availability_zone_id),
        available_ip_address_count: number(subnet.available_ip_address_count),
        tags: tags(subnet.tags),
    }
}

pub(super) fn security_group(group: types::SecurityGroup) -> SecurityGroup {
    SecurityGroup {
        group_id: name(group.group_id),
        group_name: name(group.group_name),
        vpc_id: name(group.vpc_id),
        tags: tags(group.tags),
    }
}

/// An image without a creation time counts as the oldest.
pub(super) fn image(image: types::Image) -> Image {
    Image {
        image_id: name(image.image_id),
        name: name(image.name),
        architecture: image.architecture.map_or(Name::default(), |a| a.as_str().into()),
        owner_id: name(image.owner_id),
        creation_date: written_time(image.creation_date.as_deref()).unwrap_or_default(),
        deprecation_time: written_time(image.deprecation_time.as_deref()),
        tags: tags(image.tags),
    }
}

/// `None` for a record without a time or with a price that is no number (`aws §8`); the time in seconds tells which of
/// two records is the newer one.
pub(super) fn spot_price(record: types::SpotPrice) -> Option<(i64, SpotPrice)> {
    let at = record.timestamp?.secs();
    let price: f64 = record.spot_price?.parse().ok()?;
    let price = Some(price).filter(|p| p.is_finite() && *p > 0.0)?;
    Some((
        at,
        SpotPrice {
            instance_type: record.instance_type?.as_str().into(),
            availability_zone: record.availability_zone?.into(),
            price: UsdPerHour::from_f64(price),
        },
    ))
}

pub(super) fn instance(instance: types::Instance) -> Instance {
    let placement = instance.placement;
    let tenancy = placement.as_ref().and_then(|p| p.tenancy.as_ref());
    let spot = instance.instance_lifecycle.is_some_and(|l| l.as_str() == "spot");
    // An instance that fell into an open reservation is an on-demand one (`aws §13`).
    let preference = instance
        .capacity_reservation_specification
        .and_then(|s| s.capacity_reservation_preference);
    let reserved = preference.is_some_and(|p| p.as_str() == "capacity-reservations-only");
    let request = instance.spot_instance_request_id.map(Name::from);
    Instance {
        instance_id: name(instance.instance_id),
        instance_type: instance
            .instance_type
            .map_or(Name::default(), |t| t.as_str().into()),
        image_id: name(instance.image_id),
        state: instance
            .state
            .and_then(|s| s.name)
            .map_or("pending".into(), |n| n.as_str().into()),
        launch_time: instance.launch_time.map(|t| time(&t)).unwrap_or_default(),
        availability_zone: placement
            .as_ref()
            .and_then(|p| p.availability_zone.as_deref())
            .map_or(Name::default(), Name::from),
        subnet_id: name(instance.subnet_id),
        security_group_ids: instance
            .security_groups
            .unwrap_or_default()
            .into_iter()
            .filter_map(|g| g.group_id.map(Name::from))
            .collect(),
        private_dns_name: name(instance.private_dns_name),
        private_ip_address: name(instance.private_ip_address),
        // The lifecycle alone says spot where the request's id is not told.
        spot_instance_request_id: request.or_else(|| spot.then(Name::default)),
        capacity_reservation_id: instance
            .capacity_reservation_id
            .filter(|_| reserved)
            .map(Name::from),
        tenancy: tenancy.map_or("default".into(), |t| t.as_str().into()),
        tags: tags(instance.tags),
    }
}

pub(super) fn launch_template(template: types::LaunchTemplate) -> LaunchTemplate {
    LaunchTemplate {
        launch_template_id: name(template.launch_template_id),
        launch_template_name: name(template.launch_template_name),
        tags: tags(template.tags),
    }
}

pub(super) fn reservation(one: types::CapacityReservation) -> CapacityReservation {
    CapacityReservation {
        reservation_id: name(one.capacity_reservation_id),
        instance_type: name(one.instance_type),
        availability_zone: name(one.availability_zone),
        owner_id: name(one.owner_id),
        instance_match_criteria: one
            .instance_match_criteria
            .map_or(Name::default(), |c| c.as_str().into()),
        reservation_type: one
            .reservation_type
            .map_or("default".into(), |t| t.as_str().into()),
        interruptible: one.interruptible.unwrap_or(false),
        state: one.state.map_or(Name::default(), |s| s.as_str().into()),
        end_date: one.end_date.map(|t| time(&t)),
        available_instance_count: number(one.available_instance_count),
        tags: tags(one.tags),
    }
}

/// EC2 keeps events that are over for a week, and says so in their text.
pub(super) fn status(one: types::InstanceStatus) -> InstanceStatus {
    let since = |summary: Option<types::InstanceStatusSummary>| {
        let failed = summary?.details.unwrap_or_default();
        failed
            .into_iter()
            .filter_map(|d| d.impaired_since)
            .map(|t| time(&t))
            .min()
    };
    let over = |text: &str| text.starts_with("[Completed]") || text.starts_with("[Canceled]");
    InstanceStatus {
        instance_id: name(one.instance_id),
        instance_impaired_since: since(one.instance_status),
        system_impaired_since: since(one.system_status),
        events: one
            .events
            .unwrap_or_default()
            .into_iter()
            .filter(|e| !e.description.as_deref().is_some_and(over))
            .filter_map(|e| Some(e.code?.as_str().into()))
            .collect(),
    }
}
