//! Why a node stays, or goes (`disruption §23`, verdict codes).

use crate::model::decision::Verdict;

/// The sentence, followed by the numbers it did not use.
pub fn verdict(v: &Verdict) -> String {
    let mut used: Vec<&str> = Vec::new();
    let mut text = sentence(v, &mut used);
    if let Some(pod) = &v.pod
        && !text.contains(&**pod)
    {
        text.push_str(&format!(" (pod {pod})"));
    }
    let rest: Vec<String> = v
        .facts
        .iter()
        .filter(|(k, _)| !used.contains(&&***k))
        .map(|(k, value)| format!("{k} {value}"))
        .collect();
    if !rest.is_empty() {
        text.push_str(" · ");
        text.push_str(&rest.join(", "));
    }
    text
}

fn sentence<'a>(v: &'a Verdict, used: &mut Vec<&'a str>) -> String {
    let mut fact = |key: &'static str| -> String {
        used.push(key);
        v.facts
            .get(key)
            .map_or_else(|| "?".to_owned(), ToString::to_string)
    };
    let has = |key: &str| v.facts.contains_key(key);
    let pod = v.pod.as_deref().unwrap_or("a pod");
    match &*v.code {
        "in_queue" => "is being disrupted already".to_owned(),
        "unmanaged" => "stays: no NodeClaim, kerf does not manage it".to_owned(),
        "no_node" => "stays: its NodeClaim has no node yet".to_owned(),
        "not_initialized" => "stays: not initialized yet".to_owned(),
        "deleting" | "candidate_deleting" => "is being deleted".to_owned(),
        "nominated" => "stays: pending pods were promised room on it".to_owned(),
        "node_do_not_disrupt" => "stays: the node has karpenter.sh/do-not-disrupt".to_owned(),
        "no_nodepool_label" => "stays: it names no NodePool".to_owned(),
        "nodepool_missing" => "stays: its NodePool is gone".to_owned(),
        "pod_do_not_disrupt" => format!("stays: {pod} has karpenter.sh/do-not-disrupt"),
        "pdb_blocked" if has("pdb") => format!("stays: PDB {} lets {pod} not be evicted", fact("pdb")),
        "pdb_blocked" => format!("stays: a PDB lets {pod} not be evicted"),
        "multi_pdb" => format!("stays: {pod} has more than one PDB, so it cannot be evicted"),
        "pods_unlisted" => "stays: its pods are not known yet".to_owned(),
        "static_pool" => "stays: static NodePools are not consolidated".to_owned(),
        "no_instance_type" => "stays: its instance type is not in the catalogue".to_owned(),
        "no_capacity_type" => "stays: it has no capacity type label".to_owned(),
        "no_zone" => "stays: it has no zone label".to_owned(),
        "consolidation_never" => "stays: consolidateAfter is Never".to_owned(),
        "is_empty" => "is empty: left to the emptiness method".to_owned(),
        "policy_when_empty" => "stays: policy WhenEmpty and it has pods".to_owned(),
        "not_consolidatable" if has("until") => {
            format!("stays: consolidateAfter runs until {}", fact("until"))
        }
        "not_consolidatable" => "stays: consolidateAfter has not passed since its last pod change".to_owned(),
        "buffer_pods" => "stays: it holds buffer capacity".to_owned(),
        "not_empty" => "stays: it has pods".to_owned(),
        "not_drifted" => "stays: matches its NodePool and NodeClass".to_owned(),
        "memo_unchanged" => "stays: nothing changed since it was last looked at".to_owned(),
        "budget_exhausted" if has("allowed") => {
            let (allowed, in_use) = (fact("allowed"), fact("used"));
            format!("stays: budget allows {allowed} nodes, {in_use} in use")
        }
        "budget_exhausted" => "stays: the disruption budget is used up".to_owned(),
        "score_too_low" if has("score") => {
            let (score, threshold) = (fact("score"), fact("threshold"));
            format!("stays: score {score}, Balanced needs {threshold}")
        }
        "score_too_low" => "stays: saving too small for the disruption (Balanced)".to_owned(),
        "pods_unschedulable" => "stays: its pods would not all find a place".to_owned(),
        "needs_n_nodes" if has("n") => format!(
            "stays: its pods would need {} new nodes, at most 1 may replace it",
            fact("n")
        ),
        "needs_n_nodes" => "stays: its pods would need more than one new node".to_owned(),
        "uninitialized_target" => "stays: its pods would go to a node that is not initialized".to_owned(),
        "destination_cooling" => "stays: a node its pods would go to was disrupted moments ago".to_owned(),
        "not_cheaper" if has("price") => {
            let now = fact("price");
            let best = if has("best") {
                format!(", cheapest that fits costs {}", fact("best"))
            } else {
                String::new()
            };
            format!("stays: no cheaper replacement, it costs {now}{best}")
        }
        "not_cheaper" => "stays: no replacement is cheaper".to_owned(),
        "min_values" => "stays: cheaper types left do not meet minValues".to_owned(),
        "spot_to_spot_off" => "stays: spot to spot consolidation is off".to_owned(),
        "spot_flexibility" if has("n") => format!("stays: {} cheaper spot types, 15 are wanted", fact("n")),
        "spot_flexibility" => "stays: fewer than 15 cheaper spot types".to_owned(),
        "same_type" => "stays: the replacement would be of the same type".to_owned(),
        "timeout" => "not reached before the pass ran out of time".to_owned(),
        "validation_churn" => "stays: the cluster changed during validation".to_owned(),
        "validation_budget" => "stays: the budget was used up during validation".to_owned(),
        "validation_scheduling" => "stays: its pods found no place at validation".to_owned(),
        "static_limit" => "stays: node limit of the static NodePool".to_owned(),
        "static_scaling_down" => "goes: its static NodePool has too many nodes".to_owned(),
        "selected" => "goes: chosen for disruption".to_owned(),
        "outranked" => "could go on its own: another command comes first".to_owned(),
        "started" => "goes: disruption has begun".to_owned(),
        "waiting_replacement" => "goes: waits for its replacement to be initialized".to_owned(),
        "replacement_lost" => "stays: its replacement vanished, rolled back".to_owned(),
        "queue_timeout" => "stays: its replacement took too long, rolled back".to_owned(),
        "completed" => "goes: deletion has been asked for".to_owned(),
        "rolled_back" => "stays: disruption was rolled back".to_owned(),
        "paused" => "stays: disruption is paused".to_owned(),
        "awaiting_approval" => "waits for your review".to_owned(),
        "rejected_by_user" => "stays: you rejected it, it rests for a while".to_owned(),
        "forced_by_user" => "goes: asked for by a person".to_owned(),
        "approval_stale" => "stays: it changed after approval".to_owned(),
        other => other.replace('_', " "),
    }
}

/// A few words for a column.
pub fn verdict_short(v: &Verdict) -> String {
    let text = sentence(v, &mut Vec::new());
    text.strip_prefix("stays: ").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &str, facts: &[(&str, &str)]) -> Verdict {
        Verdict {
            node: "n".into(),
            method: "single".into(),
            code: code.into(),
            pod: None,
            facts: facts.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
        }
    }

    #[test]
    fn numbers_are_used_once_and_never_lost() {
        let v = of(
            "budget_exhausted",
            &[("allowed", "1"), ("used", "1"), ("pool", "web")],
        );
        assert_eq!(verdict(&v), "stays: budget allows 1 nodes, 1 in use · pool web");
        assert_eq!(verdict(&of("brand_new_code", &[])), "brand new code");
        let mut v = of("pdb_blocked", &[("pdb", "data/etl")]);
        v.pod = Some("data/etl-1".into());
        assert_eq!(verdict(&v), "stays: PDB data/etl lets data/etl-1 not be evicted");
        assert_eq!(verdict_short(&v), "PDB data/etl lets data/etl-1 not be evicted");
    }
}
