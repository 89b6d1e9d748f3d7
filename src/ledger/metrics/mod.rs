//! Metrics under Karpenter's names (`lifecycle §19`): a second fold over the ledger. `gauges` reads a view when it is
//! asked, `tally` counts entries as they come, `page` is the text that Prometheus reads.

mod gauges;
mod offerings;
mod page;
mod tally;
#[cfg(test)]
mod tests;

pub use page::{CONTENT_TYPE, Page};
pub use tally::Tally;

use super::View;

/// Everything that is known now, ready to be served.
pub fn page(view: &View, tally: &Tally) -> Page {
    let mut page = Page::default();
    tally.put(&mut page);
    gauges::put(view, &mut page);
    offerings::put(view, &mut page);
    page
}
