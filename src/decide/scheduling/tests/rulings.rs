//! Rulings of `scheduling §28` that change a plan, each with both switches (decisions §4). Q4 is in `limits`, Q13 in
//! `overlays`.

use std::sync::Arc;

use super::support::*;
use crate::api::names;
use crate::decide::scheduling::Purpose;
use crate::model::pod::{AffinityTerm, SpreadConstraint};
use crate::model::{
    LabelSelector, Name, Operator, Requirement, Taint, TaintEffect, Toleration, taints::TolerationOperator,
};

fn spread(key: &str, selector: Option<LabelSelector>, min_domains: Option<i32>) -> SpreadConstraint {
    SpreadConstraint {
        topology_key: key.into(),
        max_skew: 1,
        hard: true,
        selector,
        min_domains,
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

/// Asks with the deviation and without.
fn both(w: &mut World, ask: impl Fn(&World) -> String) -> (String, String) {
    w.settings.parity = false;
    let ours = ask(w);
    w.settings.parity = true;
    (ours, ask(w))
}

fn left(w: &World) -> String {
    let pods: Vec<String> = refusals(&w.plan()).into_iter().map(|(p, _)| p).collect();
    pods.join(",")
}

fn taint(key: &str) -> Taint {
    Taint {
        key: key.into(),
        value: "".into(),
        effect: TaintEffect::NoSchedule,
    }
}

fn tolerate(key: &str) -> Toleration {
    Toleration {
        key: key.into(),
        operator: TolerationOperator::Exists,
        ..Toleration::default()
    }
}

#[test]
fn q5_min_domains_tells_rules_apart() {
    let mut w = World::new();
    w.types([kind("small", 2000, 4 * GI, 0.1, &["z1", "z2"])]);
    let app = || Some(selector(&[("app", "p")]));
    // Two zones: with minDomains 3 the least stays 0, so that one pod a zone is all.
    w.pod("p-0", |s| s.spread = vec![spread(names::ZONE, app(), None)]);
    w.pods(4, "p", |s| s.spread = vec![spread(names::ZONE, app(), None)]);
    w.pod("p-9", |s| {
        s.requests = resources(500, GI);
        s.spread = vec![spread(names::ZONE, app(), Some(3))];
    });
    // The first pod of the batch brought no minDomains, so upstream knows of none.
    assert_eq!(both(&mut w, left), ("p-9".to_owned(), String::new()));
}

#[test]
fn q6_a_rule_without_a_selector_counts_nobody() {
    let mut w = World::new();
    w.types([kind("small", 2000, 4 * GI, 0.1, &["z1", "z2"])]);
    for (i, zone) in [(1, "z1"), (2, "z1")] {
        w.node(&format!("n{i}"), zone, 2000, |_, _| {});
        w.bound(&format!("other-{i}"), &format!("n{i}"), |s| {
            s.requests = resources(2000, GI);
        });
    }
    w.pod("p", |s| s.spread = vec![spread(names::ZONE, None, None)]);
    let zone = |w: &World| {
        by_domain(&w.plan(), names::ZONE)
            .into_iter()
            .map(|(zone, _)| zone)
            .collect::<String>()
    };
    // Upstream counts two strangers in z1.
    assert_eq!(both(&mut w, zone), ("z1".to_owned(), "z2".to_owned()));
}

#[test]
fn q7_the_first_of_an_affinity_settles_for_one_domain() {
    let mut w = World::new();
    w.pods(2, "p", |s| s.affinity = vec![term(names::ZONE, "p")]);
    let zones = |w: &World| {
        by_domain(&w.plan(), names::ZONE)
            .into_iter()
            .map(|(zones, pods)| format!("{zones}:{pods}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(both(&mut w, zones), ("z1:2".to_owned(), "z1,z3:2".to_owned()));
}

#[test]
fn q9_a_group_without_daemons_counts() {
    let mut w = World::new();
    w.daemon("d", 100, |s| {
        s.required_terms = vec![vec![Requirement::is_in(names::INSTANCE_TYPE, ["large"])]];
    });
    w.pod("p", |_| {});
    let cpu = |w: &World| w.plan().claims[0].draft.requests.cpu.to_string();
    assert_eq!(both(&mut w, cpu), ("1000".to_owned(), "1100".to_owned()));
}

#[test]
fn q10_excluded_values_are_no_domains() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.template
            .requirements
            .add(Requirement::new("rack", Operator::NotIn, ["r9"]));
    });
    w.node("n1", "z1", 16_000, |n, c| {
        n.labels.insert("rack".into(), "r1".into());
        c.labels.insert("rack".into(), "r1".into());
    });
    w.pods(2, "p", |s| {
        s.spread = vec![spread("rack", Some(selector(&[("app", "p")])), None)];
    });
    // Upstream waits for a pod in r9, which no node can have.
    assert_eq!(both(&mut w, left), (String::new(), "p-1".to_owned()));
}

#[test]
fn q12_a_pod_whose_volumes_cannot_be_looked_up() {
    let mut w = World::new();
    w.node("n1", "z1", 16_000, |_, _| {});
    w.bound("p", "n1", |s| s.volume_claims = vec!["data".into()]);
    let pods: Vec<Name> = vec!["default/p".into()];
    let ask = |w: &World| {
        let plan = w.plan_of(&pods, &["n1"], Purpose::Provision);
        format!("{} {:?}", plan.claims.len(), refusals(&plan))
    };
    assert_eq!(
        both(&mut w, ask),
        ("0 [(\"p\", \"ignored\")]".to_owned(), "1 []".to_owned())
    );
}

#[test]
fn q22_domains_behind_a_taint_are_domains() {
    let mut w = World::new();
    w.snapshot.pools.remove("default");
    for (name, zone, key) in [("a", "z1", "red"), ("b", "z2", "blue")] {
        w.pool(name, |p| {
            p.template
                .requirements
                .add(Requirement::is_in(names::ZONE, [zone]));
            p.template.taints = vec![taint(key)];
        });
    }
    // The first pod tolerates one pool, the second the other; both must not be where `x` is.
    w.pod("p-0", |s| {
        s.requests = resources(2000, GI);
        s.tolerations = vec![tolerate("red")];
        s.anti_affinity = vec![term(names::ZONE, "x")];
    });
    w.pod("p-1", |s| {
        s.tolerations = vec![tolerate("blue")];
        s.anti_affinity = vec![term(names::ZONE, "x")];
    });
    assert_eq!(both(&mut w, left), (String::new(), "p-1".to_owned()));
}

#[test]
fn q23_a_zone_that_no_pool_offers_is_a_domain_for_inverse_rules() {
    let mut w = World::new();
    w.snapshot.pools.remove("default");
    for (name, zone) in [("n1", "z8"), ("n2", "z9")] {
        w.node(name, zone, 4000, |_, _| {});
    }
    w.bound("guard", "n1", |s| s.anti_affinity = vec![term(names::ZONE, "p")]);
    w.pod("p", |_| {});
    assert_eq!(both(&mut w, left), (String::new(), "p".to_owned()));
}

#[test]
fn q28_any_term_of_a_daemon_may_match() {
    let mut w = World::new();
    w.daemon("d", 500, |s| {
        s.required_terms = ["large", "medium"]
            .map(|t| vec![Requirement::is_in(names::INSTANCE_TYPE, [t])])
            .into();
    });
    // A pod that only fits large, and one for medium with the daemon next to it.
    w.pod("p", |s| {
        s.requests = resources(3600, GI);
        s.node_selector = labels(&[(names::INSTANCE_TYPE, "medium")]);
    });
    w.pod("q", |s| {
        s.requests = resources(15_600, GI);
        s.node_selector = labels(&[(names::INSTANCE_TYPE, "large")]);
    });
    // Upstream drops the first term when it asks for medium, after large was seen: types are in name order.
    assert_eq!(both(&mut w, left), ("p,q".to_owned(), "p,q".to_owned()));
    w.daemon("d", 500, |s| {
        s.required_terms = ["medium", "large"]
            .map(|t| vec![Requirement::is_in(names::INSTANCE_TYPE, [t])])
            .into();
    });
    // Now large comes first, does not match the first term, and medium is lost.
    assert_eq!(both(&mut w, left), ("p,q".to_owned(), "q".to_owned()));
}

#[test]
fn q28_nodes_see_what_is_left_of_a_daemon() {
    let mut w = World::new();
    w.daemon("d", 1000, |s| {
        s.required_terms = vec![
            vec![Requirement::is_in(names::ZONE, ["z9"])],
            vec![Requirement::is_in(names::ARCH, ["amd64"])],
        ];
    });
    w.node("n1", "z9", 2000, |n, c| {
        for labels in [&mut n.labels, &mut c.labels] {
            labels.insert(names::ARCH.into(), "arm64".into());
        }
    });
    w.pod("p", |s| s.requests = resources(1500, GI));
    let target = |w: &World| w.plan().existing.keys().map(|k| &**k).collect::<String>();
    // Upstream lost the term for z9 on the pool's types, which are elsewhere, and reserves nothing on the node.
    assert_eq!(both(&mut w, target), (String::new(), "n1".to_owned()));
}

#[test]
fn moving_pods_are_not_judged_again() {
    let mut w = World::new();
    w.node("n1", "z1", 16_000, |_, _| {});
    w.bound("p", "n1", |s| {
        s.node_selector = labels(&[("karpenter.sh/other", "x")]);
        s.uses_resource_claims = true;
    });
    let pods: Vec<Name> = vec!["default/p".into()];
    let plan = w.plan_of(&pods, &["n1"], Purpose::Provision);
    assert_eq!(refusals(&plan), [("p".to_owned(), "resource_claims")]);
    let mut pod = (*w.snapshot.pods["default/p"]).clone();
    pod.spec = Arc::new(crate::model::PodSpec {
        uses_resource_claims: false,
        ..(*pod.spec).clone()
    });
    w.snapshot.pods.insert("default/p".into(), Arc::new(pod));
    let plan = w.plan_of(&pods, &["n1"], Purpose::Provision);
    assert_eq!(refusals(&plan), [("p".to_owned(), "unknown_label")]);
}

#[test]
fn q27_virtual_pods_may_use_nodes_that_rest() {
    let mut w = World::new();
    w.pool("default", |p| {
        p.disruption.consolidate_after = Some(std::time::Duration::from_secs(600));
    });
    w.node("n1", "z1", 4000, |_, c| c.last_pod_event = Some(now()));
    w.pod_with(
        "v",
        |_| {},
        |p| {
            p.owners = vec![crate::model::pod::Owner {
                kind: "CapacityBuffer".into(),
                name: "b".into(),
                uid: "b".into(),
                controller: false,
            }];
        },
    );
    let pods: Vec<Name> = vec!["default/v".into()];
    let target = |w: &World| {
        let plan = w.plan_of(&pods, &[], Purpose::Simulate);
        plan.existing.keys().map(|k| &**k).collect::<String>()
    };
    assert_eq!(both(&mut w, target), ("n1".to_owned(), String::new()));
}

#[test]
fn q30_a_port_that_daemons_take_everywhere_names_the_daemon() {
    let port = || crate::model::pod::HostPort {
        ip: "0.0.0.0".into(),
        port: 8080,
        protocol: "TCP".into(),
    };
    let mut w = World::new();
    w.daemon("exporter", 100, |s| s.host_ports = vec![port()]);
    w.pod("p", |s| s.host_ports = vec![port()]);
    let plan = w.plan();
    assert_eq!(refusals(&plan), [("p".to_owned(), "host_port")]);
    let why = &plan.unschedulable[0].pools[0].1;
    assert!(
        matches!(why, crate::model::decision::Refusal::HostPort { taken, .. }
            if &**taken == "0.0.0.0:8080/TCP of DaemonSet default/exporter"),
        "{why:?}"
    );
}
