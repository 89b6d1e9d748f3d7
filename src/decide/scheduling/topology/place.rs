//! Asking the groups about a place, and counting a pod that went there (`scheduling §18.5`, `§18.6`).

use fixedbitset::FixedBitSet;

use super::group::{Kind, NodeFilter, Verdict};
use super::{Membership, Topology};
use crate::api::names;
use crate::model::{Name, Requirement, Requirements, Taint};

/// A claim that a pod might join, as topology sees it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// What the claim demands.
    pub requirements: &'a Requirements,
    pub hostname: &'a Name,
    pub taints: &'a [Taint],
    /// Its position among the claims of this plan.
    pub claim: usize,
}

/// A host by number.
#[derive(Clone, Copy, Debug)]
enum Spot<'a> {
    /// Position among the machines.
    Node(usize),
    Claim(usize, &'a Name),
}

impl Topology<'_> {
    /// What a claim is narrowed to, one requirement a key, hostname left out; or the first group that has no domain left
    /// (`scheduling §18.5`).
    pub fn evaluate(
        &self,
        member: &Membership,
        strict: &Requirements,
        place: &Place<'_>,
    ) -> Result<Requirements, usize> {
        let mut out: Vec<(usize, FixedBitSet)> = Vec::new();
        let spot = Spot::Claim(place.claim, place.hostname);
        for (id, itself) in member.groups() {
            if !self.groups[id].per_host {
                self.narrow(id, itself, strict, place.requirements, &mut out)?;
            } else if !self.takes_host(id, itself, strict, spot) {
                return Err(id);
            }
        }
        Ok(self.as_requirements(out))
    }

    /// The first group that refuses a node; a node without the label has no domain (`scheduling §18.5`).
    pub fn evaluate_node(
        &self,
        member: &Membership,
        strict: &Requirements,
        node: usize,
    ) -> Result<(), usize> {
        let mut lacks = None;
        for (id, itself) in member.groups() {
            let takes = if self.groups[id].per_host {
                self.takes_host(id, itself, strict, Spot::Node(node))
            } else {
                let verdict = self.verdict(id, itself, strict);
                let domain = self.table(id).base.of_node(node);
                if domain.is_none() {
                    lacks = lacks.or(Some(id));
                }
                domain.map_or_else(
                    || verdict.domains().next().is_some(),
                    |d| verdict.takes(d as usize),
                )
            };
            if !takes {
                return Err(id);
            }
        }
        lacks.map_or(Ok(()), Err)
    }

    /// As [`Self::evaluate`], hostname rules left out: the same for all claims with these requirements.
    pub fn narrowing(
        &self,
        member: &Membership,
        strict: &Requirements,
        requirements: &Requirements,
    ) -> Result<Requirements, usize> {
        let mut out: Vec<(usize, FixedBitSet)> = Vec::new();
        for (id, itself) in member.groups().filter(|(id, _)| !self.groups[*id].per_host) {
            self.narrow(id, itself, strict, requirements, &mut out)?;
        }
        Ok(self.as_requirements(out))
    }

    fn narrow(
        &self,
        id: usize,
        itself: bool,
        strict: &Requirements,
        requirements: &Requirements,
        out: &mut Vec<(usize, FixedBitSet)>,
    ) -> Result<(), usize> {
        let table = self.table(id);
        let place = requirements.get(&table.key).map(|r| table.allowed(r));
        let domains = self.verdict(id, itself, strict).narrow(place.as_ref(), table);
        if domains.is_clear() {
            return Err(id);
        }
        match out.iter_mut().find(|(t, _)| *t == self.table_of[id]) {
            Some((_, both)) => both.intersect_with(&domains),
            None => out.push((self.table_of[id], domains)),
        }
        Ok(())
    }

    fn verdict(&self, id: usize, itself: bool, strict: &Requirements) -> Verdict<'_> {
        let table = self.table(id);
        // Upstream compares the domains that the pod asks for, and so overlooks alternatives and what
        // `nodeAffinityPolicy: Ignore` asks for.
        let filter = self.groups[id].rule.filter.as_ref();
        let pod = match filter.filter(|_| !self.prepared.settings.parity) {
            Some(filter) => filter.looked_at(table),
            None => strict.get(&table.key).map(|r| table.allowed(r)),
        };
        self.groups[id].verdict(pod, itself)
    }

    fn as_requirements(&self, domains: Vec<(usize, FixedBitSet)>) -> Requirements {
        domains
            .into_iter()
            .map(|(table, domains)| {
                let table = &self.tables[table];
                Requirement {
                    key: table.key.clone(),
                    complement: false,
                    values: domains.ones().filter_map(|d| table.name(d)).cloned().collect(),
                    gte: None,
                    lte: None,
                    min_values: None,
                }
            })
            .collect()
    }

    /// Whether a hostname group takes one host.
    fn takes_host(&self, id: usize, itself: bool, strict: &Requirements, spot: Spot<'_>) -> bool {
        let (group, base) = (&self.groups[id], &self.table(id).base);
        let (host, name) = match spot {
            Spot::Node(i) => (base.of_node(i).map(|h| h as usize), base.name_of_node(i)),
            Spot::Claim(c, name) => (Some(base.len() + c), Some(name)),
        };
        let pods = host.map_or(0, |h| group.at(h));
        if group.rule.kind != Kind::Affinity {
            return !group.is_full(pods, itself);
        }
        let wanted = strict.get(names::HOSTNAME);
        if wanted.is_some_and(|w| !name.is_some_and(|n| w.has(n))) {
            return false;
        }
        pods > 0 || (itself && !self.is_started(id, wanted))
    }

    /// Whether some host that the pod may use has a pod of the group.
    fn is_started(&self, id: usize, wanted: Option<&Requirement>) -> bool {
        match wanted {
            None => self.groups[id].is_occupied(),
            Some(wanted) => self.shown(id).iter().any(|(host, _)| wanted.has(host)),
        }
    }

    /// Removes the nodes that some group refuses, and those without a label that one needs.
    pub fn close_nodes(&self, member: &Membership, strict: &Requirements, nodes: &mut FixedBitSet) {
        for (id, itself) in member.groups() {
            if self.groups[id].per_host {
                self.close_hosts(id, itself, strict, self.groups[id].hosts().nodes(itself), nodes);
                continue;
            }
            let values = &self.table(id).base;
            let mut open = FixedBitSet::with_capacity(nodes.len());
            for domain in self.verdict(id, itself, strict).domains() {
                values.add_nodes(domain, &mut open);
            }
            nodes.intersect_with(&open);
        }
    }

    /// Removes the claims that some hostname group refuses.
    pub fn close_claims(&self, member: &Membership, strict: &Requirements, claims: &mut FixedBitSet) {
        for (id, itself) in member.groups().filter(|(id, _)| self.groups[*id].per_host) {
            self.close_hosts(id, itself, strict, self.groups[id].hosts().claims(itself), claims);
        }
    }

    /// Hosts that the pod's own requirements exclude are not looked at: they are closed already.
    fn close_hosts(
        &self,
        id: usize,
        itself: bool,
        strict: &Requirements,
        full: &FixedBitSet,
        open: &mut FixedBitSet,
    ) {
        if self.groups[id].rule.kind != Kind::Affinity {
            open.difference_with(full);
        } else if !itself || self.is_started(id, strict.get(names::HOSTNAME)) {
            open.intersect_with(full);
        }
    }

    /// Counts a pod that a claim took (`scheduling §18.6`).
    pub fn record(&mut self, member: &mut Membership, place: &Place<'_>) {
        self.refresh(member);
        for id in member.records.iter().copied() {
            let rule = self.groups[id].rule.clone();
            let takes = |f: &NodeFilter| f.is_open() || f.accepts(place.requirements, place.taints);
            if rule.filter.as_ref().is_none_or(takes) {
                self.count(id, place, rule.kind == Kind::AntiAffinity);
            }
        }
        for id in member.inverse_owned.iter().copied() {
            self.count(id, place, true);
        }
    }

    /// `every`: on every domain that the claim may have; else only where it has exactly one.
    fn count(&mut self, id: usize, place: &Place<'_>, every: bool) {
        let table = &mut self.tables[self.table_of[id]];
        let group = &mut self.groups[id];
        if group.per_host {
            let host = table.claim(place.claim, place.hostname);
            group.count(host, 1);
            group.mark(host, &table.base);
            return;
        }
        let Some(domains) = place.requirements.get(&table.key).filter(|r| !r.complement) else {
            return;
        };
        if every || domains.values.len() == 1 {
            for domain in &domains.values {
                group.count(table.intern(domain), 1);
            }
        }
    }

    /// Counts a pod that a node took.
    pub fn record_node(&mut self, member: &mut Membership, node: usize) {
        self.refresh(member);
        let state = &self.prepared.nodes[node].state;
        for id in member.records.iter().copied() {
            let rule = self.groups[id].rule.clone();
            let takes = |f: &NodeFilter| f.is_open() || f.accepts(&state.label_requirements(), &state.taints);
            if rule.filter.as_ref().is_none_or(takes) {
                self.count_node(id, node);
            }
        }
        for id in member.inverse_owned.iter().copied() {
            self.count_node(id, node);
        }
    }

    fn count_node(&mut self, id: usize, node: usize) {
        let base = self.table(id).base.clone();
        if let Some(domain) = base.of_node(node) {
            let group = &mut self.groups[id];
            group.count(domain as usize, 1);
            if group.per_host {
                group.mark(domain as usize, &base);
            }
        }
    }
}
