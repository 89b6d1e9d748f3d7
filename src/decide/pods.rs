//! Rules about single pods that draining and disruption share (`disruption §4`, `§11`).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::api::names;
use crate::clock::after;
use crate::model::storage::Pdb;
use crate::model::taints::TaintEffect;
use crate::model::{Name, Pod, Taint};

/// `lifecycle §16`: a pod that is still there so long after its grace ended no longer holds up its node.
const STUCK_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// What the annotation `karpenter.sh/do-not-disrupt` of a pod means now (`disruption §4.1`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// No annotation, or one that means nothing.
    None,
    Forever,
    /// Protected until then; `None` when the pod has not started, which protects too.
    Until(Option<Timestamp>),
    /// A duration that is over.
    Elapsed,
    /// Neither `true` nor a positive duration: ignored, with a warning on the pod.
    Invalid,
}

impl Protection {
    pub fn is_active(self) -> bool {
        matches!(self, Self::Forever | Self::Until(_))
    }
}

/// Reads the annotation of `pod` at `now`.
pub fn protection(pod: &Pod, now: Timestamp) -> Protection {
    let Some(text) = pod.do_not_disrupt.as_deref() else {
        return Protection::None;
    };
    if text == "true" {
        return Protection::Forever;
    }
    let Some(time) = parse_go_duration(text).filter(|d| !d.is_zero()) else {
        return Protection::Invalid;
    };
    match pod.started {
        None => Protection::Until(None),
        Some(started) => match after(started, time) {
            end if now < end => Protection::Until(Some(end)),
            _ => Protection::Elapsed,
        },
    }
}

/// A non-negative Go-style duration such as `1h30m`, `90s`, `1.5h`, `250ms`; `None` for anything else.
pub fn parse_go_duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut nanos: u128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(end);
        let (unit, size) = [
            ("ns", 1),
            ("us", 1_000),
            ("µs", 1_000),
            ("ms", 1_000_000),
            ("s", 1_000_000_000),
            ("m", 60_000_000_000),
            ("h", 3_600_000_000_000_u128),
        ]
        .into_iter()
        .find(|(unit, _)| tail.starts_with(unit))?;
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && part.is_empty() || part.contains('.') {
            return None;
        }
        let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        nanos = nanos.checked_add(whole.checked_mul(size)?)?;
        let mut weight = size;
        for digit in part.bytes() {
            weight /= 10;
            nanos = nanos.checked_add(u128::from(digit - b'0') * weight)?;
        }
        rest = &tail[unit.len()..];
    }
    Some(Duration::from_nanos(u64::try_from(nanos).ok()?))
}

/// The taint of a node that is on its way out.
pub fn disrupted_taint() -> Taint {
    Taint {
        key: names::DISRUPTED_TAINT.into(),
        value: "".into(),
        effect: TaintEffect::NoSchedule,
    }
}

pub fn tolerates_disrupted(pod: &Pod) -> bool {
    let taint = disrupted_taint();
    pod.spec.tolerations.iter().any(|t| t.tolerates(&taint))
}

/// A pod that the kubelet reads from a file; its owner is the Node.
pub fn is_mirror(pod: &Pod) -> bool {
    pod.owned_by("Node")
}

pub fn is_daemon(pod: &Pod) -> bool {
    pod.owned_by("DaemonSet")
}

pub fn is_stuck(pod: &Pod, now: Timestamp) -> bool {
    pod.deleting
        .is_some_and(|end| now.duration_since(end) > STUCK_AFTER)
}

/// Active and under the annotation's protection.
pub fn blocks_by_annotation(pod: &Pod, now: Timestamp) -> bool {
    pod.is_active() && protection(pod, now).is_active()
}

/// May be sent to the Eviction API now.
pub fn is_evictable(pod: &Pod, now: Timestamp) -> bool {
    pod.is_active() && !tolerates_disrupted(pod) && !is_mirror(pod) && !protection(pod, now).is_active()
}

/// A drain takes it or waits for it; protected pods stall a drain.
pub fn is_drainable(pod: &Pod, now: Timestamp) -> bool {
    !tolerates_disrupted(pod) && !is_stuck(pod, now) && !is_mirror(pod)
}

/// A drain is not over while such a pod is on the node.
pub fn waits_for_eviction(pod: &Pod, now: Timestamp) -> bool {
    !pod.is_terminal() && is_drainable(pod, now)
}

/// `1 + deletion cost / 2^27 + priority / 2^25`, clamped to ±10 (`disruption §11`).
pub fn eviction_cost(pod: &Pod) -> f64 {
    let deletion = f64::from(pod.deletion_cost.unwrap_or(0)) / f64::from(1 << 27);
    let priority = f64::from(pod.spec.priority) / f64::from(1 << 25);
    (1.0 + deletion + priority).clamp(-10.0, 10.0)
}

/// Budgets of the pod's namespace whose selector matches it.
pub fn matching_pdbs<'a>(pdbs: &'a [&'a Pdb], pod: &'a Pod) -> impl Iterator<Item = &'a Pdb> {
    pdbs.iter().copied().filter(move |p| {
        p.namespace == pod.namespace && p.selector.as_ref().is_some_and(|s| s.matches(&pod.labels))
    })
}

/// Why no eviction of a pod could succeed now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PdbBlock {
    /// That budget allows none.
    Exhausted(Name),
    /// The Eviction API refuses pods under more than one budget.
    Several(Vec<Name>),
}

/// `disruption §4.2`: whether the pod could be evicted on its own now.
pub fn pdb_block(pdbs: &[&Pdb], pod: &Pod, now: Timestamp) -> Option<PdbBlock> {
    if !is_evictable(pod, now) {
        return None;
    }
    blocked_by(pdbs, pod, |p| p.disruptions_allowed.unwrap_or(0) <= 0)
}

fn blocked_by(pdbs: &[&Pdb], pod: &Pod, blocks: impl Fn(&Pdb) -> bool) -> Option<PdbBlock> {
    let matching: Vec<&Pdb> = matching_pdbs(pdbs, pod).collect();
    let name = |p: &Pdb| -> Name { format!("{}/{}", p.namespace, p.name).into() };
    match matching.as_slice() {
        [] => None,
        [one] if one.always_allow_unhealthy && !pod.ready => None,
        [one] => blocks(one).then(|| PdbBlock::Exhausted(name(one))),
        several => Some(PdbBlock::Several(several.iter().map(|p| name(p)).collect())),
    }
}

/// `disruption §4.2`, "fully blocking": nobody can ever evict under it.
pub fn is_fully_blocking(pdb: &Pdb) -> bool {
    pdb.max_unavailable
        .as_deref()
        .is_some_and(|v| v == "0" || v == "0%")
        || pdb.min_available.as_deref() == Some("100%")
}

/// `disruption §4.4`: the only pods that a simulation places.
pub fn is_currently_reschedulable(pdbs: &[&Pdb], pod: &Pod, now: Timestamp) -> bool {
    pod.is_reschedulable()
        && !blocks_by_annotation(pod, now)
        && blocked_by(pdbs, pod, is_fully_blocking).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_durations() {
        for (text, seconds) in [
            ("30m", Some(1800)),
            ("1h30m", Some(5400)),
            ("1.5h", Some(5400)),
            ("90s", Some(90)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("-5m", None),
            ("soon", None),
            ("false", None),
            ("4", None),
            ("", None),
            ("h", None),
        ] {
            assert_eq!(
                parse_go_duration(text),
                seconds.map(Duration::from_secs),
                "{text}"
            );
        }
        assert_eq!(parse_go_duration("250ms"), Some(Duration::from_millis(250)));
    }
}
