//! Pauses: the autoscaler does less until a person says otherwise or a time has come.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::Name;
use crate::model::decision::WriteClass;

/// One pause in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    pub since: Timestamp,
    /// `None` = until resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    pub by: Name,
}

/// Which parts are paused (decisions §6).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pauses {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioning: Option<Pause>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disruption: Option<Pause>,
    /// `P`: everything but `supervise`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub everything: Option<Pause>,
    /// NodePools whose provisioning and disruption are paused.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub pools: std::collections::BTreeMap<Name, Pause>,
}

impl Pauses {
    /// Whether a write of that class is forbidden now, for any pool.
    pub fn forbids(&self, class: WriteClass) -> bool {
        match class {
            WriteClass::Supervise => false,
            _ if self.everything.is_some() => true,
            WriteClass::Provision => self.provisioning.is_some(),
            WriteClass::Disrupt => self.disruption.is_some(),
            WriteClass::Complete | WriteClass::Mirror => false,
        }
    }

    pub fn any(&self) -> bool {
        self.provisioning.is_some()
            || self.disruption.is_some()
            || self.everything.is_some()
            || !self.pools.is_empty()
    }
}
