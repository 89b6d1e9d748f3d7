use serde_json::json;

use super::*;

#[tokio::test(start_paused = true)]
async fn pods_without_a_node_are_unschedulable() {
    let world = World::start(1);
    world.deploy("web", 3, json!({}));
    world.sleep(1).await;
    let pods = world.pods("default");
    assert_eq!(pods.len(), 3);
    for pod in &pods {
        let scheduled = condition(pod, "PodScheduled");
        assert_eq!(scheduled["status"], "False");
        assert_eq!(scheduled["reason"], "Unschedulable");
        assert_eq!(scheduled["message"], "no nodes available to schedule pods");
        assert_eq!(pod["status"]["phase"], "Pending");
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_becomes_a_node_and_runs_pods() {
    let world = World::start(1);
    world.deploy("web", 4, json!({}));
    world.boot_with(
        7,
        "us-west-2a",
        ",team=a",
        "{key: karpenter.sh/unregistered, effect: NoExecute}",
    );
    world.sleep(29).await;
    assert!(world.api.list("nodes").is_empty());
    world.sleep(2).await;
    let object = world.get("nodes", "", &node(7));
    assert_eq!(object["metadata"]["labels"]["team"], "a");
    assert_eq!(
        object["metadata"]["labels"]["topology.kubernetes.io/zone"],
        "us-west-2a"
    );
    assert_eq!(object["spec"]["providerID"], "aws:///us-west-2a/i-7");
    assert_eq!(condition(&object, "Ready")["status"], "False");
    let taints = object["spec"]["taints"].to_string();
    assert!(
        taints.contains("karpenter.sh/unregistered") && taints.contains("not-ready"),
        "{taints}"
    );
    world.sleep(12).await;
    let object = world.get("nodes", "", &node(7));
    assert_eq!(condition(&object, "Ready")["status"], "True");
    assert_eq!(
        object["spec"]["taints"],
        json!([{"key": "karpenter.sh/unregistered", "effect": "NoExecute"}])
    );
    assert_eq!(world.running(), 0, "the taint keeps pods away");
    let message = condition(&world.pods("default")[0], "PodScheduled")["message"].to_string();
    assert!(
        message.contains("untolerated taint {karpenter.sh/unregistered: }"),
        "{message}"
    );
    world
        .api
        .update("nodes", "", &node(7), &mut |n| n["spec"]["taints"] = json!([]))
        .expect("untainted");
    world.sleep(6).await;
    // 3,820 milli-cores less 180 of daemons: three pods of one core.
    assert_eq!(world.running(), 3);
    let waiting = world
        .pods("default")
        .into_iter()
        .find(|p| p["spec"]["nodeName"].is_null());
    let message = condition(&waiting.expect("one waits"), "PodScheduled")["message"].to_string();
    assert!(message.contains("1 Insufficient cpu"), "{message}");
    let web = world.get("deployments.apps", "default", "web");
    assert_eq!(web["status"]["readyReplicas"], 3);
    assert_eq!(web["status"]["unavailableReplicas"], 1);
    let running = world
        .pods("default")
        .into_iter()
        .find(|p| p["status"]["phase"] == "Running")
        .expect("one");
    assert_eq!(condition(&running, "Ready")["status"], "True");
    assert_eq!(running["status"]["containerStatuses"][0]["ready"], true);
    assert_eq!(
        running["metadata"]["labels"]["topology.kubernetes.io/zone"],
        "us-west-2a"
    );
}

#[tokio::test(start_paused = true)]
async fn a_cordoned_node_takes_nothing() {
    let world = World::start(1);
    world.boot(1, "us-west-2a");
    world.sleep(45).await;
    world
        .api
        .update("nodes", "", &node(1), &mut |n| {
            n["spec"]["unschedulable"] = json!(true);
        })
        .expect("cordoned");
    world.deploy("web", 1, json!({}));
    world.sleep(5).await;
    let object = world.get("nodes", "", &node(1));
    assert_eq!(
        object["spec"]["taints"][0]["key"],
        "node.kubernetes.io/unschedulable"
    );
    assert_eq!(world.running(), 0);
    world
        .api
        .update("nodes", "", &node(1), &mut |n| {
            n["spec"]["unschedulable"] = json!(false);
        })
        .expect("uncordoned");
    world.sleep(5).await;
    assert!(world.get("nodes", "", &node(1))["spec"]["taints"].is_null());
    assert_eq!(world.running(), 1);
}

#[tokio::test(start_paused = true)]
async fn anti_affinity_keeps_equal_pods_apart() {
    let world = World::start(1);
    world.boot(1, "us-west-2a");
    world.boot(2, "us-west-2b");
    let apart = json!({"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "db"}}}]}}});
    world.deploy("db", 3, apart);
    world.sleep(50).await;
    assert_eq!(world.running(), 2);
    // The inverse: a pod without the rule is kept away by those that have it.
    world.create(
        "pods",
        json!({"metadata": {"name": "late", "labels": {"app": "db"}}, "spec": {"containers": [{"name": "c"}]}}),
    );
    world.sleep(5).await;
    let late = world.get("pods", "default", "late");
    let message = condition(&late, "PodScheduled")["message"].to_string();
    assert!(
        message.contains("2 node(s) didn't satisfy existing pods anti-affinity rules"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn hard_spread_balances_zones() {
    let world = World::start(1);
    for (number, zone) in [(1, "us-west-2a"), (2, "us-west-2a"), (3, "us-west-2b")] {
        world.boot(number, zone);
    }
    let spread = json!({"topologySpreadConstraints": [{"topologyKey": "topology.kubernetes.io/zone", "maxSkew": 1,
        "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "web"}}}]});
    world.deploy("web", 8, spread);
    world.sleep(60).await;
    let zone = |name: &str| {
        world
            .pods("default")
            .iter()
            .filter(|p| p["metadata"]["labels"]["topology.kubernetes.io/zone"] == name)
            .count()
    };
    // Zone b holds three; zone a has room for six but may lead by one only.
    assert_eq!((zone("us-west-2a"), zone("us-west-2b")), (4, 3));
}

#[tokio::test(start_paused = true)]
async fn pod_affinity_follows_and_starts_by_itself() {
    let world = World::start(1);
    world.boot(1, "us-west-2a");
    world.boot(2, "us-west-2b");
    let near = json!({"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}]}}});
    world.deploy("web", 3, near);
    world.sleep(60).await;
    let nodes: std::collections::BTreeSet<String> = world
        .pods("default")
        .iter()
        .map(|p| p["spec"]["nodeName"].to_string())
        .collect();
    assert_eq!(nodes.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn host_ports_and_selectors_are_respected() {
    let world = World::start(1);
    world.boot_with(1, "us-west-2a", ",disk=ssd", "");
    world.boot(2, "us-west-2a");
    let spec = json!({"nodeSelector": {"disk": "ssd"}, "containers": [
        {"name": "c", "image": "pause", "ports": [{"containerPort": 80, "hostPort": 80}]}]});
    world.deploy("edge", 2, spec);
    world.sleep(60).await;
    assert_eq!(world.running(), 1);
    let waiting = world
        .pods("default")
        .into_iter()
        .find(|p| p["spec"]["nodeName"].is_null())
        .expect("one");
    let message = condition(&waiting, "PodScheduled")["message"].to_string();
    assert!(message.contains("1 node(s) didn't have free ports"), "{message}");
    assert!(
        message.contains("1 node(s) didn't match Pod's node affinity/selector"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn higher_priority_goes_first() {
    let world = World::start(1);
    world.deploy("low", 3, json!({}));
    world.sleep(1).await;
    world.deploy("high", 3, json!({"priority": 1000}));
    world.boot(1, "us-west-2a");
    world.sleep(60).await;
    let bound: Vec<String> = world
        .pods("default")
        .iter()
        .filter(|p| p["spec"]["nodeName"].is_string())
        .map(|p| p["metadata"]["labels"]["app"].to_string())
        .collect();
    assert_eq!(bound, ["\"high\"", "\"high\"", "\"high\""]);
}

#[tokio::test(start_paused = true)]
async fn a_claim_binds_in_the_zone_of_its_pod() {
    let world = World::start(1);
    world.boot(1, "us-west-2b");
    world.create(
        "statefulsets.apps",
        json!({"metadata": {"name": "db"}, "spec": {"replicas": 2, "serviceName": "db",
            "selector": {"matchLabels": {"app": "db"}},
            "template": {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "c", "image": "db"}]}},
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "10Gi"}}}}]}}),
    );
    world.sleep(70).await;
    let claim = world.get("persistentvolumeclaims", "default", "data-db-0");
    assert_eq!(claim["status"]["phase"], "Bound");
    assert_eq!(claim["spec"]["storageClassName"], "gp3");
    let volume = world.get(
        "persistentvolumes",
        "",
        claim["spec"]["volumeName"].as_str().expect("bound"),
    );
    let values =
        &volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0]["values"];
    assert_eq!(*values, json!(["us-west-2b"]));
    assert_eq!(world.running(), 2, "one after the other");
    let set = world.get("statefulsets.apps", "default", "db");
    assert_eq!(set["status"]["readyReplicas"], 2);
    assert_eq!(world.api.list("volumeattachments.storage.k8s.io").len(), 2);
    world.scale("statefulsets.apps", "db", 1);
    world.sleep(15).await;
    assert_eq!(world.api.list("volumeattachments.storage.k8s.io").len(), 1);
    assert_eq!(
        world.api.list("persistentvolumeclaims").len(),
        2,
        "claims outlive their pods"
    );
}
