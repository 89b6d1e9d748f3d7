use super::super::api::Gpu;
use super::super::testing::info;
use super::*;
use crate::facts;
use crate::model::Operator;

fn of(info: &InstanceTypeInfo) -> Requirements {
    let zones = [("us-east-1a".into(), "use1-az6".into())];
    let around = Around {
        region: &"us-east-1".into(),
        zones: &zones,
        network_mbps: Some(750),
        windows_build: None,
    };
    requirements(&blank(), info, &around)
}

fn value(requirements: &Requirements, key: &str) -> Option<String> {
    let values = &requirements.get(key)?.values;
    (values.len() == 1).then(|| values.first().map(ToString::to_string))?
}

#[test]
fn every_well_known_label_has_an_answer() {
    let m5 = of(&info("m5.large"));
    for key in names::WELL_KNOWN.into_iter().filter(|k| *k != names::NODEPOOL) {
        assert!(m5.get(key).is_some(), "{key}");
    }
    assert!(m5.get(names::NODEPOOL).is_none());
    for (key, want) in [
        (names::INSTANCE_TYPE, "m5.large"),
        (names::ARCH, "amd64"),
        (names::OS, "linux"),
        (names::ZONE, "us-east-1a"),
        (names::ZONE_ID, "use1-az6"),
        (names::REGION, "us-east-1"),
        (names::INSTANCE_CATEGORY, "m"),
        (names::INSTANCE_GENERATION, "5"),
        (names::INSTANCE_FAMILY, "m5"),
        (names::INSTANCE_SIZE, "large"),
        (names::INSTANCE_CPU, "2"),
        (names::INSTANCE_CPU_MANUFACTURER, "intel"),
        (names::INSTANCE_CPU_CLOCK, "3100"),
        (names::INSTANCE_MEMORY, "8192"),
        (names::INSTANCE_EBS_BANDWIDTH, "4750"),
        (names::INSTANCE_NETWORK_BANDWIDTH, "750"),
        (names::INSTANCE_HYPERVISOR, "nitro"),
        (names::INSTANCE_ENCRYPTION, "false"),
        (names::INSTANCE_FLEX, "false"),
    ] {
        assert_eq!(value(&m5, key).as_deref(), Some(want), "{key}");
    }
    for key in [
        names::INSTANCE_GPU_NAME,
        names::INSTANCE_ACCELERATOR_NAME,
        names::INSTANCE_LOCAL_NVME,
        names::WINDOWS_BUILD,
        names::RESERVATION_ID,
    ] {
        assert_eq!(
            m5.get(key).map(Requirement::operator),
            Some(Operator::DoesNotExist),
            "{key}"
        );
    }
}

/// `aws §26` cases 40 and 41, the labels.
#[test]
fn cases_40_and_41_accelerator_labels() {
    let mut g5 = info("g5.12xlarge");
    let labels = of(&g5);
    assert_eq!(value(&labels, names::INSTANCE_GPU_NAME).as_deref(), Some("a10g"));
    assert_eq!(value(&labels, names::INSTANCE_GPU_COUNT).as_deref(), Some("4"));
    assert_eq!(
        value(&labels, names::INSTANCE_GPU_MEMORY).as_deref(),
        Some("22888")
    );
    g5.gpus.push(Gpu {
        name: "T4".into(),
        manufacturer: "NVIDIA".into(),
        count: 1,
        memory_mib: 1,
    });
    assert_eq!(value(&of(&g5), names::INSTANCE_GPU_NAME), None);
    let inf2 = of(&info("inf2.24xlarge"));
    assert_eq!(
        value(&inf2, names::INSTANCE_ACCELERATOR_NAME).as_deref(),
        Some("inferentia2")
    );
    assert_eq!(
        value(&inf2, names::INSTANCE_ACCELERATOR_MANUFACTURER).as_deref(),
        Some("aws")
    );
    assert_eq!(
        value(&inf2, names::INSTANCE_ACCELERATOR_COUNT).as_deref(),
        Some("6")
    );
}

/// `aws §26` case 42.
#[test]
fn case_42_category_and_generation_of_odd_names() {
    assert_eq!(category_and_generation("u-6tb1.56xlarge"), Some(("u", "1")));
    assert_eq!(category_and_generation("nonsense"), None);
    let mut told = 0;
    for t in facts::get().types() {
        let Some(generation) = t.generation else { continue };
        told += 1;
        assert_eq!(
            category_and_generation(&t.name),
            Some((&*t.category, generation.to_string().as_str())),
            "{}",
            t.name
        );
    }
    assert!(told > 1300);
}

/// `aws §26` cases 43 and 44.
#[test]
fn cases_43_and_44_metal_and_flex() {
    assert_eq!(value(&of(&info("m5.metal")), names::INSTANCE_HYPERVISOR), None);
    let flex = of(&info("m7i-flex.large"));
    assert_eq!(value(&flex, names::INSTANCE_FLEX).as_deref(), Some("true"));
    let never: Requirements = [Requirement::is_in(names::INSTANCE_FLEX, ["false"])]
        .into_iter()
        .collect();
    assert!(flex.intersects(&never).is_err());
    assert!(of(&info("m5.large")).intersects(&never).is_ok());
}
