use serde_json::json;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_lost_machine_takes_node_and_pods_with_it() {
    let world = World::start(1);
    world.boot(1, "us-west-2a");
    world.deploy("web", 2, json!({}));
    world.sleep(60).await;
    assert_eq!(world.running(), 2);
    let before: Vec<String> = world
        .pods("default")
        .iter()
        .map(|p| p["metadata"]["name"].to_string())
        .collect();
    world
        .machines
        .send(MachineEvent::ShuttingDown { id: "i-1".into() })
        .expect("a cluster");
    world.sleep(1).await;
    let object = world.get("nodes", "", &node(1));
    assert_eq!(condition(&object, "Ready")["status"], "False");
    world
        .machines
        .send(MachineEvent::Terminated { id: "i-1".into() })
        .expect("a cluster");
    world.sleep(1).await;
    assert!(world.api.list("nodes").is_empty());
    assert!(world.api.list("csinodes.storage.k8s.io").is_empty());
    let after = world.pods("default");
    assert_eq!(after.len(), 2, "the ReplicaSet makes new ones");
    for pod in &after {
        assert!(!before.contains(&pod["metadata"]["name"].to_string()));
        assert_eq!(condition(pod, "PodScheduled")["reason"], "Unschedulable");
    }
    assert!(world.pods("kube-system").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_finalizer_keeps_the_node_of_a_gone_machine() {
    let world = World::start(1);
    world.boot(1, "us-west-2a");
    world.sleep(60).await;
    world
        .api
        .update("nodes", "", &node(1), &mut |n| {
            n["metadata"]["finalizers"] = json!(["karpenter.sh/termination"]);
        })
        .expect("held");
    world
        .machines
        .send(MachineEvent::Terminated { id: "i-1".into() })
        .expect("a cluster");
    world.sleep(5).await;
    let object = world.get("nodes", "", &node(1));
    assert!(object["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(condition(&object, "Ready")["status"], "False");
    world
        .api
        .update("nodes", "", &node(1), &mut |n| {
            n["metadata"]["finalizers"] = json!([]);
        })
        .expect("freed");
    world.sleep(1).await;
    assert!(world.api.list("nodes").is_empty());
}

#[tokio::test(start_paused = true)]
async fn terminating_pods_end_within_their_grace() {
    let world = World::start(1);
    world.boot(1, "us-west-2a");
    world.deploy("web", 3, json!({}));
    world.sleep(60).await;
    world.scale("deployments.apps", "web", 1);
    world.sleep(0).await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let ending = |world: &World| {
        world
            .pods("default")
            .iter()
            .filter(|p| p["metadata"]["deletionTimestamp"].is_string())
            .count()
    };
    assert_eq!(ending(&world), 2);
    world.sleep(6).await;
    assert_eq!((ending(&world), world.running()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_no_execute_taint_evicts_what_does_not_tolerate_it() {
    let world = World::start(1);
    world.boot(1, "us-west-2a");
    world.deploy("web", 1, json!({}));
    world.deploy("tough", 1, json!({"tolerations": [{"operator": "Exists"}]}));
    world.sleep(60).await;
    world
        .api
        .update("nodes", "", &node(1), &mut |n| {
            n["spec"]["taints"] = json!([{"key": "gone", "effect": "NoExecute"}]);
        })
        .expect("tainted");
    world.sleep(10).await;
    let placed: Vec<String> = world
        .pods("default")
        .iter()
        .filter(|p| p["spec"]["nodeName"].is_string())
        .map(|p| p["metadata"]["labels"]["app"].to_string())
        .collect();
    assert_eq!(placed, ["\"tough\""]);
}

#[tokio::test(start_paused = true)]
async fn owners_take_their_dependents_along() {
    let world = World::start(1);
    world.boot(1, "us-west-2a");
    world.deploy("web", 2, json!({}));
    world.sleep(60).await;
    world.delete("deployments.apps", "default", "web");
    world.sleep(10).await;
    assert!(world.api.list("replicasets.apps").is_empty());
    assert!(world.pods("default").is_empty());

    world.deploy("fore", 2, json!({}));
    world.sleep(10).await;
    let options = DeleteOptions {
        propagation: crate::world::apiserver::Propagation::Foreground,
        ..DeleteOptions::default()
    };
    world
        .api
        .delete("deployments.apps", "default", "fore", &options)
        .expect("deleted");
    assert!(world.api.get("deployments.apps", "default", "fore").is_some());
    world.sleep(10).await;
    assert!(world.api.get("deployments.apps", "default", "fore").is_none());
    assert!(world.pods("default").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_namespace_goes_with_its_contents() {
    let world = World::start(1);
    world.boot(1, "us-west-2a");
    world
        .api
        .create("namespaces", "", json!({"metadata": {"name": "team"}}))
        .expect("created");
    let mut web = deployment("web", 2, json!({}));
    web["metadata"]["namespace"] = json!("team");
    world
        .api
        .create("deployments.apps", "team", web)
        .expect("created");
    world.sleep(60).await;
    assert_eq!(world.pods("team").len(), 2);
    world.delete("namespaces", "", "team");
    world.sleep(10).await;
    assert!(world.api.get("namespaces", "", "team").is_none());
    assert!(world.pods("team").is_empty());
}

#[tokio::test(start_paused = true)]
async fn startup_taints_go_when_the_claim_is_registered() {
    let world = World::start(1);
    let taint = json!({"key": "example.com/warming", "effect": "NoSchedule"});
    let claim = json!({"metadata": {"name": "c1"}, "spec": {"requirements": [], "startupTaints": [taint],
        "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"}},
        "status": {"providerID": "aws:///us-west-2a/i-1"}});
    world
        .api
        .create("nodeclaims.karpenter.sh", "", claim)
        .expect("created");
    world.boot_with(
        1,
        "us-west-2a",
        "",
        "{key: example.com/warming, effect: NoSchedule}",
    );
    world.sleep(60).await;
    assert_eq!(
        world.get("nodes", "", &node(1))["spec"]["taints"],
        json!([taint]),
        "not registered yet"
    );
    world
        .api
        .update("nodeclaims.karpenter.sh", "", "c1", &mut |c| {
            c["status"]["conditions"] = json!([{"type": "Registered", "status": "True", "reason": "Registered",
                "message": "", "lastTransitionTime": "2026-01-05T09:00:00Z"}]);
        })
        .expect("registered");
    world.sleep(6).await;
    assert_eq!(world.get("nodes", "", &node(1))["spec"]["taints"], json!([]));
}

async fn story(seed: u64) -> Vec<String> {
    let world = World::start(seed);
    let mut changes = world
        .api
        .subscribe(&["pods", "nodes", "replicasets.apps", "deployments.apps"]);
    world.deploy("web", 5, json!({}));
    world.sleep(3).await;
    world.boot(1, "us-west-2a");
    world.boot(2, "us-west-2b");
    world.sleep(60).await;
    world.scale("deployments.apps", "web", 2);
    world.sleep(20).await;
    world
        .machines
        .send(MachineEvent::Terminated { id: "i-1".into() })
        .expect("a cluster");
    world.sleep(20).await;
    let mut out = drained(&mut changes);
    out.extend(world.pods("default").iter().map(Value::to_string));
    out
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let run = |seed| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime")
            .block_on(story(seed))
    };
    let first = run(7);
    assert!(first.len() > 50);
    assert_eq!(first, run(7));
    assert_ne!(first, run(8));
}
