//! What plans cost and how long they take to find (`cargo bench --bench packing`): Karpenter's packing, the cheapest
//! one and the floor, side by side from the same binary and the same files. Times are of the decision alone; they say
//! little on a busy machine, so the ratio to the greedy's stands beside them. Arguments pick mixes by name.

// A program run by hand: it may give up.
#![allow(clippy::expect_used, clippy::cast_precision_loss)]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const HEAD: &str = "apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: {name: default}
spec:
  role: nodes
  amiSelectorTerms: [{alias: al2023@latest}]
  subnetSelectorTerms: [{tags: {team: a}}]
  securityGroupSelectorTerms: [{tags: {team: a}}]
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: default}
spec:
  template:
    spec:
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}
      requirements:
";
const ANY: &str = "      - {key: kubernetes.io/os, operator: In, values: [linux]}\n";
const ON_DEMAND: &str = "      - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}\n";
const GENERAL: &str = "      - {key: karpenter.k8s.aws/instance-category, operator: In, values: [c, m, r]}\n";

/// The same numbers every time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % n as u64).expect("below n")
    }

    fn of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// Milli-cores, MiB, and the rules of one deployment.
type Shape = (usize, usize, &'static str);

fn shape(mix: &str, random: &mut Random) -> Shape {
    let plain = |cpu, mib| (cpu, mib, "");
    match mix {
        "cpu" => plain(random.of(&[500, 1000, 2000, 4000]), random.of(&[256, 512, 1024])),
        "memory" => plain(random.of(&[100, 250, 500]), random.of(&[1024, 2048, 4096, 8192])),
        "large" => plain(
            random.of(&[7000, 9000, 13_000, 20_000]),
            random.of(&[12_288, 24_576, 61_440]),
        ),
        "shapes" => plain(50 + random.below(4000), 64 + random.below(16_000)),
        "rules" => (
            random.of(&[100, 250, 500, 1000, 1500]),
            random.of(&[100, 256, 512, 1024, 2048, 4096]),
            random.of(&["", "zones", "hosts", "near", "apart"]),
        ),
        _ => plain(
            random.of(&[100, 250, 500, 1000, 1500]),
            random.of(&[100, 256, 512, 1024, 2048, 4096]),
        ),
    }
}

fn rules(kind: &str, app: &str) -> String {
    let selector = format!("labelSelector: {{matchLabels: {{app: {app}}}}}");
    match kind {
        "zones" | "hosts" => {
            let key = if kind == "zones" {
                "topology.kubernetes.io/zone"
            } else {
                "kubernetes.io/hostname"
            };
            format!(
                "      topologySpreadConstraints:\n      - {{maxSkew: 1, topologyKey: {key}, whenUnsatisfiable: \
                 DoNotSchedule, {selector}}}\n"
            )
        }
        "near" => format!(
            "      affinity: {{podAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: [{{topologyKey: \
             topology.kubernetes.io/zone, {selector}}}]}}}}\n"
        ),
        "apart" => format!(
            "      affinity: {{podAntiAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: [{{topologyKey: \
             kubernetes.io/hostname, {selector}}}]}}}}\n"
        ),
        _ => String::new(),
    }
}

/// A file of one pool and `pods` pods; `deployments` of them look different.
fn manifests(pool: &str, mix: &str, pods: usize, deployments: usize) -> String {
    let mut random = Random(7 + pods as u64);
    let mut out = format!("{HEAD}{pool}");
    for i in 0..deployments {
        let (cpu, mib, kind) = shape(mix, &mut random);
        let replicas = pods / deployments + usize::from(i < pods % deployments);
        let app = format!("app-{i:04}");
        write!(
            out,
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {app}, namespace: default}}\nspec:\n  \
             replicas: {replicas}\n  selector: {{matchLabels: {{app: {app}}}}}\n  template:\n    metadata: {{labels: \
             {{app: {app}}}}}\n    spec:\n{}      containers:\n      - {{name: main, image: i, resources: {{requests: \
             {{cpu: {cpu}m, memory: {mib}Mi}}}}}}\n",
            rules(kind, &app)
        )
        .expect("text");
    }
    out
}

fn plan(file: &Path, packing: &str) -> Value {
    let run = Command::new(env!("CARGO_BIN_EXE_kerf"))
        .args([
            "plan",
            "--output",
            "json",
            "--now",
            "2026-01-05T09:00:00Z",
            "--packing",
            packing,
            "-f",
        ])
        .arg(file)
        .output()
        .expect("kerf runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_slice(&run.stdout).expect("JSON")
}

fn number(plan: &Value, path: &str) -> f64 {
    plan.pointer(path).and_then(Value::as_f64).expect("a number")
}

fn row(name: &str, file: &Path) -> f64 {
    let greedy = plan(file, "karpenter");
    let cheapest = plan(file, "cheapest");
    let floor = number(&cheapest, "/totals/lowerBoundPerHour");
    let over = |p: &Value| (number(p, "/totals/pricePerHour") / floor - 1.0) * 100.0;
    let millis = |p: &Value, path: &str| number(p, path) / 1000.0;
    let times = (
        millis(&greedy, "/elapsedMicros"),
        millis(&cheapest, "/elapsedMicros"),
    );
    println!(
        "{name:<28} {:>6} {:>10.3} {:>8.2}% {:>8.2}% {:>6} {:>6} {:>6.1}% {:>8.1} {:>8.1} {:>7.1}x",
        number(&cheapest, "/totals/pods"),
        floor,
        over(&greedy),
        over(&cheapest),
        number(&greedy, "/totals/nodes"),
        number(&cheapest, "/totals/nodes"),
        number(&cheapest, "/totals/largestNodeShare") * 100.0,
        times.0,
        times.1,
        times.1 / times.0.max(0.001),
    );
    over(&cheapest)
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let dir: PathBuf = std::env::temp_dir().join(format!("kerf-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a folder");
    println!(
        "{:<28} {:>6} {:>10} {:>9} {:>9} {:>6} {:>6} {:>7} {:>8} {:>8} {:>8}",
        "mix", "pods", "floor $/h", "greedy", "cheapest", "nodes", "nodes", "fullest", "ms", "ms", "ratio"
    );
    let pools: [(&str, String); 3] = [
        ("any", ANY.to_owned()),
        ("on-demand", format!("{ANY}{ON_DEMAND}")),
        ("c-m-r", format!("{ANY}{GENERAL}")),
    ];
    let mut gaps = Vec::new();
    for (pool, text) in &pools {
        for mix in ["cpu", "memory", "mixed", "large", "shapes", "rules"] {
            for pods in [1000, 5000] {
                let name = format!("{mix} {pods} {pool}");
                if !wanted.is_empty() && !wanted.iter().all(|w| name.contains(w.as_str())) {
                    continue;
                }
                let deployments = if mix == "shapes" { pods } else { 30 };
                let file = dir.join(format!("{mix}-{pods}-{pool}.yaml"));
                std::fs::write(&file, manifests(text, mix, pods, deployments)).expect("written");
                let gap = row(&name, &file);
                if mix != "rules" {
                    gaps.push(gap);
                }
            }
        }
    }
    std::fs::remove_dir_all(&dir).expect("clean");
    gaps.sort_by(f64::total_cmp);
    if let (Some(worst), Some(median)) = (gaps.last(), gaps.get(gaps.len() / 2)) {
        println!(
            "without rules: cheapest is {median:.2} % above the floor in the median, {worst:.2} % at worst"
        );
    }
}
