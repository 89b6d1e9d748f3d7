//! Why a node stays (or goes): one verdict a node and pass (`disruption §23`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::Name;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    pub node: Name,
    /// Method that spoke last: `empty`, `drift`, `multi`, `single`; empty when no method looked.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub method: Name,
    /// A code of `disruption §23`, such as `pdb_blocked` or `not_cheaper`.
    pub code: Name,
    /// The pod that blocks, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<Name>,
    /// The numbers behind the code, as text: `allowed`, `used`, `price`, `until`, `pdb` …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<Name, Name>,
}
