//! From planned claims to what gets created (`scheduling §13.6`, `§21`).

use std::collections::BTreeSet;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use super::Solver;
use super::claims::{OpenClaim, with_lowered};
use super::evidence::Steps;
use crate::api::names;
use crate::decide::packing::pattern_sort;
use crate::decide::scheduling::arena::Row;
use crate::decide::scheduling::labels::SIMULATED;
use crate::decide::scheduling::{Planned, Purpose, min_values, reserved};
use crate::model::decision::Refusal;
use crate::model::decision::effect::{ClaimDraft, ExpectedLaunch};
use crate::model::decision::evidence::{ClaimEvidence, Unschedulable};
use crate::model::decision::refusal::Check;
use crate::model::{CapacityType, Labels, Name, Operator, Requirement, Requirements, Resources, UsdPerHour};

/// `scheduling §13.6`.
pub const MAX_INSTANCE_TYPES: usize = 600;
const HASH_VERSION: &str = "v3";
/// Kubernetes' limit for generated names, less the suffix.
const MAX_BASE: usize = 57;

/// `<pool>-<5 letters>` that the content decides, so that creating a claim twice is one creation.
pub fn claim_name(pool: &str, uids: &BTreeSet<&str>, at: jiff::Timestamp, ordinal: usize) -> Name {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut hash = Sha256::new();
    hash.update(pool);
    for uid in uids {
        hash.update([0]);
        hash.update(uid);
    }
    hash.update([0]);
    hash.update(at.as_nanosecond().to_be_bytes());
    hash.update(ordinal.to_be_bytes());
    let digest = hash.finalize();
    let mut number = digest
        .iter()
        .take(8)
        .fold(0_u64, |n, byte| (n << 8) | u64::from(*byte));
    let mut suffix = String::new();
    for _ in 0..5 {
        let letter = usize::try_from(number % 27).unwrap_or(0);
        suffix.push(char::from(ALPHABET[letter]));
        number /= 27;
    }
    let base: String = pool.chars().take(MAX_BASE).collect();
    format!("{base}-{suffix}").into()
}

impl Solver<'_> {
    /// All claims with their pods, and the pods of claims that had to be dropped.
    pub(super) fn drafts(&mut self) -> (Vec<Planned>, Vec<Unschedulable>) {
        let claims = std::mem::take(&mut self.claims);
        let mut planned = Vec::new();
        let mut dropped = Vec::new();
        for (ordinal, claim) in claims.iter().enumerate() {
            match self.draft(claim, ordinal) {
                Ok(one) => planned.push(one),
                Err(refusal) => {
                    let pool = self.p.templates.usable[claim.template].pool.name.clone();
                    dropped.extend(claim.pods.iter().map(|item| Unschedulable {
                        pod: self.items[*item].key.clone(),
                        pools: vec![(pool.clone(), refusal.clone())],
                        unknown: Vec::new(),
                    }));
                }
            }
        }
        self.claims = claims;
        (planned, dropped)
    }

    /// The name of a claim as [`Self::drafts`] gives it.
    pub(super) fn claim_name(&self, claim: &OpenClaim, ordinal: usize) -> Name {
        let uids: BTreeSet<&str> = claim.pods.iter().map(|i| &*self.items[*i].pod.uid).collect();
        let pool = &self.p.templates.usable[claim.template].pool.name;
        claim_name(pool, &uids, self.p.now, ordinal)
    }

    fn draft(&mut self, claim: &OpenClaim, ordinal: usize) -> Result<Planned, Refusal> {
        let wide = self.arena.row(claim.row);
        let row = self.pinned(claim);
        let order = self.arena.by_price(&row);
        let t = &self.p.templates.usable[claim.template];
        let mut options: Vec<(UsdPerHour, u32)> = Vec::with_capacity(claim.types.count_ones(..));
        options.extend(order.iter().filter(|(_, i)| claim.types.contains(*i as usize)));
        if self.p.settings.parity {
            self.as_upstream(claim, &mut options);
        }
        let whole = options.len();
        options.truncate(MAX_INSTANCE_TYPES);
        if self.p.settings.parity {
            // Upstream's order decides which of equally dear types the cut takes, not the order they are shown in.
            options.sort_unstable();
        }
        let mut kept = t.index.none();
        kept.extend(options.iter().map(|(_, i)| *i as usize));
        let mut requirements = with_lowered(&row.requirements, &claim.lowered);
        if let Err(keys) = min_values::check(&t.catalogue, &kept, &requirements) {
            if !self.p.settings.min_values_best_effort {
                return Err(Refusal::MinValues { keys });
            }
            min_values::relax(&mut requirements, &keys);
        }
        for key in SIMULATED {
            requirements.0.remove(key);
        }
        self.narrow_capacity_type(&row, &kept, &mut requirements);
        let pool = &t.pool;
        let name = self.claim_name(claim, ordinal);
        let pods: Vec<Name> = claim.pods.iter().map(|i| self.items[*i].key.clone()).collect();
        let (overhead, daemons) = self.overhead(claim);
        let mut requests = claim.requests.clone();
        requests.add(&overhead);
        let expected = options.first().and_then(|(price, i)| {
            let (_, offering) = t.index.cheapest(*i as usize, &row.groups)?;
            Some(ExpectedLaunch {
                instance_type: t.catalogue.types().get(*i as usize)?.name.clone(),
                zone: offering.zone.clone(),
                capacity_type: offering.capacity_type,
                price_per_hour: *price,
                reservation: reserved::id_of(offering),
            })
        });
        let names_of = |list: &[(UsdPerHour, u32)]| -> Vec<Name> {
            let types = list
                .iter()
                .filter_map(|(_, i)| t.catalogue.types().get(*i as usize));
            let mut names = Vec::with_capacity(list.len());
            names.extend(types.map(|k| k.name.clone()));
            if t.catalogue.types().len() > t.catalogue.len() {
                // Some types have several rows.
                let mut seen = BTreeSet::new();
                names.retain(|name: &Name| seen.insert(name.clone()));
            }
            names
        };
        let draft = ClaimDraft {
            name: name.clone(),
            pool: pool.name.clone(),
            pool_uid: pool.uid.clone(),
            labels: self.labels(claim, &requirements),
            annotations: self.annotations(claim, &options),
            class: pool.template.class.clone(),
            requirements,
            instance_types: names_of(&options),
            requests,
            taints: pool.template.taints.clone(),
            startup_taints: pool.template.startup_taints.clone(),
            expire_after: pool.template.expire_after,
            termination_grace: pool.template.termination_grace,
            pods: pods.clone(),
            expected,
        };
        let mut evidence = ClaimEvidence {
            claim: name,
            pool: pool.name.clone(),
            pods,
            requests: claim.requests.clone(),
            daemon_overhead: overhead,
            daemons,
            pools_refused: claim.pools_refused.clone(),
            targets_refused: claim.targets_refused.clone(),
            funnel: crate::model::decision::refusal::Funnel::default(),
            ranking: Vec::new(),
            options: u32::try_from(options.len()).unwrap_or(u32::MAX),
            cheaper_refused: Vec::new(),
        };
        if self.purpose == Purpose::Provision {
            let mut steps: Steps = self.steps(claim, &wide, &claim.requests);
            if whole > options.len() {
                let mut cut = claim.types.clone();
                cut.difference_with(&kept);
                steps.push((Check::Truncated, cut));
            }
            evidence.funnel = self.count_steps(&wide, &steps);
            evidence.ranking = self.ranking(&row, &options);
            let chosen = options.first().map_or(UsdPerHour::ZERO, |(price, _)| *price);
            evidence.cheaper_refused = self.cheaper(&row, &steps, chosen);
        }
        Ok(Planned { draft, evidence })
    }

    /// The claim's row, bound to the reservations that it holds (`scheduling §20`, finalise). One that holds none is kept
    /// off reserved capacity, which others hold; upstream leaves it open and counts on their price.
    fn pinned(&mut self, claim: &OpenClaim) -> Rc<Row> {
        let reserved = CapacityType::Reserved.as_str();
        let pins: Requirements = if !claim.held.is_empty() {
            [
                Requirement::is_in(names::CAPACITY_TYPE, [reserved]),
                Requirement::is_in(names::RESERVATION_ID, claim.held.iter().cloned()),
            ]
            .into_iter()
            .collect()
        } else if self.rations.is_some() && !self.p.settings.parity {
            let others = Requirement::new(names::CAPACITY_TYPE, Operator::NotIn, [reserved]);
            [others].into_iter().collect()
        } else {
            return self.arena.row(claim.row);
        };
        let demand = self.arena.demand(pins);
        let row = self.arena.join(claim.row, demand).unwrap_or(claim.row);
        self.arena.row(row)
    }

    /// Puts equally dear types into the order that upstream's sort leaves them in.
    fn as_upstream(&self, claim: &OpenClaim, options: &mut [(UsdPerHour, u32)]) {
        let mut groups: Vec<_> = self.p.templates.usable[claim.template]
            .daemons
            .iter()
            .map(|g| &g.types)
            .collect();
        groups.sort_by_key(|types| types.minimum());
        let group = |i: u32| groups.iter().position(|types| types.contains(i as usize));
        options.sort_by_key(|(_, i)| (group(*i), *i));
        pattern_sort::sort_by(options, |a, b| a.0 < b.0);
    }

    /// Only the capacity types that the kept types offer.
    fn narrow_capacity_type(
        &self,
        row: &Row,
        kept: &fixedbitset::FixedBitSet,
        requirements: &mut Requirements,
    ) {
        let t = &self.p.templates.usable[row.template];
        let offered: BTreeSet<Name> = row
            .groups
            .ones()
            .filter_map(|g| t.index.groups.get(g))
            .filter(|g| !g.available.is_disjoint(kept))
            .map(|g| Name::from(g.capacity_type.as_str()))
            .collect();
        if !offered.is_empty() {
            requirements.add(Requirement::is_in(names::CAPACITY_TYPE, offered));
        }
    }

    /// The least that daemons take on one of the claim's types, and every daemon that may come.
    fn overhead(&self, claim: &OpenClaim) -> (Resources, Vec<Name>) {
        let mut least: Option<Resources> = None;
        let mut daemons: BTreeSet<Name> = BTreeSet::new();
        for group in &self.p.templates.usable[claim.template].daemons {
            if group.types.is_disjoint(&claim.types) {
                continue;
            }
            daemons.extend(group.daemons.iter().map(|d| self.p.daemons[*d].name.clone()));
            // Upstream takes a group without daemons for an unset one (Q9).
            if self.p.settings.parity && group.overhead.is_zero() {
                continue;
            }
            match &mut least {
                Some(least) => least.min(&group.overhead),
                None => least = Some(group.overhead.clone()),
            }
        }
        (least.unwrap_or_default(), daemons.into_iter().collect())
    }

    /// Template labels and one value a custom requirement.
    fn labels(&self, claim: &OpenClaim, requirements: &Requirements) -> Labels {
        let mut labels = self.p.templates.usable[claim.template].labels.clone();
        for requirement in requirements.iter() {
            let key = &requirement.key;
            if self.p.well_known.has(key) || self.p.well_known.is_restricted(key) || labels.contains_key(key)
            {
                continue;
            }
            let value = requirement.any();
            if !value.is_empty() {
                labels.insert(key.clone(), value);
            }
        }
        labels
    }

    fn annotations(&self, claim: &OpenClaim, options: &[(UsdPerHour, u32)]) -> Labels {
        let t = &self.p.templates.usable[claim.template];
        let pool = &t.pool;
        let mut out = pool.template.annotations.clone();
        out.insert(names::NODEPOOL_HASH.into(), pool.hash.clone());
        out.insert(names::NODEPOOL_HASH_VERSION.into(), HASH_VERSION.into());
        let relaxed = !claim.lowered.is_empty();
        out.insert(
            names::MIN_VALUES_RELAXED.into(),
            if relaxed { "true" } else { "false" }.into(),
        );
        for (key, marked) in [
            (names::PRICE_OVERLAY_APPLIED, &t.priced),
            (names::CAPACITY_OVERLAY_APPLIED, &t.enlarged),
        ] {
            let mut types = options
                .iter()
                .filter_map(|(_, i)| t.catalogue.types().get(*i as usize));
            if !marked.is_empty() && types.any(|k| marked.contains(&k.name)) {
                out.insert(key.into(), "true".into());
            }
        }
        out
    }
}
