//! One pod against every place, for explanations.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Solver;
use crate::decide::scheduling::prepare::Prepared;
use crate::decide::scheduling::{Purpose, defaults, validate};
use crate::model::decision::Refusal;
use crate::model::{Name, Pod};

/// Places by name, with `None` where the pod fits.
pub type Tried = Vec<(Name, Option<Refusal>)>;

/// Pools in weight order, and machines in order of trial, each asked with everything given up that the pod can give up.
pub fn places(p: &Prepared, pod: &Arc<Pod>) -> (Tried, Tried) {
    if let Err(refusal) = validate::pod(&p.snapshot, pod, &p.well_known) {
        return (vec![("".into(), Some(refusal))], Vec::new());
    }
    let without = BTreeSet::new();
    let mut pods = vec![(pod.key(), pod.clone())];
    defaults::apply(p, &mut pods);
    let mut solver = Solver::new(p, &without, Purpose::Provision, pods);
    let form = solver.last_form(0);
    let taken = std::mem::take(&mut solver.forms[form]);
    let mut pools: Tried = p
        .templates
        .refused
        .iter()
        .map(|(name, refusal)| (name.clone(), Some(refusal.clone())))
        .collect();
    for template in 0..p.templates.usable.len() {
        let name = p.templates.usable[template].pool.name.clone();
        pools.push((name, solver.template_refusal(&taken, template)));
    }
    pools.sort_by_key(|(name, _)| p.templates.order.get(name).copied());
    let open: Vec<usize> = solver.open_nodes.ones().collect();
    let nodes = open
        .into_iter()
        .map(|i| (p.nodes[i].state.name.clone(), solver.node_refusal(&taken, i)))
        .collect();
    (pools, nodes)
}
