//! Random clusters for the checker. `KERF_RANDOM_CLUSTERS=20000 cargo test --test pure random` looks at more of them,
//! `KERF_RANDOM_FROM=123` begins at another seed. A failure is cut down to the objects that it needs before it is shown.

mod dice;
mod make;
mod pods;

pub use dice::Dice;
pub use make::cluster;

use crate::checker;
use crate::cluster::Cluster;
use kerf::decide::scheduling::Purpose;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable)
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(default)
}

/// What a plan for the cluster gets wrong; with `drain`, a plan for the pods of some nodes that go.
fn fault(cluster: &Cluster, drain: bool) -> Option<String> {
    let nodes: Vec<&str> = cluster
        .objects
        .iter()
        .filter(|o| o["kind"] == "Node")
        .filter_map(|o| o["metadata"]["name"].as_str())
        .collect();
    let (gone, purpose) = if drain {
        (&nodes[..nodes.len().div_ceil(3)], Purpose::Simulate)
    } else {
        (&nodes[..0], Purpose::Provision)
    };
    let plan = cluster.solve(gone, purpose);
    checker::check(cluster, &plan).err()
}

/// Takes objects and instance types away as long as the fault stays.
fn cut_down(mut cluster: Cluster, drain: bool) -> Cluster {
    loop {
        let mut smaller = false;
        for i in (0..cluster.objects.len()).rev() {
            let mut less = cluster.clone();
            less.objects.remove(i);
            if fault(&less, drain).is_some() {
                cluster = less;
                smaller = true;
            }
        }
        for i in (0..cluster.types.len()).rev() {
            let mut less = cluster.clone();
            less.types.remove(i);
            if fault(&less, drain).is_some() {
                cluster = less;
                smaller = true;
            }
        }
        if !smaller {
            return cluster;
        }
    }
}

fn look_at_many(parity: bool, drain: bool, share: u64) {
    let count = number("KERF_RANDOM_CLUSTERS", 1200) * share / 100;
    let count = count.max(1);
    let from = number("KERF_RANDOM_FROM", 0);
    let mut placed = 0;
    let mut failed: Vec<(u64, Cluster, String)> = Vec::new();
    for seed in from..from + count {
        let mut cluster = cluster(seed, parity);
        cluster.settings.parity = parity;
        placed += cluster.objects.iter().filter(|o| o["kind"] == "Pod").count();
        if let Some(why) = fault(&cluster, drain) {
            failed.push((seed, cluster, why));
        }
    }
    if let Some((seed, cluster, _)) = failed.first() {
        let small = cut_down(cluster.clone(), drain);
        let why = fault(&small, drain).unwrap_or_default();
        let objects: Vec<String> = small.objects.iter().map(ToString::to_string).collect();
        let types: Vec<String> = small.types.iter().map(|t| t["name"].to_string()).collect();
        let others: Vec<String> = failed
            .iter()
            .skip(1)
            .map(|(seed, _, why)| format!("seed {seed}: {why}"))
            .collect();
        panic!(
            "seed {seed}: {why}\ntypes {}\n{}\n{} others\n{}",
            types.join(" "),
            objects.join("\n"),
            others.len(),
            others.join("\n")
        );
    }
    assert!(
        placed as u64 > 5 * count,
        "clusters of a few pods prove little: {placed}"
    );
}

#[test]
fn kubernetes_takes_every_random_plan() {
    look_at_many(false, false, 60);
}

#[test]
fn kubernetes_takes_every_random_plan_with_parity() {
    look_at_many(true, false, 25);
}

#[test]
fn kubernetes_takes_every_random_plan_for_drained_nodes() {
    look_at_many(false, true, 15);
}
