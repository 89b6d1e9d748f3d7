//! Cases 55 to 86: deleting and replacing single nodes.

use std::sync::Arc;

use super::{Loop, code, decide, decide_with, evidence, fleet, keys, proposed, verdict};
use crate::api::names;
use crate::decide::Settings;
use crate::decide::testing::{World, budget};
use crate::model::decision::Effect;
use crate::model::decision::effect::ObjectKind;
use crate::model::{Catalogue, Delta, InstanceType, Pod, Requirement, UsdPerHour};

fn any_capacity(world: &mut World) {
    world.edit_pool("default", |p| {
        p.template.requirements.0.insert(
            names::CAPACITY_TYPE.into(),
            Requirement::is_in(names::CAPACITY_TYPE, ["on-demand", "spot"]),
        );
    });
}

fn spot(world: &mut World, node: &str) {
    world.edit_node(node, |n| {
        drop(n.labels.insert(names::CAPACITY_TYPE.into(), "spot".into()));
    });
}

fn edit_types(world: &mut World, change: impl Fn(&mut InstanceType)) {
    let catalogue = world.snapshot.catalogue("default").expect("catalogue").clone();
    let types = catalogue.types().iter().map(|t| {
        let mut row = (**t).clone();
        change(&mut row);
        Arc::new(row)
    });
    let types = Arc::new(Catalogue::new(types.collect::<Vec<_>>()));
    world.apply(Delta::Catalogue {
        class: "*".into(),
        types,
    });
}

/// `count` types of 4 vCPU from 0.010 $ upwards in steps of a tenth of a cent, all smaller in price than m5.2xlarge.
fn many_types(world: &mut World, count: i64) {
    let names: Vec<(String, f64)> = (0..count)
        .map(|i| {
            #[allow(clippy::cast_precision_loss)]
            let price = 0.010 + 0.001 * i as f64;
            (format!("t{i:02}.xlarge"), price)
        })
        .collect();
    let mut types: Vec<(&str, i64, i64, f64)> = names.iter().map(|(n, p)| (n.as_str(), 4, 16, *p)).collect();
    types.push(("m5.2xlarge", 8, 32, 0.384));
    world.types(&types);
}

/// Case 55: a delete is preferred, its pods are told where they go.
#[test]
fn case_055_a_node_whose_pods_fit_elsewhere_goes() {
    let mut world = fleet(2, "m5.xlarge");
    world.pod("a", Some("n0"), 1000, |_| {});
    world.pod("b", Some("n1"), 1000, |_| {});
    world.pod("c", Some("n1"), 1000, |_| {});
    world.edit_pool("default", |p| p.disruption.budgets = vec![budget("1")]);
    let out = decide(&world);
    assert_eq!(proposed(&out), "single: n0");
    let evidence = evidence(&out.proposals[0]);
    assert_eq!(evidence.moves["ns/a"], "n1".into());
    assert_eq!(evidence.price_after, UsdPerHour::ZERO);
    assert_eq!(out.proposals[0].impact.evictions, 1);
    assert_eq!(verdict(&out, "n0").facts["decision"], "delete".into());
}

/// Case 56: one cheaper machine.
#[test]
fn case_056_a_node_is_replaced_by_a_cheaper_one() {
    let mut world = fleet(1, "m5.2xlarge");
    world.pod("a", Some("n0"), 1500, |_| {});
    let out = decide(&world);
    assert_eq!(proposed(&out), "single: n0");
    let proposal = &out.proposals[0];
    let created = proposal
        .effects
        .iter()
        .find_map(|e| match e {
            Effect::CreateClaim(draft) => Some(draft.clone()),
            _ => None,
        })
        .expect("a replacement");
    let types: Vec<&str> = created.instance_types.iter().map(|t| &**t).collect();
    assert_eq!(types, ["m5.large", "m5.xlarge"]);
    assert_eq!(&*created.annotations[names::KERF_REPLACES], "n0");
    assert_eq!(
        keys(proposal.effects.iter()),
        [
            "patch/Node/n0".to_owned(),
            "patch/NodeClaim/n0".to_owned(),
            format!("create/{}", created.name)
        ]
    );
    let Effect::Patch(mark) = &proposal.effects[0] else {
        panic!("a mark");
    };
    assert_eq!(mark.kind, ObjectKind::Node);
    assert_eq!(
        mark.annotations[names::KERF_REPLACED_BY].as_deref(),
        Some(&*created.name)
    );
    assert_eq!(proposal.impact.usd_per_hour.to_string(), "-0.288");
}

/// Case 56, second half: pods that do not fit one cheaper machine.
#[test]
fn two_machines_for_one_are_refused() {
    let mut world = fleet(1, "m5.2xlarge");
    world.pod("a", Some("n0"), 3900, |_| {});
    world.pod("b", Some("n0"), 3900, |_| {});
    edit_types(&mut world, |t| {
        if &*t.name == "m5.2xlarge" {
            t.offerings.iter_mut().for_each(|o| o.available = false);
        }
    });
    let out = decide(&world);
    assert_eq!(
        (code(&out, "n0").as_str(), &*verdict(&out, "n0").facts["n"]),
        ("needs_n_nodes", "2")
    );
}

/// Case 57: the dearest reachable offering of the launched capacity type counts.
#[test]
fn case_057_the_worst_offering_must_be_cheaper() {
    let mut world = fleet(1, "m5.large");
    any_capacity(&mut world);
    world.pod("a", Some("n0"), 1900, |_| {});
    edit_types(&mut world, |t| {
        for offering in &mut t.offerings {
            let dear = offering.capacity_type.as_str() == "spot" && &*offering.zone == "zone-b";
            if dear {
                offering.price = UsdPerHour::from_f64(9.0);
            }
        }
    });
    assert_eq!(code(&decide(&world), "n0"), "not_cheaper");
}

/// Case 58.
#[test]
fn case_058_nothing_cheaper_is_nothing_to_do() {
    let mut world = fleet(1, "m5.large");
    world.pod("a", Some("n0"), 1900, |_| {});
    let out = decide(&world);
    assert_eq!(code(&out, "n0"), "not_cheaper");
    assert_eq!(&*verdict(&out, "n0").facts["price"], "0.096");
}

/// Checklist 15: on-demand to either is pinned to spot.
#[test]
fn a_mixed_replacement_is_pinned_to_spot() {
    let mut world = fleet(1, "m5.2xlarge");
    any_capacity(&mut world);
    world.pod("a", Some("n0"), 1500, |_| {});
    let out = decide(&world);
    let draft = out.proposals[0]
        .effects
        .iter()
        .find_map(|e| match e {
            Effect::CreateClaim(draft) => Some(draft.clone()),
            _ => None,
        })
        .expect("a replacement");
    let capacity = draft.requirements.get(names::CAPACITY_TYPE).expect("pinned");
    assert!(capacity.has("spot") && !capacity.has("on-demand"));
    assert_eq!(draft.expected.expect("priced").capacity_type.as_str(), "spot");
}

/// Case 59: the gate.
#[test]
fn case_059_spot_is_not_replaced_by_spot_unless_allowed() {
    let mut world = fleet(1, "m5.2xlarge");
    any_capacity(&mut world);
    spot(&mut world, "n0");
    world.pod("a", Some("n0"), 1500, |_| {});
    assert_eq!(code(&decide(&world), "n0"), "spot_to_spot_off");
    world.machine("n1", "m5.large");
    world.pod("b", Some("n1"), 100, |_| {});
    world.edit_pool("default", |p| p.disruption.budgets = vec![budget("1")]);
    assert_eq!(proposed(&decide(&world)), "single: n0");
}

/// Cases 60 to 62.
#[test]
fn cases_060_061_062_spot_to_spot_needs_and_keeps_fifteen() {
    let settings = Settings {
        spot_to_spot: true,
        ..Settings::default()
    };
    for (types, min_values, want) in [
        (14, None, Err("14")),
        (15, None, Ok(15)),
        (30, None, Ok(15)),
        (30, Some(20), Ok(20)),
        (30, Some(5), Ok(15)),
    ] {
        let mut world = World::new();
        many_types(&mut world, types);
        any_capacity(&mut world);
        world.machine("n0", "m5.2xlarge");
        spot(&mut world, "n0");
        if let Some(n) = min_values {
            world.edit_pool("default", |p| {
                let mut any = Requirement::exists(names::INSTANCE_TYPE);
                any.min_values = Some(n);
                p.template.requirements.0.insert(any.key.clone(), any);
            });
        }
        world.pod("a", Some("n0"), 3000, |_| {});
        let out = decide_with(&world, &settings);
        match want {
            Err(n) => {
                assert_eq!(code(&out, "n0"), "spot_flexibility");
                assert_eq!(&*verdict(&out, "n0").facts["n"], n);
            }
            Ok(n) => {
                let kept = out.proposals[0].effects.iter().find_map(|e| match e {
                    Effect::CreateClaim(draft) => Some(draft.instance_types.clone()),
                    _ => None,
                });
                let kept = kept.expect("a replacement");
                assert_eq!(kept.len(), n, "{types} {min_values:?}");
                assert_eq!(&*kept[0], "t00.xlarge");
            }
        }
    }
}

/// Case 63.
#[test]
fn case_063_min_values_hold_after_the_price_filter() {
    let mut world = fleet(1, "m5.2xlarge");
    world.edit_pool("default", |p| {
        let mut any = Requirement::exists(names::INSTANCE_TYPE);
        any.min_values = Some(3);
        p.template.requirements.0.insert(any.key.clone(), any);
    });
    world.pod("a", Some("n0"), 1500, |_| {});
    for best_effort in [false, true] {
        let settings = Settings {
            min_values_best_effort: best_effort,
            ..Settings::default()
        };
        let out = decide_with(&world, &settings);
        assert_eq!(code(&out, "n0"), "min_values", "{best_effort}");
    }
}

/// Case 69.
#[test]
fn case_069_a_pod_that_was_pending_before_does_not_block() {
    let mut world = fleet(2, "m5.xlarge");
    world.pod("a", Some("n0"), 1000, |_| {});
    world.pod("b", Some("n1"), 1500, |_| {});
    world.pod("huge", None, 64_000, |_| {});
    world.edit_pool("default", |p| p.disruption.budgets = vec![budget("1")]);
    assert_eq!(proposed(&decide(&world)), "single: n0");
}

/// Case 70.
#[test]
fn case_070_nobody_is_sent_to_a_booting_node() {
    let mut world = fleet(2, "m5.xlarge");
    world.pod("a", Some("n0"), 1000, |_| {});
    world.edit_node("n1", |n| drop(n.labels.remove(names::INITIALIZED)));
    let out = decide(&world);
    assert_eq!(code(&out, "n0"), "uninitialized_target");
    assert_eq!(proposed(&out), "");
}

/// Case 73: foreign nodes are destinations.
#[test]
fn case_073_foreign_nodes_take_pods() {
    let mut world = fleet(1, "m5.xlarge");
    world.node("foreign", "", |_| {});
    world.pod("a", Some("n0"), 1000, |_| {});
    let out = decide(&world);
    assert_eq!(evidence(&out.proposals[0]).moves["ns/a"], "foreign".into());
}

/// Pods that nobody can move get no place elsewhere (`§4.4`), and block by their budget.
#[test]
fn a_fully_blocked_pod_keeps_its_node() {
    let mut world = fleet(2, "m5.xlarge");
    world.pod("a", Some("n0"), 1000, |_| {});
    world.pdb("none", 0, |p| p.max_unavailable = Some("0".into()));
    assert_eq!(code(&decide(&world), "n0"), "pdb_blocked");
}

/// Cases 78 to 80 by their codes: what the wait brought.
#[test]
fn cases_078_079_080_the_wait_is_all_or_nothing() {
    type Change = fn(&mut World);
    let cases: [(&str, Change); 3] = [
        ("validation_churn", |w| {
            w.edit_pod("a", |p: &mut Pod| p.do_not_disrupt = Some("true".into()));
        }),
        ("validation_budget", |w| {
            w.edit_pool("default", |p| p.disruption.budgets[0].nodes = "0".into());
        }),
        ("validation_scheduling", |w| {
            w.pod("fill", Some("n1"), 3000, |_| {});
        }),
    ];
    for (want, change) in cases {
        let mut world = fleet(2, "m5.xlarge");
        world.pod("a", Some("n0"), 1000, |_| {});
        world.pod("b", Some("n1"), 1000, |_| {});
        world.pod("c", Some("n1"), 1000, |_| {});
        world.edit_pool("default", |p| p.disruption.budgets = vec![budget("1")]);
        let mut turns = Loop::default();
        assert_eq!(code(&turns.turn(&world, 0), "n0"), "selected");
        change(&mut world);
        let out = turns.turn(&world, 15);
        assert_eq!(code(&out, "n0"), want);
        assert_eq!(proposed(&out), "");
    }
}

/// Case 82: pools take turns.
#[test]
fn case_082_small_pools_are_not_starved() {
    let mut world = fleet(5, "m5.large");
    world.pool("y", |p| p.disruption.budgets = vec![budget("1")]);
    world.edit_pool("default", |p| p.disruption.budgets = vec![budget("1")]);
    world.machine("y0", "m5.large");
    world.edit_node("y0", |n| {
        drop(n.labels.insert(names::NODEPOOL.into(), "y".into()));
    });
    for node in ["n0", "n1", "n2", "n3", "n4"] {
        world.pod(&format!("p-{node}"), Some(node), 1950, |_| {});
    }
    // The only node whose pod fits elsewhere, and the worst by ratio.
    world.pod("p-y0", Some("y0"), 20, |p| p.deletion_cost = Some(2_000_000_000));
    world.pod("daemon", Some("y0"), 1950, super::daemon);
    let out = Loop::default().turn(&world, 0);
    assert_eq!(code(&out, "y0"), "selected");
    let looked_at = out
        .verdicts
        .iter()
        .filter(|v| &*v.method == "single" && &*v.code != "selected")
        .count();
    assert_eq!(looked_at, 1, "one of the other pool came before it");
}

/// Case 87 and the policy.
#[test]
fn case_087_policies_keep_nodes() {
    let mut world = fleet(2, "m5.xlarge");
    world.pod("a", Some("n0"), 1000, |_| {});
    world.pod("b", Some("n1"), 1500, |_| {});
    world.edit_pool("default", |p| {
        p.disruption.policy = crate::model::nodepool::ConsolidationPolicy::WhenEmpty;
    });
    assert_eq!(code(&decide(&world), "n0"), "policy_when_empty");
    world.edit_pool("default", |p| p.replicas = Some(2));
    assert_eq!(code(&decide(&world), "n0"), "static_pool");
}

/// Objects hear why, once: candidates of a thought, a node that stays, a pool without allowance.
#[test]
fn objects_are_told() {
    let mut world = fleet(1, "m5.2xlarge");
    world.machine("small", "m5.large");
    world.pod("a", Some("n0"), 1500, |_| {});
    world.pod("b", Some("small"), 1900, |_| {});
    world.edit_pool("default", |p| p.disruption.budgets = vec![budget("1")]);
    let mut turns = Loop::default();
    let told = |out: &crate::decide::Outcome| -> Vec<String> {
        out.steps
            .iter()
            .filter_map(|s| match &s.effect {
                Effect::Event {
                    kind, name, message, ..
                } => Some(format!("{}/{name} {message}", kind.as_str())),
                _ => None,
            })
            .collect()
    };
    let text = "Consolidation candidate: replace: [n0] -> [1 replacement] (savings: $0.29)";
    assert_eq!(
        told(&turns.turn(&world, 0)),
        [format!("Node/n0 {text}"), format!("NodeClaim/n0 {text}")]
    );
    world.edit_pod("a", |p| p.do_not_disrupt = Some("true".into()));
    world.pod("fill", Some("n0"), 6400, |_| {});
    let text = "Consolidation rejected: replace: [n0] -> [1 replacement], reason: churn (savings: $0.38)";
    assert_eq!(told(&turns.turn(&world, 15))[0], format!("Node/n0 {text}"));
    let said = told(&turns.turn(&world, 25));
    assert!(
        said.contains(&"Node/n0 Pod has \"karpenter.sh/do-not-disrupt\" annotation (Pod=ns/a)".to_owned())
    );
    assert!(said.contains(&"Node/small Can't replace with a cheaper node".to_owned()));
    world.edit_pool("default", |p| p.generation = 2);
    assert!(told(&turns.turn(&world, 35)).is_empty(), "deduplicated");
}

/// The same picture gives the same bytes.
#[test]
fn decisions_are_deterministic() {
    let mut world = fleet(3, "m5.2xlarge");
    for i in 0..3 {
        world.pod(&format!("p{i}"), Some(&format!("n{i}")), 1500, |_| {});
    }
    let once = serde_json::to_string(&decide(&world).proposals).expect("json");
    assert_eq!(
        once,
        serde_json::to_string(&decide(&world).proposals).expect("json")
    );
}
