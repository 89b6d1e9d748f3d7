//! Consistency checks (`lifecycle §8`): a node that is smaller than its claim was promised is reported, nothing more.

use jiff::Timestamp;

use super::conditions::Draft;
use super::memory::{Key, Memory};
use super::plan::{Context, Plan};
use super::registration::nodes_of;
use crate::api::names;
use crate::model::resources::format_quantity;
use crate::model::{Claim, Node, Status};

/// At most one scan of a claim in so many seconds. Scans fall on whole multiples, so that one pass serves all claims.
const EVERY: i64 = 600;
const REASON: &str = "ConsistencyCheckFailed";

/// Sets `ConsistentStateFound`, and says which resource falls short.
pub fn step(context: &Context<'_>, memory: &mut Memory, claim: &Claim, draft: &mut Draft, plan: &mut Plan) {
    if !draft.is(names::INITIALIZED_CONDITION) || claim.provider_id.is_empty() {
        return;
    }
    if let Some(next) = memory.next_scan.get(&claim.uid).filter(|n| context.now < **n) {
        memory.wake(Key::Claim(claim.name.clone()), *next);
        return;
    }
    let nodes = nodes_of(context, memory, claim);
    let [node] = nodes.as_slice() else { return };
    let next = next_scan(context.now);
    memory.next_scan.insert(claim.uid.clone(), next);
    memory.wake(Key::Claim(claim.name.clone()), next);
    let issues = issues(claim, node);
    if issues.is_empty() {
        draft.set_true(names::CONSISTENT_STATE_FOUND);
        return;
    }
    draft.set(
        names::CONSISTENT_STATE_FOUND,
        Status::False,
        REASON,
        "Consistency Check Failed",
    );
    for issue in issues {
        memory.say_claim(claim, true, "FailedConsistencyCheck", issue, context.now);
    }
    plan.patch_claim(claim, crate::model::decision::WriteClass::Mirror);
}

/// The second multiple from now on, or the first if now is one.
fn next_scan(now: Timestamp) -> Timestamp {
    let ticks = (now.as_second() + EVERY - 1).div_euclid(EVERY) + 1;
    Timestamp::from_second(ticks * EVERY).unwrap_or(Timestamp::MAX)
}

/// Requested resources of which the node has less than 90 % of what was expected.
fn issues(claim: &Claim, node: &Node) -> Vec<String> {
    claim
        .requests
        .iter()
        .filter(|(_, requested)| *requested != 0)
        .filter_map(|(resource, _)| {
            let (expected, found) = (claim.capacity.get(resource), node.capacity.get(resource));
            if expected <= 0 {
                return None;
            }
            let tenths = i128::from(found) * 10;
            (tenths < i128::from(expected) * 9).then(|| {
                let percent = i128::from(found) * 1000 / i128::from(expected);
                format!(
                    "expected {} of resource {resource}, but found {} ({}.{}% of expected)",
                    format_quantity(resource, expected),
                    format_quantity(resource, found),
                    percent / 10,
                    percent % 10,
                )
            })
        })
        .collect()
}
