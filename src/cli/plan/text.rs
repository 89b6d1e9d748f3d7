//! A plan for a person's eyes.

use std::fmt::Write;

use super::{Facts, cost, price};
use crate::decide::scheduling::Solution;
use crate::model::UsdPerHour;
use crate::words;

/// A short account for a terminal.
pub fn to_text(solution: &Solution, facts: &Facts) -> String {
    let mut out = String::new();
    let dollars = |usd: UsdPerHour| format!("${:.4}/h", usd.as_f64());
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{} new nodes for {} pods, {}",
        solution.claims.len(),
        solution.claims.iter().map(|c| c.draft.pods.len()).sum::<usize>(),
        dollars(price(solution))
    );
    for planned in &solution.claims {
        let draft = &planned.draft;
        let launch = draft.expected.as_ref().map_or_else(String::new, |e| {
            format!(
                "{} {} {} {}",
                e.instance_type,
                e.zone,
                e.capacity_type.as_str(),
                dollars(e.price_per_hour)
            )
        });
        let _ = writeln!(
            out,
            "  {:<24} {launch}  pods {}, {}; {} types",
            draft.name,
            draft.pods.len(),
            draft.requests,
            draft.instance_types.len()
        );
    }
    let on_existing: usize = solution.existing.values().map(Vec::len).sum();
    if on_existing > 0 {
        let _ = writeln!(
            out,
            "{on_existing} pods fit {} nodes that are there",
            solution.existing.len()
        );
    }
    if !solution.unschedulable.is_empty() {
        let _ = writeln!(out, "{} pods have no place", solution.unschedulable.len());
        for one in &solution.unschedulable {
            let _ = writeln!(out, "  {}  {}", one.pod, words::clean(&words::unschedulable(one)));
        }
    }
    for (buffer, room) in &facts.rooms {
        let _ = writeln!(
            out,
            "buffer {buffer}: {} fit nodes that are there, {} need new nodes, {} have no place",
            room.existing, room.new, room.failed
        );
    }
    if !solution.deferred.is_empty() {
        let _ = writeln!(
            out,
            "{} pods wait until the reserved capacity within their reach is settled",
            solution.deferred.len()
        );
    }
    out.push_str(&cost::text(solution, facts));
    out
}
