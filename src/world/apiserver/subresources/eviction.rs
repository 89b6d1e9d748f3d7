//! `pods/NAME/eviction`: a delete that asks the disruption budgets first.

use std::sync::Arc;

use http::Response;
use serde_json::{Value, json};

use super::binding::condition;
use crate::model::Labels;
use crate::world::apiserver::delete::DeleteOptions;
use crate::world::apiserver::names::seconds;
use crate::world::apiserver::object::{Stored, meta, meta_str};
use crate::world::apiserver::routes::{Call, dry_run, parse, read_options};
use crate::world::apiserver::status::{Cause, StatusError};
use crate::world::apiserver::wire::{self, Body};
use crate::world::apiserver::write::{Part, Writer};

const BUDGETS: &str = "poddisruptionbudgets.policy";

pub fn answer(call: &Call<'_>) -> Result<Response<Body>, StatusError> {
    let eviction = parse(call.content_type(), call.body)?;
    let named = meta_str(&eviction, "name");
    if !named.is_empty() && named != call.name {
        return Err(StatusError::bad_request(
            "name in URL does not match name in Eviction object",
        ));
    }
    let empty = json!({});
    let given = eviction
        .get("deleteOptions")
        .filter(|o| o.is_object())
        .unwrap_or(&empty);
    let options = read_options(given)?;
    let listed = given
        .get("dryRun")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let dry = dry_run(
        listed.chain(call.query.all("dryRun").iter().map(String::as_str)),
        "DeleteOptions",
    )?;
    let pod = call.stored()?;
    let value = pod.value();
    if needs_budget(&value)
        && let Some(budget) = budget_of(call, &pod)?
    {
        spend(call, &budget, &value, dry)?;
    }
    if !dry {
        mark(call)?;
    }
    evict(call, &options, dry)?;
    let mut response = Call::done(201);
    // kube's own client spells the key this way, upstream ignores it and says so.
    if eviction.get("delete_options").is_some() {
        wire::warn(&mut response, &["unknown field \"delete_options\"".to_owned()]);
    }
    Ok(response)
}

/// Pods that do no work yet or any more are no disruption.
fn needs_budget(pod: &Value) -> bool {
    let phase = pod.pointer("/status/phase").and_then(Value::as_str);
    !matches!(phase, Some("Succeeded" | "Failed" | "Pending")) && meta(pod, "deletionTimestamp").is_none()
}

/// The one budget that covers the pod.
fn budget_of(call: &Call<'_>, pod: &Stored) -> Result<Option<Arc<Stored>>, StatusError> {
    let all = call.shared.store().objects(BUDGETS);
    let mut covering = all
        .values()
        .filter(|budget| budget.namespace == pod.namespace && selects(&budget.value(), &pod.labels));
    let first = covering.next().cloned();
    if covering.next().is_some() {
        return Err(StatusError::new(
            500,
            "InternalError",
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
        ));
    }
    Ok(first)
}

/// An absent selector selects nothing, an empty one everything (`policy/v1`).
fn selects(budget: &Value, labels: &Labels) -> bool {
    let Some(selector) = budget.pointer("/spec/selector").filter(|s| s.is_object()) else {
        return false;
    };
    let wanted = selector.get("matchLabels").and_then(Value::as_object);
    let simple = wanted.into_iter().flatten().all(|(key, value)| {
        labels
            .get(key.as_str())
            .is_some_and(|have| value.as_str() == Some(have))
    });
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    simple
        && expressions
            .into_iter()
            .flatten()
            .all(|expression| holds(expression, labels))
}

fn holds(expression: &Value, labels: &Labels) -> bool {
    let key = expression["key"].as_str().unwrap_or_default();
    let value = labels.get(key);
    let among = |value: &str| {
        expression["values"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one.as_str() == Some(value)))
    };
    match expression["operator"].as_str() {
        Some("In") => value.is_some_and(|value| among(value)),
        Some("NotIn") => !value.is_some_and(|value| among(value)),
        Some("Exists") => value.is_some(),
        Some("DoesNotExist") => value.is_none(),
        _ => false,
    }
}

/// Takes one disruption from the budget, or refuses.
fn spend(call: &Call<'_>, budget: &Arc<Stored>, pod: &Value, dry: bool) -> Result<(), StatusError> {
    let at = seconds(call.shared.now());
    let name = meta_str(pod, "name").to_owned();
    let ready = pod
        .pointer("/status/conditions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
    let writer = Writer {
        dry_run: dry,
        ..Writer::world()
    };
    let kind = budget.kind.clone();
    let result = call.shared.update(
        &kind,
        &budget.namespace,
        &budget.name,
        Part::Whole,
        &writer,
        &mut |live| {
            let number = |path: &str| live.pointer(path).and_then(Value::as_i64).unwrap_or(0);
            let (current, desired) = (number("/status/currentHealthy"), number("/status/desiredHealthy"));
            let always = live.pointer("/spec/unhealthyPodEvictionPolicy") == Some(&json!("AlwaysAllow"));
            if !ready && (always || (desired > 0 && current >= desired)) {
                return Ok(live.clone());
            }
            if number("/status/observedGeneration") < number("/metadata/generation") {
                let why = format!(
                    "The disruption budget {} is still being processed by the server.",
                    budget.name
                );
                return Err(refusal(&why).with_retry_after(10));
            }
            if number("/status/disruptionsAllowed") <= 0 {
                let why = format!(
                    "The disruption budget {} needs {desired} healthy pods and has {current} currently",
                    budget.name
                );
                return Err(refusal(&why));
            }
            let mut next = live.clone();
            next["status"]["disruptionsAllowed"] = json!(number("/status/disruptionsAllowed") - 1);
            next["status"]["disruptedPods"][name.as_str()] = json!(at);
            Ok(next)
        },
    );
    match result {
        // Deleted meanwhile: nothing guards the pod any more.
        Err(error) if error.code == 404 => Ok(()),
        other => other.map(|_| ()),
    }
}

fn refusal(why: &str) -> StatusError {
    StatusError::new(
        429,
        "TooManyRequests",
        "Cannot evict pod as it would violate the pod's disruption budget.",
    )
    .with_causes(&[Cause::new("DisruptionBudget", "", why)])
}

/// Notes on the pod why it goes.
fn mark(call: &Call<'_>) -> Result<(), StatusError> {
    let at = seconds(call.shared.now());
    call.shared.update(
        &call.resource.kept,
        call.home(),
        call.name,
        Part::Quiet,
        &Writer::world(),
        &mut |live| {
            let mut pod = live.clone();
            if meta(live, "deletionTimestamp").is_none() {
                condition(
                    &mut pod,
                    json!({"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
                        "message": "Eviction API: evicting", "lastProbeTime": null, "lastTransitionTime": at}),
                );
            }
            Ok(pod)
        },
    )?;
    Ok(())
}

fn evict(call: &Call<'_>, options: &DeleteOptions, dry: bool) -> Result<(), StatusError> {
    call.shared
        .delete(&call.resource.kept, call.home(), call.name, options, dry)
        .map(|_| ())
}
