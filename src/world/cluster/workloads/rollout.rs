//! The arithmetic of a rollout: which `ReplicaSet` gets how many replicas next.

use serde_json::Value;

use super::replicaset::count;
use crate::model::Name;
use crate::world::cluster::pdb::amount;

/// A `ReplicaSet` of a Deployment.
#[derive(Clone, Debug)]
pub struct Set {
    pub name: Name,
    pub hash: String,
    /// Its template is the Deployment's.
    pub current: bool,
    pub wanted: usize,
    pub replicas: usize,
    pub ready: usize,
    pub available: usize,
    pub revision: u64,
}

/// What the Deployment asks for.
#[derive(Debug)]
pub struct Plan {
    pub replicas: usize,
    surge: usize,
    pub unavailable: usize,
    recreate: bool,
}

impl Plan {
    pub fn new(spec: &Value) -> Self {
        let replicas = count(&spec["replicas"], 1);
        let total = i64::try_from(replicas).unwrap_or(i64::MAX);
        let rolling = &spec["strategy"]["rollingUpdate"];
        let quarter = Value::String("25%".into());
        let read = |field: &str| match &rolling[field] {
            Value::Null => quarter.clone(),
            value => value.clone(),
        };
        let surge = usize::try_from(amount(&read("maxSurge"), total)).unwrap_or(0);
        // Surge rounds up, unavailability down; both zero would never move.
        let mut unavailable = usize::try_from(floor(&read("maxUnavailable"), total)).unwrap_or(0);
        if surge == 0 && unavailable == 0 {
            unavailable = 1;
        }
        Self {
            replicas,
            surge,
            unavailable: unavailable.min(replicas),
            recreate: spec["strategy"]["type"] == "Recreate",
        }
    }

    /// New replica counts by set, only those that change.
    pub fn steps(&self, sets: &[Set]) -> Vec<(Name, usize)> {
        let Some(new) = sets.iter().find(|s| s.current) else {
            return Vec::new();
        };
        let old: Vec<&Set> = sets.iter().filter(|s| !s.current).collect();
        let mut out = Vec::new();
        if old.iter().all(|s| s.wanted == 0 && s.replicas == 0) {
            out.push((new.name.clone(), self.replicas, new.wanted));
        } else if self.recreate {
            out.extend(old.iter().map(|s| (s.name.clone(), 0, s.wanted)));
        } else {
            let total: usize = sets.iter().map(|s| s.wanted).sum();
            let room = (self.replicas + self.surge).saturating_sub(total);
            let grown = new
                .wanted
                .max((new.wanted + room).min(self.replicas))
                .min(self.replicas);
            out.push((new.name.clone(), grown, new.wanted));
            out.extend(self.shrink(new, grown, &old, total + grown.saturating_sub(new.wanted)));
        }
        out.into_iter()
            .filter(|(_, next, was)| next != was)
            .map(|(name, next, _)| (name, next))
            .collect()
    }

    /// Old sets lose their unhealthy pods first, then as many as availability allows.
    fn shrink(&self, new: &Set, grown: usize, old: &[&Set], total: usize) -> Vec<(Name, usize, usize)> {
        let least = self.replicas.saturating_sub(self.unavailable);
        let new_missing = grown.saturating_sub(new.available);
        let mut removable = total.saturating_sub(least + new_missing);
        let mut left: Vec<(Name, usize, usize)> =
            old.iter().map(|s| (s.name.clone(), s.wanted, s.wanted)).collect();
        for (set, entry) in old.iter().zip(&mut left) {
            let sick = set.wanted.saturating_sub(set.available).min(removable);
            entry.1 -= sick;
            removable -= sick;
        }
        let available: usize = new.available + old.iter().map(|s| s.available.min(s.wanted)).sum::<usize>();
        let mut spare = available.saturating_sub(least);
        for entry in &mut left {
            let cut = entry.1.min(spare);
            entry.1 -= cut;
            spare -= cut;
        }
        left
    }
}

/// A count, or a percentage rounded down.
fn floor(value: &Value, total: i64) -> i64 {
    match value
        .as_str()
        .and_then(|t| t.strip_suffix('%')?.parse::<i64>().ok())
    {
        Some(percent) => percent.saturating_mul(total) / 100,
        None => amount(value, total),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(name: &str, current: bool, wanted: usize, available: usize) -> Set {
        Set {
            name: name.into(),
            hash: name.into(),
            current,
            wanted,
            replicas: wanted,
            ready: available,
            available,
            revision: 0,
        }
    }

    #[test]
    fn a_rollout_keeps_within_surge_and_availability() {
        let plan = Plan::new(&json!({"replicas": 10}));
        let steps = plan.steps(&[set("old", false, 10, 10), set("new", true, 0, 0)]);
        // 25 % of 10: surge 3 (up), unavailable 2 (down).
        assert_eq!(steps, [("new".into(), 3), ("old".into(), 8)]);
        let steps = plan.steps(&[set("old", false, 8, 8), set("new", true, 3, 3)]);
        assert_eq!(steps, [("new".into(), 5), ("old".into(), 5)]);
    }

    #[test]
    fn recreate_waits_for_the_old_pods() {
        let plan = Plan::new(&json!({"replicas": 2, "strategy": {"type": "Recreate"}}));
        let steps = plan.steps(&[set("old", false, 2, 2), set("new", true, 0, 0)]);
        assert_eq!(steps, [("old".into(), 0)]);
        let steps = plan.steps(&[set("old", false, 0, 0), set("new", true, 0, 0)]);
        assert_eq!(steps, [("new".into(), 2)]);
    }

    #[test]
    fn scaling_goes_to_the_current_set() {
        let plan = Plan::new(&json!({"replicas": 40}));
        assert_eq!(plan.steps(&[set("new", true, 4, 4)]), [("new".into(), 40)]);
        let plan = Plan::new(&json!({"replicas": 4}));
        assert_eq!(plan.steps(&[set("new", true, 40, 40)]), [("new".into(), 4)]);
    }
}
