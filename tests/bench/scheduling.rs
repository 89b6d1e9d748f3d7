//! How fast plans are made (`cargo bench --bench scheduling`): pods a second, peak memory, and the time as a multiple of
//! a plain first fit over the same pods, which knows no rule but CPU and memory. The last column is a digest of the
//! plan: it stays the same while only the speed changes. An argument picks the rows whose name contains it.

// A program run by hand: it may give up.
#![allow(clippy::expect_used, clippy::cast_precision_loss)]

mod measure;
mod workloads;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use kerf::decide::scheduling::{Problem, Purpose, Solution, prepare, solve, solve_prepared};
use kerf::decide::{Fuel, Settings};
use kerf::model::index::Index;
use kerf::model::{Catalogue, Name, Resources};
use sha2::{Digest, Sha256};
use workloads::Cluster;

fn problem<'a>(
    cluster: &'a Cluster,
    pods: &'a [Name],
    without: &'a BTreeSet<Name>,
    settings: &'a Settings,
    purpose: Purpose,
) -> Problem<'a> {
    Problem {
        snapshot: &cluster.snapshot,
        pods,
        without,
        now: workloads::now(),
        settings,
        purpose,
    }
}

fn pending(cluster: &Cluster) -> Vec<Name> {
    let pods = cluster.snapshot.pods.iter();
    pods.filter(|(_, p)| p.is_provisionable())
        .map(|(k, _)| k.clone())
        .collect()
}

/// Takes text in as it is written, so that it is nowhere whole.
struct Hash(Sha256);

impl std::fmt::Write for Hash {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.update(text);
        Ok(())
    }
}

/// Plans to the last byte of their evidence.
fn digest<'a>(plans: impl IntoIterator<Item = &'a Solution>) -> String {
    let mut hash = Hash(Sha256::new());
    for plan in plans {
        write!(hash, "{plan:?}").expect("a hash takes everything");
    }
    hash.0
        .finalize()
        .iter()
        .take(4)
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// Bins of the largest type, pods in order of size, the first bin with room: the least that any packer does.
fn first_fit(mut sizes: Vec<(i64, i64)>, room: &Resources) -> usize {
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let mut bins: Vec<(i64, i64, i64)> = Vec::new();
    for (cpu, memory) in sizes {
        match bins.iter_mut().find(|b| b.0 >= cpu && b.1 >= memory && b.2 > 0) {
            Some(bin) => *bin = (bin.0 - cpu, bin.1 - memory, bin.2 - 1),
            None => bins.push((room.cpu - cpu, room.memory - memory, room.pods - 1)),
        }
    }
    bins.len()
}

fn wanted(name: &str) -> bool {
    let mut filters = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .peekable();
    filters.peek().is_none() || filters.any(|f| name.contains(&f))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn plan(name: &str, catalogue: &Arc<Catalogue>, make: impl FnOnce(&Arc<Catalogue>) -> Cluster) {
    if !wanted(name) {
        return;
    }
    // Compiled once a catalogue, whatever the number of plans; it has a row of its own.
    let room = catalogue
        .index()
        .allocatable
        .iter()
        .max_by_key(|a| a.cpu)
        .expect("types")
        .clone();
    let cluster = make(catalogue);
    let pods = pending(&cluster);
    let (without, settings) = (BTreeSet::new(), Settings::default());
    let problem = problem(&cluster, &pods, &without, &settings, Purpose::Provision);
    let (solution, cost) = measure::mean(|| {
        let mut fuel = Fuel::UNLIMITED;
        (solve(&problem, &mut fuel), u64::MAX - fuel.0)
    });
    let (solution, checks) = solution;
    let sizes: Vec<(i64, i64)> = pods
        .iter()
        .filter_map(|key| cluster.snapshot.pods.get(key))
        .map(|p| (p.spec.requests.cpu, p.spec.requests.memory))
        .collect();
    let (_, floor) = measure::mean(|| std::hint::black_box(first_fit(sizes.clone(), &room)));
    println!(
        "{name:<28} {:>9.2} ms {:>9.0} pods/s {:>7.1}× first fit {:>5} MiB {:>6} claims {:>6} unplaced {:>8} checks  {}",
        millis(cost.time),
        pods.len() as f64 / cost.time.as_secs_f64(),
        cost.time.as_secs_f64() / floor.time.as_secs_f64().max(1e-9),
        cost.peak_mib,
        solution.claims.len(),
        solution.unschedulable.len(),
        checks,
        digest([&solution]),
    );
}

/// Removing each of many nodes from one prepared picture.
fn what_ifs(name: &str, catalogue: &Arc<Catalogue>) {
    if !wanted(name) {
        return;
    }
    let cluster = workloads::running(catalogue, 1000, 20_000);
    let settings = Settings::default();
    let (prepared, cost) = measure::mean(|| prepare(&cluster.snapshot, &settings, workloads::now()));
    println!(
        "{name:<28} {:>9.2} ms to prepare, {} MiB",
        millis(cost.time),
        cost.peak_mib
    );
    let mut times = Vec::new();
    let cases: Vec<(Name, Vec<Name>)> = (0..1000)
        .step_by(5)
        .map(|i| {
            let node: Name = format!("node-{i:04}").into();
            let pods = on_node(&cluster, &node);
            (node, pods)
        })
        .collect();
    let (solutions, cost) = measure::mean(|| {
        times.clear();
        let mut out = Vec::new();
        for (node, pods) in &cases {
            let without = BTreeSet::from([node.clone()]);
            let problem = problem(&cluster, pods, &without, &settings, Purpose::Simulate);
            let start = std::time::Instant::now();
            out.push(solve_prepared(&prepared, &problem, &mut Fuel::UNLIMITED.clone()));
            times.push(start.elapsed());
        }
        out
    });
    times.sort_unstable();
    let hash = digest(&solutions);
    println!(
        "{name:<28} {:>9.3} ms of CPU each, {:.3} ms median on the wall, {} of them  {hash}",
        millis(cost.time) / cases.len() as f64,
        millis(times[times.len() / 2]),
        cases.len(),
    );
}

fn on_node(cluster: &Cluster, node: &Name) -> Vec<Name> {
    let pods = cluster.snapshot.pods.iter();
    pods.filter(|(_, p)| p.node.as_ref() == Some(node))
        .map(|(k, _)| k.clone())
        .collect()
}

fn compile(name: &str, catalogue: &Catalogue) {
    if !wanted(name) {
        return;
    }
    let (index, cost) = measure::mean(|| Index::new(catalogue.types().iter().map(AsRef::as_ref)));
    println!(
        "{name:<28} {:>9.2} ms for {} types",
        millis(cost.time),
        index.len()
    );
}

fn main() {
    let synthetic = Arc::new(workloads::synthetic(400));
    compile("index/synthetic", &synthetic);
    for count in [1000, 5000, 10_000, 20_000] {
        plan(&format!("mix/{count}"), &synthetic, |c| workloads::mix(c, count));
    }
    plan("spread-on-nodes/2000", &synthetic, |c| {
        workloads::spread_on_nodes(c, 2000, 500)
    });
    plan("preferences/4000", &synthetic, |c| {
        workloads::preferences(c, 4000)
    });
    what_ifs("what-if/1000-nodes", &synthetic);
    // Last, as the memory of reading it stays with the process.
    let ec2 = Arc::new(workloads::ec2());
    compile("index/ec2", &ec2);
    plan("deployments/50000", &ec2, |c| {
        workloads::deployments(c, 50_000, 30)
    });
    plan("distinct/5000", &ec2, |c| workloads::distinct(c, 5000));
}
