//! Launch templates of a launch (`aws §10`): which types share one, and what is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::filters::Candidate;
use super::reserved::Kind;
use crate::api::ec2nodeclass::Ec2NodeClassSpec;
use crate::api::names;
use crate::cloud::aws::api::{
    BlockDeviceMapping, CreateLaunchTemplate, Ebs, LaunchTemplateData, MetadataOptions, NetworkInterface,
    TagSpecification, Tags,
};
use crate::cloud::aws::family::Family;
use crate::cloud::aws::images;
use crate::cloud::aws::settings::Settings;
use crate::cloud::aws::user_data::{self, Boot};
use crate::cloud::port::CloudError;
use crate::model::node_class::{ResolvedClass, ResolvedImage};
use crate::model::resources::{BadQuantity, EPHEMERAL, parse_quantity};
use crate::model::{CapacityType, Claim, InstanceType, Name, NodeClass};

/// EC2's limit on decoded user data, bytes.
const USER_DATA_LIMIT: usize = 16_384;
const EFA: &str = "vpc.amazonaws.com/efa";

/// Types that share a template.
#[derive(Clone, Debug)]
pub struct Group {
    pub image: ResolvedImage,
    pub max_pods: i64,
    pub efa: i64,
    /// The reservation that its instances come from, and what that is like.
    pub reserved: Option<(Name, Kind)>,
    pub types: Vec<Arc<InstanceType>>,
}

impl Group {
    pub fn reservation(&self) -> Option<&Name> {
        self.reserved.as_ref().map(|(id, _)| id)
    }
}

type Key = (usize, i64, i64, Option<(Name, Kind)>);

/// Groups by image, then by pod count, interfaces for EFA, and reservation. Types that no image boots are in none.
pub fn groups(
    kept: &[Candidate],
    resolved: &ResolvedClass,
    claim: &Claim,
    market: CapacityType,
) -> Vec<Group> {
    let wants_efa = claim.requests.get(EFA) > 0;
    let mut out: BTreeMap<Key, Group> = BTreeMap::new();
    for candidate in kept {
        let instance_type = &candidate.instance_type;
        let Some(image) = images::image_for(&resolved.images, instance_type) else {
            continue;
        };
        let place = resolved.images.iter().position(|i| i == image).unwrap_or(0);
        let max_pods = instance_type.capacity.pods;
        let efa = if wants_efa {
            instance_type.capacity.get(EFA)
        } else {
            0
        };
        let reservations: BTreeSet<Option<(Name, Kind)>> = candidate
            .offerings()
            .filter(|o| o.capacity_type == market)
            .map(|o| o.reservation().cloned().zip(Kind::of(o)))
            .collect();
        for reserved in reservations {
            out.entry((place, max_pods, efa, reserved.clone()))
                .or_insert_with(|| Group {
                    image: image.clone(),
                    max_pods,
                    efa,
                    reserved,
                    types: Vec::new(),
                })
                .types
                .push(instance_type.clone());
        }
    }
    out.into_values().collect()
}

/// Everything that goes into the templates of one launch besides the group.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    pub class: &'a NodeClass,
    pub resolved: &'a ResolvedClass,
    pub claim: &'a Claim,
    pub settings: &'a Settings,
    pub market: CapacityType,
    pub tenancy: &'static str,
    /// Tags of the launch without the token, which differs from launch to launch.
    pub tags: &'a Tags,
}

fn failed(reason: &str, message: String) -> CloudError {
    CloudError::Launch {
        reason: reason.into(),
        message,
    }
}

/// The request that would create the template of a group; equal options give the same name.
///
/// # Errors
/// User data that cannot be merged or is too long, or a volume size that is no quantity.
pub fn request(options: &Options<'_>, group: &Group) -> Result<CreateLaunchTemplate, CloudError> {
    let spec = &*options.class.spec;
    let boot = Boot::new(
        options.class,
        options.claim,
        options.settings,
        options.market,
        group.max_pods,
    );
    let user_data =
        user_data::render(&boot).map_err(|e| failed("LaunchFailed", format!("spec.userData: {e}")))?;
    if user_data.len() > USER_DATA_LIMIT {
        let message = format!(
            "user data has {} bytes, EC2 takes {USER_DATA_LIMIT}",
            user_data.len()
        );
        return Err(failed("UserDataSizeLimitExceeded", message));
    }
    let data = LaunchTemplateData {
        image_id: group.image.id.clone(),
        iam_instance_profile_name: options.resolved.instance_profile.clone(),
        detailed_monitoring: spec.detailed_monitoring,
        user_data,
        block_device_mappings: volumes(spec).map_err(|e| failed("LaunchFailed", e.to_string()))?,
        metadata_options: metadata(spec, &options.settings.region),
        network_interfaces: interfaces(spec, options.resolved, group.efa),
        tenancy: options.tenancy.into(),
        capacity_reservation_preference: options.settings.reserved_capacity.then(|| match group.reserved {
            Some(_) => "capacity-reservations-only".into(),
            None => "none".into(),
        }),
        capacity_reservation_id: group.reservation().cloned(),
        market_type: match group.reserved {
            Some((_, Kind::Block)) => Some("capacity-block".into()),
            Some((_, Kind::Interruptible)) => Some("interruptible-capacity-reservation".into()),
            _ => None,
        },
    };
    let mut kinds = vec!["launch-template", "network-interface"];
    if options.market == CapacityType::Spot {
        kinds.push("spot-instances-request");
    }
    Ok(CreateLaunchTemplate {
        launch_template_name: name(&data, options)?,
        data,
        tag_specifications: kinds
            .into_iter()
            .map(|kind| TagSpecification {
                resource_type: kind.into(),
                tags: options.tags.clone(),
            })
            .collect(),
    })
}

/// `karpenter.k8s.aws/` and a hash of everything in the template.
fn name(data: &LaunchTemplateData, options: &Options<'_>) -> Result<Name, CloudError> {
    let text = serde_json::to_string(&(
        data,
        &*options.settings.cluster_name,
        &*options.class.name,
        options.market.as_str(),
        options.tags,
    ))
    .map_err(|e| failed("LaunchFailed", format!("launch template: {e}")))?;
    let hash = Sha256::digest(text)
        .iter()
        .take(8)
        .fold(0_u64, |all, byte| (all << 8) | u64::from(*byte));
    Ok(format!("{}/{hash}", names::AWS_GROUP).into())
}

fn volumes(spec: &Ec2NodeClassSpec) -> Result<Vec<BlockDeviceMapping>, BadQuantity> {
    if spec.block_device_mappings.is_empty() {
        return Ok(Family::of(spec.family()).default_volumes());
    }
    let text = |value: &Option<String>| value.as_deref().map(Name::from);
    let mut out = Vec::new();
    for mapping in &spec.block_device_mappings {
        let ebs = match &mapping.ebs {
            None => None,
            Some(ebs) => Some(Ebs {
                delete_on_termination: ebs.delete_on_termination,
                encrypted: ebs.encrypted,
                iops: ebs.iops.filter(|n| *n != 0),
                kms_key_id: text(&ebs.kms_key_id),
                snapshot_id: text(&ebs.snapshot_id),
                throughput: ebs.throughput.filter(|n| *n != 0),
                volume_initialization_rate: ebs.volume_initialization_rate.map(i64::from),
                volume_size_gib: match &ebs.volume_size {
                    None => None,
                    Some(size) => Some(gib(parse_quantity(EPHEMERAL, size.as_str())?)),
                },
                volume_type: text(&ebs.volume_type),
            }),
        };
        out.push(BlockDeviceMapping {
            device_name: text(&mapping.device_name).unwrap_or_default(),
            ebs,
        });
    }
    Ok(out)
}

/// Whole GiB that hold `bytes`.
fn gib(bytes: i64) -> i64 {
    bytes / (1 << 30) + i64::from(bytes % (1 << 30) != 0)
}

fn metadata(spec: &Ec2NodeClassSpec, region: &str) -> MetadataOptions {
    let written = spec.metadata();
    // EC2 there does not know the field.
    let isolated = ["us-iso-", "us-isob-", "us-isof-"]
        .iter()
        .any(|prefix| region.starts_with(prefix));
    let text = |value: Option<String>| -> Name { value.unwrap_or_default().into() };
    MetadataOptions {
        http_endpoint: text(written.http_endpoint),
        http_protocol_ipv6: (!isolated).then(|| text(written.http_protocol_ipv6)),
        http_put_response_hop_limit: written.http_put_response_hop_limit.unwrap_or(1),
        http_tokens: text(written.http_tokens),
        instance_metadata_tags: "disabled".into(),
    }
}

fn interfaces(spec: &Ec2NodeClassSpec, resolved: &ResolvedClass, efa: i64) -> Vec<NetworkInterface> {
    let groups: Vec<Name> = resolved
        .security_groups
        .iter()
        .map(|(id, _)| id.clone())
        .collect();
    let ordinary = |card: i64, device: i64, kind: Option<&str>| NetworkInterface {
        network_card_index: card,
        device_index: device,
        interface_type: kind.map(Name::from),
        groups: groups.clone(),
        associate_public_ip_address: spec.associate_public_ip_address,
        ipv4_prefix_count: spec.ip_prefix_count.map(i64::from),
    };
    if !spec.network_interfaces.is_empty() {
        return spec
            .network_interfaces
            .iter()
            .map(|n| {
                let (card, device) = (i64::from(n.network_card_index), i64::from(n.device_index));
                let mut out = ordinary(card, device, Some(&n.interface_type));
                if n.interface_type == "efa-only" {
                    out.associate_public_ip_address = None;
                    out.ipv4_prefix_count = None;
                }
                out
            })
            .collect();
    }
    if efa > 0 {
        return (0..efa)
            .map(|card| ordinary(card, i64::from(card > 0), Some("efa")))
            .collect();
    }
    vec![ordinary(0, 0, None)]
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
