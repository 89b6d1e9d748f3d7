//! Windows: PowerShell lines of the class, then the bootstrap script.

use super::{Boot, kubelet_arguments};

pub(super) fn render(boot: &Boot<'_>) -> String {
    let settings = boot.settings;
    let mut out = String::from("<powershell>\n");
    if let Some(custom) = boot.custom {
        out.push_str(custom.trim_end());
        out.push('\n');
    }
    out.push_str(
        "[string]$EKSBootstrapScriptFile = \"$env:ProgramFiles\\Amazon\\EKS\\Start-EKSBootstrap.ps1\"\n",
    );
    out.push_str(&format!(
        "& $EKSBootstrapScriptFile -EKSClusterName '{}' -APIServerEndpoint '{}' -Base64ClusterCA '{}' -KubeletExtraArgs '{}'",
        settings.cluster_name,
        settings.cluster_endpoint,
        settings.cluster_ca,
        kubelet_arguments(boot)
    ));
    if let Some(dns) = boot.kubelet.get("clusterDNS").and_then(|d| d[0].as_str()) {
        out.push_str(&format!(" -DNSClusterIP '{dns}'"));
    }
    out.push_str("\n</powershell>");
    out
}
