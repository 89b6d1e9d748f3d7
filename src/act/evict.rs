//! Evictions through the Eviction API, PodDisruptionBudgets honoured (`lifecycle §5.2`).

use jiff::Timestamp;

use super::kube::{Error, SOON, Writer};
use crate::clock::after;
use crate::model::decision::EffectResult;

pub(super) async fn evict(
    kube: &Writer,
    namespace: &str,
    pod: &str,
    uid: &str,
    now: Timestamp,
) -> EffectResult {
    match kube.evict(namespace, pod, uid).await {
        Ok(()) => EffectResult::Done,
        // Gone, or replaced by another pod: what was asked for has happened.
        Err(Error::Gone(_) | Error::Replaced(_) | Error::Conflict(_)) => EffectResult::Unchanged,
        Err(Error::TooMany(message)) => EffectResult::Retry {
            message,
            reason: "DisruptionBudget".into(),
            retry_at: after(now, SOON),
        },
        Err(error) => error.into_result(now),
    }
}
