//! The election: a task (on a real cluster a thread) of its own, so that nothing the engine does holds a renewal up.
//! It reads the Lease in every mode and writes it only where the mode writes at all.

use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::act::Writer;
use crate::act::lease::{self, LeaseName};
use crate::clock::{Clock, after};
use crate::gate::lead::{Candidate, LeaseRecord, Move, RENEW_WITHIN, RETRY_EVERY, lease_warrant};
use crate::gate::{Fence, Lead, Mode};
use crate::model::Name;
use crate::observe::Objects;

/// One try takes no longer, so that there are two within the deadline.
const TRY_WITHIN: Duration = Duration::from_secs(5);

/// One candidate for the lead.
pub struct Elector {
    pub clock: Clock,
    pub lease: LeaseName,
    /// Told from every other candidate by this.
    pub me: Name,
    pub look: Objects,
    /// Makes the writing client; never called in observe.
    pub writer: Box<dyn Fn() -> Writer + Send + Sync>,
    pub fence: Fence,
    pub lead: watch::Sender<Lead>,
    pub mode: watch::Receiver<Mode>,
}

impl std::fmt::Debug for Elector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Elector")
            .field("me", &self.me)
            .finish_non_exhaustive()
    }
}

impl Elector {
    /// Campaigns until the engine is gone, then gives the lease back.
    pub async fn run(mut self) {
        let mut candidate = Candidate::new(self.me.clone());
        let mut writer = None;
        let mut tries = 0;
        loop {
            let mode = *self.mode.borrow_and_update();
            if mode == Mode::Observe && self.lead.borrow().leads() {
                self.give_back(&mut writer).await;
            }
            self.attempt(mode, &mut candidate, &mut writer).await;
            tries += 1;
            let wait = jitter(&self.me, tries, self.lead.borrow().leads());
            let (clock, again) = (self.clock, after(self.clock.now(), wait));
            tokio::select! {
                biased;
                changed = self.mode.changed() => if changed.is_err() { break },
                () = clock.sleep_until(again) => {}
            }
        }
        if self.lead.borrow().leads() {
            self.give_back(&mut writer).await;
        }
    }

    async fn attempt(&self, mode: Mode, candidate: &mut Candidate, writer: &mut Option<Writer>) {
        // What others count from can only be later than this.
        let sent = self.clock.now();
        let answer = tokio::time::timeout(TRY_WITHIN, self.try_it(mode, candidate, writer)).await;
        match answer.unwrap_or_else(|_| Err("the API server did not answer in time".into())) {
            Ok(holder) => {
                if holder == self.me && mode != Mode::Observe {
                    self.fence.open_until(after(sent, RENEW_WITHIN));
                } else {
                    self.fence.close();
                }
                self.say(holder);
            }
            Err(why) => {
                if mode == Mode::Observe {
                    // It only says who leads, and may not be readable.
                    tracing::debug!(lease = %self.lease, why, "the lease could not be read");
                } else {
                    tracing::warn!(lease = %self.lease, why, "the lease could not be read or renewed");
                }
                if self.lead.borrow().leads() && !self.fence.is_open(self.clock.now()) {
                    self.say(Name::default());
                }
            }
        }
    }

    /// Who holds the lease after this try.
    async fn try_it(
        &self,
        mode: Mode,
        candidate: &mut Candidate,
        writer: &mut Option<Writer>,
    ) -> Result<Name, String> {
        let record = self.read().await?;
        let now = self.clock.now();
        let step = candidate.judge(record.as_ref(), now);
        let holder = record.as_ref().map_or_else(Name::default, |r| r.holder.clone());
        let Some(warrant) = lease_warrant(mode, now).filter(|_| step != Move::Wait) else {
            return Ok(holder);
        };
        let writer = writer.get_or_insert_with(|| (self.writer)());
        let known = record.as_ref();
        match lease::claim(writer, &warrant, &self.lease, &self.me, step, known, now).await {
            Ok(true) => Ok(self.me.clone()),
            // Another made it first: the next look says who.
            Ok(false) => Ok(holder),
            Err(crate::act::Error::Conflict(_)) if step == Move::Take => Ok(holder),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn read(&self) -> Result<Option<LeaseRecord>, String> {
        let LeaseName { namespace, name } = &self.lease;
        let object = self.look.lease(namespace, name).await;
        let object = object.map_err(|e| e.to_string())?;
        Ok(object.map(|o| LeaseRecord::read(&o)))
    }

    /// Nothing is written any more, then the lease is let go.
    async fn give_back(&self, writer: &mut Option<Writer>) {
        self.fence.close();
        self.say(Name::default());
        let now = self.clock.now();
        let (Some(writer), Some(warrant)) = (writer, lease_warrant(Mode::Ask, now)) else {
            return;
        };
        let release = async {
            match self.read().await? {
                Some(known) if known.holder == self.me => {
                    lease::release(writer, &warrant, &self.lease, &known, now)
                        .await
                        .map_err(|e| e.to_string())
                }
                _ => Ok(()),
            }
        };
        let done = tokio::time::timeout(TRY_WITHIN, release).await;
        if let Err(why) = done.unwrap_or_else(|_| Err("no answer in time".into())) {
            tracing::warn!(lease = %self.lease, why, "the lease could not be given back and runs out by itself");
        }
    }

    fn say(&self, holder: Name) {
        let now = self.clock.now();
        self.lead.send_if_modified(|lead| {
            let new = lead.holder != holder || lead.me.is_empty();
            if new {
                tracing::info!(lease = %self.lease, %holder, me = %self.me, "who leads");
                *lead = Lead {
                    me: self.me.clone(),
                    holder,
                    lease: self.lease.to_string().into(),
                    since: now,
                };
            }
            new
        });
    }
}

/// A holder renews at 0.8 to 1.2 of the interval, others look after 1 to 2.2 of it: no two keep step.
fn jitter(me: &str, tries: u64, leads: bool) -> Duration {
    let digest = Sha256::digest(format!("{me}/{tries}"));
    let share = f64::from(digest.first().copied().unwrap_or(0)) / 255.0;
    RETRY_EVERY.mul_f64(if leads {
        0.8 + 0.4 * share
    } else {
        1.0 + 1.2 * share
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_tries_often_enough_and_no_two_keep_step() {
        let all: Vec<Duration> = (0..50).map(|n| jitter("a", n, true)).collect();
        assert!(all.iter().all(|d| *d + TRY_WITHIN < RENEW_WITHIN), "{all:?}");
        assert!(all.iter().collect::<std::collections::BTreeSet<_>>().len() > 30);
        assert_ne!(jitter("a", 1, false), jitter("b", 1, false));
    }
}
