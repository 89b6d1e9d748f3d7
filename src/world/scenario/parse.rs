//! From text to a checked [`Scenario`].

use std::time::Duration;

use serde_json::Value;

use super::field::{At, Wrong};
use super::{Action, IceOffering, Machines, Scenario, ScenarioError, Step, Target, Tuning};

const ACTIONS: &[&str] = &[
    "scale",
    "apply",
    "delete",
    "patch",
    "spotInterrupt",
    "iceOffering",
    "releaseImages",
    "neverRegister",
    "refuseCall",
    "sicken",
    "heal",
    "killMachine",
    "log",
];
const DEFAULT_CLUSTER: &str = "kerf-demo";
const DEFAULT_REGION: &str = "us-east-1";

/// One YAML document and where it begins.
struct Document {
    number: usize,
    /// First line, from 1.
    line: u64,
    value: Value,
}

/// Reads a scenario. `file` names it in errors; its stem is the default name.
pub fn parse(file: &str, text: &str) -> Result<Scenario, ScenarioError> {
    let stem = file.rsplit('/').next().unwrap_or(file);
    let stem = stem.split('.').next().unwrap_or(stem);
    let mut out = Scenario {
        name: stem.to_owned(),
        description: String::new(),
        cluster_name: DEFAULT_CLUSTER.into(),
        region: DEFAULT_REGION.into(),
        repeat: None,
        tuning: Tuning::default(),
        manifests: Vec::new(),
        steps: Vec::new(),
    };
    let mut seen = false;
    let documents = split(file, text)?;
    if documents.is_empty() {
        return Err(ScenarioError::Empty {
            file: file.to_owned(),
        });
    }
    for document in &documents {
        let root = At::root(&document.value);
        take(&mut out, &root, &mut seen).map_err(|wrong| ScenarioError::Field {
            file: file.to_owned(),
            document: document.number,
            line: document.line,
            field: wrong.field,
            why: wrong.why,
        })?;
    }
    Ok(out)
}

/// Documents that hold something.
fn split(file: &str, text: &str) -> Result<Vec<Document>, ScenarioError> {
    let mut parts: Vec<(u64, String)> = vec![(1, String::new())];
    for (number, line) in (1_u64..).zip(text.lines()) {
        if line == "---" || line.starts_with("--- ") {
            parts.push((number + 1, String::new()));
        } else if let Some((_, part)) = parts.last_mut() {
            part.push_str(line);
            part.push('\n');
        }
    }
    let mut out = Vec::new();
    for (line, part) in parts {
        let blank = part
            .lines()
            .all(|l| l.trim().is_empty() || l.trim_start().starts_with('#'));
        if blank {
            continue;
        }
        let value = serde_saphyr::from_str::<Value>(&part).map_err(|error| {
            let place = error.location();
            ScenarioError::Yaml {
                file: file.to_owned(),
                line: line - 1 + place.map_or(1, |l| l.line()),
                column: place.map_or(1, |l| l.column()),
                why: plain(&error.to_string()),
            }
        })?;
        // Leading comments are not where a reader looks for the document.
        let lead = part
            .lines()
            .take_while(|l| l.trim().is_empty() || l.trim_start().starts_with('#'));
        out.push(Document {
            number: out.len() + 1,
            line: line + lead.count() as u64,
            value,
        });
    }
    Ok(out)
}

/// The parser's first line without its own place and its advice to programmers.
fn plain(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    let line = line.strip_prefix("error: ").unwrap_or(line);
    let line = match line.split_once(": ") {
        Some((place, rest)) if place.starts_with("line ") => rest,
        _ => line,
    };
    line.split(", set ").next().unwrap_or(line).to_owned()
}

fn take(out: &mut Scenario, root: &At<'_>, seen: &mut bool) -> Result<(), Wrong> {
    let Some(header) = root.get("scenario") else {
        return manifest(out, root);
    };
    if std::mem::replace(seen, true) {
        return header.wrong("is here for the second time; a file holds one scenario");
    }
    root.map(&["apiVersion", "kind", "metadata", "items", "scenario"])?;
    if let Some(items) = root.get("items") {
        for item in items.list()? {
            manifest(out, &item)?;
        }
    }
    header.map(&[
        "name",
        "description",
        "clusterName",
        "region",
        "repeat",
        "config",
        "manifests",
        "steps",
    ])?;
    for (key, place) in [
        ("name", &mut out.name),
        ("description", &mut out.description),
        ("clusterName", &mut out.cluster_name),
        ("region", &mut out.region),
    ] {
        if let Some(at) = header.get(key) {
            at.text()?.trim().clone_into(place);
        }
    }
    if let Some(config) = header.get("config") {
        out.tuning = tuning(&config)?;
    }
    if let Some(list) = header.get("manifests") {
        for item in list.list()? {
            manifest(out, &item)?;
        }
    }
    if let Some(list) = header.get("steps") {
        out.steps = list.list()?.iter().map(step).collect::<Result<_, _>>()?;
        out.steps.sort_by_key(|s| s.at);
    }
    if let Some(at) = header.get("repeat") {
        let repeat = at.duration()?;
        let last = out.steps.last().map_or(Duration::ZERO, |s| s.at);
        if repeat.is_zero() || repeat < last {
            return at.wrong(format!(
                "must be longer than the last step, which is at {}s",
                last.as_secs()
            ));
        }
        out.repeat = Some(repeat);
    }
    Ok(())
}

/// A Kubernetes object, or a List of them.
fn manifest(out: &mut Scenario, at: &At<'_>) -> Result<(), Wrong> {
    let kind = at.need("kind")?.text()?;
    at.need("apiVersion")?.text()?;
    if kind == "List" {
        for item in at.need("items")?.list()? {
            manifest(out, &item)?;
        }
        return Ok(());
    }
    at.need("metadata")?.need("name")?.text()?;
    out.manifests.push(at.value.clone());
    Ok(())
}

fn tuning(at: &At<'_>) -> Result<Tuning, Wrong> {
    at.map(&[
        "bootScale",
        "spotInterruptions",
        "spotDepth",
        "imagePullSeconds",
        "featureGates",
    ])?;
    let mut out = Tuning::default();
    if let Some(at) = at.get("featureGates") {
        out.feature_gates = Some(at.text()?.to_owned());
    }
    if let Some(at) = at.get("bootScale") {
        out.boot_scale = at.number(0.0, 100.0)?;
    }
    if let Some(at) = at.get("spotInterruptions") {
        out.spot_interruptions = at.number(0.0, 10_000.0)?;
    }
    if let Some(at) = at.get("spotDepth") {
        out.spot_depth = at.yes_or_no()?;
    }
    if let Some(at) = at.get("imagePullSeconds") {
        let list = at.list()?;
        let [low, high] = list.as_slice() else {
            return at.wrong("must be two numbers, like [1, 4]");
        };
        out.image_pull = (low.number(0.0, 3600.0)?, high.number(0.0, 3600.0)?);
        if out.image_pull.0 > out.image_pull.1 {
            return at.wrong("must begin with the smaller number");
        }
    }
    Ok(out)
}

fn step(at: &At<'_>) -> Result<Step, Wrong> {
    let allowed: Vec<&str> = ["at"].iter().chain(ACTIONS).copied().collect();
    at.map(&allowed)?;
    let time = at.need("at")?.duration()?;
    let mut actions = ACTIONS.iter().filter_map(|key| Some((*key, at.get(key)?)));
    let (Some((key, body)), None) = (actions.next(), actions.next()) else {
        return at.wrong(format!("needs exactly one action: {}", ACTIONS.join(", ")));
    };
    Ok(Step {
        at: time,
        action: action(key, &body)?,
    })
}

fn action(key: &str, at: &At<'_>) -> Result<Action, Wrong> {
    Ok(match key {
        "scale" => scale(at)?,
        "apply" => {
            let mut objects = Vec::new();
            for item in at.list()? {
                item.need("apiVersion")?.text()?;
                item.need("kind")?.text()?;
                item.need("metadata")?.need("name")?.text()?;
                objects.push(item.value.clone());
            }
            Action::Apply(objects)
        }
        "delete" => {
            at.map(&["apiVersion", "kind", "name", "namespace"])?;
            Action::Delete(target(at)?)
        }
        "patch" => {
            at.map(&["apiVersion", "kind", "name", "namespace", "patch"])?;
            let patch = at.need("patch")?;
            if !patch.value.is_object() {
                return patch.wrong("must be a map: the fields to set, null to remove one");
            }
            Action::Patch {
                target: target(at)?,
                patch: patch.value.clone(),
            }
        }
        "spotInterrupt" => Action::SpotInterrupt(machines(at, &[])?),
        "heal" => Action::Heal(machines(at, &[])?),
        "killMachine" => Action::KillMachine(machines(at, &[])?),
        "sicken" => sicken(at)?,
        "releaseImages" => Action::ReleaseImages(at.text()?.to_owned()),
        "neverRegister" => {
            at.map(&["for"])?;
            Action::NeverRegister(at.need("for")?.duration()?)
        }
        "refuseCall" => refuse(at)?,
        "iceOffering" => {
            at.map(&["instanceType", "zone", "capacityType", "for"])?;
            Action::IceOffering(IceOffering {
                instance_type: at.need("instanceType")?.text()?.to_owned(),
                zone: at.need("zone")?.text()?.to_owned(),
                capacity_type: at
                    .need("capacityType")?
                    .one_of(&["spot", "on-demand"])?
                    .to_owned(),
                duration: at.need("for")?.duration()?,
            })
        }
        _ => Action::Log(at.text()?.to_owned()),
    })
}

fn scale(at: &At<'_>) -> Result<Action, Wrong> {
    at.map(&["deployment", "statefulset", "replicas"])?;
    let (kind, place) = match (at.get("deployment"), at.get("statefulset")) {
        (Some(place), None) => ("Deployment", place),
        (None, Some(place)) => ("StatefulSet", place),
        _ => return at.wrong("needs one of deployment, statefulset: NAMESPACE/NAME"),
    };
    let text = place.text()?;
    let (namespace, name) = text.split_once('/').unwrap_or(("default", text));
    if namespace.is_empty() || name.is_empty() || name.contains('/') {
        return place.wrong(format!("is \"{text}\"; write NAMESPACE/NAME"));
    }
    Ok(Action::Scale {
        target: Target {
            api_version: "apps/v1".into(),
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        },
        replicas: at.need("replicas")?.count()?,
    })
}

fn target(at: &At<'_>) -> Result<Target, Wrong> {
    let text = |key: &str, default: &str| at.get(key).map_or(Ok(default), |at| at.text()).map(str::to_owned);
    Ok(Target {
        api_version: text("apiVersion", "")?,
        kind: at.need("kind")?.text()?.to_owned(),
        namespace: text("namespace", "default")?,
        name: at.need("name")?.text()?.to_owned(),
    })
}

/// Which machines; `more` are the keys that the action has beside.
fn machines(at: &At<'_>, more: &[&str]) -> Result<Machines, Wrong> {
    let allowed: Vec<&str> = ["share", "count", "node"].iter().chain(more).copied().collect();
    at.map(&allowed)?;
    match (at.get("share"), at.get("count"), at.get("node")) {
        (Some(share), None, None) => Ok(Machines::Share(share.number(0.0, 1.0)?)),
        (None, Some(count), None) => Ok(Machines::Count(
            usize::try_from(count.count()?).unwrap_or(usize::MAX),
        )),
        (None, None, Some(node)) => Ok(Machines::Node(node.text()?.to_owned())),
        _ => at.wrong("needs exactly one of share, count, node"),
    }
}

fn sicken(at: &At<'_>) -> Result<Action, Wrong> {
    Ok(Action::Sicken {
        nodes: machines(at, &["condition", "status"])?,
        condition: at
            .need("condition")?
            .one_of(&crate::api::names::REPAIR_CONDITIONS)?
            .to_owned(),
        status: at.need("status")?.one_of(&["False", "Unknown"])?.to_owned(),
    })
}

fn refuse(at: &At<'_>) -> Result<Action, Wrong> {
    at.map(&["call", "code", "times"])?;
    let text = |key: &str| at.need(key)?.text().map(str::to_owned);
    Ok(Action::RefuseCall {
        call: text("call")?,
        code: text("code")?,
        times: u32::try_from(at.need("times")?.count()?).unwrap_or(u32::MAX),
    })
}
