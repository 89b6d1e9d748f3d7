//! Evidence into sentences, for the screen, JSON texts, events, logs and reports alike.
//!
//! One file a kind of thing. Every reason names the check, the value wanted and the value found (screens, rule 6).
//! Nothing here computes; nothing here cleans either, except [`clean`], which every face calls on what it prints.

mod amount;
mod cause;
mod clean;
mod decision;
mod delta;
mod effect;
mod names;
mod outcome;
mod refusal;
mod remedy;
mod verdict;

pub use amount::{
    age, amount, clock, cpu, doubt, duration, memory, money, monthly, percent, price, price_bare,
    price_delta, price_short, resources, share,
};
pub use cause::{cause, cause_short, unknown};
pub use clean::{clean, fit, fit_middle, width};
pub use decision::{claim_sentences, headline, kind, money_of, sentences, state};
pub use delta::delta;
pub use effect::effect;
pub use names::{capacity, capacity_short, key, list, node, plural, short, zone, zones};
pub use outcome::outcome;
pub use refusal::{check, check_short, mismatch, refusal, refusal_short, requirement, unschedulable};
pub use remedy::{added, change, changes, cost, landing, landing_short, launch, preference, remedy};
pub use verdict::{verdict, verdict_short};
