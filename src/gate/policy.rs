//! Policies per kind of decision, and the four presets (screens, "Modes and policies").

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::guards::Limits;
use crate::model::UsdPerHour;
use crate::model::decision::{Impact, Kind};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Rule {
    Auto,
    Ask,
    Off,
}

impl Rule {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Ask => "ask",
            Self::Off => "off",
        }
    }
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

    /// The first ceiling that a decision is above: `7 nodes, the ceiling is 5`.
    pub fn above(&self, impact: &Impact) -> Option<String> {
        let nodes = impact.nodes_added + impact.nodes_removed;
        if let Some(most) = self.max_nodes.filter(|n| nodes > *n) {
            return Some(format!("{nodes} nodes, the ceiling is {most}"));
        }
        if let Some(most) = self.max_usd.filter(|usd| impact.usd_per_hour > *usd) {
            let (rise, most) = (impact.usd_per_hour.as_f64(), most.as_f64());
            return Some(format!("+${rise:.3}/h, the ceiling is ${most:.3}/h"));
        }
        let most = self.max_pods.filter(|n| impact.evictions > *n)?;
        Some(format!("{} evictions, the ceiling is {most}", impact.evictions))
    }

    /// The rule for one decision, ceilings applied.
    pub fn rule_for(&self, impact: &Impact) -> Rule {
        if self.rule == Rule::Auto && self.above(impact).is_some() {
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
    /// Where guards trip.
    #[serde(default)]
    pub limits: Limits,
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

impl Policies {
    /// Why a decision of that kind and impact is approved, waits or is only noted.
    pub fn reason(&self, kind: Kind, impact: &Impact) -> String {
        let policy = self.for_kind(kind);
        if policy.rule == Rule::Auto
            && let Some(above) = policy.above(impact)
        {
            return format!("policy {}: {above}", kind.as_str());
        }
        let own = self.mode != Mode::Observe && self.overrides.contains_key(&kind);
        let word = policy.rule.as_str();
        if own {
            return format!("policy {}={word}", kind.as_str());
        }
        let mode = self.mode.as_str();
        match policy.rule {
            Rule::Auto => format!("mode {mode} runs {}", kind.as_str()),
            Rule::Ask => format!("mode {mode} asks before {}", kind.as_str()),
            Rule::Off => format!("mode {mode} only looks"),
        }
    }
}

/// `--policy KIND=auto|ask|off[:nodes=N][:usd=X][:pods=N]` (commands.md).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFlag(pub Kind, pub Policy);

impl std::str::FromStr for PolicyFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Kind::ALL.map(Kind::as_str).join(", ");
        let (kind, rest) = text.split_once('=').ok_or_else(|| {
            format!(
                "write KIND=auto|ask|off[:nodes=N][:usd=X][:pods=N]; KIND is one of {}",
                names()
            )
        })?;
        let kind =
            Kind::parse(kind).ok_or_else(|| format!("unknown kind {kind:?}; use one of {}", names()))?;
        let mut parts = rest.split(':');
        let mut policy = Policy::plain(match parts.next() {
            Some("auto") => Rule::Auto,
            Some("ask") => Rule::Ask,
            Some("off") => Rule::Off,
            other => {
                return Err(format!(
                    "unknown rule {:?}; use auto, ask or off",
                    other.unwrap_or("")
                ));
            }
        });
        for part in parts {
            let bad = || format!("{part:?} is no ceiling; use nodes=N, usd=X or pods=N");
            let (key, value) = part.split_once('=').ok_or_else(bad)?;
            match key {
                "nodes" => policy.max_nodes = Some(value.parse().map_err(|_| bad())?),
                "pods" => policy.max_pods = Some(value.parse().map_err(|_| bad())?),
                "usd" => {
                    let usd = value
                        .parse::<f64>()
                        .ok()
                        .filter(|v| v.is_finite() && *v >= 0.0)
                        .ok_or_else(bad)?;
                    policy.max_usd = Some(UsdPerHour::from_f64(usd));
                }
                _ => return Err(bad()),
            }
        }
        Ok(Self(kind, policy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ruling_names_what_held_it() {
        let impact = Impact {
            nodes_added: 7,
            usd_per_hour: UsdPerHour::from_f64(0.5),
            ..Impact::default()
        };
        let mut policies = Policies::default();
        let why = |p: &Policies, kind| p.reason(kind, &impact);
        assert_eq!(why(&policies, Kind::Drift), "mode supervise asks before drift");
        assert_eq!(
            why(&policies, Kind::Provisioning),
            "mode supervise runs provisioning"
        );
        let PolicyFlag(kind, policy) = "provisioning=auto:nodes=5".parse().expect("valid");
        policies.overrides.insert(kind, policy);
        assert_eq!(
            why(&policies, kind),
            "policy provisioning: 7 nodes, the ceiling is 5"
        );
        let PolicyFlag(kind, policy) = "provisioning=auto:usd=0.25".parse().expect("valid");
        policies.overrides.insert(kind, policy);
        assert_eq!(
            why(&policies, kind),
            "policy provisioning: +$0.500/h, the ceiling is $0.250/h"
        );
        policies.overrides.insert(kind, Policy::plain(Rule::Ask));
        assert_eq!(why(&policies, kind), "policy provisioning=ask");
        policies.mode = Mode::Observe;
        assert_eq!(why(&policies, kind), "mode observe only looks");
    }

    #[test]
    fn a_policy_flag_names_kind_rule_and_ceilings() {
        let PolicyFlag(kind, policy) = "provisioning=auto:nodes=5:usd=2.5".parse().expect("valid");
        assert_eq!(kind, Kind::Provisioning);
        assert_eq!(policy.max_nodes, Some(5));
        assert_eq!(policy.max_usd, Some(UsdPerHour::from_f64(2.5)));
        for bad in [
            "",
            "provisioning",
            "nodes=auto",
            "drift=maybe",
            "drift=auto:nodes",
            "drift=auto:usd=NaN",
        ] {
            assert!(bad.parse::<PolicyFlag>().is_err(), "{bad}");
        }
    }
}
