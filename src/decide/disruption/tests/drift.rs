//! Drift: what it is, and what is done about it.

use std::time::Duration;

use super::{Loop, check, code, decide, decide_with, fleet, keys, proposed, verdict};
use crate::api::names;
use crate::decide::Settings;
use crate::decide::disruption::drift;
use crate::decide::testing::{World, at, budget, cond, labels};
use crate::model::decision::Effect;
use crate::model::taints::TaintEffect;
use crate::model::{Claim, NodePool, Operator, Requirement, Status, Taint};

/// A claim of `fleet(1)` with the pool's hash on both sides.
fn hashed() -> World {
    let mut world = fleet(1, "m5.large");
    stamp(&mut world, "7");
    hash(&mut world, "n0", "7");
    world
}

fn stamp(world: &mut World, hash: &str) {
    world.edit_pool("default", |p| {
        p.hash = hash.into();
        p.annotations = labels(&[(names::NODEPOOL_HASH, hash), (names::NODEPOOL_HASH_VERSION, "v3")]);
    });
}

fn hash(world: &mut World, claim: &str, hash: &str) {
    world.edit_claim(claim, |c| {
        c.annotations = labels(&[(names::NODEPOOL_HASH, hash), (names::NODEPOOL_HASH_VERSION, "v3")]);
    });
}

fn reason(world: &World) -> String {
    let claim = world.snapshot.claims.get("n0").expect("claim");
    drift(&world.snapshot, claim, at(0)).map_or_else(String::new, |d| {
        if d.field.is_empty() {
            d.reason.to_owned()
        } else {
            format!("{} {}", d.reason, d.field)
        }
    })
}

fn require(world: &mut World, requirement: Requirement) {
    world.edit_pool("default", |p| {
        p.template
            .requirements
            .0
            .insert(requirement.key.clone(), requirement);
    });
}

/// Drifted nodes of 2 CPUs, each with a pod.
pub fn drifted(count: usize) -> World {
    let mut world = fleet(count, "m5.large");
    stamp(&mut world, "8");
    for i in 0..count {
        let node = format!("n{i}");
        hash(&mut world, &node, "7");
        world.pod(&format!("p{i}"), Some(&node), 1900, |_| {});
    }
    world
}

#[test]
fn case_098_a_narrowed_requirement_drifts_a_widened_one_does_not() {
    let mut world = hashed();
    require(&mut world, Requirement::is_in(names::ZONE, ["zone-a", "zone-b"]));
    assert_eq!(reason(&world), "");
    require(&mut world, Requirement::is_in(names::ZONE, ["zone-b"]));
    assert_eq!(reason(&world), format!("RequirementsDrifted {}", names::ZONE));
}

#[test]
fn case_099_keys_that_the_claim_lacks() {
    let exists = |key: &str| Requirement::exists(key);
    let mut world = hashed();
    require(&mut world, exists(names::ARCH));
    assert_eq!(reason(&world), "");
    require(&mut world, exists("team"));
    assert_eq!(reason(&world), "RequirementsDrifted team");
    let mut world = hashed();
    require(
        &mut world,
        Requirement::new::<crate::model::Name>(names::ARCH, Operator::DoesNotExist, []),
    );
    assert_eq!(reason(&world), format!("RequirementsDrifted {}", names::ARCH));
    let mut world = hashed();
    require(
        &mut world,
        Requirement::new::<crate::model::Name>("team", Operator::DoesNotExist, []),
    );
    assert_eq!(reason(&world), "");
}

#[test]
fn case_100_bounds() {
    for (operator, bound, have) in [(Operator::Gt, "10", "5"), (Operator::Lt, "1", "2")] {
        let mut world = hashed();
        world.edit_claim("n0", |c| {
            drop(c.labels.insert("n".into(), have.into()));
        });
        require(
            &mut world,
            Requirement::new("n", operator, [crate::model::Name::from(bound)]),
        );
        assert_eq!(reason(&world), "RequirementsDrifted n");
    }
}

#[test]
fn case_101_static_fields_drift_and_are_named() {
    type Edit = fn(&mut NodePool);
    let cases: [(&str, Edit); 7] = [
        ("metadata.labels[team]", |p| {
            drop(p.template.labels.insert("team".into(), "x".into()));
        }),
        ("metadata.annotations[note]", |p| {
            drop(p.template.annotations.insert("note".into(), "x".into()));
        }),
        ("spec.taints", |p| {
            p.template.taints.push(Taint {
                key: "gpu".into(),
                value: "".into(),
                effect: TaintEffect::NoSchedule,
            });
        }),
        ("spec.startupTaints", |p| {
            p.template.startup_taints.push(Taint {
                key: "boot".into(),
                value: "".into(),
                effect: TaintEffect::NoSchedule,
            });
        }),
        ("spec.nodeClassRef", |p| p.template.class.name = "other".into()),
        ("spec.expireAfter", |p| {
            p.template.expire_after = Some(Duration::from_secs(3600));
        }),
        ("spec.terminationGracePeriod", |p| {
            p.template.termination_grace = Some(Duration::from_secs(60));
        }),
    ];
    for (field, edit) in cases {
        let mut world = hashed();
        world.edit_pool("default", edit);
        stamp(&mut world, "8");
        assert_eq!(reason(&world), format!("NodePoolDrifted {field}"));
    }
}

/// What the hash does not cover is no drift: the projector hashes the template alone, so the hash stays.
#[test]
fn case_102_behaviour_is_no_drift() {
    let mut world = hashed();
    world.edit_pool("default", |p| {
        p.weight = 7;
        p.limits.insert("cpu".into(), 1);
        p.disruption.budgets = vec![budget("0")];
    });
    assert_eq!(reason(&world), "");
    // And with real manifests.
    let hash = |more: serde_json::Value| {
        let mut spec = serde_json::json!({"template": {"spec": {"requirements": [],
            "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"}}}});
        for (key, value) in more.as_object().into_iter().flatten() {
            spec[key] = value.clone();
        }
        let spec: crate::api::nodepool::NodePoolSpec = serde_json::from_value(spec).expect("a spec");
        crate::api::hash::nodepool(&spec.template)
    };
    let plain = hash(serde_json::json!({}));
    assert_eq!(
        plain,
        hash(
            serde_json::json!({"weight": 7, "limits": {"cpu": "1"}, "disruption": {"consolidateAfter": "1m"}})
        )
    );
}

#[test]
fn case_103_missing_or_other_versions_are_no_drift() {
    let mut world = hashed();
    stamp(&mut world, "8");
    assert!(reason(&world).starts_with("NodePoolDrifted"));
    for key in [names::NODEPOOL_HASH, names::NODEPOOL_HASH_VERSION] {
        let mut world = hashed();
        stamp(&mut world, "8");
        world.edit_claim("n0", |c| drop(c.annotations.remove(key)));
        assert_eq!(reason(&world), "");
        let mut world = hashed();
        stamp(&mut world, "8");
        world.edit_pool("default", |p| drop(p.annotations.remove(key)));
        assert_eq!(reason(&world), "");
    }
    world.edit_claim("n0", |c| {
        drop(
            c.annotations
                .insert(names::NODEPOOL_HASH_VERSION.into(), "v2".into()),
        );
    });
    assert_eq!(reason(&world), "");
}

#[test]
fn case_104_what_is_not_launched_has_not_drifted() {
    let mut world = hashed();
    stamp(&mut world, "8");
    world.edit_claim("n0", |c| {
        drop(
            c.conditions
                .insert(names::LAUNCHED.into(), cond(Status::Unknown, 0)),
        );
    });
    assert_eq!(reason(&world), "");
}

#[test]
fn case_105_reserved_claims_may_be_on_demand() {
    let mut world = hashed();
    world.edit_pool("default", |p| {
        drop(p.template.requirements.0.remove(names::CAPACITY_TYPE));
    });
    world.edit_claim("n0", |c: &mut Claim| {
        drop(c.labels.insert(names::CAPACITY_TYPE.into(), "reserved".into()));
    });
    assert_eq!(reason(&world), "");
    let catalogue = world.snapshot.catalogue("default").expect("catalogue").clone();
    let spot_only = catalogue.types().iter().map(|t| {
        let mut t = (**t).clone();
        t.offerings.retain(|o| o.capacity_type.as_str() == "spot");
        std::sync::Arc::new(t)
    });
    world.apply(crate::model::Delta::Catalogue {
        class: crate::model::snapshot::ANY_CLASS.into(),
        types: std::sync::Arc::new(crate::model::Catalogue::new(spot_only)),
    });
    assert!(reason(&world).starts_with("InstanceTypeNotFound"));
    // A young claim is not looked up yet.
    world.edit_claim("n0", |c| c.created = at(-3600));
    assert_eq!(reason(&world), "");
}

#[test]
fn case_106_one_that_cannot_move_does_not_stop_the_next() {
    let mut world = drifted(2);
    // The pod of n0 fits no type of the pool any more.
    world.pod("huge", Some("n0"), 9000, |_| {});
    let mut turns = Loop::default();
    let out = turns.turn(&world, 0);
    assert_eq!(proposed(&out), "drift: n1");
    assert_eq!(code(&out, "n0"), "pods_unschedulable");
    assert_eq!(&*verdict(&out, "n0").method, "drift");
    let blocked = out.steps.iter().any(|s| {
        matches!(&s.effect, Effect::Event { name, reason, message, .. }
            if &**name == "n0" && &**reason == "DisruptionBlocked" && message.contains("would schedule"))
    });
    assert!(blocked, "{:?}", keys(out.steps.iter().map(|s| &s.effect)));
}

#[test]
fn case_107_empty_ones_first_then_the_oldest() {
    let mut world = drifted(3);
    world.machine("new", "m5.large");
    hash(&mut world, "new", "7");
    // Emptiness would take it first otherwise.
    world.edit_pool("default", |p| p.disruption.consolidate_after = None);
    for (node, since) in [("n0", -10), ("n1", -30), ("n2", -20), ("new", -1)] {
        world.edit_claim(node, |c| {
            drop(
                c.conditions
                    .insert(names::DRIFTED.into(), cond(Status::True, since)),
            );
        });
    }
    world.edit_pool("default", |p| p.disruption.budgets = vec![budget("1")]);
    assert_eq!(proposed(&decide(&world)), "drift: new");
    world.apply(crate::model::Delta::NodeGone("new".into()));
    world.apply(crate::model::Delta::ClaimGone("new".into()));
    assert_eq!(proposed(&decide(&world)), "drift: n1");
}

/// Case 50: consolidation is off, drift is not.
#[test]
fn case_050_drift_takes_empty_nodes_where_consolidation_is_off() {
    let mut world = hashed();
    stamp(&mut world, "8");
    world.edit_pool("default", |p| p.disruption.consolidate_after = None);
    let out = decide(&world);
    assert_eq!(proposed(&out), "drift: n0");
    assert_eq!(out.proposals[0].impact.nodes_added, 0);
}

/// Case 49: emptiness comes first.
#[test]
fn case_049_an_empty_drifted_node_is_empty_first() {
    let mut world = hashed();
    stamp(&mut world, "8");
    assert_eq!(proposed(&decide(&world)), "empty: n0");
}

#[test]
fn case_108_a_node_may_need_several_replacements() {
    let mut world = fleet(1, "m5.2xlarge");
    stamp(&mut world, "8");
    hash(&mut world, "n0", "7");
    for pod in ["a", "b", "c"] {
        world.pod(pod, Some("n0"), 1900, |p| {
            p.do_not_disrupt = None;
        });
    }
    // Only the smallest type is left.
    world.types(&[("m5.large", 2, 8, 0.096)]);
    let out = decide(&world);
    assert_eq!(proposed(&out), "drift: n0");
    let proposal = &out.proposals[0];
    assert_eq!(proposal.impact.nodes_added, 3);
    let marks = proposal.effects.iter().find_map(|e| match e {
        Effect::Patch(p) => p.annotations.get(names::KERF_REPLACED_BY).cloned().flatten(),
        _ => None,
    });
    assert_eq!(marks.expect("marked").split(',').count(), 3);
    let deletes = |e: &&Effect| matches!(e, Effect::DeleteClaim { .. });
    assert_eq!(
        proposal.effects.iter().filter(deletes).count(),
        0,
        "only once all three are initialized"
    );
}

/// Several at a time as far as the budget allows, their room promised once; one under parity.
#[test]
fn as_many_as_the_budget_allows() {
    let mut world = drifted(6);
    world.edit_pool("default", |p| p.disruption.budgets = vec![budget("50%")]);
    let subjects = |out: &crate::decide::Outcome| -> Vec<String> {
        out.proposals.iter().map(|p| p.subjects.join(" ")).collect()
    };
    assert_eq!(subjects(&decide(&world)), ["n0", "n1", "n2"]);
    let parity = Settings {
        parity: true,
        ..Settings::default()
    };
    assert_eq!(subjects(&decide_with(&world, &parity)), ["n0"]);
    // Room for one pod on a node that stays is promised to one.
    world.machine("room", "m5.large");
    hash(&mut world, "room", "8");
    world.pod("own", Some("room"), 10, |_| {});
    let out = decide(&world);
    let to_room = out.proposals.iter().filter(|p| p.impact.nodes_added == 0).count();
    assert_eq!((out.proposals.len(), to_room), (4, 1));
}

/// A termination grace period waives what blocks pods, for drift alone.
#[test]
fn the_eventual_class() {
    let mut world = drifted(1);
    world.edit_pod("p0", |p| p.do_not_disrupt = Some("true".into()));
    assert_eq!(
        (proposed(&decide(&world)), check(&world, "n0", true)),
        (String::new(), "pod_do_not_disrupt".into())
    );
    world.edit_claim("n0", |c| c.termination_grace = Some(Duration::from_secs(300)));
    assert_eq!(check(&world, "n0", false), "pod_do_not_disrupt");
    assert_eq!(proposed(&decide(&world)), "drift: n0");
    // Nobody can move that pod, so no room is bought for it.
    assert_eq!(decide(&world).proposals[0].impact.nodes_added, 0);
}

/// Provider reasons: the class's hash, then image, groups, subnet; a condition of another controller where we cannot
/// tell.
#[test]
fn the_node_class_drifts_too() {
    use crate::model::node_class::{ResolvedClass, ResolvedImage, ResolvedSubnet};
    let mut world = hashed();
    let mirror = |w: &mut World, reason: &str| {
        w.edit_claim("n0", |c| {
            let mut condition = cond(Status::True, -5);
            condition.reason = reason.into();
            drop(c.conditions.insert(names::DRIFTED.into(), condition));
        });
    };
    mirror(&mut world, "AMIDrift");
    assert_eq!(reason(&world), "AMIDrift");
    mirror(&mut world, "RequirementsDrifted");
    assert_eq!(reason(&world), "", "that we know better");
    mirror(&mut world, "AMIDrift");
    world.instance("aws:///zone-a/i-n0", -7200, "running");
    let resolve = |w: &mut World, image: &str, group: &str, subnet: &str| {
        let mut class = (**w.snapshot.classes.get("default").expect("class")).clone();
        class.resolved = Some(std::sync::Arc::new(ResolvedClass {
            images: vec![ResolvedImage {
                id: image.into(),
                name: "".into(),
                arch: "amd64".into(),
                deprecated: false,
                requirements: crate::model::Requirements::default(),
            }],
            security_groups: vec![(group.into(), "".into())],
            subnets: vec![ResolvedSubnet {
                id: subnet.into(),
                zone: "zone-a".into(),
                zone_id: "".into(),
                free: 1,
            }],
            ..ResolvedClass::default()
        }));
        w.apply(crate::model::Delta::Class(std::sync::Arc::new(class)));
    };
    world.edit_claim("n0", |c| c.image_id = "ami-1".into());
    let mut instance = (**world
        .snapshot
        .instances
        .get("aws:///zone-a/i-n0")
        .expect("instance"))
    .clone();
    instance.security_groups = vec!["sg-1".into()];
    instance.subnet = "subnet-1".into();
    world.apply(crate::model::Delta::Instance(std::sync::Arc::new(instance)));
    resolve(&mut world, "ami-1", "sg-1", "subnet-1");
    assert_eq!(reason(&world), "", "the mirror is stale");
    resolve(&mut world, "ami-1", "sg-1", "subnet-2");
    assert!(reason(&world).starts_with("SubnetDrift"));
    resolve(&mut world, "ami-1", "sg-2", "subnet-2");
    assert!(reason(&world).starts_with("SecurityGroupDrift"));
    resolve(&mut world, "ami-2", "sg-2", "subnet-2");
    assert!(reason(&world).starts_with("AMIDrift"));
    world.edit_claim("n0", |c| {
        c.annotations
            .extend(labels(&[(names::EC2_HASH, "0"), (names::EC2_HASH_VERSION, "v6")]));
    });
    assert!(reason(&world).starts_with("NodeClassDrift"));
}

#[test]
fn case_043_commands_in_flight_use_the_budget_up() {
    let mut world = drifted(6);
    world.edit_pool("default", |p| p.disruption.budgets = vec![budget("3")]);
    for node in ["n0", "n1", "n2"] {
        world.edit_node(node, |n| {
            n.annotations.insert(names::KERF_REPLACED_BY.into(), "new".into());
        });
    }
    world.claim("new", |c| {
        c.provider_id = "aws:///zone-a/i-new".into();
        c.conditions.insert(names::LAUNCHED.into(), cond(Status::True, 0));
    });
    let out = decide(&world);
    assert_eq!(
        (proposed(&out).as_str(), code(&out, "n3").as_str()),
        ("", "budget_exhausted")
    );
}
