//! Types that several custom resources use (`api §2`).

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

/// A Kubernetes quantity in its original text; JSON numbers are read as their text (`api §13.3`).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Quantity(pub String);

impl Quantity {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Quantity {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        text_or_number(d).map(Self)
    }
}

impl JsonSchema for Quantity {
    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "x-kubernetes-int-or-string": true })
    }
}

/// Reads a string, or a number as its shortest text.
pub fn text_or_number<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        Whole(i64),
        Fraction(f64),
    }
    Ok(match Either::deserialize(d)? {
        Either::Text(text) => text,
        Either::Whole(n) => n.to_string(),
        Either::Fraction(n) => n.to_string(),
    })
}

/// A duration in its original text: `1h30m`, or `Never` where that is allowed (`api §2.5`).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct DurationText(pub String);

impl DurationText {
    /// `None` for `Never` and for text that is no duration.
    pub fn get(&self) -> Option<Duration> {
        go_duration(&self.0)
    }

    pub fn is_never(&self) -> bool {
        self.0 == "Never"
    }
}

impl From<&str> for DurationText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// A positive Go duration as Kubernetes prints and takes it: `1h0m0s`, `1.5h`, `300ms`. `None` when it is none.
pub fn go_duration(text: &str) -> Option<Duration> {
    const NANOS: [(&str, u128); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("μs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(end);
        let unit_end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let scale = NANOS.iter().find(|(name, _)| *name == unit)?.1;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || fraction.len() > 18 {
            return None;
        }
        if !whole.is_empty() {
            total = total.checked_add(whole.parse::<u128>().ok()?.checked_mul(scale)?)?;
        }
        if !fraction.is_empty() {
            let digits = u32::try_from(fraction.len()).ok()?;
            total = total.checked_add(fraction.parse::<u128>().ok()? * scale / 10_u128.pow(digits))?;
        }
        rest = tail;
    }
    // Go keeps nanoseconds in an int64.
    let nanos = i64::try_from(total).ok()?;
    Some(Duration::from_nanos(nanos.unsigned_abs()))
}

/// `status.conditions[]` (`api §2.1`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    #[serde(rename = "type")]
    pub kind: String,
    pub status: String,
    pub last_transition_time: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// A requirement with `minValues` (`api §2.2`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Requirement {
    pub key: String,
    pub operator: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_values: Option<i32>,
}

/// Key, operator and values: a core node selector requirement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LabelExpression {
    pub key: String,
    pub operator: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// Which node class a pool or claim uses: `group`, not `apiVersion` (`api §2.3`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeClassReference {
    pub group: String,
    pub kind: String,
    pub name: String,
}

/// `api §2.4`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Taint {
    pub key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    pub effect: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_added: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_go_are_read() {
        for (text, seconds) in [
            ("0", Some(0.0)),
            ("0s", Some(0.0)),
            ("1h30m5s", Some(5405.0)),
            ("720h", Some(2_592_000.0)),
            ("1h0m0s", Some(3600.0)),
            ("1.5h", Some(5400.0)),
            (".5m", Some(30.0)),
            ("300ms", Some(0.3)),
            ("1m0.5s", Some(60.5)),
            ("Never", None),
            ("1d", None),
            ("", None),
            ("5", None),
            ("-1s", None),
            ("1hr", None),
            ("1..5h", None),
            ("99999999999h", None),
        ] {
            let got = go_duration(text).map(|d| d.as_secs_f64());
            assert_eq!(got, seconds, "{text}");
        }
    }

    #[test]
    fn a_quantity_keeps_its_text() {
        for (json, text) in [("\"1500m\"", "1500m"), ("400", "400"), ("0.5", "0.5")] {
            let q: Quantity = serde_json::from_str(json).expect(json);
            assert_eq!(q.0, text);
        }
    }
}
