//! Where the pods of a node could go if it went: for scripts and for a terminal (`disruption §23`).

use serde_json::{Value, json};

use crate::decide::disruption::{Moves, Stays};
use crate::model::decision::Refusal;
use crate::words;

/// Refused destinations shown for each kind of pod, closest first.
const SHOWN: usize = 5;

/// A row for each kind of pod.
pub fn json(stays: &Stays) -> Value {
    stays.pods.iter().map(moves).collect()
}

fn moves(m: &Moves) -> Value {
    let refused = m.refused.iter().take(SHOWN).map(|(node, why)| {
        json!({"node": node, "code": why.code(), "detail": why, "summary": words::refusal_short(why)})
    });
    json!({
        "pod": m.pod,
        "count": m.count,
        "roomOn": m.room_on,
        "refused": refused.collect::<Vec<_>>(),
        "refusedCount": m.refused.len(),
        "nodePools": m.pools.iter().map(|(pool, why)| json!({
            "nodePool": pool, "code": why.as_ref().map(Refusal::code),
        })).collect::<Vec<_>>(),
        "nearestMiss": m.nearest_miss().map(|(node, why)| json!({
            "node": node, "code": why.code(), "summary": words::refusal_short(why),
        })),
    })
}

/// A line for each kind of pod.
pub fn lines(stays: &Stays) -> Vec<String> {
    stays.pods.iter().map(line).collect()
}

fn line(m: &Moves) -> String {
    let pods = words::plural(m.count, "pod");
    let room = words::plural(m.room_on.len(), "node");
    let miss = m.nearest_miss().map_or_else(String::new, |(node, why)| {
        format!(
            ", nearest miss {}: {}",
            words::clean(node),
            words::clean(&words::refusal_short(why))
        )
    });
    format!("{} ({pods}): room on {room}{miss}", words::clean(&m.pod))
}
