//! AL2: a shell part that calls the bootstrap script, after the parts of the class.

use super::mime::{self, Part};
use super::{Boot, kubelet_arguments};

pub(super) fn render(boot: &Boot<'_>) -> String {
    let mut parts = match boot.custom {
        Some(text) if mime::is_multipart(text) => mime::split(text),
        Some(text) => vec![Part::shell(&text.replace('\r', ""))],
        None => Vec::new(),
    };
    let settings = boot.settings;
    let mut line = format!(
        "/etc/eks/bootstrap.sh '{}' --apiserver-endpoint '{}' --b64-cluster-ca '{}'",
        settings.cluster_name, settings.cluster_endpoint, settings.cluster_ca
    );
    if let Some(dns) = boot.kubelet.get("clusterDNS").and_then(|d| d[0].as_str()) {
        if dns.contains(':') {
            line.push_str(" --ip-family ipv6");
        }
        line.push_str(" --dns-cluster-ip '");
        line.push_str(dns);
        line.push('\'');
    }
    line.push_str(" --use-max-pods false");
    line.push_str(" --kubelet-extra-args '");
    line.push_str(&kubelet_arguments(boot));
    line.push('\'');
    if boot.raid0 {
        line.push_str(" --local-disks raid0");
    }
    let script = format!(
        "#!/bin/bash -xe\nexec > >(tee /var/log/user-data.log|logger -t user-data -s 2>/dev/console) 2>&1\n{line}"
    );
    parts.push(Part::shell(&script));
    mime::join(&parts)
}
