//! Policies per kind of decision, and the four presets (screens, "Modes and policies").

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::UsdPerHour;
use crate::model::decision::{Impact, Kind};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Rule {
    Auto,
    Ask,
    Off,
}

/// A rule with the ceilings above which `auto` becomes `ask`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    pub rule: Rule,
    /// Nodes added plus removed by one decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_nodes: Option<u32>,
    /// Rise of the bill by one decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_usd: Option<UsdPerHour>,
    /// Pods evicted by one decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_pods: Option<u32>,
}

impl Policy {
    pub const fn plain(rule: Rule) -> Self {
        Self {
            rule,
            max_nodes: None,
            max_usd: None,
            max_pods: None,
        }
    }

    /// The rule for one decision, ceilings applied.
    pub fn rule_for(&self, impact: &Impact) -> Rule {
        let over = self
            .max_nodes
            .is_some_and(|n| impact.nodes_added + impact.nodes_removed > n)
            || self.max_usd.is_some_and(|usd| impact.usd_per_hour > usd)
            || self.max_pods.is_some_and(|n| impact.evictions > n);
        if over && self.rule == Rule::Auto {
            Rule::Ask
        } else {
            self.rule
        }
    }
}

/// Preset; each names a rule for every kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    Observe,
    Ask,
    #[default]
    Supervise,
    Auto,
}

impl Mode {
    pub const ALL: [Self; 4] = [Self::Observe, Self::Ask, Self::Supervise, Self::Auto];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Ask => "ask",
            Self::Supervise => "supervise",
            Self::Auto => "auto",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.as_str() == text)
    }

    /// The table of screens.md.
    pub fn rule(self, kind: Kind) -> Rule {
        match (self, kind) {
            (Self::Observe, _) => Rule::Off,
            (Self::Auto, _) | (_, Kind::Interruption | Kind::Repair | Kind::Garbage) => Rule::Auto,
            (Self::Supervise, Kind::Provisioning) => Rule::Auto,
            (Self::Ask | Self::Supervise, _) => Rule::Ask,
        }
    }
}

/// The mode and what differs from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policies {
    pub mode: Mode,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<Kind, Policy>,
}

impl Policies {
    pub fn for_kind(&self, kind: Kind) -> Policy {
        if self.mode == Mode::Observe {
            return Policy::plain(Rule::Off);
        }
        self.overrides
            .get(&kind)
            .copied()
            .unwrap_or_else(|| Policy::plain(self.mode.rule(kind)))
    }
}
