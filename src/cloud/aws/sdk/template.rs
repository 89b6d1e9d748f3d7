//! Launch templates to the wire (`aws §10`).

use aws_sdk_ec2::operation::create_launch_template::builders::CreateLaunchTemplateFluentBuilder;
use aws_sdk_ec2::types;
use aws_smithy_types::base64;

use super::convert::{count, sdk_tags, strings, tag_specification, text};
use crate::cloud::aws::api::{
    BlockDeviceMapping, CreateLaunchTemplate, LaunchTemplateData, MetadataOptions, NetworkInterface,
};

/// Tags of the template itself belong to the call, those of what it launches to its data.
const TEMPLATE: &str = "launch-template";

/// Fills the call in.
pub(super) fn request(
    call: CreateLaunchTemplateFluentBuilder,
    wanted: &CreateLaunchTemplate,
) -> CreateLaunchTemplateFluentBuilder {
    let (own, launched): (Vec<_>, Vec<_>) = wanted
        .tag_specifications
        .iter()
        .partition(|s| &*s.resource_type == TEMPLATE);
    let own: Vec<_> = own.into_iter().map(tag_specification).collect();
    let launched = launched.into_iter().map(|s| {
        types::LaunchTemplateTagSpecificationRequest::builder()
            .resource_type((&*s.resource_type).into())
            .set_tags(Some(sdk_tags(&s.tags)))
            .build()
    });
    call.launch_template_name(&*wanted.launch_template_name)
        .launch_template_data(data(&wanted.data, launched.collect()))
        .set_tag_specifications((!own.is_empty()).then_some(own))
}

fn data(
    data: &LaunchTemplateData,
    tags: Vec<types::LaunchTemplateTagSpecificationRequest>,
) -> types::RequestLaunchTemplateData {
    let profile = text(&data.iam_instance_profile_name).map(|name| {
        types::LaunchTemplateIamInstanceProfileSpecificationRequest::builder()
            .name(name)
            .build()
    });
    let monitoring = data.detailed_monitoring.map(|on| {
        types::LaunchTemplatesMonitoringRequest::builder()
            .enabled(on)
            .build()
    });
    let placement = text(&data.tenancy).map(|tenancy| {
        types::LaunchTemplatePlacementRequest::builder()
            .tenancy(tenancy.as_str().into())
            .build()
    });
    let reservations = data.capacity_reservation_preference.as_ref().map(|preference| {
        let target = data.capacity_reservation_id.as_ref().map(|id| {
            types::CapacityReservationTarget::builder()
                .capacity_reservation_id(&**id)
                .build()
        });
        types::LaunchTemplateCapacityReservationSpecificationRequest::builder()
            .capacity_reservation_preference((&**preference).into())
            .set_capacity_reservation_target(target)
            .build()
    });
    let market = data.market_type.as_ref().map(|kind| {
        types::LaunchTemplateInstanceMarketOptionsRequest::builder()
            .market_type((&**kind).into())
            .build()
    });
    let user_data = (!data.user_data.is_empty()).then(|| base64::encode(&data.user_data));
    types::RequestLaunchTemplateData::builder()
        .set_image_id(text(&data.image_id))
        .set_iam_instance_profile(profile)
        .set_monitoring(monitoring)
        .set_user_data(user_data)
        .set_block_device_mappings(some(data.block_device_mappings.iter().map(volume)))
        .metadata_options(metadata(&data.metadata_options))
        .set_network_interfaces(some(data.network_interfaces.iter().map(interface)))
        .set_placement(placement)
        .set_capacity_reservation_specification(reservations)
        .set_instance_market_options(market)
        .set_tag_specifications(some(tags))
        .build()
}

/// `None` for an empty list.
fn some<T>(items: impl IntoIterator<Item = T>) -> Option<Vec<T>> {
    let items: Vec<T> = items.into_iter().collect();
    (!items.is_empty()).then_some(items)
}

fn volume(mapping: &BlockDeviceMapping) -> types::LaunchTemplateBlockDeviceMappingRequest {
    let ebs = mapping.ebs.as_ref().map(|ebs| {
        let text = |value: &Option<crate::model::Name>| value.as_ref().map(ToString::to_string);
        types::LaunchTemplateEbsBlockDeviceRequest::builder()
            .set_delete_on_termination(ebs.delete_on_termination)
            .set_encrypted(ebs.encrypted)
            .set_iops(ebs.iops.map(count))
            .set_kms_key_id(text(&ebs.kms_key_id))
            .set_snapshot_id(text(&ebs.snapshot_id))
            .set_throughput(ebs.throughput.map(count))
            .set_volume_initialization_rate(ebs.volume_initialization_rate.map(count))
            .set_volume_size(ebs.volume_size_gib.map(count))
            .set_volume_type(ebs.volume_type.as_ref().map(|t| (&**t).into()))
            .build()
    });
    types::LaunchTemplateBlockDeviceMappingRequest::builder()
        .set_device_name(text(&mapping.device_name))
        .set_ebs(ebs)
        .build()
}

fn metadata(options: &MetadataOptions) -> types::LaunchTemplateInstanceMetadataOptionsRequest {
    let hops = options.http_put_response_hop_limit;
    let ipv6 = options.http_protocol_ipv6.as_ref().and_then(text);
    types::LaunchTemplateInstanceMetadataOptionsRequest::builder()
        .set_http_endpoint(text(&options.http_endpoint).map(|t| t.as_str().into()))
        .set_http_protocol_ipv6(ipv6.map(|t| t.as_str().into()))
        .set_http_put_response_hop_limit((hops > 0).then(|| count(hops)))
        .set_http_tokens(text(&options.http_tokens).map(|t| t.as_str().into()))
        .set_instance_metadata_tags(text(&options.instance_metadata_tags).map(|t| t.as_str().into()))
        .build()
}

fn interface(wanted: &NetworkInterface) -> types::LaunchTemplateInstanceNetworkInterfaceSpecificationRequest {
    types::LaunchTemplateInstanceNetworkInterfaceSpecificationRequest::builder()
        .device_index(count(wanted.device_index))
        .network_card_index(count(wanted.network_card_index))
        .set_interface_type(wanted.interface_type.as_ref().map(ToString::to_string))
        .set_groups(some(strings(&wanted.groups)))
        .set_associate_public_ip_address(wanted.associate_public_ip_address)
        .set_ipv4_prefix_count(wanted.ipv4_prefix_count.map(count))
        .build()
}
