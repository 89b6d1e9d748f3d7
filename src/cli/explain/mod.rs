//! `kerf explain pod|node|decision NAME`: from manifests or from a recording, as text or JSON (`kerf/explain/v1`).

mod decision;
mod node;
mod pod;
mod scene;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use serde_json::{Value, json};

use super::args::{Explain, Subject};
use super::paper::Paper;
use super::{CliError, Output, print};
use scene::Scene;

/// One account in both forms.
struct Account {
    text: String,
    json: Value,
}

pub fn run(args: &Explain, output: Output, paper: &Paper) -> Result<ExitCode, CliError> {
    let scene = Scene::of(args)?;
    let account = match args.what {
        Subject::Pod => pod::account(&scene, &args.name, paper)?,
        Subject::Node => node::account(&scene, &args.name, paper)?,
        Subject::Decision => decision::account(&scene, &args.name, paper)?,
    };
    let text = match output {
        Output::Text => account.text,
        Output::Json => {
            let mut out = json!({"schema": "kerf/explain/v1"});
            if let (Some(out), Some(more)) = (out.as_object_mut(), account.json.as_object()) {
                out.extend(more.clone());
            }
            format!("{out}\n")
        }
    };
    print(&text)
}
