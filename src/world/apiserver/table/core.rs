//! Small core kinds.

use serde_json::{Value, json};

use super::cells::{AGE, NAME, age, at, col, int, list, name, number, or_none, pairs, shown, text, wide};
use super::render::{Printer, count};

pub(super) const NAMESPACE: Printer = (&[NAME, col("Status"), AGE], |o, now| {
    vec![name(o), json!(text(o, "status.phase")), age(o, now)]
});

pub(super) const CONFIG_MAP: Printer = (&[NAME, int("Data"), AGE], |o, now| {
    vec![
        name(o),
        json!(entries(o, "data") + entries(o, "binaryData")),
        age(o, now),
    ]
});

pub(super) const SECRET: Printer = (&[NAME, col("Type"), int("Data"), AGE], |o, now| {
    vec![
        name(o),
        json!(text(o, "type")),
        json!(entries(o, "data")),
        age(o, now),
    ]
});

pub(super) const SERVICE_ACCOUNT: Printer = (&[NAME, int("Secrets"), AGE], |o, now| {
    vec![name(o), count(o, "secrets"), age(o, now)]
});

pub(super) const ENDPOINTS: Printer = (&[NAME, col("Endpoints"), AGE], |o, now| {
    let mut all: Vec<String> = Vec::new();
    for subset in list(o, "subsets") {
        let port = list(subset, "ports")
            .first()
            .map_or(String::new(), |p| format!(":{}", number(p, "port")));
        all.extend(
            list(subset, "addresses")
                .iter()
                .map(|a| format!("{}{port}", text(a, "ip"))),
        );
    }
    let more = all.len().saturating_sub(3);
    all.truncate(3);
    let mut shown = all.join(",");
    if more > 0 {
        shown = format!("{shown} + {more} more...");
    }
    vec![name(o), or_none(&shown), age(o, now)]
});

pub(super) const SERVICE: Printer = (
    &[
        NAME,
        col("Type"),
        col("Cluster-IP"),
        col("External-IP"),
        col("Port(s)"),
        AGE,
        wide("Selector"),
    ],
    |o, now| {
        let kind = match text(o, "spec.type") {
            "" => "ClusterIP",
            kind => kind,
        };
        vec![
            name(o),
            json!(kind),
            or_none(text(o, "spec.clusterIP")),
            json!(external(o, kind)),
            json!(ports(o)),
            age(o, now),
            json!(pairs(at(o, "spec.selector"))),
        ]
    },
);

fn entries(object: &Value, field: &str) -> usize {
    at(object, field)
        .and_then(Value::as_object)
        .map_or(0, serde_json::Map::len)
}

fn external(service: &Value, kind: &str) -> String {
    let mut all: Vec<&str> = Vec::new();
    if kind == "ExternalName" {
        return text(service, "spec.externalName").to_owned();
    }
    if kind == "LoadBalancer" {
        all.extend(
            list(service, "status.loadBalancer.ingress")
                .iter()
                .map(|i| match text(i, "ip") {
                    "" => text(i, "hostname"),
                    ip => ip,
                }),
        );
    }
    all.extend(list(service, "spec.externalIPs").iter().filter_map(Value::as_str));
    match (all.is_empty(), kind) {
        (true, "LoadBalancer") => "<pending>".to_owned(),
        (true, _) => "<none>".to_owned(),
        (false, _) => all.join(","),
    }
}

fn ports(service: &Value) -> String {
    let all: Vec<String> = list(service, "spec.ports")
        .iter()
        .map(|port| {
            let protocol = shown(at(port, "protocol"), "TCP");
            match number(port, "nodePort") {
                0 => format!("{}/{protocol}", number(port, "port")),
                node => format!("{}:{node}/{protocol}", number(port, "port")),
            }
        })
        .collect();
    if all.is_empty() {
        "<none>".to_owned()
    } else {
        all.join(",")
    }
}
