//! `kerf convert`: old manifests in, v1 out; what was changed on the way goes to standard error.

use std::io::Write;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::args::Output;
use super::{CliError, print};
use crate::api::legacy::{self, Conversion, Fate};
use crate::api::schema::Checker;
use crate::observe::files::{self, Source};
use crate::words::clean;

/// Exit code 1 when a field could not be taken over, or v1 would refuse the result.
pub(super) fn run(file: &[String], output: Option<Output>) -> Result<ExitCode, CliError> {
    let sources: Vec<Source> = file.iter().map(|f| Source::from_arg(f)).collect();
    let objects = files::objects(&sources).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        CliError::Input(lines.join("\n"))
    })?;
    let conversion = legacy::convert(&objects);
    let refused = refused(&conversion);
    let whole = conversion.complete() && refused.is_empty();
    if output == Some(Output::Json) {
        print(&format!("{}\n", report(&conversion, &refused)))?;
    } else {
        let mut errors = std::io::stderr().lock();
        for note in &conversion.notes {
            // Standard error may be closed; the manifests matter.
            let _ = writeln!(
                errors,
                "{}: {}: {}",
                note.fate.as_str(),
                clean(&note.path),
                clean(&note.text)
            );
        }
        for line in &refused {
            let _ = writeln!(errors, "v1 refuses: {}", clean(line));
        }
        print(&yaml(&conversion)?)?;
    }
    Ok(if whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// What the v1 definitions say against the result.
fn refused(conversion: &Conversion) -> Vec<String> {
    let checker = Checker::new();
    let mut out = Vec::new();
    for object in &conversion.objects {
        let kind = object["kind"].as_str().unwrap_or_default();
        if checker.api_version(kind) != object["apiVersion"].as_str() {
            continue;
        }
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let filled = checker.with_defaults(kind, object);
        out.extend(
            checker
                .check(kind, &filled, None)
                .into_iter()
                .map(|p| format!("{kind}/{name} {}: {}", p.path, p.message)),
        );
    }
    out
}

fn report(conversion: &Conversion, refused: &[String]) -> Value {
    let notes: Vec<Value> = conversion
        .notes
        .iter()
        .map(|n| json!({"path": n.path, "fate": n.fate.as_str(), "text": n.text}))
        .collect();
    json!({
        "schema": "kerf/convert/v1",
        "objects": conversion.objects,
        "notes": notes,
        "refused": refused,
        "complete": conversion.notes.iter().all(|n| n.fate != Fate::Impossible) && refused.is_empty(),
    })
}

fn yaml(conversion: &Conversion) -> Result<String, CliError> {
    let mut out = String::new();
    for object in &conversion.objects {
        let text = serde_saphyr::to_string(object).map_err(|e| CliError::Outside(format!("YAML: {e}")))?;
        out.push_str("---\n");
        out.push_str(&text);
        if !text.ends_with('\n') {
            out.push('\n');
        }
    }
    Ok(out)
}
