//! Taking the lead and losing it. One that follows sees and plans like the one that leads, and writes nothing.

use tokio::sync::watch;

use super::run::Engine;
use crate::gate::{Lead, Mode};
use crate::model::decision::{Decision, State};

/// The next word from the election; none comes without one.
pub(super) async fn news(lead: &mut Option<watch::Receiver<Lead>>) -> Lead {
    let Some(receiver) = lead else {
        return std::future::pending().await;
    };
    if receiver.changed().await.is_ok() {
        return receiver.borrow_and_update().clone();
    }
    // The elector is gone, and with it the lease.
    *lead = None;
    Lead::default()
}

impl Engine {
    pub(super) async fn lead_is(&mut self, lead: Lead) {
        let leads = lead.leads();
        let led = self.gate.follows().is_none();
        let holder = lead.holder.clone();
        self.book.view_mut().host.lead = Some(lead);
        if leads && !led {
            // The one before may have been paused, or told no.
            self.restore().await;
            self.gate.follow(None);
            self.continue_numbering();
            self.start_over("planned anew by the one that leads now");
        } else if !leads {
            self.gate.follow(Some(holder));
            if led {
                self.start_over("another leads now");
            }
        }
        self.sync_actor();
        self.pass();
    }

    /// What waits here was judged as the other role: it is withdrawn, and what still makes sense comes again.
    fn start_over(&mut self, why: &str) {
        let now = self.clock.now();
        let waiting: Vec<std::sync::Arc<Decision>> = self
            .gate
            .open()
            .filter(|o| matches!(o.state, State::Noted | State::Held | State::Approved))
            .map(|o| o.decision.clone())
            .collect();
        for decision in waiting {
            self.withdraw(&decision, why.to_owned(), now);
        }
        self.dirty.all = true;
        self.wake_at = Some(now);
    }

    /// The alarm of one that would write and may not.
    pub(super) fn follows_alarm(&self) -> Option<String> {
        if self.gate.policies().mode == Mode::Observe {
            return None;
        }
        let leader = self.gate.follows()?;
        let lead = self.book.view().host.lead.as_ref();
        let lease = lead.map_or("", |l| &*l.lease);
        Some(if leader.is_empty() {
            "nobody leads yet: nothing is written until the lease is taken".to_owned()
        } else {
            format!("{leader} leads (lease {lease}): this one follows and writes nothing")
        })
    }
}
