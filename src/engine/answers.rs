//! Answers to the screen, from the newest snapshot.

use std::collections::BTreeSet;

use tokio::sync::oneshot;

use super::run::Engine;
use super::study::{self, Question};
use super::{Answer, Query};
use crate::decide::disruption;
use crate::model::Name;
use crate::words;

impl Engine {
    /// Objects are fetched by a task of their own, studies run on a thread of their own; the rest is looked up at once.
    pub(super) fn answer(&mut self, query: Query, reply: oneshot::Sender<Answer>) {
        let answer = match query {
            Query::WhyPending { pod } => {
                let question = Question {
                    snapshot: self.snapshot(),
                    settings: self.settings.clone(),
                    now: self.clock.now(),
                    paused: self.gate.pauses().pools.keys().cloned().collect(),
                };
                return study::ask(&self.studies, question, reply, move |q, stop| {
                    q.why_pending(&pod, stop)
                });
            }
            Query::WhyNotRemoved { node } => self.why_not_removed(&node),
            Query::Ranking { id } => match self.book.view().decisions.get(&id) {
                Some(row) => {
                    let decision = row.decision.clone();
                    let question = Question {
                        snapshot: self.decided_on.get(&id).cloned().unwrap_or_default(),
                        settings: self.settings.clone(),
                        now: decision.at,
                        paused: BTreeSet::new(),
                    };
                    return study::ask(&self.studies, question, reply, move |q, stop| {
                        q.ranking(&decision, stop)
                    });
                }
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

    /// The newest verdict, what its going would save, where each kind of its pods could go, and why the machine is of its
    /// type, as the decision that made it wrote down.
    fn why_not_removed(&self, node: &Name) -> Answer {
        let view = self.book.view();
        let verdict = view.verdicts.get(node).map(|v| words::verdict(v));
        let claim = view
            .snapshot
            .nodes
            .get(node)
            .and_then(|n| view.snapshot.claim_of(&n.provider_id));
        let chosen = claim.and_then(|c| {
            let id = view.claim_decisions.get(&c.name)?;
            let decision = &view.decisions.get(id)?.decision;
            let e = decision.evidence.claims().iter().find(|e| e.claim == c.name)?;
            Some((*id, e))
        });
        if verdict.is_none() && chosen.is_none() {
            return Answer::Unknown {
                reason: format!("{node} was not looked at yet"),
            };
        }
        let mut out: Vec<String> = verdict.into_iter().collect();
        let snapshot = self.snapshot();
        let cluster = disruption::Cluster::new(&snapshot, self.clock.now());
        if let Some(stays) = disruption::destinations(&cluster, node, &self.settings) {
            out.push(format!("saves {} if it goes", words::price(stays.saves)));
            out.extend(stays.pods.iter().map(moves));
        }
        if let Some((id, e)) = chosen {
            out.push(String::new());
            out.push(format!("Why it has its type: {id}"));
            out.extend(
                words::claim_sentences(e)
                    .into_iter()
                    .map(|(word, text)| format!("{word:<10} {text}")),
            );
            out.extend(e.cheaper_refused.iter().rev().map(|c| {
                let price = words::price(c.price);
                format!(
                    "{:<10} {} {price}: {}",
                    "cheaper",
                    c.instance_type,
                    words::check(&c.why)
                )
            }));
        }
        Answer::Text(out)
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
