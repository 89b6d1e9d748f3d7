//! `namespaces/NAME/finalize`: takes finalizers out of a namespace's spec.

use http::Response;
use serde_json::json;

use crate::world::apiserver::routes::Call;
use crate::world::apiserver::status::StatusError;
use crate::world::apiserver::wire::Body;
use crate::world::apiserver::write::{Part, Writer};

pub fn answer(call: &Call<'_>) -> Result<Response<Body>, StatusError> {
    let (wanted, _) = call.object()?;
    let finalizers = wanted
        .pointer("/spec/finalizers")
        .cloned()
        .unwrap_or_else(|| json!([]));
    let writer = Writer {
        trusted: true,
        ..call.writer()?
    };
    let done = call.shared.update(
        &call.resource.kept,
        "",
        call.name,
        Part::Whole,
        &writer,
        &mut |live| {
            let mut next = live.clone();
            next["spec"]["finalizers"] = finalizers.clone();
            Ok(next)
        },
    )?;
    call.show(200, &done.object)
}
