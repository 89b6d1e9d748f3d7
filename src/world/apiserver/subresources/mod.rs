//! Paths below an object (`kube-wire §11`).

mod binding;
mod eviction;
mod finalize;
mod scale;

use http::{Method, Response};

use super::routes::Call;
use super::status::StatusError;
use super::wire::Body;
use super::write::Part;

pub fn answer(call: &Call<'_>, subresource: &str) -> Result<Response<Body>, StatusError> {
    let kind = &call.resource.shown;
    if kind.namespaced && call.namespace.is_none() {
        return Err(StatusError::no_resource());
    }
    let own = kind.extra_subresources().contains(&subresource);
    let method = call.method;
    match subresource {
        "status" if kind.status => match *method {
            Method::GET => call.get(),
            Method::PUT => call.replace(Part::Status),
            Method::PATCH => call.patch(Part::Status),
            _ => Err(StatusError::method_not_allowed()),
        },
        "scale" if kind.scale.is_some() => scale::answer(call),
        "binding" if own && *method == Method::POST => binding::answer(call),
        "eviction" if own && *method == Method::POST => eviction::answer(call),
        "finalize" if own && *method == Method::PUT => finalize::answer(call),
        "ephemeralcontainers" | "resize" if own => match *method {
            Method::GET => call.get(),
            Method::PUT => call.replace(Part::Main),
            Method::PATCH => call.patch(Part::Main),
            _ => Err(StatusError::method_not_allowed()),
        },
        "log" if own && *method == Method::GET => {
            call.stored()?;
            Err(no_containers("there is no log to read"))
        }
        "exec" | "attach" | "portforward" | "proxy"
            if matches!(kind.key.as_str(), "pods" | "services" | "nodes") =>
        {
            Err(no_containers(&format!("{subresource} has nothing to connect to")))
        }
        "token" if kind.key == "serviceaccounts" => Err(StatusError::new(
            501,
            "NotImplemented",
            "the embedded cluster issues no service account tokens",
        )),
        _ if own => Err(StatusError::method_not_allowed()),
        _ => Err(StatusError::no_resource()),
    }
}

fn no_containers(what: &str) -> StatusError {
    let message = format!("the embedded cluster runs no containers: {what}");
    StatusError::new(501, "NotImplemented", message)
}
