//! A command as a proposal: its effects, impact and evidence (`disruption §16`).

use std::collections::BTreeMap;

use super::Method;
use super::budgets::Budgets;
use super::consolidate::Command;
use super::memo::joined;
use crate::api::names;
use crate::decide::pods::disrupted_taint;
use crate::model::decision::effect::ObjectKind;
use crate::model::decision::evidence::Disruption;
use crate::model::decision::{Effect, Evidence, Impact, ObjectPatch, Proposal, WriteClass};
use crate::model::{Condition, Name, Status};
use jiff::Timestamp;

/// What a person set aside, when one asked for the decision.
#[derive(Clone, Debug, Default)]
pub struct Forced(pub Option<Vec<Name>>);

/// Marks of every candidate, then replacements or deletions.
pub fn effects(command: &Command<'_>, method: Method, now: Timestamp) -> Vec<Effect> {
    let mut candidates: Vec<_> = command.candidates.iter().collect();
    candidates.sort_by_key(|c| c.name().clone());
    let replaced_by = if command.replacements.is_empty() {
        "-".to_owned()
    } else {
        joined(command.replacements.iter().map(|r| &r.draft.name))
    };
    let replaces = joined(candidates.iter().map(|c| &c.claim.name));
    let mut out = Vec::new();
    for candidate in &candidates {
        let mut node = ObjectPatch::new(
            ObjectKind::Node,
            &candidate.node.name,
            &candidate.node.uid,
            WriteClass::Disrupt,
        );
        node.add_taints.push(disrupted_taint());
        node.annotations
            .insert(names::KERF_REPLACED_BY.into(), Some(replaced_by.as_str().into()));
        let mut claim = ObjectPatch::new(
            ObjectKind::NodeClaim,
            &candidate.claim.name,
            &candidate.claim.uid,
            WriteClass::Disrupt,
        );
        claim.conditions.insert(
            names::DISRUPTION_REASON.into(),
            Condition {
                status: Status::True,
                reason: method.reason().into(),
                message: method.reason().into(),
                since: now,
                observed_generation: Some(candidate.claim.generation),
            },
        );
        out.push(Effect::Patch(Box::new(node)));
        out.push(Effect::Patch(Box::new(claim)));
    }
    for replacement in &command.replacements {
        let mut draft = replacement.draft.clone();
        draft
            .annotations
            .insert(names::KERF_REPLACES.into(), replaces.as_str().into());
        out.push(Effect::CreateClaim(Box::new(draft)));
    }
    if command.replacements.is_empty() {
        for candidate in &candidates {
            out.push(Effect::DeleteClaim {
                claim: candidate.claim.name.clone(),
                uid: candidate.claim.uid.clone(),
                reason: method.reason().to_lowercase().into(),
            });
        }
    }
    out
}

/// The proposal of a command that passed everything.
pub fn proposal(
    command: &Command<'_>,
    method: Method,
    budgets: &Budgets,
    forced: Forced,
    now: Timestamp,
) -> Proposal {
    let mut subjects: Vec<Name> = command.candidates.iter().map(|c| c.name().clone()).collect();
    subjects.sort();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (before, after) = (command.price_before(), command.price_after());
    let budgets: BTreeMap<Name, (u32, u32)> = command
        .candidates
        .iter()
        .map(|c| {
            let room = budgets.room(&c.pool.name);
            (c.pool.name.clone(), (room.allowed, room.used))
        })
        .collect();
    Proposal {
        kind: method.kind(),
        subjects,
        effects: effects(command, method, now),
        impact: Impact {
            usd_per_hour: after - before,
            nodes_added: count(command.replacements.len()),
            nodes_removed: count(command.candidates.len()),
            pods_placed: 0,
            evictions: count(command.candidates.iter().map(|c| c.pods.len()).sum()),
        },
        evidence: Evidence::Disruption(Box::new(Disruption {
            method: method.as_str().into(),
            reason: method.reason().into(),
            forced: forced.0.is_some(),
            candidates: command
                .candidates
                .iter()
                .map(super::candidates::Candidate::evidence)
                .collect(),
            replacements: command.replacements.iter().map(|r| r.evidence.clone()).collect(),
            price_before: before,
            price_after: after,
            moves: command.moves.clone(),
            budgets,
            overridden: forced.0.unwrap_or_default(),
            largest_cpu: command.largest_cpu,
            scores: command
                .scores
                .iter()
                .map(|(pool, s)| (pool.clone(), s.score))
                .collect(),
        })),
    }
}
