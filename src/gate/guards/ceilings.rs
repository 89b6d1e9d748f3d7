//! Ceilings on nodes and spend: of the fleet, of a pool, and of what is bought within an hour.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::{Fleet, Guard, Limits};
use crate::model::decision::{Decision, Effect};
use crate::model::{Name, UsdPerHour};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What was bought within the last hour.
#[derive(Clone, Debug, Default)]
pub struct Hour {
    bought: VecDeque<(Timestamp, UsdPerHour)>,
}

impl Hour {
    pub fn bought(&mut self, price: UsdPerHour, now: Timestamp) {
        self.prune(now);
        self.bought.push_back((now, price));
    }

    pub fn forget(&mut self) {
        self.bought.clear();
    }

    fn prune(&mut self, now: Timestamp) {
        while self
            .bought
            .front()
            .is_some_and(|(at, _)| now.duration_since(*at) >= HOUR)
        {
            self.bought.pop_front();
        }
    }

    /// The first ceiling that the decision would exceed. Decisions that buy nothing exceed none.
    pub fn exceeded(
        &mut self,
        decision: &Decision,
        fleet: &Fleet,
        limits: &Limits,
        now: Timestamp,
    ) -> Option<(Guard, String)> {
        let mut added: BTreeMap<&Name, (u32, UsdPerHour)> = BTreeMap::new();
        for effect in &decision.effects {
            if let Effect::CreateClaim(draft) = effect {
                let (nodes, usd) = added.entry(&draft.pool).or_default();
                *nodes += 1;
                *usd += draft
                    .expected
                    .as_ref()
                    .map_or(UsdPerHour::ZERO, |e| e.price_per_hour);
            }
        }
        if added.is_empty() {
            return None;
        }
        self.prune(now);
        let nodes: u32 = added.values().map(|(n, _)| n).sum();
        let usd: UsdPerHour = added.values().map(|(_, usd)| *usd).sum();
        // A replacement takes its candidates' places.
        let leaving = decision.impact.nodes_removed;
        let bill = decision.impact.usd_per_hour;
        let lately: UsdPerHour = self.bought.iter().map(|(_, usd)| *usd).sum();
        let bought = u32::try_from(self.bought.len()).unwrap_or(u32::MAX);
        let all = (fleet.nodes + nodes).saturating_sub(leaving);
        over(Guard::Nodes, "the fleet", all, limits.nodes)
            .or_else(|| over(Guard::Nodes, "one hour", bought + nodes, limits.nodes_per_hour))
            .or_else(|| over_usd("the fleet", fleet.usd_per_hour + bill, limits.usd))
            .or_else(|| over_usd("purchases of one hour", lately + usd, limits.usd_per_hour))
            .or_else(|| {
                added.iter().find_map(|(pool, (n, usd))| {
                    let (have, pays) = fleet.pools.get(*pool).copied().unwrap_or_default();
                    let what = format!("NodePool {pool}");
                    let after = (have + n).saturating_sub(leaving);
                    let pays = if leaving > 0 { pays + bill } else { pays + *usd };
                    over(Guard::Nodes, &what, after, limits.pool_nodes)
                        .or_else(|| over_usd(&what, pays, limits.pool_usd))
                })
            })
    }
}

fn over(guard: Guard, what: &str, value: u32, limit: Option<u32>) -> Option<(Guard, String)> {
    let limit = limit.filter(|l| value > *l)?;
    Some((
        guard,
        format!("{value} nodes exceed the ceiling of {limit} for {what}"),
    ))
}

fn over_usd(what: &str, value: UsdPerHour, limit: Option<UsdPerHour>) -> Option<(Guard, String)> {
    let limit = limit.filter(|l| value > *l)?;
    Some((
        Guard::Spend,
        format!("${value}/h exceeds the ceiling of ${limit}/h for {what}"),
    ))
}
