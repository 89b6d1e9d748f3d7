use serde_json::{Value, json};

use super::super::api::{Gpu, InstanceStorage, NetworkCard};
use super::super::testing::{class, info, settings};
use super::*;

fn shape_with(spec: Value, change: impl FnOnce(&mut Settings)) -> Shape {
    let mut settings = settings();
    change(&mut settings);
    Shape::of(&class(spec).spec, &settings).expect("shape")
}

fn shape(spec: Value) -> Shape {
    shape_with(spec, |_| {})
}

fn al2023() -> Shape {
    shape(json!({"amiFamily": "AL2023"}))
}

/// Capacity and allocatable.
fn both(info: &InstanceTypeInfo, shape: &Shape) -> (Resources, Resources) {
    let capacity = capacity(info, shape, 0);
    let mut allocatable = capacity.clone();
    allocatable.sub(&overhead(info, shape, &capacity).expect("overhead"));
    (capacity, allocatable)
}

/// Retired from the API's list, and still a row of the golden table.
fn g4ad_16xlarge() -> InstanceTypeInfo {
    InstanceTypeInfo {
        instance_type: "g4ad.16xlarge".into(),
        supported_architectures: vec!["x86_64".into()],
        default_vcpus: 64,
        memory_mib: 262_144,
        network_cards: vec![NetworkCard {
            maximum_network_interfaces: 8,
        }],
        ipv4_addresses_per_interface: 30,
        instance_storage: Some(InstanceStorage {
            total_size_gb: 2400,
            nvme_support: "required".into(),
        }),
        gpus: vec![Gpu {
            name: "Radeon Pro V520".into(),
            manufacturer: "AMD".into(),
            count: 4,
            memory_mib: 8192,
        }],
        ..InstanceTypeInfo::default()
    }
}

/// `aws §27`: pods, memory capacity, kubelet reservation, allocatable memory and cpu.
#[test]
fn golden_table() {
    for (name, pods, memory, reserved, alloc_memory, alloc_cpu) in [
        ("c6g.large", 29, 3729, 574, 3055, 1930),
        ("g4ad.16xlarge", 234, 242_483, 2829, 239_554, 63_770),
        ("g4dn.8xlarge", 58, 121_241, 893, 120_248, 31_850),
        ("g5.12xlarge", 737, 181_862, 8362, 173_400, 47_810),
        ("inf2.24xlarge", 737, 363_724, 8362, 355_262, 95_690),
        ("inf2.xlarge", 58, 15_155, 893, 14_162, 3920),
        ("m5.large", 29, 7577, 574, 6903, 1930),
        ("m5.metal", 737, 363_724, 8362, 355_262, 95_690),
        ("m5.xlarge", 58, 15_155, 893, 14_162, 3920),
        ("m6idn.32xlarge", 394, 484_966, 4589, 480_277, 127_610),
        ("m7i-flex.large", 29, 7577, 574, 6903, 1930),
        ("p5.48xlarge", 100, 1_939_865, 1355, 1_938_410, 191_450),
        ("t3.large", 35, 7577, 640, 6837, 1930),
        ("t4g.medium", 17, 3729, 442, 3187, 1930),
        ("t4g.small", 11, 1835, 376, 1359, 1930),
        ("t4g.xlarge", 58, 15_096, 893, 14_103, 3920),
        ("trn1.2xlarge", 58, 30_310, 893, 29_317, 7910),
    ] {
        let info = if name == "g4ad.16xlarge" {
            g4ad_16xlarge()
        } else {
            info(name)
        };
        let (capacity, allocatable) = both(&info, &al2023());
        let kube = kube_reserved(&info, &al2023()).expect("reserved");
        assert_eq!(
            (
                capacity.pods,
                capacity.memory >> 20,
                kube.memory >> 20,
                allocatable.memory >> 20,
                allocatable.cpu,
                allocatable.ephemeral >> 30
            ),
            (pods, memory, reserved, alloc_memory, alloc_cpu, 17),
            "{name}"
        );
    }
}

/// Every allocatable amount that the reference page publishes.
#[test]
fn the_reference_page_agrees_on_every_type() {
    // The API counts fewer interfaces on their default card than the page does.
    const DIFFER: [&str; 4] = [
        "i7ie.48xlarge",
        "i7ie.metal-48xl",
        "i8ge.48xlarge",
        "i8ge.metal-48xl",
    ];
    let packed = include_bytes!("../../../tests/data/ref_alloc.json.zst");
    let text = zstd::decode_all(&packed[..]).expect("zstd");
    let reference: BTreeMap<String, BTreeMap<String, Value>> = serde_json::from_slice(&text).expect("json");
    assert_eq!(reference.len(), 1358);
    let shape = al2023();
    let mut silent = 0;
    for (name, want) in &reference {
        let facts = crate::facts::get().find(name).expect("type");
        let info = info(name);
        let capacity = capacity(&info, &shape, facts.branch_eni.unwrap_or(0));
        let mut have = capacity.clone();
        have.sub(&overhead(&info, &shape, &capacity).expect("overhead"));
        let number = |key: &str| want.get(key).and_then(Value::as_i64).unwrap_or(0);
        assert_eq!(have.cpu, number("cpu_m"), "{name} cpu");
        assert_eq!(want.get("eph"), Some(&json!("17Gi")), "{name}");
        assert_eq!(have.ephemeral >> 30, 17, "{name} storage");
        if DIFFER.contains(&name.as_str()) {
            assert_ne!(have.pods, number("pods"), "{name} pods");
        } else {
            assert_eq!(have.pods, number("pods"), "{name} pods");
            assert_eq!(have.memory >> 20, number("mem_mib"), "{name} memory");
        }
        for key in [
            "nvidia.com/gpu",
            "aws.amazon.com/neuron",
            "aws.amazon.com/neuroncore",
            "vpc.amazonaws.com/efa",
        ] {
            assert_eq!(have.get(key), number(key), "{name} {key}");
        }
        // The page is older than the limits table: it lacks the key for some types, and never says otherwise.
        match want.get("vpc.amazonaws.com/pod-eni").and_then(Value::as_i64) {
            Some(n) => assert_eq!(
                have.get("vpc.amazonaws.com/pod-eni"),
                n,
                "{name} branch interfaces"
            ),
            None => silent += i32::from(have.get("vpc.amazonaws.com/pod-eni") > 0),
        }
    }
    assert_eq!(silent, 56);
}

/// `aws §26` case 25.
#[test]
fn case_25_arm_loses_64_mib_first() {
    assert_eq!(memory(&info("m6g.large"), 0.075) >> 20, 7518);
}

/// `aws §26` cases 26, 27 and 28.
#[test]
fn cases_26_to_28_pods_and_the_reservation_that_counts_them() {
    let t3 = info("t3.large");
    let reserved = |s: &Shape| kube_reserved(&t3, s).expect("reserved").memory >> 20;
    for (family, ten_pods, one_eni_less, pods) in [
        ("AL2", 640, 640, 24),
        ("AL2023", 640, 640, 24),
        ("Custom", 640, 640, 24),
        ("Bottlerocket", 365, 519, 24),
        ("Windows2022", 365, 1465, 110),
    ] {
        let few = shape(json!({"amiFamily": family, "kubelet": {"maxPods": 10}}));
        assert_eq!(reserved(&few), ten_pods, "{family} maxPods 10");
        let one = shape_with(json!({"amiFamily": family}), |s| s.reserved_enis = 1);
        assert_eq!(reserved(&one), one_eni_less, "{family} one interface less");
        assert_eq!(capacity(&t3, &one, 0).pods, pods, "{family}");
    }
    let none = shape_with(json!({"amiFamily": "AL2023"}), |s| s.reserved_enis = i64::MAX);
    assert_eq!(capacity(&t3, &none, 0).pods, 0);
}

/// `aws §26` cases 29 and 30.
#[test]
fn cases_29_and_30_pods_per_core() {
    let m5 = info("m5.large");
    let pods = |family: &str, per_core: i64| {
        let kubelet = json!({"maxPods": 20, "podsPerCore": per_core});
        capacity(&m5, &shape(json!({"amiFamily": family, "kubelet": kubelet})), 0).pods
    };
    assert_eq!(pods("AL2023", 4), 8);
    assert_eq!(pods("AL2023", 0), 20);
    assert_eq!(pods("Bottlerocket", 4), 20);
    assert_eq!(
        capacity(&m5, &shape(json!({"amiFamily": "Windows2022"})), 0).pods,
        110
    );
}

/// `aws §26` case 31.
#[test]
fn case_31_an_efa_interface_on_card_0_costs_one() {
    let interfaces = |card: i64| {
        json!({"amiFamily": "AL2023", "networkInterfaces": [
            {"networkCardIndex": 0, "deviceIndex": 0, "interfaceType": "interface"},
            {"networkCardIndex": card, "deviceIndex": 1, "interfaceType": "efa-only"},
        ]})
    };
    let m6idn = info("m6idn.32xlarge");
    let on_0 = capacity(&m6idn, &shape(interfaces(0)), 0);
    assert_eq!((on_0.pods, on_0.get("vpc.amazonaws.com/efa")), (345, 1));
    assert_eq!(capacity(&m6idn, &shape(interfaces(1)), 0).pods, 394);
}

/// `aws §26` cases 32, 33 and 34.
#[test]
fn cases_32_to_34_eviction_thresholds() {
    assert_eq!(threshold("100%", 1 << 40), Ok(0));
    assert_eq!(threshold("5%", 10_000_000_000), Ok(500_000_000));
    let m5 = info("m5.large");
    let memory = |kubelet: Value| {
        let (capacity, allocatable) = both(&m5, &shape(json!({"amiFamily": "AL2023", "kubelet": kubelet})));
        (capacity.memory - allocatable.memory) >> 20
    };
    assert_eq!(
        memory(json!({"evictionSoft": {"memory.available": "8%"}})),
        574 + 100
    );
    assert_eq!(memory(json!({"evictionHard": {"memory.available": "100%"}})), 574);
    assert_eq!(
        memory(json!({"systemReserved": {"memory": "150Mi"}})),
        574 + 100 + 150
    );
    assert_eq!(memory(json!({"kubeReserved": {"memory": "600Mi"}})), 600 + 100);
    let ten = json!({"amiFamily": "AL2023", "kubelet": {"evictionHard": {"nodefs.available": "10%"}}});
    assert_eq!(both(&m5, &shape(ten)).1.ephemeral >> 30, 17);
}

/// `aws §26` cases 35 to 38.
#[test]
fn cases_35_to_38_ephemeral_storage() {
    let storage = |name: &str, spec: Value| capacity(&info(name), &shape(spec), 0).ephemeral;
    let raid = json!({"amiFamily": "AL2023", "instanceStorePolicy": "RAID0"});
    assert_eq!(storage("m6idn.32xlarge", raid.clone()), 7_600_000_000_000);
    assert_eq!(storage("m5.large", raid), 20 << 30);
    let volume = |device: &str, size: &str, root: bool| {
        let mut out = json!({"deviceName": device, "ebs": {"volumeSize": size}});
        if root {
            out["rootVolume"] = json!(true);
        }
        out
    };
    let custom = json!({"amiFamily": "Custom", "blockDeviceMappings": [
        volume("/dev/sda", "30Gi", false), volume("/dev/sdb", "70Gi", false)]});
    assert_eq!(storage("m5.large", custom), 70 << 30);
    assert_eq!(storage("m5.large", json!({"amiFamily": "Custom"})), 20 << 30);
    let root = json!({"amiFamily": "AL2023", "blockDeviceMappings": [
        volume("/dev/xvda", "30Gi", false), volume("/dev/xvdb", "80Gi", true)]});
    assert_eq!(storage("m5.large", root), 80 << 30);
    let other =
        json!({"amiFamily": "Bottlerocket", "blockDeviceMappings": [volume("/dev/xvda", "9Gi", false)]});
    assert_eq!(storage("m5.large", other), 20 << 30);
}

/// `aws §26` cases 40 and 41, the resources.
#[test]
fn cases_40_and_41_accelerators_are_summed() {
    let mut two = g4ad_16xlarge();
    two.gpus.push(two.gpus[0].clone());
    assert_eq!(capacity(&two, &al2023(), 0).get("amd.com/gpu"), 8);
    let inf2 = capacity(&info("inf2.24xlarge"), &al2023(), 0);
    assert_eq!(inf2.get("aws.amazon.com/neuron"), 6);
    assert_eq!(inf2.get("aws.amazon.com/neuroncore"), 12);
}
