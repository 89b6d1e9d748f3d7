//! Instance types from a file, in either form that Karpenter's kwok provider reads (commands, `kerf plan`).

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::api::names;
use crate::model::instance_type::{CapacityType, InstanceType, Offering};
use crate::model::{Catalogue, Name, Operator, Requirement, Requirements, Resources, UsdPerHour};

/// What is wrong with a file of instance types.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {path}: {source}")]
    Read {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{path} is no list of instance types: {message}")]
    Format { path: String, message: String },
}

#[derive(Deserialize)]
struct Row {
    name: String,
    #[serde(default)]
    architecture: Option<String>,
    #[serde(default, rename = "operatingSystems")]
    operating_systems: Vec<String>,
    resources: BTreeMap<String, Value>,
    #[serde(default)]
    overhead: BTreeMap<String, Value>,
    #[serde(default)]
    requirements: Vec<Rule>,
    #[serde(default)]
    offerings: Vec<Sale>,
}

#[derive(Deserialize)]
struct Rule {
    key: String,
    operator: String,
    #[serde(default)]
    values: Vec<String>,
}

/// Both spellings of an offering.
#[derive(Deserialize)]
struct Sale {
    #[serde(default, rename = "capacityType")]
    capacity_type: Option<String>,
    #[serde(default)]
    zone: Option<String>,
    #[serde(alias = "Price")]
    price: f64,
    #[serde(default = "yes", alias = "Available")]
    available: bool,
    #[serde(default, alias = "Requirements")]
    requirements: Vec<Rule>,
    #[serde(default, rename = "reservationCapacity", alias = "ReservationCapacity")]
    reservation_capacity: i64,
}

fn yes() -> bool {
    true
}

/// Reads a file, gzip-compressed or not.
pub fn read(path: &Path) -> Result<Catalogue, Error> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|source| Error::Read {
        path: shown.clone(),
        source,
    })?;
    parse(&shown, &bytes)
}

/// As [`read`], from bytes; `path` is for messages.
pub fn parse(path: &str, bytes: &[u8]) -> Result<Catalogue, Error> {
    let mut plain = Vec::new();
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
        flate2::read::GzDecoder::new(bytes)
            .read_to_end(&mut plain)
            .map_err(|source| Error::Read {
                path: path.to_owned(),
                source,
            })?;
        &plain
    } else {
        bytes
    };
    let format = |message: String| Error::Format {
        path: path.to_owned(),
        message,
    };
    let rows: Vec<Row> = serde_json::from_slice(bytes).map_err(|e| format(e.to_string()))?;
    let types = rows
        .into_iter()
        .map(|row| {
            let name = row.name.clone();
            instance_type(&row)
                .map(Arc::new)
                .map_err(|why| format(format!("{name}: {why}")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Catalogue::new(types))
}

fn resources(map: &BTreeMap<String, Value>) -> Result<Resources, String> {
    let mut out = Resources::default();
    for (key, value) in map {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            other => return Err(format!("{key}: {other} is not a quantity")),
        };
        out.set_quantity(key, &text).map_err(|e| format!("{key}: {e}"))?;
    }
    Ok(out)
}

fn requirement(rule: &Rule) -> Result<Requirement, String> {
    let operator = Operator::parse(&rule.operator)
        .ok_or_else(|| format!("{}: \"{}\" is no operator", rule.key, rule.operator))?;
    Ok(Requirement::new(
        &rule.key,
        operator,
        rule.values.iter().map(|v| Name::from(v.as_str())),
    ))
}

fn offering(sale: &Sale) -> Result<Offering, String> {
    let mut requirements: Requirements = sale
        .requirements
        .iter()
        .map(requirement)
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .collect();
    for (key, value) in [
        (names::ZONE, &sale.zone),
        (names::CAPACITY_TYPE, &sale.capacity_type),
    ] {
        if let Some(value) = value {
            requirements.add(Requirement::is_in(key, [value.as_str()]));
        }
    }
    let one = |key: &str| -> Result<Name, String> {
        requirements
            .get(key)
            .and_then(|r| r.values.first().cloned())
            .ok_or_else(|| format!("an offering without {key}"))
    };
    let capacity_type = one(names::CAPACITY_TYPE)?;
    Ok(Offering {
        zone: one(names::ZONE)?,
        capacity_type: CapacityType::parse(&capacity_type)
            .ok_or_else(|| format!("\"{capacity_type}\" is no capacity type"))?,
        price: UsdPerHour::from_f64(sale.price),
        available: sale.available,
        requirements,
        reservation_capacity: sale.reservation_capacity,
    })
}

fn instance_type(row: &Row) -> Result<InstanceType, String> {
    let offerings = row
        .offerings
        .iter()
        .map(offering)
        .collect::<Result<Vec<_>, _>>()?;
    let mut implied = Requirements::default();
    let mut put = |key: &str, values: Vec<Name>| {
        if !values.is_empty() {
            implied.0.insert(key.into(), Requirement::is_in(key, values));
        }
    };
    put(names::INSTANCE_TYPE, vec![row.name.as_str().into()]);
    put(
        names::ARCH,
        row.architecture.iter().map(|a| a.as_str().into()).collect(),
    );
    put(
        names::OS,
        row.operating_systems.iter().map(|o| o.as_str().into()).collect(),
    );
    put(names::ZONE, offerings.iter().map(|o| o.zone.clone()).collect());
    put(
        names::CAPACITY_TYPE,
        offerings
            .iter()
            .map(|o| o.capacity_type.as_str().into())
            .collect(),
    );
    for rule in &row.requirements {
        let own = requirement(rule)?;
        implied.0.insert(own.key.clone(), own);
    }
    Ok(InstanceType {
        name: row.name.as_str().into(),
        requirements: implied,
        capacity: resources(&row.resources)?,
        overhead: resources(&row.overhead)?,
        offerings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let text = r#"[
            {"name":"c-2x-amd64-linux","architecture":"amd64","operatingSystems":["linux"],
             "resources":{"cpu":"2","memory":"4Gi","pods":"32"},
             "offerings":[{"capacityType":"spot","zone":"test-zone-a","price":0.05}]},
            {"name":"b","architecture":"arm64","operatingSystems":["linux"],
             "resources":{"cpu":4,"memory":"8Gi","pods":"10"},"overhead":{"cpu":"100m"},
             "requirements":[{"key":"gpu","operator":"DoesNotExist"},{"key":"kubernetes.io/arch","operator":"In","values":["amd64"]}],
             "offerings":[{"Price":0.1,"Available":false,"Requirements":[
                {"key":"karpenter.sh/capacity-type","operator":"In","values":["on-demand"]},
                {"key":"topology.kubernetes.io/zone","operator":"In","values":["z"]}]}]}]"#;
        let catalogue = parse("types.json", text.as_bytes()).expect("good file");
        let b = catalogue.get("b").expect("there");
        assert_eq!(b.allocatable().cpu, 3900);
        assert!(!b.offerings[0].available);
        assert_eq!(
            b.requirements.get(names::ARCH),
            Some(&Requirement::is_in(names::ARCH, ["amd64"]))
        );
        let a = catalogue.get("c-2x-amd64-linux").expect("there");
        assert_eq!(&*a.offerings[0].zone, "test-zone-a");
        assert_eq!(a.offerings[0].price, UsdPerHour::from_f64(0.05));
    }

    #[test]
    fn a_bad_file_says_where() {
        let text = r#"[{"name":"x","resources":{"cpu":"two"}}]"#;
        let why = parse("types.json", text.as_bytes()).expect_err("bad").to_string();
        assert!(why.contains("types.json") && why.contains("x: cpu"), "{why}");
    }
}
