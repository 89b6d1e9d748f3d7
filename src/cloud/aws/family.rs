//! What differs between AMI families (`aws §4`, table of defaults).

use super::api::{BlockDeviceMapping, Ebs};

/// Family in force of a node class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    Al2,
    Al2023,
    Bottlerocket,
    Windows,
    Custom,
}

const GIB: i64 = 1 << 30;

impl Family {
    /// From `amiFamily` or what the alias implies; unknown words count as Custom.
    pub fn of(text: &str) -> Self {
        match text {
            "AL2" => Self::Al2,
            "AL2023" => Self::Al2023,
            "Bottlerocket" => Self::Bottlerocket,
            other if other.starts_with("Windows") => Self::Windows,
            _ => Self::Custom,
        }
    }

    /// The device that holds the kubelet's files.
    pub fn kubelet_disk(self) -> Option<&'static str> {
        match self {
            Self::Al2 | Self::Al2023 => Some("/dev/xvda"),
            Self::Bottlerocket => Some("/dev/xvdb"),
            Self::Windows => Some("/dev/sda1"),
            Self::Custom => None,
        }
    }

    /// Bytes of the kubelet disk when nothing is said about it.
    pub fn default_disk(self) -> i64 {
        if self == Self::Windows { 50 * GIB } else { 20 * GIB }
    }

    /// The kubelet's memory reservation counts ENI-limited pods, whatever `maxPods` says.
    pub fn reserves_for_eni_pods(self) -> bool {
        matches!(self, Self::Al2 | Self::Al2023 | Self::Custom)
    }

    pub fn has_pods_per_core(self) -> bool {
        self != Self::Bottlerocket
    }

    /// Pods are limited by network interfaces; else 110.
    pub fn has_eni_density(self) -> bool {
        self != Self::Windows
    }

    /// Volumes of a launch template when the class names none; Custom takes them from the image.
    pub fn default_volumes(self) -> Vec<BlockDeviceMapping> {
        let volume = |device: &str, gib: i64| BlockDeviceMapping {
            device_name: device.into(),
            ebs: Some(Ebs {
                delete_on_termination: Some(true),
                encrypted: Some(true),
                volume_size_gib: Some(gib),
                volume_type: Some("gp3".into()),
                ..Ebs::default()
            }),
        };
        match self {
            Self::Al2 | Self::Al2023 => vec![volume("/dev/xvda", 20)],
            Self::Bottlerocket => vec![volume("/dev/xvda", 4), volume("/dev/xvdb", 20)],
            Self::Windows => vec![volume("/dev/sda1", 50)],
            Self::Custom => Vec::new(),
        }
    }
}
