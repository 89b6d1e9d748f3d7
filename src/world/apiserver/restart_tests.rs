//! A world on disk goes on where its process was killed.

use std::path::Path;

use serde_json::json;

use super::{ApiServer, Config, StateFile};
use crate::clock::Clock;

fn open(dir: &Path) -> ApiServer {
    ApiServer::new(Config {
        clock: Clock::starting_at("2026-01-05T09:00:00Z".parse().unwrap()),
        seed: 7,
        state: Some(StateFile::open(dir).unwrap()),
    })
    .unwrap()
}

#[tokio::test(start_paused = true)]
async fn objects_versions_and_names_resume() {
    let dir = std::env::temp_dir().join(format!("kerf-restart-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    let pod = || json!({"metadata": {"generateName": "web-"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    // The same writes without a restart say what a restart must not change.
    let reference = super::testing::server();
    let run = |server: &ApiServer| {
        let made = server.create("pods", "default", pod()).unwrap();
        (made.name.clone(), made.uid.clone(), made.version)
    };
    let expected = [run(&reference), run(&reference), run(&reference)];

    let server = open(&dir);
    let definition = json!({"metadata": {"name": "widgets.example.dev"}, "spec": {"group": "example.dev",
        "scope": "Cluster", "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [{"name": "v1", "storage": true, "served": true}]}});
    let first = run(&server);
    let second = run(&server);
    drop(server);
    let server = open(&dir);
    let third = run(&server);
    assert_eq!([first, second, third.clone()], expected);

    server.create(super::DEFINITIONS, "", definition).unwrap();
    server
        .create("widgets.example.dev", "", json!({"metadata": {"name": "w"}}))
        .unwrap();
    server
        .delete("pods", "default", &third.0, &super::DeleteOptions::default())
        .unwrap();
    let version = server.version();
    drop(server);
    let server = open(&dir);
    assert_eq!(server.version(), version);
    assert_eq!(server.list("pods").len(), 2);
    assert!(server.get("widgets.example.dev", "", "w").is_some());
    drop(server);
    std::fs::remove_dir_all(&dir).unwrap();
}
