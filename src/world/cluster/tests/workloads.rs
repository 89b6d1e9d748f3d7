use serde_json::json;

use super::*;

#[tokio::test(start_paused = true)]
async fn scaling_down_keeps_ready_pods() {
    let world = World::start(1);
    world.deploy("web", 5, json!({}));
    world.boot(1, "us-west-2a");
    world.sleep(60).await;
    assert_eq!(world.running(), 3);
    world.scale("deployments.apps", "web", 3);
    world.sleep(10).await;
    assert_eq!((world.running(), world.pods("default").len()), (3, 3));
    let web = world.get("deployments.apps", "default", "web");
    assert_eq!(web["status"]["readyReplicas"], 3);
    assert_eq!(condition(&web, "Available")["status"], "True");
    assert_eq!(condition(&web, "Progressing")["reason"], "NewReplicaSetAvailable");
}

#[tokio::test(start_paused = true)]
async fn a_new_template_rolls_out() {
    let world = World::start(1);
    world.boot(1, "us-west-2a");
    world.boot(2, "us-west-2a");
    world.deploy("web", 4, json!({}));
    world.sleep(60).await;
    assert_eq!(world.running(), 4);
    world
        .api
        .update("deployments.apps", "default", "web", &mut |o| {
            o["spec"]["template"]["spec"]["containers"][0]["image"] = json!("pause:2");
        })
        .expect("updated");
    let mut least = 9;
    for _ in 0..40 {
        world.sleep(1).await;
        let ready = world.get("deployments.apps", "default", "web")["status"]["availableReplicas"].as_u64();
        least = least.min(ready.unwrap_or(0));
    }
    assert_eq!(least, 3, "25 % of four may be missing");
    let images: Vec<String> = world
        .pods("default")
        .iter()
        .map(|p| p["spec"]["containers"][0]["image"].to_string())
        .collect();
    assert_eq!(images, vec!["\"pause:2\""; 4]);
    let web = world.get("deployments.apps", "default", "web");
    assert_eq!(
        web["metadata"]["annotations"]["deployment.kubernetes.io/revision"],
        "2"
    );
    assert_eq!(web["status"]["updatedReplicas"], 4);
    assert_eq!(world.api.list("replicasets.apps").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn every_node_gets_its_daemons_before_it_is_ready() {
    let world = World::start(1);
    world.boot(1, "us-west-2a");
    world.boot_with(
        2,
        "us-west-2b",
        "",
        "{key: karpenter.sh/unregistered, effect: NoExecute}",
    );
    world.sleep(36).await;
    let pods = world.pods("kube-system");
    assert_eq!(pods.len(), 6);
    assert!(
        pods.iter().all(|p| p["status"]["phase"] == "Running"),
        "host network needs no ready node"
    );
    world.sleep(10).await;
    let set = world.get("daemonsets.apps", "kube-system", "aws-node");
    assert_eq!(set["status"]["desiredNumberScheduled"], 2);
    assert_eq!(set["status"]["numberReady"], 2);
    assert_eq!(set["status"]["updatedNumberScheduled"], 2);
}

#[tokio::test(start_paused = true)]
async fn a_job_runs_to_its_completions() {
    let world = World::start(1);
    world.boot(1, "us-west-2a");
    world.sleep(45).await;
    world.create(
        "jobs.batch",
        json!({"metadata": {"name": "etl"}, "spec": {"parallelism": 2, "completions": 5, "ttlSecondsAfterFinished": 60,
            "template": {"metadata": {"annotations": {"kerf.dev/run-for": "20s"}},
                "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "etl"}]}}}}),
    );
    world.sleep(10).await;
    assert_eq!(world.running(), 2);
    assert_eq!(world.get("jobs.batch", "default", "etl")["status"]["active"], 2);
    world.sleep(80).await;
    let job = world.get("jobs.batch", "default", "etl");
    assert_eq!(job["status"]["succeeded"], 5);
    assert_eq!(condition(&job, "Complete")["status"], "True");
    world.sleep(70).await;
    assert!(
        world.api.get("jobs.batch", "default", "etl").is_none(),
        "its time to live is over"
    );
    assert!(world.pods("default").is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_indexed_job_makes_each_index_once() {
    let world = World::start(1);
    world.boot(1, "us-west-2a");
    world.create(
        "jobs.batch",
        json!({"metadata": {"name": "map"}, "spec": {"parallelism": 2, "completions": 3, "completionMode": "Indexed",
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "map"}]}}}}),
    );
    world.sleep(200).await;
    let mut indexes: Vec<String> = world
        .pods("default")
        .iter()
        .map(|p| p["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"].to_string())
        .collect();
    indexes.sort();
    assert_eq!(indexes, ["\"0\"", "\"1\"", "\"2\""]);
}

#[tokio::test(start_paused = true)]
async fn a_budget_counts_what_may_go() {
    let world = World::start(1);
    world.boot(1, "us-west-2a");
    world.deploy("web", 4, json!({}));
    for (name, spec) in [
        ("min", json!({"minAvailable": 2})),
        ("half", json!({"minAvailable": "50%"})),
        ("max", json!({"maxUnavailable": 1})),
        ("none", json!({"maxUnavailable": "0%"})),
    ] {
        let mut spec = spec;
        spec["selector"] = json!({"matchLabels": {"app": "web"}});
        world.create(
            "poddisruptionbudgets.policy",
            json!({"metadata": {"name": name}, "spec": spec}),
        );
    }
    world.sleep(60).await;
    let status = |name: &str| {
        let budget = world.get("poddisruptionbudgets.policy", "default", name);
        let field = |f: &str| budget["status"][f].as_i64().unwrap_or(-1);
        (
            field("expectedPods"),
            field("desiredHealthy"),
            field("currentHealthy"),
            field("disruptionsAllowed"),
        )
    };
    // Three of four fit the node.
    assert_eq!(status("min"), (4, 2, 3, 1));
    assert_eq!(status("half"), (4, 2, 3, 1));
    assert_eq!(status("max"), (4, 3, 3, 0));
    assert_eq!(status("none"), (4, 4, 3, 0));
    world.boot(2, "us-west-2a");
    world.sleep(60).await;
    assert_eq!(status("max"), (4, 3, 4, 1));
    assert_eq!(status("none"), (4, 4, 4, 0));
}

#[tokio::test(start_paused = true)]
async fn a_stateful_set_shrinks_from_the_end() {
    let world = World::start(1);
    world.boot(1, "us-west-2a");
    world.create(
        "statefulsets.apps",
        json!({"metadata": {"name": "db"}, "spec": {"replicas": 3, "serviceName": "db", "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": {"app": "db"}},
            "template": {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "c", "image": "db"}]}}}}),
    );
    world.sleep(60).await;
    assert_eq!(world.running(), 3);
    world.scale("statefulsets.apps", "db", 1);
    world.sleep(10).await;
    let names: Vec<String> = world
        .pods("default")
        .iter()
        .map(|p| p["metadata"]["name"].to_string())
        .collect();
    assert_eq!(names, ["\"db-0\""]);
}
