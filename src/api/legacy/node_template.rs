//! `karpenter.k8s.aws/v1alpha1` AWSNodeTemplate, and the same fields inline in a Provisioner (`spec.provider`).

use serde_json::{Map, Value, json};

use super::fields::{self, Fields};
use super::{Conversion, Fate, Note, node_class};

/// Tag values and ids with commas stood for "one of these".
type Selector = Map<String, Value>;

pub(super) fn convert(old: &Value, out: &mut Conversion) {
    let new = fields::object(old, "karpenter.k8s.aws/v1", "EC2NodeClass", out);
    let spec = Fields::spec(old, &mut out.notes);
    class(new, spec, out);
}

pub(super) fn class(mut new: Value, mut spec: Fields, out: &mut Conversion) {
    let notes = &mut out.notes;
    let into = &mut new["spec"];
    spec.keep(&["instanceProfile"], into);
    if into.get("instanceProfile").is_none() {
        notes.push(spec.note(
            "instanceProfile",
            Fate::Impossible,
            "is missing (it came from the global settings): set spec.role or spec.instanceProfile",
        ));
    }
    node_class::shared(&mut spec, into, notes);
    for (old, new, known) in [
        ("subnetSelector", "subnetSelectorTerms", &[("ids", "id")][..]),
        (
            "securityGroupSelector",
            "securityGroupSelectorTerms",
            &[("ids", "id")],
        ),
        (
            "amiSelector",
            "amiSelectorTerms",
            &[("ids", "id"), ("name", "name"), ("owners", "owner")],
        ),
    ] {
        let Some(Value::Object(selector)) = spec.take(old) else {
            if old != "amiSelector" {
                notes.push(spec.note(
                    new,
                    Fate::Impossible,
                    format!("v1 requires it, and there is no {old}"),
                ));
            }
            continue;
        };
        notes.push(spec.note(old, Fate::Changed, format!("is {new} in v1")));
        let selected = terms(&selector, known, &spec, old, notes);
        into[new] = selected;
    }
    if spec.take("launchTemplate").is_some() || spec.take("launchTemplateName").is_some() {
        notes.push(spec.note(
            "launchTemplate",
            Fate::Impossible,
            "v1 takes no launch template of yours: say the same with the fields of the EC2NodeClass",
        ));
    }
    let images = into.as_object_mut().and_then(|m| m.remove("amiSelectorTerms"));
    node_class::images(&mut spec, images, into, notes);
    for ignored in ["apiVersion", "kind"] {
        spec.take(ignored);
    }
    spec.close(notes);
    out.objects.push(new);
}

/// One term for each combination of the values that commas separate.
fn terms(
    selector: &Selector,
    known: &[(&str, &str)],
    spec: &Fields,
    field: &str,
    notes: &mut Vec<Note>,
) -> Value {
    let mut out = vec![json!({})];
    for (key, value) in selector {
        let special = key.strip_prefix("aws::").or_else(|| key.strip_prefix("aws-"));
        let name = special.map(|s| known.iter().find(|(old, _)| *old == s).map(|(_, new)| *new));
        if name == Some(None) {
            notes.push(spec.note(
                &format!("{field}.{key}"),
                Fate::Impossible,
                "v1 has no such selector: it is left out",
            ));
            continue;
        }
        let value = value.as_str().unwrap_or_default();
        // Owners are one text with commas in v1 too.
        let values: Vec<&str> = if name == Some(Some("owner")) {
            vec![value]
        } else {
            value
                .split(',')
                .map(str::trim)
                .filter(|v| !v.is_empty())
                .collect()
        };
        out = out
            .iter()
            .flat_map(|term| {
                values.iter().map(|value| {
                    let mut term = term.clone();
                    match name.flatten() {
                        Some(name) => term[name] = json!(value),
                        None => term["tags"][key] = json!(value),
                    }
                    term
                })
            })
            .collect();
    }
    Value::Array(out)
}
