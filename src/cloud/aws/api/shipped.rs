//! The shipped facts in EC2's words: what the embedded EC2 answers, and test data for everything else.

use super::{
    Gpu, InferenceAccelerator, InstanceStorage, InstanceTypeInfo, NetworkCard, NeuronDevice, TypeOffering,
};
use crate::facts::{self, TypeFacts};
use crate::model::Name;

/// An architecture as EC2 spells it.
fn architecture(kubernetes: &str) -> Name {
    match kubernetes {
        "amd64" => "x86_64".into(),
        "386" => "i386".into(),
        "amd64_mac" => "x86_64_mac".into(),
        other => other.into(),
    }
}

/// A type as DescribeInstanceTypes would answer.
pub fn instance_type(t: &TypeFacts) -> InstanceTypeInfo {
    let maker = match &*t.cpu_maker {
        "intel" => "Intel",
        "amd" => "AMD",
        "aws" => "AWS",
        "apple" => "Apple",
        other => other,
    };
    let cards = usize::try_from(t.eni.cards).unwrap_or(1).max(1);
    let mut network_cards = vec![
        NetworkCard {
            maximum_network_interfaces: t.eni.default_card,
        };
        1
    ];
    // What the other cards hold together, spread evenly.
    let others = i64::try_from(cards - 1).unwrap_or(0);
    if others > 0 {
        let each = (t.eni.max - t.eni.default_card).max(0) / others;
        network_cards.resize(
            cards,
            NetworkCard {
                maximum_network_interfaces: each,
            },
        );
    }
    #[allow(clippy::cast_possible_truncation)]
    let clock = t.clock_ghz.map(|ghz| (ghz * 1000.0).round() as i64);
    InstanceTypeInfo {
        instance_type: t.name.clone(),
        bare_metal: t.metal,
        hypervisor: t.hypervisor.clone(),
        supported_usage_classes: t.usage.clone(),
        supported_architectures: t.arch.iter().map(|a| architecture(a)).collect(),
        processor_manufacturer: Some(maker.into()),
        sustained_clock_mhz: clock,
        default_vcpus: t.vcpu,
        memory_mib: t.mem_mib,
        ebs_maximum_bandwidth_mbps: t.ebs_mbps,
        network_cards,
        default_network_card_index: 0,
        ipv4_addresses_per_interface: t.eni.ipv4_each,
        maximum_efa_interfaces: t.efa_max,
        encryption_in_transit_supported: t.encryption_in_transit,
        nitro_enclaves_supported: None,
        instance_storage: t.disk_gb.map(|total_size_gb| InstanceStorage {
            total_size_gb,
            nvme_support: t.disk_nvme.clone().unwrap_or_else(|| "unsupported".into()),
        }),
        gpus: t
            .gpu
            .iter()
            .map(|g| Gpu {
                name: g.name.clone(),
                manufacturer: g.maker.clone(),
                count: g.count,
                memory_mib: g.mem_mib,
            })
            .collect(),
        inference_accelerators: t
            .accel
            .iter()
            .filter(|a| &*a.kind == "InferenceAccelerator")
            .map(|a| InferenceAccelerator {
                name: a.name.clone(),
                manufacturer: a.maker.clone(),
                count: a.count,
            })
            .collect(),
        neuron_devices: t
            .neuron
            .iter()
            .map(|n| NeuronDevice {
                name: n.name.clone(),
                count: n.count,
                cores: n.cores,
            })
            .collect(),
    }
}

/// Every (type, zone) that a region offers.
pub fn offerings(region: &str) -> Vec<TypeOffering> {
    facts::get()
        .types()
        .iter()
        .flat_map(|t| {
            t.zone_names(region).into_iter().map(|zone| TypeOffering {
                instance_type: t.name.clone(),
                availability_zone: zone,
            })
        })
        .collect()
}
