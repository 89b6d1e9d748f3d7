//! Launching the machine of a NodeClaim, exactly once (`lifecycle §3.1`, decisions §6).
//!
//! The token follows from the claim's uid and the number of the attempt, and goes onto the instance with the call. A
//! repeated call with the same token finds the instance instead of making another. A call that was answered with a
//! refusal may be repeated with other parameters, which needs another token: the next number is on the claim first.

use serde_json::json;

use super::kube::{Error, SOON, Writer};
use super::patch::set_condition;
use super::{Context, Wrote};
use crate::api::names;
use crate::clock::after;
use crate::cloud::CloudWrite;
use crate::cloud::port::{CloudError, LaunchResult};
use crate::model::claim::launch_token;
use crate::model::decision::EffectResult;
use crate::model::{Condition, Labels, Status};

/// Conditions carry at most so many characters of an error (`lifecycle §2`).
const MESSAGE: usize = 300;
/// What a claim says of itself between its launch and its node.
const AFTER_LAUNCH: [(&str, &str, &str); 3] = [
    (
        names::REGISTERED_CONDITION,
        "NodeNotFound",
        "Node not registered with cluster",
    ),
    (
        names::INITIALIZED_CONDITION,
        "AwaitingReconciliation",
        "object is awaiting reconciliation",
    ),
    (
        names::READY,
        "ReconcilingDependents",
        "Initialized=Unknown, Registered=Unknown",
    ),
];
/// After this reason nobody knows whether the call made an instance: the same token asks again.
const UNANSWERED: &str = "InternalError";

pub(super) async fn launch(
    kube: &Writer,
    cloud: &dyn CloudWrite,
    name: &str,
    uid: &str,
    context: &Context,
) -> EffectResult {
    match try_launch(kube, cloud, name, uid, context).await {
        Ok(result) => result,
        Err(error) => error.into_result(context.now),
    }
}

async fn try_launch(
    kube: &Writer,
    cloud: &dyn CloudWrite,
    name: &str,
    uid: &str,
    context: &Context,
) -> Result<EffectResult, Error> {
    let stale = |why: &str| {
        Ok(EffectResult::Stale {
            message: format!("NodeClaim {name} {why}"),
        })
    };
    let Some(claim) = context.snapshot.claims.get(name).filter(|c| &*c.uid == uid) else {
        return stale("is gone");
    };
    let object = kube.get("NodeClaim", "", name).await?;
    if object["metadata"]["uid"].as_str() != Some(uid) {
        return stale("was replaced");
    }
    if !object["metadata"]["deletionTimestamp"].is_null() {
        return stale("is being deleted");
    }
    if object["status"]["providerID"]
        .as_str()
        .is_some_and(|p| !p.is_empty())
    {
        return Ok(EffectResult::Unchanged);
    }
    let Some(class) = context.snapshot.classes.get(&claim.class.name) else {
        return delete(
            kube,
            name,
            uid,
            &format!("EC2NodeClass {} does not exist", claim.class.name),
        )
        .await;
    };
    let pool = claim.pool().map_or("", |p| &**p);
    let Some(catalogue) = context.snapshot.types_of(pool, &claim.class.name) else {
        let message = format!(
            "the instance types of EC2NodeClass {} are not known yet",
            class.name
        );
        return Ok(EffectResult::Retry {
            message,
            reason: "InstanceTypeResolutionFailed".into(),
            retry_at: after(context.now, SOON),
        });
    };
    let attempt = attempt_of(&object);
    let token = launch_token(uid, attempt);
    match cloud.launch(claim, class, catalogue, &token).await {
        Ok(result) => {
            write_result(kube, name, &result, context).await?;
            Ok(EffectResult::Launched(Box::new(result.launched)))
        }
        Err(error @ (CloudError::InsufficientCapacity(_) | CloudError::NodeClassNotReady(_))) => {
            delete(kube, name, uid, &error.to_string()).await
        }
        Err(error) => {
            let reason = match &error {
                CloudError::Launch { reason, .. } => reason.clone(),
                _ => "LaunchFailed".into(),
            };
            let mut message = error.to_string();
            if let Some((cut, _)) = message.char_indices().nth(MESSAGE) {
                message.truncate(cut);
                message.push_str("...");
            }
            if &*reason != UNANSWERED {
                let next =
                    json!({"metadata": {"annotations": {names::KERF_ATTEMPT: (attempt + 1).to_string()}}});
                kube.merge("NodeClaim", "", name, "", &next).await?;
            }
            write_condition(kube, name, Status::Unknown, &reason, &message, context).await?;
            Ok(EffectResult::Retry {
                message,
                reason,
                retry_at: after(context.now, SOON),
            })
        }
    }
}

/// The number of the attempt that is to be made now.
fn attempt_of(object: &serde_json::Value) -> u32 {
    object["metadata"]["annotations"][names::KERF_ATTEMPT]
        .as_str()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1)
}

/// `lifecycle §3.1`: the claim goes, its pods are planned again.
async fn delete(kube: &Writer, name: &str, uid: &str, message: &str) -> Result<EffectResult, Error> {
    kube.delete("NodeClaim", "", name, uid, None).await?;
    Ok(EffectResult::InsufficientCapacity {
        message: message.to_owned(),
    })
}

async fn write_result(
    kube: &Writer,
    name: &str,
    result: &LaunchResult,
    context: &Context,
) -> Result<Wrote, Error> {
    let object = kube.get("NodeClaim", "", name).await?;
    let labels = new_labels(&object, &result.labels);
    kube.merge(
        "NodeClaim",
        "",
        name,
        "",
        &json!({"metadata": {"labels": labels, "annotations": result.annotations}}),
    )
    .await?;
    let mut conditions = object["status"]["conditions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let generation = object["metadata"]["generation"].as_i64();
    let created = object["metadata"]["creationTimestamp"].as_str();
    let created = created.and_then(|t| t.parse().ok()).unwrap_or(context.now);
    let launched = condition(Status::True, "", "", context);
    set_condition(
        &mut conditions,
        names::LAUNCHED,
        &launched,
        generation,
        context.now,
    );
    // What follows from it is told in the same write.
    for (kind, reason, message) in AFTER_LAUNCH {
        if conditions.iter().all(|c| c["type"].as_str() != Some(kind)) {
            let open = condition(Status::Unknown, reason, message, context);
            set_condition(&mut conditions, kind, &open, generation, created);
        }
    }
    let status = json!({"status": {
        "providerID": result.launched.provider_id,
        "imageID": result.launched.image_id,
        "capacity": result.capacity.to_quantities(),
        "allocatable": result.allocatable.to_quantities(),
        "conditions": conditions,
    }});
    kube.merge("NodeClaim", "", name, "status", &status).await?;
    Ok(Wrote::Yes)
}

/// The claim's own labels win over the provider's.
fn new_labels(object: &serde_json::Value, provider: &Labels) -> serde_json::Map<String, serde_json::Value> {
    provider
        .iter()
        .filter(|(k, _)| object["metadata"]["labels"].get(&***k).is_none())
        .map(|(k, v)| (k.to_string(), json!(v)))
        .collect()
}

async fn write_condition(
    kube: &Writer,
    name: &str,
    status: Status,
    reason: &str,
    message: &str,
    context: &Context,
) -> Result<(), Error> {
    let object = kube.get("NodeClaim", "", name).await?;
    let mut conditions = object["status"]["conditions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let generation = object["metadata"]["generation"].as_i64();
    let condition = condition(status, reason, message, context);
    set_condition(
        &mut conditions,
        names::LAUNCHED,
        &condition,
        generation,
        context.now,
    );
    kube.merge(
        "NodeClaim",
        "",
        name,
        "status",
        &json!({"status": {"conditions": conditions}}),
    )
    .await?;
    Ok(())
}

fn condition(status: Status, reason: &str, message: &str, context: &Context) -> Condition {
    Condition {
        status,
        reason: reason.into(),
        message: message.into(),
        since: context.now,
        observed_generation: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_2_a_claims_own_labels_win() {
        let claim = json!({"metadata": {"labels": {"topology.kubernetes.io/zone": "a"}}});
        let provider: Labels = [
            ("topology.kubernetes.io/zone".into(), "b".into()),
            ("node.kubernetes.io/instance-type".into(), "m5.large".into()),
        ]
        .into();
        let labels = new_labels(&claim, &provider);
        let wanted = json!({"node.kubernetes.io/instance-type": "m5.large"});
        assert_eq!(serde_json::Value::from(labels), wanted);
    }

    #[test]
    fn every_attempt_has_a_token_of_its_own() {
        let claim = |attempt: Option<&str>| {
            let annotations = attempt.map_or_else(|| json!({}), |n| json!({names::KERF_ATTEMPT: n}));
            json!({"metadata": {"annotations": annotations}})
        };
        assert_eq!(attempt_of(&claim(None)), 1);
        assert_eq!(attempt_of(&claim(Some("3"))), 3);
        assert_eq!(attempt_of(&claim(Some("nonsense"))), 1);
        assert_eq!(launch_token("u", 1), launch_token("u", 1));
        assert_ne!(launch_token("u", 1), launch_token("u", 2));
        assert_ne!(launch_token("u", 1), launch_token("v", 1));
    }
}
