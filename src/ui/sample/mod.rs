//! A busy cluster for tests: the one of the drawings, with a decision of every kind of state.

mod cluster;
mod history;
mod parts;
mod why;

use crate::ledger::view::View;
use crate::model::UsdPerHour;
use parts::at;
pub use why::why;

/// The cluster of the drawings.
pub fn view() -> View {
    let mut v = View {
        now: at(0),
        started: at(3600),
        source: "demo:burst".into(),
        region: "us-east-1".into(),
        ..View::default()
    };
    v.host.demo = true;
    v.host.speed = Some(10);
    v.host.kubeconfig = Some("/home/user/.local/state/kerf/demo.kubeconfig".to_owned());
    v.host.prices = "built-in 2026-08, spot simulated".to_owned();
    cluster::fill(&mut v);
    history::fill(&mut v);
    let usd = UsdPerHour::from_f64;
    v.cost = crate::ledger::view::Cost {
        now: usd(1.7589),
        on_demand: usd(1.294),
        spot: usd(0.4649),
        in_review: usd(-0.152),
        floor: Some(usd(1.171)),
        series: (0..30_u32)
            .map(|i| {
                (
                    at(i64::from(1800 - i * 60)),
                    usd(1.4 + f64::from(i % 11) * 0.1),
                    6 + i % 5,
                    i % 7,
                )
            })
            .collect(),
        ..Default::default()
    };
    v
}
