//! The floor of pods in a snapshot.

use super::market::{self as total, Care};
use crate::decide::packing::market;
use crate::decide::scheduling::arena::Arena;
use crate::decide::scheduling::prepare::Prepared;
use crate::model::{Name, UsdPerHour};

/// The floor for these pods, daemons of the nodes included. Pods that no type suits at all count for nothing.
pub fn floor<'a>(p: &Prepared, pods: impl Iterator<Item = &'a Name>) -> UsdPerHour {
    with(p, pods, Care::Full)
}

/// As [`floor`], with as much work as wanted.
pub fn with<'a>(p: &Prepared, pods: impl Iterator<Item = &'a Name>, care: Care) -> UsdPerHour {
    let rows = pods.filter_map(|key| p.snapshot.pods.get(key));
    let mut arena = Arena::new(p);
    let (wants, slots) = market::wants(p, &mut arena, rows);
    let (mut market, _) = market::build(p, &arena, &wants, &vec![1; slots]);
    total::of_market(&mut market, care).usd_per_hour
}
