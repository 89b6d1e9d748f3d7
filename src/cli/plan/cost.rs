//! What a plan costs, how far that is from the floor, and what a cheaper one trades.

use std::fmt::Write;

use serde_json::{Value, json};

use super::Facts;
use crate::decide::packing::cheapest::Trade;
use crate::decide::scheduling::Solution;
use crate::model::UsdPerHour;

fn dollars(usd: UsdPerHour) -> String {
    format!("${:.4}/h", usd.as_f64())
}

#[allow(clippy::cast_precision_loss)]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// What the totals of the document say beyond nodes, pods and price.
pub fn add_totals(totals: &mut Value, solution: &Solution, facts: &Facts) {
    if let Some(bound) = facts.lower_bound {
        totals["lowerBoundPerHour"] = json!(bound);
    }
    let here = Trade::of(solution);
    totals["largestNodePods"] = json!(here.largest);
    totals["largestNodeShare"] = json!(share(here.largest, here.placed));
}

/// The reference greedy's plan for the same pods, as the document shows it.
pub fn greedy(trade: &Trade) -> Value {
    json!({
        "nodes": trade.nodes,
        "pods": trade.placed,
        "pricePerHour": trade.price,
        "largestNodePods": trade.largest,
        "largestNodeShare": share(trade.largest, trade.placed),
    })
}

/// Lines under the table of nodes.
pub fn text(solution: &Solution, facts: &Facts) -> String {
    let mut out = String::new();
    let cost = solution.price();
    // Writing to a String cannot fail.
    if let Some(bound) = facts.lower_bound.filter(|_| cost > UsdPerHour::ZERO) {
        let _ = write!(
            out,
            "cost {}, floor {}: no placement on new nodes costs less",
            dollars(cost),
            dollars(bound)
        );
        if bound > UsdPerHour::ZERO {
            let _ = write!(
                out,
                "; gap {:.1} %",
                (cost.as_f64() / bound.as_f64() - 1.0) * 100.0
            );
        }
        out.push('\n');
    }
    let Some(greedy) = &facts.greedy else {
        return out;
    };
    let here = Trade::of(solution);
    if here == *greedy {
        out.push_str("Karpenter's own packing is as cheap; it is kept\n");
        return out;
    }
    if here.placed != greedy.placed {
        let _ = writeln!(
            out,
            "{} pods have a place; Karpenter's packing has one for {}",
            here.placed, greedy.placed
        );
    }
    let _ = writeln!(
        out,
        "{} nodes instead of {}, {} instead of {}{}",
        here.nodes,
        greedy.nodes,
        dollars(here.price),
        dollars(greedy.price),
        saved(here.price, greedy.price)
    );
    let _ = writeln!(
        out,
        "the fullest new node holds {} of {} pods ({:.1} %), Karpenter's {} ({:.1} %)",
        here.largest,
        here.placed,
        100.0 * share(here.largest, here.placed),
        greedy.largest,
        100.0 * share(greedy.largest, greedy.placed)
    );
    out
}

fn saved(here: UsdPerHour, greedy: UsdPerHour) -> String {
    if greedy <= UsdPerHour::ZERO || here >= greedy {
        return String::new();
    }
    format!(" ({:.1} % less)", (1.0 - here.as_f64() / greedy.as_f64()) * 100.0)
}
