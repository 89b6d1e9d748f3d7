//! Refusals with their facts, for what the search only noted as a bit (`scheduling §27.1`).

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;

use super::Solver;
use super::claims::{No, OpenClaim};
use super::form::Form;
use super::open::Allowance;
use crate::api::names;
use crate::decide::scheduling::state::NODES;
use crate::decide::scheduling::{min_values, ports, volumes};
use crate::model::decision::Refusal;
use crate::model::requirements::Incompatible;
use crate::model::taints::untolerated;
use crate::model::{Name, Requirement, Requirements};

/// Domains shown of a topology refusal.
const DOMAINS_SHOWN: usize = 25;

impl Solver<'_> {
    /// One entry a pool in weight order, of the most relaxed form.
    pub(super) fn refusals(&mut self, shape: usize) -> Vec<(Name, Refusal)> {
        let form = self.last_form(shape);
        let taken = std::mem::take(&mut self.forms[form]);
        let mut out = self.p.templates.refused.clone();
        for template in 0..self.p.templates.usable.len() {
            if let Some(refusal) = self.template_refusal(&taken, template) {
                out.push((self.p.templates.usable[template].pool.name.clone(), refusal));
            }
        }
        self.forms[form] = taken;
        self.in_weight_order(&mut out);
        if out.is_empty() {
            out.push(("".into(), Refusal::NoPools));
        }
        out
    }

    fn in_weight_order(&self, pools: &mut [(Name, Refusal)]) {
        pools.sort_by_key(|(name, _)| self.p.templates.order.get(name).copied());
    }

    /// Pools ahead of one that took the pod.
    pub(super) fn refused_before(&mut self, form: &mut Form, template: usize) -> Vec<(Name, Refusal)> {
        let place = |p: &Self, name: &Name| p.p.templates.order.get(name).copied();
        let limit = place(self, &self.p.templates.usable[template].pool.name);
        let mut out: Vec<(Name, Refusal)> = self
            .p
            .templates
            .refused
            .iter()
            .filter(|(name, _)| place(self, name) < limit)
            .cloned()
            .collect();
        for earlier in 0..template {
            if let Some(refusal) = self.lasting_refusal(form, earlier) {
                out.push((self.p.templates.usable[earlier].pool.name.clone(), refusal));
            }
        }
        self.in_weight_order(&mut out);
        out
    }

    /// As [`Self::template_refusal`], remembered where neither limits nor topology can change it.
    fn lasting_refusal(&mut self, form: &mut Form, template: usize) -> Option<Refusal> {
        let lasts = form.member.is_free()
            && form.hostname.is_none()
            && self.rations.is_none()
            && self.remaining[template].is_empty();
        if !lasts {
            return self.template_refusal(form, template);
        }
        if let Some(known) = form.pools_refused.get(&template) {
            return known.clone();
        }
        let refusal = self.template_refusal(form, template);
        form.pools_refused.insert(template, refusal.clone());
        refusal
    }

    /// Why a template cannot open a claim for the form; `None` when it can.
    pub(super) fn template_refusal(&mut self, form: &Form, template: usize) -> Option<Refusal> {
        let t = &self.p.templates.usable[template];
        let limit = |resource: &str| Refusal::PoolLimit {
            resource: resource.into(),
            limit: t.pool.limits.get(resource).copied().unwrap_or(0),
            used: t.pool.limits.get(resource).copied().unwrap_or(0)
                - self.remaining[template].get(resource).copied().unwrap_or(0),
        };
        let (types, over) = match self.allowance(template) {
            Allowance::Nodes => {
                let wanted = t.pool.limits.get(NODES).copied().unwrap_or(0);
                let left = self.remaining[template].get(NODES).copied().unwrap_or(0);
                return Some(Refusal::NodeLimit {
                    limit: wanted,
                    used: wanted - left,
                });
            }
            Allowance::Types(types, over) => (types, over),
        };
        if types.is_clear()
            && let Some((resource, _, _)) = over.last()
        {
            return Some(limit(resource));
        }
        let taints: Vec<_> = untolerated(&t.pool.template.taints, &form.spec.tolerations)
            .cloned()
            .collect();
        if !taints.is_empty() {
            return Some(Refusal::UntoleratedTaints { taints });
        }
        if let Some(why) = &form.forgotten.contradiction {
            return Some(Refusal::Requirement {
                mismatch: why.clone(),
            });
        }
        let mut claim = self.fresh(template, types);
        if let Some(h) = form.hostname.as_ref().filter(|h| !h.has(&claim.hostname)) {
            return Some(hostname_mismatch(&claim, h));
        }
        let row = match self.arena.join(claim.row, form.demand) {
            Ok(row) => row,
            Err(why) => {
                let mut existing = t.requirements.clone();
                existing
                    .0
                    .retain(|k, _| !crate::decide::scheduling::labels::SIMULATED.contains(&&**k));
                return Some(self.mismatch(&why, &existing));
            }
        };
        match self.check(form, &claim) {
            Ok(_) => return None,
            Err(No::Reserved) => return Some(Refusal::Reserved),
            Err(No::Ever | No::Now) => {}
        }
        claim.over_limit = over;
        Some(self.row_refusal(form, &claim, row))
    }

    /// Why a claim of this plan does not take the form; `None` when it does.
    pub(super) fn claim_refusal(&mut self, form: &Form, claim: &OpenClaim) -> Option<Refusal> {
        let pool = &self.p.templates.usable[claim.template].pool;
        let taints: Vec<_> = untolerated(&pool.template.taints, &form.spec.tolerations)
            .cloned()
            .collect();
        if !taints.is_empty() {
            return Some(Refusal::UntoleratedTaints { taints });
        }
        if let Some(h) = form.hostname.as_ref().filter(|h| !h.has(&claim.hostname)) {
            return Some(hostname_mismatch(claim, h));
        }
        let row = match self.arena.join(claim.row, form.demand) {
            Ok(row) => row,
            Err(why) => {
                let existing = self.arena.row(claim.row).requirements.clone();
                return Some(self.mismatch(&why, &existing));
            }
        };
        if self.check(form, claim).is_ok() {
            return None;
        }
        Some(self.row_refusal(form, claim, row))
    }

    /// The checks behind taints and requirements: volumes, topology, types, variety.
    fn row_refusal(&mut self, form: &Form, claim: &OpenClaim, row: u32) -> Refusal {
        let mut last = None;
        let alternatives: Vec<Option<u32>> = if form.volumes.is_empty() {
            vec![None]
        } else {
            form.volumes.iter().map(|(id, _)| Some(*id)).collect()
        };
        for alternative in alternatives {
            let narrowed = match alternative.map(|id| self.arena.join(row, id)) {
                None => row,
                Some(Ok(id)) => id,
                Some(Err(why)) => {
                    last = Some(Refusal::VolumeRequirement {
                        mismatch: (*why).clone(),
                    });
                    continue;
                }
            };
            last = Some(self.deep_refusal(form, claim, narrowed));
        }
        last.unwrap_or(Refusal::NoPools)
    }

    fn deep_refusal(&mut self, form: &Form, claim: &OpenClaim, row_id: u32) -> Refusal {
        let row = self.arena.row(row_id);
        let mut requests = claim.requests.clone();
        requests.add(&form.requests);
        let mut final_row = row_id;
        if !form.member.is_free() {
            match self.narrowing(form, claim, &row.requirements) {
                Err(group) => return self.topology_refusal(group),
                Ok(narrowing) => {
                    let demand = self.arena.demand(narrowing);
                    if let Ok(id) = self.arena.join(row_id, demand) {
                        final_row = id;
                    }
                }
            }
        }
        let row = self.arena.row(final_row);
        let t = &self.p.templates.usable[claim.template];
        let wanted = &form.spec.host_ports;
        if let Some((want, taken)) = ports::first_conflict(wanted, claim.ports.iter()) {
            return host_port(want, taken);
        }
        let clash = t
            .daemons
            .iter()
            .map(|g| ports::first_conflict(wanted, g.ports.iter()))
            .collect::<Option<Vec<_>>>();
        if let Some((want, taken)) = clash.and_then(|all| all.first().copied()) {
            let daemon = t
                .daemons
                .iter()
                .flat_map(|g| &g.daemons)
                .map(|d| &self.p.daemons[*d])
                .find(|d| d.spec.host_ports.contains(taken));
            return Refusal::HostPort {
                wanted: ports::text(want).into(),
                taken: match daemon {
                    Some(d) => format!("{} of DaemonSet {}", ports::text(taken), d.name).into(),
                    None => ports::text(taken).into(),
                },
            };
        }
        let mut types = claim.types.clone();
        row.filter(&mut types);
        types = self.fitting(claim.template, &types, &requests, &claim.ports, wanted);
        if !types.is_clear()
            && let Err(keys) = min_values::check(&t.catalogue, &types, &row.requirements)
        {
            return Refusal::MinValues { keys };
        }
        let cause = if self.telling {
            self.cause(form, claim, final_row, &requests)
        } else {
            None
        };
        Refusal::InstanceTypes {
            funnel: self.funnel(claim, final_row, &requests),
            requests,
            cause,
        }
    }

    pub(super) fn topology_refusal(&self, group: usize) -> Refusal {
        let rule = &self.topology.group(group).rule;
        let mut counts = self.topology.shown(group);
        counts.truncate(DOMAINS_SHOWN);
        Refusal::Topology {
            rule: rule.kind.as_str().into(),
            key: rule.key.clone(),
            counts: counts.into_iter().collect(),
        }
    }

    fn mismatch(&self, why: &Incompatible, existing: &Requirements) -> Refusal {
        match why {
            Incompatible::UndefinedKey { key, incoming } => Refusal::UnknownLabel {
                key: key.clone(),
                wanted: incoming.clone(),
                hint: self.p.well_known.hint(key, existing),
            },
            Incompatible::Conflict { .. } => Refusal::Requirement {
                mismatch: why.clone(),
            },
        }
    }

    /// Existing nodes and claims of this plan that refuse a form: code → count.
    pub(super) fn targets_refused(&mut self, form: &Form) -> BTreeMap<Name, u32> {
        let mut out: BTreeMap<Name, u32> = BTreeMap::new();
        let mut add = |code: &str, n: usize| {
            if n > 0 {
                *out.entry(code.into()).or_default() += u32::try_from(n).unwrap_or(u32::MAX);
            }
        };
        let tolerated = self.p.tolerated(&form.spec.tolerations);
        let mut left = self.open_nodes.clone();
        let all = left.count_ones(..);
        left.intersect_with(&tolerated);
        let untainted = left.count_ones(..);
        add("untolerated_taints", all - untainted);
        left.intersect_with(&self.p.node_labels.all_matching(&form.requirements));
        let suited = left.count_ones(..);
        add("requirement", untainted - suited);
        left.intersect_with(&form.nodes);
        let roomy = left.count_ones(..);
        add("resources", suited - roomy);
        add(
            if form.volumes.is_empty() {
                "topology"
            } else {
                "volume_requirement"
            },
            roomy,
        );
        let mut of_claims: BTreeMap<&str, usize> = BTreeMap::new();
        let by_row = std::mem::take(&mut self.by_row);
        for (row, claims) in by_row.iter() {
            let all = claims.count_ones(..);
            let (code, refused) = self.row_code(form, row, claims);
            *of_claims.entry(code).or_default() += refused;
            *of_claims.entry("instance_types").or_default() += all - refused;
        }
        self.by_row = by_row;
        for (code, n) in of_claims {
            add(code, n);
        }
        out
    }

    /// What refuses claims with those requirements before room is looked at, and how many of them.
    fn row_code(&mut self, form: &Form, row: u32, claims: &FixedBitSet) -> (&'static str, usize) {
        let all = claims.count_ones(..);
        if !form.tolerated[self.arena.row(row).template] {
            return ("untolerated_taints", all);
        }
        let Ok(joined) = self.arena.join(row, form.demand) else {
            return ("requirement", all);
        };
        if form.member.is_free() {
            return ("instance_types", 0);
        }
        let requirements = &self.arena.row(joined).requirements;
        let narrowed = self.topology.narrowing(&form.member, &form.strict, requirements);
        if narrowed.is_err() {
            return ("topology", all);
        }
        let mut open = claims.clone();
        self.topology.close_claims(&form.member, &form.strict, &mut open);
        ("topology", all - open.count_ones(..))
    }

    /// Why an existing node does not take the form; `None` when it does (`scheduling §15.3`).
    pub(super) fn node_refusal(&mut self, form: &Form, i: usize) -> Option<Refusal> {
        let target = &self.p.nodes[i];
        let state = &target.state;
        let taints: Vec<_> = untolerated(&state.taints, &form.spec.tolerations)
            .cloned()
            .collect();
        if !taints.is_empty() {
            return Some(Refusal::UntoleratedTaints { taints });
        }
        if !form.mounted.is_empty() {
            let mounted = self.nodes.mounted(self.p, i);
            if let Some((driver, wanted, limit)) =
                volumes::over_limit(&self.p.snapshot, &state.name, mounted, &form.mounted)
            {
                return Some(Refusal::VolumeLimit {
                    driver,
                    wanted,
                    limit,
                });
            }
        }
        let taken = self.nodes.ports(self.p, i).iter().map(|(port, _)| port);
        if let Some((want, taken)) = ports::first_conflict(&form.spec.host_ports, taken) {
            return Some(host_port(want, taken));
        }
        if let Some((resource, wanted, free)) = form.requests.first_misfit(self.nodes.free(self.p, i)) {
            return Some(Refusal::Resources {
                resource,
                wanted,
                free,
            });
        }
        let labels = target.state.label_requirements();
        let mut wanted = form.requirements.clone();
        if let Some(h) = &form.hostname {
            wanted.add(h.clone());
        }
        if let Some(why) = &form.forgotten.contradiction {
            return Some(Refusal::Requirement {
                mismatch: why.clone(),
            });
        }
        if let Err(why) = labels.compatible(&wanted, |_| false) {
            return Some(self.mismatch(&why, &labels));
        }
        if let Some(key) = form.forgotten.present.iter().find(|k| !labels.0.contains_key(*k)) {
            let why = Incompatible::UndefinedKey {
                key: key.clone(),
                incoming: Requirement::exists(key),
            };
            return Some(self.mismatch(&why, &labels));
        }
        if !form.volumes.is_empty() {
            let mut tried = form.volumes.iter().map(|(_, v)| labels.compatible(v, |_| false));
            if !tried.clone().any(|r| r.is_ok())
                && let Some(Err(mismatch)) = tried.next()
            {
                return Some(Refusal::VolumeRequirement { mismatch });
            }
        }
        if form.member.is_free() {
            return None;
        }
        let group = self.topology.evaluate_node(&form.member, &form.strict, i).err()?;
        Some(self.topology_refusal(group))
    }
}

fn host_port(want: &crate::model::pod::HostPort, taken: &crate::model::pod::HostPort) -> Refusal {
    Refusal::HostPort {
        wanted: ports::text(want).into(),
        taken: ports::text(taken).into(),
    }
}

fn hostname_mismatch(claim: &OpenClaim, wanted: &Requirement) -> Refusal {
    Refusal::Requirement {
        mismatch: Incompatible::Conflict {
            key: names::HOSTNAME.into(),
            existing: Requirement::is_in(names::HOSTNAME, [claim.hostname.clone()]),
            incoming: wanted.clone(),
        },
    }
}
