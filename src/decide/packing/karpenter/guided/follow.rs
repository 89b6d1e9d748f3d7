//! Carrying out a planned node.

use fixedbitset::FixedBitSet;

use super::Wishes;
use crate::decide::packing::karpenter::Solver;
use crate::decide::packing::karpenter::claims::OpenClaim;
use crate::decide::packing::karpenter::existing::next_one;
use crate::decide::packing::karpenter::form::Form;
use crate::decide::packing::karpenter::open::Allowance;
use crate::decide::scheduling::Purpose;
use crate::decide::scheduling::state::NODES;
use crate::model::{Name, Requirements};

/// One node to open: an offer of the market and its pods.
#[derive(Clone, Debug)]
pub struct Intent {
    pub offer: usize,
    /// (ask, pod).
    pub pods: Vec<(usize, usize)>,
}

impl Solver<'_> {
    /// Puts a pod onto its planned node, which it opens if it is the first.
    pub(super) fn follow(
        &mut self,
        item: usize,
        form: &mut Form,
        wishes: &Wishes,
        (intent, opened): (&Intent, &mut Option<usize>),
    ) -> bool {
        if let Some(c) = *opened {
            let claims = std::mem::take(&mut self.claims);
            let answer = self.check(form, &claims[c]);
            self.claims = claims;
            return match answer {
                Ok(fit) => {
                    self.commit(c, item, form, fit);
                    true
                }
                Err(_) => false,
            };
        }
        let Some(mut claim) = self.planned(intent, wishes) else {
            return false;
        };
        let fit = match self.check(form, &claim) {
            Ok(fit) => Some(fit),
            Err(_) => self.check_lowered(form, &mut claim).ok(),
        };
        let Some(fit) = fit else {
            return false;
        };
        if self.purpose == Purpose::Provision {
            claim.pools_refused = self.refused_before(form, claim.template);
            claim.targets_refused = self.targets_refused(form);
        }
        self.use_up(claim.template, &fit.types);
        *opened = Some(self.claims.len());
        self.claims.push(claim);
        self.commit(self.claims.len() - 1, item, form, fit);
        true
    }

    /// A claim for a planned node, narrowed to the domains that its pods were given.
    fn planned(&mut self, intent: &Intent, wishes: &Wishes) -> Option<OpenClaim> {
        let offer = wishes.market.offers.get(intent.offer)?;
        let t = offer.template;
        let Allowance::Types(mut types, over) = self.allowance(t) else {
            return None;
        };
        let mut pins = Requirements::default();
        for (ask, _) in &intent.pods {
            pins.add_all(&wishes.pins[*ask]);
        }
        let pins = self.arena.demand(pins);
        let base = u32::try_from(t).unwrap_or(u32::MAX);
        let row = self.arena.join(base, pins).ok()?;
        self.no_larger_than(t, offer.kind, &mut types);
        let mut claim = self.fresh(t, types);
        claim.row = row;
        claim.over_limit = over;
        Some(claim)
    }

    /// Where a pool has limits, a planned node must not count for more than what was planned.
    fn no_larger_than(&self, t: usize, kind: usize, types: &mut FixedBitSet) {
        let template = &self.p.templates.usable[t];
        let limited: Vec<&Name> = self.remaining[t].keys().filter(|k| &***k != NODES).collect();
        let Some(planned) = template
            .catalogue
            .types()
            .get(kind)
            .filter(|_| !limited.is_empty())
        else {
            return;
        };
        let mut from = 0;
        while let Some(i) = next_one(types, from) {
            from = i + 1;
            let within = template.catalogue.types().get(i).is_some_and(|k| {
                limited
                    .iter()
                    .all(|r| k.capacity.get(r) <= planned.capacity.get(r))
            });
            types.set(i, within);
        }
    }
}
