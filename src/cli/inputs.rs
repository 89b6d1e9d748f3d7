//! What `kerf plan` and `kerf consolidate` read: manifests, instance types, the time.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::args::{Inputs, SettingsArgs};
use super::{CliError, instance_types};
use crate::clock::Clock;
use crate::cloud::CloudRead;
use crate::cloud::aws;
use crate::decide::Settings;
use crate::model::snapshot::ANY_CLASS;
use crate::model::{CapacityType, Catalogue, Name, NodeClass, Snapshot};
use crate::observe::files::{self, Source};
use crate::world::ec2::{Ec2, Ec2Config};

/// Seed of the synthetic spot prices behind `--instance-types builtin`: always the same answer.
const SEED: u64 = 1;
const REGION: &str = "us-east-1";

/// Everything a one-shot decision needs.
pub struct Ready {
    pub snapshot: Snapshot,
    pub settings: Settings,
    pub now: Timestamp,
    /// Time to compile the catalogue index.
    pub index_micros: u64,
}

pub fn read(inputs: &Inputs, settings: &SettingsArgs) -> Result<Ready, CliError> {
    let settings = settings.settings()?;
    let now = inputs.now.unwrap_or_else(Timestamp::now);
    let sources: Vec<Source> = inputs.file.iter().map(|f| Source::from_arg(f)).collect();
    let loaded = files::load(&sources).map_err(|errors| {
        CliError::Input(
            errors
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n"),
        )
    })?;
    for warning in &loaded.warnings {
        warn(warning);
    }
    let mut snapshot = loaded.snapshot;
    match inputs.instance_types.as_str() {
        "aws" => {
            return Err(CliError::Input(
                "--instance-types aws needs an account, which this build does not speak to yet; use builtin or a file"
                    .into(),
            ));
        }
        text => match text.strip_prefix("builtin") {
            Some("") => builtin(&mut snapshot, REGION, now)?,
            Some(rest) if rest.starts_with(':') => builtin(&mut snapshot, &rest[1..], now)?,
            _ => {
                let types =
                    instance_types::read(Path::new(text)).map_err(|e| CliError::Input(e.to_string()))?;
                snapshot.catalogues.insert(ANY_CLASS.into(), Arc::new(types));
            }
        },
    }
    gates(&mut snapshot, &settings);
    let started = std::time::Instant::now();
    for catalogue in snapshot.catalogues.values() {
        catalogue.index();
    }
    let index_micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    Ok(Ready {
        snapshot,
        settings,
        now,
        index_micros,
    })
}

/// One line about input that is legal and probably not meant.
fn warn(what: &dyn std::fmt::Display) {
    // A closed standard error is no reason to fail.
    let _ = writeln!(std::io::stderr(), "kerf: warning: {what}");
}

/// Takes out what is under a feature gate that is off.
fn gates(snapshot: &mut Snapshot, settings: &Settings) {
    let off = |gate: &str, what: &str| {
        warn(&format!(
            "{what} are left out: turn them on with --feature-gates {gate}=true"
        ));
    };
    if !settings.node_overlay && !snapshot.overlays.is_empty() {
        off("NodeOverlay", "NodeOverlays");
        snapshot.overlays.clear();
    }
    if !settings.capacity_buffer && !snapshot.buffers.is_empty() {
        off("CapacityBuffer", "CapacityBuffers");
        snapshot.buffers.clear();
    }
    if settings.reserved_capacity {
        return;
    }
    // As the cloud would report without the gate.
    let classes: Vec<Name> = snapshot.catalogues.keys().cloned().collect();
    for class in classes {
        let Some(catalogue) = snapshot.catalogues.get(&class) else {
            continue;
        };
        let types = catalogue.distinct().map(|kind| {
            let mut kind = (**kind).clone();
            kind.offerings
                .retain(|o| o.capacity_type != CapacityType::Reserved);
            Arc::new(kind)
        });
        let without = Arc::new(Catalogue::new(types.collect::<Vec<_>>()));
        snapshot.catalogues.insert(class, without);
    }
}

/// The built-in facts as each node class would see them: its kubelet settings and disks count, its selectors do not,
/// since there is no account to look them up in.
fn builtin(snapshot: &mut Snapshot, region: &str, now: Timestamp) -> Result<(), CliError> {
    let regions: Vec<&str> = crate::facts::get().regions.keys().map(AsRef::as_ref).collect();
    if !regions.contains(&region) {
        return Err(CliError::Input(format!(
            "--instance-types builtin:{region}: unknown region; use one of {}",
            regions.join(", ")
        )));
    }
    let outside = |e: &dyn std::fmt::Display| CliError::Outside(format!("the built-in instance types: {e}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|e| outside(&e))?;
    runtime.block_on(async {
        let clock = Clock::starting_at(now);
        let mut config = Ec2Config::new(SEED, clock, "kerf-plan");
        config.region = region.into();
        let ec2 = Arc::new(Ec2::new(config).map_err(|e| outside(&e))?);
        let mut settings = aws::Settings::new("kerf-plan", region);
        settings.kubernetes_version = "1.34".into();
        let reader = aws::reader(ec2, settings, clock);
        let classes: Vec<Arc<NodeClass>> = snapshot.classes.values().cloned().collect();
        for class in classes {
            let looked_up = embedded(&class)?;
            let types = reader.catalogue(&looked_up).await.map_err(|e| outside(&e))?;
            snapshot.catalogues.insert(class.name.clone(), types);
        }
        Ok(())
    })
}

/// The class with selectors that the embedded account answers.
fn embedded(class: &NodeClass) -> Result<NodeClass, CliError> {
    let broken = |e: serde_json::Error| CliError::Outside(format!("EC2NodeClass {}: {e}", class.name));
    let mut spec = serde_json::to_value(&*class.spec).map_err(broken)?;
    let mine = serde_json::json!([{"tags": {"karpenter.sh/discovery": "kerf-plan"}}]);
    spec["subnetSelectorTerms"] = mine.clone();
    spec["securityGroupSelectorTerms"] = mine;
    spec["amiSelectorTerms"] = serde_json::json!([{"alias": "al2023@latest"}]);
    let spec = serde_json::from_value(spec).map_err(broken)?;
    Ok(NodeClass {
        spec: Arc::new(spec),
        ..class.clone()
    })
}
