//! Cases 83 to 91: volumes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::support::*;
use crate::api::names;
use crate::model::storage::{CsiNode, StorageClass, Volume, VolumeClaim};
use crate::model::{Name, Requirement};

const EBS: &str = "ebs.csi.aws.com";

fn claim(world: &mut World, name: &str, change: impl FnOnce(&mut VolumeClaim)) {
    let mut row = VolumeClaim {
        namespace: "default".into(),
        name: name.into(),
        volume: format!("pv-{name}").into(),
        storage_class: Some("gp3".into()),
        phase: "Bound".into(),
        deleting: false,
        bind_completed: true,
    };
    change(&mut row);
    let key: Name = format!("default/{name}").into();
    world.snapshot.volume_claims.insert(key, Arc::new(row));
}

fn volume(world: &mut World, name: &str, change: impl FnOnce(&mut Volume)) {
    let mut row = Volume {
        name: format!("pv-{name}").into(),
        terms: Vec::new(),
        local: false,
        driver: Some(EBS.into()),
        deleting: false,
    };
    change(&mut row);
    world.snapshot.volumes.insert(row.name.clone(), Arc::new(row));
}

fn class(world: &mut World, waits: bool, zones: &[&str]) {
    let row = StorageClass {
        name: "gp3".into(),
        provisioner: EBS.into(),
        waits,
        topologies: zones
            .iter()
            .map(|z| vec![Requirement::is_in("topology.ebs.csi.aws.com/zone", [*z])])
            .collect(),
    };
    world.snapshot.storage_classes.insert("gp3".into(), Arc::new(row));
}

fn uses(world: &mut World, pod: &str, claims: &[&str]) {
    world.pod(pod, |s| {
        s.volume_claims = claims.iter().map(|c| (*c).into()).collect();
    });
}

#[test]
fn case_83_claims_that_make_a_pod_ignored() {
    type Change = fn(&mut VolumeClaim);
    let changes: [(&str, Change); 6] = [
        ("lost", |c| c.phase = "Lost".into()),
        ("deleting", |c| c.deleting = true),
        ("volume missing", |c| c.volume = "pv-none".into()),
        ("bind not completed", |c| c.bind_completed = false),
        ("no class", |c| {
            c.volume = "".into();
            c.storage_class = None;
        }),
        ("class missing", |c| {
            c.volume = "".into();
            c.storage_class = Some("none".into());
        }),
    ];
    for (what, change) in changes {
        let mut w = World::new();
        volume(&mut w, "a", |_| {});
        claim(&mut w, "a", change);
        uses(&mut w, "p", &["a"]);
        w.pod("q", |_| {});
        let plan = w.plan();
        assert_eq!(refusals(&plan), [("p".to_owned(), "ignored")], "{what}");
        assert_eq!(sizes(&plan), [1]);
    }
    let mut w = World::new();
    uses(&mut w, "p", &["none"]);
    assert_eq!(refusals(&w.plan()), [("p".to_owned(), "ignored")]);
    let mut w = World::new();
    class(&mut w, false, &[]);
    claim(&mut w, "a", |c| c.volume = "".into());
    uses(&mut w, "p", &["a"]);
    assert_eq!(refusals(&w.plan()), [("p".to_owned(), "ignored")]);
}

#[test]
fn case_84_and_unbound_claims_of_waiting_classes() {
    let mut w = World::new();
    volume(&mut w, "a", |_| {});
    claim(&mut w, "a", |c| c.storage_class = Some("deleted".into()));
    uses(&mut w, "p", &["a"]);
    all_placed(&w.plan());
    let mut w = World::new();
    class(&mut w, true, &["z2"]);
    claim(&mut w, "a", |c| c.volume = "".into());
    uses(&mut w, "p", &["a"]);
    assert_eq!(by_domain(&w.plan(), names::ZONE), [("z2".to_owned(), 1)]);
}

#[test]
fn case_85_the_volumes_zone_survives_relaxation() {
    let mut w = World::new();
    volume(&mut w, "a", |v| {
        v.terms = vec![vec![Requirement::is_in(names::ZONE, ["z3"])]];
    });
    claim(&mut w, "a", |_| {});
    w.pod("p", |s| {
        s.volume_claims = vec!["a".into()];
        s.required_terms = vec![
            vec![Requirement::is_in("no", ["where"])],
            vec![Requirement::is_in(names::ARCH, ["amd64"])],
        ];
    });
    assert_eq!(by_domain(&w.plan(), names::ZONE), [("z3".to_owned(), 1)]);
}

#[test]
fn case_87_alternatives_are_combined() {
    let mut w = World::new();
    for (name, zones) in [("a", ["z1", "z2"]), ("b", ["z2", "z3"])] {
        volume(&mut w, name, |v| {
            v.terms = zones
                .iter()
                .map(|z| vec![Requirement::is_in(names::ZONE, [*z])])
                .collect();
        });
        claim(&mut w, name, |_| {});
    }
    uses(&mut w, "p", &["a", "b"]);
    assert_eq!(by_domain(&w.plan(), names::ZONE), [("z2".to_owned(), 1)]);
}

#[test]
fn case_88_hostnames_of_local_volumes_do_not_count() {
    let pinned = || vec![vec![Requirement::is_in(names::HOSTNAME, ["gone"])]];
    let mut w = World::new();
    volume(&mut w, "a", |v| {
        v.terms = pinned();
        v.local = true;
    });
    claim(&mut w, "a", |_| {});
    uses(&mut w, "p", &["a"]);
    all_placed(&w.plan());
    volume(&mut w, "a", |v| v.terms = pinned());
    assert_eq!(refusals(&w.plan()), [("p".to_owned(), "volume_requirement")]);
}

#[test]
fn case_89_90_attach_limits() {
    let build = |driver: Option<&str>, shared: bool| {
        let mut w = World::new();
        w.node("n1", "z1", 16_000, |_, _| {});
        w.snapshot.csi_nodes.insert(
            "n1".into(),
            Arc::new(CsiNode {
                name: "n1".into(),
                limits: BTreeMap::from([(EBS.into(), 10)]),
            }),
        );
        for i in 0..6 {
            let names = if shared {
                ["x".to_owned(), "x".to_owned()]
            } else {
                [format!("a{i}"), format!("b{i}")]
            };
            for name in &names {
                volume(&mut w, name, |v| v.driver = driver.map(Into::into));
                claim(&mut w, name, |_| {});
            }
            uses(&mut w, &format!("p-{i}"), &[&names[0], &names[1]]);
        }
        let plan = w.plan();
        (plan.existing.get("n1").map_or(0, Vec::len), plan.claims.len())
    };
    assert_eq!(build(Some(EBS), false), (5, 1));
    assert_eq!(build(Some(EBS), true), (6, 0));
    assert_eq!(build(None, false), (6, 0));
}
