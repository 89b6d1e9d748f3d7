//! Decisions, their effects, their evidence and the verdicts on what was left alone: plain data that gate, act,
//! ledger, words and ui share.

pub mod cause;
pub mod effect;
pub mod evidence;
pub mod refusal;
pub mod remedy;
pub mod verdict;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Name, UsdPerHour};

pub use effect::{ClaimDraft, Effect, ObjectPatch, Result as EffectResult, WriteClass};
pub use evidence::Evidence;
pub use refusal::Refusal;
pub use verdict::Verdict;

/// Number of a decision, in the order they were proposed; `#142` on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DecisionId(pub u64);

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// The kinds that policies distinguish (screens, "Modes and policies").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    Provisioning,
    Emptiness,
    Consolidation,
    Drift,
    Static,
    Expiration,
    Interruption,
    Repair,
    Garbage,
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Provisioning,
        Self::Emptiness,
        Self::Consolidation,
        Self::Drift,
        Self::Static,
        Self::Expiration,
        Self::Interruption,
        Self::Repair,
        Self::Garbage,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::Emptiness => "emptiness",
            Self::Consolidation => "consolidation",
            Self::Drift => "drift",
            Self::Static => "static",
            Self::Expiration => "expiration",
            Self::Interruption => "interruption",
            Self::Repair => "repair",
            Self::Garbage => "garbage",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }

    /// Which write class its first effects have.
    pub fn class(self) -> WriteClass {
        if self == Self::Provisioning {
            WriteClass::Provision
        } else {
            WriteClass::Disrupt
        }
    }
}

/// What a decision changes, for ceilings and for the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Impact {
    /// Change of the bill; negative saves.
    pub usd_per_hour: UsdPerHour,
    pub nodes_added: u32,
    pub nodes_removed: u32,
    /// Pending pods that get a place.
    pub pods_placed: u32,
    /// Running pods that must move.
    pub evictions: u32,
}

/// What `decide` proposes; the engine numbers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proposal {
    pub kind: Kind,
    /// What it is about: pods (`namespace/name`) for provisioning, nodes for the rest.
    pub subjects: Vec<Name>,
    /// What approval does, in order. A disruption's replacements come before its removals.
    pub effects: Vec<Effect>,
    pub impact: Impact,
    pub evidence: Evidence,
}

impl Proposal {
    /// Which write class its first effects have: a static pool grows as well as it shrinks.
    pub fn class(&self) -> WriteClass {
        let creates = |e: &Effect| matches!(e, Effect::CreateClaim(_));
        if self.kind == Kind::Static && !self.effects.is_empty() && self.effects.iter().all(creates) {
            WriteClass::Provision
        } else {
            self.kind.class()
        }
    }

    /// SHA-256 over kind, subjects and effects: what an approval names. Evidence and impact are left out, so a
    /// price that moved by itself does not void an approval; re-validation looks at those.
    pub fn content_hash(&self) -> ContentHash {
        let json = serde_json::to_vec(&(self.kind, &self.subjects, &self.effects)).unwrap_or_default();
        let digest = Sha256::digest(&json);
        let mut out = [0; 16];
        out.copy_from_slice(&digest[..16]);
        ContentHash(u128::from_be_bytes(out))
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub u128);

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
impl Serialize for ContentHash {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for ContentHash {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        u128::from_str_radix(&text, 16)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

/// A numbered proposal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    pub id: DecisionId,
    pub at: Timestamp,
    pub hash: ContentHash,
    #[serde(flatten)]
    pub proposal: Proposal,
}

impl std::ops::Deref for Decision {
    type Target = Proposal;
    fn deref(&self) -> &Proposal {
        &self.proposal
    }
}

/// house, "States of a decision".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// Waits for a person.
    Held,
    /// A person or the policy said yes; waits for re-validation or for a pause to end.
    Approved,
    Rejected,
    /// A review ran out.
    Lapsed,
    /// The world moved; what changed is in the ruling.
    Withdrawn,
    /// Nobody may carry it out: its kind is off (mode observe).
    Noted,
    Acting,
    Done,
    Failed,
    RolledBack,
}

impl State {
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Held | Self::Approved | Self::Acting)
    }
}
