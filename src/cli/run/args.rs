//! What `kerf run` is told; Karpenter's settings under its names (`aws §20`, `lifecycle §15`).

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use crate::api::names::{LEASE, SUPERVISION_NAMESPACE};
use crate::cli::args::{SettingsArgs, parse_mode};
use crate::gate::policy::PolicyFlag;
use crate::gate::{GuardFlag, Mode};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    Text,
    Json,
}

#[derive(Clone, Debug, Args)]
pub struct Run {
    /// What the autoscaler may do by itself: observe (nothing is written, and nothing that could write is built), ask,
    /// supervise or auto
    #[arg(long, value_parser = parse_mode, default_value = "observe")]
    pub mode: Mode,
    /// Refine the mode: KIND=auto|ask|off[:nodes=N][:usd=X][:pods=N] (repeatable)
    #[arg(long, value_name = "KIND=RULE")]
    pub policy: Vec<PolicyFlag>,
    /// Where a guard trips, as for `kerf demo` (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    pub guard: Vec<GuardFlag>,
    /// No dashboard: the controller in a cluster. Without --output the log tells what happens
    #[arg(long)]
    pub headless: bool,
    /// Record the ledger to this file
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    #[command(flatten)]
    pub cluster: ClusterArgs,
    #[command(flatten)]
    pub aws: AwsArgs,
    #[command(flatten)]
    pub host: HostArgs,
    #[command(flatten)]
    pub settings: SettingsArgs,
}

/// Which cluster.
#[derive(Clone, Debug, Default, Args)]
pub struct ClusterArgs {
    /// Kubeconfig (default: KUBECONFIG, ~/.kube/config, else the pod's service account)
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig (default: the current one)
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Name of the EKS cluster; instances are tagged with it (default: from the context's ARN)
    #[arg(long, env = "CLUSTER_NAME", value_name = "NAME")]
    pub cluster_name: Option<String>,
    /// URL of the API server as nodes reach it (default: from EKS, else the kubeconfig's)
    #[arg(long, env = "CLUSTER_ENDPOINT", value_name = "URL")]
    pub cluster_endpoint: Option<String>,
    /// Base64 of the cluster's certificate authority (default: the kubeconfig's)
    #[arg(long, env = "CLUSTER_CA_BUNDLE", value_name = "BASE64")]
    pub cluster_ca_bundle: Option<String>,
}

/// Which account, and how machines are bought there.
#[derive(Clone, Debug, Default, Args)]
pub struct AwsArgs {
    /// AWS region (default: as the AWS CLI finds it)
    #[arg(long, value_name = "NAME")]
    pub region: Option<String>,
    /// AWS profile (default: AWS_PROFILE)
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// SQS queue with interruption events; never emptied in observe
    #[arg(long, env = "INTERRUPTION_QUEUE", value_name = "NAME")]
    pub interruption_queue: Option<String>,
    /// Share of memory that the hypervisor takes (default 0.075)
    #[arg(long, env = "VM_MEMORY_OVERHEAD_PERCENT", value_name = "SHARE")]
    pub vm_memory_overhead_percent: Option<f64>,
    /// Network interfaces that pods may not use
    #[arg(long, env = "RESERVED_ENIS", value_name = "N")]
    pub reserved_enis: Option<i64>,
    /// No calls to services without private endpoints: built-in on-demand prices
    #[arg(long, env = "ISOLATED_VPC", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true",
        default_value_t = false, action = ArgAction::Set)]
    pub isolated_vpc: bool,
}

/// How it runs where it runs.
#[derive(Clone, Debug, Args)]
pub struct HostArgs {
    /// Prometheus metrics at /metrics; 0 for none (default: 8080 with --headless, else none)
    #[arg(long, env = "METRICS_PORT", value_name = "PORT")]
    pub metrics_port: Option<u16>,
    /// /healthz and /readyz; 0 for none (default: 8081 with --headless, else none)
    #[arg(long, env = "HEALTH_PROBE_PORT", value_name = "PORT")]
    pub health_probe_port: Option<u16>,
    /// Form of the log
    #[arg(long, value_enum, default_value = "text")]
    pub log_format: Form,
    /// debug, info or error (default: info with --headless, else warn)
    #[arg(long, env = "LOG_LEVEL", value_parser = ["", "debug", "info", "warn", "error"])]
    pub log_level: Option<String>,
    /// Write without holding the Lease; only where nothing else manages nodes
    #[arg(long, env = "DISABLE_LEADER_ELECTION", value_name = "BOOL", num_args = 0..=1,
        default_missing_value = "true", default_value_t = false, action = ArgAction::Set)]
    pub disable_leader_election: bool,
    /// Name of the Lease that whoever writes must hold. Karpenter's by default: a running Karpenter and kerf never both
    /// write
    #[arg(long, env = "LEADER_ELECTION_NAME", value_name = "NAME", default_value = LEASE)]
    pub leader_election_name: String,
    /// Namespace of the Lease
    #[arg(long, env = "LEADER_ELECTION_NAMESPACE", value_name = "NAME", default_value = SUPERVISION_NAMESPACE)]
    pub leader_election_namespace: String,
}
