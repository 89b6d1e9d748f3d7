//! Request bodies: JSON or YAML objects, delete options, field validation (`kube-wire §8`).

use bytes::Bytes;
use serde_json::{Value, json};

use super::Call;
use crate::world::apiserver::delete::{DeleteOptions, Propagation};
use crate::world::apiserver::glue;
use crate::world::apiserver::protobuf::{self, ProtobufError};
use crate::world::apiserver::status::{Cause, StatusError};

/// What kubectl sends when it creates from its own types.
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// True for `All`, an error for anything else.
pub fn dry_run<'a>(values: impl Iterator<Item = &'a str>, options: &str) -> Result<bool, StatusError> {
    let mut dry = false;
    for value in values {
        match value {
            "All" => dry = true,
            "" => {}
            other => {
                let message = format!("Unsupported value: \"{other}\": supported values: \"All\"");
                let cause = Cause::new("FieldValueNotSupported", "dryRun", message);
                return Err(StatusError::invalid_as(options, "meta.k8s.io", "", &[cause]));
            }
        }
    }
    Ok(dry)
}

/// Whether a delete body asks for a dry run: such requests are not counted as writes.
pub fn delete_is_dry(body: &Bytes) -> bool {
    let Ok(options) = serde_json::from_slice::<Value>(body) else {
        return false;
    };
    options
        .get("dryRun")
        .and_then(Value::as_array)
        .is_some_and(|all| !all.is_empty())
}

/// JSON, or YAML or protobuf when the type says so.
pub fn parse(content_type: &str, body: &Bytes) -> Result<Value, StatusError> {
    let wrong =
        |e: String| StatusError::bad_request(format!("the body of the request could not be read: {e}"));
    match content_type {
        "" | "application/json" | "application/x-www-form-urlencoded" => {
            serde_json::from_slice(body).map_err(|e| wrong(e.to_string()))
        }
        "application/yaml" => serde_saphyr::from_slice(body).map_err(|e| wrong(e.to_string())),
        PROTOBUF => protobuf::decode(body).map_err(|e| match e {
            ProtobufError::UnknownKind { .. } => StatusError::unsupported_media(format!(
                "{e}: write the command as `kubectl … --dry-run=client -o yaml | kubectl apply -f -`"
            )),
            e => wrong(e.to_string()),
        }),
        other => Err(StatusError::unsupported_media(format!(
            "the body of the request was in an unknown format - accepted media types include: \
             application/json, application/yaml, {PROTOBUF} (got {other})"
        ))),
    }
}

impl Call<'_> {
    /// The object of a POST or PUT in its kept form, and warnings about its fields.
    pub fn object(&self) -> Result<(Value, Vec<String>), StatusError> {
        let mut object = parse(self.content_type(), self.body)?;
        let warnings = self.check_fields(&object)?;
        self.resource.keep(&mut object);
        if let Some(error) = glue::decode_error(&self.resource.kept, &object) {
            return Err(StatusError::bad_request(error));
        }
        Ok((object, warnings))
    }

    /// Applies `fieldValidation` to an object in its served form.
    pub fn check_fields(&self, object: &Value) -> Result<Vec<String>, StatusError> {
        let mode = self.query.get("fieldValidation");
        if !matches!(mode, "" | "Strict" | "Warn" | "Ignore") {
            let message =
                format!("Unsupported value: \"{mode}\": supported values: \"Ignore\", \"Strict\", \"Warn\"");
            let cause = Cause::new("FieldValueNotSupported", "fieldValidation", message);
            return Err(StatusError::invalid_as(
                "CreateOptions",
                "meta.k8s.io",
                "",
                &[cause],
            ));
        }
        if mode == "Ignore" {
            return Ok(Vec::new());
        }
        let warnings: Vec<String> = glue::unknown_fields(&self.resource.shown, object)
            .into_iter()
            .map(|path| format!("unknown field \"{path}\""))
            .collect();
        if mode == "Strict" && !warnings.is_empty() {
            let all = warnings.join(", ");
            let kind = &self.resource.shown;
            let prefix = if kind.crd.is_none() {
                format!(
                    "{} in version \"{}\" cannot be handled as a {}: ",
                    kind.kind, kind.version, kind.kind
                )
            } else {
                String::new()
            };
            return Err(StatusError::bad_request(format!(
                "{prefix}strict decoding error: {all}"
            )));
        }
        Ok(warnings)
    }

    /// The options of a delete, from the body and from the query, and whether it is a dry run.
    pub fn delete_options(&self) -> Result<(DeleteOptions, bool), StatusError> {
        let body = if self.body.is_empty() {
            json!({})
        } else {
            parse(self.content_type(), self.body)?
        };
        let mut options = read_options(&body)?;
        if let Some(grace) = self.query.number("gracePeriodSeconds")? {
            options.grace_seconds = Some(i64::try_from(grace).unwrap_or(i64::MAX));
        }
        let policy = self.query.get("propagationPolicy");
        if !policy.is_empty() {
            options.propagation = propagation(policy)?;
        }
        let listed = body
            .get("dryRun")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let dry = dry_run(
            listed.chain(self.query.all("dryRun").iter().map(String::as_str)),
            "DeleteOptions",
        )?;
        Ok((options, dry))
    }
}

/// A `DeleteOptions` object, also as part of an Eviction.
pub fn read_options(body: &Value) -> Result<DeleteOptions, StatusError> {
    let text = |path: &str| body.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let orphan = body.get("orphanDependents").and_then(Value::as_bool) == Some(true);
    Ok(DeleteOptions {
        grace_seconds: body.get("gracePeriodSeconds").and_then(Value::as_i64),
        uid: text("/preconditions/uid"),
        resource_version: text("/preconditions/resourceVersion"),
        propagation: match text("/propagationPolicy") {
            Some(policy) => propagation(&policy)?,
            None if orphan => Propagation::Orphan,
            None => Propagation::Background,
        },
    })
}

fn propagation(policy: &str) -> Result<Propagation, StatusError> {
    match policy {
        "Background" => Ok(Propagation::Background),
        "Foreground" => Ok(Propagation::Foreground),
        "Orphan" => Ok(Propagation::Orphan),
        other => {
            let message = format!(
                "Unsupported value: \"{other}\": supported values: \"Background\", \"Foreground\", \"Orphan\""
            );
            let cause = Cause::new("FieldValueNotSupported", "propagationPolicy", message);
            Err(StatusError::invalid_as(
                "DeleteOptions",
                "meta.k8s.io",
                "",
                &[cause],
            ))
        }
    }
}
