//! From flags to AWS ports, and what a run needs to find there.

use super::args::Run;
use super::checks::Found;
use super::connect::{Access, cluster_name};
use crate::cli::CliError;
use crate::cloud::CloudRead;
use crate::cloud::aws::{self, Settings};
use crate::cloud::port::CloudError;

#[cfg_attr(not(feature = "aws"), allow(dead_code))]
/// Settings for a cluster of that name, from flags, kubeconfig and what the API server said.
pub fn settings(run: &Run, name: &str, region: &str, access: &Access, found: &Found) -> Settings {
    let mut out = Settings::new(name, region);
    let (cluster, aws) = (&run.cluster, &run.aws);
    out.cluster_endpoint = cluster
        .cluster_endpoint
        .clone()
        .unwrap_or_else(|| access.endpoint());
    out.cluster_ca = authority(run, access);
    out.dns_ip.clone_from(&found.dns);
    if !found.version.is_empty() {
        out.kubernetes_version = found.version.as_str().into();
    }
    if let Some(share) = aws.vm_memory_overhead_percent {
        out.vm_memory_overhead = share;
    }
    if let Some(n) = aws.reserved_enis {
        out.reserved_enis = n;
    }
    out.isolated_vpc = aws.isolated_vpc;
    out.min_values_best_effort = run.settings.min_values_policy.as_deref() == Some("BestEffort");
    out
}

/// Base64 of the certificate authority, as nodes and hashes have it.
pub fn authority(run: &Run, access: &Access) -> String {
    run.cluster
        .cluster_ca_bundle
        .clone()
        .unwrap_or_else(|| access.authority.clone())
}

/// # Errors
/// When neither a flag nor the context tells it.
pub fn name_of(run: &Run, access: &Access) -> Result<String, CliError> {
    let given = run.cluster.cluster_name.clone().filter(|n| !n.is_empty());
    given.or_else(|| cluster_name(&access.context)).ok_or_else(|| {
        CliError::Input(format!(
            "--cluster-name is missing: context {} does not tell what EKS calls the cluster; instances are tagged with \
             that name",
            access.context
        ))
    })
}

/// Values that no machine can have.
///
/// # Errors
/// The flag and what it may be.
pub fn check_flags(run: &Run) -> Result<(), CliError> {
    if run
        .aws
        .vm_memory_overhead_percent
        .is_some_and(|s| !(0.0..1.0).contains(&s))
    {
        return Err(CliError::Input(
            "--vm-memory-overhead-percent is a share of memory: 0 to below 1, such as 0.075".into(),
        ));
    }
    if run.aws.reserved_enis.is_some_and(|n| n < 0) {
        return Err(CliError::Input("--reserved-enis must not be negative".into()));
    }
    if let Some(url) = &run.cluster.cluster_endpoint
        && !url.starts_with("https://")
        && !url.starts_with("http://")
    {
        return Err(CliError::Input(format!(
            "--cluster-endpoint {url}: write an absolute URL, such as https://ABC.eks.amazonaws.com"
        )));
    }
    Ok(())
}

/// Asks the account what every launch will need: the cluster's instances, and what each class means. Classes that
/// cannot be used are told; when none can, nothing could ever be launched.
///
/// # Errors
/// A refused call, or no usable class: a line each.
pub async fn check(read: &aws::Reader, found: &Found) -> Result<Vec<String>, CliError> {
    if let Err(error) = read.list().await {
        return Err(CliError::Outside(failed(&error)));
    }
    let mut lines = Vec::new();
    let mut usable = 0;
    for class in &found.classes {
        match read.resolve(class).await {
            Ok(resolved) if resolved.problems.is_empty() => usable += 1,
            Ok(resolved) => lines.extend(resolved.problems.iter().map(|(condition, reason, message)| {
                format!("EC2NodeClass {}: {condition}: {reason}: {message}", class.name)
            })),
            Err(error) => lines.push(format!("EC2NodeClass {}: {}", class.name, failed(&error))),
        }
    }
    if usable == 0 && !lines.is_empty() {
        return Err(CliError::Outside(lines.join("\n")));
    }
    Ok(lines)
}

fn failed(error: &CloudError) -> String {
    match error {
        CloudError::Api { call, code, message } => mend(call, code, message),
        other => other.to_string(),
    }
}

#[cfg(feature = "aws")]
fn mend(call: &str, code: &str, message: &str) -> String {
    let action = format!("ec2:{call}");
    aws::sdk::why(&action, "EC2", &aws::api::Ec2Error::new(code, message)).to_string()
}

#[cfg(not(feature = "aws"))]
fn mend(call: &str, code: &str, message: &str) -> String {
    format!("{call} failed: {code}: {message}")
}
