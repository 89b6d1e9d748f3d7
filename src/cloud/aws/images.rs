//! Images of a node class (`aws §3`): what its terms ask for, which of the found ones are kept, and which one a
//! type boots.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::api::{Filter, Image};
use crate::api::ec2nodeclass::{AmiTerm, Ec2NodeClassSpec};
use crate::api::names;
use crate::model::node_class::ResolvedImage;
use crate::model::{InstanceType, Name, Operator, Requirement, Requirements};

/// Which machines an image is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// No accelerators.
    Standard,
    Nvidia,
    Neuron,
    /// Windows of that build.
    Windows(&'static str),
    /// Whatever the architecture fits.
    Any,
}

impl Variant {
    fn requirements(self) -> Vec<Requirement> {
        let none = |key: &str| Requirement::new::<Name>(key, Operator::DoesNotExist, []);
        match self {
            Self::Standard => vec![
                none(names::INSTANCE_ACCELERATOR_COUNT),
                none(names::INSTANCE_GPU_COUNT),
            ],
            Self::Nvidia => vec![Requirement::exists(names::INSTANCE_GPU_COUNT)],
            Self::Neuron => vec![Requirement::exists(names::INSTANCE_ACCELERATOR_COUNT)],
            Self::Windows(build) => vec![
                Requirement::is_in(names::OS, ["windows"]),
                Requirement::is_in(names::WINDOWS_BUILD, [build]),
            ],
            Self::Any => Vec::new(),
        }
    }
}

/// The parameters that an alias stands for, each with what its image is for.
pub fn alias_parameters(family: &str, version: &str, kubernetes: &str) -> Vec<(String, Variant)> {
    use Variant::{Neuron, Nvidia, Standard};
    let latest = version == "latest";
    match family {
        "al2023" => [
            ("x86_64", "standard", Standard),
            ("x86_64", "nvidia", Nvidia),
            ("x86_64", "neuron", Neuron),
            ("arm64", "standard", Standard),
            ("arm64", "nvidia", Nvidia),
        ]
        .into_iter()
        .map(|(arch, kind, variant)| {
            let name = if latest {
                "recommended".to_owned()
            } else {
                format!("amazon-eks-node-al2023-{arch}-{kind}-{kubernetes}-{version}")
            };
            let path = format!(
                "/aws/service/eks/optimized-ami/{kubernetes}/amazon-linux-2023/{arch}/{kind}/{name}/image_id"
            );
            (path, variant)
        })
        .collect(),
        "al2" => [
            ("", "node", Standard),
            ("-arm64", "arm64-node", Standard),
            ("-gpu", "gpu-node", Nvidia),
            ("-gpu", "gpu-node", Neuron),
        ]
        .into_iter()
        .map(|(suffix, node, variant)| {
            let name = if latest {
                "recommended".to_owned()
            } else {
                format!("amazon-eks-{node}-{kubernetes}-{version}")
            };
            let path =
                format!("/aws/service/eks/optimized-ami/{kubernetes}/amazon-linux-2{suffix}/{name}/image_id");
            (path, variant)
        })
        .collect(),
        "bottlerocket" => [
            ("", "x86_64", Standard),
            ("", "x86_64", Neuron),
            ("", "arm64", Standard),
            ("-nvidia", "x86_64", Nvidia),
            ("-nvidia", "arm64", Nvidia),
        ]
        .into_iter()
        .map(|(suffix, arch, variant)| {
            let version = version.strip_prefix('v').unwrap_or(version);
            let path =
                format!("/aws/service/bottlerocket/aws-k8s-{kubernetes}{suffix}/{arch}/{version}/image_id");
            (path, variant)
        })
        .collect(),
        _ => windows(family)
            .into_iter()
            .map(|(year, build)| {
                let path = format!(
                    "/aws/service/ami-windows-latest/Windows_Server-{year}-English-Core-EKS_Optimized-{kubernetes}/image_id"
                );
                (path, Variant::Windows(build))
            })
            .collect(),
    }
}

/// Year and build of a Windows family, `windows2022` or `Windows2022`.
pub fn windows(family: &str) -> Option<(&'static str, &'static str)> {
    match family.get(..7).zip(family.get(7..)) {
        Some((os, "2019")) if os.eq_ignore_ascii_case("windows") => Some(("2019", "10.0.17763")),
        Some((os, "2022")) if os.eq_ignore_ascii_case("windows") => Some(("2022", "10.0.20348")),
        Some((os, "2025")) if os.eq_ignore_ascii_case("windows") => Some(("2025", "10.0.26100")),
        _ => None,
    }
}

/// Whether that family is not built for the Kubernetes minor (`aws §2`); unreadable minors are let through.
pub fn alias_unsupported(family: &str, kubernetes: &str) -> bool {
    let minor = kubernetes
        .split_once('.')
        .and_then(|(_, m)| m.parse::<u32>().ok());
    match (family, minor) {
        ("al2", Some(minor)) => minor >= 33,
        ("windows2025", Some(minor)) => minor < 35,
        _ => false,
    }
}

/// A DescribeImages call: owners and filters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageQuery {
    pub owners: Vec<Name>,
    pub filters: Vec<Filter>,
}

/// Filters of a tag map: `*` asks for the key alone (`aws §2.1`).
pub fn tag_filters(tags: &BTreeMap<String, String>) -> Vec<Filter> {
    tags.iter()
        .map(|(key, value)| {
            if value == "*" {
                Filter::new("tag-key", [key.as_str()])
            } else {
                Filter::new(&format!("tag:{key}"), [value.as_str()])
            }
        })
        .collect()
}

fn with_state(mut filters: Vec<Filter>) -> Vec<Filter> {
    filters.push(Filter::new("state", ["available"]));
    filters
}

/// The calls for terms other than aliases. `from_parameters` are image ids that parameters gave.
pub fn queries(terms: &[AmiTerm], from_parameters: &[Name]) -> Vec<ImageQuery> {
    let mut ids: Vec<Name> = from_parameters.to_vec();
    ids.extend(terms.iter().filter_map(|t| t.id.as_deref()).map(Name::from));
    let mut out = Vec::new();
    if !ids.is_empty() {
        out.push(ids_query(ids));
    }
    for term in terms.iter().filter(|t| t.id.is_none() && t.alias.is_none()) {
        let mut filters = tag_filters(&term.tags);
        if let Some(name) = term.name.as_deref() {
            filters.push(Filter::new("name", [name]));
        }
        if filters.is_empty() {
            continue;
        }
        let owners: Vec<Name> = match term.owner.as_deref() {
            Some(owners) => owners.split(',').map(|o| o.trim().into()).collect(),
            None if term.name.is_some() => vec!["self".into(), "amazon".into()],
            None => Vec::new(),
        };
        out.push(ImageQuery {
            owners,
            filters: with_state(filters),
        });
    }
    out
}

pub fn ids_query(ids: Vec<Name>) -> ImageQuery {
    ImageQuery {
        owners: Vec::new(),
        filters: with_state(vec![Filter::new("image-id", ids)]),
    }
}

/// One image that a term found, and what it is for.
#[derive(Clone, Debug)]
pub struct Found {
    pub image: Image,
    pub variant: Variant,
}

/// `aws §3.3`: of images for the same machines the best one; newest first.
pub fn choose(found: Vec<Found>, now: Timestamp) -> Vec<ResolvedImage> {
    let mut best: BTreeMap<Requirements, Image> = BTreeMap::new();
    let deprecated = |image: &Image| image.is_deprecated(now);
    for Found { image, variant } in found {
        let arch = match &*image.architecture {
            "x86_64" => "amd64",
            "arm64" => "arm64",
            _ => continue,
        };
        let requirements: Requirements = variant
            .requirements()
            .into_iter()
            .chain([Requirement::is_in(names::ARCH, [arch])])
            .collect();
        let rank = |i: &Image| (!deprecated(i), i.creation_date, i.name.clone());
        match best.get(&requirements) {
            Some(held) if rank(held) >= rank(&image) => {}
            _ => {
                best.insert(requirements, image);
            }
        }
    }
    let mut kept: Vec<(Requirements, Image)> = best.into_iter().collect();
    kept.sort_by(|(_, a), (_, b)| {
        (deprecated(a), b.creation_date, &a.image_id).cmp(&(deprecated(b), a.creation_date, &b.image_id))
    });
    kept.into_iter()
        .map(|(requirements, image)| ResolvedImage {
            arch: requirements
                .get(names::ARCH)
                .map(Requirement::any)
                .unwrap_or_default(),
            deprecated: deprecated(&image),
            id: image.image_id,
            name: image.name,
            requirements,
        })
        .collect()
}

/// The image that a type boots: the first in order whose requirements hold.
pub fn image_for<'a>(images: &'a [ResolvedImage], instance_type: &InstanceType) -> Option<&'a ResolvedImage> {
    images
        .iter()
        .find(|image| instance_type.requirements.intersects(&image.requirements).is_ok())
}

/// The parameters that the class's own terms name.
pub fn own_parameters(spec: &Ec2NodeClassSpec) -> impl Iterator<Item = &str> {
    spec.ami_selector_terms
        .iter()
        .filter_map(|t| t.ssm_parameter.as_deref())
}

#[cfg(test)]
#[path = "images_tests.rs"]
mod tests;
