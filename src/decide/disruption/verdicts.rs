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
    ///
    /// Why a drifted node cannot be replaced is not hidden by why it is not consolidated.
    pub fn say(&mut self, node: &Name, method: Option<Method>, why: Why) {
        let drifted = self.0.get(node).is_some_and(|v| {
            [Method::Drift, Method::StaticDrift]
                .iter()
                .any(|m| *v.method == *m.as_str())
        });
        let chosen = matches!(&*why.code, "selected" | "forced_by_user");
        if drifted && method > Some(Method::Drift) && !chosen {
            return;
        }
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

    /// Unless it was chosen meanwhile.
    pub fn say_unless_chosen(&mut self, node: &Name, method: Option<Method>, why: Why) {
        let chosen = self
            .0
            .get(node)
            .is_some_and(|v| matches!(&*v.code, "selected" | "forced_by_user"));
        if !chosen {
            self.say(node, method, why);
        }
    }

    /// Whether a method has said something that the methods behind it would not say better.
    pub fn has_final(&self, node: &Name) -> bool {
        self.0
            .get(node)
            .is_some_and(|v| !matches!(&*v.code, "not_empty" | "not_drifted"))
    }

    pub fn into_vec(self) -> Vec<Verdict> {
        self.0.into_values().collect()
    }
}
