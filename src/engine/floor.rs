//! The floor of the pane Cost: proven anew when the workload or its prices changed, and no more often than a person
//! would notice. Nothing is decided by it, and nothing of it is recorded.

use std::sync::Arc;
use std::time::Duration;

use imbl::OrdMap;
use jiff::Timestamp;

use super::run::{Engine, after};
use crate::decide::packing::bound;
use crate::model::{Catalogue, Name, NodePool, Pod};

/// Of the wall, with the embedded world at any speed.
const EVERY: Duration = Duration::from_secs(2);

/// What the floor was proven for, and when the next look is due.
#[derive(Debug, Default)]
pub(super) struct Proven {
    due: Option<Timestamp>,
    pods: Vec<(Name, Arc<Pod>)>,
    pools: OrdMap<Name, Arc<NodePool>>,
    catalogues: OrdMap<Name, Arc<Catalogue>>,
}

impl Engine {
    /// Keeps the view's floor up to date.
    pub(super) fn follow_floor(&mut self, now: Timestamp) {
        if !self.synced || self.proven.due.is_some_and(|due| now < due) {
            return;
        }
        self.proven.due = Some(after(now, EVERY * self.pace()));
        let snapshot = self.snapshot();
        let pods = bound::workload(&snapshot);
        let proven = &self.proven;
        let same = same_pods(&proven.pods, &pods)
            && proven.pools == snapshot.pools
            && same_types(&proven.catalogues, &snapshot.catalogues)
            && self.book.view().cost.floor.is_some();
        if same {
            return;
        }
        let floor = bound::of_workload(&snapshot, &pods, &self.settings, now);
        self.book.view_mut().cost.floor = Some(floor);
        self.proven.pods = pods;
        self.proven.pools = snapshot.pools;
        self.proven.catalogues = snapshot.catalogues;
    }
}

/// The same pods as far as a floor can tell.
fn same_pods(a: &[(Name, Arc<Pod>)], b: &[(Name, Arc<Pod>)]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|((key, one), (other_key, other))| {
            key == other_key && (Arc::ptr_eq(&one.spec, &other.spec) || one.spec == other.spec)
        })
}

fn same_types(a: &OrdMap<Name, Arc<Catalogue>>, b: &OrdMap<Name, Arc<Catalogue>>) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b.iter())
            .all(|((x, c), (y, d))| x == y && Arc::ptr_eq(c, d))
}
