//! Single kinds as kube-rs sees them: leases, events, namespaces, definitions, metadata.

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Node};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::json;

use super::DeleteOptions;
use super::client_tests::{code, configmap, world};

#[tokio::test(start_paused = true)]
async fn leases_are_made_by_an_update_and_lock() {
    let (_server, client) = world();
    let api: Api<Lease> = Api::namespaced(client, "kube-system");
    let lease: Lease =
        serde_json::from_value(json!({"metadata": {"name": "l"}, "spec": {"holderIdentity": "a"}})).unwrap();
    let made = api.replace("l", &PostParams::default(), &lease).await.unwrap();
    let mut mine = made.clone();
    mine.spec.as_mut().unwrap().holder_identity = Some("b".to_owned());
    api.replace("l", &PostParams::default(), &mine).await.unwrap();
    let mut late = made;
    late.spec.as_mut().unwrap().holder_identity = Some("c".to_owned());
    assert_eq!(code(api.replace("l", &PostParams::default(), &late).await).0, 409);
}

#[tokio::test(start_paused = true)]
async fn a_node_has_a_fresh_lease() {
    let (server, client) = world();
    server
        .create("nodes", "", json!({"metadata": {"name": "n1"}}))
        .unwrap();
    tokio::time::advance(std::time::Duration::from_secs(3605)).await;
    let api: Api<Lease> = Api::namespaced(client, "kube-node-lease");
    let lease = api.get("n1").await.unwrap();
    assert_eq!(
        lease.spec.unwrap().renew_time.unwrap().0.to_string(),
        "2026-01-05T10:00:00Z"
    );
    assert_eq!(code(api.get("n2").await).0, 404);
}

#[tokio::test(start_paused = true)]
async fn events_show_in_both_groups() {
    use k8s_openapi::api::core::v1::Event as CoreEvent;
    use k8s_openapi::api::events::v1::Event;
    let (_server, client) = world();
    let new: Api<Event> = Api::default_namespaced(client.clone());
    let core: Api<CoreEvent> = Api::default_namespaced(client);
    let event: Event = serde_json::from_value(json!({"metadata": {"name": "e"}, "eventTime": "2026-01-05T09:00:00.000000Z",
        "reportingController": "kerf", "reportingInstance": "i", "action": "Act", "reason": "R", "note": "hello",
        "type": "Normal", "regarding": {"kind": "Node", "name": "n"}})).unwrap();
    new.create(&PostParams::default(), &event).await.unwrap();
    let seen = core.get("e").await.unwrap();
    assert_eq!(seen.message.as_deref(), Some("hello"));
    assert_eq!(seen.reporting_component.as_deref(), Some("kerf"));
    assert_eq!(seen.involved_object.name.as_deref(), Some("n"));
    let patch = json!({"series": {"count": 2, "lastObservedTime": "2026-01-05T09:01:00.000000Z"}});
    let patched = new
        .patch("e", &PatchParams::default(), &Patch::Merge(patch))
        .await
        .unwrap();
    assert_eq!(patched.note.as_deref(), Some("hello"));
    assert_eq!(
        core.list(&ListParams::default()).await.unwrap().items[0]
            .series
            .as_ref()
            .unwrap()
            .count,
        Some(2)
    );
    assert_eq!(
        new.list(&ListParams::default()).await.unwrap().items[0]
            .note
            .as_deref(),
        Some("hello")
    );
}

#[tokio::test(start_paused = true)]
async fn namespaces_guard_their_content_and_end_through_finalize() {
    let (server, client) = world();
    let api: Api<Namespace> = Api::all(client.clone());
    api.create(
        &PostParams::default(),
        &serde_json::from_value(json!({"metadata": {"name": "x"}})).unwrap(),
    )
    .await
    .unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "x");
    let nowhere: Api<ConfigMap> = Api::namespaced(client.clone(), "nowhere");
    assert_eq!(
        code(nowhere.create(&PostParams::default(), &configmap("a")).await).0,
        404
    );
    let mut held = configmap("held");
    held.metadata.finalizers = Some(vec!["a/b".to_owned()]);
    maps.create(&PostParams::default(), &held).await.unwrap();
    api.delete("x", &DeleteParams::default()).await.unwrap();
    assert_eq!(
        api.get("x").await.unwrap().status.unwrap().phase.as_deref(),
        Some("Terminating")
    );
    assert_eq!(
        code(maps.create(&PostParams::default(), &configmap("a")).await).0,
        403
    );
    let request = http::Request::put("/api/v1/namespaces/x/finalize")
        .body(serde_json::to_vec(&json!({"metadata": {"name": "x"}, "spec": {"finalizers": []}})).unwrap())
        .unwrap();
    client.request::<Namespace>(request).await.unwrap();
    assert!(server.get("namespaces", "", "x").is_none());
}

#[tokio::test(start_paused = true)]
async fn definitions_bring_kinds() {
    let (server, client) = world();
    let definition = json!({"metadata": {"name": "widgets.example.dev"}, "spec": {"group": "example.dev",
        "scope": "Cluster", "names": {"plural": "widgets", "kind": "Widget", "singular": "widget"},
        "versions": [{"name": "v1", "storage": true, "served": true, "schema": {"openAPIV3Schema":
            {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}, "subresources": {"status": {}}}]}});
    let discovery = kube::Discovery::new(client.clone()).run().await.unwrap();
    assert!(!discovery.has_group("example.dev"));
    server.create(super::DEFINITIONS, "", definition).unwrap();
    for discovery in [
        kube::Discovery::new(client.clone()).run().await.unwrap(),
        kube::Discovery::new(client.clone())
            .run_aggregated()
            .await
            .unwrap(),
    ] {
        let group = discovery.get("example.dev").unwrap();
        let (resource, capabilities) = group.recommended_kind("Widget").unwrap();
        assert_eq!(resource.plural, "widgets");
        assert_eq!(capabilities.scope, kube::discovery::Scope::Cluster);
        let api: Api<kube::api::DynamicObject> = Api::all_with(client.clone(), &resource);
        let name = format!("w{}", api.list(&ListParams::default()).await.unwrap().items.len());
        let widget = kube::api::DynamicObject::new(&name, &resource).data(json!({"spec": {"x": 1}}));
        let made = api.create(&PostParams::default(), &widget).await.unwrap();
        assert_eq!(made.metadata.generation, Some(1));
        // An update of a custom resource has to say which version it saw.
        assert_eq!(
            code(api.replace(&name, &PostParams::default(), &widget).await).0,
            422
        );
    }
    server
        .delete(
            super::DEFINITIONS,
            "",
            "widgets.example.dev",
            &DeleteOptions::default(),
        )
        .unwrap();
    assert!(server.list("widgets.example.dev").is_empty());
}

#[tokio::test(start_paused = true)]
async fn metadata_and_collections() {
    let (_server, client) = world();
    let api: Api<Node> = Api::all(client);
    for name in ["n1", "n2"] {
        let node = json!({"metadata": {"name": name, "labels": {"pool": name}}});
        api.create(&PostParams::default(), &serde_json::from_value(node).unwrap())
            .await
            .unwrap();
    }
    let metadata = api.list_metadata(&ListParams::default()).await.unwrap();
    assert_eq!(metadata.items.len(), 2);
    assert_eq!(
        api.get_metadata("n1").await.unwrap().metadata.name.as_deref(),
        Some("n1")
    );
    let gone = api
        .delete_collection(&DeleteParams::default(), &ListParams::default().labels("pool=n1"))
        .await
        .unwrap();
    assert_eq!(gone.left().unwrap().items.len(), 1);
    assert_eq!(api.list(&ListParams::default()).await.unwrap().items.len(), 1);
}
