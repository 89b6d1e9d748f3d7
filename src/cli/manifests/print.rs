//! Documents on standard output.

use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::args::{Format, Manifests, What};
use super::{crds, deployment, iam, interruption, rbac};
use crate::cli::CliError;

/// `kerf manifests`.
///
/// # Errors
/// Wrong flags, or a format that a subject does not have.
pub fn run(args: &Manifests) -> Result<ExitCode, CliError> {
    crate::cli::print(&text(args)?)
}

/// What is printed.
///
/// # Errors
/// As [`run`].
pub(super) fn text(args: &Manifests) -> Result<String, CliError> {
    let options = args.options()?;
    let usual = match args.what {
        What::Crds | What::Rbac | What::Deployment => Format::Yaml,
        What::Iam => Format::Json,
        What::Interruption => Format::Cloudformation,
    };
    match (args.what, args.format.unwrap_or(usual)) {
        (What::Crds, Format::Yaml) => Ok(crds::crds()),
        (What::Rbac, Format::Yaml) => yaml(&rbac::rbac(&options)),
        (What::Rbac, Format::Json) => json_text(&list(&rbac::rbac(&options))),
        (What::Deployment, Format::Yaml) => yaml(&deployment::deployment(&options)),
        (What::Deployment, Format::Json) => json_text(&list(&deployment::deployment(&options))),
        (What::Iam, Format::Json) => json_text(&iam::policy(&options)),
        (What::Iam, Format::Cloudformation) => json_text(&iam::template(&options)?),
        (What::Interruption, Format::Cloudformation) => json_text(&interruption::template(&options)),
        (What::Interruption, Format::Json) => json_text(&interruption::calls(&options)),
        (what, format) => {
            let name = |v: Option<clap::builder::PossibleValue>| {
                v.map_or_else(String::new, |v| v.get_name().to_owned())
            };
            let there = match what {
                What::Crds => "yaml",
                What::Rbac | What::Deployment => "yaml or json",
                What::Iam | What::Interruption => "json or cloudformation",
            };
            Err(CliError::Input(format!(
                "--format {}: `kerf manifests {}` is printed as {there}",
                name(format.to_possible_value()),
                name(what.to_possible_value()),
            )))
        }
    }
}

/// Kubernetes objects as one document, for programs.
fn list(items: &[Value]) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

fn json_text(value: &Value) -> Result<String, CliError> {
    let mut out =
        serde_json::to_string_pretty(value).map_err(|e| CliError::Outside(format!("manifests: {e}")))?;
    out.push('\n');
    Ok(out)
}

fn yaml(documents: &[Value]) -> Result<String, CliError> {
    let mut out = String::new();
    for document in documents {
        let text =
            serde_saphyr::to_string(document).map_err(|e| CliError::Outside(format!("manifests: {e}")))?;
        out.push_str("---\n");
        out.push_str(&text);
        if !text.ends_with('\n') {
            out.push('\n');
        }
    }
    Ok(out)
}
