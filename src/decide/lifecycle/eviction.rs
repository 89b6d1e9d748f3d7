//! Which pods of a draining node go next, and how (`lifecycle §5.1`, `§5.2`).

use jiff::{SignedDuration, Timestamp};

use super::memory::{Key, Memory};
use super::plan::{Context, Plan};
use crate::decide::pods;
use crate::model::decision::Effect;
use crate::model::{Claim, Name, Pod};

/// What all evictions of one drain share.
pub struct Turn<'a> {
    pub node: &'a Name,
    pub claim: Option<&'a Claim>,
    /// Until when everything has to be gone; `None` waits for ever.
    pub deadline: Option<Timestamp>,
    /// Why the node goes, for the event on the pod.
    pub reason: &'a Name,
}

/// Order of the waves: daemons after others, critical pods after both.
fn group(pod: &Pod) -> u8 {
    let critical = matches!(
        &*pod.spec.priority_class,
        "system-cluster-critical" | "system-node-critical"
    );
    u8::from(critical) * 2 + u8::from(pods::is_daemon(pod))
}

/// Whether the deadline leaves the pod no time but its own grace, or its running termination ends too late.
fn must_be_forced(pod: &Pod, deadline: Option<Timestamp>, now: Timestamp) -> bool {
    let Some(deadline) = deadline else {
        return false;
    };
    match pod.deleting {
        Some(end) => end > deadline,
        None => now > force_from(pod, deadline),
    }
}

fn force_from(pod: &Pod, deadline: Timestamp) -> Timestamp {
    deadline
        .checked_sub(SignedDuration::from_secs(pod.spec.grace_seconds.max(0)))
        .unwrap_or(Timestamp::MIN)
}

/// Forces what must be forced, of all groups; of the rest, sends the first group that still has pods.
pub fn next_wave(
    context: &Context<'_>,
    memory: &mut Memory,
    waiting: &[&Pod],
    turn: &Turn<'_>,
    plan: &mut Plan,
) {
    let (forced, rest): (Vec<&Pod>, Vec<&Pod>) = waiting
        .iter()
        .copied()
        .partition(|p| must_be_forced(p, turn.deadline, context.now));
    for pod in forced {
        force(context, memory, pod, turn, plan);
    }
    let Some(first) = rest.iter().map(|p| group(p)).min() else {
        return;
    };
    for pod in rest.iter().filter(|p| group(p) == first) {
        if let Some(deadline) = turn.deadline {
            let from = force_from(pod, deadline);
            if from > context.now {
                memory.wake(Key::Node(turn.node.clone()), from);
            }
        }
        // Terminating ones are waited for, protected ones too.
        if pods::is_evictable(pod, context.now) {
            plan.effect(
                turn.claim,
                Effect::Evict {
                    namespace: pod.namespace.clone(),
                    pod: pod.name.clone(),
                    uid: pod.uid.clone(),
                    node: turn.node.clone(),
                    reason: turn.reason.clone(),
                },
            );
        }
    }
}

fn force(context: &Context<'_>, memory: &mut Memory, pod: &Pod, turn: &Turn<'_>, plan: &mut Plan) {
    let Some(deadline) = turn.deadline else { return };
    let left = deadline.duration_since(context.now).as_secs().max(1);
    plan.effect(
        turn.claim,
        Effect::DeletePod {
            namespace: pod.namespace.clone(),
            pod: pod.name.clone(),
            uid: pod.uid.clone(),
            grace_seconds: left,
        },
    );
    memory.say_about(
        &super::events::About::of_pod(pod),
        false,
        "Disrupted",
        format!(
            "Deleting the pod to accommodate the terminationTime {deadline} of the node. The pod was granted {left} \
             seconds of grace-period of its {} terminationGracePeriodSeconds. This bypasses the PDB of the pod and \
             the do-not-disrupt annotation.",
            pod.spec.grace_seconds
        ),
        context.now,
    );
}
