//! Every reason with its remedy, and what constraints cost, as a person reads them.

mod costs;
mod reasons;

use crate::decide::Fuel;
use crate::decide::explain::{Effort, Study};
use crate::decide::scheduling::prepare;
use crate::decide::scheduling::tests::support::{World, now};
use crate::model::Name;
use crate::model::decision::evidence::Unschedulable;
use crate::model::decision::remedy::Remedy;

/// What a left-over pod is told, and what would help it.
fn ask(w: &World, pod: &str) -> (Unschedulable, Vec<Remedy>) {
    let prepared = prepare(&w.snapshot, &w.settings, now());
    let mut study = Study::of_pending(&prepared, None, &mut Fuel::UNLIMITED.clone());
    let key: Name = format!("default/{pod}").into();
    let told = study
        .solution()
        .unschedulable
        .iter()
        .find(|u| u.pod == key)
        .cloned()
        .expect("left over");
    let remedies = study.remedies(&key, &mut Effort::of_a_question());
    (told, remedies)
}
