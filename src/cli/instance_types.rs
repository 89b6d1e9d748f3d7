//! Instance types from a file, in either form that Karpenter's kwok provider reads (commands, `kerf plan`).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::api::names;
use crate::api::schema::suggestion;
use crate::model::instance_type::{CapacityType, InstanceType, Offering, Overrides};
use crate::model::resources::parse_quantity;
use crate::model::{Catalogue, Name, Operator, Requirement, Requirements, Resources, UsdPerHour};

/// Largest text that a compressed file may hold.
const LARGEST: u64 = 256 << 20;

/// What is wrong with a file of instance types.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {path}: {source}")]
    Read {
        path: String,
        #[source]
        source: std::io::Error,
    },
    /// `at` names the type and the field.
    #[error("{path}, {at}: {message}")]
    Format {
        path: String,
        at: String,
        message: String,
    },
}

/// Field path and message of one mistake.
type Bad = (String, String);

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
    #[serde(default, alias = "Price")]
    price: Option<f64>,
    #[serde(default = "yes", alias = "Available")]
    available: bool,
    #[serde(default, alias = "Requirements")]
    requirements: Vec<Rule>,
    #[serde(default, rename = "reservationCapacity", alias = "ReservationCapacity")]
    reservation_capacity: Option<i64>,
    #[serde(default, rename = "capacityOverride", alias = "CapacityOverride")]
    capacity: BTreeMap<String, Value>,
    #[serde(default, rename = "overheadOverride", alias = "OverheadOverride")]
    overhead: BTreeMap<String, Value>,
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
            .take(LARGEST)
            .read_to_end(&mut plain)
            .map_err(|source| Error::Read {
                path: path.to_owned(),
                source,
            })?;
        &plain
    } else {
        bytes
    };
    let format = |at: String, message: String| Error::Format {
        path: path.to_owned(),
        at,
        message,
    };
    let list: Vec<Value> = serde_json::from_slice(bytes)
        .map_err(|e| format("a JSON list of instance types is expected".into(), e.to_string()))?;
    let mut types: BTreeMap<Name, InstanceType> = BTreeMap::new();
    for (i, value) in list.into_iter().enumerate() {
        let name = value["name"].as_str().unwrap_or_default().to_owned();
        let at = if name.is_empty() {
            format!("instance type {}", i + 1)
        } else {
            format!("instance type {name}")
        };
        let row: Row = serde_json::from_value(value).map_err(|e| format(at.clone(), e.to_string()))?;
        let read = instance_type(&row).map_err(|(field, why)| format(format!("{at}, {field}"), why))?;
        if types.insert(read.name.clone(), read).is_some() {
            return Err(format(at, "is given twice: remove one".into()));
        }
    }
    let reserves = |t: &InstanceType| t.offerings.iter().any(|o| o.reservation().is_some());
    if types.values().any(reserves) {
        types.values_mut().for_each(name_reservations);
    }
    Ok(Catalogue::new(types.into_values().map(Arc::new)))
}

/// Where something is reserved, what is not says so (`scheduling §13.1`).
fn name_reservations(kind: &mut InstanceType) {
    let key = names::RESERVATION_ID;
    let none = || Requirement::new::<Name>(key, Operator::DoesNotExist, []);
    let ids: BTreeSet<Name> = kind
        .offerings
        .iter()
        .filter_map(|o| o.reservation().cloned())
        .collect();
    let own = if ids.is_empty() {
        none()
    } else {
        Requirement::is_in(key, ids)
    };
    kind.requirements.0.entry(key.into()).or_insert(own);
    for offering in &mut kind.offerings {
        offering.requirements.0.entry(key.into()).or_insert_with(none);
    }
}

fn amounts(field: &str, map: &BTreeMap<String, Value>) -> Result<BTreeMap<Name, i64>, Bad> {
    let mut out = BTreeMap::new();
    for (key, value) in map {
        let bad = |message: String| (format!("{field}.{key}"), message);
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            other => return Err(bad(format!("{other} is not a quantity"))),
        };
        let amount = parse_quantity(key, &text).map_err(|e| bad(e.to_string()))?;
        if amount < 0 {
            return Err(bad(format!("{text} is negative: a quantity must be 0 or more")));
        }
        out.insert(key.as_str().into(), amount);
    }
    Ok(out)
}

fn resources(field: &str, map: &BTreeMap<String, Value>) -> Result<Resources, Bad> {
    let mut out = Resources::default();
    for (key, value) in amounts(field, map)? {
        out.set(&key, value);
    }
    Ok(out)
}

/// `allowed` are the operators that the place takes.
fn requirement(field: &str, rule: &Rule, allowed: &[Operator]) -> Result<Requirement, Bad> {
    let operator = Operator::parse(&rule.operator).filter(|o| allowed.contains(o));
    let Some(operator) = operator else {
        let words: Vec<&str> = allowed.iter().map(|o| o.as_str()).collect();
        let hint = suggestion(&rule.operator, words.iter().copied());
        return Err((
            format!("{field}.operator"),
            format!("{:?} is not one of {}{hint}", rule.operator, words.join(", ")),
        ));
    };
    if rule.key.is_empty() {
        return Err((format!("{field}.key"), "is empty".into()));
    }
    if operator == Operator::In && rule.values.is_empty() {
        return Err((
            format!("{field}.values"),
            "the operator In needs at least one value".into(),
        ));
    }
    Ok(Requirement::new(
        &rule.key,
        operator,
        rule.values.iter().map(|v| Name::from(v.as_str())),
    ))
}

fn offering(field: &str, sale: &Sale, kind: &str) -> Result<Offering, Bad> {
    let mut requirements = Requirements::default();
    for (i, rule) in sale.requirements.iter().enumerate() {
        requirements.add(requirement(
            &format!("{field}.requirements[{i}]"),
            rule,
            &Operator::ALL,
        )?);
    }
    for (key, value) in [
        (names::ZONE, &sale.zone),
        (names::CAPACITY_TYPE, &sale.capacity_type),
    ] {
        if let Some(value) = value {
            requirements.add(Requirement::is_in(key, [value.as_str()]));
        }
    }
    let one = |key: &str| -> Result<Name, Bad> {
        let values = requirements.get(key).map(|r| &r.values);
        match values.filter(|v| v.len() == 1).and_then(|v| v.first()) {
            Some(value) => Ok(value.clone()),
            None => Err((field.to_owned(), format!("needs exactly one value of {key}"))),
        }
    };
    let (zone, capacity_type) = (one(names::ZONE)?, one(names::CAPACITY_TYPE)?);
    let Some(capacity_type) = CapacityType::parse(&capacity_type) else {
        let words = CapacityType::ALL.map(CapacityType::as_str);
        let hint = suggestion(&capacity_type, words.into_iter());
        let message = format!(
            "{capacity_type:?} is no capacity type, write one of {}{hint}",
            words.join(", ")
        );
        return Err((field.to_owned(), message));
    };
    let reserved = capacity_type == CapacityType::Reserved;
    if reserved && sale.reservation_capacity.is_none_or(|n| n < 0) {
        let message = "a reserved offering needs the number of instances that are free, 0 or more";
        return Err((format!("{field}.reservationCapacity"), message.into()));
    }
    if reserved && !requirements.0.contains_key(names::RESERVATION_ID) {
        requirements.add(Requirement::is_in(
            names::RESERVATION_ID,
            [format!("{kind}-{zone}")],
        ));
    }
    if sale.price.is_some_and(|p| p < 0.0 || !p.is_finite()) {
        return Err((format!("{field}.price"), "must be 0 or more".into()));
    }
    let overrides = Overrides {
        capacity: amounts(&format!("{field}.capacityOverride"), &sale.capacity)?,
        overhead: amounts(&format!("{field}.overheadOverride"), &sale.overhead)?,
    };
    Ok(Offering {
        zone,
        capacity_type,
        price: sale.price.map_or(UsdPerHour::MAX, UsdPerHour::from_f64),
        available: sale.available,
        requirements,
        reservation_capacity: sale.reservation_capacity.unwrap_or(0),
        overrides: (overrides != Overrides::default()).then(|| Arc::new(overrides)),
    })
}

/// Reserved capacity without a price counts as a ten millionth of the on-demand price.
fn complete_prices(offerings: &mut [Offering]) -> Result<(), Bad> {
    for i in 0..offerings.len() {
        if offerings[i].price != UsdPerHour::MAX {
            continue;
        }
        let field = format!("offerings[{i}].price");
        if offerings[i].capacity_type != CapacityType::Reserved {
            return Err((field, "is missing: write the price in $/h".into()));
        }
        let on_demand = offerings
            .iter()
            .filter(|o| o.capacity_type == CapacityType::OnDemand && o.price != UsdPerHour::MAX)
            .min_by_key(|o| (o.zone != offerings[i].zone, o.price))
            .map(|o| o.price.reserved());
        let Some(price) = on_demand else {
            return Err((
                field,
                "is missing, and there is no on-demand price to go by".into(),
            ));
        };
        offerings[i].price = price;
    }
    Ok(())
}

fn instance_type(row: &Row) -> Result<InstanceType, Bad> {
    if row.name.is_empty() {
        return Err(("name".into(), "is empty".into()));
    }
    let mut offerings = Vec::with_capacity(row.offerings.len());
    for (i, sale) in row.offerings.iter().enumerate() {
        offerings.push(offering(&format!("offerings[{i}]"), sale, &row.name)?);
    }
    complete_prices(&mut offerings)?;
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
    for (i, rule) in row.requirements.iter().enumerate() {
        let own = requirement(
            &format!("requirements[{i}]"),
            rule,
            &[Operator::In, Operator::DoesNotExist],
        )?;
        implied.0.insert(own.key.clone(), own);
    }
    Ok(InstanceType {
        name: row.name.as_str().into(),
        requirements: implied,
        capacity: resources("resources", &row.resources)?,
        overhead: resources("overhead", &row.overhead)?,
        offerings,
    })
}

#[cfg(test)]
#[path = "instance_types_tests.rs"]
mod tests;
