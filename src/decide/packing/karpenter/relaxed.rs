//! What placed pods had to give up (`scheduling §19`).

use std::collections::BTreeMap;

use super::Solver;
use crate::decide::scheduling::{Purpose, relax};
use crate::model::Name;
use crate::model::decision::remedy::{Preference, Relaxed};

impl Solver<'_> {
    /// Placed pods that gave something up, by shape and step; in the order of their names.
    pub(super) fn relaxed(&self) -> Vec<Relaxed> {
        if self.purpose != Purpose::Provision {
            return Vec::new();
        }
        let mut groups: BTreeMap<(usize, usize), Vec<Name>> = BTreeMap::new();
        for (item, form) in &self.log {
            let item = &self.items[*item];
            let level = self.shapes[item.shape].levels.iter().position(|f| f == form);
            if let Some(level) = level.filter(|l| *l > 0) {
                groups
                    .entry((item.shape, level))
                    .or_default()
                    .push(item.key.clone());
            }
        }
        let mut out: Vec<Relaxed> = groups
            .into_iter()
            .map(|((shape, level), mut pods)| {
                pods.sort();
                Relaxed {
                    pods,
                    dropped: self.dropped(shape, level),
                }
            })
            .collect();
        out.sort_by(|a, b| a.pods.cmp(&b.pods));
        out
    }

    fn dropped(&self, shape: usize, level: usize) -> Vec<Preference> {
        let steps = &self.shapes[shape].levels;
        steps
            .windows(2)
            .take(level)
            .filter_map(|pair| relax::given_up(&self.forms[pair[0]].spec, &self.forms[pair[1]].spec))
            .collect()
    }
}
