//! The interruption queue and the event rules that fill it (`aws §16`): just the events that are read.

use serde_json::{Value, json};

use super::Options;
use super::iam::substitute;

/// Seconds that an unread event is kept: a notice is worth nothing after its two minutes.
const RETENTION: u32 = 300;

/// (name, event pattern) of each rule.
pub fn rules() -> Vec<(&'static str, Value)> {
    let of = |detail_type: &str| json!({"source": ["aws.ec2"], "detail-type": [detail_type]});
    let mut states = of("EC2 Instance State-change Notification");
    states["detail"] = json!({"state": ["stopping", "stopped", "shutting-down", "terminated"]});
    vec![
        ("SpotInterruption", of("EC2 Spot Instance Interruption Warning")),
        (
            "ReservationInterruption",
            of("EC2 Capacity Reservation Instance Interruption Warning"),
        ),
        ("Rebalance", of("EC2 Instance Rebalance Recommendation")),
        ("StateChange", states),
        (
            "ScheduledChange",
            json!({
                "source": ["aws.health"],
                "detail-type": ["AWS Health Event"],
                "detail": {"service": ["EC2"], "eventTypeCategory": ["scheduledChange"]},
            }),
        ),
    ]
}

fn queue_arn(o: &Options) -> String {
    format!(
        "arn:{}:sqs:{}:{}:{}",
        o.partition(),
        o.region(),
        o.account(),
        o.queue
    )
}

/// Only events may write to the queue, and nobody without encryption.
fn access(queue: &Value) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Events",
                "Effect": "Allow",
                "Principal": {"Service": ["events.amazonaws.com", "sqs.amazonaws.com"]},
                "Action": "sqs:SendMessage",
                "Resource": queue,
            },
            {
                "Sid": "Encrypted",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sqs:*",
                "Resource": queue,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    })
}

/// A stack of the queue, its access policy and the rules.
pub fn template(o: &Options) -> Value {
    let arn = json!({"Fn::GetAtt": ["Queue", "Arn"]});
    let mut resources = json!({
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "QueueName": o.queue, "MessageRetentionPeriod": RETENTION, "SqsManagedSseEnabled": true,
            },
        },
        "QueuePolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": access(&arn)},
        },
    });
    for (name, pattern) in rules() {
        resources[format!("{name}Rule")] = json!({
            "Type": "AWS::Events::Rule",
            "Properties": {"EventPattern": pattern, "Targets": [{"Id": "Queue", "Arn": arn}]},
        });
    }
    let mut out = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("Interruption events of cluster {}", o.cluster),
        "Resources": resources,
    });
    substitute(&mut out, o);
    out
}

/// The same as inputs of `aws sqs create-queue`, `aws events put-rule` and `aws events put-targets`
/// (`--cli-input-json`).
pub fn calls(o: &Options) -> Value {
    let arn = queue_arn(o);
    let named = |name: &str| format!("{}-{name}", o.queue);
    let rules = rules();
    let puts: Vec<Value> = rules
        .iter()
        .map(|(name, pattern)| json!({"Name": named(name), "EventPattern": pattern.to_string()}))
        .collect();
    let targets: Vec<Value> = rules
        .iter()
        .map(|(name, _)| json!({"Rule": named(name), "Targets": [{"Id": "Queue", "Arn": arn}]}))
        .collect();
    json!({
        "createQueue": {
            "QueueName": o.queue,
            "Attributes": {
                "MessageRetentionPeriod": RETENTION.to_string(),
                "SqsManagedSseEnabled": "true",
                "Policy": access(&json!(arn)).to_string(),
            },
        },
        "putRule": puts,
        "putTargets": targets,
    })
}
