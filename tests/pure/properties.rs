//! What a plan owes to changes of its input: nothing, or no more than it must. Deterministic seeds; `PROPTEST_CASES` asks
//! for more.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::cluster::{Cluster, taint};
use crate::random::{self, Dice};

/// Runs a property over some cases, the same ones each time.
fn always<S: Strategy>(cases: u32, strategy: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok());
    let config = Config {
        cases: asked.unwrap_or(cases),
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    if let Err(why) = TestRunner::new_with_rng(config, rng).run(strategy, property) {
        panic!("{why}");
    }
}

/// A random cluster by its seed.
fn seeds() -> impl Strategy<Value = u64> {
    0_u64..1_000_000
}

#[test]
fn the_order_of_the_input_does_not_matter() {
    always(200, &(seeds(), any::<u64>()), |(seed, order)| {
        let mut cluster = random::cluster(seed, false);
        let before = cluster.plan_unchecked().fingerprint();
        let mut dice = Dice::new(order);
        dice.shuffle(&mut cluster.objects);
        dice.shuffle(&mut cluster.types);
        prop_assert_eq!(before, cluster.plan_unchecked().fingerprint());
        Ok(())
    });
}

#[test]
fn a_pool_that_nobody_can_use_changes_nothing() {
    always(150, &(seeds(), 0_usize..3, 0_u32..100), |(seed, why, weight)| {
        let mut cluster = random::cluster(seed, false);
        let before = claims_and_rest(&cluster);
        cluster.pool("unusable", &format!("weight: {}", weight + 1));
        let spec = &mut cluster.objects.last_mut().expect("the pool")["spec"];
        match why {
            // No such type, a taint that nobody tolerates (those that tolerate all make it usable), fixed size.
            0 => {
                spec["template"]["spec"]["requirements"] = json!([
                    {"key": "node.kubernetes.io/instance-type", "operator": "In", "values": ["none"]}]);
            }
            1 => {
                if cluster_tolerates_all(&cluster) {
                    return Ok(());
                }
                let spec = &mut cluster.objects.last_mut().expect("the pool")["spec"];
                spec["template"]["spec"]["taints"] = json!([taint("unheard-of", "x", "NoSchedule")]);
                // Its domains still count for spread, as Karpenter has it; it offers none of its own.
                spec["template"]["spec"]["requirements"] =
                    json!([{"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["z1"]}]);
                if cluster_spreads(&cluster) {
                    return Ok(());
                }
            }
            _ => spec["replicas"] = json!(3),
        }
        prop_assert_eq!(before, claims_and_rest(&cluster));
        Ok(())
    });
}

fn cluster_tolerates_all(cluster: &Cluster) -> bool {
    let all = |t: &Value| t["operator"] == "Exists" && t["key"].is_null();
    let tolerations = |o: &Value| o["spec"]["tolerations"].as_array().cloned().unwrap_or_default();
    cluster.objects.iter().any(|o| tolerations(o).iter().any(all))
}

fn cluster_spreads(cluster: &Cluster) -> bool {
    cluster
        .objects
        .iter()
        .any(|o| !o["spec"]["topologySpreadConstraints"].is_null())
}

/// Who goes where and who does not, without the reasons, which name every pool.
fn claims_and_rest(cluster: &Cluster) -> String {
    let plan = cluster.plan_unchecked();
    let left: Vec<String> = plan.unplaced().into_keys().collect();
    let claims: Vec<_> = plan.solution.claims.iter().map(|c| &c.draft).collect();
    serde_json::to_string(&(claims, &plan.solution.existing, left)).expect("JSON")
}

/// A pod without a place that nobody looks at.
fn bystander(cluster: &Cluster, pod: &str) -> bool {
    let name = pod.rsplit('/').next().unwrap_or(pod);
    let is_it = |o: &&Value| o["kind"] == "Pod" && o["metadata"]["name"] == name;
    let object = cluster.objects.iter().find(is_it).expect("the pod");
    let spec = &object["spec"];
    spec["affinity"]["podAntiAffinity"].is_null()
}

#[test]
fn without_a_pod_that_had_no_place_the_rest_stays() {
    always(300, &(seeds(), any::<usize>()), |(seed, which)| {
        let mut cluster = random::cluster(seed, false);
        let plan = cluster.plan_unchecked();
        let left: Vec<String> = plan
            .unplaced()
            .into_keys()
            .filter(|p| bystander(&cluster, p))
            .collect();
        if left.is_empty() {
            return Ok(());
        }
        let gone = left[which % left.len()].clone();
        let before = (plan.claims(), plan.existing());
        drop(plan);
        let name = gone.rsplit('/').next().unwrap_or(&gone).to_owned();
        cluster
            .objects
            .retain(|o| o["kind"] != "Pod" || o["metadata"]["name"] != name.as_str());
        let after = cluster.plan_unchecked();
        prop_assert_eq!(before, (after.claims(), after.existing()), "without {}", gone);
        Ok(())
    });
}

/// Plain pods of some sizes.
fn sizes() -> impl Strategy<Value = Vec<(u32, u32, usize)>> {
    prop::collection::vec((1_u32..30, 1_u32..60, 1_usize..9), 1..6)
}

#[test]
fn a_deployment_and_its_pods_one_by_one_are_the_same() {
    // One owner of n equal pods, or n owners of one each: equal pods have equal places.
    always(60, &sizes(), |sizes| {
        let build = |split: bool| {
            let mut c = Cluster::new();
            for (i, (cpu, memory, n)) in sizes.iter().enumerate() {
                for k in 0..*n {
                    let owner = if split {
                        format!("d{i}-{k}")
                    } else {
                        format!("d{i}")
                    };
                    c.pod(
                        &format!("p{i}-{k}"),
                        &format!(
                            "cpu: {}m\nmemory: {}Mi\nlabels: {{owner: {owner}}}\nmetadata: {{ownerReferences: \
                             [{{apiVersion: apps/v1, kind: ReplicaSet, name: {owner}, uid: {owner}}}]}}",
                            cpu * 100,
                            memory * 64
                        ),
                    );
                }
            }
            c
        };
        let (whole, split) = (build(false), build(true));
        prop_assert_eq!(whole.plan().fingerprint(), split.plan().fingerprint());
        Ok(())
    });
}

#[test]
fn twice_the_pods_on_twice_the_machines_is_the_same_plan() {
    always(60, &sizes(), |sizes| {
        let build = |times: u32| {
            let mut c = Cluster::new();
            for kind in &mut c.types {
                for (resource, unit) in [("cpu", ""), ("memory", "Gi")] {
                    let text = kind["resources"][resource].as_str().expect("text").to_owned();
                    let amount: u32 = text.trim_end_matches(unit).parse().expect("a number");
                    kind["resources"][resource] = json!(format!("{}{unit}", amount * times));
                }
            }
            c.node("n1", "z1", "");
            for object in &mut c.objects {
                for field in ["capacity", "allocatable"] {
                    if !object["status"][field].is_null() {
                        object["status"][field]["cpu"] = json!((16 * times).to_string());
                        object["status"][field]["memory"] = json!(format!("{}Gi", 32 * times));
                    }
                }
            }
            for (i, (cpu, memory, n)) in sizes.iter().enumerate() {
                let wants = format!("cpu: {}m\nmemory: {}Mi", cpu * 100 * times, memory * 64 * times);
                c.pods(*n, &format!("p{i}"), &wants);
            }
            c
        };
        let (one, two) = (build(1), build(2));
        let (a, b) = (one.plan(), two.plan());
        prop_assert_eq!(a.claims(), b.claims());
        prop_assert_eq!(a.existing(), b.existing());
        prop_assert_eq!(a.launches(), b.launches());
        prop_assert_eq!(a.unplaced(), b.unplaced());
        Ok(())
    });
}
