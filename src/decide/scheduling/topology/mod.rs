//! Topology: spread, affinity and anti-affinity as groups with counts by domain (`scheduling §18`).

mod build;
mod count;
mod group;
mod universe;

pub use build::Membership;
pub use count::CountIndex;
pub use group::{Group, Identity, Kind, NodeFilter};

use std::collections::{BTreeMap, BTreeSet};

use super::prepare::Prepared;
use crate::api::names;
use crate::model::{Name, Requirement, Requirements, Taint};

/// All groups of one solve.
#[derive(Debug)]
pub struct Topology<'a> {
    prepared: &'a Prepared,
    groups: Vec<Group>,
    by_identity: BTreeMap<Identity, usize>,
    /// Pods that are being placed: never counted as existing.
    batch: BTreeSet<Name>,
    /// Nodes that count as gone: no source of domains.
    without: &'a BTreeSet<Name>,
    /// Whether preferences count at all.
    ignore_preferences: bool,
    /// Every quirk of upstream is kept (decisions §4).
    parity: bool,
}

/// Where a pod might go, as topology sees it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// What the place demands or is: requirements of a claim, labels of a node.
    pub requirements: &'a Requirements,
    pub hostname: &'a Name,
    pub taints: &'a [Taint],
}

impl Place<'_> {
    fn domains(&self, key: &str) -> Requirement {
        if key == names::HOSTNAME {
            return Requirement::is_in(key, [self.hostname.clone()]);
        }
        self.requirements
            .get(key)
            .cloned()
            .unwrap_or_else(|| Requirement::exists(key))
    }
}

impl<'a> Topology<'a> {
    /// `batch`: keys of the pods to place.
    pub fn new(prepared: &'a Prepared, batch: BTreeSet<Name>, without: &'a BTreeSet<Name>) -> Self {
        let mut out = Self {
            prepared,
            groups: Vec::new(),
            by_identity: BTreeMap::new(),
            batch,
            without,
            ignore_preferences: prepared.settings.ignore_preferences,
            parity: prepared.settings.parity,
        };
        out.add_bound_inverse();
        out
    }

    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    pub fn group(&self, id: usize) -> &Group {
        &self.groups[id]
    }

    /// What a place is narrowed to, one requirement a key, or the first group that has no domain left
    /// (`scheduling §18.5`).
    pub fn evaluate(
        &self,
        member: &Membership,
        strict: &Requirements,
        place: &Place<'_>,
    ) -> Result<Requirements, usize> {
        let mut out = Requirements::default();
        for (id, selects_itself) in member
            .owned
            .iter()
            .copied()
            .chain(member.avoided.iter().map(|g| (*g, false)))
        {
            let group = &self.groups[id];
            let pod = strict
                .get(&group.key)
                .cloned()
                .unwrap_or_else(|| Requirement::exists(&group.key));
            let allowed = group.allowed(&pod, &place.domains(&group.key), selects_itself);
            if allowed.is_empty() {
                return Err(id);
            }
            out.add(Requirement {
                key: group.key.clone(),
                complement: false,
                values: allowed,
                gte: None,
                lte: None,
                min_values: None,
            });
        }
        Ok(out)
    }

    /// Counts a placement (`scheduling §18.6`).
    pub fn record(&mut self, member: &mut Membership, place: &Place<'_>) {
        self.refresh(member);
        for id in member.records.iter().copied() {
            let group = &self.groups[id];
            if !group.filter.as_ref().is_none_or(|f| f.accepts(place)) {
                continue;
            }
            let domains = place.domains(&group.key);
            if domains.complement {
                continue;
            }
            let every = group.kind == Kind::AntiAffinity;
            if every || domains.values.len() == 1 {
                for domain in &domains.values {
                    self.groups[id].count(domain);
                }
            }
        }
        for id in member.inverse_owned.iter().copied() {
            let domains = place.domains(&self.groups[id].key);
            if !domains.complement {
                for domain in &domains.values {
                    self.groups[id].count(domain);
                }
            }
        }
    }
}
