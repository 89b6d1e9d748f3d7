//! Small worlds for unit tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::api::{InstanceTypeInfo, shipped};
use super::settings::Settings;
use super::types::{Raw, rows};
use super::{pricing::Prices, types::Rows};
use crate::api::names;
use crate::cloud::stock::{Stock, Unavailable};
use crate::facts;
use crate::model::node_class::{ResolvedClass, ResolvedImage, ResolvedReservation, ResolvedSubnet};
use crate::model::{Catalogue, Claim, Conditions, NodeClass, Requirement, Requirements, Resources};

pub fn settings() -> Settings {
    let mut out = Settings::new("demo", "us-east-1");
    out.cluster_endpoint = "https://demo.example".into();
    out.cluster_ca = "Q0E=".into();
    out.cluster_cidr = "10.100.0.0/16".into();
    out.dns_ip = "10.100.0.10".into();
    out
}

pub fn info(name: &str) -> InstanceTypeInfo {
    shipped::instance_type(facts::get().find(name).expect("type"))
}

/// A class from the JSON of its spec.
pub fn class(spec: Value) -> NodeClass {
    NodeClass {
        name: "general".into(),
        uid: "class-uid".into(),
        generation: 1,
        created: Timestamp::UNIX_EPOCH,
        deleting: None,
        finalizers: Vec::new(),
        spec: Arc::new(serde_json::from_value(spec).expect("spec")),
        hash: "1".into(),
        conditions: Conditions::default(),
        resolved: None,
    }
}

pub fn image(id: &str, arch: &str) -> ResolvedImage {
    ResolvedImage {
        id: id.into(),
        name: id.into(),
        arch: arch.into(),
        deprecated: false,
        requirements: [Requirement::is_in(names::ARCH, [arch])].into_iter().collect(),
    }
}

pub fn resolved() -> ResolvedClass {
    let zones = [("a", "use1-az6"), ("b", "use1-az1"), ("c", "use1-az2")];
    ResolvedClass {
        subnets: zones
            .into_iter()
            .map(|(zone, id)| ResolvedSubnet {
                id: format!("subnet-{zone}").into(),
                zone: format!("us-east-1{zone}").into(),
                zone_id: id.into(),
                free: 1000,
            })
            .collect(),
        security_groups: vec![("sg-1".into(), "nodes".into())],
        images: vec![image("ami-amd", "amd64"), image("ami-arm", "arm64")],
        instance_profile: "demo_1".into(),
        reservations: Vec::new(),
        problems: Vec::new(),
    }
}

/// A default reservation in a zone by its letter.
pub fn reservation(id: &str, instance_type: &str, letter: &str) -> ResolvedReservation {
    ResolvedReservation {
        id: id.into(),
        instance_type: instance_type.into(),
        zone: format!("us-east-1{letter}").into(),
        owner: "123456789012".into(),
        criteria: "targeted".into(),
        kind: "default".into(),
        interruptible: false,
        end: None,
        expiring: false,
    }
}

/// Some types with reservations of them that have so much left.
pub fn reserved_catalogue(names: &[&str], reservations: &[(ResolvedReservation, i64)]) -> Catalogue {
    let class = class(serde_json::json!({"amiFamily": "AL2023"}));
    let mut resolved = resolved();
    let stock = Stock::default();
    for (reservation, free) in reservations {
        stock.reservation_described(&reservation.id, *free, Timestamp::UNIX_EPOCH);
        resolved.reservations.push(reservation.clone());
    }
    let zones = shipped::offerings("us-east-1");
    let raw = Raw::new(names.iter().map(|n| info(n)).collect(), zones);
    let prices = Prices::shipped("us-east-1");
    let left = Unavailable::at(&stock, Timestamp::UNIX_EPOCH);
    rows(&raw, &class, &resolved, &settings())
        .expect("rows")
        .catalogue(&prices, &left, None)
}

pub fn rows_of(names: &[&str], class: &NodeClass) -> Rows {
    let zones = shipped::offerings("us-east-1");
    let raw = Raw::new(names.iter().map(|n| info(n)).collect(), zones);
    rows(&raw, class, &resolved(), &settings()).expect("rows")
}

/// Some types at on-demand prices in both markets.
pub fn catalogue(names: &[&str]) -> Catalogue {
    let class = class(serde_json::json!({"amiFamily": "AL2023"}));
    let prices = Prices::shipped("us-east-1");
    let nothing = Unavailable::at(&Stock::default(), Timestamp::UNIX_EPOCH);
    rows_of(names, &class).catalogue(&prices, &nothing, None)
}

pub fn claim(requirements: impl IntoIterator<Item = Requirement>, cpu: i64, memory_mib: i64) -> Claim {
    Claim {
        name: "web-7kq2d".into(),
        uid: "claim-uid".into(),
        generation: 1,
        labels: [(names::NODEPOOL.into(), "web".into())].into(),
        annotations: BTreeMap::default(),
        created: Timestamp::UNIX_EPOCH,
        deleting: None,
        finalizers: Vec::new(),
        class: crate::model::nodepool::ClassRef::default(),
        requirements: requirements.into_iter().collect::<Requirements>(),
        requests: Resources {
            cpu,
            memory: memory_mib << 20,
            pods: 5,
            ..Resources::default()
        },
        taints: Vec::new(),
        startup_taints: Vec::new(),
        expire_after: None,
        termination_grace: None,
        provider_id: "".into(),
        node_name: "".into(),
        image_id: "".into(),
        capacity: Resources::default(),
        allocatable: Resources::default(),
        last_pod_event: None,
        conditions: Conditions::default(),
    }
}
