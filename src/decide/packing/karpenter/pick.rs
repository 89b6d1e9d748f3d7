//! From the keys of pods to the pods that take part (`scheduling §4.1`).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::decide::scheduling::prepare::Prepared;
use crate::decide::scheduling::{Problem, buffers, defaults, validate, volumes};
use crate::model::decision::Refusal;
use crate::model::decision::evidence::Unschedulable;
use crate::model::{Name, Pod, Snapshot};

/// From so large a part of all pods on, walking the table is cheaper than asking it for each.
const PART: usize = 8;

/// The pods of a problem, those that are not there left out.
pub fn pods_of(p: &Prepared, problem: &Problem<'_>) -> Vec<(Name, Arc<Pod>)> {
    look_up(&p.snapshot, problem.pods)
}

/// Pods that take part, with the cluster's defaults, and those that are never considered.
pub fn sort_out(p: &Prepared, pods: Vec<(Name, Arc<Pod>)>) -> (Vec<(Name, Arc<Pod>)>, Vec<Unschedulable>) {
    let mut kept = Vec::with_capacity(pods.len());
    let mut ignored = Vec::new();
    // Specs are shared, and so is what is wrong with them.
    let mut specs: BTreeMap<usize, Result<(), Refusal>> = BTreeMap::new();
    for (key, pod) in pods {
        let judged = if buffers::is_virtual(&pod) {
            // Never validated (`scheduling §24`).
            validate::moving(&p.snapshot, &pod, true)
        } else if pod.node.is_none() {
            let of_spec = specs.entry(Arc::as_ptr(&pod.spec) as usize);
            match of_spec.or_insert_with(|| validate::spec(&pod.spec, &p.well_known)) {
                Ok(()) => volumes::validate(&p.snapshot, &pod),
                Err(refusal) => Err(refusal.clone()),
            }
        } else {
            validate::moving(&p.snapshot, &pod, p.settings.parity)
        };
        match judged {
            Ok(()) => kept.push((key, pod)),
            Err(refusal) => ignored.push(Unschedulable {
                pod: key,
                unknown: p.vocabulary().unknown(&pod.spec, &p.well_known),
                pools: vec![("".into(), refusal)],
            }),
        }
    }
    defaults::apply(p, &mut kept);
    (kept, ignored)
}

/// Pods by key, those that are not there left out, in the order of the keys.
fn look_up(snapshot: &Snapshot, keys: &[Name]) -> Vec<(Name, Arc<Pod>)> {
    let table = &snapshot.pods;
    let many = keys.len().saturating_mul(PART) > table.len();
    if !many || !keys.is_sorted() {
        let ask = |key: &Name| table.get(key).map(|pod| (key.clone(), pod.clone()));
        return keys.iter().filter_map(ask).collect();
    }
    let mut out = Vec::with_capacity(keys.len());
    let mut rows = table.iter();
    let mut row = rows.next();
    for key in keys {
        while let Some((other, pod)) = row {
            let order = if Arc::ptr_eq(other, key) {
                std::cmp::Ordering::Equal
            } else {
                other.cmp(key)
            };
            match order {
                std::cmp::Ordering::Less => row = rows.next(),
                std::cmp::Ordering::Equal => {
                    out.push((key.clone(), pod.clone()));
                    break;
                }
                std::cmp::Ordering::Greater => break,
            }
        }
    }
    out
}
