//! Status codes, forms and refusals, request by request.

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::ApiServer;
use super::testing::server;

struct Answer {
    code: u16,
    headers: http::HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    fn reason(&self) -> (u16, String) {
        (
            self.code,
            self.json()["reason"].as_str().unwrap_or_default().to_owned(),
        )
    }
}

async fn ask(server: &ApiServer, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Bytes::from(body.to_owned())).unwrap();
    let (parts, body) = server.handle(request).await.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        code: parts.status.as_u16(),
        headers: parts.headers,
        text: String::from_utf8(body.to_vec()).unwrap(),
    }
}

async fn get(server: &ApiServer, path: &str) -> Answer {
    ask(server, "GET", path, &[], "").await
}

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const A: &str = "/api/v1/namespaces/default/configmaps/a";

fn with_map() -> ApiServer {
    let server = server();
    let map = json!({"metadata": {"name": "a"}, "data": {"k": "v"}});
    server.create("configmaps", "default", map).unwrap();
    server
}

fn why(code: u16, reason: &str) -> (u16, String) {
    (code, reason.to_owned())
}

#[tokio::test(start_paused = true)]
async fn plain_paths() {
    let server = server();
    assert_eq!(get(&server, "/healthz").await.text, "ok");
    assert_eq!(get(&server, "/version?timeout=5s").await.json()["major"], "1");
    assert_eq!(get(&server, "/api").await.json()["kind"], "APIVersions");
    assert_eq!(get(&server, "/apis/apps").await.json()["kind"], "APIGroup");
    for unknown in [
        "/",
        "/apis/nope",
        "/apis/apps/v2/deployments",
        "/openapi/v2",
        "/metrics",
    ] {
        let answer = get(&server, unknown).await;
        assert_eq!(
            (answer.code, answer.text.as_str()),
            (404, "404 page not found\n"),
            "{unknown}"
        );
    }
    let answer = get(&server, "/api/v1/nonsense").await;
    assert_eq!(answer.reason(), why(404, "NotFound"));
    assert_eq!(answer.json()["details"], json!({}));
}

#[tokio::test(start_paused = true)]
async fn wrong_methods_and_types() {
    let server = with_map();
    for (method, path) in [
        ("POST", "/api/v1/configmaps"),
        ("POST", A),
        ("PUT", MAPS),
        ("PATCH", MAPS),
    ] {
        assert_eq!(
            ask(&server, method, path, &[], "{}").await.reason(),
            why(405, "MethodNotAllowed"),
            "{method} {path}"
        );
    }
    let html = ask(&server, "GET", A, &[("accept", "text/html")], "").await;
    assert_eq!(html.reason(), why(406, "NotAcceptable"));
    for (method, path, content_type) in [
        ("POST", MAPS, "application/cbor"),
        ("PATCH", A, "application/json"),
        ("PUT", A, "text/plain"),
    ] {
        let answer = ask(&server, method, path, &[("content-type", content_type)], "{}").await;
        assert_eq!(answer.reason(), why(415, "UnsupportedMediaType"));
    }
    let protobuf = [("content-type", "application/vnd.kubernetes.protobuf")];
    let no_protobuf = ask(&server, "POST", MAPS, &protobuf, "{}").await;
    assert_eq!(no_protobuf.reason(), why(400, "BadRequest"));
    let strategic = [("content-type", "application/strategic-merge-patch+json")];
    let pool = "/apis/karpenter.sh/v1/nodepools/a";
    assert_eq!(ask(&server, "PATCH", pool, &strategic, "{}").await.code, 415);
    assert_eq!(
        ask(&server, "POST", MAPS, &[], "{broken").await.reason(),
        why(400, "BadRequest")
    );
    assert_eq!(
        ask(&server, "POST", MAPS, &[], "[]").await.reason(),
        why(400, "BadRequest")
    );
    assert_eq!(
        ask(
            &server,
            "POST",
            MAPS,
            &[],
            r#"{"kind":"Pod","metadata":{"name":"b"}}"#
        )
        .await
        .reason(),
        why(400, "BadRequest")
    );
    assert_eq!(
        ask(
            &server,
            "POST",
            MAPS,
            &[],
            r#"{"metadata":{"name":"b","namespace":"other"}}"#
        )
        .await
        .code,
        400
    );
    assert_eq!(
        ask(&server, "POST", MAPS, &[], r#"{"metadata":{}}"#)
            .await
            .reason(),
        why(422, "Invalid")
    );
    assert_eq!(
        ask(&server, "POST", MAPS, &[], r#"{"metadata":{"name":"A_b"}}"#)
            .await
            .code,
        422
    );
}

#[tokio::test(start_paused = true)]
async fn patches_guard_versions_and_paths() {
    let server = with_map();
    let merge = [("content-type", "application/merge-patch+json")];
    let stale = r#"{"metadata":{"resourceVersion":"1"},"data":{"k":"w"}}"#;
    assert_eq!(
        ask(&server, "PATCH", A, &merge, stale).await.reason(),
        why(409, "Conflict")
    );
    let gone = ask(&server, "PATCH", A, &merge, r#"{"data":{"k":null,"l":"m"}}"#).await;
    assert_eq!(gone.json()["data"], json!({"l": "m"}));
    let json_patch = [("content-type", "application/json-patch+json")];
    for bad in [
        r#"[{"op":"test","path":"/data/l","value":"x"}]"#,
        r#"[{"op":"remove","path":"/data/zz"}]"#,
    ] {
        assert_eq!(
            ask(&server, "PATCH", A, &json_patch, bad).await.reason(),
            why(422, "Invalid")
        );
    }
    let missing = "/api/v1/namespaces/default/configmaps/zz";
    assert_eq!(ask(&server, "PATCH", missing, &merge, "{}").await.code, 404);
    let before = server.version();
    assert_eq!(ask(&server, "PATCH", A, &merge, "{}").await.code, 200);
    assert_eq!(server.version(), before);
}

#[tokio::test(start_paused = true)]
async fn applies_make_take_over_and_conflict() {
    let server = server();
    let apply = [("content-type", "application/apply-patch+yaml")];
    let body = |value: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{k: {value}}}\n")
    };
    let by = |manager: &str| format!("{A}?fieldManager={manager}");
    assert_eq!(
        ask(&server, "PATCH", A, &apply, &body("v")).await.reason(),
        why(422, "Invalid")
    );
    assert_eq!(
        ask(&server, "PATCH", &by("one"), &apply, "data: {}").await.code,
        400
    );
    assert_eq!(
        ask(&server, "PATCH", &by("one"), &apply, &body("v")).await.code,
        201
    );
    let version = server.version();
    assert_eq!(
        ask(&server, "PATCH", &by("one"), &apply, &body("v")).await.code,
        200
    );
    assert_eq!(server.version(), version);
    let conflict = ask(&server, "PATCH", &by("two"), &apply, &body("w")).await;
    assert_eq!(conflict.reason(), why(409, "Conflict"));
    assert_eq!(
        conflict.json()["details"]["causes"][0]["reason"],
        "FieldManagerConflict"
    );
    assert_eq!(conflict.json()["details"]["causes"][0]["field"], ".data.k");
    let forced = ask(
        &server,
        "PATCH",
        &format!("{}&force=true", by("two")),
        &apply,
        &body("w"),
    )
    .await;
    assert_eq!(forced.json()["data"]["k"], "w");
    // A plain write takes part without asking, and an emptied list of managers stays empty.
    let merge = [
        ("content-type", "application/merge-patch+json"),
        ("user-agent", "three/1"),
    ];
    let plain = ask(&server, "PATCH", A, &merge, r#"{"data":{"k":"x"}}"#).await;
    let managers = plain.json()["metadata"]["managedFields"].clone();
    assert!(
        managers
            .as_array()
            .unwrap()
            .iter()
            .any(|m| m["manager"] == "three" && m["operation"] == "Update")
    );
}

#[tokio::test(start_paused = true)]
async fn deletes_answer_what_is_left() {
    let server = with_map();
    let uid = server.get("configmaps", "default", "a").unwrap().uid.clone();
    let wrong = r#"{"preconditions":{"uid":"other"}}"#;
    assert_eq!(
        ask(&server, "DELETE", A, &[], wrong).await.reason(),
        why(409, "Conflict")
    );
    let gone = ask(&server, "DELETE", A, &[], r#"{"propagationPolicy":"Background"}"#).await;
    assert_eq!(gone.code, 200);
    assert_eq!(gone.json()["status"], "Success");
    assert_eq!(
        gone.json()["details"],
        json!({"name": "a", "kind": "configmaps", "uid": &*uid})
    );
    assert_eq!(
        ask(&server, "DELETE", A, &[], "").await.reason(),
        why(404, "NotFound")
    );
    let foreground = with_map();
    let held = ask(
        &foreground,
        "DELETE",
        A,
        &[],
        r#"{"propagationPolicy":"Foreground"}"#,
    )
    .await;
    assert_eq!(
        held.json()["metadata"]["finalizers"],
        json!(["foregroundDeletion"])
    );
    assert_eq!(
        ask(
            &foreground,
            "DELETE",
            A,
            &[],
            r#"{"propagationPolicy":"Sideways"}"#
        )
        .await
        .code,
        422
    );
}

#[tokio::test(start_paused = true)]
async fn list_options_that_contradict_are_refused() {
    let server = with_map();
    for query in [
        "resourceVersionMatch=Exact",
        "resourceVersionMatch=Exact&resourceVersion=0",
        "resourceVersionMatch=Sometimes&resourceVersion=1",
        "sendInitialEvents=true",
        "watch=true&sendInitialEvents=true",
    ] {
        let answer = get(&server, &format!("{MAPS}?{query}")).await;
        assert_eq!(answer.reason(), why(422, "Invalid"), "{query}");
        assert!(
            answer.json()["message"]
                .as_str()
                .unwrap()
                .starts_with("ListOptions.meta.k8s.io")
        );
    }
    for query in [
        "resourceVersion=x",
        "labelSelector=a%20b%20c",
        "fieldSelector=data.k%3Dv",
        "limit=-1",
    ] {
        assert_eq!(
            get(&server, &format!("{MAPS}?{query}")).await.code,
            400,
            "{query}"
        );
    }
    let ahead = get(&server, &format!("{MAPS}?resourceVersion=9999")).await;
    assert_eq!(ahead.reason(), why(504, "Timeout"));
    assert_eq!(
        ahead.json()["details"]["causes"][0]["reason"],
        "ResourceVersionTooLarge"
    );
    let version = server.version();
    server
        .create("configmaps", "default", json!({"metadata": {"name": "b"}}))
        .unwrap();
    let exact = get(
        &server,
        &format!("{MAPS}?&resourceVersion={version}&resourceVersionMatch=Exact"),
    )
    .await;
    assert_eq!(exact.json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(exact.json()["metadata"]["resourceVersion"], version.to_string());
}

#[tokio::test(start_paused = true)]
async fn tables_carry_columns_and_metadata() {
    let server = with_map();
    let table = [(
        "accept",
        "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
    )];
    let list = ask(&server, "GET", MAPS, &table, "").await.json();
    assert_eq!(list["kind"], "Table");
    assert_eq!(list["rows"][0]["cells"][0], "a");
    assert_eq!(list["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    assert_eq!(list["metadata"]["resourceVersion"], server.version().to_string());
    let watch = format!("{MAPS}?watch=true&resourceVersion=0&timeoutSeconds=1");
    server
        .create("configmaps", "default", json!({"metadata": {"name": "b"}}))
        .unwrap();
    let lines = ask(&server, "GET", &watch, &table, "").await.text;
    let events: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events.len(), 2);
    assert!(events[0]["object"]["columnDefinitions"].is_array());
    assert!(events[1]["object"]["columnDefinitions"].is_null());
}

#[tokio::test(start_paused = true)]
async fn discovery_says_which_form_it_is() {
    let server = server();
    let accept = [(
        "accept",
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json",
    )];
    let new = ask(&server, "GET", "/apis", &accept, "").await;
    assert_eq!(
        new.headers["content-type"],
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    );
    assert_eq!(new.headers["vary"], "Accept");
    let tag = new.headers["etag"].clone();
    let definition = json!({"metadata": {"name": "widgets.example.dev"}, "spec": {"group": "example.dev",
        "scope": "Cluster", "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [{"name": "v1", "storage": true, "served": true,
            "schema": {"openAPIV3Schema": {"type": "object"}}}]}});
    server.create(super::DEFINITIONS, "", definition).unwrap();
    assert_ne!(
        ask(&server, "GET", "/apis", &accept, "").await.headers["etag"],
        tag
    );
    assert_eq!(
        get(&server, "/apis").await.headers["content-type"],
        "application/json"
    );
}

#[tokio::test(start_paused = true)]
async fn scales_are_checked() {
    let server = server();
    let spec = json!({"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template":
        {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}});
    server
        .create(
            "deployments.apps",
            "default",
            json!({"metadata": {"name": "web"}, "spec": spec}),
        )
        .unwrap();
    let path = "/apis/apps/v1/namespaces/default/deployments/web/scale";
    let merge = [("content-type", "application/merge-patch+json")];
    assert_eq!(
        ask(&server, "PATCH", path, &merge, r#"{"spec":{"replicas":-1}}"#)
            .await
            .code,
        422
    );
    let table = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")];
    assert_eq!(
        ask(&server, "GET", path, &table, "").await.json()["rows"][0]["cells"][1],
        2
    );
    assert_eq!(get(&server, &format!("{A}/scale")).await.code, 404);
    let review = ask(
        &server,
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        &[],
        "{}",
    )
    .await;
    assert_eq!(review.json()["status"]["allowed"], true);
}
