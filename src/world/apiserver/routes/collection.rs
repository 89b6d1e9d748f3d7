//! POST to and DELETE of a collection.

use http::Response;

use super::Call;
use crate::world::apiserver::delete::Deleted;
use crate::world::apiserver::filter::Filter;
use crate::world::apiserver::status::StatusError;
use crate::world::apiserver::wire::{self, Body};

impl Call<'_> {
    pub fn create(&self) -> Result<Response<Body>, StatusError> {
        let (object, warnings) = self.object()?;
        let made = self
            .shared
            .create(&self.resource.kept, self.home(), object, &self.writer()?)?;
        let mut response = self.show(201, &made)?;
        wire::warn(&mut response, &warnings);
        Ok(response)
    }

    /// Deletes what the selectors match; answers the list of it.
    pub fn delete_all(&self) -> Result<Response<Body>, StatusError> {
        let (options, dry) = self.delete_options()?;
        let kind = &self.resource.kept;
        let filter = Filter::parse(kind, self.namespace, None, self.query)?;
        let objects = self.shared.store().objects(&kind.key);
        let mut deleted = Vec::new();
        for object in objects.values().filter(|object| filter.matches(object)) {
            match self
                .shared
                .delete(kind, &object.namespace, &object.name, &options, dry)
            {
                Ok(Deleted::Gone(object) | Deleted::Marked(object)) => deleted.push(object),
                // Somebody else was faster.
                Err(error) if error.code == 404 => {}
                Err(error) => return Err(error),
            }
        }
        let version = self.shared.store().version();
        Ok(wire::bytes(
            200,
            super::list::splice(&self.resource, &deleted, &super::list::Page::whole(version)),
        ))
    }
}
