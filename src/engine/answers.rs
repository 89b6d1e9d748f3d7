//! Answers to the screen, from the newest snapshot.

use tokio::sync::oneshot;

use super::query::{PlaceTried, WhyPending};
use super::run::Engine;
use super::{Answer, Query};
use crate::decide::{disruption, explain};
use crate::model::Name;
use crate::words;

impl Engine {
    /// Objects are fetched by a task of their own; the rest is computed at once.
    pub(super) fn answer(&mut self, query: Query, reply: oneshot::Sender<Answer>) {
        let answer = match query {
            Query::WhyPending { pod } => self.why_pending(&pod),
            Query::WhyNotRemoved { node } => self.why_not_removed(&node),
            Query::Ranking { id } => match self.book.view().decisions.get(&id) {
                Some(row) => Answer::Text(
                    serde_json::to_string_pretty(&*row.decision)
                        .unwrap_or_default()
                        .lines()
                        .map(str::to_owned)
                        .collect(),
                ),
                None => Answer::Unknown {
                    reason: format!("{id} is no longer kept"),
                },
            },
            Query::Yaml {
                kind,
                namespace,
                name,
            } => {
                let objects = self.objects.clone();
                tokio::task::spawn_local(async move {
                    let answer = match objects.yaml(&kind, &namespace, &name).await {
                        Ok(text) => Answer::Text(text.lines().map(str::to_owned).collect()),
                        Err(reason) => Answer::Unknown { reason },
                    };
                    let _ = reply.send(answer);
                });
                return;
            }
        };
        let _ = reply.send(answer);
    }

    fn why_pending(&self, pod: &Name) -> Answer {
        let snapshot = self.snapshot();
        let Some(row) = snapshot.pods.get(pod) else {
            return Answer::Unknown {
                reason: format!("pod {pod} is gone"),
            };
        };
        let why = explain::why_pending(&snapshot, row, self.clock.now(), &self.settings);
        let rows = |places: Vec<(Name, Option<crate::model::decision::Refusal>)>| {
            places
                .into_iter()
                .map(|(name, refusal)| PlaceTried { name, refusal })
                .collect()
        };
        Answer::WhyPending(Box::new(WhyPending {
            pod: pod.clone(),
            pools: rows(why.pools),
            nodes: rows(why.nodes),
        }))
    }

    /// The last verdict, then what its going would save and where each kind of its pods could go.
    fn why_not_removed(&self, node: &Name) -> Answer {
        let view = self.book.view();
        let Some(verdict) = view.verdicts.get(node) else {
            return Answer::Unknown {
                reason: format!("{node} was not looked at yet"),
            };
        };
        let mut lines = vec![words::verdict(verdict)];
        let snapshot = self.snapshot();
        let cluster = disruption::Cluster::new(&snapshot, self.clock.now());
        if let Some(stays) = disruption::destinations(&cluster, node, &self.settings) {
            lines.push(format!("saves {} if it goes", words::price(stays.saves)));
            lines.extend(stays.pods.iter().map(moves));
        }
        Answer::Text(lines)
    }
}

fn moves(m: &disruption::Moves) -> String {
    let room = words::plural(m.room_on.len(), "other node");
    let head = format!("{} ({}): room on {room}", m.pod, words::plural(m.count, "pod"));
    match m.nearest_miss() {
        Some((node, why)) => format!("{head}, nearest miss {node}: {}", words::refusal_short(why)),
        None => head,
    }
}
