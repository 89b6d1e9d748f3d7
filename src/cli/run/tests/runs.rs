//! One run on its own.

use super::rig::{machines, pass, running, scale, start, story, until, world, writes};
use crate::gate::{Command, Mode};
use crate::ledger::metrics::{self, Tally};

#[test]
fn a_deployment_becomes_running_pods_and_goes_back_to_zero() {
    story(async {
        let world = world();
        let run = start(&world, "kerf", Mode::Auto, true);
        scale(&world, 5);
        assert!(
            until(&world, 10, || running(&world) == 5).await,
            "{} run",
            running(&world)
        );
        assert!(machines(&world) > 0);
        let text = metrics::page(&run.handle.view(), &Tally::default()).text();
        for line in [
            "karpenter_cluster_state_synced 1",
            "leader_election_master_status{name=\"kube-system/karpenter-leader-election\"} 1",
            "# TYPE karpenter_nodes_allocatable gauge",
            "karpenter_nodepools_limit{nodepool=\"default\",resource_type=\"cpu\"} 1000",
        ] {
            assert!(text.contains(line), "{line}");
        }
        scale(&world, 0);
        assert!(
            until(&world, 30, || machines(&world) == 0).await,
            "{} left",
            machines(&world)
        );
        assert!(until(&world, 5, || world.api.list("nodeclaims.karpenter.sh").is_empty()).await);
        assert!(world.api.list("nodes").is_empty());
        run.handle.send("test", Command::Quit).expect("runs");
        let ended = run.engine.await.expect("ended");
        assert_eq!(ended.view.totals.launched, ended.view.totals.terminated);
    });
}

#[test]
fn observe_sees_everything_and_writes_nothing() {
    story(async {
        let world = world();
        let run = start(&world, "kerf", Mode::Observe, true);
        scale(&world, 5);
        pass(&world, 600).await;
        let view = run.handle.view();
        assert!(view.host.synced);
        assert!(!view.decisions.is_empty(), "what would be done is told");
        assert_eq!((running(&world), machines(&world)), (0, 0));
        assert!(world.api.requests().keys().any(|who| who.starts_with("kerf")));
        assert_eq!(writes(&world, "kerf"), 0, "{:?}", world.api.writes());
        // It has nothing to write with, whatever a person asks.
        run.handle
            .send("test", Command::SetMode { mode: Mode::Auto })
            .expect("runs");
        pass(&world, 120).await;
        assert_eq!(run.handle.view().policies.mode, Mode::Observe);
        assert_eq!(writes(&world, "kerf"), 0, "{:?}", world.api.writes());
    });
}

#[test]
fn without_an_election_it_leads_at_once_and_touches_no_lease() {
    story(async {
        let world = world();
        let run = start(&world, "kerf", Mode::Auto, false);
        scale(&world, 1);
        assert!(until(&world, 10, || running(&world) == 1).await);
        assert!(world.api.list("leases.coordination.k8s.io").is_empty());
        run.kill();
    });
}

#[test]
fn machines_of_an_older_karpenter_are_taken_over_and_none_is_replaced() {
    use crate::api::names;

    story(async {
        let world = world();
        let before = start(&world, "before", Mode::Auto, true);
        scale(&world, 3);
        assert!(until(&world, 10, || running(&world) == 3).await);
        before.handle.send("test", Command::Quit).expect("runs");
        before.engine.await.expect("ended");
        // Hashes of versions that nobody here can compute.
        let stamp = |object: &mut serde_json::Value| {
            for (key, value) in [
                (names::NODEPOOL_HASH, "1"),
                (names::NODEPOOL_HASH_VERSION, "v2"),
                (names::EC2_HASH, "1"),
                (names::EC2_HASH_VERSION, "v4"),
            ] {
                object["metadata"]["annotations"][key] = value.into();
            }
        };
        let kinds = [
            "nodeclaims.karpenter.sh",
            "nodepools.karpenter.sh",
            "ec2nodeclasses.karpenter.k8s.aws",
        ];
        for kind in kinds {
            for object in world.api.list(kind) {
                world
                    .api
                    .update(kind, "", &object.name, &mut |o| stamp(o))
                    .expect("stamped");
            }
        }
        let ids = || -> Vec<_> {
            world
                .ec2
                .instances()
                .iter()
                .map(|i| i.instance_id.clone())
                .collect()
        };
        let had = ids();
        let after = start(&world, "after", Mode::Auto, true);
        pass(&world, 900).await;
        let view = after.handle.view();
        assert!(view.host.lead.as_ref().is_some_and(crate::gate::Lead::leads));
        assert_eq!(ids(), had, "no machine came or went");
        for kind in &kinds[..2] {
            for object in world.api.list(kind) {
                let annotations = object.value()["metadata"]["annotations"].clone();
                assert_ne!(annotations[names::NODEPOOL_HASH], "1", "{kind} {}", object.name);
            }
        }
        after.kill();
    });
}
