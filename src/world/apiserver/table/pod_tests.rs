use serde_json::json;

use super::*;
use crate::world::apiserver::testkit::kind;

/// Ready, Status, Restarts.
fn seen(pod: &Value) -> String {
    let now = "2026-01-05T10:00:00Z".parse().unwrap();
    let table = render(
        &kind("pods"),
        std::slice::from_ref(pod),
        IncludeObject::None,
        now,
        true,
    );
    let cell = |i: usize| {
        table["rows"][0]["cells"][i]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    format!("{} {} {}", cell(1), cell(2), cell(3))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "`json!` makes the argument at the call"
)]
fn pod(status: Value) -> Value {
    json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}]}, "status": status})
}

#[test]
fn plain_states() {
    let running = json!({"running": {}});
    for (want, status) in [
        ("0/2 Pending 0", json!({"phase": "Pending"})),
        ("0/2 Evicted 0", json!({"phase": "Failed", "reason": "Evicted"})),
        (
            "0/2 SchedulingGated 0",
            json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]}),
        ),
        (
            "2/2 Running 0",
            json!({"phase": "Running", "containerStatuses": [{"ready": true, "state": running}, {"ready": true, "state": running}]}),
        ),
        (
            "1/2 CrashLoopBackOff 4 (3m ago)",
            json!({"phase": "Running", "containerStatuses": [{"ready": true, "state": running},
                {"ready": false, "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                 "lastState": {"terminated": {"finishedAt": "2026-01-05T09:57:00Z"}}}]}),
        ),
        (
            "0/2 Completed 0",
            json!({"phase": "Succeeded", "containerStatuses": [{"state": {"terminated": {"reason": "Completed"}}}]}),
        ),
        (
            "0/2 ExitCode:3 0",
            json!({"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 3}}}]}),
        ),
        (
            "0/2 Signal:9 0",
            json!({"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"signal": 9}}}]}),
        ),
        // One container has ended, the other still runs.
        (
            "1/2 NotReady 0",
            json!({"phase": "Running", "containerStatuses": [{"state": {"terminated": {"reason": "Completed"}}},
                {"ready": true, "state": running}]}),
        ),
    ] {
        assert_eq!(seen(&pod(status)), want);
    }
}

#[test]
fn init_containers() {
    let with = |init: Value, statuses: Value| {
        json!({"spec": {"initContainers": init, "containers": [{"name": "a"}]},
            "status": {"phase": "Pending", "initContainerStatuses": statuses,
                "containerStatuses": [{"ready": false, "state": {"waiting": {"reason": "PodInitializing"}}}]}})
    };
    let plain = json!([{"name": "i"}, {"name": "j"}, {"name": "k"}]);
    let done = json!({"name": "i", "state": {"terminated": {"exitCode": 0}}});
    for (want, statuses) in [
        ("0/1 Init:0/3 0", json!([{"name": "i", "state": {"running": {}}}])),
        (
            "0/1 Init:1/3 0",
            json!([done, {"name": "j", "state": {"waiting": {"reason": "PodInitializing"}}}]),
        ),
        (
            "0/1 Init:Error 2",
            json!([done, {"name": "j", "restartCount": 2, "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]),
        ),
        (
            "0/1 Init:ExitCode:1 0",
            json!([{"name": "i", "state": {"terminated": {"exitCode": 1}}}]),
        ),
        (
            "0/1 Init:ImagePullBackOff 0",
            json!([{"name": "i", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]),
        ),
        ("0/1 PodInitializing 0", json!([done])),
    ] {
        assert_eq!(seen(&with(plain.clone(), statuses)), want);
    }
    // A sidecar that has started counts as ready and lets the others go on.
    let sidecar = json!([{"name": "i", "restartPolicy": "Always"}]);
    let started =
        json!([{"name": "i", "started": true, "ready": true, "restartCount": 1, "state": {"running": {}}}]);
    assert_eq!(seen(&with(sidecar, started)), "1/2 PodInitializing 1");
}

#[test]
fn deletion() {
    let mut gone = pod(json!({"phase": "Running"}));
    gone["metadata"] = json!({"deletionTimestamp": "2026-01-05T10:00:00Z"});
    assert_eq!(seen(&gone), "0/2 Terminating 0");
    gone["status"]["phase"] = json!("Succeeded");
    assert_eq!(seen(&gone), "0/2 Succeeded 0");
    gone["status"]["reason"] = json!("NodeLost");
    assert_eq!(seen(&gone), "0/2 Unknown 0");
}
