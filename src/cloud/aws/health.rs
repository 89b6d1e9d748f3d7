//! Status checks of instances and hosts, and what EC2 has scheduled for them (`aws §16`): asked for each minute, with a
//! queue or without.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::api::{Ec2Read, Filter, InstanceStatus};
use super::node_class::api_error;
use crate::cloud::port::CloudError;
use crate::model::Name;
use crate::model::snapshot::NoticeKind;

/// Between two polls.
const EVERY: SignedDuration = SignedDuration::from_secs(60);
/// A failed check counts from then on: many are over sooner.
const PATIENCE: SignedDuration = SignedDuration::from_secs(120);
/// What EC2 may have scheduled.
const EVENTS: [&str; 5] = [
    "instance-reboot",
    "system-reboot",
    "system-maintenance",
    "instance-retirement",
    "instance-stop",
];

/// When and what was seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Health {
    polled: Option<Timestamp>,
    /// Instance → what is said of it, and since when; what passed is forgotten.
    said: BTreeMap<Name, (NoticeKind, Timestamp)>,
    /// The account does not allow it: not asked again.
    denied: bool,
}

impl Health {
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        !self.denied && self.polled.is_none_or(|at| now.duration_since(at) >= EVERY)
    }

    /// Instances with a finding, by id: the worst of each. Empty while no poll is due.
    ///
    /// # Errors
    /// A call that EC2 refused for another reason than rights.
    pub(super) async fn poll(
        &mut self,
        read: &dyn Ec2Read,
        now: Timestamp,
    ) -> Result<Vec<(Name, NoticeKind, Timestamp)>, CloudError> {
        if !self.is_due(now) {
            return Ok(Vec::new());
        }
        self.polled = Some(now);
        let mut found: BTreeMap<Name, (NoticeKind, Timestamp)> = BTreeMap::new();
        for filter in [
            Filter::new("event.code", EVENTS),
            Filter::new("instance-status.status", ["impaired"]),
            Filter::new("system-status.status", ["impaired"]),
        ] {
            let answer = match read.describe_instance_status(vec![filter]).await {
                Ok(answer) => answer,
                Err(error)
                    if error.code.starts_with("Unauthorized") || error.code.starts_with("AccessDenied") =>
                {
                    tracing::warn!(%error, "status checks of instances cannot be read: they are not looked at");
                    self.denied = true;
                    return Ok(Vec::new());
                }
                Err(error) => return Err(api_error("DescribeInstanceStatus")(error)),
            };
            for status in answer {
                let before = self.said.get(&status.instance_id).copied();
                if let Some(finding) = finding(&status, before, now) {
                    found.insert(status.instance_id, finding);
                }
            }
        }
        self.said = found;
        Ok(self
            .said
            .iter()
            .map(|(id, (kind, at))| (id.clone(), *kind, *at))
            .collect())
    }
}

/// The worst of what a status says: a failed host or machine before something scheduled. A finding keeps its time.
fn finding(
    status: &InstanceStatus,
    before: Option<(NoticeKind, Timestamp)>,
    now: Timestamp,
) -> Option<(NoticeKind, Timestamp)> {
    let lasting = |since: Option<Timestamp>| since.filter(|at| now.duration_since(*at) >= PATIENCE);
    if let Some(since) = lasting(status.system_impaired_since) {
        return Some((NoticeKind::SystemStatus, since));
    }
    if let Some(since) = lasting(status.instance_impaired_since) {
        return Some((NoticeKind::InstanceStatus, since));
    }
    let scheduled = status.events.iter().any(|e| EVENTS.contains(&&**e));
    let since = before
        .filter(|(kind, _)| *kind == NoticeKind::EventStatus)
        .map_or(now, |(_, at)| at);
    scheduled.then_some((NoticeKind::EventStatus, since))
}
