//! Playing in paused time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Faults, IceOffering, Player, builtin, load, parse};
use crate::clock::Clock;
use crate::world::apiserver::{ApiServer, Config, StateFile};

#[derive(Default)]
struct Noted(Mutex<Vec<String>>);

impl Faults for Noted {
    fn release_images(&self, version: &str) {
        self.0.lock().expect("not poisoned").push(version.to_owned());
    }
    fn never_register(&self, until: Timestamp) {
        self.0.lock().expect("not poisoned").push(until.to_string());
    }
    fn refuse(&self, call: &str, code: &str, times: u32) {
        let text = format!("{call} {code} {times}");
        self.0.lock().expect("not poisoned").push(text);
    }
    fn kill(&self, instance_id: &str) {
        self.0.lock().expect("not poisoned").push(instance_id.to_owned());
    }
    fn spot_interrupt(&self, instance_id: &str) {
        self.0.lock().expect("not poisoned").push(instance_id.to_owned());
    }
    fn make_ice(&self, ice: &IceOffering, until: Timestamp) {
        self.0
            .lock()
            .expect("not poisoned")
            .push(format!("{} until {until}", ice.instance_type));
    }
}

fn world(state: Option<StateFile>) -> (ApiServer, Clock) {
    let clock = Clock::starting_at("2026-01-05T09:00:00Z".parse().expect("a time"));
    let config = Config {
        clock,
        seed: 1,
        state,
    };
    (ApiServer::new(config).expect("a server"), clock)
}

fn replicas(api: &ApiServer, name: &str) -> Value {
    api.get("deployments.apps", "default", name)
        .map_or(Value::Null, |s| s.value()["spec"]["replicas"].clone())
}

#[tokio::test(start_paused = true)]
async fn the_manifests_of_every_scenario_are_accepted() {
    for (name, _) in builtin() {
        let (api, clock) = world(None);
        let scenario = load(name).expect(name);
        let player =
            Player::new(api.clone(), clock, 1, scenario, Arc::new(Noted::default()), None).expect("a player");
        player
            .prepare()
            .unwrap_or_else(|(title, error)| panic!("{name}: {title}: {}", error.message));
        assert!(!api.list("nodepools.karpenter.sh").is_empty(), "{name}");
        for step in &load(name).expect(name).steps {
            player.perform(&step.action);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn steps_come_at_their_times_and_again() {
    let (api, clock) = world(None);
    let scenario = load("inflate").expect("ships");
    let player =
        Player::new(api.clone(), clock, 1, scenario, Arc::new(Noted::default()), None).expect("a player");
    player.prepare().expect("manifests");
    assert_eq!(replicas(&api, "inflate"), 0);
    tokio::spawn(player.run());
    for (seconds, want) in [(21, 20), (241, 40), (1201, 0), (1821, 20)] {
        clock
            .sleep_until(
                clock
                    .start()
                    .checked_add(jiff::SignedDuration::from_secs(seconds))
                    .expect("in range"),
            )
            .await;
        assert_eq!(replicas(&api, "inflate"), want, "at {seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn faults_reach_the_cloud_and_rounds_have_numbers() {
    let (api, clock) = world(None);
    for (node, capacity) in [("a", "spot"), ("b", "spot"), ("c", "on-demand")] {
        let labels = json!({"karpenter.sh/capacity-type": capacity});
        let object = json!({"metadata": {"name": node, "labels": labels},
            "spec": {"providerID": format!("aws:///us-east-1a/i-{node}")}});
        api.create("nodes", "", object).expect("created");
    }
    let text = "scenario:\n  repeat: 1m\n  steps:\n  - {at: 1s, spotInterrupt: {share: 0.5}}\n  - {at: 2s, spotInterrupt: {node: b}}\n  \
        - {at: 3s, iceOffering: {instanceType: m6i.large, zone: us-east-1a, capacityType: spot, for: 10m}}\n  \
        - at: 4s\n    apply: [{apiVersion: v1, kind: ConfigMap, metadata: {name: \"run-${round}\"}, data: {n: \"${round}\"}}]\n  \
        - {at: 5s, patch: {kind: ConfigMap, name: run-1, patch: {data: {n: null, m: x}}}}\n  \
        - {at: 6s, delete: {kind: ConfigMap, name: run-2}}\n";
    let scenario = parse("day.yaml", text).expect("a scenario");
    let noted = Arc::new(Noted::default());
    let player = Player::new(api.clone(), clock, 1, scenario, noted.clone(), None).expect("a player");
    player.prepare().expect("nothing to make");
    tokio::spawn(player.run());
    clock.sleep(Duration::from_secs(10)).await;
    let heard = noted.0.lock().expect("not poisoned").clone();
    assert_eq!(heard.len(), 3);
    assert!(heard[0] == "i-a" || heard[0] == "i-b");
    assert_eq!(heard[1..], ["i-b", "m6i.large until 2026-01-05T09:10:03Z"]);
    let map = api.get("configmaps", "default", "run-1").expect("made");
    assert_eq!(map.value()["data"], json!({"m": "x"}));
    clock.sleep(Duration::from_secs(55)).await;
    assert!(api.get("configmaps", "default", "run-2").is_some());
    clock.sleep(Duration::from_secs(5)).await;
    assert!(api.get("configmaps", "default", "run-2").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_resumed_scenario_goes_on_where_it_was() {
    let dir = std::env::temp_dir().join(format!("kerf-scenario-{}", std::process::id()));
    let state = StateFile::open(&dir).expect("a folder");
    let scenario = load("inflate").expect("ships");
    let faults = Arc::new(Noted::default());
    {
        let (api, clock) = world(Some(state.clone()));
        let player = Player::new(
            api,
            clock,
            1,
            scenario.clone(),
            faults.clone(),
            Some(state.clone()),
        )
        .expect("a player");
        player.prepare().expect("manifests");
        let task = tokio::spawn(player.run());
        clock.sleep(Duration::from_secs(30)).await;
        task.abort();
    }
    let (api, clock) = world(Some(state.clone()));
    assert_eq!(replicas(&api, "inflate"), 20);
    let player = Player::new(api.clone(), clock, 1, scenario, faults, Some(state)).expect("a player");
    player.prepare().expect("all there");
    assert_eq!(replicas(&api, "inflate"), 20, "what exists is left alone");
    tokio::spawn(player.run());
    // The clock was set back to the start: 3 min 40 s lie between the steps at 20 s and at 4 min.
    clock.sleep(Duration::from_secs(215)).await;
    assert_eq!(replicas(&api, "inflate"), 20);
    clock.sleep(Duration::from_secs(10)).await;
    assert_eq!(replicas(&api, "inflate"), 40);
    std::fs::remove_dir_all(dir).expect("removed");
}
