//! What an earlier run left in the cluster: pauses, rejections, tripped guards, and the last decision's number.

use super::run::Engine;
use crate::api::names::{KERF_DECISION, SUPERVISION};
use crate::gate::{Limits, Supervision};

impl Engine {
    /// Mode and policies are those of this run's flags; pauses and rejections are the cluster's.
    pub(super) async fn restore(&mut self) {
        let text = match self.objects.supervision().await {
            Ok(Some(text)) => text,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "pauses of an earlier run could not be read");
                return;
            }
        };
        match serde_json::from_str::<Supervision>(&text) {
            Ok(old) => {
                let mut policies = self.gate.policies().clone();
                if policies.limits == Limits::default() {
                    // Ceilings that somebody wrote into the ConfigMap hold unless this run's flags say otherwise.
                    policies.limits = old.policies.limits.clone();
                }
                self.gate.adopt(Supervision { policies, ..old });
            }
            Err(error) => tracing::warn!(%error, "the ConfigMap {SUPERVISION} is broken and was ignored"),
        }
    }
    /// Numbers go on where an earlier run stopped: its annotations are still on objects.
    pub(super) fn continue_numbering(&mut self) {
        let snapshot = self.snapshot();
        let claims = snapshot.claims.values().map(|c| &c.annotations);
        let nodes = snapshot.nodes.values().map(|n| &n.annotations);
        let last = claims
            .chain(nodes)
            .filter_map(|a| a.get(KERF_DECISION)?.parse::<u64>().ok())
            .max();
        self.next_id = self.next_id.max(last.map_or(1, |n| n.saturating_add(1)));
    }
}
