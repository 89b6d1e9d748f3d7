//! What the kubelet of a machine reports: the hardware, and what its user data makes it keep back.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cloud::aws::api::LaunchTemplateData;
use crate::facts::TypeFacts;
use crate::model::Resources;
use crate::model::resources::{CPU, EPHEMERAL, MEMORY, parse_quantity};
use crate::world::random;

const MIB: i64 = 1 << 20;
const GIB: i64 = 1 << 30;
/// Share of memory that the hypervisor takes, as a rule of thumb of the field.
const HYPERVISOR_PER_MILLE: i64 = 75;

/// Kubelet settings that change capacity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub max_pods: Option<i64>,
    pub pods_per_core: Option<i64>,
    pub kube_reserved: BTreeMap<String, String>,
    pub system_reserved: BTreeMap<String, String>,
    pub eviction_hard: BTreeMap<String, String>,
    pub raid0: bool,
}

/// Reads nodeadm documents (AL2023), Bottlerocket settings or bootstrap arguments (AL2); what it cannot read, a
/// real machine would not either, and defaults hold.
pub fn settings(user_data: &str) -> Settings {
    let mut out = Settings::default();
    if user_data.contains("node.eks.aws") {
        for document in node_configs(user_data) {
            nodeadm(&document, &mut out);
        }
    } else if user_data.contains("/etc/eks/bootstrap.sh") {
        arguments(user_data, &mut out);
    } else if let Ok(document) = toml::from_str::<Value>(user_data) {
        let kubernetes = &document["settings"]["kubernetes"];
        out.max_pods = kubernetes["max-pods"].as_i64();
        take_map(&kubernetes["kube-reserved"], &mut out.kube_reserved);
        take_map(&kubernetes["system-reserved"], &mut out.system_reserved);
        take_map(&kubernetes["eviction-hard"], &mut out.eviction_hard);
        out.raid0 = document["settings"]["bootstrap-commands"]["000-mount-instance-storage"].is_object();
    }
    out
}

/// The YAML documents of the nodeadm parts of a multipart text.
fn node_configs(text: &str) -> Vec<Value> {
    let boundary = text
        .lines()
        .find_map(|l| l.split_once("boundary=").map(|(_, b)| b.trim().trim_matches('"')));
    let Some(boundary) = boundary else {
        return serde_saphyr::from_str(text).into_iter().collect();
    };
    text.split(&format!("\n--{boundary}"))
        .skip(1)
        .filter_map(|part| part.split_once("\n\n"))
        .filter(|(headers, _)| headers.contains("application/node.eks.aws"))
        .filter_map(|(_, body)| serde_saphyr::from_str(body).ok())
        .collect()
}

/// Later documents win.
fn nodeadm(document: &Value, out: &mut Settings) {
    let kubelet = &document["spec"]["kubelet"]["config"];
    out.max_pods = kubelet["maxPods"].as_i64().or(out.max_pods);
    out.pods_per_core = kubelet["podsPerCore"].as_i64().or(out.pods_per_core);
    take_map(&kubelet["kubeReserved"], &mut out.kube_reserved);
    take_map(&kubelet["systemReserved"], &mut out.system_reserved);
    take_map(&kubelet["evictionHard"], &mut out.eviction_hard);
    if document["spec"]["instance"]["localStorage"]["strategy"] == "RAID0" {
        out.raid0 = true;
    }
}

fn take_map(from: &Value, into: &mut BTreeMap<String, String>) {
    for (key, value) in from.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        into.insert(key.clone(), text);
    }
}

fn arguments(text: &str, out: &mut Settings) {
    let flag = |name: &str| {
        let at = text.find(&format!("--{name}="))? + name.len() + 3;
        let rest = text.get(at..)?;
        let (value, _) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => rest.split_once([' ', '\'', '\n']).unwrap_or((rest, "")),
        };
        Some(value.to_owned())
    };
    let pairs = |name: &str, between: char| -> BTreeMap<String, String> {
        flag(name)
            .unwrap_or_default()
            .split(',')
            .filter_map(|p| p.split_once(between))
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect()
    };
    out.max_pods = flag("max-pods").and_then(|n| n.parse().ok());
    out.pods_per_core = flag("pods-per-core").and_then(|n| n.parse().ok());
    out.kube_reserved = pairs("kube-reserved", '=');
    out.system_reserved = pairs("system-reserved", '=');
    out.eviction_hard = pairs("eviction-hard", '<');
    out.raid0 = text.contains("--local-disks raid0");
}

/// Bytes of the disk that holds the kubelet's files.
fn disk(data: &LaunchTemplateData) -> i64 {
    let size = |device: &str| {
        data.block_device_mappings
            .iter()
            .find(|m| &*m.device_name == device)
            .and_then(|m| m.ebs.as_ref()?.volume_size_gib)
    };
    let last = || {
        let mapping = data.block_device_mappings.last()?;
        mapping.ebs.as_ref()?.volume_size_gib
    };
    size("/dev/xvdb")
        .or_else(|| size("/dev/xvda"))
        .or_else(last)
        .unwrap_or(20)
        * GIB
}

fn eni_pods(t: &TypeFacts) -> i64 {
    t.eni.default_card * (t.eni.ipv4_each - 1) + 2
}

/// Capacity and allocatable of one machine. Its memory is up to 2 % above the rule of thumb.
pub fn amounts(seed: u64, id: &str, t: &TypeFacts, data: &LaunchTemplateData) -> (Resources, Resources) {
    let settings = settings(&data.user_data);
    let is_arm = t.arch.first().is_some_and(|a| &**a == "arm64");
    let sold = t.mem_mib - if is_arm { 64 } else { 0 };
    let formula = sold - (sold * HYPERVISOR_PER_MILLE + 999) / 1000;
    // Between 0 and 2 %, to the KiB as a kubelet reads it.
    let extra_kib = formula * 1024 / 50 * i64::from(draw_16(seed, id)) / 65_536;
    let mut pods = settings.max_pods.unwrap_or_else(|| eni_pods(t));
    if let Some(n) = settings.pods_per_core.filter(|n| *n > 0) {
        pods = pods.min(n * t.vcpu);
    }
    let mut capacity = Resources {
        cpu: t.vcpu * 1000,
        memory: formula * MIB + extra_kib * 1024,
        pods,
        ephemeral: match t.disk_gb {
            Some(gb) if settings.raid0 => gb * 1_000_000_000,
            _ => disk(data),
        },
        ..Resources::default()
    };
    devices(t, data, &mut capacity);
    let mut allocatable = capacity.clone();
    allocatable.sub(&kept_back(t, &settings, &capacity));
    (capacity, allocatable)
}

fn draw_16(seed: u64, id: &str) -> u16 {
    u16::try_from(random::draw(seed, "memory", id) >> 48).unwrap_or(0)
}

/// What device plugins advertise.
fn devices(t: &TypeFacts, data: &LaunchTemplateData, capacity: &mut Resources) {
    for (maker, key) in [("NVIDIA", "nvidia.com/gpu"), ("AMD", "amd.com/gpu")] {
        let of_maker = t.gpu.iter().filter(|g| &*g.maker == maker);
        capacity.set(key, of_maker.map(|g| g.count).sum());
    }
    capacity.set("aws.amazon.com/neuron", t.neuron.iter().map(|n| n.count).sum());
    let cores = t.neuron.first().map_or(0, |n| n.count * n.cores);
    capacity.set("aws.amazon.com/neuroncore", cores);
    capacity.set("vpc.amazonaws.com/pod-eni", t.branch_eni.unwrap_or(0));
    let efa = data
        .network_interfaces
        .iter()
        .filter(|n| n.interface_type.as_deref().is_some_and(|k| k.starts_with("efa")))
        .count();
    capacity.set("vpc.amazonaws.com/efa", i64::try_from(efa).unwrap_or(0));
}

fn kept_back(t: &TypeFacts, settings: &Settings, capacity: &Resources) -> Resources {
    let millis = t.vcpu * 1000;
    let slice = |from: i64, to: i64, share: i64| (millis.min(to) - from).max(0) * share / 10_000;
    let mut out = Resources {
        cpu: slice(0, 1000, 600) + slice(1000, 2000, 100) + slice(2000, 4000, 50) + slice(4000, i64::MAX, 25),
        memory: (11 * eni_pods(t) + 255) * MIB,
        ephemeral: GIB,
        ..Resources::default()
    };
    for key in [CPU, MEMORY, EPHEMERAL] {
        if let Some(value) = settings
            .kube_reserved
            .get(key)
            .and_then(|v| parse_quantity(key, v).ok())
        {
            out.set(key, value);
        }
        if let Some(value) = settings
            .system_reserved
            .get(key)
            .and_then(|v| parse_quantity(key, v).ok())
        {
            out.set(key, out.get(key) + value);
        }
    }
    let threshold = |key: &str, default: &str, of: i64| {
        let text = settings.eviction_hard.get(key).map_or(default, String::as_str);
        match text.strip_suffix('%').map(str::parse::<i64>) {
            Some(Ok(percent)) if percent < 100 => (of * percent + 99) / 100,
            Some(_) => 0,
            None => parse_quantity(MEMORY, text).unwrap_or(0),
        }
    };
    out.memory += threshold("memory.available", "100Mi", capacity.memory);
    out.ephemeral += threshold("nodefs.available", "10%", capacity.ephemeral);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts;

    #[test]
    fn a_default_machine_keeps_what_the_rules_say() {
        let t = facts::get().find("m5.large").expect("type");
        let data = LaunchTemplateData::default();
        let (capacity, allocatable) = amounts(1, "i-1", t, &data);
        assert_eq!(capacity.pods, 29);
        let formula = 7577 * MIB;
        assert!(capacity.memory >= formula && capacity.memory <= formula + formula / 50);
        assert_eq!(allocatable.cpu, 1930);
        assert_eq!(allocatable.ephemeral, 17 * GIB);
        assert_eq!(capacity.memory - allocatable.memory, (574 + 100) * MIB);
    }

    #[test]
    fn bootstrap_arguments_and_bottlerocket_settings_are_read() {
        let al2 = settings(
            "/etc/eks/bootstrap.sh 'x' --kubelet-extra-args '--max-pods=42 --kube-reserved=\"cpu=1,memory=2Gi\"'",
        );
        assert_eq!(al2.max_pods, Some(42));
        assert_eq!(al2.kube_reserved.get("memory").map(String::as_str), Some("2Gi"));
        let bottlerocket = settings(
            "[settings.kubernetes]\nmax-pods = 17\n[settings.kubernetes.kube-reserved]\ncpu = \"100m\"\n",
        );
        assert_eq!(bottlerocket.max_pods, Some(17));
        assert_eq!(
            bottlerocket.kube_reserved.get("cpu").map(String::as_str),
            Some("100m")
        );
    }
}
