//! The tricky cases of `scheduling §30` and the checklist of `§29`, by number.

mod daemons;
mod defaults;
mod existing;
mod labels;
mod limits;
mod overlays;
mod passes;
mod preferences;
mod reserved;
mod rulings;
mod scale;
pub(crate) mod support;
mod topology;
mod types;
mod volumes;
