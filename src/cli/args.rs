//! The command line (commands.md).

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use super::logging::Logging;
use super::paper::Colour;
use crate::api::schema::suggestion;
use crate::gate::GuardFlag;
use crate::gate::Mode;
use crate::gate::policy::PolicyFlag;

/// A supervised node autoscaler for Kubernetes on AWS, in a terminal.
#[derive(Debug, Parser)]
#[command(name = "kerf", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to print: text for people (default on a terminal), json for scripts
    #[arg(long, short, global = true, value_enum)]
    pub output: Option<Output>,
    /// When to colour text output
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Colour,
    #[command(flatten)]
    pub logging: Logging,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// The whole product with no cluster and no account: embedded Kubernetes and EC2, the autoscaler, the dashboard
    Demo(Box<Demo>),
    /// Against a real cluster and AWS account; watches and writes nothing unless a mode says so
    Run(Box<super::run::Run>),
    /// One provisioning decision from files: claims, instance types, prices, and why a pod has no place
    Plan(Box<Plan>),
    /// The disruption decisions for a cluster state given as files, and why each other node stays
    Consolidate(Box<Consolidate>),
    /// Why a pod waits, why a node stays or has its type, why a decision is what it is
    Explain(Box<Explain>),
    /// One frame of any view of the demo
    Snapshot(Box<Snapshot>),
    /// List the built-in scenarios
    Scenarios,
    /// Manifests from before Karpenter v1 as v1; every field is taken over or named
    Convert {
        /// Provisioner, AWSNodeTemplate, and v1beta1 manifests: a file, a folder, or - (repeatable)
        #[arg(long, short, value_name = "FILE|DIR|-", required = true)]
        file: Vec<String>,
    },
    /// What a cluster and an account need, printed
    Manifests(Box<super::manifests::Manifests>),
    /// Check a recording's hash chain
    Verify { file: PathBuf },
    /// Print shell completions
    Completions { shell: clap_complete::Shell },
    /// Print the manual page
    Man,
}

/// Files and facts that a one-shot decision reads.
#[derive(Clone, Debug, Args)]
pub struct Inputs {
    /// Manifests: a YAML or JSON file, a folder, or - for standard input (repeatable)
    #[arg(long, short, value_name = "FILE|DIR|-", required = true)]
    pub file: Vec<String>,
    /// builtin, builtin:REGION, or a JSON file of Karpenter's kwok provider
    #[arg(long, value_name = "builtin[:REGION]|FILE", default_value = "builtin")]
    pub instance_types: String,
    /// Decide as of this time (default: now)
    #[arg(long, value_name = "RFC3339")]
    pub now: Option<Timestamp>,
}

#[derive(Clone, Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    pub inputs: Inputs,
    /// How pods are packed
    #[arg(long, value_parser = ["karpenter", "cheapest"], default_value = "karpenter")]
    pub packing: String,
    /// With --packing cheapest: the share of the placed pods that one new node may hold, 0.25 or 25%
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    pub max_pods_per_node_share: Option<f64>,
    /// Exit with 1 when pods are left over (unschedulable) or the plan costs more than X $/h (cost>X)
    #[arg(long, value_name = "unschedulable|cost>X")]
    pub fail_on: Vec<String>,
    /// Say why: every place that a pod was tried at, what would give it one, why each type, what constraints cost
    #[arg(long)]
    pub explain: bool,
    #[command(flatten)]
    pub settings: SettingsArgs,
}

/// What is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    /// Why it waits and what would help, or why it is where it is
    Pod,
    /// Why it stays, and why it has its type
    Node,
    /// A recorded decision by number, or a planned NodeClaim of files by name or place
    Decision,
}

#[derive(Clone, Debug, Args)]
pub struct Explain {
    #[arg(value_enum)]
    pub what: Subject,
    pub name: String,
    /// Manifests (a file, a folder, or -; repeatable), or a recording
    #[arg(long, short, value_name = "FILE|DIR|-")]
    pub file: Vec<String>,
    /// A recording made by `kerf demo --record`
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub recording: Option<PathBuf>,
    /// Of a recording: as it was at this time (default: at its end)
    #[arg(long, value_name = "RFC3339")]
    pub at: Option<Timestamp>,
    /// builtin, builtin:REGION, or a JSON file of Karpenter's kwok provider
    #[arg(long, value_name = "builtin[:REGION]|FILE", default_value = "builtin")]
    pub instance_types: String,
    /// Decide as of this time (default: now)
    #[arg(long, value_name = "RFC3339")]
    pub now: Option<Timestamp>,
    #[command(flatten)]
    pub settings: SettingsArgs,
}

#[derive(Clone, Debug, Args)]
pub struct Consolidate {
    #[command(flatten)]
    pub inputs: Inputs,
    /// Decide as if a person asked: consolidateAfter, policy, score, memo and waits do not hold it up; PDBs,
    /// do-not-disrupt and scheduling do
    #[arg(long, value_name = "cluster|pool=NAME|node=NAME", value_parser = super::consolidate::parse_scope)]
    pub force: Option<crate::decide::disruption::Scope>,
    /// Budgets do not hold it up either
    #[arg(long, requires = "force")]
    pub ignore_budgets: bool,
    /// Say for every node where its pods could go, the nearest miss and what its going would save
    #[arg(long)]
    pub explain: bool,
    /// Show what the budgets allow over the next 72 hours, and which entry binds
    #[arg(long)]
    pub budgets: bool,
    /// Edited NodePools and EC2NodeClasses: which nodes they would make drift, before they are applied (repeatable)
    #[arg(long, value_name = "FILE|DIR|-")]
    pub preview: Vec<String>,
    #[command(flatten)]
    pub settings: SettingsArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Svg,
    Json,
}

#[derive(Clone, Debug, Args)]
pub struct Snapshot {
    /// overview, pods, decisions, nodes, nodepools, types, review, timeline, log or help
    pub view: String,
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,
    /// Columns and rows
    #[arg(long, value_name = "WxH", default_value = "160x45", value_parser = parse_size)]
    pub size: (u16, u16),
    /// A built-in scenario or a scenario file
    #[arg(long, value_name = "NAME|FILE", default_value = "steady")]
    pub scenario: String,
    /// Simulated time at which the frame is taken
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    pub until: SignedDuration,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    #[arg(long, value_parser = parse_mode, default_value = "supervise")]
    pub mode: Mode,
    /// Without colours
    #[arg(long)]
    pub no_color: bool,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub settings: SettingsArgs,
}

#[derive(Clone, Debug, Args)]
pub struct Demo {
    /// A built-in scenario (list them with `kerf scenarios`) or a scenario file
    #[arg(long, value_name = "NAME|FILE", default_value = "steady")]
    pub scenario: String,
    /// Same seed, same run
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Simulated seconds a second: 1x to 3600x, or max (default: 10x in the dashboard or with --listen, else max)
    #[arg(long, value_parser = parse_speed, value_name = "Nx|max")]
    pub speed: Option<u32>,
    /// Simulated start (default: 2026-01-05T09:00:00Z with --headless, else now)
    #[arg(long, value_name = "RFC3339")]
    pub start: Option<Timestamp>,
    /// Serve the embedded Kubernetes API for kubectl on this loopback address
    #[arg(long, value_name = "127.0.0.1:PORT", value_parser = parse_loopback)]
    pub listen: Option<SocketAddr>,
    /// Where to write the kubeconfig for kubectl
    #[arg(long, value_name = "FILE")]
    pub kubeconfig_out: Option<PathBuf>,
    /// No dashboard: print the ledger and a summary
    #[arg(long)]
    pub headless: bool,
    /// How long to run, in simulated time, such as 20m or 6h (needs --headless)
    #[arg(long = "for", value_name = "DURATION", requires = "headless")]
    pub for_: Option<SignedDuration>,
    /// Record the ledger to this file
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Keep the embedded world in this folder across restarts
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Let things go wrong at random, the same ones for the same seed: machines taken, types without capacity, refused
    /// calls, expired watches
    #[arg(long, value_name = "SEED")]
    pub chaos: Option<u64>,
    /// Run only the embedded world, for another controller to drive; kerf watches and writes nothing
    #[arg(long, value_enum, default_value = "on")]
    pub autoscaler: Switch,
    /// What the autoscaler may do by itself: observe, ask, supervise or auto
    #[arg(long, value_parser = parse_mode, default_value = "supervise")]
    pub mode: Mode,
    /// Refine the mode: KIND=auto|ask|off[:nodes=N][:usd=X][:pods=N] (repeatable)
    #[arg(long, value_name = "KIND=RULE")]
    pub policy: Vec<PolicyFlag>,
    /// Where a guard trips: nodes, pool-nodes, nodes-per-hour, usd, pool-usd, usd-per-hour, purchases or not-ready
    /// (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    pub guard: Vec<GuardFlag>,
    /// For tests of a restart: end the process without a word after so many effects
    #[arg(long, value_name = "N", hide = true)]
    pub die_after_effects: Option<u64>,
    #[command(flatten)]
    pub settings: SettingsArgs,
}

impl Default for Demo {
    fn default() -> Self {
        Self {
            scenario: "steady".into(),
            seed: 1,
            speed: None,
            start: None,
            listen: None,
            kubeconfig_out: None,
            headless: false,
            for_: None,
            record: None,
            state: None,
            chaos: None,
            autoscaler: Switch::On,
            mode: Mode::Supervise,
            policy: Vec::new(),
            guard: Vec::new(),
            die_after_effects: None,
            settings: SettingsArgs::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

/// Karpenter's settings, under its names; every command that decides takes them.
#[derive(Clone, Debug, Default, Args)]
pub struct SettingsArgs {
    /// No deviation from Karpenter that changes a plan
    #[arg(long)]
    pub parity: bool,
    /// How long a batch waits for the next pod (default 1s)
    #[arg(long, env = "BATCH_IDLE_DURATION", value_name = "DURATION")]
    pub batch_idle_duration: Option<SignedDuration>,
    /// How long a batch lasts at most (default 10s)
    #[arg(long, env = "BATCH_MAX_DURATION", value_name = "DURATION")]
    pub batch_max_duration: Option<SignedDuration>,
    /// Strict (default) or BestEffort
    #[arg(long, env = "MIN_VALUES_POLICY", value_parser = ["Strict", "BestEffort"])]
    pub min_values_policy: Option<String>,
    /// Respect (default) or Ignore
    #[arg(long, env = "PREFERENCE_POLICY", value_parser = ["Respect", "Ignore"])]
    pub preference_policy: Option<String>,
    /// Default spread constraints of the cluster's scheduler, as YAML or JSON:
    /// `{podTopologySpread: {defaultConstraints: […]}}`
    #[arg(long, env = "SCHEDULER_CONFIG", value_name = "YAML")]
    pub scheduler_config: Option<String>,
    /// Feature gates: `NAME=true,NAME=false`
    #[arg(long, env = "FEATURE_GATES", value_name = "NAME=BOOL,…")]
    pub feature_gates: Option<String>,
}

impl SettingsArgs {
    /// # Errors
    /// For an unknown gate, a value that is no boolean, or a negative duration.
    pub fn settings(&self) -> Result<crate::decide::Settings, super::CliError> {
        let input = super::CliError::Input;
        let mut out = crate::decide::Settings {
            parity: self.parity,
            ..Default::default()
        };
        let time = |name: &str, d: SignedDuration| {
            std::time::Duration::try_from(d).map_err(|_| input(format!("--{name} must not be negative")))
        };
        if let Some(d) = self.batch_idle_duration {
            out.batch_idle = time("batch-idle-duration", d)?;
        }
        if let Some(d) = self.batch_max_duration {
            out.batch_max = time("batch-max-duration", d)?;
        }
        out.min_values_best_effort = self.min_values_policy.as_deref() == Some("BestEffort");
        out.ignore_preferences = self.preference_policy.as_deref() == Some("Ignore");
        if let Some(text) = &self.scheduler_config {
            out.default_spread = crate::observe::scheduler_config::default_spread(text)
                .map_err(|why| input(format!("--scheduler-config: {why}")))?;
        }
        for gate in self
            .feature_gates
            .iter()
            .flat_map(|g| g.split(','))
            .filter(|g| !g.trim().is_empty())
        {
            let (name, value) = gate
                .split_once('=')
                .ok_or_else(|| input(format!("--feature-gates {gate}: write NAME=true or NAME=false")))?;
            let on: bool = value
                .trim()
                .parse()
                .map_err(|_| input(format!("--feature-gates {gate}: the value must be true or false")))?;
            match name.trim() {
                "ReservedCapacity" => out.reserved_capacity = on,
                "SpotToSpotConsolidation" => out.spot_to_spot = on,
                "NodeRepair" => out.node_repair = on,
                "NodeOverlay" => out.node_overlay = on,
                "StaticCapacity" => out.static_capacity = on,
                "CapacityBuffer" => out.capacity_buffer = on,
                other => {
                    let hint = suggestion(other, GATES.into_iter());
                    return Err(input(format!(
                        "--feature-gates: unknown gate {other:?}{hint} (there are {})",
                        GATES.join(", ")
                    )));
                }
            }
        }
        Ok(out)
    }
}

/// Karpenter's feature gates.
const GATES: [&str; 6] = [
    "CapacityBuffer",
    "NodeOverlay",
    "NodeRepair",
    "ReservedCapacity",
    "SpotToSpotConsolidation",
    "StaticCapacity",
];

pub(super) fn parse_mode(text: &str) -> Result<Mode, String> {
    Mode::parse(text).ok_or_else(|| "use observe, ask, supervise or auto".to_owned())
}

fn parse_speed(text: &str) -> Result<u32, String> {
    if text == "max" {
        return Ok(0);
    }
    text.strip_suffix('x')
        .unwrap_or(text)
        .parse::<u32>()
        .ok()
        .filter(|n| (1..=3600).contains(n))
        .ok_or_else(|| "use 1x to 3600x, or max".to_owned())
}

/// More than 0, at most 1; also in percent.
fn parse_share(text: &str) -> Result<f64, String> {
    let (number, unit) = match text.strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text, 1.0),
    };
    number
        .trim()
        .parse::<f64>()
        .ok()
        .map(|n| n / unit)
        .filter(|n| *n > 0.0 && *n <= 1.0)
        .ok_or_else(|| {
            format!("\"{text}\" is no share: write a number above 0 and at most 1, like 0.25, or 25%")
        })
}

fn parse_size(text: &str) -> Result<(u16, u16), String> {
    let (w, h) = text.split_once('x').ok_or("write WIDTHxHEIGHT, such as 160x45")?;
    let number = |t: &str| t.parse::<u16>().ok().filter(|n| (1..=500).contains(n));
    number(w)
        .zip(number(h))
        .ok_or_else(|| "width and height are 1 to 500".to_owned())
}

fn parse_loopback(text: &str) -> Result<SocketAddr, String> {
    let addr: SocketAddr = text
        .replace("localhost", "127.0.0.1")
        .parse()
        .map_err(|_| "write an address and a port, such as 127.0.0.1:6443".to_owned())?;
    if addr.ip().is_loopback() {
        Ok(addr)
    } else {
        Err("only loopback addresses are served: use 127.0.0.1:PORT".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn speeds_and_addresses() {
        assert_eq!(parse_speed("60x"), Ok(60));
        assert_eq!(parse_speed("max"), Ok(0));
        for bad in ["0x", "3601x", "fast", ""] {
            assert!(parse_speed(bad).is_err(), "{bad}");
        }
        assert!(parse_loopback("127.0.0.1:0").is_ok());
        assert!(parse_loopback("0.0.0.0:6443").is_err());
    }

    #[test]
    fn unknown_gates_and_broken_values_are_refused() {
        let with = |g: &str| {
            SettingsArgs {
                feature_gates: Some(g.into()),
                ..Default::default()
            }
            .settings()
        };
        assert!(with("SpotToSpotConsolidation=true,NodeRepair=false").is_ok_and(|s| s.spot_to_spot));
        assert!(with("Nope=true").is_err());
        assert!(with("NodeRepair").is_err());
        assert!(with("NodeRepair=yes").is_err());
    }
}
