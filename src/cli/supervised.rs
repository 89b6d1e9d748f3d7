//! What `kerf demo` and `kerf run` do alike with flags of the same name, and at the end of a run.

use std::path::Path;

use super::CliError;
use crate::engine::Ended;
use crate::gate::policy::PolicyFlag;
use crate::gate::{GuardFlag, Limits, Mode, Policies, Supervision};
use crate::ledger::recorder::Recorder;
use crate::observe::kinds::Kind;

/// `--record`.
///
/// # Errors
/// A file that cannot be written.
pub fn recorder(path: Option<&Path>) -> Result<Option<Recorder>, CliError> {
    path.map(|path| {
        Recorder::create(path).map_err(|e| CliError::Input(format!("--record {}: {e}", path.display())))
    })
    .transpose()
}

/// `--mode`, `--policy` and `--guard`.
pub fn supervision(mode: Mode, policy: &[PolicyFlag], guard: &[GuardFlag]) -> Supervision {
    let mut limits = Limits::default();
    for flag in guard {
        limits.set(flag);
    }
    Supervision {
        policies: Policies {
            mode,
            overrides: policy.iter().map(|f| (f.0, f.1)).collect(),
            limits,
        },
        ..Supervision::default()
    }
}

/// Of one thread; `paused`: its time moves when nothing is left to do.
pub fn runtime(paused: bool) -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(paused)
        .build()
        .map_err(|e| CliError::Outside(format!("the runtime could not start: {e}")))
}

/// # Errors
/// A recording that lacks entries.
pub fn recorded(ended: &Ended) -> Result<(), CliError> {
    match &ended.recording {
        Err(error) => Err(CliError::Outside(format!("the recording is incomplete: {error}"))),
        Ok(()) => Ok(()),
    }
}

/// Kinds whose feature gate is off.
pub fn unwatched(settings: &crate::decide::Settings) -> Vec<Kind> {
    let mut out = Vec::new();
    if !settings.node_overlay {
        out.push(Kind::Overlay);
    }
    if !settings.capacity_buffer {
        out.extend([Kind::Buffer, Kind::PodTemplate, Kind::Deployment]);
    }
    let spreads = !settings.default_spread.is_empty();
    if !spreads {
        out.extend([Kind::Service, Kind::ReplicationController]);
    }
    if !spreads && !settings.capacity_buffer {
        out.extend([Kind::ReplicaSet, Kind::StatefulSet]);
    }
    out
}
