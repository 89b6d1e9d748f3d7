//! `karpenter.k8s.aws/v1beta1` EC2NodeClass, and what it shares with the AWSNodeTemplate before it.

use serde_json::{Value, json};

use super::fields::{self, Fields};
use super::{Conversion, Fate, Note};

pub(super) fn convert(old: &Value, out: &mut Conversion) {
    let mut new = fields::object(old, "karpenter.k8s.aws/v1", "EC2NodeClass", out);
    let notes = &mut out.notes;
    let mut spec = Fields::spec(old, notes);
    let into = &mut new["spec"];
    spec.keep(
        &[
            "subnetSelectorTerms",
            "securityGroupSelectorTerms",
            "role",
            "instanceProfile",
            "instanceStorePolicy",
            "associatePublicIPAddress",
        ],
        into,
    );
    shared(&mut spec, into, notes);
    let terms = spec.take("amiSelectorTerms");
    images(&mut spec, terms, into, notes);
    spec.close(notes);
    out.objects.push(new);
}

/// Fields that neither version touched.
pub(super) fn shared(spec: &mut Fields, into: &mut Value, notes: &mut Vec<Note>) {
    spec.keep(
        &[
            "userData",
            "tags",
            "blockDeviceMappings",
            "detailedMonitoring",
            "context",
        ],
        into,
    );
    let had = spec.has("metadataOptions");
    spec.keep(&["metadataOptions"], into);
    let options = &mut into["metadataOptions"];
    let open = options.is_null() || options.is_object();
    if open && options.get("httpPutResponseHopLimit").is_none() {
        let field = if had {
            "metadataOptions.httpPutResponseHopLimit"
        } else {
            "metadataOptions"
        };
        notes.push(spec.note(
            field,
            Fate::Added,
            "hop limit 2, the old default; v1's is 1, with which pods cannot reach the metadata service",
        ));
        options["httpPutResponseHopLimit"] = json!(2);
    }
}

/// v1 requires selector terms for images; before, the family alone meant its latest image.
pub(super) fn images(spec: &mut Fields, terms: Option<Value>, into: &mut Value, notes: &mut Vec<Note>) {
    let given = spec.take("amiFamily");
    let family = given.as_ref().and_then(Value::as_str).unwrap_or("AL2");
    let terms = terms.filter(|t| t.as_array().is_some_and(|t| !t.is_empty()));
    let known = ["AL2", "AL2023", "Bottlerocket", "Windows2019", "Windows2022"];
    match (terms, family) {
        (_, "Ubuntu") => notes.push(spec.note(
            "amiFamily",
            Fate::Impossible,
            "v1 has no Ubuntu family: use amiFamily AL2 or Custom with amiSelectorTerms and your own user data",
        )),
        (Some(terms), family) => {
            into["amiSelectorTerms"] = terms;
            into["amiFamily"] = json!(family);
            if given.is_none() {
                notes.push(spec.note("amiFamily", Fate::Added, "AL2, the old default"));
            }
        }
        (None, "Custom") => notes.push(spec.note(
            "amiSelectorTerms",
            Fate::Impossible,
            "amiFamily Custom needs terms that select its images",
        )),
        (None, family) if known.contains(&family) => {
            let alias = format!("{}@latest", family.to_lowercase());
            notes.push(spec.note(
                "amiFamily",
                Fate::Changed,
                format!("is amiSelectorTerms: [{{alias: {alias}}}] in v1"),
            ));
            into["amiSelectorTerms"] = json!([{"alias": alias}]);
        }
        (None, family) => notes.push(spec.note(
            "amiFamily",
            Fate::Impossible,
            format!("\"{family}\" is not one of {}, Custom", known.join(", ")),
        )),
    }
}
