//! Runaway: machines are bought for a pod, arrive, and the pod stays pending.

use std::collections::{BTreeMap, BTreeSet};

use super::Limits;
use crate::model::Name;
use crate::model::decision::{Decision, Evidence};

/// One machine bought for pods: what was expected and what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    pub claim: Name,
    /// Type, zone and capacity type, as text.
    pub predicted: String,
    pub arrived: String,
}

#[derive(Clone, Debug, Default)]
pub struct Runaway {
    /// Pod → what was bought for it since it last got on.
    bought: BTreeMap<Name, Vec<Purchase>>,
    stopped: BTreeSet<Name>,
}

impl Runaway {
    pub fn bought(&mut self, purchase: &Purchase, pods: &[Name]) {
        for pod in pods {
            let list = self.bought.entry(pod.clone()).or_default();
            if list.iter().all(|p| p.claim != purchase.claim) {
                list.push(purchase.clone());
            }
        }
    }

    pub fn progress(&mut self, pod: &str) {
        self.bought.remove(pod);
        self.stopped.remove(pod);
    }

    pub fn stopped(&self) -> impl Iterator<Item = &Name> {
        self.stopped.iter()
    }

    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Pods of the decision for which enough was bought in vain; they are stopped from here on.
    pub fn offenders(
        &mut self,
        decision: &Decision,
        limits: &Limits,
        stage: impl Fn(&str) -> String,
    ) -> Option<(BTreeSet<Name>, String)> {
        let Evidence::Provisioning(evidence) = &decision.evidence else {
            return None;
        };
        let enough = usize::try_from(limits.purchases_per_pod).unwrap_or(usize::MAX);
        let pods: BTreeSet<Name> = evidence
            .claims
            .iter()
            .flat_map(|c| &c.pods)
            .filter(|pod| self.bought.get(*pod).is_some_and(|list| list.len() >= enough))
            .cloned()
            .collect();
        let first = pods.first()?;
        let story: Vec<String> = self
            .bought
            .get(first)
            .into_iter()
            .flatten()
            .map(|p| {
                format!(
                    "{}: predicted {}, arrived {}, {}",
                    p.claim,
                    p.predicted,
                    p.arrived,
                    stage(&p.claim)
                )
            })
            .collect();
        let more = match pods.len() {
            1 => String::new(),
            n => format!(" and {} more pods", n - 1),
        };
        let text = format!(
            "{first}{more} still pending after {} machines bought for it ({})",
            story.len(),
            story.join("; ")
        );
        self.stopped.extend(pods.iter().cloned());
        Some((pods, text))
    }
}
