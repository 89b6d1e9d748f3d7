//! PATCH in its four forms (`kube-wire §8`, `§9`).

use http::Response;
use serde_json::Value;

use super::Call;
use super::body::parse;
use crate::world::apiserver::glue;
use crate::world::apiserver::object::{meta, meta_str, set_meta};
use crate::world::apiserver::resource::Resource;
use crate::world::apiserver::settle::dress;
use crate::world::apiserver::status::{Cause, StatusError};
use crate::world::apiserver::wire::{self, Body};
use crate::world::apiserver::write::Part;

/// A patch, read but not yet applied.
#[derive(Debug)]
pub enum Patch {
    Merge(Value),
    Json(Value),
    Strategic(Value),
    Apply(Value),
}

impl Call<'_> {
    /// The patch of the body.
    pub fn read_patch(&self) -> Result<Patch, StatusError> {
        let json = |body| parse("application/json", body);
        match self.content_type() {
            "application/merge-patch+json" => Ok(Patch::Merge(json(self.body)?)),
            "application/json-patch+json" => Ok(Patch::Json(json(self.body)?)),
            "application/strategic-merge-patch+json" if self.resource.shown.crd.is_none() => {
                Ok(Patch::Strategic(json(self.body)?))
            }
            "application/apply-patch+yaml" => Ok(Patch::Apply(parse("application/yaml", self.body)?)),
            _ => Err(StatusError::unsupported_media(
                "the body of the request was in an unknown format - accepted media types include: \
                 application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml, \
                 and application/strategic-merge-patch+json for built-in kinds",
            )),
        }
    }

    /// A patch of a scale: strategic ones are as good as merges there, also for custom resources.
    pub fn read_patch_of_scale(&self) -> Result<Patch, StatusError> {
        match self.content_type() {
            "application/strategic-merge-patch+json" => {
                Ok(Patch::Merge(parse("application/json", self.body)?))
            }
            _ => self.read_patch(),
        }
    }

    pub fn patch(&self, part: Part) -> Result<Response<Body>, StatusError> {
        let patch = self.read_patch()?;
        let mut writer = self.writer()?;
        let kind = &self.resource.kept;
        if let Patch::Apply(applied) = &patch {
            return self.apply(applied, part, &writer);
        }
        if writer.manager.is_empty() {
            writer.manager = "unknown";
        }
        let mut warnings = Vec::new();
        let done = self
            .shared
            .update(kind, self.home(), self.name, part, &writer, &mut |live| {
                let next = patched(&self.resource, live, &patch, self.name)?;
                if !matches!(patch, Patch::Json(_)) || self.query.get("fieldValidation") == "Strict" {
                    let mut shown = next.clone();
                    self.resource.show(&mut shown);
                    warnings = self.check_fields(&shown)?;
                }
                Ok(next)
            })?;
        let mut response = self.show(200, &done.object)?;
        wire::warn(&mut response, &warnings);
        Ok(response)
    }

    /// Server-side apply: makes what is missing.
    fn apply(
        &self,
        applied: &Value,
        part: Part,
        writer: &crate::world::apiserver::write::Writer<'_>,
    ) -> Result<Response<Body>, StatusError> {
        let kind = &self.resource.kept;
        let manager = self.query.get("fieldManager");
        if manager.is_empty() {
            let cause = Cause::new(
                "FieldValueRequired",
                "fieldManager",
                "Required value: is required for apply patch",
            );
            return Err(StatusError::invalid_as(
                "PatchOptions",
                "meta.k8s.io",
                "",
                &[cause],
            ));
        }
        let given = |key: &str| applied.get(key).and_then(Value::as_str).unwrap_or_default();
        if given("apiVersion").is_empty() || given("kind").is_empty() {
            return Err(StatusError::bad_request(
                "invalid object type: apiVersion and kind must be set for an apply patch",
            ));
        }
        if meta(applied, "managedFields").is_some() {
            return Err(StatusError::bad_request("metadata.managedFields must be nil"));
        }
        let named = meta_str(applied, "name");
        if !named.is_empty() && named != self.name {
            return Err(StatusError::bad_request(format!(
                "the name of the object ({named}) does not match the name on the URL ({})",
                self.name
            )));
        }
        let warnings = self.check_fields(applied)?;
        let mut applied = applied.clone();
        self.resource.keep(&mut applied);
        dress(kind, self.home(), &mut applied)?;
        set_meta(&mut applied, "name", self.name.into());
        let force = self.query.flag("force") == Some(true);
        let now = self.shared.now();
        let missing = self
            .shared
            .store()
            .get(&kind.key, self.home(), self.name)
            .is_none();
        let (code, object) = if missing && part == Part::Main {
            crate::world::apiserver::object::unset_meta(&mut applied, "resourceVersion");
            let made = glue::apply(kind, "", None, &applied, (manager, force), now)?;
            (201, self.shared.create(kind, self.home(), made, writer)?)
        } else {
            let (part, subresource) = if part == Part::Status {
                (Part::AppliedStatus, "status")
            } else {
                (Part::Applied, "")
            };
            let version = meta_str(&applied, "resourceVersion").to_owned();
            let done = self
                .shared
                .update(kind, self.home(), self.name, part, writer, &mut |live| {
                    if !version.is_empty() && version != meta_str(live, "resourceVersion") {
                        return Err(StatusError::stale(kind, self.name));
                    }
                    glue::apply(kind, subresource, Some(live), &applied, (manager, force), now)
                })?;
            (200, done.object)
        };
        let mut response = self.show(code, &object)?;
        wire::warn(&mut response, &warnings);
        Ok(response)
    }
}

/// The live object (in its kept form) with the patch applied to its served form.
pub fn patched(resource: &Resource, live: &Value, patch: &Patch, name: &str) -> Result<Value, StatusError> {
    let mut next = live.clone();
    resource.show(&mut next);
    match patch {
        Patch::Merge(patch) => {
            if !patch.is_object() {
                return Err(StatusError::bad_request("a merge patch has to be a JSON object"));
            }
            glue::merge_patch(&mut next, patch);
        }
        Patch::Json(patch) => glue::json_patch(&mut next, patch).map_err(|_| {
            // Upstream does not say which operation failed.
            let mut error = StatusError::invalid(&resource.shown, name, &[]);
            "the server rejected our request due to an error in our request".clone_into(&mut error.message);
            error
        })?,
        Patch::Strategic(patch) => {
            glue::strategic_patch(&resource.shown, &mut next, patch).map_err(StatusError::bad_request)?;
        }
        Patch::Apply(_) => return Err(StatusError::unsupported_media("apply is no plain patch")),
    }
    resource.keep(&mut next);
    Ok(next)
}
