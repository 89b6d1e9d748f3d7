//! The server as kube-rs sees it.

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{
    Api, DeleteParams, EvictParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams,
};
use kube::runtime::watcher;
use kube::{Client, Error};
use serde_json::{Value, json};

use super::ApiServer;
use super::testing::server;

pub fn world() -> (ApiServer, Client) {
    let server = server();
    let client = server.client("tester/1");
    (server, client)
}

pub fn configmap(name: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name, "labels": {"app": name}}, "data": {"k": "v"}}))
        .unwrap()
}

fn pod(name: &str) -> Value {
    json!({"metadata": {"name": name, "labels": {"app": "web"}},
        "spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "i"}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}})
}

pub fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> (u16, String) {
    match result.unwrap_err() {
        Error::Api(status) => (status.code, status.message.clone()),
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn create_get_replace_and_conflict() {
    let (server, client) = world();
    let api: Api<ConfigMap> = Api::default_namespaced(client);
    let made = api.create(&PostParams::default(), &configmap("a")).await.unwrap();
    assert!(made.metadata.uid.is_some() && made.metadata.generation.is_none());
    let again = code(api.create(&PostParams::default(), &configmap("a")).await);
    assert_eq!(again, (409, "configmaps \"a\" already exists".to_owned()));
    let mut next = made.clone();
    next.data.as_mut().unwrap().insert("k".to_owned(), "w".to_owned());
    let next = api.replace("a", &PostParams::default(), &next).await.unwrap();
    assert_ne!(next.metadata.resource_version, made.metadata.resource_version);
    let mut stale = made;
    stale
        .data
        .as_mut()
        .unwrap()
        .insert("k".to_owned(), "x".to_owned());
    let stale = code(api.replace("a", &PostParams::default(), &stale).await);
    assert_eq!(stale.0, 409);
    assert!(stale.1.contains("the object has been modified"));
    let version = server.version();
    api.replace("a", &PostParams::default(), &next).await.unwrap();
    assert_eq!(server.version(), version);
    assert_eq!(code(api.get("zz").await).0, 404);
    assert_eq!(server.writes()["tester"], 5);
}

#[tokio::test(start_paused = true)]
async fn dry_runs_store_nothing() {
    let (server, client) = world();
    let api: Api<ConfigMap> = Api::default_namespaced(client);
    let version = server.version();
    let dry = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let made = api.create(&dry, &configmap("a")).await.unwrap();
    assert_eq!(made.metadata.resource_version, None);
    api.create(&PostParams::default(), &configmap("a")).await.unwrap();
    api.delete("a", &DeleteParams::default().dry_run()).await.unwrap();
    let patch = Patch::Merge(json!({"data": {"k": "dry"}}));
    let patched = api
        .patch("a", &PatchParams::default().dry_run(), &patch)
        .await
        .unwrap();
    assert_eq!(patched.data.unwrap()["k"], "dry");
    assert_eq!(server.version(), version + 1);
    assert_eq!(server.writes()["tester"], 1);
    assert_eq!(server.requests()["tester"], 4);
}

#[tokio::test(start_paused = true)]
async fn a_status_write_leaves_the_rest_alone() {
    let (_server, client) = world();
    let api: Api<Deployment> = Api::default_namespaced(client);
    let deployment = json!({"metadata": {"name": "web"}, "status": {"replicas": 9}, "spec": {"replicas": 1,
        "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "i"}]}}}});
    let made = api
        .create(
            &PostParams::default(),
            &serde_json::from_value(deployment).unwrap(),
        )
        .await
        .unwrap();
    assert_eq!(made.status.and_then(|s| s.replicas), None);
    assert_eq!(made.metadata.generation, Some(1));
    let patch = json!({"spec": {"replicas": 5}, "status": {"replicas": 1}});
    let status = api
        .patch_status("web", &PatchParams::default(), &Patch::Merge(&patch))
        .await
        .unwrap();
    assert_eq!(status.spec.as_ref().and_then(|s| s.replicas), Some(1));
    assert_eq!(status.status.and_then(|s| s.replicas), Some(1));
    assert_eq!(status.metadata.generation, Some(1));
    let main = api
        .patch(
            "web",
            &PatchParams::default(),
            &Patch::Merge(&json!({"spec": {"replicas": 5}, "status": null})),
        )
        .await
        .unwrap();
    assert_eq!(main.status.and_then(|s| s.replicas), Some(1));
    assert_eq!(main.metadata.generation, Some(2));
    let scale = api.get_scale("web").await.unwrap();
    assert_eq!(scale.spec.unwrap().replicas, Some(5));
    assert_eq!(scale.status.unwrap().selector.unwrap(), "app=web");
    api.patch_scale(
        "web",
        &PatchParams::default(),
        &Patch::Merge(&json!({"spec": {"replicas": 7}})),
    )
    .await
    .unwrap();
    assert_eq!(api.get("web").await.unwrap().spec.unwrap().replicas, Some(7));
}

#[tokio::test(start_paused = true)]
async fn a_watcher_with_small_pages_sees_all_and_then_lives() {
    let (server, client) = world();
    let api: Api<ConfigMap> = Api::default_namespaced(client);
    for name in ["a", "b", "c", "d", "e"] {
        api.create(&PostParams::default(), &configmap(name))
            .await
            .unwrap();
    }
    for config in [
        watcher::Config::default().page_size(2),
        watcher::Config::default().streaming_lists(),
    ] {
        let mut events = Box::pin(watcher(api.clone(), config));
        let mut seen = Vec::new();
        loop {
            match events.try_next().await.unwrap().unwrap() {
                watcher::Event::InitApply(map) => seen.push(map.metadata.name.unwrap()),
                watcher::Event::InitDone => break,
                _ => {}
            }
        }
        assert_eq!(seen, ["a", "b", "c", "d", "e"]);
        server
            .update("configmaps", "default", "c", &mut |map| {
                map["data"]["n"] = json!(map["metadata"]["resourceVersion"]);
            })
            .unwrap();
        let event = events.try_next().await.unwrap().unwrap();
        assert!(matches!(event, watcher::Event::Apply(map) if map.metadata.name.as_deref() == Some("c")));
    }
}

#[tokio::test(start_paused = true)]
async fn pages_show_the_first_pages_state() {
    let (server, client) = world();
    let api: Api<ConfigMap> = Api::default_namespaced(client);
    for name in ["a", "b", "c"] {
        api.create(&PostParams::default(), &configmap(name))
            .await
            .unwrap();
    }
    let first = api.list(&ListParams::default().limit(2)).await.unwrap();
    assert_eq!(first.metadata.remaining_item_count, Some(1));
    let token = first.metadata.continue_.clone().unwrap();
    api.delete("c", &DeleteParams::default()).await.unwrap();
    api.create(&PostParams::default(), &configmap("d")).await.unwrap();
    let second = api
        .list(&ListParams::default().limit(2).continue_token(&token))
        .await
        .unwrap();
    let names: Vec<_> = second
        .items
        .iter()
        .map(|m| m.metadata.name.clone().unwrap())
        .collect();
    assert_eq!(names, ["c"]);
    assert_eq!(second.metadata.resource_version, first.metadata.resource_version);
    server.compact();
    let expired = api
        .list(&ListParams::default().limit(2).continue_token(&token))
        .await;
    assert_eq!(code(expired).0, 410);
    assert_eq!(
        code(api.list(&ListParams::default().continue_token("zz")).await).0,
        400
    );
}

#[tokio::test(start_paused = true)]
async fn selector_watches_translate() {
    let (_server, client) = world();
    let api: Api<ConfigMap> = Api::default_namespaced(client);
    api.create(&PostParams::default(), &configmap("a")).await.unwrap();
    let params = WatchParams::default().labels("app=a").timeout(60);
    let events = api.watch(&params, "0").await.unwrap();
    let relabel = |to: &str| Patch::Merge(json!({"metadata": {"labels": {"app": to}}}));
    let gone = api
        .patch("a", &PatchParams::default(), &relabel("z"))
        .await
        .unwrap();
    api.patch("a", &PatchParams::default(), &relabel("y"))
        .await
        .unwrap();
    api.patch("a", &PatchParams::default(), &relabel("a"))
        .await
        .unwrap();
    let events: Vec<_> = events.try_collect().await.unwrap();
    let kinds: Vec<String> = events
        .iter()
        .map(|event| match event {
            WatchEvent::Added(_) => "added".to_owned(),
            WatchEvent::Deleted(map) => {
                assert_eq!(map.metadata.labels.as_ref().unwrap()["app"], "a");
                assert_eq!(map.metadata.resource_version, gone.metadata.resource_version);
                "deleted".to_owned()
            }
            WatchEvent::Bookmark(_) => "bookmark".to_owned(),
            other => format!("{other:?}"),
        })
        .collect();
    // The first bookmark ends the initial events, the last comes with the time-out.
    assert_eq!(kinds, ["added", "bookmark", "deleted", "added", "bookmark"]);
}

#[tokio::test(start_paused = true)]
async fn an_old_place_is_an_event_not_a_status() {
    let (server, client) = world();
    let api: Api<ConfigMap> = Api::default_namespaced(client);
    api.create(&PostParams::default(), &configmap("a")).await.unwrap();
    api.create(&PostParams::default(), &configmap("b")).await.unwrap();
    server.compact();
    let events: Vec<_> = api
        .watch(&WatchParams::default(), "1")
        .await
        .unwrap()
        .collect()
        .await;
    assert_eq!(events.len(), 1);
    match &events[0] {
        Ok(WatchEvent::Error(status)) => {
            assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
            assert!(status.message.starts_with("too old resource version: 1 ("));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_compaction_makes_a_watcher_list_again_once() {
    let (server, client) = world();
    let api: Api<ConfigMap> = Api::default_namespaced(client);
    api.create(&PostParams::default(), &configmap("a")).await.unwrap();
    let mut events = Box::pin(watcher(api, watcher::Config::default()));
    let later = tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
        server.compact();
    });
    let (mut inits, mut rounds) = (0, 0);
    while let Ok(Some(event)) =
        tokio::time::timeout(std::time::Duration::from_secs(3600), events.next()).await
    {
        match event {
            Ok(watcher::Event::InitDone) => inits += 1,
            Err(_) => rounds += 1,
            _ => {}
        }
    }
    later.await.unwrap();
    assert_eq!((inits, rounds), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn evictions_ask_the_budget() {
    let (server, client) = world();
    for name in ["a", "b"] {
        server.create("pods", "default", pod(name)).unwrap();
    }
    let budget = json!({"metadata": {"name": "web"}, "spec": {"minAvailable": 1,
        "selector": {"matchLabels": {"app": "web"}}}});
    server
        .create("poddisruptionbudgets.policy", "default", budget)
        .unwrap();
    let api: Api<Pod> = Api::default_namespaced(client);
    let unseen = code(api.evict("a", &EvictParams::default()).await);
    assert_eq!(unseen.0, 429);
    let allow = |allowed: i64| {
        server
            .update("poddisruptionbudgets.policy", "default", "web", &mut |budget| {
                budget["status"] = json!({"observedGeneration": 1, "disruptionsAllowed": allowed,
                    "currentHealthy": 1 + allowed, "desiredHealthy": 1, "expectedPods": 2});
            })
            .unwrap();
    };
    allow(0);
    match api.evict("a", &EvictParams::default()).await.unwrap_err() {
        Error::Api(status) => {
            assert_eq!(status.code, 429);
            assert_eq!(status.reason, "TooManyRequests");
            let cause = &status.details.as_ref().unwrap().causes[0];
            assert_eq!(cause.reason, "DisruptionBudget");
            assert_eq!(
                cause.message,
                "The disruption budget web needs 1 healthy pods and has 1 currently"
            );
        }
        other => panic!("{other}"),
    }
    allow(1);
    api.evict("a", &EvictParams::default()).await.unwrap();
    let evicted = api.get("a").await.unwrap();
    assert_eq!(evicted.metadata.deletion_grace_period_seconds, Some(30));
    let conditions = evicted.status.unwrap().conditions.unwrap();
    assert!(conditions.iter().any(|c| c.type_ == "DisruptionTarget"));
    let budget = server
        .get("poddisruptionbudgets.policy", "default", "web")
        .unwrap()
        .value();
    assert_eq!(budget["status"]["disruptionsAllowed"], 0);
    assert!(budget["status"]["disruptedPods"]["a"].is_string());
    assert_eq!(code(api.evict("b", &EvictParams::default()).await).0, 429);
}

#[tokio::test(start_paused = true)]
async fn bindings_put_a_pod_on_a_node_once() {
    let (server, client) = world();
    let node = json!({"metadata": {"name": "n9", "labels": {"topology.kubernetes.io/zone": "us-east-1a"}}});
    server.create("nodes", "", node).unwrap();
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    server.create("pods", "default", pod).unwrap();
    let api: Api<Pod> = Api::default_namespaced(client);
    let binding = json!({"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n9"}});
    let parameters = PostParams::default();
    let bind = || api.create_subresource::<Value, Value>("binding", "p", &parameters, &binding);
    assert_eq!(bind().await.unwrap()["status"], "Success");
    let bound = api.get("p").await.unwrap();
    assert_eq!(bound.spec.unwrap().node_name.unwrap(), "n9");
    assert_eq!(
        bound.metadata.labels.unwrap()["topology.kubernetes.io/zone"],
        "us-east-1a"
    );
    assert_eq!(bound.metadata.generation, Some(1));
    assert_eq!(code(bind().await).0, 409);
}
