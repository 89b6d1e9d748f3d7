//! kube-rs' own helpers against the server: recorder, finalizer, entry, reflector.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::{ConfigMap, Event};
use kube::Resource;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use kube::runtime::controller::Action;
use kube::runtime::events::{EventType, Recorder, Reporter};
use kube::runtime::finalizer::{Event as Step, finalizer};
use kube::runtime::{WatchStreamExt, reflector, watcher};
use serde_json::json;

use super::testing::server;

fn map(name: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}, "data": {"k": "v"}})).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_recorder_repeats_into_a_series() {
    let server = server();
    let client = server.client("recorder");
    let api: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let made = api.create(&PostParams::default(), &map("a")).await.unwrap();
    let recorder = Recorder::new(client.clone(), Reporter::from("kerf"));
    let event = kube::runtime::events::Event {
        type_: EventType::Normal,
        reason: "Tested".to_owned(),
        note: Some("it works".to_owned()),
        action: "Test".to_owned(),
        secondary: None,
    };
    for _ in 0..3 {
        recorder.publish(&event, &made.object_ref(&())).await.unwrap();
    }
    let events: Api<Event> = Api::default_namespaced(client);
    let seen = events.list(&ListParams::default()).await.unwrap().items;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].message.as_deref(), Some("it works"));
    assert_eq!(seen[0].series.as_ref().unwrap().count, Some(3));
}

#[tokio::test(start_paused = true)]
async fn the_finalizer_helper_runs_both_ways() {
    let server = server();
    let api: Api<ConfigMap> = Api::default_namespaced(server.client("finalizer"));
    api.create(&PostParams::default(), &map("a")).await.unwrap();
    let round = || async {
        let object = Arc::new(api.get("a").await.unwrap());
        let mut cleaned = false;
        finalizer(&api, "kerf.dev/test", object, |step| {
            cleaned = matches!(step, Step::Cleanup(_));
            async { Ok::<_, std::convert::Infallible>(Action::await_change()) }
        })
        .await
        .unwrap();
        cleaned
    };
    round().await;
    assert_eq!(
        api.get("a").await.unwrap().metadata.finalizers.unwrap(),
        ["kerf.dev/test"]
    );
    assert!(!round().await);
    api.delete("a", &DeleteParams::default()).await.unwrap();
    assert!(round().await);
    assert!(api.get_opt("a").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn entries_create_and_change() {
    let server = server();
    let api: Api<ConfigMap> = Api::default_namespaced(server.client("entry"));
    for value in ["one", "two"] {
        let mut entry = api.entry("a").await.unwrap().or_insert(|| map("a"));
        entry
            .get_mut()
            .data
            .get_or_insert_default()
            .insert("k".to_owned(), value.to_owned());
        entry.commit(&PostParams::default()).await.unwrap();
        assert_eq!(api.get("a").await.unwrap().data.unwrap()["k"], value);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reflector_follows_for_hours() {
    let server = server();
    let api: Api<ConfigMap> = Api::default_namespaced(server.client("reflector"));
    let (store, writer) = reflector::store();
    let following = tokio::spawn(
        watcher(api.clone(), watcher::Config::default())
            .default_backoff()
            .reflect(writer)
            .for_each(|event| async { drop(event.unwrap()) }),
    );
    for hour in 0..5 {
        api.create(&PostParams::default(), &map(&format!("m{hour}")))
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(store.len(), hour + 1);
    }
    api.delete("m0", &DeleteParams::default()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(store.len(), 4);
    following.abort();
}
