//! Which rows are known already, so that an event that changes none is dropped.

use crate::model::{Delta, Name, Snapshot};

/// The watched kinds, in the order in which equal versions are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Watched {
    Namespace,
    StorageClass,
    Volume,
    VolumeClaim,
    CsiNode,
    Attachment,
    Pdb,
    Class,
    Pool,
    Daemon,
    Claim,
    Node,
    Pod,
}

impl Watched {
    pub const ALL: [Self; 13] = [
        Self::Namespace,
        Self::StorageClass,
        Self::Volume,
        Self::VolumeClaim,
        Self::CsiNode,
        Self::Attachment,
        Self::Pdb,
        Self::Class,
        Self::Pool,
        Self::Daemon,
        Self::Claim,
        Self::Node,
        Self::Pod,
    ];

    /// The delta that takes a row away.
    pub fn gone(self, key: Name) -> Delta {
        match self {
            Self::Namespace => Delta::NamespaceGone(key),
            Self::StorageClass => Delta::StorageClassGone(key),
            Self::Volume => Delta::VolumeGone(key),
            Self::VolumeClaim => Delta::VolumeClaimGone(key),
            Self::CsiNode => Delta::CsiNodeGone(key),
            Self::Attachment => Delta::AttachmentGone(key),
            Self::Pdb => Delta::PdbGone(key),
            Self::Class => Delta::ClassGone(key),
            Self::Pool => Delta::PoolGone(key),
            Self::Daemon => Delta::DaemonGone(key),
            Self::Claim => Delta::ClaimGone(key),
            Self::Node => Delta::NodeGone(key),
            Self::Pod => Delta::PodGone(key),
        }
    }

    /// Keys of all known rows.
    pub fn keys(self, known: &Snapshot) -> Vec<Name> {
        match self {
            Self::Namespace => known.namespaces.keys().cloned().collect(),
            Self::StorageClass => known.storage_classes.keys().cloned().collect(),
            Self::Volume => known.volumes.keys().cloned().collect(),
            Self::VolumeClaim => known.volume_claims.keys().cloned().collect(),
            Self::CsiNode => known.csi_nodes.keys().cloned().collect(),
            Self::Attachment => known.attachments.keys().cloned().collect(),
            Self::Pdb => known.pdbs.keys().cloned().collect(),
            Self::Class => known.classes.keys().cloned().collect(),
            Self::Pool => known.pools.keys().cloned().collect(),
            Self::Daemon => known.daemons.keys().cloned().collect(),
            Self::Claim => known.claims.keys().cloned().collect(),
            Self::Node => known.nodes.keys().cloned().collect(),
            Self::Pod => known.pods.keys().cloned().collect(),
        }
    }
}

/// Whether applying `delta` would change nothing.
pub(super) fn is_known(known: &Snapshot, key: &Name, delta: &Delta) -> bool {
    match delta {
        Delta::Pod(r) => known.pods.get(key) == Some(r),
        Delta::PodGone(k) => !known.pods.contains_key(k),
        Delta::Node(r) => known.nodes.get(key) == Some(r),
        Delta::NodeGone(k) => !known.nodes.contains_key(k),
        Delta::Claim(r) => known.claims.get(key) == Some(r),
        Delta::ClaimGone(k) => !known.claims.contains_key(k),
        Delta::Pool(r) => known.pools.get(key) == Some(r),
        Delta::PoolGone(k) => !known.pools.contains_key(k),
        Delta::Class(r) => known.classes.get(key) == Some(r),
        Delta::ClassGone(k) => !known.classes.contains_key(k),
        Delta::Daemon(r) => known.daemons.get(key) == Some(r),
        Delta::DaemonGone(k) => !known.daemons.contains_key(k),
        Delta::Pdb(r) => known.pdbs.get(key) == Some(r),
        Delta::PdbGone(k) => !known.pdbs.contains_key(k),
        Delta::Namespace(r) => known.namespaces.get(key) == Some(r),
        Delta::NamespaceGone(k) => !known.namespaces.contains_key(k),
        Delta::VolumeClaim(r) => known.volume_claims.get(key) == Some(r),
        Delta::VolumeClaimGone(k) => !known.volume_claims.contains_key(k),
        Delta::Volume(r) => known.volumes.get(key) == Some(r),
        Delta::VolumeGone(k) => !known.volumes.contains_key(k),
        Delta::StorageClass(r) => known.storage_classes.get(key) == Some(r),
        Delta::StorageClassGone(k) => !known.storage_classes.contains_key(k),
        Delta::CsiNode(r) => known.csi_nodes.get(key) == Some(r),
        Delta::CsiNodeGone(k) => !known.csi_nodes.contains_key(k),
        Delta::Attachment(r) => known.attachments.get(key) == Some(r),
        Delta::AttachmentGone(k) => !known.attachments.contains_key(k),
        _ => false,
    }
}
