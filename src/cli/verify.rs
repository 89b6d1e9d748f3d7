//! `kerf verify FILE`: 0 when the chain holds, 1 when it does not.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::{CliError, Output, print};
use crate::ledger::reader;

pub fn run(file: &Path, output: Output) -> Result<ExitCode, CliError> {
    let found = reader::verify(file).map_err(|e| CliError::Input(e.to_string()))?;
    let text = match output {
        Output::Json => {
            let answer = json!({
                "schema": "kerf/verify/v1", "file": file.display().to_string(), "entries": found.entries,
                "intact": found.broken_at.is_none(), "brokenAtLine": found.broken_at, "tornEnd": found.torn,
                "ledgerHash": found.ledger_hash,
            });
            format!("{answer}\n")
        }
        Output::Text => {
            let torn = if found.torn {
                "; the last frame was torn and is left out"
            } else {
                ""
            };
            match found.broken_at {
                None => format!(
                    "{}: {} entries, chain intact{torn}\nledger hash {}\n",
                    file.display(),
                    found.entries,
                    found.ledger_hash
                ),
                Some(line) => {
                    format!(
                        "{}: the chain breaks at line {line} of {}{torn}\n",
                        file.display(),
                        found.entries
                    )
                }
            }
        }
    };
    print(&text)?;
    Ok(if found.broken_at.is_none() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}
