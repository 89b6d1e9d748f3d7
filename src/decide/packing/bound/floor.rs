//! The floor of pods in a snapshot.

use super::of_market;
use crate::decide::packing::market;
use crate::decide::scheduling::arena::Arena;
use crate::decide::scheduling::prepare::Prepared;
use crate::model::{Name, UsdPerHour};

/// The floor for these pods, daemons of the nodes included. Pods that no type suits at all count for nothing.
pub fn floor<'a>(p: &Prepared, pods: impl Iterator<Item = &'a Name>) -> UsdPerHour {
    let rows = pods.filter_map(|key| p.snapshot.pods.get(key));
    let mut arena = Arena::new(p);
    let (wants, slots) = market::wants(p, &mut arena, rows);
    let (mut market, _) = market::build(p, &arena, &wants, &vec![1; slots]);
    of_market(&mut market).usd_per_hour
}
