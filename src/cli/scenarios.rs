//! `kerf scenarios`: what `kerf demo --scenario` knows by name.

use std::process::ExitCode;

use serde_json::json;

use super::{CliError, Output, print};
use crate::world::scenario;

pub fn run(output: Output) -> Result<ExitCode, CliError> {
    let mut rows = Vec::new();
    for (name, _) in scenario::builtin() {
        let loaded = scenario::load(name).map_err(|e| CliError::Input(e.to_string()))?;
        rows.push((*name, loaded.description));
    }
    let text = match output {
        Output::Json => {
            let list: Vec<_> = rows
                .iter()
                .map(|(n, d)| json!({"name": n, "description": d}))
                .collect();
            format!("{}\n", json!({"schema": "kerf/scenarios/v1", "scenarios": list}))
        }
        Output::Text => {
            let width = rows.iter().map(|(n, _)| n.len()).max().unwrap_or(0);
            rows.iter().map(|(n, d)| format!("{n:width$}  {d}\n")).collect()
        }
    };
    print(&text)
}
