//! Notices of the cloud (`lifecycle §17`): the claim goes before its machine does.

use std::collections::BTreeMap;

use super::expiration::{Removal, propose_deletion};
use super::memory::Memory;
use super::plan::{Context, Plan};
use super::repair::stamp_now;
use crate::api::names;
use crate::model::decision::Kind;
use crate::model::snapshot::NoticeKind;

/// Reason of the event, its text, and the disrupted reason; a rebalance recommendation deletes nothing.
fn words(kind: NoticeKind) -> (&'static str, &'static str, Option<&'static str>) {
    match kind {
        NoticeKind::SpotInterruption => (
            "SpotInterrupted",
            "Spot interruption warning was triggered",
            Some("spot_interrupted"),
        ),
        NoticeKind::RebalanceRecommendation => (
            "SpotRebalanceRecommendation",
            "Spot rebalance recommendation was triggered",
            None,
        ),
        NoticeKind::ScheduledChange => (
            "InstanceUnhealthy",
            "An unhealthy warning was triggered for the instance",
            Some("scheduled_change"),
        ),
        NoticeKind::EventStatus => (
            "InstanceUnhealthy",
            "An unhealthy warning was triggered for the instance",
            Some("event_status"),
        ),
        NoticeKind::InstanceStatus => (
            "InstanceUnhealthy",
            "An unhealthy warning was triggered for the instance",
            Some("instance_status"),
        ),
        NoticeKind::SystemStatus => (
            "InstanceUnhealthy",
            "An unhealthy warning was triggered for the instance",
            Some("system_status"),
        ),
        NoticeKind::ReservationInterrupted => (
            "CapacityReservationInstanceInterrupted",
            "Capacity reservation for the instance was interrupted",
            Some("capacity_reservation_interrupted"),
        ),
        NoticeKind::Stopping => (
            "InstanceStopping",
            "Instance is stopping",
            Some("instance_stopped"),
        ),
        NoticeKind::Terminating => (
            "InstanceTerminating",
            "Instance is terminating",
            Some("instance_terminated"),
        ),
    }
}

/// Looks at every notice in force; those of unknown instances mean nothing to us.
pub fn step(context: &Context<'_>, memory: &mut Memory, plan: &mut Plan) {
    for notice in context.snapshot.notices.values() {
        let claims = memory.index.claims_with(&notice.provider_id);
        let claim = claims.first().and_then(|name| context.snapshot.claims.get(name));
        let Some(claim) = claim.filter(|c| c.deleting.is_none()) else {
            continue;
        };
        let (event, text, reason) = words(notice.kind);
        let warning = reason.is_some();
        // Spoken once a notice, however long it stays.
        let said = format!("notice/{}/{event}/{}", notice.provider_id, notice.at);
        if memory.proposed.insert(said, context.now).is_none() {
            let node = memory
                .index
                .nodes_with(&notice.provider_id)
                .first()
                .and_then(|n| context.snapshot.nodes.get(n));
            memory.say_claim(
                claim,
                warning,
                event,
                format!("NodeClaim {} event: {text}", claim.name),
                context.now,
            );
            if let Some(node) = node {
                memory.say_node(
                    node,
                    warning,
                    event,
                    format!("Node {} event: {text}", node.name),
                    context.now,
                );
            }
            if reason.is_some() {
                let text = "Interruption triggered termination for the NodeClaim";
                memory.say_claim(claim, true, "TerminatingOnInterruption", text.into(), context.now);
                if let Some(node) = node {
                    let text = "Interruption triggered termination for the Node";
                    memory.say_node(node, true, "TerminatingOnInterruption", text.into(), context.now);
                }
            }
        }
        if let Some(reason) = reason {
            let facts = BTreeMap::from([
                ("notice".into(), event.into()),
                ("at".into(), notice.at.to_string().into()),
                ("instance".into(), notice.provider_id.clone()),
            ]);
            // Nothing on a broken machine can be asked to leave politely.
            let broken = matches!(notice.kind, NoticeKind::InstanceStatus | NoticeKind::SystemStatus);
            let unstamped = !claim.annotations.contains_key(names::TERMINATION_TIMESTAMP);
            let removal = Removal {
                kind: Kind::Interruption,
                code: reason,
                facts,
                first: (broken && unstamped)
                    .then(|| stamp_now(claim, context.now))
                    .flatten(),
            };
            propose_deletion(context, memory, claim, removal, plan);
        }
    }
}
