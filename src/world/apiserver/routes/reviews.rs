//! Questions about oneself: everybody may do everything here (`kube-wire §3`).

use bytes::Bytes;
use http::{Method, Response};
use serde_json::json;

use crate::world::apiserver::path::Resource;
use crate::world::apiserver::status::StatusError;
use crate::world::apiserver::wire::{self, Body};

/// The answer when the path is that of a review.
pub fn answer(
    target: &Resource,
    method: &Method,
    agent: &str,
    content_type: &str,
    body: &Bytes,
) -> Option<Response<Body>> {
    let status = match (target.group.as_str(), target.plural.as_str()) {
        ("authorization.k8s.io", "selfsubjectaccessreviews") => {
            json!({"allowed": true, "reason": "the embedded cluster allows everything"})
        }
        ("authorization.k8s.io", "selfsubjectrulesreviews") => json!({
            "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
            "incomplete": false,
        }),
        ("authentication.k8s.io", "selfsubjectreviews") => {
            json!({"userInfo": {"username": agent, "groups": ["system:masters", "system:authenticated"]}})
        }
        _ => return None,
    };
    if *method != Method::POST {
        return Some(StatusError::method_not_allowed().into());
    }
    let mut review = match super::body::parse(content_type, body) {
        Ok(review) => review,
        Err(refusal) => return Some(refusal.into()),
    };
    if !review.is_object() {
        return Some(StatusError::bad_request("the body of the request is no review").into());
    }
    review["status"] = status;
    Some(wire::json(201, &review))
}
