//! Messages of the interruption queue (`aws §16`).

use jiff::Timestamp;
use serde_json::Value;

use crate::model::Name;
use crate::model::snapshot::NoticeKind;

/// What one message says; `None` of `kind` means that nothing is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub kind: Option<NoticeKind>,
    pub instances: Vec<Name>,
    pub at: Option<Timestamp>,
}

/// Reads a message.
///
/// # Errors
/// A body that is no JSON object: to be logged and deleted.
pub fn parse(body: &str) -> Result<Event, serde_json::Error> {
    let event: Value = serde_json::from_str(body)?;
    let text = |key: &str| event[key].as_str().unwrap_or_default();
    let detail = &event["detail"];
    let kind = match (text("source"), text("detail-type")) {
        _ if text("version") != "0" => None,
        ("aws.ec2", "EC2 Spot Instance Interruption Warning") => Some(NoticeKind::SpotInterruption),
        ("aws.ec2", "EC2 Capacity Reservation Instance Interruption Warning") => {
            Some(NoticeKind::ReservationInterrupted)
        }
        ("aws.ec2", "EC2 Instance Rebalance Recommendation") => Some(NoticeKind::RebalanceRecommendation),
        ("aws.ec2", "EC2 Instance State-change Notification") => {
            match detail["state"].as_str().unwrap_or_default() {
                "stopping" | "stopped" => Some(NoticeKind::Stopping),
                "shutting-down" | "terminated" => Some(NoticeKind::Terminating),
                _ => None,
            }
        }
        ("aws.health", "AWS Health Event")
            if detail["service"] == "EC2" && detail["eventTypeCategory"] == "scheduledChange" =>
        {
            Some(NoticeKind::ScheduledChange)
        }
        _ => None,
    };
    let affected = detail["affectedEntities"].as_array().into_iter().flatten();
    let instances = detail["instance-id"]
        .as_str()
        .into_iter()
        .chain(affected.filter_map(|e| e["entityValue"].as_str()))
        .map(Name::from)
        .collect();
    Ok(Event {
        kind,
        instances,
        at: text("time").parse().ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind(source: &str, detail_type: &str, detail: &Value) -> Option<NoticeKind> {
        let body = json!({"version": "0", "source": source, "detail-type": detail_type, "detail": detail});
        parse(&body.to_string()).expect("json").kind
    }

    /// `aws §26` cases 93 to 96, the reader's part.
    #[test]
    fn cases_93_to_96_messages_are_told_apart() {
        let one = json!({"instance-id": "i-1"});
        assert_eq!(
            kind("aws.ec2", "EC2 Spot Instance Interruption Warning", &one),
            Some(NoticeKind::SpotInterruption)
        );
        assert_eq!(
            kind("aws.ec2", "EC2 Instance Rebalance Recommendation", &one),
            Some(NoticeKind::RebalanceRecommendation)
        );
        assert_eq!(
            kind(
                "aws.ec2",
                "EC2 Capacity Reservation Instance Interruption Warning",
                &one
            ),
            Some(NoticeKind::ReservationInterrupted)
        );
        let state = |s: &str| {
            let detail = json!({"instance-id": "i-1", "state": s});
            kind("aws.ec2", "EC2 Instance State-change Notification", &detail)
        };
        assert_eq!(state("running"), None);
        assert_eq!(state("pending"), None);
        assert_eq!(state("stopped"), Some(NoticeKind::Stopping));
        assert_eq!(state("shutting-down"), Some(NoticeKind::Terminating));
        assert!(parse("not json").is_err());
        let body = json!({
            "version": "0", "source": "aws.health", "detail-type": "AWS Health Event",
            "time": "2026-01-05T09:00:00Z",
            "detail": {"service": "EC2", "eventTypeCategory": "scheduledChange",
                "affectedEntities": [{"entityValue": "i-1"}, {"entityValue": "i-2"}, {"entityValue": "i-3"}]},
        });
        let event = parse(&body.to_string()).expect("json");
        assert_eq!(event.kind, Some(NoticeKind::ScheduledChange));
        assert_eq!(event.instances.len(), 3);
        assert!(event.at.is_some());
        assert_eq!(kind("aws.s3", "Object Created", &one), None);
    }
}
