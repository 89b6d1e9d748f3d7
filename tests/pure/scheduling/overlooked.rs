//! What Karpenter overlooks and Kubernetes does not, found by the checker on random clusters; parity does as Karpenter
//! does.

use super::words::*;
use crate::cluster::{Cluster, Plan};

#[test]
fn kubernetes_counts_what_karpenter_overlooks() {
    // Found by random clusters; parity does as Karpenter does. A claim whose node has not joined brings its domain.
    let refused = |c: &Cluster| -> [usize; 2] {
        [false, true].map(|parity| {
            let mut c = c.clone();
            c.settings.parity = parity;
            let plan: Plan<'_> = if parity { c.plan_unchecked() } else { c.plan() };
            plan.unplaced().len()
        })
    };
    let mut c = Cluster::without_pools();
    c.pool_wants("default", &format!("[{}]", is(CAPACITY, "In", "spot")));
    c.booting("b1", "z2", "status: {allocatable: {cpu: 10m}}");
    c.pods(
        3,
        "p",
        &format!("cpu: 100m\n{}", spreads(&[spread(CAPACITY, "p", 2, "")])),
    );
    assert_eq!(refused(&c), [1, 0]);
    // With nodeAffinityPolicy Ignore all domains are compared, not only those that the pod asks for.
    let mut c = Cluster::new();
    let rule = spreads(&[spread(ZONE, "p", 1, "nodeAffinityPolicy: Ignore")]);
    c.pods(
        3,
        "p",
        &format!("cpu: 100m\nnodeSelector: {{{ZONE}: z1}}\n{rule}"),
    );
    assert_eq!(refused(&c), [2, 0]);
    // Alternatives are all looked at, not only the first.
    let mut c = Cluster::new();
    let rule = spreads(&[spread(ZONE, "p", 1, "")]);
    let terms = affinity(&[needs(&[&[is(ZONE, "In", "z1")], &[is(ZONE, "In", "z2")]])]);
    c.pods(4, "p", &format!("cpu: 100m\n{terms}\n{rule}"));
    let plan = c.plan();
    plan.all_placed();
    assert_eq!(plan.by(ZONE), counts(&[("z1", 2), ("z2", 2)]));
    c.settings.parity = true;
    assert_eq!(c.plan_unchecked().by(ZONE), counts(&[("z1", 4)]));
}
