//! Questions that need planning: answered on a thread of their own, so that neither the loop nor the screen waits, and
//! dropped when nobody waits for the answer any more.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::Answer;
use super::query::{PlaceTried, PoolTried, WhyPending};
use crate::decide::Settings;
use crate::decide::explain::{Effort, Seat, Study, options};
use crate::decide::scheduling::buffers;
use crate::decide::scheduling::prepare::prepare_without;
use crate::model::decision::{Decision, Effect, Evidence};
use crate::model::{Name, Snapshot};
use crate::words;

/// Kinds of pods whose constraints are priced in one answer.
const KINDS: usize = 4;

/// The picture that a question is about.
#[derive(Debug)]
pub struct Question {
    pub snapshot: Snapshot,
    pub settings: Settings,
    pub now: Timestamp,
    /// Pools that take no part.
    pub paused: BTreeSet<Name>,
}

/// Answers on a thread of its own. `latest` counts questions: a new one calls the older ones off. `work` gets a function
/// that says when to stop.
pub fn ask(
    latest: &Arc<AtomicU64>,
    question: Question,
    reply: oneshot::Sender<Answer>,
    work: impl FnOnce(&Question, &dyn Fn() -> bool) -> Answer + Send + 'static,
) {
    let latest = latest.clone();
    let mine = latest.fetch_add(1, Ordering::Relaxed) + 1;
    let reply = Arc::new(std::sync::Mutex::new(Some(reply)));
    let on_thread = reply.clone();
    let spawned = std::thread::Builder::new()
        .name("kerf-study".to_owned())
        .spawn(move || {
            let closed = || {
                let held = on_thread
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                held.as_ref().is_none_or(oneshot::Sender::is_closed)
            };
            let stop = || latest.load(Ordering::Relaxed) != mine || closed();
            let answer = work(&question, &stop);
            send(&on_thread, answer);
        });
    if let Err(e) = spawned {
        let reason = format!("no thread to answer on: {e}");
        send(&reply, Answer::Unknown { reason });
    }
}

fn send(reply: &std::sync::Mutex<Option<oneshot::Sender<Answer>>>, answer: Answer) {
    let held = reply
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .take();
    if let Some(reply) = held {
        // Nobody waits any more: nothing to tell.
        let _ = reply.send(answer);
    }
}

impl Question {
    pub fn why_pending(&self, pod: &Name, stop: &dyn Fn() -> bool) -> Answer {
        if !self.snapshot.pods.contains_key(pod) {
            return Answer::Unknown {
                reason: format!("pod {pod} is gone"),
            };
        }
        let snapshot = buffers::with_virtual(&self.snapshot, &self.settings);
        let prepared = prepare_without(&snapshot, &self.settings, self.now, &self.paused);
        let mut effort = Effort {
            stop,
            ..Effort::of_a_question()
        };
        let mut study = Study::of_pending(&prepared, Some(pod), &mut effort.fuel);
        let Some(asked) = study.places(pod) else {
            return Answer::Unknown {
                reason: format!("pod {pod} has a node"),
            };
        };
        let unknown = study
            .solution()
            .unschedulable
            .iter()
            .find(|u| u.pod == *pod)
            .map_or_else(Vec::new, |u| u.unknown.clone());
        let place = |(name, refusal)| PlaceTried { name, refusal };
        Answer::WhyPending(Box::new(WhyPending {
            pod: pod.clone(),
            seat: asked.seat.map(|seat| match seat {
                Seat::Node(name) | Seat::Claim(name) => name,
            }),
            pools: asked
                .pools
                .into_iter()
                .map(|p| PoolTried {
                    name: p.pool,
                    refusal: p.refusal,
                    types: p.funnel.map(|f| (f.left(), f.considered)),
                })
                .collect(),
            nodes: asked.nodes.into_iter().chain(asked.claims).map(place).collect(),
            unknown,
            remedies: study.remedies(pod, &mut effort),
        }))
    }

    /// Why these machines: needs, pools, what was cheaper, every option, and what the pods' constraints cost.
    pub fn ranking(&self, decision: &Decision, stop: &dyn Fn() -> bool) -> Answer {
        let mut out = vec![words::headline(decision), String::new()];
        let line = |word: &str, text: &str| format!("{word:<10} {text}");
        for (word, text) in words::sentences(decision) {
            out.push(line(word, &text));
        }
        for claim in decision.evidence.claims() {
            out.push(String::new());
            out.push(format!("{}: every option, cheapest first", claim.claim));
            for c in &claim.cheaper_refused {
                let price = words::price_bare(c.price);
                out.push(format!(
                    "     – {:<18} {price:>8}  ✗ {}",
                    c.instance_type,
                    words::check(&c.why)
                ));
            }
            let draft = decision.effects.iter().find_map(|e| match e {
                Effect::CreateClaim(d) if d.name == claim.claim => Some(&**d),
                _ => None,
            });
            let options = draft.map_or_else(Vec::new, |d| options(&self.snapshot, d));
            out.extend(options.iter().zip(1..).map(|(o, n)| {
                let price = words::price_bare(o.price_per_hour);
                format!(
                    "{n:>6} {:<18} {price:>8}  {} {}",
                    o.instance_type,
                    o.capacity_type.as_str(),
                    o.zone
                )
            }));
        }
        out.push(String::new());
        out.push("What constraints cost (the plan with each against the plan without)".to_owned());
        let costs = self.costs(decision, stop);
        if costs.is_empty() {
            out.push("  not known any more: the picture that it was decided on is gone".to_owned());
        }
        out.extend(costs);
        Answer::Text(out)
    }

    fn costs(&self, decision: &Decision, stop: &dyn Fn() -> bool) -> Vec<String> {
        let Evidence::Provisioning(e) = &decision.evidence else {
            return vec!["  only of decisions that find pods a place".to_owned()];
        };
        let mut batch: BTreeSet<Name> = e.claims.iter().flat_map(|c| c.pods.clone()).collect();
        batch.extend(e.existing.values().flatten().cloned());
        batch.extend(e.unschedulable.iter().map(|u| u.pod.clone()));
        let batch: Vec<Name> = batch.into_iter().collect();
        let prepared = prepare_without(&self.snapshot, &self.settings, self.now, &self.paused);
        let mut effort = Effort {
            stop,
            ..Effort::of_a_question()
        };
        let study = Study::new(&prepared, &batch, &mut effort.fuel);
        let mut kinds = BTreeSet::new();
        let mut out = Vec::new();
        for pod in e.claims.iter().flat_map(|c| &c.pods) {
            let spec = study.pod(pod).map(|p| p.spec.clone());
            if spec.is_none_or(|s| !kinds.insert(s)) || kinds.len() > KINDS {
                continue;
            }
            let costs = study.costs(pod, &mut effort);
            out.extend(costs.iter().map(|c| format!("  {}   ({pod})", words::cost(c))));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::Fuel;
    use crate::decide::scheduling::batch::propose;
    use crate::decide::testing::{World, at};
    use crate::model::decision::evidence::Batch;
    use crate::model::decision::{DecisionId, Refusal};

    fn question(world: &World) -> Question {
        Question {
            snapshot: world.snapshot.clone(),
            settings: Settings::default(),
            now: at(0),
            paused: BTreeSet::new(),
        }
    }

    #[test]
    fn a_pod_that_waits_is_told_why_and_what_would_help() {
        let mut world = World::new();
        world.pod("big", None, 9000, |p| p.unschedulable = true);
        let (tx, rx) = oneshot::channel();
        ask(&Arc::default(), question(&world), tx, |q, stop| {
            q.why_pending(&"ns/big".into(), stop)
        });
        let Ok(Answer::WhyPending(why)) = rx.blocking_recv() else {
            panic!("an answer");
        };
        assert_eq!(
            why.pools[0].refusal.as_ref().map(Refusal::code),
            Some("instance_types")
        );
        assert_eq!(
            words::changes(&why.remedies[0]),
            "lower cpu from 9 to 8",
            "{:?}",
            why.remedies
        );
    }

    #[test]
    fn a_newer_question_calls_the_older_off() {
        let latest = Arc::new(AtomicU64::new(0));
        let (tx, rx) = oneshot::channel();
        let (told, wait) = std::sync::mpsc::channel();
        ask(&latest, question(&World::new()), tx, move |_, stop| {
            let _ = wait.recv();
            Answer::Text(vec![stop().to_string()])
        });
        latest.fetch_add(1, Ordering::Relaxed);
        told.send(()).expect("the thread waits");
        assert_eq!(rx.blocking_recv(), Ok(Answer::Text(vec!["true".to_owned()])));
    }

    #[test]
    fn a_decision_lists_every_option_and_the_price_of_its_constraints() {
        let mut world = World::new();
        world.pod("a", None, 1000, |p| p.unschedulable = true);
        let q = question(&world);
        let prepared = prepare_without(&q.snapshot, &q.settings, q.now, &q.paused);
        let study = Study::of_pending(&prepared, None, &mut Fuel::UNLIMITED.clone());
        let proposal = propose(study.solution().clone(), Batch::default());
        let decision = Decision {
            id: DecisionId(1),
            at: at(0),
            hash: proposal.content_hash(),
            proposal,
        };
        let Answer::Text(lines) = q.ranking(&decision, &|| false) else {
            panic!("text");
        };
        let text = lines.join("\n");
        for part in ["every option", "m5.large", "m5.2xlarge", "What constraints cost"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
