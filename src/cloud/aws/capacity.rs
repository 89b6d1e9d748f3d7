//! Capacity and overhead of a type under a node class (`aws §5.2`, `§6`), to the byte.

use std::collections::BTreeMap;

use super::api::InstanceTypeInfo;
use super::family::Family;
use super::settings::Settings;
use crate::api::ec2nodeclass::Ec2NodeClassSpec;
use crate::model::Resources;
use crate::model::resources::{BadQuantity, CPU, EPHEMERAL, MEMORY, PODS, parse_quantity};

const MIB: i64 = 1 << 20;
const GIB: i64 = 1 << 30;

/// What decides capacity besides the type: the parts of a class that matter, read once.
#[derive(Clone, Debug)]
pub struct Shape {
    pub family: Family,
    pub max_pods: Option<i64>,
    pub pods_per_core: Option<i64>,
    pub kube_reserved: BTreeMap<String, String>,
    pub system_reserved: BTreeMap<String, String>,
    pub eviction_hard: BTreeMap<String, String>,
    /// Local disks are one RAID0 volume that holds the kubelet's files.
    pub raid0: bool,
    /// Bytes of the root volume of the class, before local disks are thought of.
    pub root_volume: i64,
    /// `networkInterfaces` given: number of efa-only ones, and of those on card 0.
    pub efa_only: Option<(i64, i64)>,
    pub vm_memory_overhead: f64,
    pub reserved_enis: i64,
}

impl Shape {
    /// # Errors
    /// A volume size that is no quantity.
    pub fn of(spec: &Ec2NodeClassSpec, settings: &Settings) -> Result<Self, BadQuantity> {
        let family = Family::of(spec.family());
        let kubelet = spec.kubelet.clone().unwrap_or_default();
        let efa_only = |card: Option<i32>| {
            let matching = spec
                .network_interfaces
                .iter()
                .filter(|n| n.interface_type == "efa-only")
                .filter(|n| card.is_none_or(|c| c == n.network_card_index))
                .count();
            i64::try_from(matching).unwrap_or(i64::MAX)
        };
        Ok(Self {
            family,
            max_pods: kubelet.max_pods(),
            pods_per_core: kubelet.pods_per_core(),
            kube_reserved: kubelet.kube_reserved(),
            system_reserved: kubelet.system_reserved(),
            eviction_hard: kubelet.eviction_hard(),
            raid0: spec.instance_store_policy.as_deref() == Some("RAID0"),
            root_volume: root_volume(spec, family)?,
            efa_only: (!spec.network_interfaces.is_empty()).then(|| (efa_only(None), efa_only(Some(0)))),
            vm_memory_overhead: settings.vm_memory_overhead,
            reserved_enis: settings.reserved_enis,
        })
    }
}

/// The volume that ephemeral storage is counted from: the one marked `rootVolume`; else for Custom the last one;
/// else the one on the family's kubelet disk; else the family's default.
fn root_volume(spec: &Ec2NodeClassSpec, family: Family) -> Result<i64, BadQuantity> {
    let mapping = spec.root_volume().or_else(|| match family.kubelet_disk() {
        None => spec.block_device_mappings.last(),
        Some(disk) => spec
            .block_device_mappings
            .iter()
            .find(|m| m.device_name.as_deref() == Some(disk)),
    });
    let size = mapping
        .and_then(|m| m.ebs.as_ref())
        .and_then(|e| e.volume_size.as_ref());
    match size {
        Some(size) => parse_quantity(EPHEMERAL, size.as_str()),
        None => Ok(family.default_disk()),
    }
}

/// The first architecture that we know, in Kubernetes' word.
pub fn architecture(info: &InstanceTypeInfo) -> Option<&'static str> {
    info.supported_architectures.iter().find_map(|a| match &**a {
        "x86_64" => Some("amd64"),
        "arm64" => Some("arm64"),
        _ => None,
    })
}

/// Bytes that a node of the type has: what is sold minus the hypervisor's share.
pub fn memory(info: &InstanceTypeInfo, overhead: f64) -> i64 {
    let sold = info.memory_mib
        - if architecture(info) == Some("arm64") {
            64
        } else {
            0
        };
    // The share is a setting with a fraction; below 2^53 MiB the product is exact enough for its ceiling.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    let taken = (sold as f64 * overhead).ceil() as i64;
    (sold - taken) * MIB
}

/// Pods by network interfaces.
pub fn eni_pods(info: &InstanceTypeInfo, reserved: i64, efa_only_on_card_0: i64) -> i64 {
    let interfaces = info
        .network_cards
        .get(info.default_network_card_index)
        .map_or(0, |c| c.maximum_network_interfaces);
    let usable = (interfaces.saturating_sub(reserved) - efa_only_on_card_0).max(0);
    if usable == 0 {
        0
    } else {
        usable * (info.ipv4_addresses_per_interface - 1) + 2
    }
}

fn pods(info: &InstanceTypeInfo, shape: &Shape) -> i64 {
    let most = match shape.max_pods {
        Some(n) => n,
        None if shape.family.has_eni_density() => {
            let on_card_0 = shape.efa_only.map_or(0, |(_, n)| n);
            eni_pods(info, shape.reserved_enis, on_card_0)
        }
        None => 110,
    };
    match shape.pods_per_core {
        Some(n) if n > 0 && shape.family.has_pods_per_core() => most.min(n * info.default_vcpus),
        _ => most,
    }
}

/// What a node of the type offers. `branch_interfaces` is the entry of the VPC limits table.
pub fn capacity(info: &InstanceTypeInfo, shape: &Shape, branch_interfaces: i64) -> Resources {
    let mut out = Resources {
        cpu: info.default_vcpus * 1000,
        memory: memory(info, shape.vm_memory_overhead),
        pods: pods(info, shape),
        ephemeral: match &info.instance_storage {
            Some(disks) if shape.raid0 => disks.total_size_gb * 1_000_000_000,
            _ => shape.root_volume,
        },
        ..Resources::default()
    };
    out.set("vpc.amazonaws.com/pod-eni", branch_interfaces);
    for (maker, key) in [
        ("nvidia", "nvidia.com/gpu"),
        ("amd", "amd.com/gpu"),
        ("habana", "habana.ai/gaudi"),
    ] {
        let count = info
            .gpus
            .iter()
            .filter(|g| g.manufacturer.eq_ignore_ascii_case(maker))
            .map(|g| g.count)
            .sum();
        out.set(key, count);
    }
    out.set(
        "aws.amazon.com/neuron",
        info.neuron_devices.iter().map(|d| d.count).sum(),
    );
    let cores = info.neuron_devices.first().map_or(0, |d| d.count * d.cores);
    out.set("aws.amazon.com/neuroncore", cores);
    let efa = shape.efa_only.map_or(info.maximum_efa_interfaces, |(n, _)| n);
    out.set("vpc.amazonaws.com/efa", efa);
    out
}

/// Milli-cores that the kubelet keeps: 6 % of the first core, 1 % of the second, 0.5 % of the next two, 0.25 %
/// of the rest, each slice cut to whole millis.
fn reserved_cpu(cores: i64) -> i64 {
    let millis = cores * 1000;
    let slice =
        |from: i64, to: i64, per_mille_10: i64| (millis.min(to) - from).max(0) * per_mille_10 / 10_000;
    slice(0, 1000, 600) + slice(1000, 2000, 100) + slice(2000, 4000, 50) + slice(4000, i64::MAX, 25)
}

/// `value` as bytes of `capacity`: a quantity or a percentage; `100%` switches the threshold off.
fn threshold(value: &str, capacity: i64) -> Result<i64, BadQuantity> {
    let Some(percent) = value.strip_suffix('%') else {
        return parse_quantity(MEMORY, value);
    };
    let percent: f64 = percent.parse().map_err(|_| BadQuantity(value.to_owned()))?;
    if percent >= 100.0 {
        return Ok(0);
    }
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    Ok((capacity as f64 / 100.0 * percent).ceil() as i64)
}

fn overrides(into: &mut Resources, from: &BTreeMap<String, String>) -> Result<(), BadQuantity> {
    for key in [CPU, MEMORY, EPHEMERAL, PODS] {
        if let Some(value) = from.get(key) {
            into.set_quantity(key, value)?;
        }
    }
    Ok(())
}

/// What kubelet and system keep of a node.
pub fn kube_reserved(info: &InstanceTypeInfo, shape: &Shape) -> Result<Resources, BadQuantity> {
    let counted = if shape.family.reserves_for_eni_pods() {
        eni_pods(info, 0, shape.efa_only.map_or(0, |(_, n)| n))
    } else {
        pods(info, shape)
    };
    let mut out = Resources {
        cpu: reserved_cpu(info.default_vcpus),
        memory: (11 * counted + 255) * MIB,
        ephemeral: GIB,
        ..Resources::default()
    };
    overrides(&mut out, &shape.kube_reserved)?;
    Ok(out)
}

/// kube-reserved + system-reserved + the hard eviction threshold.
///
/// # Errors
/// A kubelet setting that is no quantity.
pub fn overhead(
    info: &InstanceTypeInfo,
    shape: &Shape,
    capacity: &Resources,
) -> Result<Resources, BadQuantity> {
    let mut out = kube_reserved(info, shape)?;
    let mut system = Resources::default();
    overrides(&mut system, &shape.system_reserved)?;
    out.add(&system);
    let limit = |key: &str, default: &str, of: i64| {
        threshold(shape.eviction_hard.get(key).map_or(default, String::as_str), of)
    };
    out.memory += limit(
        "memory.available",
        "100Mi",
        memory(info, shape.vm_memory_overhead),
    )?;
    out.ephemeral += limit("nodefs.available", "10%", capacity.ephemeral)?;
    Ok(out)
}

#[cfg(test)]
#[path = "capacity_tests.rs"]
mod tests;
