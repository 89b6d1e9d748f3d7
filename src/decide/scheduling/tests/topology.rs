//! Cases 93 to 127 in scope: spread, affinity, anti-affinity.

use super::support::*;
use crate::api::names;
use crate::model::pod::{AffinityTerm, SpreadConstraint};
use crate::model::{CapacityType, LabelSelector, PodSpec, Requirement};

fn spread(key: &str, app: &str, max_skew: i32) -> SpreadConstraint {
    SpreadConstraint {
        topology_key: key.into(),
        max_skew,
        hard: true,
        selector: Some(selector(&[("app", app)])),
        min_domains: None,
        match_label_keys: vec![],
        honor_affinity: true,
        honor_taints: false,
    }
}

fn term(key: &str, app: &str) -> AffinityTerm {
    AffinityTerm {
        topology_key: key.into(),
        selector: Some(selector(&[("app", app)])),
        namespaces: vec![],
        namespace_selector: None,
        weight: None,
    }
}

fn counts(world: &World, key: &str) -> Vec<usize> {
    let mut out: Vec<usize> = by_domain(&world.plan(), key)
        .into_iter()
        .map(|(_, n)| n)
        .collect();
    out.sort_unstable_by(|a, b| b.cmp(a));
    out
}

fn zones(s: &mut PodSpec) {
    s.spread = vec![spread(names::ZONE, "p", 1)];
}

#[test]
fn case_93_even_over_zones_and_bound_pods_count() {
    let mut w = World::new();
    w.pods(6, "p", zones);
    assert_eq!(counts(&w, names::ZONE), [2, 2, 2]);
    w.pool("default", |p| {
        p.template
            .requirements
            .add(Requirement::is_in(names::ZONE, ["z1", "z2"]));
    });
    w.node("n3", "z3", 1000, |_, _| {});
    w.bound("p-old", "n3", |_| {});
    let plan = w.plan();
    assert_eq!(
        by_domain(&plan, names::ZONE),
        [("z1".to_owned(), 2), ("z2".to_owned(), 2)]
    );
    assert_eq!(plan.unschedulable.len(), 2);
    assert_eq!(refusals(&plan)[0].1, "topology");
}

#[test]
fn case_96_min_domains() {
    let mut w = World::new();
    w.types([kind("t", 16_000, 32 * GI, 1.0, &["z1", "z2"])]);
    w.pods(3, "p", |s| {
        zones(s);
        s.spread[0].min_domains = Some(3);
    });
    let plan = w.plan();
    assert_eq!(by_domain(&plan, names::ZONE).iter().map(|d| d.1).max(), Some(1));
    assert_eq!(plan.unschedulable.len(), 1);
    for min in [2, 3] {
        let mut w = World::new();
        w.pods(11, "p", |s| {
            zones(s);
            s.spread[0].min_domains = Some(min);
        });
        assert_eq!(counts(&w, names::ZONE), [4, 4, 3]);
    }
}

#[test]
fn case_97_an_unknown_key_harms_nobody_else() {
    let mut w = World::new();
    w.pod("p", |s| s.spread = vec![spread("unknown", "p", 1)]);
    w.pod("q", |_| {});
    let plan = w.plan();
    assert_eq!(claims(&plan), [["q"]]);
    assert_eq!(refusals(&plan), [("p".to_owned(), "topology")]);
}

#[test]
fn case_98_selectors_that_select_nobody() {
    let mut w = World::new();
    w.pods(2, "p", |s| {
        zones(s);
        s.spread[0].selector = None;
    });
    assert_eq!(sizes(&w.plan()), [2]);
    let mut w = World::new();
    w.pods(5, "p", |s| s.spread = vec![spread(names::HOSTNAME, "other", 1)]);
    assert_eq!(sizes(&w.plan()), [5]);
}

#[test]
fn case_99_two_apps_over_hosts() {
    let mut w = World::new();
    for app in ["a", "b"] {
        w.pods(2, app, |s| s.spread = vec![spread(names::HOSTNAME, app, 1)]);
    }
    assert_eq!(sizes(&w.plan()), [2, 2]);
}

#[test]
fn case_100_capacity_type_as_a_domain() {
    let build = |hard: bool| {
        let mut w = World::new();
        w.node("n1", "z1", 1000, |n, _| {
            n.labels.insert(names::CAPACITY_TYPE.into(), "spot".into());
        });
        w.bound("p-old", "n1", |_| {});
        w.pool("default", |p| {
            p.template
                .requirements
                .add(Requirement::is_in(names::CAPACITY_TYPE, ["on-demand"]));
        });
        w.pods(5, "p", |s| {
            s.spread = vec![spread(names::CAPACITY_TYPE, "p", 1)];
            s.spread[0].hard = hard;
        });
        w.plan()
    };
    assert_eq!(build(true).unschedulable.len(), 3);
    assert_eq!(sizes(&build(false)), [5]);
}

#[test]
fn case_101_a_pool_without_limit_left_still_has_domains() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.template
            .requirements
            .add(Requirement::is_in(names::ZONE, ["z1", "z2"]));
    });
    w.pool("full", |p| {
        p.limits.insert("cpu".into(), 0);
        p.template
            .requirements
            .add(Requirement::is_in(names::ZONE, ["z3"]));
    });
    w.pods(4, "p", zones);
    assert_eq!(counts(&w, names::ZONE), [1, 1]);
}

#[test]
fn case_102_a_custom_key_of_two_pools() {
    let mut w = World::new();
    let pool = |w: &mut World, name: &str, kind: CapacityType, values: &[&str]| {
        w.pool(name, |p| {
            p.template
                .requirements
                .add(Requirement::is_in("share", values.to_vec()));
            p.template
                .requirements
                .add(Requirement::is_in(names::CAPACITY_TYPE, [kind.as_str()]));
        });
    };
    w.snapshot.pools.remove("default");
    pool(&mut w, "od", CapacityType::OnDemand, &["1"]);
    pool(&mut w, "spot", CapacityType::Spot, &["2", "3", "4", "5"]);
    w.pods(20, "p", |s| s.spread = vec![spread("share", "p", 1)]);
    assert_eq!(counts(&w, "share"), [4, 4, 4, 4, 4]);
    assert_eq!(
        by_domain(&w.plan(), names::CAPACITY_TYPE),
        [("on-demand".to_owned(), 4), ("spot".to_owned(), 16)]
    );
}

#[test]
fn case_109_zone_and_host_together() {
    for (n, want) in [
        (2, vec![1, 1]),
        (5, vec![2, 2, 1]),
        (11, vec![4, 4, 3]),
        (21, vec![7, 7, 7]),
    ] {
        let mut w = World::new();
        w.pods(n, "p", |s| {
            s.requests = resources(100, 1);
            s.spread = vec![spread(names::ZONE, "p", 1), spread(names::HOSTNAME, "p", 3)];
        });
        let plan = w.plan();
        all_placed(&plan);
        assert_eq!(counts(&w, names::ZONE), want, "{n}");
        assert!(sizes(&plan).iter().all(|s| *s <= 3));
    }
}

#[test]
fn case_105_match_label_keys() {
    let mut w = World::new();
    for revision in ["r1", "r2"] {
        for i in 0..2 {
            w.pod_with(
                &format!("p-{revision}-{i}"),
                |s| {
                    s.spread = vec![spread(names::HOSTNAME, "p", 1)];
                    s.spread[0].match_label_keys = vec!["rev".into(), "absent".into()];
                },
                |p| p.labels = std::sync::Arc::new(labels(&[("app", "p"), ("rev", revision)])),
            );
        }
    }
    assert_eq!(sizes(&w.plan()), [2, 2]);
}

#[test]
fn case_106_taints_policy() {
    for (honor, placed) in [(true, 4), (false, 1)] {
        let mut w = World::new();
        w.types([kind("t", 16_000, 32 * GI, 1.0, &["z1"])]);
        w.pool("default", |p| {
            p.template.requirements.add(Requirement::is_in("d", ["open"]));
        });
        w.pool("tainted", |p| {
            p.template.requirements.add(Requirement::is_in("d", ["closed"]));
            p.template.taints = vec![crate::model::Taint {
                key: "t".into(),
                value: "".into(),
                effect: crate::model::TaintEffect::NoSchedule,
            }];
        });
        w.pods(4, "p", |s| {
            s.spread = vec![spread("d", "p", 1)];
            s.spread[0].honor_taints = honor;
        });
        assert_eq!(counts(&w, "d").iter().sum::<usize>(), placed, "{honor}");
    }
}

#[test]
fn case_113_pods_that_do_not_count() {
    let mut w = World::new();
    w.node("n1", "z1", 16_000, |_, _| {});
    w.pod_with(
        "p-gone",
        |_| {},
        |p| {
            p.node = Some("n1".into());
            p.phase = crate::model::Phase::Succeeded;
            p.unschedulable = false;
        },
    );
    w.pod_with(
        "p-leaving",
        |_| {},
        |p| {
            p.node = Some("n1".into());
            p.deleting = Some(now());
            p.unschedulable = false;
        },
    );
    w.pod_with(
        "p-elsewhere",
        |_| {},
        |p| {
            p.node = Some("n1".into());
            p.namespace = "other".into();
            p.unschedulable = false;
        },
    );
    w.pod("p-new", |s| {
        zones(s);
        s.requests = resources(100, 1);
    });
    assert_eq!(w.plan().existing.len(), 1);
}

#[test]
fn case_114_and_119_affinity_targets_and_chains() {
    let mut w = World::new();
    // The target is smaller, so it comes later in the queue.
    w.pod("a", |s| {
        s.requests = resources(1500, GI);
        s.affinity = vec![term(names::HOSTNAME, "b")];
    });
    w.pod("b", |s| s.requests = resources(100, 1));
    let plan = w.plan();
    all_placed(&plan);
    assert_eq!(sizes(&plan), [2]);
    let mut w = World::new();
    w.pod("a", |s| s.affinity = vec![term(names::HOSTNAME, "b")]);
    w.pod("b", |s| s.affinity = vec![term(names::HOSTNAME, "c")]);
    assert_eq!(w.plan().unschedulable.len(), 2);
    w.pod("c", |_| {});
    assert_eq!(sizes(&w.plan()), [3]);
}

#[test]
fn case_115_self_affinity_over_hosts() {
    let mut w = World::new();
    let mut five = kind("five", 16_000, 32 * GI, 1.0, &["z1"]);
    five.capacity.pods = 5;
    w.types([five]);
    w.pods(10, "p", |s| {
        s.requests = resources(100, 1);
        s.affinity = vec![term(names::HOSTNAME, "p")];
    });
    let plan = w.plan();
    assert_eq!(sizes(&plan), [5]);
    assert_eq!(plan.unschedulable.len(), 5);
}

#[test]
fn case_117_pinned_pods_bootstrap_their_own_zone() {
    let mut w = World::new();
    for zone in ["z2", "z3"] {
        w.pod(&format!("p-{zone}"), |s| {
            s.affinity = vec![term(names::ZONE, "p")];
            s.node_selector = labels(&[(names::ZONE, zone)]);
        });
    }
    assert_eq!(sizes(&w.plan()), [1, 1]);
}

#[test]
fn case_120_namespaces_of_affinity() {
    let build = |namespaces: Vec<&str>, selector: Option<LabelSelector>| {
        let mut w = World::new();
        w.node("n1", "z1", 16_000, |_, _| {});
        w.pod_with(
            "b",
            |_| {},
            |p| {
                p.node = Some("n1".into());
                p.namespace = "other".into();
                p.unschedulable = false;
                p.phase = crate::model::Phase::Running;
            },
        );
        w.pod("a", |s| {
            let mut t = term(names::HOSTNAME, "b");
            t.namespaces = namespaces.iter().map(|n| (*n).into()).collect();
            t.namespace_selector = selector;
            s.affinity = vec![t];
        });
        w.plan().existing.len()
    };
    assert_eq!(build(vec![], None), 0);
    assert_eq!(build(vec!["other"], None), 1);
    assert_eq!(build(vec![], Some(LabelSelector::default())), 1);
}

#[test]
fn case_122_124_anti_affinity_both_ways() {
    let mut w = World::new();
    for zone in ["z1", "z2", "z3"] {
        w.pod(&format!("a-{zone}"), |s| {
            s.requests = resources(1500, GI);
            s.node_selector = labels(&[(names::ZONE, zone)]);
        });
    }
    w.pod("b", |s| s.anti_affinity = vec![term(names::ZONE, "a")]);
    assert_eq!(refusals(&w.plan()), [("b".to_owned(), "topology")]);
    let mut w = World::new();
    for zone in ["z1", "z2", "z3"] {
        w.node(zone, zone, 16_000, |_, _| {});
        w.bound(&format!("a-{zone}"), zone, |s| {
            s.anti_affinity = vec![term(names::ZONE, "b")];
        });
    }
    w.pod("b", |_| {});
    assert_eq!(refusals(&w.plan()), [("b".to_owned(), "topology")]);
}

#[test]
fn case_123_125_126_nobody_knows_the_zone_yet() {
    let mut w = World::new();
    w.pod("a", |s| s.requests = resources(1500, GI));
    w.pod("b", |s| s.anti_affinity = vec![term(names::ZONE, "a")]);
    assert_eq!(refusals(&w.plan()), [("b".to_owned(), "topology")]);
    let mut w = World::new();
    w.pod("a", |s| {
        s.requests = resources(1500, GI);
        s.anti_affinity = vec![term(names::ZONE, "b")];
    });
    w.pod("b", |_| {});
    assert_eq!(refusals(&w.plan()), [("b".to_owned(), "topology")]);
    let mut w = World::new();
    w.pod("a", |s| {
        s.requests = resources(1500, GI);
        let mut t = term(names::ZONE, "b");
        t.weight = Some(1);
        s.anti_affinity = vec![t];
    });
    w.pod("b", |_| {});
    all_placed(&w.plan());
}

#[test]
fn case_127_one_per_pass_until_zones_are_known() {
    let mut w = World::new();
    w.pods(3, "p", |s| s.anti_affinity = vec![term(names::ZONE, "p")]);
    let plan = w.plan();
    assert_eq!(sizes(&plan), [1]);
    assert_eq!(plan.unschedulable.len(), 2);
    w.node("n1", "z1", 1000, |_, _| {});
    w.bound("p-0", "n1", |s| s.anti_affinity = vec![term(names::ZONE, "p")]);
    let plan = w.plan();
    assert_eq!(sizes(&plan), [1]);
    let zones = plan.claims[0].draft.requirements.get(names::ZONE);
    assert_eq!(zones, Some(&Requirement::is_in(names::ZONE, ["z2", "z3"])));
}
