//! What became of an effect.

use super::names::{capacity_short, zone};
use super::price;
use crate::model::decision::EffectResult;

/// `done`, `c7g.xlarge 1a od $0.1450/h, rank 1 of 60`, `failed: …`
pub fn outcome(r: &EffectResult) -> String {
    match r {
        EffectResult::Done => "done".to_owned(),
        EffectResult::Unchanged => "was so already".to_owned(),
        EffectResult::Launched(l) => {
            let errors = match l.errors.len() {
                0 => String::new(),
                n => format!(", {n} pools without capacity"),
            };
            format!(
                "{} {} {} {} rank {} of {}{errors}",
                l.instance_type,
                zone(&l.zone),
                capacity_short(l.capacity_type.as_str()),
                price(l.price_per_hour),
                l.rank,
                l.types_sent
            )
        }
        EffectResult::InsufficientCapacity { message } => format!("no capacity: {message}"),
        EffectResult::Stale { message } => format!("not done, it changed: {message}"),
        EffectResult::Retry { message, reason, .. } => format!("again later ({reason}): {message}"),
        EffectResult::Failed { message, reason } => format!("failed ({reason}): {message}"),
    }
}
