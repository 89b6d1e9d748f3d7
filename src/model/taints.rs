//! Taints and tolerations (`scheduling §9`).

use serde::{Deserialize, Serialize};

use super::Name;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TaintEffect {
    NoSchedule,
    PreferNoSchedule,
    NoExecute,
}

impl TaintEffect {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoSchedule => "NoSchedule",
            Self::PreferNoSchedule => "PreferNoSchedule",
            Self::NoExecute => "NoExecute",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Taint {
    pub key: Name,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub value: Name,
    pub effect: TaintEffect,
}

impl Taint {
    /// Same key and effect: what Kubernetes takes for the same taint.
    pub fn same(&self, other: &Self) -> bool {
        self.key == other.key && self.effect == other.effect
    }
}

impl std::fmt::Display for Taint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let eq = if self.value.is_empty() { "" } else { "=" };
        write!(f, "{}{eq}{}:{}", self.key, self.value, self.effect.as_str())
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TolerationOperator {
    #[default]
    Equal,
    Exists,
    Lt,
    Gt,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Toleration {
    /// Empty matches every key.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub key: Name,
    #[serde(default)]
    pub operator: TolerationOperator,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub value: Name,
    /// `None` matches every effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<TaintEffect>,
}

impl Toleration {
    /// `scheduling §9.1`.
    pub fn tolerates(&self, taint: &Taint) -> bool {
        let number = |text: &str| text.parse::<i64>().ok();
        self.effect.is_none_or(|e| e == taint.effect)
            && (self.key.is_empty() || self.key == taint.key)
            && match self.operator {
                TolerationOperator::Exists => true,
                TolerationOperator::Equal => self.value == taint.value,
                TolerationOperator::Lt => number(&taint.value)
                    .zip(number(&self.value))
                    .is_some_and(|(t, mine)| t < mine),
                TolerationOperator::Gt => number(&taint.value)
                    .zip(number(&self.value))
                    .is_some_and(|(t, mine)| t > mine),
            }
    }
}

/// The taints that no toleration covers.
pub fn untolerated<'a>(
    taints: &'a [Taint],
    tolerations: &'a [Toleration],
) -> impl Iterator<Item = &'a Taint> {
    taints
        .iter()
        .filter(|taint| !tolerations.iter().any(|t| t.tolerates(taint)))
}
