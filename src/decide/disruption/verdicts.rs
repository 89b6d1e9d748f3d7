//! The table of verdicts that a pass builds: the method that spoke last about a node wins.

use std::collections::BTreeMap;

use crate::model::Name;
use crate::model::decision::Verdict;

use super::Method;

/// One row a node.
#[derive(Clone, Debug, Default)]
pub struct Verdicts(BTreeMap<Name, Verdict>);

/// A verdict without its node and method.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    pub code: Name,
    pub pod: Option<Name>,
    pub facts: BTreeMap<Name, Name>,
}

impl Why {
    pub fn new(code: &str) -> Self {
        Self {
            code: code.into(),
            ..Self::default()
        }
    }

    pub fn pod(mut self, pod: Name) -> Self {
        self.pod = Some(pod);
        self
    }

    pub fn fact(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        self.facts.insert(key.into(), value.to_string().into());
        self
    }
}

impl Verdicts {
    /// `method` is `None` for the checks that every method shares.
    pub fn say(&mut self, node: &Name, method: Option<Method>, why: Why) {
        self.0.insert(
            node.clone(),
            Verdict {
                node: node.clone(),
                method: method.map_or("", Method::as_str).into(),
                code: why.code,
                pod: why.pod,
                facts: why.facts,
            },
        );
    }

    /// Keeps what was said before, if anything.
    pub fn say_first(&mut self, node: &Name, method: Option<Method>, why: Why) {
        if !self.0.contains_key(node) {
            self.say(node, method, why);
        }
    }

    pub fn into_vec(self) -> Vec<Verdict> {
        self.0.into_values().collect()
    }
}
