//! Images and the parameters that alias them. A release adds one image of each kind; `latest` is the newest.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cloud::aws::api::{Image, Tags};
use crate::model::Name;
use crate::world::random;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// `v20251218`.
    pub version: String,
    pub created: Timestamp,
}

/// A kind of image: its name and the parameter for a version (`None` = latest).
struct Kind {
    arch: &'static str,
    name: fn(&str, &str) -> String,
    path: fn(&str, Option<&str>) -> String,
}

const KINDS: [Kind; 12] = [
    Kind {
        arch: "x86_64",
        name: |k, v| format!("amazon-eks-node-al2023-x86_64-standard-{k}-{v}"),
        path: |k, v| al2023(k, "x86_64", "standard", v),
    },
    Kind {
        arch: "x86_64",
        name: |k, v| format!("amazon-eks-node-al2023-x86_64-nvidia-{k}-{v}"),
        path: |k, v| al2023(k, "x86_64", "nvidia", v),
    },
    Kind {
        arch: "x86_64",
        name: |k, v| format!("amazon-eks-node-al2023-x86_64-neuron-{k}-{v}"),
        path: |k, v| al2023(k, "x86_64", "neuron", v),
    },
    Kind {
        arch: "arm64",
        name: |k, v| format!("amazon-eks-node-al2023-arm64-standard-{k}-{v}"),
        path: |k, v| al2023(k, "arm64", "standard", v),
    },
    Kind {
        arch: "arm64",
        name: |k, v| format!("amazon-eks-node-al2023-arm64-nvidia-{k}-{v}"),
        path: |k, v| al2023(k, "arm64", "nvidia", v),
    },
    Kind {
        arch: "x86_64",
        name: |k, v| format!("amazon-eks-node-{k}-{v}"),
        path: |k, v| al2(k, "", "node", v),
    },
    Kind {
        arch: "arm64",
        name: |k, v| format!("amazon-eks-arm64-node-{k}-{v}"),
        path: |k, v| al2(k, "-arm64", "arm64-node", v),
    },
    Kind {
        arch: "x86_64",
        name: |k, v| format!("amazon-eks-gpu-node-{k}-{v}"),
        path: |k, v| al2(k, "-gpu", "gpu-node", v),
    },
    Kind {
        arch: "x86_64",
        name: |k, v| format!("bottlerocket-aws-k8s-{k}-x86_64-{v}"),
        path: |k, v| bottlerocket(k, "", "x86_64", v),
    },
    Kind {
        arch: "arm64",
        name: |k, v| format!("bottlerocket-aws-k8s-{k}-aarch64-{v}"),
        path: |k, v| bottlerocket(k, "", "arm64", v),
    },
    Kind {
        arch: "x86_64",
        name: |k, v| format!("bottlerocket-aws-k8s-{k}-nvidia-x86_64-{v}"),
        path: |k, v| bottlerocket(k, "-nvidia", "x86_64", v),
    },
    Kind {
        arch: "arm64",
        name: |k, v| format!("bottlerocket-aws-k8s-{k}-nvidia-aarch64-{v}"),
        path: |k, v| bottlerocket(k, "-nvidia", "arm64", v),
    },
];

fn al2023(kubernetes: &str, arch: &str, kind: &str, version: Option<&str>) -> String {
    let name = version.map_or("recommended".to_owned(), |v| {
        format!("amazon-eks-node-al2023-{arch}-{kind}-{kubernetes}-{v}")
    });
    format!("/aws/service/eks/optimized-ami/{kubernetes}/amazon-linux-2023/{arch}/{kind}/{name}/image_id")
}

fn al2(kubernetes: &str, suffix: &str, node: &str, version: Option<&str>) -> String {
    let name = version.map_or("recommended".to_owned(), |v| {
        format!("amazon-eks-{node}-{kubernetes}-{v}")
    });
    format!("/aws/service/eks/optimized-ami/{kubernetes}/amazon-linux-2{suffix}/{name}/image_id")
}

fn bottlerocket(kubernetes: &str, suffix: &str, arch: &str, version: Option<&str>) -> String {
    let version = version.map_or("latest", |v| v.strip_prefix('v').unwrap_or(v));
    format!("/aws/service/bottlerocket/aws-k8s-{kubernetes}{suffix}/{arch}/{version}/image_id")
}

/// The releases that a new account finds: two, the newer one a few weeks old.
pub fn first_releases() -> Vec<Release> {
    [("v20251120", 1_763_640_000), ("v20251218", 1_766_059_200)]
        .into_iter()
        .map(|(version, second)| Release {
            version: version.to_owned(),
            created: Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH),
        })
        .collect()
}

fn id(seed: u64, name: &str) -> Name {
    format!("ami-0{:016x}", random::draw(seed, "image", name)).into()
}

/// Every image of every release.
pub fn all(seed: u64, kubernetes: &str, releases: &[Release]) -> Vec<Image> {
    releases
        .iter()
        .flat_map(|release| KINDS.iter().map(move |kind| (release, kind)))
        .map(|(release, kind)| {
            let name = (kind.name)(kubernetes, &release.version);
            Image {
                image_id: id(seed, &name),
                name: name.into(),
                architecture: kind.arch.into(),
                owner_id: "602401143452".into(),
                creation_date: release.created,
                deprecation_time: None,
                tags: Tags::new(),
            }
        })
        .collect()
}

/// The value of a parameter.
pub fn parameter(seed: u64, kubernetes: &str, releases: &[Release], path: &str) -> Option<Name> {
    let newest = releases.last()?;
    KINDS.iter().find_map(|kind| {
        if (kind.path)(kubernetes, None) == path {
            return Some(id(seed, &(kind.name)(kubernetes, &newest.version)));
        }
        releases
            .iter()
            .find(|r| (kind.path)(kubernetes, Some(&r.version)) == path)
            .map(|r| id(seed, &(kind.name)(kubernetes, &r.version)))
    })
}
