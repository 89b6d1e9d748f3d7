//! What a request that fails is answered with (`kube-wire §12`).

use serde_json::{Value, json};

use super::kinds::Kind;

/// Why a request failed, in the words of a Kubernetes `Status`.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct StatusError {
    /// The HTTP status.
    pub code: u16,
    /// `NotFound`, `Conflict` …
    pub reason: &'static str,
    pub message: String,
    /// `name`, `group`, `kind`, `uid`, `causes[]`, `retryAfterSeconds`; `null` when there is nothing to say.
    pub details: Value,
}

/// One field that is wrong, or one reason more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// `FieldValueInvalid`, `FieldValueRequired` …
    pub reason: String,
    pub message: String,
    pub field: String,
}

impl Cause {
    pub fn new(reason: &str, field: &str, message: impl Into<String>) -> Self {
        Self {
            reason: reason.to_owned(),
            message: message.into(),
            field: field.to_owned(),
        }
    }

    fn to_json(&self) -> Value {
        let mut out = json!({"reason": self.reason, "message": self.message});
        if !self.field.is_empty() {
            out["field"] = json!(self.field);
        }
        out
    }
}

/// `name`, `group` and plural `kind` of the thing that a request was about.
fn about(kind: &Kind, name: &str) -> Value {
    let mut out = json!({"name": name, "kind": kind.plural});
    if !kind.group.is_empty() {
        out["group"] = json!(kind.group);
    }
    out
}

impl StatusError {
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: Value::Null,
        }
    }

    fn of(code: u16, reason: &'static str, kind: &Kind, name: &str, message: String) -> Self {
        Self {
            code,
            reason,
            message,
            details: about(kind, name),
        }
    }

    /// The object is not there.
    pub fn not_found(kind: &Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", kind.key);
        Self::of(404, "NotFound", kind, name, message)
    }

    /// The group and version are known, the resource is not.
    pub fn no_resource() -> Self {
        let mut out = Self::new(
            404,
            "NotFound",
            "the server could not find the requested resource",
        );
        out.details = json!({});
        out
    }

    pub fn already_exists(kind: &Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", kind.key);
        Self::of(409, "AlreadyExists", kind, name, message)
    }

    pub fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", kind.key);
        Self::of(409, "Conflict", kind, name, message)
    }

    /// The version that the client read is no longer the newest.
    pub fn stale(kind: &Kind, name: &str) -> Self {
        Self::conflict(
            kind,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    pub fn forbidden(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("{} \"{name}\" is forbidden: {why}", kind.key);
        Self::of(403, "Forbidden", kind, name, message)
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub fn method_not_allowed() -> Self {
        let mut out = Self::new(
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        );
        out.details = json!({});
        out
    }

    pub fn unsupported_media(message: impl Into<String>) -> Self {
        Self::new(415, "UnsupportedMediaType", message)
    }

    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// The object is well formed but breaks rules.
    pub fn invalid(kind: &Kind, name: &str, causes: &[Cause]) -> Self {
        Self::invalid_as(&kind.kind, &kind.group, name, causes)
    }

    /// Like [`Self::invalid`] for things that are no stored kind, such as `ListOptions`.
    pub fn invalid_as(kind: &str, group: &str, name: &str, causes: &[Cause]) -> Self {
        let texts: Vec<String> = causes
            .iter()
            .map(|cause| {
                if cause.field.is_empty() {
                    cause.message.clone()
                } else {
                    format!("{}: {}", cause.field, cause.message)
                }
            })
            .collect();
        let why = match texts.as_slice() {
            [] => "invalid".to_owned(),
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let qualified = if group.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind}.{group}")
        };
        let mut details = json!({
            "name": name,
            "kind": kind,
            "causes": causes.iter().map(Cause::to_json).collect::<Vec<_>>(),
        });
        if !group.is_empty() {
            details["group"] = json!(group);
        }
        Self {
            code: 422,
            reason: "Invalid",
            message: format!("{qualified} \"{name}\" is invalid: {why}"),
            details,
        }
    }

    /// Adds causes to the details.
    #[must_use]
    pub fn with_causes(mut self, causes: &[Cause]) -> Self {
        self.detail("causes", causes.iter().map(Cause::to_json).collect());
        self
    }

    #[must_use]
    pub fn with_retry_after(mut self, seconds: u32) -> Self {
        self.detail("retryAfterSeconds", json!(seconds));
        self
    }

    fn detail(&mut self, key: &str, value: Value) {
        if !self.details.is_object() {
            self.details = json!({});
        }
        self.details[key] = value;
    }

    /// The `Status` body.
    pub fn to_json(&self) -> Value {
        let mut out = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        });
        if !self.details.is_null() {
            out["details"] = self.details.clone();
        }
        out
    }
}

/// The `Status` of a delete that left nothing to show.
pub fn deleted(kind: &Kind, name: &str, uid: &str) -> Value {
    let mut details = about(kind, name);
    details["uid"] = json!(uid);
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

/// The `Status` of a binding or eviction.
pub fn created() -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::apiserver::kinds::Kinds;

    #[test]
    fn messages_have_the_upstream_form() {
        let kinds = Kinds::builtin();
        let (cm, deploy) = (
            kinds.get("configmaps").unwrap(),
            kinds.get("deployments.apps").unwrap(),
        );
        assert_eq!(
            StatusError::already_exists(cm, "cm1").message,
            "configmaps \"cm1\" already exists"
        );
        assert_eq!(
            StatusError::not_found(deploy, "zz").message,
            "deployments.apps \"zz\" not found"
        );
        let causes = [Cause::new(
            "FieldValueInvalid",
            "spec.replicas",
            "must be positive",
        )];
        let error = StatusError::invalid(deploy, "web", &causes);
        assert_eq!(
            error.message,
            "Deployment.apps \"web\" is invalid: spec.replicas: must be positive"
        );
        let body = error.to_json();
        assert_eq!(body["code"], 422);
        assert_eq!(body["details"]["kind"], "Deployment");
        assert_eq!(body["details"]["causes"][0]["field"], "spec.replicas");
    }
}
