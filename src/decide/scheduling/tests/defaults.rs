//! Cases 111 and 112 and item 67: default spread constraints.

use std::sync::Arc;

use super::support::*;
use crate::api::names;
use crate::model::pod::{Owner, SpreadConstraint};
use crate::model::{Labels, PodTemplate, Service, Workload};

fn zonal(hard: bool) -> SpreadConstraint {
    SpreadConstraint {
        topology_key: names::ZONE.into(),
        max_skew: 1,
        hard,
        selector: None,
        min_domains: None,
        match_label_keys: vec![],
        honor_affinity: true,
        honor_taints: false,
    }
}

fn owned(w: &mut World, name: &str, kind: &str, set: &str, pod_labels: &[(&str, &str)]) {
    w.pod_with(
        name,
        |_| {},
        |p| {
            p.labels = Arc::new(labels(pod_labels));
            p.owners = vec![Owner {
                kind: kind.into(),
                name: set.into(),
                uid: set.into(),
                controller: true,
            }];
        },
    );
}

fn replica_set(w: &mut World, name: &str, select: &[(&str, &str)]) {
    let row = Workload {
        namespace: "default".into(),
        name: name.into(),
        replicas: 1,
        selector: Some(selector(select)),
        template: PodTemplate::default(),
    };
    w.snapshot
        .replica_sets
        .insert(format!("default/{name}").into(), Arc::new(row));
}

fn service(w: &mut World, name: &str, select: Option<Labels>) {
    let row = Service {
        namespace: "default".into(),
        name: name.into(),
        selector: select,
    };
    w.snapshot
        .services
        .insert(format!("default/{name}").into(), Arc::new(row));
}

/// Pods by zone, `-` where a claim is open in all.
fn zones(w: &World) -> Vec<usize> {
    let plan = w.plan();
    all_placed(&plan);
    let mut out: Vec<usize> = by_domain(&plan, names::ZONE)
        .into_iter()
        .filter(|(zone, _)| !zone.is_empty() && !zone.contains(','))
        .map(|(_, n)| n)
        .collect();
    out.sort_unstable();
    out
}

#[test]
fn case_111_soft_defaults_are_given_up_and_hard_ones_are_not() {
    for (hard, left) in [(false, 0), (true, 2)] {
        let mut w = World::new();
        w.settings.default_spread = vec![zonal(hard)];
        replica_set(&mut w, "web-1", &[("app", "web")]);
        // Three zones are known, the pods may only use one.
        for i in 0..3 {
            owned(
                &mut w,
                &format!("web-{i}"),
                "ReplicaSet",
                "web-1",
                &[("app", "web")],
            );
        }
        w.pool("default", |p| {
            p.template
                .requirements
                .add(crate::model::Requirement::is_in(names::ZONE, ["z1"]));
        });
        w.pool("far", |p| {
            p.limits.insert("cpu".into(), 0);
        });
        assert_eq!(w.plan().unschedulable.len(), left, "hard: {hard}");
    }
}

#[test]
fn case_112_who_gets_defaults() {
    let mut w = World::new();
    w.settings.default_spread = vec![zonal(true)];
    replica_set(&mut w, "web-1", &[("app", "web"), ("hash", "1")]);
    replica_set(&mut w, "web-2", &[("app", "web"), ("hash", "2")]);
    for (i, hash) in [(0, "1"), (1, "1"), (2, "1"), (3, "2"), (4, "2"), (5, "2")] {
        let set = format!("web-{hash}");
        owned(
            &mut w,
            &format!("web-{i}"),
            "ReplicaSet",
            &set,
            &[("app", "web"), ("hash", hash)],
        );
    }
    // Each revision one a zone.
    assert_eq!(zones(&w), [2, 2, 2]);

    // A bare pod, one of an owner that counts for nothing, and one with a rule of its own: no default.
    let mut w = World::new();
    w.settings.default_spread = vec![zonal(true)];
    w.pods(2, "bare", |_| {});
    owned(&mut w, "job-0", "Job", "job", &[("app", "job")]);
    w.pod("own", |s| {
        s.spread = vec![SpreadConstraint {
            topology_key: names::HOSTNAME.into(),
            max_skew: 9,
            ..zonal(true)
        }];
    });
    assert_eq!(zones(&w), Vec::<usize>::new());

    // A Service is enough; a nil selector is none, an empty one adds nothing.
    service(&mut w, "nil", None);
    service(&mut w, "all", Some(Labels::new()));
    assert_eq!(zones(&w), Vec::<usize>::new());
    service(&mut w, "bare", Some(labels(&[("app", "bare")])));
    assert_eq!(zones(&w).len(), 2);
}
