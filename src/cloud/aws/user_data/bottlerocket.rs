//! Bottlerocket: TOML settings; ours overwrite the class's where both speak of the same.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{BadUserData, Boot};

const MOUNTED: [&str; 3] = ["/var/lib/containerd", "/var/lib/kubelet", "/var/log/pods"];

pub(super) fn render(boot: &Boot<'_>) -> Result<String, BadUserData> {
    let mut document: Table = match boot.custom {
        Some(text) => toml::from_str(text).map_err(|e| BadUserData(format!("no TOML: {}", e.message())))?,
        None => Table::new(),
    };
    let settings = table(&mut document, "settings")?;
    kubernetes(boot, table(settings, "kubernetes")?)?;
    if boot.raid0 {
        mount_local_disks(boot, settings)?;
    }
    toml::to_string(&document).map_err(|e| BadUserData(e.to_string()))
}

/// The table under a key, made if it is not there.
fn table<'a>(parent: &'a mut Table, key: &str) -> Result<&'a mut Table, BadUserData> {
    parent
        .entry(key)
        .or_insert_with(|| Value::Table(Table::new()))
        .as_table_mut()
        .ok_or_else(|| BadUserData(format!("{key} is no table")))
}

fn kubernetes(boot: &Boot<'_>, out: &mut Table) -> Result<(), BadUserData> {
    let text = |value: &str| Value::String(value.to_owned());
    out.insert("cluster-name".into(), text(&boot.settings.cluster_name));
    out.insert("api-server".into(), text(&boot.settings.cluster_endpoint));
    out.insert("cluster-certificate".into(), text(&boot.settings.cluster_ca));
    if let Some(n) = boot.kubelet.get("maxPods").and_then(serde_json::Value::as_i64) {
        out.insert("max-pods".into(), Value::Integer(n));
    }
    if let Some(dns) = boot.kubelet.get("clusterDNS").and_then(|d| d[0].as_str()) {
        out.insert("cluster-dns-ip".into(), text(dns));
    }
    for (key, name) in [
        ("kubeReserved", "kube-reserved"),
        ("systemReserved", "system-reserved"),
        ("evictionHard", "eviction-hard"),
        ("evictionSoft", "eviction-soft"),
        ("evictionSoftGracePeriod", "eviction-soft-grace-period"),
    ] {
        if let Some(entries) = boot.kubelet.get(key).and_then(serde_json::Value::as_object) {
            let values = entries.iter().map(|(k, v)| {
                let shown = v.as_str().map_or_else(|| v.to_string(), str::to_owned);
                (k.clone(), Value::String(shown))
            });
            out.insert(name.into(), Value::Table(values.collect()));
        }
    }
    for (key, name) in [
        ("imageGCHighThresholdPercent", "image-gc-high-threshold-percent"),
        ("imageGCLowThresholdPercent", "image-gc-low-threshold-percent"),
    ] {
        if let Some(n) = boot.kubelet.get(key).and_then(serde_json::Value::as_i64) {
            out.insert(name.into(), Value::String(n.to_string()));
        }
    }
    if let Some(n) = boot
        .kubelet
        .get("evictionMaxPodGracePeriod")
        .and_then(serde_json::Value::as_i64)
    {
        out.insert("eviction-max-pod-grace-period".into(), Value::Integer(n));
    }
    if let Some(on) = boot
        .kubelet
        .get("cpuCFSQuota")
        .and_then(serde_json::Value::as_bool)
    {
        out.insert("cpu-cfs-quota-enforced".into(), Value::Boolean(on));
    }
    let labels = table(out, "node-labels")?;
    for (key, value) in &boot.labels {
        labels.insert(key.clone(), text(value));
    }
    let mut taints: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for taint in &boot.taints {
        taints
            .entry(taint.key.to_string())
            .or_default()
            .push(Value::String(format!(
                "{}:{}",
                taint.value,
                taint.effect.as_str()
            )));
    }
    let taints: Table = taints.into_iter().map(|(k, v)| (k, Value::Array(v))).collect();
    out.insert("node-taints".into(), Value::Table(taints));
    Ok(())
}

/// From 1.46 on the bind takes its directories itself.
fn mount_local_disks(boot: &Boot<'_>, settings: &mut Table) -> Result<(), BadUserData> {
    let strings =
        |values: &[&str]| Value::Array(values.iter().map(|v| Value::String((*v).to_owned())).collect());
    let version = boot.version.strip_prefix('v').unwrap_or(&boot.version);
    let mut numbers = version.split('.').map(str::parse::<u32>);
    let implicit = version == "latest"
        || matches!((numbers.next(), numbers.next()), (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= (1, 46));
    let mut bind = vec!["apiclient", "ephemeral-storage", "bind"];
    if !implicit {
        bind.push("--dirs");
        bind.extend(MOUNTED);
    }
    let command = Table::from_iter([
        (
            "commands".to_owned(),
            Value::Array(vec![
                strings(&["apiclient", "ephemeral-storage", "init"]),
                strings(&bind),
            ]),
        ),
        ("essential".to_owned(), Value::Boolean(true)),
        ("mode".to_owned(), Value::String("always".to_owned())),
    ]);
    table(settings, "bootstrap-commands")?
        .insert("000-mount-instance-storage".to_owned(), Value::Table(command));
    Ok(())
}
