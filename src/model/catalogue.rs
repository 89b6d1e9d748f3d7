//! Instance types compiled for filtering: one bit a type (house, "Data that flows").

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::index::Index;
use super::{InstanceType, Name};

/// All instance types that one node class may use, in name order, with prices of one moment.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Arc<InstanceType>>", into = "Vec<Arc<InstanceType>>")]
pub struct Catalogue {
    types: Vec<Arc<InstanceType>>,
    by_name: BTreeMap<Name, usize>,
    /// Compiled at first use.
    index: OnceLock<Arc<Index>>,
}

impl PartialEq for Catalogue {
    fn eq(&self, other: &Self) -> bool {
        self.types == other.types
    }
}

impl Catalogue {
    /// Sorts by name; of two types with one name the later wins.
    pub fn new(types: impl IntoIterator<Item = Arc<InstanceType>>) -> Self {
        let sorted: BTreeMap<Name, Arc<InstanceType>> =
            types.into_iter().map(|t| (t.name.clone(), t)).collect();
        let types: Vec<_> = sorted.into_values().collect();
        let by_name = types
            .iter()
            .enumerate()
            .map(|(i, t)| (t.name.clone(), i))
            .collect();
        Self {
            types,
            by_name,
            index: OnceLock::new(),
        }
    }

    pub fn types(&self) -> &[Arc<InstanceType>] {
        &self.types
    }

    /// The bit-set index; bit `i` is `types()[i]`.
    pub fn index(&self) -> &Arc<Index> {
        self.index
            .get_or_init(|| Arc::new(Index::new(self.types.iter().map(AsRef::as_ref))))
    }

    /// Position of a type, its bit in the index.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub fn get(&self, name: &str) -> Option<&Arc<InstanceType>> {
        self.by_name.get(name).map(|i| &self.types[*i])
    }

    pub fn len(&self) -> usize {
        self.types.len()
    }

    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }
}

impl From<Vec<Arc<InstanceType>>> for Catalogue {
    fn from(types: Vec<Arc<InstanceType>>) -> Self {
        Self::new(types)
    }
}
impl From<Catalogue> for Vec<Arc<InstanceType>> {
    fn from(c: Catalogue) -> Self {
        c.types
    }
}
