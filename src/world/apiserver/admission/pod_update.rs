//! What may change in a pod that exists: images, deadlines, more tolerations, fewer scheduling gates.

use serde_json::Value;

use super::values::{at, forbidden, list, map_at, text};
use crate::world::apiserver::status::Cause;

const WHY: &str = "pod updates may not change fields other than `spec.containers[*].image`, \
    `spec.initContainers[*].image`, `spec.activeDeadlineSeconds`, `spec.tolerations` (only additions to existing \
    tolerations), `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

pub(super) fn check(pod: &Value, old: &Value, out: &mut Vec<Cause>) {
    let (mut new, mut before) = (pod.clone(), old.clone());
    // A gated pod may still narrow where it goes.
    let gated = !list(old, "spec.schedulingGates").is_empty();
    for state in [&mut new, &mut before] {
        if let Some(spec) = map_at(state, "spec") {
            let free = [
                "activeDeadlineSeconds",
                "tolerations",
                "schedulingGates",
                "ephemeralContainers",
            ];
            spec.retain(|name, _| !free.contains(&name.as_str()));
            if gated {
                spec.remove("nodeSelector");
                spec.remove("affinity");
            }
            for field in ["containers", "initContainers"] {
                for one in super::values::items(spec, field) {
                    for name in ["image", "imagePullPolicy", "resources"] {
                        one.remove(name);
                    }
                }
            }
        }
    }
    if new.get("spec") != before.get("spec") {
        out.push(forbidden("spec", WHY));
    }
    let tolerations = list(pod, "spec.tolerations");
    if list(old, "spec.tolerations")
        .iter()
        .any(|t| !tolerations.contains(t))
    {
        out.push(forbidden(
            "spec.tolerations",
            "existing toleration can not be modified except its tolerationSeconds",
        ));
    }
    let gates = list(old, "spec.schedulingGates");
    if list(pod, "spec.schedulingGates")
        .iter()
        .any(|gate| !gates.contains(gate))
    {
        out.push(forbidden("spec.schedulingGates", "only deletion is allowed"));
    }
    for (index, one) in list(pod, "spec.containers").iter().enumerate() {
        if text(one, "image").is_empty() {
            out.push(super::values::required(
                &format!("spec.containers[{index}].image"),
                "",
            ));
        }
    }
    let deadline = |state: &Value| at(state, "spec.activeDeadlineSeconds").and_then(Value::as_i64);
    if let Some(before) = deadline(old)
        && deadline(pod).is_none_or(|now| now > before)
    {
        out.push(forbidden(
            "spec.activeDeadlineSeconds",
            "must be less than or equal to previous value",
        ));
    }
}
