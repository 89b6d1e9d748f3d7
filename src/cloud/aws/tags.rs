//! Tags that everything made for a node class carries (`aws §9.4`).

use super::api::Tags;
use super::settings::Settings;
use crate::api::names;
use crate::model::NodeClass;

/// The class's own, whose cluster and which class; ours win.
pub(super) fn tags_of_class(settings: &Settings, class: &NodeClass) -> Tags {
    let mut out: Tags = class
        .spec
        .tags
        .iter()
        .map(|(k, v)| (k.as_str().into(), v.as_str().into()))
        .collect();
    let cluster = format!("{}{}", names::TAG_CLUSTER_PREFIX, settings.cluster_name);
    out.insert(cluster.into(), "owned".into());
    out.insert(names::TAG_CLUSTER.into(), settings.cluster_name.clone());
    out.insert(names::TAG_NODECLASS.into(), class.name.clone());
    out
}
