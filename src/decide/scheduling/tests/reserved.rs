//! Cases 128 to 133 and items 68 to 70: reserved capacity.

use std::sync::Arc;

use super::support::*;
use crate::api::names;
use crate::decide::scheduling::{Purpose, Solution};
use crate::model::pod::AffinityTerm;
use crate::model::{CapacityType, InstanceType, Name, Offering, Requirement, UsdPerHour};

/// Adds a reservation of `free` instances in z1.
fn reserve(mut kind: InstanceType, id: &str, free: i64) -> InstanceType {
    let on_demand = kind.offerings[0].price;
    kind.requirements.0.insert(
        names::CAPACITY_TYPE.into(),
        Requirement::is_in(names::CAPACITY_TYPE, ["on-demand", "spot", "reserved"]),
    );
    kind.offerings.push(Offering {
        zone: "z1".into(),
        capacity_type: CapacityType::Reserved,
        price: on_demand.reserved(),
        available: true,
        requirements: [Requirement::is_in(names::RESERVATION_ID, [id])]
            .into_iter()
            .collect(),
        reservation_capacity: free,
        overrides: None,
    });
    kind
}

fn small(id: &str, free: i64) -> InstanceType {
    reserve(kind("small", 2000, 4 * GI, 0.1, &["z1", "z2"]), id, free)
}

fn medium(id: &str, free: i64) -> InstanceType {
    reserve(kind("medium", 4000, 8 * GI, 0.2, &["z1", "z2"]), id, free)
}

/// Capacity types of the claims, in order of opening.
fn markets(plan: &Solution) -> Vec<&'static str> {
    plan.claims
        .iter()
        .map(|c| {
            c.draft
                .expected
                .as_ref()
                .map_or("none", |e| e.capacity_type.as_str())
        })
        .collect()
}

fn ids(plan: &Solution, claim: usize) -> Vec<&str> {
    let requirement = plan.claims[claim].draft.requirements.get(names::RESERVATION_ID);
    requirement.map_or_else(Vec::new, |r| r.values.iter().map(|v| &**v).collect())
}

fn deferred(plan: &Solution) -> Vec<String> {
    plan.deferred
        .iter()
        .map(|d| d.pod.replace("default/", ""))
        .collect()
}

/// Each pod fills a node of its own.
fn big(w: &mut World, n: usize) {
    w.pods(n, "p", |s| s.host_ports = vec![port()]);
}

fn port() -> crate::model::pod::HostPort {
    crate::model::pod::HostPort {
        ip: "0.0.0.0".into(),
        port: 80,
        protocol: "TCP".into(),
    }
}

/// As the cloud would report it after the pass.
fn use_up(w: &mut World, id: &str) {
    let catalogue = w.snapshot.catalogue("default").expect("types").clone();
    let types: Vec<InstanceType> = catalogue
        .distinct()
        .map(|t| {
            let mut t = (**t).clone();
            for o in &mut t.offerings {
                if o.reservation().is_some_and(|r| &**r == id) {
                    o.available = false;
                    o.reservation_capacity = 0;
                }
            }
            t
        })
        .collect();
    w.types(types);
}

#[test]
fn case_128_one_reserved_node_a_pass_then_the_others() {
    let mut w = World::new();
    w.types([small("r-small", 1), medium("r-medium", 1)]);
    big(&mut w, 3);
    let plan = w.plan();
    // The one claim holds both reservations, as it could become either.
    assert_eq!(markets(&plan), ["reserved"]);
    assert_eq!(ids(&plan, 0), ["r-medium", "r-small"]);
    let first = plan.claims[0].draft.expected.clone().expect("a launch");
    assert_eq!(
        (&*first.instance_type, first.reservation.as_deref()),
        ("small", Some("r-small"))
    );
    assert_eq!(deferred(&plan), ["p-1", "p-2"]);
    all_placed(&plan);

    w.snapshot.pods.remove("default/p-0");
    use_up(&mut w, "r-small");
    let plan = w.plan();
    assert_eq!(ids(&plan, 0), ["r-medium"]);
    assert_eq!(deferred(&plan), ["p-2"]);

    w.snapshot.pods.remove("default/p-1");
    use_up(&mut w, "r-medium");
    let plan = w.plan();
    assert_eq!(markets(&plan), ["spot"]);
    assert!(plan.deferred.is_empty());
}

#[test]
fn case_129_one_reservation_seen_from_two_pools() {
    let mut w = World::new();
    w.types([small("r", 1)]);
    for (name, team) in [("a", "red"), ("b", "blue")] {
        w.pool(name, |p| {
            p.template.requirements.add(Requirement::is_in("team", [team]));
        });
    }
    w.snapshot.pools.remove("default");
    w.pod("p-0", |s| s.node_selector = labels(&[("team", "red")]));
    w.pod("p-1", |s| s.node_selector = labels(&[("team", "blue")]));
    let plan = w.plan();
    assert_eq!(
        (markets(&plan), deferred(&plan)),
        (vec!["reserved"], vec!["p-1".into()])
    );
    // Two pools, two reservations: both at once.
    w.types([small("r", 1), medium("q", 1)]);
    for (name, kind) in [("a", "small"), ("b", "medium")] {
        let mut pool = (*w.snapshot.pools[name]).clone();
        pool.template
            .requirements
            .add(Requirement::is_in(names::INSTANCE_TYPE, [kind]));
        w.snapshot.pools.insert(name.into(), Arc::new(pool));
    }
    let plan = w.plan();
    assert_eq!(markets(&plan), ["reserved", "reserved"]);
    assert!(plan.deferred.is_empty());
}

#[test]
fn case_130_two_reservations_of_one_type() {
    let mut w = World::new();
    let two = reserve(small("r1", 1), "r2", 2);
    w.types([two]);
    big(&mut w, 4);
    let plan = w.plan();
    // The first claim holds one of each, the second the other of r2.
    assert_eq!((ids(&plan, 0), ids(&plan, 1)), (vec!["r1", "r2"], vec!["r2"]));
    assert_eq!(deferred(&plan), ["p-2", "p-3"]);
    for pod in ["default/p-0", "default/p-1"] {
        w.snapshot.pods.remove(pod);
    }
    // What the cloud reports then: r1 and one of r2 were launched into, or both of r2.
    let two = reserve(small("r1", 0), "r2", 1);
    w.types([two]);
    let plan = w.plan();
    assert_eq!((ids(&plan, 0), deferred(&plan)), (vec!["r2"], vec!["p-3".into()]));
    w.snapshot.pods.remove("default/p-2");
    w.types([reserve(small("r1", 0), "r2", 0)]);
    use_up(&mut w, "r1");
    use_up(&mut w, "r2");
    assert_eq!(markets(&w.plan()), ["spot"]);
}

#[test]
fn case_131_no_fall_to_a_lighter_pool() {
    let mut w = World::new();
    w.types([small("r-small", 1), medium("r-medium", 1)]);
    w.snapshot.pools.remove("default");
    for (name, kind, weight) in [("heavy", "small", 10), ("light", "medium", 1)] {
        w.pool(name, |p| {
            p.weight = weight;
            p.template
                .requirements
                .add(Requirement::is_in(names::INSTANCE_TYPE, [kind]));
        });
    }
    big(&mut w, 2);
    let plan = w.plan();
    assert_eq!(plan.claims.len(), 1);
    assert_eq!(&*plan.claims[0].draft.pool, "heavy");
    assert_eq!(deferred(&plan), ["p-1"]);
    assert_eq!(plan.deferred[0].pools[0].1.code(), "reserved");
}

#[test]
fn case_132_nothing_is_given_up_for_a_reservation() {
    let mut w = World::new();
    w.types([small("r", 1)]);
    w.snapshot.pools.remove("default");
    for (name, team) in [("a", "red"), ("b", "blue")] {
        w.pool(name, |p| {
            p.template.requirements.add(Requirement::is_in("team", [team]));
            if team == "blue" {
                p.template
                    .requirements
                    .add(Requirement::is_in(names::CAPACITY_TYPE, ["spot"]));
            }
        });
    }
    w.pods(2, "p", |s| {
        s.host_ports = vec![port()];
        s.preferred_terms = vec![(1, vec![Requirement::is_in("team", ["red"])])];
    });
    let plan = w.plan();
    assert_eq!(plan.claims.len(), 1);
    assert_eq!(deferred(&plan), ["p-1"], "team red is not given up");
    // Without the reservation it would not have been either: red has spot.
    use_up(&mut w, "r");
    assert!(w.plan().claims.iter().all(|c| &*c.draft.pool == "a"));
}

#[test]
fn case_133_two_affine_pods_use_one_instance() {
    let mut w = World::new();
    w.types([medium("r", 1)]);
    w.pods(2, "p", |s| {
        s.affinity = vec![AffinityTerm {
            topology_key: names::HOSTNAME.into(),
            selector: Some(selector(&[("app", "p")])),
            namespaces: vec![],
            namespace_selector: None,
            weight: None,
        }];
    });
    let plan = w.plan();
    assert_eq!((sizes(&plan), markets(&plan)), (vec![2], vec!["reserved"]));
    let zones = plan.claims[0].draft.expected.as_ref().map(|e| e.zone.clone());
    assert_eq!(zones, Some("z1".into()));
}

#[test]
fn item_68_the_least_capacity_that_any_pool_reports_counts() {
    let mut w = World::new();
    w.types([small("r", 2)]);
    w.snapshot.catalogues.insert(
        "other".into(),
        Arc::new(crate::model::Catalogue::new([Arc::new(small("r", 1))])),
    );
    w.pool("second", |p| p.template.class.name = "other".into());
    big(&mut w, 2);
    let plan = w.plan();
    assert_eq!(
        (markets(&plan), deferred(&plan)),
        (vec!["reserved"], vec!["p-1".into()])
    );
}

#[test]
fn item_69_a_pod_that_would_end_a_hold_opens_its_own_claim() {
    let mut w = World::new();
    w.types([medium("r", 1)]);
    w.pod("p-0", |s| s.requests = resources(1100, GI));
    // The reservation is in z1: this one may not join the claim that holds it.
    w.pod("p-1", |s| s.node_selector = labels(&[(names::ZONE, "z2")]));
    let plan = w.plan();
    assert_eq!(markets(&plan), ["reserved", "spot"]);
    assert_eq!(claims(&plan), [["p-0"], ["p-1"]]);
}

#[test]
fn item_70_simulations_fall_back() {
    let mut w = World::new();
    w.types([small("r", 1)]);
    big(&mut w, 2);
    let pods: Vec<Name> = w.snapshot.pods.keys().cloned().collect();
    let plan = w.plan_of(&pods, &[], Purpose::Simulate);
    assert_eq!(markets(&plan), ["reserved", "spot"]);
    assert!(plan.deferred.is_empty());
    // Upstream counts on the price of what the first claim holds.
    w.settings.parity = true;
    let plan = w.plan_of(&pods, &[], Purpose::Simulate);
    assert_eq!(markets(&plan), ["reserved", "reserved"]);
    assert_eq!(ids(&plan, 1), Vec::<&str>::new());
}

#[test]
fn item_68_without_the_gate_nothing_is_rationed() {
    let mut w = World::new();
    w.types([small("r", 1)]);
    w.settings.reserved_capacity = false;
    big(&mut w, 2);
    let plan = w.plan();
    assert_eq!(markets(&plan), ["reserved", "reserved"]);
    assert_eq!(ids(&plan, 0), Vec::<&str>::new());
}

#[test]
fn a_ten_millionth_keeps_the_order_of_sizes() {
    let price = |usd: f64| UsdPerHour::from_f64(usd).reserved();
    assert!(price(0.0363) < price(0.0364));
    assert_eq!(price(0.0363).0, 3630);
}
