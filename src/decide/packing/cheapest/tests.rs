//! Plans over small clusters: never dearer, never fewer pods, no rule broken.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Cheapest, solve};
use crate::api::names;
use crate::decide::packing::bound;
use crate::decide::scheduling::{Problem, Purpose, prepare};
use crate::decide::testing::{World, at, labels};
use crate::decide::{Fuel, Settings};
use crate::model::pod::{AffinityTerm, SpreadConstraint};
use crate::model::{LabelSelector, Name, Pod, UsdPerHour};

/// Types whose big ones cost less a core.
fn world() -> World {
    let mut w = World::new();
    w.types(&[
        ("m5.large", 2, 8, 0.11),
        ("m5.xlarge", 4, 16, 0.2),
        ("m5.2xlarge", 8, 32, 0.37),
        ("m5.4xlarge", 16, 64, 0.7),
        ("c5.2xlarge", 8, 16, 0.31),
        ("r5.2xlarge", 8, 64, 0.5),
    ]);
    w
}

fn waiting(w: &mut World, name: &str, cpu: i64, gib: i64, change: impl FnOnce(&mut Pod)) {
    w.pod(name, None, cpu, |pod| {
        let mut spec = (*pod.spec).clone();
        spec.requests.memory = gib << 30;
        pod.spec = Arc::new(spec);
        pod.unschedulable = true;
        change(pod);
    });
}

fn spec(pod: &mut Pod, change: impl FnOnce(&mut crate::model::PodSpec)) {
    let mut spec = (*pod.spec).clone();
    change(&mut spec);
    pod.spec = Arc::new(spec);
}

fn app(pod: &mut Pod, app: &str) -> LabelSelector {
    pod.labels = Arc::new(labels(&[("app", app)]));
    LabelSelector {
        match_labels: labels(&[("app", app)]),
        expressions: Vec::new(),
    }
}

fn plan(w: &World, share: Option<f64>) -> (Cheapest, UsdPerHour) {
    let settings = Settings::default();
    let pods: Vec<Name> = w
        .snapshot
        .pods
        .iter()
        .filter(|(_, p)| p.is_provisionable())
        .map(|(k, _)| k.clone())
        .collect();
    let prepared = prepare(&w.snapshot, &settings, at(60));
    let problem = Problem {
        snapshot: &w.snapshot,
        pods: &pods,
        without: &BTreeSet::new(),
        now: at(60),
        settings: &settings,
        purpose: Purpose::Provision,
    };
    let out = solve(&prepared, &problem, share, &mut Fuel::UNLIMITED.clone());
    let floor = bound::floor(
        &prepared,
        out.solution.claims.iter().flat_map(|c| c.draft.pods.iter()),
    );
    (out, floor)
}

/// Every pod once, all promises of the result kept.
fn sound(w: &World, out: &Cheapest, floor: UsdPerHour) {
    let mut seen: BTreeMap<&Name, usize> = BTreeMap::new();
    for claim in &out.solution.claims {
        let kinds = w.snapshot.catalogue("default").expect("types");
        let chosen = claim.draft.expected.as_ref().expect("a type");
        let kind = kinds.get(&chosen.instance_type).expect("known");
        let mut sum = crate::model::Resources::default();
        for key in &claim.draft.pods {
            *seen.entry(key).or_default() += 1;
            sum.add(&w.snapshot.pods.get(key).expect("pod").spec.requests);
        }
        assert!(sum.fits(&kind.allocatable()), "{sum} on {}", kind.name);
    }
    assert!(seen.values().all(|n| *n == 1));
    assert!(out.here.placed >= out.greedy.placed);
    assert!(out.here.placed > out.greedy.placed || out.here.price <= out.greedy.price);
    assert!(floor <= out.here.price, "{floor} > {}", out.here.price);
}

#[test]
fn it_is_cheaper_where_there_is_room_and_close_to_the_floor() {
    let mut w = world();
    for i in 0..60 {
        waiting(&mut w, &format!("a{i:02}"), 900 + 50 * (i % 4), 1 + i % 5, |_| {});
    }
    let (out, floor) = plan(&w, None);
    sound(&w, &out, floor);
    assert_eq!(out.here.placed, 60);
    let gap = out.here.price.as_f64() / floor.as_f64();
    assert!(gap < 1.05, "{gap}");
}

#[test]
fn the_order_of_pods_and_a_second_run_change_nothing() {
    let mut w = world();
    for i in 0..40 {
        waiting(&mut w, &format!("a{i:02}"), 300 * (1 + i % 7), 1 + i % 3, |_| {});
    }
    let (a, _) = plan(&w, None);
    let (b, _) = plan(&w, None);
    let names = |c: &Cheapest| -> Vec<(Name, Vec<Name>)> {
        let claims = c.solution.claims.iter();
        claims
            .map(|c| (c.draft.name.clone(), c.draft.pods.clone()))
            .collect()
    };
    assert_eq!(names(&a), names(&b));
}

#[test]
fn a_cap_bounds_the_fullest_node() {
    let mut w = world();
    for i in 0..40 {
        waiting(&mut w, &format!("a{i:02}"), 400, 1, |_| {});
    }
    let (free, _) = plan(&w, None);
    assert!(free.here.largest > 4, "{:?}", free.here);
    let (capped, floor) = plan(&w, Some(0.1));
    sound(&w, &capped, floor);
    assert_eq!(capped.here.placed, 40);
    assert!(capped.here.largest <= 4, "{:?}", capped.here);
}

#[test]
fn rules_between_pods_hold() {
    let mut w = world();
    for i in 0..12 {
        waiting(&mut w, &format!("apart{i:02}"), 300, 1, |pod| {
            let selector = app(pod, "apart");
            spec(pod, |s| {
                s.anti_affinity.push(AffinityTerm {
                    topology_key: names::HOSTNAME.into(),
                    selector: Some(selector),
                    namespaces: vec![],
                    namespace_selector: None,
                    weight: None,
                });
            });
        });
    }
    for i in 0..20 {
        waiting(&mut w, &format!("even{i:02}"), 500, 1, |pod| {
            let selector = app(pod, "even");
            spec(pod, |s| {
                s.spread.push(SpreadConstraint {
                    topology_key: names::ZONE.into(),
                    max_skew: 1,
                    hard: true,
                    selector: Some(selector),
                    min_domains: None,
                    match_label_keys: vec![],
                    honor_affinity: true,
                    honor_taints: false,
                });
            });
        });
    }
    for i in 0..30 {
        waiting(&mut w, &format!("plain{i:02}"), 700, 2, |_| {});
    }
    let (out, floor) = plan(&w, None);
    sound(&w, &out, floor);
    assert_eq!(out.here.placed, 62);
    let mut zones: BTreeMap<Name, i64> = BTreeMap::new();
    for claim in &out.solution.claims {
        let draft = &claim.draft;
        let count = |prefix: &str| draft.pods.iter().filter(|p| p.contains(prefix)).count();
        assert!(count("apart") <= 1, "{:?}", draft.pods);
        let even = count("even");
        if even > 0 {
            let zone = draft.requirements.get(names::ZONE).expect("a zone");
            assert_eq!(zone.values.len(), 1, "{zone}");
            *zones.entry(zone.any()).or_default() += i64::try_from(even).expect("few");
        }
    }
    assert_eq!(zones.values().sum::<i64>(), 20);
    let (least, most) = (zones.values().min(), zones.values().max());
    assert!(
        zones.len() == 2 && most.expect("some") - least.expect("some") <= 1,
        "{zones:?}"
    );
    // Nothing was dearer for it.
    assert!(
        out.here.price < out.greedy.price,
        "{:?} {:?}",
        out.here,
        out.greedy
    );
}

#[test]
fn pods_of_different_teams_share_no_node() {
    let mut w = world();
    w.edit_pool("default", |pool| {
        let team = crate::model::Requirement::is_in("example.com/team", ["red", "blue"]);
        pool.template.requirements.add(team);
    });
    for i in 0..40 {
        let team = if i % 2 == 0 { "red" } else { "blue" };
        waiting(&mut w, &format!("p{i:02}"), 700, 2, |pod| {
            spec(pod, |s| s.node_selector = labels(&[("example.com/team", team)]));
        });
    }
    let (out, floor) = plan(&w, None);
    sound(&w, &out, floor);
    assert_eq!(out.here.placed, 40);
    for claim in &out.solution.claims {
        let teams: BTreeSet<bool> = claim
            .draft
            .pods
            .iter()
            .map(|p| p[p.len() - 2..].parse::<u32>().expect("a number") % 2 == 0)
            .collect();
        assert_eq!(teams.len(), 1, "{:?}", claim.draft.pods);
    }
}
