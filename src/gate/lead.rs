//! Who leads when several run: reading a Lease, judging it, and the fence that closes the moment it is lost
//! (`lifecycle §14`: 15 s lease, 10 s to renew it, a try each 2 s).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::Mode;
use super::approval::{Gate, Refused, Supervision};
use super::warrant::Warrant;
use crate::clock::after;
use crate::model::Name;
use crate::model::decision::{ContentHash, WriteClass};

/// How long others leave a lease alone after its last renewal.
pub const LEASE_LASTS: Duration = Duration::from_secs(15);
/// A holder that could not renew for so long writes nothing any more. Shorter than the lease, so that two never write.
pub const RENEW_WITHIN: Duration = Duration::from_secs(10);
/// Between two tries, before jitter.
pub const RETRY_EVERY: Duration = Duration::from_secs(2);

/// What is known of the lease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lead {
    pub me: Name,
    /// Who holds it; empty while nobody does or nobody knows.
    pub holder: Name,
    /// `namespace/name` of the Lease.
    pub lease: Name,
    /// Since when that holder is known.
    pub since: Timestamp,
}

impl Lead {
    pub fn leads(&self) -> bool {
        !self.me.is_empty() && self.me == self.holder
    }
}

/// A Lease object, as far as leading is about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaseRecord {
    pub holder: Name,
    /// As written; only whether it moves matters, never what another's clock says.
    pub renewed: Name,
    pub acquired: Name,
    pub lasts: Duration,
    pub transitions: i64,
    pub version: Name,
}

impl LeaseRecord {
    /// Reads a `coordination.k8s.io/v1` Lease; what is missing is empty.
    pub fn read(object: &serde_json::Value) -> Self {
        let spec = &object["spec"];
        let text = |value: &serde_json::Value| Name::from(value.as_str().unwrap_or_default());
        let lasts = spec["leaseDurationSeconds"].as_u64();
        Self {
            holder: text(&spec["holderIdentity"]),
            renewed: text(&spec["renewTime"]),
            acquired: text(&spec["acquireTime"]),
            lasts: lasts.map_or(LEASE_LASTS, Duration::from_secs),
            transitions: spec["leaseTransitions"].as_i64().unwrap_or(0),
            version: text(&object["metadata"]["resourceVersion"]),
        }
    }
}

/// What a candidate does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// There is no Lease: make one.
    Create,
    /// It is ours: renew it.
    Renew,
    /// Its holder is gone: take it over.
    Take,
    /// Its holder lives.
    Wait,
}

/// Watches one Lease from outside.
#[derive(Debug)]
pub struct Candidate {
    me: Name,
    seen: Option<(LeaseRecord, Timestamp)>,
}

impl Candidate {
    pub fn new(me: Name) -> Self {
        Self { me, seen: None }
    }

    /// A lease is dead when its record has not moved for as long as it lasts, by the watcher's own clock.
    pub fn judge(&mut self, record: Option<&LeaseRecord>, now: Timestamp) -> Move {
        let Some(record) = record else {
            self.seen = None;
            return Move::Create;
        };
        if self.seen.as_ref().is_none_or(|(known, _)| known != record) {
            self.seen = Some((record.clone(), now));
        }
        if record.holder == self.me {
            return Move::Renew;
        }
        let seen_at = self.seen.as_ref().map_or(now, |(_, at)| *at);
        if record.holder.is_empty() || after(seen_at, record.lasts) <= now {
            Move::Take
        } else {
            Move::Wait
        }
    }
}

/// Shut for whoever does not hold the lease; every write asks it right before it goes out. A holder opens it only
/// until its lease could be lost, so that it shuts by itself when nobody renews.
#[derive(Clone, Debug, Default)]
pub struct Fence(Option<Arc<AtomicI64>>);

impl Fence {
    /// Without an election: always open.
    pub fn none() -> Self {
        Self(None)
    }

    pub fn shut() -> Self {
        Self(Some(Arc::new(AtomicI64::new(i64::MIN))))
    }

    pub fn open_until(&self, until: Timestamp) {
        if let Some(edge) = &self.0 {
            edge.store(until.as_microsecond(), Ordering::SeqCst);
        }
    }

    pub fn close(&self) {
        if let Some(edge) = &self.0 {
            edge.store(i64::MIN, Ordering::SeqCst);
        }
    }

    pub fn is_open(&self, now: Timestamp) -> bool {
        self.0
            .as_ref()
            .is_none_or(|edge| now.as_microsecond() < edge.load(Ordering::SeqCst))
    }
}

/// The engine's place in an election: who leads comes in, how it may act goes out.
#[derive(Debug)]
pub struct Seat {
    pub lead: watch::Receiver<Lead>,
    pub mode: watch::Sender<Mode>,
}

/// The licence to make, renew, take or release the lease; none in observe.
pub fn lease_warrant(mode: Mode, now: Timestamp) -> Option<Warrant> {
    (mode != Mode::Observe).then(|| {
        Warrant::new(
            None,
            ContentHash::default(),
            WriteClass::Supervise,
            "policy".into(),
            after(now, RENEW_WITHIN),
        )
    })
}

impl Gate {
    /// Takes over what another left in the cluster; what is open here stays.
    pub fn adopt(&mut self, supervision: Supervision) {
        self.supervision = supervision;
    }

    /// Follows the one that leads (its name may not be known), or leads itself with `None`.
    pub fn follow(&mut self, leader: Option<Name>) {
        self.follows = leader;
    }

    /// Who is followed.
    pub fn follows(&self) -> Option<&Name> {
        self.follows.as_ref()
    }

    /// Whether anything may be written at all.
    ///
    /// # Errors
    /// In observe, and while another leads.
    pub fn may_write(&self) -> Result<(), Refused> {
        if self.policies().mode == Mode::Observe {
            return Err(Refused::Observing);
        }
        match &self.follows {
            Some(leader) if leader.is_empty() => Err(Refused::Following("nobody".into())),
            Some(leader) => Err(Refused::Following(leader.clone())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn held_by(holder: &str, renewed: &str) -> LeaseRecord {
        LeaseRecord {
            holder: holder.into(),
            renewed: renewed.into(),
            lasts: LEASE_LASTS,
            ..LeaseRecord::default()
        }
    }

    #[test]
    fn a_lease_that_moves_lives_whatever_its_stamp_says() {
        let mut b = Candidate::new("b".into());
        assert_eq!(b.judge(None, at(0)), Move::Create);
        // The stamp is years old: only the watcher's own clock counts.
        assert_eq!(b.judge(Some(&held_by("a", "1999")), at(1)), Move::Wait);
        assert_eq!(b.judge(Some(&held_by("a", "1999")), at(15)), Move::Wait);
        assert_eq!(b.judge(Some(&held_by("a", "2000")), at(15)), Move::Wait);
        assert_eq!(b.judge(Some(&held_by("a", "2000")), at(29)), Move::Wait);
        assert_eq!(b.judge(Some(&held_by("a", "2000")), at(30)), Move::Take);
    }

    #[test]
    fn a_released_lease_is_free_at_once_and_ones_own_is_renewed() {
        let mut b = Candidate::new("b".into());
        assert_eq!(b.judge(Some(&held_by("", "x")), at(0)), Move::Take);
        assert_eq!(b.judge(Some(&held_by("b", "y")), at(1)), Move::Renew);
    }

    #[test]
    fn a_fence_shuts_by_itself() {
        let fence = Fence::shut();
        assert!(!fence.is_open(at(0)));
        fence.open_until(at(10));
        assert!(fence.is_open(at(9)) && !fence.is_open(at(10)));
        fence.open_until(at(20));
        fence.close();
        assert!(!fence.is_open(at(5)));
        assert!(Fence::none().is_open(at(5)));
    }

    #[test]
    fn nobody_campaigns_in_observe() {
        assert_eq!(lease_warrant(Mode::Observe, at(0)), None);
        let warrant = lease_warrant(Mode::Ask, at(0)).expect("may");
        assert_eq!(warrant.class(), WriteClass::Supervise);
    }
}
