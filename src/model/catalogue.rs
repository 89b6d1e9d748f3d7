//! Instance types compiled for filtering: one bit a type (house, "Data that flows").

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::index::Index;
use super::{InstanceType, Name};

/// All instance types that one node class may use, in name order, with prices of one moment. A type whose offerings
/// make different machines has one row for each kind (decisions §3: a row is type and allocatable group).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Arc<InstanceType>>", into = "Vec<Arc<InstanceType>>")]
pub struct Catalogue {
    rows: Vec<Arc<InstanceType>>,
    /// Name → the first of its rows.
    by_name: BTreeMap<Name, usize>,
    /// Types with several rows, as a whole.
    whole: BTreeMap<Name, Arc<InstanceType>>,
    /// Compiled at first use.
    index: OnceLock<Arc<Index>>,
}

impl PartialEq for Catalogue {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows && self.whole == other.whole
    }
}

impl Catalogue {
    /// Sorts by name; of two types with one name the later wins.
    pub fn new(types: impl IntoIterator<Item = Arc<InstanceType>>) -> Self {
        let sorted: BTreeMap<Name, Arc<InstanceType>> =
            types.into_iter().map(|t| (t.name.clone(), t)).collect();
        let mut out = Self::default();
        for (name, kind) in sorted {
            out.by_name.insert(name.clone(), out.rows.len());
            match kind.split() {
                None => out.rows.push(kind),
                Some(rows) => {
                    out.rows.extend(rows.into_iter().map(Arc::new));
                    out.whole.insert(name, kind);
                }
            }
        }
        out
    }

    /// The rows, by name; nearly always one a type.
    pub fn types(&self) -> &[Arc<InstanceType>] {
        &self.rows
    }

    /// Every type once, with all its offerings.
    pub fn distinct(&self) -> impl Iterator<Item = &Arc<InstanceType>> {
        self.by_name
            .iter()
            .filter_map(|(name, i)| self.whole.get(name).or_else(|| self.rows.get(*i)))
    }

    /// The bit-set index; bit `i` is `types()[i]`.
    pub fn index(&self) -> &Arc<Index> {
        self.index
            .get_or_init(|| Arc::new(Index::new(self.rows.iter().map(AsRef::as_ref))))
    }

    /// Positions of a type's rows, their bits in the index.
    pub fn positions(&self, name: &str) -> impl Iterator<Item = usize> {
        let first = self.by_name.get(name).copied().unwrap_or(self.rows.len());
        self.rows
            .iter()
            .enumerate()
            .skip(first)
            .take_while(move |(_, t)| &*t.name == name)
            .map(|(i, _)| i)
    }

    /// The type with all its offerings.
    pub fn get(&self, name: &str) -> Option<&Arc<InstanceType>> {
        self.whole
            .get(name)
            .or_else(|| self.by_name.get(name).and_then(|i| self.rows.get(*i)))
    }

    /// How many types.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl From<Vec<Arc<InstanceType>>> for Catalogue {
    fn from(types: Vec<Arc<InstanceType>>) -> Self {
        Self::new(types)
    }
}
impl From<Catalogue> for Vec<Arc<InstanceType>> {
    fn from(c: Catalogue) -> Self {
        c.distinct().cloned().collect()
    }
}
