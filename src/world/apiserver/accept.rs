//! Which form of an answer a client wants: the object, its metadata, or a table (`kube-wire §6`).

use super::glue;
use super::status::StatusError;
use super::wire::Query;

/// How much of the object each table row carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Json,
    /// `PartialObjectMetadata` or its list.
    Meta,
    Table(glue::IncludeObject),
}

/// Chooses from an `Accept` header; none means JSON.
pub fn form(accept: &str, query: &Query) -> Result<Form, StatusError> {
    if accept.trim().is_empty() {
        return Ok(Form::Json);
    }
    for wanted in accept.split(',') {
        let (media, parameters) = parameters(wanted);
        let get = |key: &str| {
            parameters
                .iter()
                .find(|(name, _)| *name == key)
                .map_or("", |(_, value)| *value)
        };
        match (media, get("as")) {
            ("application/json" | "application/*" | "*/*", "") => return Ok(Form::Json),
            ("application/json", "Table") if get("v") == "v1" => {
                return Ok(Form::Table(include(query.get("includeObject"))?));
            }
            ("application/json", "PartialObjectMetadata" | "PartialObjectMetadataList")
                if get("v") == "v1" =>
            {
                return Ok(Form::Meta);
            }
            _ => {}
        }
    }
    Err(StatusError::new(
        406,
        "NotAcceptable",
        "only the following media types are accepted: application/json, \
         application/json;as=Table;g=meta.k8s.io;v=v1, \
         application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, \
         application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
    ))
}

/// Whether aggregated discovery is wanted, and in which version.
pub fn discovery(accept: &str) -> Option<&'static str> {
    for wanted in accept.split(',') {
        let (media, parameters) = parameters(wanted);
        let has = |key: &str, value: &str| parameters.contains(&(key, value));
        if media != "application/json" {
            continue;
        }
        if has("as", "APIGroupDiscoveryList") && has("g", "apidiscovery.k8s.io") {
            if has("v", "v2") {
                return Some("v2");
            }
            if has("v", "v2beta1") {
                return Some("v2beta1");
            }
        } else {
            return None;
        }
    }
    None
}

/// `application/json;as=Table;v=v1` into its media type and its parameters.
fn parameters(wanted: &str) -> (&str, Vec<(&str, &str)>) {
    let mut parts = wanted.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    let rest = parts
        .filter_map(|part| part.split_once('='))
        .filter(|(key, _)| *key != "q" && *key != "charset")
        .collect();
    (media, rest)
}

fn include(wanted: &str) -> Result<glue::IncludeObject, StatusError> {
    glue::IncludeObject::parse(wanted).ok_or_else(|| {
        StatusError::bad_request(format!(
            "invalid includeObject \"{wanted}\": must be None, Metadata or Object"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accept: &str) -> Option<Form> {
        form(accept, &Query::default()).ok()
    }

    #[test]
    fn the_first_known_form_wins() {
        assert_eq!(of(""), Some(Form::Json));
        assert_eq!(of("application/json, */*"), Some(Form::Json));
        assert_eq!(
            of("application/vnd.kubernetes.protobuf,application/json"),
            Some(Form::Json)
        );
        assert_eq!(
            of(
                "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
            ),
            Some(Form::Table(glue::IncludeObject::Metadata))
        );
        assert_eq!(
            of("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"),
            Some(Form::Meta)
        );
        assert_eq!(of("text/html"), None);
    }

    #[test]
    fn discovery_forms() {
        let kubectl = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
        assert_eq!(discovery(kubectl), Some("v2"));
        assert_eq!(discovery("application/json"), None);
        assert_eq!(
            discovery("application/json;as=APIGroupDiscoveryList;v=v2beta1;g=apidiscovery.k8s.io"),
            Some("v2beta1")
        );
    }
}
