//! A stock kubectl against the loopback port; skipped where there is none.

use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use super::testing::server;
use super::{ApiServer, DeleteOptions, Listening};

struct Kubectl {
    home: PathBuf,
    _port: Listening,
}

impl Kubectl {
    /// `None` when kubectl is not installed.
    fn new(server: &ApiServer, name: &str) -> Option<Self> {
        Command::new("kubectl")
            .arg("version")
            .arg("--client")
            .output()
            .ok()?;
        let home = std::env::temp_dir().join(format!("kerf-kubectl-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&home);
        std::fs::create_dir_all(&home).unwrap();
        let port = server.listen("127.0.0.1:0".parse().unwrap()).unwrap();
        std::fs::write(home.join("kubeconfig"), &port.kubeconfig).unwrap();
        Some(Self { home, _port: port })
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.home.join(name), text).unwrap();
    }

    /// Success, and what it printed.
    fn try_run(&self, line: &str) -> (bool, String) {
        let output = Command::new("kubectl")
            .args(line.split_whitespace())
            .current_dir(&self.home)
            .env("HOME", &self.home)
            .env("KUBE_EDITOR", self.home.join("edit"))
            .env("KUBECONFIG", self.home.join("kubeconfig"))
            .output()
            .unwrap();
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        (output.status.success(), text)
    }

    fn run(&self, line: &str) -> String {
        let (success, text) = self.try_run(line);
        assert!(success, "kubectl {line}: {text}");
        text
    }
}

impl Drop for Kubectl {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: nginx}]}
";

const POOL: &str = "apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: general}
spec:
  template:
    spec:
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}
      requirements:
      - {key: karpenter.sh/capacity-type, operator: In, values: [spot, on-demand]}
";

#[tokio::test(start_paused = true)]
async fn everyday_commands() {
    let server = server();
    let Some(kubectl) = Kubectl::new(&server, "everyday") else {
        return;
    };
    kubectl.file("deployment.yaml", DEPLOYMENT);
    kubectl.file("pool.yaml", POOL);
    assert!(kubectl.run("get ns").contains("kube-node-lease"));
    assert!(kubectl.run("api-resources").contains("nodepools"));
    assert!(kubectl.run("apply -f deployment.yaml").contains("created"));
    assert!(kubectl.run("apply -f deployment.yaml").contains("unchanged"));
    assert!(
        kubectl
            .run("apply --server-side -f pool.yaml")
            .contains("serverside-applied")
    );
    assert!(kubectl.run("get nodepools").contains("general"));
    kubectl.run("scale deployment web --replicas=5");
    assert_eq!(
        kubectl.run("get deployment web -o jsonpath={.spec.replicas}"),
        "5"
    );
    kubectl.run("set image deployment/web c=nginx:2");
    kubectl.run("rollout restart deployment/web");
    assert!(kubectl.run("get deployment web -o wide").contains("nginx:2"));
    assert!(
        kubectl
            .run("describe deployment web")
            .contains("kubectl.kubernetes.io/restartedAt")
    );
    let described = kubectl.run("describe nodepool general");
    assert!(described.contains("Expire After:  720h"), "{described}");
    kubectl.run("label deployment web tier=front");
    assert!(
        kubectl
            .run("get deployments -l tier=front -o name")
            .contains("deployment.apps/web")
    );
    let (success, text) = kubectl.try_run("get pods --field-selector spec.nonsense=1");
    assert!(!success && text.contains("field label not supported"), "{text}");
    assert!(
        kubectl
            .run("explain nodepool.spec.template.spec")
            .contains("nodeClassRef")
    );
    kubectl.file("strict.yaml", &DEPLOYMENT.replace("replicas: 2", "replicaz: 2"));
    let (success, text) = kubectl.try_run("apply -f strict.yaml");
    assert!(
        !success && text.contains("unknown field \"spec.replicaz\""),
        "{text}"
    );
    kubectl.file(
        "bad.yaml",
        &POOL.replace("karpenter.sh/capacity-type", "karpenter.sh/nodepool"),
    );
    let (success, text) = kubectl.try_run("apply -f bad.yaml");
    assert!(!success && text.contains("is invalid"), "{text}");
    kubectl.run("diff -f pool.yaml");
    kubectl.run("annotate nodepool general a=b");
    assert!(kubectl.run("delete deployment web").contains("deleted"));
    assert!(server.get("deployments.apps", "default", "web").is_none());
    assert!(server.writes()["kubectl"] >= 7);
}

#[tokio::test(start_paused = true)]
async fn commands_that_change_who_owns_what() {
    let server = server();
    let Some(kubectl) = Kubectl::new(&server, "owners") else {
        return;
    };
    kubectl.file("deployment.yaml", DEPLOYMENT);
    kubectl.file("pool.yaml", POOL);
    kubectl.file("edit", "#!/bin/sh\nsed -i s/nginx:2/nginx:3/ \"$1\"\n");
    let image = || {
        let deployment = server.get("deployments.apps", "default", "web").unwrap();
        deployment.value()["spec"]["template"]["spec"]["containers"][0]["image"].clone()
    };
    kubectl.run("create -f deployment.yaml --save-config");
    // Takes the fields over from client-side apply: four patches in a row.
    kubectl.run("apply --server-side -f deployment.yaml");
    kubectl.run("apply --server-side -f deployment.yaml");
    let managers = kubectl
        .run("get deployment web --show-managed-fields -o jsonpath={.metadata.managedFields[*].operation}");
    assert!(managers.contains("Apply"), "{managers}");
    kubectl.run("set image deployment/web c=nginx:2");
    assert_eq!(image(), "nginx:2");
    let (success, text) = kubectl.try_run("apply --server-side -f deployment.yaml");
    assert!(
        !success && text.contains("Apply failed with 1 conflict"),
        "{text}"
    );
    kubectl.run("apply --server-side --force-conflicts -f deployment.yaml");
    assert_eq!(image(), "nginx");
    kubectl.file("second.yaml", &DEPLOYMENT.replace("nginx", "nginx:2"));
    kubectl.run("replace -f second.yaml");
    kubectl.run("apply --dry-run=server -f deployment.yaml");
    assert_eq!(image(), "nginx:2");
    Command::new("chmod")
        .arg("+x")
        .arg(kubectl.home.join("edit"))
        .status()
        .unwrap();
    kubectl.run("edit deployment web");
    assert_eq!(image(), "nginx:3");
    kubectl.run("patch deployment web -p {\"spec\":{\"paused\":true}}");
    kubectl.run("patch deployment web --type=json -p [{\"op\":\"remove\",\"path\":\"/spec/paused\"}]");
    kubectl.run("create -f pool.yaml");
    kubectl.run("apply -f pool.yaml");
    kubectl.run("patch nodepool general --type=merge -p {\"spec\":{\"weight\":7}}");
    assert_eq!(
        kubectl.run("get nodepool general -o jsonpath={.metadata.generation}"),
        "2"
    );
    kubectl.run("label deployment web a=b");
    kubectl.run("delete deployments -l a=b");
    kubectl.run("run one --image=i --port=80");
    kubectl.run("expose pod one --port=80");
    kubectl.run("get all --all-namespaces");
    kubectl.run("wait --for=jsonpath={.status.phase}=Pending pod/one --timeout=5s");
    kubectl.run("delete pod one --wait=true");
    kubectl.run("wait --for=delete pod/one --timeout=5s");
}

/// These send their own types as protobuf (`kube-wire §14`).
#[tokio::test(start_paused = true)]
async fn commands_that_send_protobuf() {
    let server = server();
    let Some(kubectl) = Kubectl::new(&server, "protobuf") else {
        return;
    };
    let value = |kind: &str, namespace: &str, name: &str| {
        let object = server.get(kind, namespace, name);
        object
            .unwrap_or_else(|| panic!("{kind} {name} is missing"))
            .value()
    };
    kubectl.run("create namespace shop");
    assert_eq!(value("namespaces", "", "shop")["status"]["phase"], "Active");
    kubectl.run("create deployment web --image=nginx --replicas=3 --port=80 -n shop -- sleep 1");
    let web = value("deployments.apps", "shop", "web");
    assert_eq!(web["spec"]["replicas"], 3);
    assert_eq!(web["metadata"]["labels"], json!({"app": "web"}));
    let container = &web["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["ports"][0]["containerPort"], 80);
    assert_eq!(container["command"], json!(["sleep", "1"]));
    kubectl.run("create deployment none --image=nginx --replicas=0");
    assert_eq!(
        value("deployments.apps", "default", "none")["spec"]["replicas"],
        0
    );
    kubectl.run("create configmap settings --from-literal=mode=fast");
    assert_eq!(value("configmaps", "default", "settings")["data"]["mode"], "fast");
    kubectl.run("create secret generic key --from-literal=token=abc");
    assert_eq!(value("secrets", "default", "key")["data"]["token"], "YWJj");
    kubectl.run("create job once --image=busybox -- date");
    kubectl.run("create cronjob often --image=busybox --schedule=@hourly -- date");
    kubectl.run("create job copy --from=cronjob/often");
    let copy = value("jobs.batch", "default", "copy");
    assert_eq!(copy["metadata"]["ownerReferences"][0]["kind"], "CronJob");
    assert_eq!(copy["spec"]["template"]["spec"]["restartPolicy"], "OnFailure");
    kubectl.run("create serviceaccount robot");
    kubectl.run("create service clusterip web --tcp=80:8080");
    let port = &value("services", "default", "web")["spec"]["ports"][0];
    assert_eq!(port["targetPort"], 8080);
    kubectl.run("create poddisruptionbudget guard --selector=app=web --min-available=50%");
    let guard = value("poddisruptionbudgets.policy", "default", "guard");
    assert_eq!(guard["spec"]["minAvailable"], "50%");
    assert_eq!(guard["spec"]["selector"]["matchLabels"]["app"], "web");
    kubectl.run("create priorityclass high --value=1000");
    kubectl.run("create quota small --hard=cpu=1,pods=2");
    let hard = &value("resourcequotas", "default", "small")["spec"]["hard"];
    assert_eq!(*hard, json!({"cpu": "1", "pods": "2"}));
    kubectl.run("create role reader --verb=get,list --resource=pods");
    kubectl.run("create rolebinding read --role=reader --serviceaccount=default:robot");
    kubectl.run("create clusterrole all --verb=* --resource=nodes");
    kubectl.run("create clusterrolebinding all --clusterrole=all --user=me");
    kubectl.run("autoscale deployment none --min=1 --max=3");
    let scaler = value("horizontalpodautoscalers.autoscaling", "default", "none");
    assert_eq!(scaler["spec"]["maxReplicas"], 3);
    assert_eq!(kubectl.run("auth can-i create pods").trim(), "yes");
    assert!(kubectl.run("auth can-i --list").contains("*.*"));
    assert!(kubectl.run("auth whoami").contains("kubectl"));
    let (success, text) = kubectl.try_run("create token robot");
    assert!(
        !success && text.contains("issues no service account tokens"),
        "{text}"
    );
    kubectl.run("create deployment none --image=nginx --dry-run=server -n shop");
    assert!(server.get("deployments.apps", "shop", "none").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_the_budget() {
    let server = server();
    let Some(kubectl) = Kubectl::new(&server, "drain") else {
        return;
    };
    server
        .create("nodes", "", json!({"metadata": {"name": "n1"}}))
        .unwrap();
    let owner = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u", "controller": true}]);
    server
        .create("pods", "default", json!({"metadata": {"name": "p1", "labels": {"app": "web"}, "ownerReferences": owner},
            "spec": {"nodeName": "n1", "terminationGracePeriodSeconds": 0, "containers": [{"name": "c", "image": "i"}]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}))
        .unwrap();
    server
        .create("poddisruptionbudgets.policy", "default", json!({"metadata": {"name": "web"},
            "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
            "status": {"observedGeneration": 1, "disruptionsAllowed": 0, "currentHealthy": 1, "desiredHealthy": 1}}))
        .unwrap();
    let (success, text) = kubectl.try_run("drain n1 --timeout=1s");
    assert!(
        !success && text.contains("would violate the pod's disruption budget"),
        "{text}"
    );
    assert_eq!(
        server.get("nodes", "", "n1").unwrap().value()["spec"]["unschedulable"],
        true
    );
    server
        .update("poddisruptionbudgets.policy", "default", "web", &mut |budget| {
            budget["status"]["disruptionsAllowed"] = json!(1);
        })
        .unwrap();
    let text = kubectl.run("drain n1 --timeout=30s");
    assert!(text.contains("node/n1 drained"), "{text}");
    assert!(server.get("pods", "default", "p1").is_none());
    kubectl.run("uncordon n1");
    server
        .update("nodes", "", "n1", &mut |node| {
            node["metadata"]["finalizers"] = json!(["a/b"]);
        })
        .unwrap();
    kubectl.run("delete node n1 --wait=false");
    assert!(server.get("nodes", "", "n1").unwrap().deleting);
    assert!(
        server
            .delete("nodes", "", "n1", &DeleteOptions::default())
            .is_ok()
    );
}
