//! One watch: list, then follow; on trouble wait and try again.

use std::fmt::Debug;
use std::time::Duration;

use futures::StreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::UnboundedSender;

use super::kinds::Kind;
use super::watch::{Report, WatchProblem};
use crate::clock::Clock;
use crate::model::pod::pod_key;
use crate::model::{Delta, Name};

/// What RBAC or a missing definition refuses is asked for again this often.
const REFUSED_AGAIN: Duration = Duration::from_secs(10);
/// Longest wait after other failures; the first is one second, then doubling.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Watches one kind until the receiver is gone. `row` projects an object.
pub(super) async fn run<K>(
    api: Api<K>,
    kind: Kind,
    clock: Clock,
    out: UnboundedSender<Report>,
    row: impl Fn(&K) -> Delta + Send,
) where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let mut stream = Box::pin(watcher(api, watcher::Config::default()));
    let mut listing = Vec::new();
    let mut failures: u32 = 0;
    while let Some(event) = stream.next().await {
        let reports = match event {
            Ok(event) => {
                let mut reports = Vec::new();
                if failures > 0 && !matches!(event, Event::Init) {
                    failures = 0;
                    reports.push(Report::Working(kind));
                }
                match event {
                    Event::Init => listing.clear(),
                    Event::InitApply(object) => listing.push((version(&object), row(&object))),
                    Event::InitDone => reports.push(Report::Listed {
                        kind,
                        rows: std::mem::take(&mut listing),
                    }),
                    Event::Apply(object) => reports.push(Report::Row {
                        version: version(&object),
                        delta: row(&object),
                    }),
                    Event::Delete(object) => reports.push(Report::Gone {
                        version: version(&object),
                        kind,
                        key: key(&object),
                    }),
                }
                reports
            }
            // The list was too old to follow: the watcher lists again by itself.
            Err(watcher::Error::WatchError(status)) if status.code == 410 => Vec::new(),
            Err(error) => {
                let problem = classify(&error, kind, clock);
                let wait = match problem {
                    WatchProblem::Failing { .. } => {
                        LONGEST_WAIT.min(Duration::from_secs(1 << failures.min(5)))
                    }
                    _ => REFUSED_AGAIN,
                };
                failures = failures.saturating_add(1);
                if out.send(Report::Broken(kind, problem)).is_err() {
                    return;
                }
                clock.sleep(wait).await;
                Vec::new()
            }
        };
        for report in reports {
            if out.send(report).is_err() {
                return;
            }
        }
    }
}

fn version<K: Resource>(object: &K) -> u64 {
    let version = object.meta().resource_version.as_deref();
    version.and_then(|v| v.parse().ok()).unwrap_or(0)
}

fn key<K: Resource>(object: &K) -> Name {
    let meta = object.meta();
    let name = meta.name.as_deref().unwrap_or_default();
    meta.namespace
        .as_deref()
        .map_or_else(|| name.into(), |namespace| pod_key(namespace, name))
}

fn classify(error: &watcher::Error, kind: Kind, clock: Clock) -> WatchProblem {
    let kind = kind.plural();
    let code = match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => status.code,
        _ => 0,
    };
    match code {
        403 => WatchProblem::Forbidden {
            kind,
            message: error.to_string(),
        },
        404 => WatchProblem::Missing { kind },
        _ => WatchProblem::Failing {
            kind,
            since: clock.now(),
            message: error.to_string(),
        },
    }
}
