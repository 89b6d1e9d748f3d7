//! GET of a collection: versions, pages, and the three forms (`kube-wire §7`).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

use super::Call;
use crate::model::Name;
use crate::world::apiserver::accept::Form;
use crate::world::apiserver::filter::Filter;
use crate::world::apiserver::glue;
use crate::world::apiserver::object::Stored;
use crate::world::apiserver::resource::{Resource, partial};
use crate::world::apiserver::status::{Cause, StatusError};
use crate::world::apiserver::store::Objects;
use crate::world::apiserver::watch;
use crate::world::apiserver::wire::{self, Body};

/// How long a list waits for a version that the store has not reached.
const PATIENCE: Duration = Duration::from_secs(3);

/// What `metadata` of a list says.
#[derive(Debug)]
pub struct Page {
    version: u64,
    next: String,
    remaining: Option<usize>,
}

impl Page {
    pub fn whole(version: u64) -> Self {
        Self {
            version,
            next: String::new(),
            remaining: None,
        }
    }

    fn metadata(&self) -> Value {
        let mut out = json!({"resourceVersion": self.version.to_string()});
        if !self.next.is_empty() {
            out["continue"] = json!(self.next);
            if let Some(remaining) = self.remaining {
                out["remainingItemCount"] = json!(remaining);
            }
        }
        out
    }
}

fn options(reason: &str, field: &str, message: &str) -> StatusError {
    StatusError::invalid_as(
        "ListOptions",
        "meta.k8s.io",
        "",
        &[Cause::new(reason, field, message)],
    )
}

impl Call<'_> {
    pub async fn list(&self) -> Result<Response<Body>, StatusError> {
        let form = self.form()?;
        let kind = &self.resource.kept;
        let name = Some(self.name).filter(|name| !name.is_empty());
        let filter = Filter::parse(kind, self.namespace, name, self.query)?;
        let wanted = self.version()?;
        self.check_options()?;
        if self.query.flag("watch") == Some(true) {
            return watch::open(self, filter, form, wanted);
        }
        let exact = self.query.get("resourceVersionMatch") == "Exact";
        let token = self.query.get("continue");
        let (version, after, objects) = if !token.is_empty() {
            let (version, after) = read_token(token)?;
            (version, Some(after), self.at(version)?)
        } else if exact {
            let version = wanted.unwrap_or_default();
            self.reach(version).await?;
            (version, None, self.at(version)?)
        } else {
            self.reach(wanted.unwrap_or_default()).await?;
            let store = self.shared.store();
            (store.version(), None, store.objects(&kind.key))
        };
        let limit = self.query.number("limit")?.unwrap_or(0);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let (page, items) = paginate(&objects, &filter, version, after.as_ref(), limit);
        let body = match form {
            Form::Json => splice(&self.resource, &items, &page),
            Form::Meta => {
                let items: Vec<Value> = items.iter().map(|item| partial(item.value())).collect();
                to_bytes(
                    &json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
                    "metadata": page.metadata(), "items": items}),
                )
            }
            Form::Table(include) => {
                let items: Vec<Value> = items.iter().map(|item| self.resource.value(item)).collect();
                let mut table = glue::table(&self.resource.shown, &items, include, self.shared.now(), true);
                table["metadata"] = page.metadata();
                to_bytes(&table)
            }
        };
        Ok(wire::bytes(200, body))
    }

    fn at(&self, version: u64) -> Result<Objects, StatusError> {
        self.shared
            .store()
            .objects_at(&self.resource.kept.key, version)
            .ok_or_else(|| {
                StatusError::expired(
                    "The provided continue parameter is too old to display a consistent list result. \
                     You can start a new list without the continue parameter.",
                )
            })
    }

    /// `resourceVersion`; `None` when absent.
    fn version(&self) -> Result<Option<u64>, StatusError> {
        let text = self.query.get("resourceVersion");
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| {
            StatusError::bad_request(format!("invalid resource version \"{text}\": must be a number"))
        })
    }

    /// Combinations that upstream refuses.
    fn check_options(&self) -> Result<(), StatusError> {
        let query = self.query;
        let matching = query.get("resourceVersionMatch");
        let watch = query.flag("watch") == Some(true);
        let initial = query.flag("sendInitialEvents");
        if !matches!(matching, "" | "Exact" | "NotOlderThan") {
            let message =
                format!("Unsupported value: \"{matching}\": supported values: \"Exact\", \"NotOlderThan\"");
            return Err(options(
                "FieldValueNotSupported",
                "resourceVersionMatch",
                &message,
            ));
        }
        if initial.is_some() && !watch {
            return Err(options(
                "FieldValueForbidden",
                "sendInitialEvents",
                "Forbidden: sendInitialEvents is forbidden for list",
            ));
        }
        if watch {
            return match (initial, matching) {
                (Some(_), "NotOlderThan") | (None, "") => Ok(()),
                (Some(_), _) => Err(options(
                    "FieldValueForbidden",
                    "resourceVersionMatch",
                    "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
                )),
                (None, _) => Err(options(
                    "FieldValueForbidden",
                    "resourceVersionMatch",
                    "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
                )),
            };
        }
        if matching.is_empty() {
            return Ok(());
        }
        let version = query.get("resourceVersion");
        let why = if version.is_empty() {
            "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        } else if !query.get("continue").is_empty() {
            "Forbidden: resourceVersionMatch is forbidden when continue is provided"
        } else if matching == "Exact" && version == "0" {
            "Forbidden: resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\""
        } else {
            return Ok(());
        };
        Err(options("FieldValueForbidden", "resourceVersionMatch", why))
    }

    /// Waits until the store has a version, in vain if need be.
    async fn reach(&self, version: u64) -> Result<(), StatusError> {
        if version <= self.shared.store().version() {
            return Ok(());
        }
        tokio::time::sleep(PATIENCE).await;
        let current = self.shared.store().version();
        if version <= current {
            return Ok(());
        }
        let message = format!("Too large resource version: {version}, current: {current}");
        let cause = Cause::new("ResourceVersionTooLarge", "", "Too large resource version");
        Err(StatusError::new(504, "Timeout", format!("Timeout: {message}"))
            .with_causes(&[cause])
            .with_retry_after(1))
    }
}

/// The objects of one page, in order, and what its metadata says.
fn paginate(
    objects: &Objects,
    filter: &Filter,
    version: u64,
    after: Option<&(Name, Name)>,
    limit: usize,
) -> (Page, Vec<Arc<Stored>>) {
    let start = after.cloned().unwrap_or_else(|| {
        let namespace = filter.namespace.clone().unwrap_or_else(|| Name::from(""));
        (namespace, Name::from(""))
    });
    let mut rest = objects
        .range(start..)
        .map(|(_, object)| object)
        .take_while(|object| {
            filter
                .namespace
                .as_ref()
                .is_none_or(|namespace| *namespace == object.namespace)
        })
        .filter(|object| {
            let passed =
                |(namespace, name): &(Name, Name)| *namespace == object.namespace && *name == object.name;
            !after.is_some_and(passed) && filter.matches(object)
        });
    if limit == 0 {
        return (Page::whole(version), rest.cloned().collect());
    }
    let items: Vec<Arc<Stored>> = rest.by_ref().take(limit).cloned().collect();
    let mut page = Page::whole(version);
    if filter.selects() {
        if let (Some(_), Some(last)) = (rest.next(), items.last()) {
            page.next = token(version, last);
        }
    } else {
        let remaining = rest.count();
        if let Some(last) = items.last().filter(|_| remaining > 0) {
            page.next = token(version, last);
            page.remaining = Some(remaining);
        }
    }
    (page, items)
}

/// A list of objects put together from their bytes.
pub fn splice(resource: &Resource, items: &[Arc<Stored>], page: &Page) -> Bytes {
    let head = format!(
        "{{\"kind\":\"{}List\",\"apiVersion\":\"{}\",\"metadata\":{},\"items\":[",
        resource.shown.kind,
        resource.shown.api_version(),
        page.metadata()
    );
    let size: usize = items.iter().map(|item| item.bytes.len() + 64).sum();
    let mut out = Vec::with_capacity(head.len() + size + 2);
    out.extend_from_slice(head.as_bytes());
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&resource.bytes(item));
    }
    out.extend_from_slice(b"]}");
    out.into()
}

fn to_bytes(value: &Value) -> Bytes {
    serde_json::to_vec(value).unwrap_or_default().into()
}

/// Where the next page starts, opaque to clients: version and last name in hexadecimal.
fn token(version: u64, last: &Stored) -> String {
    use std::fmt::Write;
    let plain = format!("{version}/{}/{}", last.namespace, last.name);
    plain.bytes().fold(String::new(), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn read_token(token: &str) -> Result<(u64, (Name, Name)), StatusError> {
    let bytes: Option<Vec<u8>> = (0..token.len())
        .step_by(2)
        .map(|at| {
            token
                .get(at..at + 2)
                .and_then(|hex| u8::from_str_radix(hex, 16).ok())
        })
        .collect();
    let plain = bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default();
    let mut parts = plain.splitn(3, '/');
    match (parts.next().map(str::parse), parts.next(), parts.next()) {
        (Some(Ok(version)), Some(namespace), Some(name)) => Ok((version, (namespace.into(), name.into()))),
        _ => Err(StatusError::bad_request("continue key is not valid")),
    }
}
