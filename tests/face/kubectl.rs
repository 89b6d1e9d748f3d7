//! Stock kubectl drives the embedded cluster over loopback.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(90);

struct Cluster {
    child: Child,
    dir: PathBuf,
}

impl Cluster {
    fn start(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("kerf-kubectl-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("temp folder");
        let config = dir.join("kubeconfig");
        let child = Command::new(env!("CARGO_BIN_EXE_kerf"))
            .args([
                "demo",
                "--headless",
                "--scenario",
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/empty.yaml"),
                "--mode",
                "auto",
                "--speed",
                "60x",
            ])
            .args(["--listen", "127.0.0.1:0", "--kubeconfig-out"])
            .arg(&config)
            .stdout(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let out = Self { child, dir };
        Self::until("the kubeconfig", || config.exists());
        out
    }

    fn try_kubectl(&self, args: &[&str]) -> (bool, String) {
        let out = Command::new("kubectl")
            .args(args)
            .env("KUBECONFIG", self.dir.join("kubeconfig"))
            .env("HOME", &self.dir)
            .output()
            .expect("kubectl runs");
        let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
        (out.status.success(), text)
    }

    fn kubectl(&self, args: &[&str]) -> String {
        let (ok, text) = self.try_kubectl(args);
        assert!(ok, "kubectl {args:?}: {text}");
        text
    }

    fn until(what: &str, done: impl Fn() -> bool) {
        let start = Instant::now();
        while !done() {
            assert!(start.elapsed() < PATIENCE, "never saw {what}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn running(&self) -> usize {
        let args = [
            "get",
            "pods",
            "-l",
            "app=inflate",
            "--field-selector=status.phase=Running",
            "-o",
            "name",
        ];
        self.kubectl(&args).lines().count()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn kubectl_is_there() -> bool {
    let there = Command::new("kubectl")
        .args(["version", "--client"])
        .output()
        .is_ok_and(|o| o.status.success());
    if !there {
        println!("skipped: kubectl is not installed");
    }
    there
}

#[test]
fn kubectl_scales_a_deployment_up_and_down() {
    if !kubectl_is_there() {
        return;
    }
    let cluster = Cluster::start("scale");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/scenarios/inflate.yaml");
    let manifest = manifest.to_str().expect("text");
    cluster.kubectl(&["apply", "-f", manifest]);
    assert!(
        cluster.kubectl(&["apply", "-f", manifest]).contains("unchanged"),
        "applying twice changes nothing"
    );
    cluster.kubectl(&["scale", "deployment", "inflate", "--replicas", "40"]);
    Cluster::until("40 running pods", || cluster.running() == 40);
    let all = cluster.kubectl(&["get", "nodes,nodeclaims,pods", "-o", "wide"]);
    assert!(
        all.contains("nodeclaim.karpenter.sh/") && all.contains("Ready") && all.contains("node/"),
        "{all}"
    );
    let nodes = || -> std::collections::BTreeSet<String> {
        let names = cluster.kubectl(&["get", "nodes", "-o", "name"]);
        names.lines().map(str::to_owned).collect()
    };
    let before = nodes();
    cluster.kubectl(&["scale", "deployment", "inflate", "--replicas", "4"]);
    // One big node is replaced by a small one; several become fewer.
    Cluster::until("a smaller cluster", || {
        let now = nodes();
        now != before && now.len() <= before.len() && cluster.running() == 4
    });
    let first = cluster.kubectl(&["get", "nodes", "-o", "name"]);
    let first = first.lines().next().expect("a node");
    assert!(cluster.kubectl(&["describe", first]).contains("Allocatable"));
    cluster.kubectl(&[
        "drain",
        first,
        "--ignore-daemonsets",
        "--delete-emptydir-data",
        "--timeout=60s",
    ]);
    cluster.kubectl(&["delete", "deployment", "inflate"]);
    Cluster::until("an empty cluster", || nodes().is_empty());
}

#[test]
fn a_wrong_manifest_is_refused_with_the_field() {
    if !kubectl_is_there() {
        return;
    }
    let cluster = Cluster::start("wrong");
    let file = cluster.dir.join("pool.yaml");
    let pool = "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: wrong}\nspec:\n  template:\n    spec:\n      \
                nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}\n      requirements:\n      \
                - {key: kubernetes.io/arch, operator: Inn, values: [amd64]}\n";
    std::fs::write(&file, pool).expect("written");
    let (ok, text) = cluster.try_kubectl(&["apply", "-f", file.to_str().expect("text")]);
    assert!(!ok && text.contains("operator"), "{text}");
}
