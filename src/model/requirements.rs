//! The requirements algebra (`scheduling §5`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Labels, Name};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    Gt,
    Lt,
    Gte,
    Lte,
}

impl Operator {
    pub const ALL: [Self; 8] = [
        Self::In,
        Self::NotIn,
        Self::Exists,
        Self::DoesNotExist,
        Self::Gt,
        Self::Lt,
        Self::Gte,
        Self::Lte,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "In",
            Self::NotIn => "NotIn",
            Self::Exists => "Exists",
            Self::DoesNotExist => "DoesNotExist",
            Self::Gt => "Gt",
            Self::Lt => "Lt",
            Self::Gte => "Gte",
            Self::Lte => "Lte",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.as_str() == text)
    }
}

/// What a label may be, in canonical form (`scheduling §5.1`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Requirement {
    pub key: Name,
    /// True: everything but `values`. False: only `values`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub complement: bool,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub values: BTreeSet<Name>,
    /// Inclusive lower bound; only on complements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gte: Option<i64>,
    /// Inclusive upper bound; only on complements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lte: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_values: Option<u32>,
}

/// Key aliases, normalised when a requirement is made (`scheduling §6.1`).
pub fn normalize_key(key: &str) -> &str {
    match key {
        "failure-domain.beta.kubernetes.io/zone" | "topology.ebs.csi.aws.com/zone" => {
            "topology.kubernetes.io/zone"
        }
        "failure-domain.beta.kubernetes.io/region" => "topology.kubernetes.io/region",
        "beta.kubernetes.io/arch" => "kubernetes.io/arch",
        "beta.kubernetes.io/os" => "kubernetes.io/os",
        "beta.kubernetes.io/instance-type" => "node.kubernetes.io/instance-type",
        other => other,
    }
}

impl Requirement {
    /// From a source operator. Numeric operators read the first value; one that is no integer gives
    /// `DoesNotExist` (validation refuses it earlier with a reason).
    pub fn new<V: Into<Name>>(key: &str, operator: Operator, values: impl IntoIterator<Item = V>) -> Self {
        let mut values: BTreeSet<Name> = values.into_iter().map(Into::into).collect();
        let mut out = Self {
            key: normalize_key(key).into(),
            complement: true,
            values: BTreeSet::new(),
            gte: None,
            lte: None,
            min_values: None,
        };
        let number = values.first().and_then(|v| v.parse::<i64>().ok());
        match operator {
            Operator::In => {
                out.complement = false;
                out.values = std::mem::take(&mut values);
            }
            Operator::NotIn => out.values = std::mem::take(&mut values),
            Operator::Exists => {}
            Operator::DoesNotExist => out.complement = false,
            Operator::Gt => match number.and_then(|n| n.checked_add(1)) {
                Some(n) => out.gte = Some(n),
                None => out.complement = false,
            },
            Operator::Lt => match number.and_then(|n| n.checked_sub(1)) {
                Some(n) => out.lte = Some(n),
                None => out.complement = false,
            },
            Operator::Gte => match number {
                Some(n) => out.gte = Some(n),
                None => out.complement = false,
            },
            Operator::Lte => match number {
                Some(n) => out.lte = Some(n),
                None => out.complement = false,
            },
        }
        out
    }

    pub fn is_in<V: Into<Name>>(key: &str, values: impl IntoIterator<Item = V>) -> Self {
        Self::new(key, Operator::In, values)
    }

    pub fn exists(key: &str) -> Self {
        Self::new::<Name>(key, Operator::Exists, [])
    }

    fn nothing(key: Name, min_values: Option<u32>) -> Self {
        Self {
            key,
            complement: false,
            values: BTreeSet::new(),
            gte: None,
            lte: None,
            min_values,
        }
    }

    /// The derived operator (`scheduling §5.1`).
    pub fn operator(&self) -> Operator {
        match (self.complement, self.values.is_empty()) {
            (true, false) => Operator::NotIn,
            (true, true) => Operator::Exists,
            (false, false) => Operator::In,
            (false, true) => Operator::DoesNotExist,
        }
    }

    /// Satisfied by a label that is not there.
    pub fn allows_absence(&self) -> bool {
        matches!(self.operator(), Operator::NotIn | Operator::DoesNotExist)
    }

    fn within(value: &str, gte: Option<i64>, lte: Option<i64>) -> bool {
        if gte.is_none() && lte.is_none() {
            return true;
        }
        value
            .parse::<i64>()
            .is_ok_and(|n| gte.is_none_or(|g| n >= g) && lte.is_none_or(|l| n <= l))
    }

    /// `scheduling §5.2`.
    pub fn has(&self, value: &str) -> bool {
        self.values.contains(value) != self.complement && Self::within(value, self.gte, self.lte)
    }

    fn merged_bounds(&self, other: &Self) -> (Option<i64>, Option<i64>) {
        let pick = |a: Option<i64>, b: Option<i64>, f: fn(i64, i64) -> i64| match (a, b) {
            (Some(a), Some(b)) => Some(f(a, b)),
            (a, b) => a.or(b),
        };
        (
            pick(self.gte, other.gte, i64::max),
            pick(self.lte, other.lte, i64::min),
        )
    }

    /// `scheduling §5.3`.
    pub fn intersection(&self, other: &Self) -> Self {
        let (gte, lte) = self.merged_bounds(other);
        let min_values = self.min_values.max(other.min_values);
        if gte.zip(lte).is_some_and(|(g, l)| g > l) {
            return Self::nothing(self.key.clone(), min_values);
        }
        let complement = self.complement && other.complement;
        let values: BTreeSet<Name> = match (self.complement, other.complement) {
            (true, true) => self.values.union(&other.values).cloned().collect(),
            (true, false) => other.values.difference(&self.values).cloned().collect(),
            (false, true) => self.values.difference(&other.values).cloned().collect(),
            (false, false) => self.values.intersection(&other.values).cloned().collect(),
        };
        let values = values.into_iter().filter(|v| Self::within(v, gte, lte)).collect();
        let (gte, lte) = if complement { (gte, lte) } else { (None, None) };
        Self {
            key: self.key.clone(),
            complement,
            values,
            gte,
            lte,
            min_values,
        }
    }

    /// `scheduling §5.4`: the test used everywhere. `DoesNotExist` intersects nothing.
    pub fn has_intersection(&self, other: &Self) -> bool {
        let (gte, lte) = self.merged_bounds(other);
        if gte.zip(lte).is_some_and(|(g, l)| g > l) {
            return false;
        }
        match (self.complement, other.complement) {
            (true, true) => true,
            (false, _) => self
                .values
                .iter()
                .any(|v| other.values.contains(v) != other.complement && Self::within(v, gte, lte)),
            (true, false) => other
                .values
                .iter()
                .any(|v| !self.values.contains(v) && Self::within(v, gte, lte)),
        }
    }

    /// `scheduling §5.8`, deterministic: the smallest value, the lower bound, or empty.
    pub fn any(&self) -> Name {
        match self.operator() {
            Operator::In => self.values.first().cloned().unwrap_or_else(|| "".into()),
            Operator::DoesNotExist => "".into(),
            _ => {
                let mut n = self.gte.unwrap_or(0);
                while self.values.contains(n.to_string().as_str()) && self.lte.is_none_or(|l| n < l) {
                    n += 1;
                }
                n.to_string().into()
            }
        }
    }

    /// `scheduling §5.9`: the `(operator, values)` entries that say the same on an object.
    pub fn to_spec(&self) -> Vec<(Operator, Vec<Name>)> {
        let mut out = Vec::new();
        if let Some(n) = self.gte {
            out.push((Operator::Gte, vec![n.to_string().into()]));
        }
        if let Some(n) = self.lte {
            out.push((Operator::Lte, vec![n.to_string().into()]));
        }
        if out.is_empty() {
            out.push((self.operator(), self.values.iter().cloned().collect()));
        }
        out
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key, self.operator().as_str())?;
        if !self.values.is_empty() {
            let shown: Vec<&str> = self.values.iter().take(5).map(AsRef::as_ref).collect();
            write!(f, " [{}", shown.join(" "))?;
            if self.values.len() > 5 {
                write!(f, " and {} others", self.values.len() - 5)?;
            }
            write!(f, "]")?;
        }
        if let Some(n) = self.gte {
            write!(f, " >={n}")?;
        }
        if let Some(n) = self.lte {
            write!(f, " <={n}")?;
        }
        if let Some(n) = self.min_values {
            write!(f, " minValues {n}")?;
        }
        Ok(())
    }
}

/// One requirement a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Requirements(pub BTreeMap<Name, Requirement>);

/// Why two sets cannot hold together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Incompatible {
    /// The node side has no value for this key (`scheduling §5.7`).
    UndefinedKey { key: Name, incoming: Requirement },
    /// Both sides have the key and no value satisfies both.
    Conflict {
        key: Name,
        existing: Requirement,
        incoming: Requirement,
    },
}

impl Requirements {
    pub fn from_labels(labels: &Labels) -> Self {
        labels
            .iter()
            .map(|(k, v)| Requirement::is_in(k, [v.clone()]))
            .collect()
    }

    /// The key's requirement; a missing key may be anything.
    pub fn get(&self, key: &str) -> Option<&Requirement> {
        self.0.get(key)
    }

    /// `scheduling §5.5`: narrows an existing key.
    pub fn add(&mut self, requirement: Requirement) {
        match self.0.get_mut(&requirement.key) {
            Some(mine) => *mine = requirement.intersection(mine),
            None => {
                self.0.insert(requirement.key.clone(), requirement);
            }
        }
    }

    pub fn add_all(&mut self, other: &Self) {
        for requirement in other.0.values() {
            self.add(requirement.clone());
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Requirement> {
        self.0.values()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `scheduling §5.6`: the first key on which `self` (existing) and `incoming` cannot both hold.
    pub fn intersects(&self, incoming: &Self) -> Result<(), Incompatible> {
        let (few, many) = if incoming.0.len() <= self.0.len() {
            (incoming, self)
        } else {
            (self, incoming)
        };
        for key in few.0.keys().filter(|k| many.0.contains_key(*k)) {
            let (mine, theirs) = (&self.0[key], &incoming.0[key]);
            let both_may_lack_it = theirs.allows_absence() && mine.allows_absence();
            if !both_may_lack_it && !mine.has_intersection(theirs) {
                return Err(Incompatible::Conflict {
                    key: key.clone(),
                    existing: mine.clone(),
                    incoming: theirs.clone(),
                });
            }
        }
        Ok(())
    }

    /// `scheduling §5.7`: `self` is the node side; `undefined_ok` says which keys a potential node may still
    /// get a value for.
    pub fn compatible(
        &self,
        incoming: &Self,
        undefined_ok: impl Fn(&str) -> bool,
    ) -> Result<(), Incompatible> {
        for requirement in incoming.0.values() {
            let known = self.0.contains_key(&requirement.key) || undefined_ok(&requirement.key);
            if !known && !requirement.allows_absence() {
                return Err(Incompatible::UndefinedKey {
                    key: requirement.key.clone(),
                    incoming: requirement.clone(),
                });
            }
        }
        self.intersects(incoming)
    }
}

impl FromIterator<Requirement> for Requirements {
    fn from_iter<I: IntoIterator<Item = Requirement>>(iter: I) -> Self {
        let mut out = Self::default();
        for requirement in iter {
            out.add(requirement);
        }
        out
    }
}
