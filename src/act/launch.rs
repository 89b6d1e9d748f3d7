//! Launching the machine of a NodeClaim, exactly once (`lifecycle §3.1`, decisions §6).
//!
//! The token goes onto the claim before the call and onto the instance with it. A repeated call with the same
//! token finds the instance instead of making another.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::kube::{Error, Writer, later};
use super::patch::set_condition;
use super::{Context, Wrote};
use crate::api::names;
use crate::cloud::CloudWrite;
use crate::cloud::port::{CloudError, LaunchResult};
use crate::model::decision::EffectResult;
use crate::model::{Condition, Status};

/// Conditions carry at most so many characters of an error (`lifecycle §2`).
const MESSAGE: usize = 300;

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
    let Some(catalogue) = context.snapshot.catalogue(&claim.class.name) else {
        let message = format!(
            "the instance types of EC2NodeClass {} are not known yet",
            class.name
        );
        return Ok(EffectResult::Retry {
            message,
            reason: "InstanceTypeResolutionFailed".into(),
            retry_at: later(context.now, 1),
        });
    };
    let token = token_of(&object, uid);
    if object["metadata"]["annotations"][names::KERF_TOKEN].as_str() != Some(&token) {
        let annotate = json!({
            "metadata": {
                "resourceVersion": object["metadata"]["resourceVersion"],
                "annotations": {names::KERF_TOKEN: token},
            }
        });
        kube.merge("NodeClaim", "", name, "", &annotate).await?;
    }
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
            write_condition(kube, name, Status::Unknown, &reason, &message, context).await?;
            Ok(EffectResult::Retry {
                message,
                reason,
                retry_at: later(context.now, 1),
            })
        }
    }
}

/// The token already on the claim, or the first attempt's: derived from the claim's uid, so that a restart
/// between any two steps comes to the same one.
fn token_of(object: &serde_json::Value, uid: &str) -> String {
    object["metadata"]["annotations"][names::KERF_TOKEN]
        .as_str()
        .map_or_else(
            || {
                let digest = Sha256::digest(format!("{uid}/1"));
                digest.iter().take(16).map(|b| format!("{b:02x}")).collect()
            },
            str::to_owned,
        )
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
    // The claim's own labels win over the provider's, the provider's annotations over the claim's.
    let labels: serde_json::Map<String, serde_json::Value> = result
        .labels
        .iter()
        .filter(|(k, _)| object["metadata"]["labels"].get(&***k).is_none())
        .map(|(k, v)| (k.to_string(), json!(v)))
        .collect();
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
    set_condition(
        &mut conditions,
        names::LAUNCHED,
        &condition(Status::True, "", "", context),
        generation,
        context.now,
    );
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
