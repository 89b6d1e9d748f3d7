//! Workloads: Deployments and their kin, Jobs.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::age;
use super::cells::{
    AGE, NAME, NONE, age as age_cell, at, col, condition, containers, int, name, number, pairs, selector,
    shown, text, truth, wide,
};
use super::render::Printer;

const TEMPLATE: &str = "spec.template.spec.containers";

fn ready(object: &Value) -> Value {
    let wanted = at(object, "spec.replicas").and_then(Value::as_i64).unwrap_or(1);
    json!(format!("{}/{wanted}", number(object, "status.readyReplicas")))
}

fn with_template(mut cells: Vec<Value>, object: &Value, path: &str) -> Vec<Value> {
    cells.extend(containers(object, path));
    cells
}

pub(super) const DEPLOYMENT: Printer = (
    &[
        NAME,
        col("Ready"),
        int("Up-to-date"),
        int("Available"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    |o, now| {
        let cells = vec![
            name(o),
            ready(o),
            json!(number(o, "status.updatedReplicas")),
            json!(number(o, "status.availableReplicas")),
            age_cell(o, now),
        ];
        let mut cells = with_template(cells, o, TEMPLATE);
        cells.push(json!(selector(at(o, "spec.selector"))));
        cells
    },
);

pub(super) const REPLICA_SET: Printer = (
    &[
        NAME,
        int("Desired"),
        int("Current"),
        int("Ready"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    |o, now| {
        let mut cells = with_template(replicas(o, now), o, TEMPLATE);
        cells.push(json!(selector(at(o, "spec.selector"))));
        cells
    },
);

pub(super) const REPLICATION_CONTROLLER: Printer = (REPLICA_SET.0, |o, now| {
    let mut cells = with_template(replicas(o, now), o, TEMPLATE);
    cells.push(json!(pairs(at(o, "spec.selector"))));
    cells
});

fn replicas(object: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        name(object),
        json!(at(object, "spec.replicas").and_then(Value::as_i64).unwrap_or(1)),
        json!(number(object, "status.replicas")),
        json!(number(object, "status.readyReplicas")),
        age_cell(object, now),
    ]
}

pub(super) const DAEMON_SET: Printer = (
    &[
        NAME,
        int("Desired"),
        int("Current"),
        int("Ready"),
        int("Up-to-date"),
        int("Available"),
        col("Node Selector"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    |o, now| {
        let mut cells = vec![name(o)];
        cells.extend(
            [
                "desiredNumberScheduled",
                "currentNumberScheduled",
                "numberReady",
                "updatedNumberScheduled",
                "numberAvailable",
            ]
            .map(|field| json!(number(o, &format!("status.{field}")))),
        );
        cells.push(json!(pairs(at(o, "spec.template.spec.nodeSelector"))));
        cells.push(age_cell(o, now));
        let mut cells = with_template(cells, o, TEMPLATE);
        cells.push(json!(selector(at(o, "spec.selector"))));
        cells
    },
);

pub(super) const STATEFUL_SET: Printer = (
    &[NAME, col("Ready"), AGE, wide("Containers"), wide("Images")],
    |o, now| with_template(vec![name(o), ready(o), age_cell(o, now)], o, TEMPLATE),
);

pub(super) const JOB: Printer = (
    &[
        NAME,
        col("Status"),
        col("Completions"),
        col("Duration"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    |o, now| {
        let cells = vec![
            name(o),
            json!(job_status(o)),
            json!(completions(o)),
            json!(job_duration(o, now)),
            age_cell(o, now),
        ];
        let mut cells = with_template(cells, o, TEMPLATE);
        cells.push(json!(selector(at(o, "spec.selector"))));
        cells
    },
);

fn job_status(job: &Value) -> &'static str {
    let holds = |kind: &str| condition(job, kind).is_some_and(|c| text(c, "status") == "True");
    if holds("Complete") {
        "Complete"
    } else if holds("Failed") {
        "Failed"
    } else if at(job, "metadata.deletionTimestamp").is_some() {
        "Terminating"
    } else if holds("Suspended") {
        "Suspended"
    } else if holds("FailureTarget") {
        "FailureTarget"
    } else if holds("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    }
}

fn completions(job: &Value) -> String {
    let done = number(job, "status.succeeded");
    match at(job, "spec.completions").and_then(Value::as_i64) {
        Some(wanted) => format!("{done}/{wanted}"),
        None => match number(job, "spec.parallelism") {
            parallel if parallel > 1 => format!("{done}/1 of {parallel}"),
            _ => format!("{done}/1"),
        },
    }
}

fn job_duration(job: &Value, now: Timestamp) -> String {
    let Some(start) = age::parse(at(job, "status.startTime")) else {
        return String::new();
    };
    let end = age::parse(at(job, "status.completionTime")).unwrap_or(now);
    age::human(end.as_second() - start.as_second())
}

pub(super) const CRON_JOB: Printer = (
    &[
        NAME,
        col("Schedule"),
        col("Timezone"),
        col("Suspend"),
        int("Active"),
        col("Last Schedule"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    |o, now| {
        let last = at(o, "status.lastScheduleTime");
        let cells = vec![
            name(o),
            json!(text(o, "spec.schedule")),
            json!(shown(at(o, "spec.timeZone"), NONE)),
            json!(if truth(o, "spec.suspend") { "True" } else { "False" }),
            super::render::count(o, "status.active"),
            json!(last.map_or_else(|| NONE.to_owned(), |last| age::since(Some(last), now))),
            age_cell(o, now),
        ];
        let mut cells = with_template(cells, o, "spec.jobTemplate.spec.template.spec.containers");
        cells.push(json!(selector(at(o, "spec.jobTemplate.spec.selector"))));
        cells
    },
);

pub(super) const REVISION: Printer = (&[NAME, col("Controller"), int("Revision"), AGE], |o, now| {
    let owner = super::cells::list(o, "metadata.ownerReferences")
        .iter()
        .find(|owner| truth(owner, "controller"));
    let owner = owner.map_or_else(
        || NONE.to_owned(),
        |owner| {
            let version = text(owner, "apiVersion");
            let kind = text(owner, "kind").to_lowercase();
            let kind = match version.split_once('/') {
                Some((group, _)) => format!("{kind}.{group}"),
                None => kind,
            };
            format!("{kind}/{}", text(owner, "name"))
        },
    );
    vec![
        name(o),
        json!(owner),
        json!(number(o, "revision")),
        age_cell(o, now),
    ]
});
