//! A pod as the scheduler, the kubelets and the controllers see it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use super::doc::SpecDoc;
use super::spec::Interner;
use super::{Key, TolerationDoc};
use crate::model::{Labels, Name, Phase, PodSpec};

/// How long a pod of a Job runs; a number with a unit, like `30s`.
pub const RUN_FOR: &str = "kerf.dev/run-for";

#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // independent facts about a pod, not a state machine
pub struct PodRow {
    pub key: Key,
    pub uid: Name,
    pub labels: Arc<Labels>,
    pub spec: Arc<PodSpec>,
    pub created: Timestamp,
    pub node: Option<Name>,
    /// The one node that a `DaemonSet` pod may go to.
    pub pinned: Option<Name>,
    pub phase: Phase,
    /// When the Ready condition became True.
    pub ready_since: Option<Timestamp>,
    /// `deletionTimestamp`: when the grace ends.
    pub deleting: Option<Timestamp>,
    pub grace: Duration,
    /// Kind and uid of the controlling owner.
    pub controller: Option<(Name, Name)>,
    pub gated: bool,
    /// The default scheduler's business.
    pub ours: bool,
    pub host_network: bool,
    /// Ends by itself after this time.
    pub run_for: Option<Duration>,
    /// Ready only this long after its start.
    pub warm_up: Duration,
    /// Message of `PodScheduled`=False.
    pub unscheduled: Option<Name>,
    /// `controller.kubernetes.io/pod-deletion-cost`.
    pub cost: i32,
    /// Tolerations with a time limit, for `NoExecute` taints.
    pub limited: Vec<(crate::model::Toleration, Duration)>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodDoc {
    metadata: MetaDoc,
    spec: SpecDoc,
    status: StatusDoc,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct MetaDoc {
    labels: Option<Labels>,
    annotations: Option<BTreeMap<Name, Name>>,
    creation_timestamp: Option<Timestamp>,
    deletion_timestamp: Option<Timestamp>,
    deletion_grace_period_seconds: Option<u64>,
    owner_references: Option<Vec<OwnerDoc>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OwnerDoc {
    kind: Name,
    uid: Name,
    controller: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StatusDoc {
    phase: Option<Phase>,
    conditions: Option<Vec<ConditionDoc>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ConditionDoc {
    #[serde(rename = "type")]
    kind: Name,
    status: Name,
    reason: Option<Name>,
    message: Option<Name>,
    last_transition_time: Option<Timestamp>,
}

impl PodRow {
    /// From the stored bytes; `None` when they are no pod that can be read.
    pub fn decode(key: Key, uid: Name, bytes: &[u8], specs: &mut Interner) -> Option<Self> {
        let doc: PodDoc = match serde_json::from_slice(bytes) {
            Ok(doc) => doc,
            Err(error) => {
                tracing::warn!(pod = super::text(&key), %error, "pod cannot be read");
                return None;
            }
        };
        let annotations = doc.metadata.annotations.unwrap_or_default();
        let controller = doc
            .metadata
            .owner_references
            .iter()
            .flatten()
            .find(|o| o.controller == Some(true))
            .map(|o| (o.kind.clone(), o.uid.clone()));
        let conditions = doc.status.conditions.unwrap_or_default();
        let condition = |kind: &str| conditions.iter().find(|c| &*c.kind == kind);
        let is_job = controller.as_ref().is_some_and(|(kind, _)| &**kind == "Job");
        let ends = is_job || doc.spec.restart_policy.as_deref().is_some_and(|p| p != "Always");
        let asked = annotations.get(RUN_FOR).and_then(|text| duration(text));
        Some(Self {
            labels: Arc::new(doc.metadata.labels.unwrap_or_default()),
            created: doc.metadata.creation_timestamp.unwrap_or(Timestamp::UNIX_EPOCH),
            node: doc.spec.node_name.clone().filter(|n| !n.is_empty()),
            pinned: doc.spec.pinned(),
            phase: doc.status.phase.unwrap_or_default(),
            ready_since: condition("Ready")
                .filter(|c| &*c.status == "True")
                .map(|c| c.last_transition_time.unwrap_or(Timestamp::UNIX_EPOCH)),
            deleting: doc.metadata.deletion_timestamp,
            grace: Duration::from_secs(doc.metadata.deletion_grace_period_seconds.unwrap_or(0)),
            gated: doc.spec.scheduling_gates.as_ref().is_some_and(|g| !g.is_empty()),
            ours: doc
                .spec
                .scheduler_name
                .as_deref()
                .is_none_or(|s| s == "default-scheduler"),
            host_network: doc.spec.host_network == Some(true),
            run_for: match (ends, asked) {
                (true, Some(time)) => Some(time),
                (true, None) if is_job => Some(Duration::from_secs(30)),
                _ => None,
            },
            warm_up: Duration::from_secs(
                doc.spec
                    .containers
                    .iter()
                    .filter_map(|c| c.readiness_probe.as_ref()?.initial_delay_seconds)
                    .max()
                    .unwrap_or(0)
                    .into(),
            ),
            unscheduled: condition("PodScheduled")
                .filter(|c| &*c.status == "False" && c.reason.as_deref() == Some("Unschedulable"))
                .map(|c| c.message.clone().unwrap_or_else(|| "".into())),
            cost: annotations
                .get(crate::api::names::POD_DELETION_COST)
                .and_then(|c| c.parse().ok())
                .unwrap_or(0),
            limited: doc
                .spec
                .tolerations
                .iter()
                .flatten()
                .filter_map(|t| {
                    let seconds = u64::try_from(t.toleration_seconds?.max(0)).ok()?;
                    Some((TolerationDoc::decode(t), Duration::from_secs(seconds)))
                })
                .collect(),
            spec: specs.share(doc.spec.decode(&key.1)),
            key,
            uid,
            controller,
        })
    }

    pub fn is_terminal(&self) -> bool {
        matches!(self.phase, Phase::Succeeded | Phase::Failed)
    }

    /// Neither ended nor ending.
    pub fn is_active(&self) -> bool {
        !self.is_terminal() && self.deleting.is_none()
    }

    pub fn is_ready(&self) -> bool {
        self.ready_since.is_some()
    }

    /// Whether it holds resources of its node.
    pub fn occupies(&self) -> Option<&Name> {
        self.node.as_ref().filter(|_| !self.is_terminal())
    }

    /// Waits for the scheduler.
    pub fn is_pending(&self) -> bool {
        self.node.is_none() && self.ours && !self.gated && self.is_active()
    }
}

/// A duration as Go writes it: `30s`, `1m30s`, `500ms`.
pub fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|n| *n > 0)?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let number: u64 = number.parse().ok()?;
        let part = match unit {
            "ms" => Duration::from_millis(number),
            "s" => Duration::from_secs(number),
            "m" => Duration::from_secs(number.checked_mul(60)?),
            "h" => Duration::from_secs(number.checked_mul(3600)?),
            "d" => Duration::from_secs(number.checked_mul(86_400)?),
            _ => return None,
        };
        total = total.checked_add(part)?;
        rest = tail;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_nonsense_is_not() {
        assert_eq!(duration("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        for bad in ["", "30", "s", "1x", "-1s", "1.5h"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_job_pod_ends_by_itself() {
        let mut specs = Interner::default();
        let bytes = br#"{"metadata":{"ownerReferences":[{"kind":"Job","uid":"u","controller":true}]},
            "spec":{"containers":[{"name":"c"}],"restartPolicy":"Never"}}"#;
        let row = PodRow::decode(("a".into(), "b".into()), "1".into(), bytes, &mut specs).expect("pod");
        assert_eq!(row.run_for, Some(Duration::from_secs(30)));
        assert!(row.is_pending());
    }
}
