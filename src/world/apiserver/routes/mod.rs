//! From a request to an answer: one function, used in process and on the loopback port alike.

mod body;
mod collection;
mod list;
mod object;
mod patch;
mod reviews;

pub(super) use body::{dry_run, parse, read_options};
pub(super) use patch::Patch;

use std::sync::PoisonError;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, Method, Request, Response};
use serde_json::json;

use super::accept;
use super::path::{self, Path};
use super::resource::Resource;
use super::server::{ApiServer, Shared};
use super::status::StatusError;
use super::wire::{self, Body, Query};
use super::{discovery, glue, subresources};

/// One request for a resource, taken apart.
pub(super) struct Call<'a> {
    pub shared: &'a Shared,
    pub server: &'a ApiServer,
    pub method: &'a Method,
    pub resource: Resource,
    pub namespace: Option<&'a str>,
    /// Empty for a collection.
    pub name: &'a str,
    pub query: &'a Query,
    pub headers: &'a HeaderMap,
    /// First word of the user agent.
    pub agent: &'a str,
    pub body: &'a Bytes,
}

impl Call<'_> {
    pub fn header(&self, name: http::HeaderName) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The form that the client accepts.
    pub fn form(&self) -> Result<accept::Form, StatusError> {
        accept::form(self.header(ACCEPT), self.query)
    }

    /// Media type of the body, without parameters.
    pub fn content_type(&self) -> &str {
        media(self.header(CONTENT_TYPE))
    }

    /// `dryRun=All`; any other value is refused.
    pub fn dry_run(&self) -> Result<bool, StatusError> {
        body::dry_run(
            self.query.all("dryRun").iter().map(String::as_str),
            "CreateOptions",
        )
    }

    /// Owner of the fields that this request sets.
    pub fn manager(&self) -> &str {
        match self.query.get("fieldManager") {
            "" => self.agent,
            given => given,
        }
    }

    /// The namespace of the path; empty for cluster-scoped kinds.
    pub fn home(&self) -> &str {
        self.namespace.unwrap_or_default()
    }
}

/// The verb that RBAC knows a request by.
fn verb(method: &Method, named: bool, query: &Query) -> &'static str {
    match (method, named) {
        (&Method::POST, _) => "create",
        (&Method::PUT, _) => "update",
        (&Method::PATCH, _) => "patch",
        (&Method::DELETE, true) => "delete",
        (&Method::DELETE, false) => "deletecollection",
        _ if matches!(query.get("watch"), "1" | "true") => "watch",
        (_, true) => "get",
        (_, false) => "list",
    }
}

impl ApiServer {
    /// Answers any request; never fails. A long poll goes on in the body.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let agent = header(USER_AGENT).unwrap_or_default();
        let agent = agent
            .split(['/', ' '])
            .next()
            .filter(|agent| !agent.is_empty())
            .unwrap_or("unknown");
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        self.count(agent, &parts.method, parts.uri.path(), &query, &body);
        let path = path::parse(parts.uri.path());
        let target = match path {
            Path::Resource(target) => target,
            other => return self.plain(other, header(ACCEPT).unwrap_or_default(), &parts.method),
        };
        let content_type = media(header(CONTENT_TYPE).unwrap_or_default());
        let target = match bindings(target, content_type, &body) {
            Ok(target) => target,
            Err(error) => return error.into(),
        };
        if let Some(answer) = reviews::answer(&target, &parts.method, agent, content_type, &body) {
            return answer;
        }
        let kinds = self.0.kinds();
        let Some(resource) = Resource::find(&kinds, &target.group, &target.version, &target.plural) else {
            let known = kinds
                .iter()
                .any(|kind| kind.group == target.group && kind.version == target.version);
            return if known {
                StatusError::no_resource().into()
            } else {
                wire::text(404, "404 page not found\n")
            };
        };
        let verb = verb(&parts.method, target.name.is_some(), &query);
        self.used(agent, verb, &target);
        let call = Call {
            shared: &self.0,
            server: self,
            method: &parts.method,
            namespace: target.namespace.as_deref(),
            name: target.name.as_deref().unwrap_or_default(),
            query: &query,
            headers: &parts.headers,
            agent,
            body: &body,
            resource,
        };
        call.answer(target.subresource.as_deref(), target.rest)
            .await
            .unwrap_or_else(Into::into)
    }

    /// A question about oneself is a POST that writes nothing.
    fn count(&self, agent: &str, method: &Method, path: &str, query: &Query, body: &Bytes) {
        let review = path.contains("/self") && path.ends_with("reviews");
        let writes = matches!(
            *method,
            Method::POST | Method::PUT | Method::PATCH | Method::DELETE
        ) && !review
            && query.get("dryRun").is_empty()
            && !(*method == Method::DELETE && body::delete_is_dry(body));
        let mut traffic = self.0.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        *traffic.requests.entry(agent.to_owned()).or_default() += 1;
        if writes {
            *traffic.writes.entry(agent.to_owned()).or_default() += 1;
        }
    }

    fn used(&self, agent: &str, verb: &str, target: &path::Resource) {
        let mut what = format!("{verb} {}", target.plural);
        for (mark, part) in [
            ("/", target.subresource.as_deref().unwrap_or_default()),
            (".", &*target.group),
        ] {
            if !part.is_empty() {
                what.push_str(mark);
                what.push_str(part);
            }
        }
        let mut traffic = self.0.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        match traffic.uses.get_mut(agent) {
            Some(known) if known.contains(&what) => {}
            Some(known) => drop(known.insert(what)),
            None => drop(traffic.uses.insert(agent.to_owned(), [what].into())),
        }
    }

    /// What is no resource: version, health, discovery, schemas.
    fn plain(&self, path: Path, accept: &str, method: &Method) -> Response<Body> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return StatusError::method_not_allowed().into();
        }
        let kinds = self.0.kinds();
        match path {
            Path::Version => wire::json(200, &discovery::version()),
            Path::Health => wire::text(200, "ok"),
            Path::Core => discovery::roots(&kinds, accept, true),
            Path::Groups => discovery::roots(&kinds, accept, false),
            Path::Group(group) => discovery::group(&kinds, &group),
            Path::GroupVersion { group, version } => discovery::resources(&kinds, &group, &version),
            Path::OpenApi(what) => {
                let all: Vec<_> = kinds.iter().cloned().collect();
                let parts: Vec<&str> = what.split('/').collect();
                match parts.as_slice() {
                    [""] => wire::json(200, &glue::openapi_index(&all)),
                    ["api", version] => wire::json(200, &glue::openapi_document(&all, "", version)),
                    ["apis", group, version] => {
                        wire::json(200, &glue::openapi_document(&all, group, version))
                    }
                    _ => wire::text(404, "404 page not found\n"),
                }
            }
            Path::Resource(_) | Path::Unknown => wire::text(404, "404 page not found\n"),
        }
    }
}

/// A media type without its parameters.
fn media(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// A POST to `bindings` is one to the binding of the pod that it names.
fn bindings(
    mut target: path::Resource,
    content_type: &str,
    body: &Bytes,
) -> Result<path::Resource, StatusError> {
    if target.group.is_empty() && target.plural == "bindings" && target.name.is_none() {
        let binding = body::parse(content_type, body)?;
        "pods".clone_into(&mut target.plural);
        target.name = Some(super::object::meta_str(&binding, "name").to_owned());
        target.subresource = Some("binding".to_owned());
    }
    Ok(target)
}

impl Call<'_> {
    async fn answer(&self, subresource: Option<&str>, rest: bool) -> Result<Response<Body>, StatusError> {
        let kind = &self.resource.shown;
        if !kind.namespaced && self.namespace.is_some() {
            return Err(StatusError::no_resource());
        }
        if let Some(subresource) = subresource {
            if rest && !matches!(subresource, "proxy") {
                return Err(StatusError::no_resource());
            }
            return subresources::answer(self, subresource);
        }
        if self.name.is_empty() {
            return match *self.method {
                Method::GET | Method::HEAD => self.list().await,
                Method::POST if kind.namespaced && self.namespace.is_none() => {
                    Err(StatusError::method_not_allowed())
                }
                Method::POST => self.create(),
                Method::DELETE => self.delete_all(),
                _ => Err(StatusError::method_not_allowed()),
            };
        }
        if kind.namespaced && self.namespace.is_none() {
            return Err(StatusError::no_resource());
        }
        match *self.method {
            Method::GET | Method::HEAD if self.query.flag("watch") == Some(true) => self.list().await,
            Method::GET | Method::HEAD => self.get(),
            Method::PUT => self.replace(super::write::Part::Main),
            Method::PATCH => self.patch(super::write::Part::Main),
            Method::DELETE => self.delete_one(),
            _ => Err(StatusError::method_not_allowed()),
        }
    }

    /// One object as an answer.
    pub fn show(&self, code: u16, object: &super::object::Stored) -> Result<Response<Body>, StatusError> {
        let body = self.resource.one(object, self.form()?, self.shared.now(), true);
        Ok(wire::bytes(code, body))
    }

    /// A success without an object.
    pub fn done(code: u16) -> Response<Body> {
        let mut status = super::status::created();
        status["code"] = json!(code);
        wire::json(code, &status)
    }
}
