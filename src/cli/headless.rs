//! The face of a headless run: entries as they come, a summary at the end.

use std::io::Write;

use serde_json::{Value, json};

use super::Output;
use crate::engine::Ended;
use crate::ledger::book::Listener;
use crate::ledger::chain::Line;
use crate::ledger::{Body, Entry};

/// As a process that was killed.
const DIED: i32 = 137;

/// Prints every entry: JSON lines to the contract, or a readable line each.
///
/// With `die_after` the process ends without a word right after so many effects: a restart on the same state must
/// find its way.
pub fn listener(output: Output, die_after: Option<u64>) -> Listener {
    let mut left = die_after;
    let mut out = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout());
    Box::new(move |entry: &Entry, line: &Line| {
        // A reader that went away does not stop the run.
        let _ = match output {
            Output::Json => {
                let open = line.0.strip_prefix('{').unwrap_or(&line.0);
                writeln!(out, "{{\"schema\":\"kerf/entry/v1\",{open}")
            }
            Output::Text if crate::ledger::fold::is_log_line(&entry.body) => {
                let (text, _) = crate::ui::log_line(entry);
                writeln!(
                    out,
                    "{} {}",
                    entry.at.strftime("%H:%M:%S"),
                    crate::words::clean(&text)
                )
            }
            Output::Text => Ok(()),
        };
        let _ = out.flush();
        if let (Some(left), Body::Acted { .. }) = (&mut left, &entry.body) {
            *left = left.saturating_sub(1);
            if *left == 0 {
                std::process::exit(DIED);
            }
        }
    })
}

/// `kerf/summary/v1`.
pub fn summary(ended: &Ended, simulated_seconds: i64, api_writes: u64) -> Value {
    let view = &ended.view;
    let active = || view.snapshot.pods.values().filter(|p| p.is_active());
    let totals = &view.totals;
    let orphans = crate::engine::orphans(&view.snapshot).count();
    json!({
        "schema": "kerf/summary/v1",
        "simulatedSeconds": simulated_seconds,
        "pods": {
            "running": active().filter(|p| p.phase == crate::model::Phase::Running).count(),
            "pending": active().filter(|p| p.phase == crate::model::Phase::Pending).count(),
        },
        "nodes": view.snapshot.nodes.len(),
        "launched": totals.launched,
        "terminated": totals.terminated,
        "pricePerHour": view.cost.now,
        "spent": view.cost.spent,
        "decisions": {
            "proposed": totals.proposed, "approved": totals.approved, "rejected": totals.rejected,
            "done": totals.done, "failed": totals.failed,
        },
        "orphans": orphans,
        "writesWhilePaused": totals.writes_while_paused,
        "apiWrites": api_writes,
        "ledgerHash": ended.ledger_hash,
    })
}

/// The summary for people.
pub fn summary_text(summary: &Value) -> String {
    let n = |pointer: &str| summary.pointer(pointer).map(Value::to_string).unwrap_or_default();
    let f = |pointer: &str| summary.pointer(pointer).and_then(Value::as_f64).unwrap_or(0.0);
    format!(
        "after {} s: {} pods running, {} pending, {} nodes at ${:.4}/h; {} launched, {} terminated, ${:.4} spent\n\
         decisions: {} proposed, {} approved, {} rejected, {} done, {} failed; {} orphans, {} writes while paused\n\
         ledger hash {}\n",
        n("/simulatedSeconds"),
        n("/pods/running"),
        n("/pods/pending"),
        n("/nodes"),
        f("/pricePerHour"),
        n("/launched"),
        n("/terminated"),
        f("/spent"),
        n("/decisions/proposed"),
        n("/decisions/approved"),
        n("/decisions/rejected"),
        n("/decisions/done"),
        n("/decisions/failed"),
        n("/orphans"),
        n("/writesWhilePaused"),
        summary
            .pointer("/ledgerHash")
            .and_then(Value::as_str)
            .unwrap_or(""),
    )
}
