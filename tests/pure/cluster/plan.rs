//! A plan, asked the way tests ask.

use std::collections::{BTreeMap, BTreeSet};

use kerf::decide::scheduling::{Planned, Solution};
use kerf::model::Requirement;
use kerf::model::decision::Refusal;

use super::Cluster;

pub struct Plan<'a> {
    pub cluster: &'a Cluster,
    /// Pods that were to be placed.
    pub batch: BTreeSet<String>,
    /// Nodes that counted as gone.
    pub without: BTreeSet<String>,
    pub solution: Solution,
}

fn short(key: &str) -> String {
    key.strip_prefix("default/").unwrap_or(key).to_owned()
}

impl Plan<'_> {
    /// Pods of each new claim, in order of opening.
    pub fn claims(&self) -> Vec<Vec<String>> {
        let pods = |c: &Planned| c.draft.pods.iter().map(|p| short(p)).collect();
        self.solution.claims.iter().map(pods).collect()
    }

    /// Pods a new claim, most first.
    pub fn sizes(&self) -> Vec<usize> {
        let mut out: Vec<usize> = self.solution.claims.iter().map(|c| c.draft.pods.len()).collect();
        out.sort_unstable_by(|a, b| b.cmp(a));
        out
    }

    /// Cheapest type of each new claim.
    pub fn launches(&self) -> Vec<String> {
        let launch = |c: &Planned| {
            c.draft
                .expected
                .as_ref()
                .expect("an offering")
                .instance_type
                .to_string()
        };
        self.solution.claims.iter().map(launch).collect()
    }

    /// Types of the first claim, cheapest first.
    pub fn options(&self) -> Vec<String> {
        let first = self.solution.claims.first().expect("a claim");
        first
            .draft
            .instance_types
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// The claim that a pod got.
    pub fn claim_of(&self, pod: &str) -> &Planned {
        self.solution
            .claims
            .iter()
            .find(|c| c.draft.pods.iter().any(|p| short(p) == pod))
            .unwrap_or_else(|| panic!("{pod} is on no new claim: {:?}", self.unplaced()))
    }

    /// The node that a pod got, if it is one that is there.
    pub fn node_of(&self, pod: &str) -> Option<String> {
        let has = |pods: &[kerf::model::Name]| pods.iter().any(|p| short(p) == pod);
        let mut on = self.solution.existing.iter().filter(|(_, pods)| has(pods));
        on.next().map(|(node, _)| node.to_string())
    }

    /// Node → pods, of nodes that are there.
    pub fn existing(&self) -> BTreeMap<String, Vec<String>> {
        let pods = |list: &[kerf::model::Name]| list.iter().map(|p| short(p)).collect();
        self.solution
            .existing
            .iter()
            .map(|(n, p)| (n.to_string(), pods(p)))
            .collect()
    }

    pub fn same_node(&self, a: &str, b: &str) -> bool {
        let together = |pods: &Vec<String>| pods.iter().any(|p| p == a) && pods.iter().any(|p| p == b);
        self.claims().iter().any(together) || self.existing().values().any(together)
    }

    /// What a pod's claim demands of a label, as text; empty when nothing.
    pub fn demand(&self, pod: &str, key: &str) -> String {
        let wanted = self.claim_of(pod).draft.requirements.get(key);
        wanted.map_or_else(String::new, Requirement::to_string)
    }

    /// The only value a pod's claim can have for a label, or the label of the node it is put on.
    pub fn domain(&self, pod: &str, key: &str) -> String {
        if let Some(node) = self.node_of(pod) {
            let is_it = |o: &&serde_json::Value| {
                matches!(o["kind"].as_str(), Some("Node" | "NodeClaim")) && o["metadata"]["name"] == node
            };
            let object = self.cluster.objects.iter().find(is_it).expect("the node");
            return object["metadata"]["labels"][key]
                .as_str()
                .unwrap_or_default()
                .to_owned();
        }
        let claim = self.claim_of(pod);
        match claim.draft.requirements.get(key) {
            Some(r) if !r.complement => r.values.iter().map(|v| &**v).collect::<Vec<_>>().join(","),
            _ => String::new(),
        }
    }

    /// Pods of this plan by domain, sorted; undecided ones under their possible values.
    pub fn by(&self, key: &str) -> BTreeMap<String, usize> {
        let mut out = BTreeMap::new();
        for pod in self.placed() {
            *out.entry(self.domain(&pod, key)).or_insert(0) += 1;
        }
        out
    }

    /// Numbers of [`Self::by`], most first.
    pub fn spread(&self, key: &str) -> Vec<usize> {
        let mut out: Vec<usize> = self.by(key).into_values().collect();
        out.sort_unstable_by(|a, b| b.cmp(a));
        out
    }

    pub fn placed(&self) -> Vec<String> {
        let new = self.claims().into_iter().flatten();
        new.chain(self.existing().into_values().flatten()).collect()
    }

    /// Pods without a place, with the code of the first pool's refusal.
    pub fn unplaced(&self) -> BTreeMap<String, &'static str> {
        self.solution
            .unschedulable
            .iter()
            .map(|u| (short(&u.pod), u.pools.first().map_or("", |(_, r)| r.code())))
            .collect()
    }

    /// The first pool's refusal of a pod.
    pub fn refusal(&self, pod: &str) -> &Refusal {
        let one = self.solution.unschedulable.iter().find(|u| short(&u.pod) == pod);
        let one = one.unwrap_or_else(|| panic!("{pod} has a place"));
        &one.pools.first().expect("a reason").1
    }

    pub fn all_placed(&self) {
        assert_eq!(self.unplaced(), BTreeMap::new(), "all pods should have a place");
    }

    /// The same plan gives the same text.
    pub fn fingerprint(&self) -> String {
        let claims: Vec<_> = self.solution.claims.iter().map(|c| &c.draft).collect();
        let left: Vec<_> = self.solution.unschedulable.iter().collect();
        serde_json::to_string(&(claims, &self.solution.existing, left)).expect("JSON")
    }
}
