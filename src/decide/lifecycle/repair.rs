//! Node repair (`lifecycle §9`): machines whose node has been unhealthy for too long are replaced by force.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::events::About;
use super::expiration::{Removal, propose_deletion};
use super::memory::{Key, Memory};
use super::plan::{Context, Plan};
use super::registration::nodes_of;
use super::termination::{deadline_of, whole_seconds};
use crate::api::names;
use crate::clock::after;
use crate::model::decision::effect::ObjectKind;
use crate::model::decision::{Effect, Kind, ObjectPatch, WriteClass};
use crate::model::{Ailment, Claim, Name, Node, Status};

/// How long a condition of a node may last (`lifecycle §9`, AWS).
struct Policy {
    condition: &'static str,
    status: Status,
    toleration: Duration,
}

const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60);

const fn policy(condition: &'static str, status: Status, toleration: Duration) -> Policy {
    Policy {
        condition,
        status,
        toleration,
    }
}

const POLICIES: [Policy; 7] = [
    policy(names::READY, Status::False, HALF_AN_HOUR),
    policy(names::READY, Status::Unknown, HALF_AN_HOUR),
    policy(
        "AcceleratedHardwareReady",
        Status::False,
        Duration::from_secs(10 * 60),
    ),
    policy("StorageReady", Status::False, HALF_AN_HOUR),
    policy("NetworkingReady", Status::False, HALF_AN_HOUR),
    policy("KernelReady", Status::False, HALF_AN_HOUR),
    policy("ContainerRuntimeReady", Status::False, HALF_AN_HOUR),
];

/// A blocked repair is looked at again.
const BLOCKED_AGAIN: Duration = Duration::from_secs(5 * 60);
/// The event that says so is not repeated within this time.
const BLOCKED_QUIET: Duration = Duration::from_secs(15 * 60);
/// One node of so many may be unhealthy, rounded up: 20 %.
const ONE_OF: usize = 5;

fn policy_of(ailment: &Ailment) -> Option<&'static Policy> {
    POLICIES
        .iter()
        .find(|p| p.condition == &*ailment.condition && p.status == ailment.status)
}

/// The matching condition that runs out first, and when.
fn earliest(node: &Node) -> Option<(&Ailment, &'static Policy, Timestamp)> {
    node.ailments
        .iter()
        .filter_map(|a| policy_of(a).map(|p| (a, p, after(a.since, p.toleration))))
        .min_by(|a, b| a.2.cmp(&b.2).then_with(|| a.0.condition.cmp(&b.0.condition)))
}

/// Proposes a forced deletion when a condition has outlasted its toleration, unless too many nodes are unhealthy.
/// Budgets, do-not-disrupt and a configured grace period do not hold it up.
pub fn step(context: &Context<'_>, memory: &mut Memory, claim: &Claim, plan: &mut Plan) {
    if !context.settings.node_repair {
        return;
    }
    let nodes = nodes_of(context, memory, claim);
    let [node] = nodes.as_slice() else { return };
    if memory.index.claims_with(&claim.provider_id).len() != 1 {
        return;
    }
    let Some((ailment, policy, ends)) = earliest(node) else {
        return;
    };
    if context.now < ends {
        memory.wake(Key::Claim(claim.name.clone()), ends);
        return;
    }
    if let Some(text) = blocked(context, claim) {
        say_blocked(context, memory, claim, node, text);
        memory.wake(Key::Claim(claim.name.clone()), after(context.now, BLOCKED_AGAIN));
        return;
    }
    let facts = BTreeMap::from([
        ("condition".into(), ailment.condition.clone()),
        ("status".into(), Name::from(ailment.status.as_str())),
        ("since".into(), Name::from(ailment.since.to_string())),
        (
            "toleration".into(),
            Name::from(format!("{}m", policy.toleration.as_secs() / 60)),
        ),
    ]);
    let removal = Removal {
        kind: Kind::Repair,
        code: "unhealthy",
        facts,
        first: stamp_now(claim, context.now),
    };
    propose_deletion(context, memory, claim, removal, plan);
}

/// The annotation that makes the drain a forced one from now on; `None` when one that has passed is there.
pub fn stamp_now(claim: &Claim, now: Timestamp) -> Option<Effect> {
    if deadline_of(claim).is_some_and(|at| at <= now) {
        return None;
    }
    let mut patch = ObjectPatch::new(
        ObjectKind::NodeClaim,
        &claim.name,
        &claim.uid,
        WriteClass::Disrupt,
    );
    patch.annotations.insert(
        names::TERMINATION_TIMESTAMP.into(),
        Some(whole_seconds(now).to_string().into()),
    );
    Some(Effect::Patch(Box::new(patch)))
}

/// Why no node of the claim's pool, or of the cluster, may be repaired now.
fn blocked(context: &Context<'_>, claim: &Claim) -> Option<&'static str> {
    let pool = claim.pool();
    let (mut all, mut unhealthy) = (0_usize, 0_usize);
    for node in context.snapshot.nodes.values() {
        if pool.is_some_and(|p| node.label(names::NODEPOOL) != Some(p)) {
            continue;
        }
        all += 1;
        // Q9: whoever matches now counts, however short.
        unhealthy += usize::from(node.ailments.iter().any(|a| policy_of(a).is_some()));
    }
    (unhealthy > all.div_ceil(ONE_OF)).then_some(if pool.is_some() {
        "more than 20% nodes are unhealthy in the nodepool"
    } else {
        "more then 20% nodes are unhealthy in the cluster"
    })
}

/// Q4: on the node, its claim and its pool.
fn say_blocked(context: &Context<'_>, memory: &mut Memory, claim: &Claim, node: &Node, text: &str) {
    let pool = claim.pool().and_then(|p| context.snapshot.pools.get(p));
    let pool = pool.map(|p| About::of_pool(p));
    for about in [Some(About::of_node(node)), Some(About::of_claim(claim)), pool]
        .into_iter()
        .flatten()
    {
        let (reason, text) = ("NodeRepairBlocked", text.to_owned());
        memory.say_for(&about, true, reason, text, context.now, BLOCKED_QUIET);
    }
}
