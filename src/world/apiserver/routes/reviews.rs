//! Questions about oneself: everybody may do everything here (`kube-wire §3`).

use bytes::Bytes;
use http::{Method, Response};
use serde_json::{Value, json};

use crate::world::apiserver::path::Resource;
use crate::world::apiserver::status::StatusError;
use crate::world::apiserver::wire::{self, Body};

/// The answer when the path is that of a review.
pub fn answer(target: &Resource, method: &Method, agent: &str, body: &Bytes) -> Option<Response<Body>> {
    let status = match (target.group.as_str(), target.plural.as_str()) {
        ("authorization.k8s.io", "selfsubjectaccessreviews") => {
            json!({"allowed": true, "reason": "the embedded cluster allows everything"})
        }
        ("authentication.k8s.io", "selfsubjectreviews") => {
            json!({"userInfo": {"username": agent, "groups": ["system:masters", "system:authenticated"]}})
        }
        _ => return None,
    };
    if *method != Method::POST {
        return Some(StatusError::method_not_allowed().into());
    }
    let Ok(mut review) = serde_json::from_slice::<Value>(body) else {
        let refusal = super::body::parse("application/vnd.kubernetes.protobuf", body);
        return refusal.err().map(Into::into);
    };
    if !review.is_object() {
        return Some(StatusError::bad_request("the body of the request is no review").into());
    }
    review["status"] = status;
    Some(wire::json(201, &review))
}
