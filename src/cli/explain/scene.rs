//! What is explained: a cluster as files or a recording show it.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::cli::args::{Explain, Inputs};
use crate::cli::{CliError, inputs};
use crate::decide::Settings;
use crate::decide::spelling::nearest;
use crate::ledger::view::DecisionRow;
use crate::ledger::{Body, View, reader};
use crate::model::decision::DecisionId;
use crate::model::decision::evidence::ClaimEvidence;
use crate::model::{Name, Snapshot};

/// First bytes of a recording.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

pub struct Scene {
    pub snapshot: Snapshot,
    pub settings: Settings,
    pub now: Timestamp,
    /// Of a recording: everything that was decided.
    pub view: Option<View>,
    /// The recorded picture that each decision was made from, where it was asked for.
    pub decided_on: Option<(DecisionId, Snapshot)>,
}

impl Scene {
    pub fn of(args: &Explain) -> Result<Self, CliError> {
        let given = args.recording.clone().or_else(|| match args.file.as_slice() {
            [one] if is_recording(one) => Some(PathBuf::from(one)),
            _ => None,
        });
        if let Some(file) = given {
            return Self::recorded(&file, args);
        }
        if args.file.is_empty() {
            return Err(CliError::Input(
                "kerf explain: say what to read: -f FILE for manifests or a recording (kerf demo --record FILE makes \
                 one); a running cluster cannot be asked yet"
                    .into(),
            ));
        }
        if args.at.is_some() {
            return Err(CliError::Input(
                "--at looks back in a recording; for files use --now".into(),
            ));
        }
        let ready = inputs::read(
            &Inputs {
                file: args.file.clone(),
                instance_types: args.instance_types.clone(),
                now: args.now,
            },
            &args.settings,
        )?;
        Ok(Self {
            snapshot: ready.snapshot,
            settings: ready.settings,
            now: ready.now,
            view: None,
            decided_on: None,
        })
    }

    fn recorded(file: &Path, args: &Explain) -> Result<Self, CliError> {
        let entries = reader::entries(file).map_err(|e| CliError::Input(e.to_string()))?;
        let wanted = decision_id(&args.name);
        let mut view = View::default();
        let mut decided_on = None;
        for entry in entries {
            if args.at.is_some_and(|at| entry.at > at) {
                break;
            }
            if let Body::Proposed { decision } = &entry.body
                && wanted == Some(decision.id)
            {
                decided_on = Some((decision.id, view.snapshot.clone()));
            }
            view.fold(&Arc::new(entry));
        }
        Ok(Self {
            snapshot: view.snapshot.clone(),
            settings: args.settings.settings()?,
            now: view.now,
            view: Some(view),
            decided_on,
        })
    }

    pub fn decisions(&self) -> impl Iterator<Item = &DecisionRow> {
        self.view
            .iter()
            .flat_map(|v| v.decisions.values().map(|row| &**row))
    }

    /// The newest decision that planned a claim, with that claim's evidence.
    pub fn planned(&self, wanted: impl Fn(&ClaimEvidence) -> bool) -> Option<(&DecisionRow, &ClaimEvidence)> {
        let mut found = None;
        for row in self.decisions() {
            if let Some(e) = row.decision.evidence.claims().iter().find(|e| wanted(e)) {
                found = Some((row, e));
            }
        }
        found
    }
}

fn is_recording(file: &str) -> bool {
    let mut head = [0; 4];
    let read = std::fs::File::open(file).and_then(|mut f| f.read_exact(&mut head));
    read.is_ok() && head == ZSTD
}

/// `142` or `#142`
pub fn decision_id(text: &str) -> Option<DecisionId> {
    text.strip_prefix('#')
        .unwrap_or(text)
        .parse()
        .ok()
        .map(DecisionId)
}

/// The key that a person means: the whole of it, or its part after the last `/`, or a node without its domain.
pub fn resolve(kind: &str, wanted: &str, keys: &[&Name]) -> Result<Name, CliError> {
    if let Some(key) = keys.iter().find(|k| &****k == wanted) {
        return Ok((*key).clone());
    }
    let short = |key: &str| {
        key.rsplit_once('/').map_or(key, |(_, name)| name) == wanted
            || key.split_once('.').is_some_and(|(head, _)| head == wanted)
    };
    let like: Vec<&&Name> = keys.iter().filter(|k| short(k)).collect();
    match like.as_slice() {
        [one] => Ok((**one).clone()),
        [] => {
            let tails = keys.iter().map(|k| k.rsplit_once('/').map_or(&***k, |(_, n)| n));
            let mut hints = nearest(wanted, keys.iter().map(|k| &***k));
            if hints.is_empty() {
                hints = nearest(wanted, tails);
            }
            let hint = if hints.is_empty() {
                String::new()
            } else {
                format!("; did you mean {}?", hints.join(", "))
            };
            Err(CliError::Input(format!("there is no {kind} {wanted}{hint}")))
        }
        many => {
            let all: Vec<&str> = many.iter().map(|k| &****k).collect();
            Err(CliError::Input(format!(
                "{kind} {wanted} may be {}: write namespace/name",
                crate::words::list(&all, 5)
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_people_write_them() {
        let keys: Vec<Name> = ["a/web-0", "b/web-0", "a/db-0"].map(Name::from).into();
        let keys: Vec<&Name> = keys.iter().collect();
        let ask = |text: &str| resolve("pod", text, &keys).map_err(|e| e.to_string());
        assert_eq!(ask("a/web-0").as_deref(), Ok("a/web-0"));
        assert_eq!(ask("db-0").as_deref(), Ok("a/db-0"));
        assert_eq!(
            ask("web-0").expect_err("two"),
            "pod web-0 may be a/web-0, b/web-0: write namespace/name"
        );
        assert_eq!(
            ask("wbe-0").expect_err("none"),
            "there is no pod wbe-0; did you mean web-0?"
        );
        assert_eq!(decision_id("#12"), Some(DecisionId(12)));
        assert_eq!(decision_id("web"), None);
    }
}
