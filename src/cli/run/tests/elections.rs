//! Two runs, one Lease: only its holder writes.

use super::rig::{Process, lease, pass, running, scale, start, story, until, world, writes};
use crate::gate::{Command, Mode, Scope};
use crate::world::Embedded;

fn holder(world: &Embedded) -> String {
    let lease = lease();
    let object = world
        .api
        .get("leases.coordination.k8s.io", &lease.namespace, &lease.name);
    let holder = object.map(|o| {
        o.value()["spec"]["holderIdentity"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    });
    holder.unwrap_or_default()
}

/// `a` holds the lease, and `b` has seen it.
async fn a_leads_b(world: &Embedded, mode: Mode) -> (Process, Process) {
    let a = start(world, "a", mode, true);
    assert!(until(world, 1, || holder(world) == "a").await);
    let b = start(world, "b", mode, true);
    pass(world, 5).await;
    (a, b)
}

fn leads(process: &Process) -> bool {
    let view = process.handle.view();
    view.host.lead.as_ref().is_some_and(crate::gate::Lead::leads)
}

#[test]
fn only_the_holder_writes_and_the_other_takes_over_when_it_dies() {
    story(async {
        let world = world();
        let a = start(&world, "a", Mode::Auto, true);
        pass(&world, 10).await;
        let b = start(&world, "b", Mode::Auto, true);
        scale(&world, 3);
        assert!(until(&world, 10, || running(&world) == 3).await);
        assert_eq!(holder(&world), "a");
        assert!(writes(&world, "a-writer") > 0);
        assert_eq!(writes(&world, "b"), 0, "{:?}", world.api.writes());
        let view = b.handle.view();
        assert!(
            view.host
                .lead
                .as_ref()
                .is_some_and(|l| &*l.holder == "a" && !l.leads())
        );
        assert!(
            view.alarms
                .get("lease")
                .is_some_and(|alarm| alarm.text.starts_with("a leads"))
        );

        a.kill();
        let before = writes(&world, "a");
        scale(&world, 6);
        pass(&world, 12).await;
        assert_eq!(
            holder(&world),
            "a",
            "a dead holder's lease is left alone until it has run out"
        );
        assert!(until(&world, 1, || holder(&world) == "b").await);
        assert!(until(&world, 10, || running(&world) == 6).await);
        assert!(leads(&b));
        assert!(!b.handle.view().alarms.contains_key("lease"));
        assert!(writes(&world, "b-writer") > 0);
        assert_eq!(writes(&world, "a"), before);
        // Nothing twice: every machine has its claim.
        assert_eq!(crate::engine::orphans(&b.handle.view().snapshot).count(), 0);
    });
}

#[test]
fn one_that_cannot_renew_stops_before_another_may_begin() {
    story(async {
        let world = world();
        let a = start(&world, "a", Mode::Auto, true);
        scale(&world, 1);
        assert!(until(&world, 10, || running(&world) == 1).await);
        let b = start(&world, "b", Mode::Auto, true);
        pass(&world, 10).await;
        a.kill_elector();
        pass(&world, 11).await;
        // From here its engine has work and may not do it, and nobody else may yet.
        let (before, held) = (writes(&world, "a"), holder(&world));
        assert_eq!(held, "a");
        scale(&world, 8);
        assert!(until(&world, 10, || running(&world) == 8).await);
        assert_eq!(writes(&world, "a"), before, "{:?}", world.api.writes());
        assert!(leads(&b));
        a.kill();
    });
}

#[test]
fn a_run_that_ends_gives_the_lease_back_at_once() {
    story(async {
        let world = world();
        let (a, b) = a_leads_b(&world, Mode::Supervise).await;
        a.handle.send("test", Command::Quit).expect("runs");
        a.engine.await.expect("ended");
        assert!(until(&world, 1, || holder(&world) == "b").await);
        assert!(b.handle.view().now.duration_since(world.clock.start()).as_secs() < 15);
        b.kill();
    });
}

#[test]
fn a_follower_takes_no_orders_and_a_new_leader_keeps_the_pauses_of_the_old_one() {
    story(async {
        let world = world();
        let (a, b) = a_leads_b(&world, Mode::Auto).await;
        let pause = Command::Pause {
            scope: Scope::Everything,
            minutes: None,
        };
        b.handle.send("ann", pause.clone()).expect("runs");
        pass(&world, 1).await;
        assert!(
            !b.handle.view().pauses.any(),
            "the one that leads is told, not this one"
        );
        a.handle.send("ann", pause).expect("runs");
        pass(&world, 1).await;
        a.kill();
        assert!(until(&world, 1, || holder(&world) == "b").await);
        scale(&world, 2);
        pass(&world, 300).await;
        assert_eq!(running(&world), 0, "still paused");
        assert_eq!(writes(&world, "b-writer"), 0);
        let resume = Command::Resume {
            scope: Scope::Everything,
        };
        b.handle.send("ann", resume).expect("runs");
        assert!(until(&world, 10, || running(&world) == 2).await);
        b.kill();
    });
}

#[test]
fn karpenters_lease_holds_kerf_back_and_observing_asks_for_none() {
    story(async {
        let world = world();
        let lease = lease();
        let now = world.clock.now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        let held = serde_json::json!({
            "metadata": {"name": lease.name, "namespace": lease.namespace},
            "spec": {"holderIdentity": "karpenter-7d9_1", "leaseDurationSeconds": 15, "renewTime": now,
                "acquireTime": now, "leaseTransitions": 0},
        });
        world
            .api
            .create("leases.coordination.k8s.io", &lease.namespace, held)
            .expect("created");
        let watching = start(&world, "watching", Mode::Observe, true);
        let writing = start(&world, "writing", Mode::Auto, true);
        scale(&world, 1);
        for second in 0..120 {
            world
                .api
                .update(
                    "leases.coordination.k8s.io",
                    &lease.namespace,
                    &lease.name,
                    &mut |l| {
                        l["spec"]["renewTime"] = serde_json::json!(format!(
                            "2026-01-05T09:{:02}:{:02}.000000Z",
                            second / 60,
                            second % 60
                        ));
                    },
                )
                .expect("renewed");
            pass(&world, 1).await;
        }
        assert_eq!((running(&world), holder(&world).as_str()), (0, "karpenter-7d9_1"));
        assert_eq!(writes(&world, "w"), 0, "{:?}", world.api.writes());
        let seen = watching.handle.view().host.lead.clone().expect("looked");
        assert_eq!(&*seen.holder, "karpenter-7d9_1");
        // Karpenter was scaled to zero: its lease runs out, and kerf takes over.
        assert!(until(&world, 10, || running(&world) == 1).await);
        assert_eq!(holder(&world), "writing");
        assert_eq!(writes(&world, "watching"), 0);
        writing.kill();
    });
}
