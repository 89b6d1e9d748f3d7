//! GET, PUT and DELETE of one object.

use http::Response;

use super::Call;
use crate::world::apiserver::delete::Deleted;
use crate::world::apiserver::object::meta_str;
use crate::world::apiserver::settle::dress;
use crate::world::apiserver::status::{self, Cause, StatusError};
use crate::world::apiserver::wire::{self, Body};
use crate::world::apiserver::write::{Part, Writer};

impl Call<'_> {
    pub fn get(&self) -> Result<Response<Body>, StatusError> {
        let object = self.stored()?;
        self.show(200, &object)
    }

    /// The object that the path names.
    pub fn stored(&self) -> Result<std::sync::Arc<crate::world::apiserver::Stored>, StatusError> {
        let object = self
            .shared
            .store()
            .get(&self.resource.kept.key, self.home(), self.name);
        if let Some(object) = object {
            return Ok(object);
        }
        // Nodes renew no leases here: a lease of a live node is answered as fresh as it would be (decisions §6).
        super::super::heartbeat::lease(self)
            .ok_or_else(|| StatusError::not_found(&self.resource.shown, self.name))
    }

    pub fn writer(&self) -> Result<Writer<'_>, StatusError> {
        Ok(Writer {
            manager: self.manager(),
            dry_run: self.dry_run()?,
            trusted: false,
        })
    }

    /// PUT. A few kinds are made when they are missing.
    pub fn replace(&self, part: Part) -> Result<Response<Body>, StatusError> {
        let (object, warnings) = self.object()?;
        let kind = &self.resource.kept;
        let named = meta_str(&object, "name");
        if !named.is_empty() && named != self.name {
            return Err(StatusError::bad_request(format!(
                "the name of the object ({named}) does not match the name on the URL ({})",
                self.name
            )));
        }
        let mut dressed = object.clone();
        dress(kind, self.home(), &mut dressed)?;
        let writer = self.writer()?;
        let missing = self
            .shared
            .store()
            .get(&kind.key, self.home(), self.name)
            .is_none();
        let upserts = matches!(
            kind.key.as_str(),
            "leases.coordination.k8s.io" | "events" | "services"
        );
        if missing && upserts && part == Part::Main && meta_str(&object, "resourceVersion").is_empty() {
            let mut object = object;
            crate::world::apiserver::object::set_meta(&mut object, "name", self.name.into());
            let made = self.shared.create(kind, self.home(), object, &writer)?;
            let mut response = self.show(201, &made)?;
            wire::warn(&mut response, &warnings);
            return Ok(response);
        }
        if !missing && kind.crd.is_some() && meta_str(&object, "resourceVersion").is_empty() {
            let cause = Cause::new(
                "FieldValueInvalid",
                "metadata.resourceVersion",
                "Invalid value: 0: must be specified for an update",
            );
            return Err(StatusError::invalid(kind, self.name, &[cause]));
        }
        let done = self
            .shared
            .update(kind, self.home(), self.name, part, &writer, &mut |_| {
                Ok(object.clone())
            })?;
        let mut response = self.show(200, &done.object)?;
        wire::warn(&mut response, &warnings);
        Ok(response)
    }

    pub fn delete_one(&self) -> Result<Response<Body>, StatusError> {
        let (options, dry) = self.delete_options()?;
        let kind = &self.resource.kept;
        match self.shared.delete(kind, self.home(), self.name, &options, dry)? {
            // Upstream answers a deleted pod with the pod itself.
            Deleted::Gone(object) if kind.key == "pods" => self.show(200, &object),
            Deleted::Gone(object) => Ok(wire::json(
                200,
                &status::deleted(&self.resource.shown, self.name, &object.uid),
            )),
            Deleted::Marked(object) => self.show(200, &object),
        }
    }
}
