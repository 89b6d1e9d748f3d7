//! Watches: a place in the history that moves as the store changes, told as one JSON object a line
//! (`kube-wire §7`). A watch holds no queue of its own: the history window is its bound, so a slow reader costs
//! the writers nothing and ends when it falls out of the window.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::{Sleep, sleep};

use super::accept::Form;
use super::filter::Filter;
use super::object::Stored;
use super::resource::Resource;
use super::routes::Call;
use super::server::ApiServer;
use super::status::StatusError;
use super::store::{ChangeKind, Logged, More, Objects};
use super::wire::{self, Body};
use crate::world::random;

/// Between bookmarks of a quiet watch.
const BOOKMARK: Duration = Duration::from_secs(60);
/// Changes taken from the history at a time.
const BATCH: usize = 256;
/// Events of one piece of the body.
const PIECE: usize = 64;

struct Watch {
    server: ApiServer,
    resource: Resource,
    filter: Filter,
    form: Form,
    changed: Arc<Notify>,
    epoch: u64,
    /// Version of the last change that this watch has looked at.
    at: u64,
    /// What is there at the start, still to be told.
    initial: Option<std::vec::IntoIter<Arc<Stored>>>,
    /// Whether the end of the initial events is marked.
    marks: bool,
    bookmarks: bool,
    next_bookmark: Pin<Box<Sleep>>,
    deadline: Pin<Box<Sleep>>,
    queue: VecDeque<Bytes>,
    /// Whether a table's columns have been sent.
    columns: bool,
    over: bool,
}

/// Answers a watch request; the events come in the body.
pub fn open(
    call: &Call<'_>,
    filter: Filter,
    form: Form,
    wanted: Option<u64>,
) -> Result<Response<Body>, StatusError> {
    let query = call.query;
    let timeout = query.number("timeoutSeconds")?.unwrap_or(0);
    let send_initial = query.flag("sendInitialEvents");
    let from_start = send_initial.unwrap_or(matches!(wanted, None | Some(0)));
    let kind = &call.resource.kept.key;
    let mut store = call.shared.store();
    let (version, epoch, changed) = (store.version(), store.epoch(), store.changed(kind));
    let initial: Objects = if from_start {
        store.objects(kind)
    } else {
        Objects::new()
    };
    drop(store);
    let timeout = if timeout == 0 {
        let draw = random::between(
            call.shared.seed,
            "watch",
            &format!("{kind}/{version}"),
            1800.0,
            3600.0,
        );
        Duration::from_secs_f64(draw)
    } else {
        Duration::from_secs(timeout)
    };
    let bookmarks = query.flag("allowWatchBookmarks") == Some(true);
    let at = match wanted {
        Some(wanted) if !from_start && wanted > 0 => wanted,
        _ => version,
    };
    let initial: Vec<Arc<Stored>> = initial
        .values()
        .filter(|object| filter.matches(object))
        .cloned()
        .collect();
    let watch = Watch {
        server: call.server.clone(),
        resource: call.resource.clone(),
        filter,
        form,
        changed,
        epoch,
        at,
        initial: from_start.then(|| initial.into_iter()),
        marks: bookmarks && from_start,
        bookmarks,
        next_bookmark: Box::pin(sleep(BOOKMARK)),
        // A client may ask for an absurd time; a day is for ever.
        deadline: Box::pin(sleep(timeout.min(Duration::from_secs(86_400)))),
        queue: VecDeque::new(),
        columns: false,
        over: false,
    };
    Ok(wire::stream(futures::stream::unfold(watch, |mut watch| async {
        watch.next().await.map(|piece| (piece, watch))
    })))
}

impl Watch {
    /// The next piece of the body; `None` ends it.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(piece) = self.queue.pop_front() {
                return Some(piece);
            }
            if self.over {
                return None;
            }
            if self.initial.is_some() {
                self.tell_initial();
                continue;
            }
            let changed = self.changed.clone();
            let mut wake = std::pin::pin!(changed.notified());
            // From here on no change is missed, whatever happens before the await.
            wake.as_mut().enable();
            if self.look() {
                continue;
            }
            tokio::select! {
                biased;
                () = &mut wake => {}
                () = &mut self.deadline => {
                    if self.bookmarks {
                        self.bookmark(false);
                    }
                    self.over = true;
                }
                () = &mut self.next_bookmark, if self.bookmarks => {
                    let next = self.next_bookmark.deadline() + BOOKMARK;
                    self.next_bookmark.as_mut().reset(next);
                    self.bookmark(false);
                }
            }
        }
    }

    /// Reads the history; true when there is something to send or the watch is over.
    fn look(&mut self) -> bool {
        let store = self.server.0.store();
        if store.epoch() != self.epoch {
            let version = store.version();
            drop(store);
            self.expire(version);
            return true;
        }
        match store.since(&self.resource.kept.key, self.at, BATCH) {
            More::Expired(version) => {
                drop(store);
                self.expire(version);
                true
            }
            More::Changes(changes, version) => {
                drop(store);
                let Some(last) = changes.last() else {
                    // Nothing of this kind up to here; a place in the future stays where it is.
                    self.at = self.at.max(version);
                    return false;
                };
                self.at = last.change.object.version;
                let mut piece = Vec::new();
                let frames: Vec<Bytes> = changes.iter().filter_map(|logged| self.frame(logged)).collect();
                if let [only] = frames.as_slice() {
                    self.queue.push_back(only.clone());
                } else {
                    for frame in &frames {
                        piece.extend_from_slice(frame);
                    }
                    if !piece.is_empty() {
                        self.queue.push_back(piece.into());
                    }
                }
                true
            }
        }
    }

    /// A piece of what is there at the start, or the mark that ends it.
    fn tell_initial(&mut self) {
        let Some(mut initial) = self.initial.take() else {
            return;
        };
        let mut piece = Vec::new();
        for object in initial.by_ref().take(PIECE) {
            piece.extend_from_slice(&self.event("ADDED", &object));
        }
        if piece.is_empty() {
            if self.marks {
                self.bookmark(true);
            }
        } else {
            self.queue.push_back(piece.into());
            self.initial = Some(initial);
        }
    }

    /// The line of a change, as this watch's selector sees it; `None` when it does not.
    fn frame(&mut self, logged: &Logged) -> Option<Bytes> {
        let change = &logged.change;
        let was = change
            .previous
            .as_ref()
            .is_some_and(|previous| self.filter.matches(previous));
        let is = change.event != ChangeKind::Deleted && self.filter.matches(&change.object);
        let event = match (was, is) {
            (false, false) => return None,
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
        };
        if event == "DELETED" && change.event != ChangeKind::Deleted {
            // Shown as it last matched, at the version of the write that made it stop.
            let previous = change.previous.as_ref()?;
            let last = Stored::seal(&previous.kind, previous.value(), change.object.version);
            return Some(self.event(event, &last));
        }
        if self.form == Form::Json && Arc::ptr_eq(&self.resource.shown, &self.resource.kept) {
            // The type follows from the change alone when the selector saw both sides, so the line can be shared.
            let natural = match change.event {
                ChangeKind::Added => "ADDED",
                ChangeKind::Modified => "MODIFIED",
                ChangeKind::Deleted => "DELETED",
            };
            if natural == event {
                let line = logged.frame.get_or_init(|| line(event, &change.object.bytes));
                return Some(line.clone());
            }
        }
        Some(self.event(event, &change.object))
    }

    fn event(&mut self, event: &str, object: &Stored) -> Bytes {
        let first = !std::mem::replace(&mut self.columns, true);
        let body = self.resource.one(object, self.form, self.server.0.now(), first);
        line(event, &body)
    }

    /// `ends` marks the end of the initial events.
    fn bookmark(&mut self, ends: bool) {
        if self.at > self.server.0.store().version() {
            return;
        }
        let mut metadata = json!({"resourceVersion": self.at.to_string()});
        if ends {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let kind = &self.resource.shown;
        let object = match self.form {
            Form::Json => json!({"kind": kind.kind, "apiVersion": kind.api_version(), "metadata": metadata}),
            Form::Meta => {
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
            }
            Form::Table(_) => json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1",
                "metadata": {"resourceVersion": self.at.to_string()}, "columnDefinitions": null,
                "rows": [{"cells": [], "object": {"kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1", "metadata": metadata}}]}),
        };
        self.push("BOOKMARK", &object);
    }

    /// The client has to list again: an event, not an HTTP status (`kube-wire §1`).
    fn expire(&mut self, version: u64) {
        let error = StatusError::expired(format!("too old resource version: {} ({version})", self.at));
        self.push("ERROR", &error.to_json());
        self.over = true;
    }

    fn push(&mut self, event: &str, object: &Value) {
        let body = serde_json::to_vec(object).unwrap_or_default();
        self.queue.push_back(line(event, &body));
    }
}

fn line(event: &str, object: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(object.len() + event.len() + 24);
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(event.as_bytes());
    out.extend_from_slice(b"\",\"object\":");
    out.extend_from_slice(object);
    out.extend_from_slice(b"}\n");
    out.into()
}
