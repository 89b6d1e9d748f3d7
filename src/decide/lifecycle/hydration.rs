//! What older versions, or the cloud, left on objects that is not so any more: the label of the class (`lifecycle
//! §12`), and the capacity type of a reserved machine whose reservation ended (`lifecycle §24`, case 87).

use super::memory::Memory;
use super::plan::{Context, Plan};
use super::registration::nodes_of;
use crate::api::names;
use crate::model::decision::effect::ObjectKind;
use crate::model::decision::{ObjectPatch, WriteClass};
use crate::model::{CapacityType, Claim, Labels};

/// Labels of a reservation that the machine no longer uses.
const OF_RESERVATION: [&str; 3] = [
    names::RESERVATION_ID,
    names::RESERVATION_INTERRUPTIBLE,
    names::RESERVATION_TYPE,
];

/// Mends the labels of the claim and of its nodes.
pub fn step(context: &Context<'_>, memory: &Memory, claim: &Claim, plan: &mut Plan) {
    let lost = lost_reservation(context, claim);
    if let Some(patch) = wanted(claim, &claim.labels, lost) {
        merge(plan.patch_claim(claim, WriteClass::Mirror), patch);
    }
    if !claim.is(names::REGISTERED_CONDITION) {
        return;
    }
    for node in nodes_of(context, memory, claim) {
        if let Some(patch) = wanted(claim, &node.labels, lost).filter(|_| node.deleting.is_none()) {
            merge(
                plan.patch(ObjectKind::Node, &node.name, &node.uid, WriteClass::Mirror),
                patch,
            );
        }
    }
}

type Changes = Vec<(&'static str, Option<crate::model::Name>)>;

/// The claim was launched into a reservation, and the cloud now bills the machine on demand.
fn lost_reservation(context: &Context<'_>, claim: &Claim) -> bool {
    claim.capacity_type() == CapacityType::Reserved.as_str()
        && context
            .snapshot
            .instances
            .get(&claim.provider_id)
            .is_some_and(|i| i.is_alive() && i.capacity_type == CapacityType::OnDemand)
}

fn wanted(claim: &Claim, labels: &Labels, lost: bool) -> Option<Changes> {
    let mut out: Changes = Vec::new();
    if !labels.contains_key(names::EC2_NODECLASS) {
        out.push((names::EC2_NODECLASS, Some(claim.class.name.clone())));
    }
    if lost {
        out.push((names::CAPACITY_TYPE, Some(CapacityType::OnDemand.as_str().into())));
        let gone = OF_RESERVATION.into_iter().filter(|k| labels.contains_key(*k));
        out.extend(gone.map(|k| (k, None)));
    }
    (!out.is_empty()).then_some(out)
}

fn merge(patch: &mut ObjectPatch, changes: Changes) {
    for (key, value) in changes {
        patch.labels.insert(key.into(), value);
    }
}
