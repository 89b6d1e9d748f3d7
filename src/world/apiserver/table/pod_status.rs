//! The one word that `kubectl get pods` says about a pod, its ready count and its restarts.

use jiff::Timestamp;
use serde_json::Value;

use super::age;
use super::cells::{at, condition, list, number, text, truth};

pub(super) struct Seen {
    pub(super) ready: usize,
    pub(super) total: usize,
    pub(super) status: String,
    /// `2`, or `2 (3m ago)` when the last end is known.
    pub(super) restarts: String,
}

#[derive(Default)]
struct Tally {
    restarts: i64,
    sidecar_restarts: i64,
    last: Option<Timestamp>,
    sidecar_last: Option<Timestamp>,
}

pub(super) fn of(pod: &Value, now: Timestamp) -> Seen {
    let init = list(pod, "spec.initContainers");
    let sidecar = |name: &str| {
        init.iter()
            .any(|c| text(c, "name") == name && text(c, "restartPolicy") == "Always")
    };
    let mut seen = Seen {
        ready: 0,
        total: list(pod, "spec.containers").len() + init.iter().filter(|c| sidecar(text(c, "name"))).count(),
        status: first_word(pod),
        restarts: String::new(),
    };
    let mut tally = Tally::default();
    let initializing = init_progress(pod, init.len(), &sidecar, &mut seen, &mut tally);
    if !initializing || truth_condition(pod, "Initialized") {
        container_progress(pod, &mut seen, &mut tally);
    }
    if at(pod, "metadata.deletionTimestamp").is_some() {
        let phase = text(pod, "status.phase");
        if text(pod, "status.reason") == "NodeLost" {
            "Unknown".clone_into(&mut seen.status);
        } else if !matches!(phase, "Succeeded" | "Failed") {
            "Terminating".clone_into(&mut seen.status);
        }
    }
    seen.restarts = match tally.last {
        Some(last) if tally.restarts > 0 => {
            let ago = age::human(now.as_second() - last.as_second());
            format!("{} ({ago} ago)", tally.restarts)
        }
        _ => tally.restarts.to_string(),
    };
    seen
}

fn first_word(pod: &Value) -> String {
    if condition(pod, "PodScheduled").is_some_and(|c| text(c, "reason") == "SchedulingGated") {
        return "SchedulingGated".to_owned();
    }
    let reason = text(pod, "status.reason");
    let word = if reason.is_empty() {
        text(pod, "status.phase")
    } else {
        reason
    };
    word.to_owned()
}

fn truth_condition(pod: &Value, kind: &str) -> bool {
    condition(pod, kind).is_some_and(|c| text(c, "status") == "True")
}

fn last_end(container: &Value) -> Option<Timestamp> {
    age::parse(at(container, "lastState.terminated.finishedAt"))
}

/// True while an init container has not done its part.
fn init_progress(
    pod: &Value,
    count: usize,
    sidecar: &dyn Fn(&str) -> bool,
    seen: &mut Seen,
    tally: &mut Tally,
) -> bool {
    for (index, container) in list(pod, "status.initContainerStatuses").iter().enumerate() {
        let restarts = number(container, "restartCount");
        tally.restarts += restarts;
        tally.last = tally.last.max(last_end(container));
        let always = sidecar(text(container, "name"));
        if always {
            tally.sidecar_restarts += restarts;
            tally.sidecar_last = tally.sidecar_last.max(last_end(container));
        }
        let ended = at(container, "state.terminated");
        let waiting = text(container, "state.waiting.reason");
        if ended.is_some_and(|t| number(t, "exitCode") == 0) {
            continue;
        }
        if always && truth(container, "started") {
            if truth(container, "ready") {
                seen.ready += 1;
            }
            continue;
        }
        seen.status = match ended {
            Some(ended) => match text(ended, "reason") {
                "" => match number(ended, "signal") {
                    0 => format!("Init:ExitCode:{}", number(ended, "exitCode")),
                    signal => format!("Init:Signal:{signal}"),
                },
                reason => format!("Init:{reason}"),
            },
            None if !waiting.is_empty() && waiting != "PodInitializing" => format!("Init:{waiting}"),
            None => format!("Init:{index}/{count}"),
        };
        return true;
    }
    false
}

fn container_progress(pod: &Value, seen: &mut Seen, tally: &mut Tally) {
    tally.restarts = tally.sidecar_restarts;
    tally.last = tally.sidecar_last;
    let mut running = false;
    for container in list(pod, "status.containerStatuses").iter().rev() {
        tally.restarts += number(container, "restartCount");
        tally.last = tally.last.max(last_end(container));
        let waiting = text(container, "state.waiting.reason");
        if !waiting.is_empty() {
            waiting.clone_into(&mut seen.status);
        } else if let Some(ended) = at(container, "state.terminated") {
            seen.status = match text(ended, "reason") {
                "" => match number(ended, "signal") {
                    0 => format!("ExitCode:{}", number(ended, "exitCode")),
                    signal => format!("Signal:{signal}"),
                },
                reason => reason.to_owned(),
            };
        } else if truth(container, "ready") && at(container, "state.running").is_some() {
            running = true;
            seen.ready += 1;
        }
    }
    if seen.status == "Completed" && running {
        let ready = truth_condition(pod, "Ready");
        let word = if ready { "Running" } else { "NotReady" };
        word.clone_into(&mut seen.status);
    }
}
