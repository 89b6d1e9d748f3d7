//! Quantities and what pods ask for, in exact billionths.

use std::collections::BTreeMap;

use serde_json::Value;

use super::list;

pub type Amounts = BTreeMap<String, i128>;

const NANO: i128 = 1_000_000_000;

/// Plain decimal numbers with the suffixes that tests use.
pub fn quantity(value: &Value) -> i128 {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let unit = match suffix {
        "m" => NANO / 1000,
        "" => NANO,
        "k" => NANO * 1000,
        "M" => NANO * 1_000_000,
        "G" => NANO * 1_000_000_000,
        "Ki" => NANO << 10,
        "Mi" => NANO << 20,
        "Gi" => NANO << 30,
        "Ti" => NANO << 40,
        other => panic!("the checker does not know the suffix {other:?}"),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut out = whole.parse::<i128>().expect("digits") * unit;
    let mut part = unit;
    for digit in fraction.chars() {
        part /= 10;
        out += i128::from(digit.to_digit(10).expect("a digit")) * part;
    }
    out
}

pub fn amounts(map: &Value) -> Amounts {
    map.as_object()
        .into_iter()
        .flatten()
        .map(|(k, v)| (k.clone(), quantity(v)))
        .collect()
}

pub fn plus(into: &mut Amounts, other: &Amounts) {
    for (key, value) in other {
        *into.entry(key.clone()).or_default() += value;
    }
}

fn greatest(into: &mut Amounts, other: &Amounts) {
    for (key, value) in other {
        let mine = into.entry(key.clone()).or_default();
        *mine = (*mine).max(*value);
    }
}

fn needs(container: &Value) -> Amounts {
    let mut out = amounts(&container["resources"]["limits"]);
    out.extend(amounts(&container["resources"]["requests"]));
    out
}

/// Containers and sidecars together, or the peak while starting, whichever is more; then pod level and overhead.
pub fn requests(pod: &Value) -> Amounts {
    let spec = &pod["spec"];
    let mut total = Amounts::new();
    for container in list(&spec["containers"]) {
        plus(&mut total, &needs(container));
    }
    let mut sidecars = Amounts::new();
    let mut peak = Amounts::new();
    for container in list(&spec["initContainers"]) {
        let mut here = needs(container);
        plus(&mut here, &sidecars);
        greatest(&mut peak, &here);
        if container["restartPolicy"] == "Always" {
            sidecars = here;
        }
    }
    plus(&mut total, &sidecars);
    greatest(&mut total, &peak);
    for (key, value) in amounts(&spec["resources"]["requests"]) {
        total.insert(key, value);
    }
    plus(&mut total, &amounts(&spec["overhead"]));
    total.insert("pods".to_owned(), NANO);
    total
}
