//! Requirements of an instance type: a value, a set or DoesNotExist for every well-known label (`aws §5.1`,
//! `scheduling §13.1`).

use std::collections::BTreeSet;

use super::api::InstanceTypeInfo;
use super::capacity::architecture;
use crate::api::names;
use crate::model::{Name, Requirement, Requirements};

/// Every well-known label but the pool's, as DoesNotExist: each type starts from a copy, so that keys are shared.
pub fn blank() -> Requirements {
    names::WELL_KNOWN
        .into_iter()
        .filter(|key| *key != names::NODEPOOL)
        .map(|key| Requirement::is_in::<Name>(key, []))
        .collect()
}

/// A name as label value: lower case, blanks to dashes.
pub fn kebab(text: &str) -> String {
    text.to_lowercase().replace(' ', "-")
}

/// What the type's name says: category letters and generation digits (`aws §5.1`).
pub fn category_and_generation(instance_type: &str) -> Option<(&str, &str)> {
    let (family, _) = instance_type.split_once('.')?;
    let letters = family.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(0);
    let (category, rest) = family.split_at(letters);
    if category.is_empty() {
        return None;
    }
    // `u-6tb1`: the size in between says nothing of the generation.
    let rest = match rest.strip_prefix('-').and_then(|r| r.split_once("tb")) {
        Some((size, after)) if !size.is_empty() && size.bytes().all(|b| b.is_ascii_digit()) => after,
        _ => rest,
    };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    (digits > 0).then(|| (category, &rest[..digits]))
}

/// What the labels of a type need beyond the type itself.
#[derive(Clone, Debug)]
pub struct Around<'a> {
    pub region: &'a Name,
    /// Zones of the type that the class has a subnet in, with their ids.
    pub zones: &'a [(Name, Name)],
    /// Baseline bandwidth of the built-in table, Mbit/s.
    pub network_mbps: Option<i64>,
    /// `windows` and the build, for the Windows family.
    pub windows_build: Option<&'a str>,
}

struct Setter(Requirements);

impl Setter {
    fn all(&mut self, key: &str, values: impl IntoIterator<Item = Name>) {
        if let Some(requirement) = self.0.0.get_mut(key) {
            requirement.values = values.into_iter().collect::<BTreeSet<_>>();
        }
    }

    /// Empty and absent values stay DoesNotExist.
    fn one(&mut self, key: &str, value: Option<impl Into<Name>>) {
        let value: Option<Name> = value.map(Into::into);
        self.all(key, value.filter(|v| !v.is_empty()));
    }

    fn number(&mut self, key: &str, value: Option<i64>) {
        self.one(key, value.map(|n| n.to_string()));
    }

    fn flag(&mut self, key: &str, value: Option<bool>) {
        self.one(key, value.map(|b| if b { "true" } else { "false" }));
    }
}

/// The requirements of `info`, from a copy of [`blank`].
pub fn requirements(blank: &Requirements, info: &InstanceTypeInfo, around: &Around<'_>) -> Requirements {
    let mut out = Setter(blank.clone());
    let name = &info.instance_type;
    let (family, size) = name.split_once('.').unwrap_or((name, ""));
    let arch = architecture(info);
    out.one(names::INSTANCE_TYPE, Some(name.clone()));
    out.one(names::ARCH, arch);
    // A Windows image boots on no other machine than amd64: the set is empty there and never matches.
    let os = match around.windows_build {
        None => Some("linux"),
        Some(_) if arch == Some("amd64") => Some("windows"),
        Some(_) => None,
    };
    out.one(names::OS, os);
    out.one(names::WINDOWS_BUILD, around.windows_build);
    out.one(names::REGION, Some(around.region.clone()));
    out.all(names::ZONE, around.zones.iter().map(|(zone, _)| zone.clone()));
    out.all(names::ZONE_ID, around.zones.iter().map(|(_, id)| id.clone()));
    let markets = info
        .supported_usage_classes
        .iter()
        .filter(|u| matches!(&***u, "on-demand" | "spot"));
    out.all(names::CAPACITY_TYPE, markets.cloned());
    out.one(names::INSTANCE_FAMILY, Some(family));
    out.one(names::INSTANCE_SIZE, Some(size));
    if let Some((category, generation)) = category_and_generation(name) {
        out.one(names::INSTANCE_CATEGORY, Some(category));
        out.one(names::INSTANCE_GENERATION, Some(generation));
    }
    out.flag(names::INSTANCE_FLEX, Some(family.contains("-flex")));
    out.one(names::INSTANCE_HYPERVISOR, info.hypervisor.clone());
    out.flag(
        names::INSTANCE_ENCRYPTION,
        Some(info.encryption_in_transit_supported),
    );
    out.flag(names::NITRO_SANDBOX, info.nitro_enclaves_supported);
    out.number(names::INSTANCE_CPU, Some(info.default_vcpus));
    out.one(
        names::INSTANCE_CPU_MANUFACTURER,
        info.processor_manufacturer.as_deref().map(kebab),
    );
    out.number(names::INSTANCE_CPU_CLOCK, info.sustained_clock_mhz);
    out.number(names::INSTANCE_MEMORY, Some(info.memory_mib));
    out.number(names::INSTANCE_EBS_BANDWIDTH, info.ebs_maximum_bandwidth_mbps);
    out.number(names::INSTANCE_NETWORK_BANDWIDTH, around.network_mbps);
    let nvme = info
        .instance_storage
        .as_ref()
        .filter(|s| &*s.nvme_support != "unsupported");
    out.number(names::INSTANCE_LOCAL_NVME, nvme.map(|s| s.total_size_gb));
    out.all(names::INSTANCE_TENANCY, ["default".into(), "dedicated".into()]);
    accelerators(&mut out, info);
    out.0
}

/// Only a single kind has labels: of two, neither could be told.
fn accelerators(out: &mut Setter, info: &InstanceTypeInfo) {
    if let [gpu] = info.gpus.as_slice() {
        out.one(names::INSTANCE_GPU_NAME, Some(kebab(&gpu.name)));
        out.one(names::INSTANCE_GPU_MANUFACTURER, Some(kebab(&gpu.manufacturer)));
        out.number(names::INSTANCE_GPU_COUNT, Some(gpu.count));
        out.number(names::INSTANCE_GPU_MEMORY, Some(gpu.memory_mib));
    }
    let accelerator = match (
        info.neuron_devices.as_slice(),
        info.inference_accelerators.as_slice(),
    ) {
        ([device], _) => Some((&device.name, "aws".to_owned(), device.count)),
        ([], [one]) => Some((&one.name, kebab(&one.manufacturer), one.count)),
        _ => None,
    };
    if let Some((name, maker, count)) = accelerator {
        out.one(names::INSTANCE_ACCELERATOR_NAME, Some(kebab(name)));
        out.one(names::INSTANCE_ACCELERATOR_MANUFACTURER, Some(maker));
        out.number(names::INSTANCE_ACCELERATOR_COUNT, Some(count));
    }
}

#[cfg(test)]
#[path = "labels_tests.rs"]
mod tests;
