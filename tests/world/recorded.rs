//! Recorded runs of Karpenter (tests/data/karpenter_run.json.zst, made by pack_karpenter_run.py from runs of its kwok
//! provider): the embedded API takes the objects, and observing them gives what each run is known to hold.

use std::collections::{BTreeMap, BTreeSet};

use kerf::clock::Clock;
use kerf::model::{Delta, Name, Snapshot};
use kerf::observe::{Observer, Projector, read_only, slim};
use kerf::world::apiserver::{ApiServer, Config};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Run {
    facts: Facts,
    moments: BTreeMap<String, Vec<Value>>,
    watches: BTreeMap<String, Vec<Change>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Facts {
    to: String,
    start: Fleet,
    end: Fleet,
    claims_created: usize,
    claims_deleted: usize,
    pods_created: usize,
    pods_deleted: usize,
    pods_unbound_at_end: usize,
    commands: Vec<Ordered>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fleet {
    nodes: usize,
    usd_per_hour: f64,
    types: BTreeMap<String, usize>,
}

#[derive(Deserialize)]
struct Ordered {
    reason: String,
    nodes: Vec<String>,
}

#[derive(Deserialize)]
struct Change {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    object: Value,
}

fn runs() -> BTreeMap<String, Run> {
    let packed = include_bytes!("../data/karpenter_run.json.zst");
    let text = zstd::decode_all(&packed[..]).expect("zstd");
    serde_json::from_slice(&text).expect("json")
}

/// As it may be created: without what only a server gives.
fn fresh(item: &Value) -> Value {
    let mut item = item.clone();
    if let Some(metadata) = item["metadata"].as_object_mut() {
        for key in [
            "resourceVersion",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
        ] {
            metadata.remove(key);
        }
    }
    item
}

/// What an observer sees of objects that are in an API server.
async fn observed(items: &[Value], at: &str) -> Snapshot {
    let clock = Clock::starting_at(at.parse().expect("time"));
    let server = ApiServer::new(Config {
        clock,
        seed: 1,
        state: None,
    })
    .expect("server");
    for item in items {
        let word = |pointer: &str| item.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (version, kind) = (word("/apiVersion"), word("/kind"));
        // The class of the recorded provider is no kind of ours.
        if kind == "KWOKNodeClass" {
            continue;
        }
        let known = server
            .kind_of(version, kind)
            .unwrap_or_else(|| panic!("{version} {kind}"));
        let namespace = word("/metadata/namespace").to_owned();
        let made = server.create(&known.key, &namespace, fresh(item));
        assert!(made.is_ok(), "{kind} {}: {made:?}", word("/metadata/name"));
    }
    let reader = read_only(server.client("kerf-reader"));
    let mut observer = Observer::start_with(&reader, clock, "", &[]);
    let mut snapshot = Snapshot::default();
    loop {
        let batch = observer.next().await;
        assert_eq!(batch.problems, []);
        snapshot.apply(&batch.deltas);
        if batch.synced {
            break snapshot;
        }
    }
}

fn assert_fleet(name: &str, snapshot: &Snapshot, fleet: &Fleet) {
    let label = |labels: &kerf::model::Labels, key: &str| labels.get(key).map_or("", |v| &**v).to_owned();
    let mut types: BTreeMap<String, usize> = BTreeMap::new();
    let mut usd = 0.0;
    for node in snapshot.nodes.values() {
        let kind = label(&node.labels, "node.kubernetes.io/instance-type");
        let market = label(&node.labels, "karpenter.sh/capacity-type");
        *types.entry(format!("{kind}/{market}")).or_default() += 1;
        usd += label(&node.labels, "eks-node-viewer/instance-price")
            .parse::<f64>()
            .expect("price");
        assert!(node.ready, "{name}: {}", node.name);
        assert!(
            snapshot
                .claims
                .values()
                .any(|c| c.provider_id == node.provider_id),
            "{name}: {}",
            node.name
        );
    }
    assert_eq!(
        (snapshot.nodes.len(), &types),
        (fleet.nodes, &fleet.types),
        "{name}"
    );
    assert!(
        (usd - fleet.usd_per_hour).abs() < 0.0001,
        "{name}: {usd} {fleet:?}"
    );
}

/// First and last moments of each run.
#[tokio::test(start_paused = true)]
async fn both_ends_of_every_run_are_read() {
    for (name, run) in runs() {
        let last = match name.as_str() {
            "one-pod" => "gone",
            "up-100" => "bound",
            "pdb-blocked" => "after",
            "nodepool-deleted" => "recovered",
            _ => "end",
        };
        let start = observed(&run.moments["before"], &run.facts.to).await;
        assert_fleet(&name, &start, &run.facts.start);
        let end = observed(&run.moments[last], &run.facts.to).await;
        assert_fleet(&name, &end, &run.facts.end);
        let unbound = end.pods.values().filter(|p| p.node.is_none()).count();
        assert_eq!(unbound, run.facts.pods_unbound_at_end, "{name}");
        let pool = &end.pools["default"];
        assert_eq!(
            (&*pool.template.class.group, &*pool.template.class.kind),
            ("karpenter.kwok.sh", "KWOKNodeClass")
        );
        // The hash that Karpenter wrote is the one that we would.
        let written = pool.annotations.get("karpenter.sh/nodepool-hash");
        assert_eq!(written, Some(&pool.hash), "{name}");
        for claim in end.claims.values() {
            assert_eq!(claim.pool().map(|p| &**p), Some("default"), "{name}");
        }
    }
}

/// Moments in between: a budget that blocks, a replacement whose node does not come, a pool that is gone.
#[tokio::test(start_paused = true)]
async fn moments_in_between_are_read() {
    let runs = runs();
    let blocked = observed(
        &runs["pdb-blocked"].moments["blocked-consolidation"],
        &runs["pdb-blocked"].facts.to,
    )
    .await;
    assert_eq!((blocked.pdbs.len(), blocked.nodes.len()), (1, 20));
    let flight = observed(&runs["restart"].moments["in-flight"], &runs["restart"].facts.to).await;
    assert_eq!((flight.claims.len(), flight.nodes.len()), (3, 2));
    let tainted: Vec<&Name> = flight
        .nodes
        .values()
        .filter(|n| n.taints.iter().any(|t| &*t.key == "karpenter.sh/disrupted"))
        .map(|n| &n.name)
        .collect();
    assert_eq!(tainted.len(), 1, "the node that is to be replaced");
    let gone = observed(
        &runs["nodepool-deleted"].moments["gone"],
        &runs["nodepool-deleted"].facts.to,
    )
    .await;
    assert_eq!((gone.pools.len(), gone.nodes.len(), gone.claims.len()), (0, 0, 0));
    assert_eq!(gone.pods.values().filter(|p| p.node.is_none()).count(), 220);
}

/// Every change of a watch is read, and the counts and commands are those of the run.
#[test]
fn every_change_of_a_watch_is_read() {
    for (name, run) in runs() {
        let mut projector = Projector::new("");
        let mut snapshot = Snapshot::default();
        let mut reasons: BTreeMap<Name, BTreeSet<Name>> = BTreeMap::new();
        let (mut created, mut deleted) = (BTreeSet::new(), BTreeSet::new());
        for change in &run.watches["nodeclaims"] {
            let object: slim::Claim = serde_json::from_value(change.object.clone()).expect("NodeClaim");
            let row = projector.claim(&object);
            if let Some(reason) = row
                .conditions
                .get("DisruptionReason")
                .filter(|_| row.is("DisruptionReason"))
            {
                reasons
                    .entry(row.name.clone())
                    .or_default()
                    .insert(reason.reason.clone());
            }
            match change.kind.as_str() {
                "ADDED" => drop(created.insert(row.name.clone())),
                "DELETED" => drop(deleted.insert(row.name.clone())),
                _ => {}
            }
            snapshot.apply(&[Delta::Claim(row.into())]);
        }
        for change in &run.watches["nodes"] {
            let object: slim::Node = serde_json::from_value(change.object.clone()).expect("Node");
            let row = projector.node(&object);
            assert!(row.provider_id.starts_with("kwok://"), "{name}: {}", row.name);
            snapshot.apply(&[Delta::Node(row.into())]);
        }
        for change in &run.watches["nodepools"] {
            let object: slim::Pool = serde_json::from_value(change.object.clone()).expect("NodePool");
            let row = projector.pool(&object);
            assert!(
                row.template.requirements.get("kubernetes.io/arch").is_some(),
                "{name}"
            );
            snapshot.apply(&[Delta::Pool(row.into())]);
        }
        assert_eq!(
            (created.len(), deleted.len()),
            (run.facts.claims_created, run.facts.claims_deleted),
            "{name}"
        );
        let pods = |kind: &str| run.watches["pods"].iter().filter(|c| c.kind == kind).count();
        assert_eq!(
            (pods("ADDED"), pods("DELETED")),
            (run.facts.pods_created, run.facts.pods_deleted),
            "{name}"
        );
        let ordered: BTreeMap<Name, BTreeSet<Name>> = run
            .facts
            .commands
            .iter()
            .flat_map(|c| {
                c.nodes
                    .iter()
                    .map(|n| (n.as_str().into(), [c.reason.as_str().into()].into()))
            })
            .collect();
        assert_eq!(reasons, ordered, "{name}");
    }
}
