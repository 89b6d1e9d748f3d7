//! Cursor, order, and opening what a row is about.

use std::sync::Arc;

use super::Request;
use crate::engine::Query;
use crate::ledger::View;
use crate::model::Name;
use crate::ui::app::{App, Explained};
use crate::ui::canvas::wrap;
use crate::ui::digest::Digest;
use crate::ui::lists::{self, Data, decision_id};
use crate::ui::place::{Kind, Page, Pane, Screen};
use crate::ui::texts;
use crate::ui::theme::Tone;

impl App {
    /// Identity of the row under the cursor of the focused pane.
    pub fn selected(&self, view: &View, digest: &Digest) -> Option<Name> {
        let data = Data::new(view, digest, self, true);
        let pane = self.pane();
        lists::selected(&data, pane, &self.list(pane)).or_else(|| data.chosen.clone())
    }

    pub(super) fn step_pane(&mut self, by: isize) {
        let panes = self.screen.panes();
        let at = panes.iter().position(|p| *p == self.pane()).unwrap_or(0);
        let next = at
            .cast_signed()
            .saturating_add(by)
            .rem_euclid(panes.len().max(1).cast_signed());
        if let Some(pane) = panes.get(next.cast_unsigned()) {
            self.focus.insert(self.screen.kind(), *pane);
        }
    }

    /// Moves the cursor; a text pane scrolls.
    pub(super) fn step(&mut self, view: &View, digest: &Digest, by: isize) {
        let pane = self.pane();
        let state = self.list(pane);
        let data = Data::new(view, digest, self, true);
        let moved = lists::list(pane, &data).map(|list| {
            let order = lists::order(&*list, &state);
            let at = lists::position(&*list, &order, &state).unwrap_or(0);
            let next = at.saturating_add_signed(by).min(order.len().saturating_sub(1));
            (next, order.get(next).map(|i| list.id(*i)))
        });
        // Narrow enough for every layout; the frame stops at its own last line.
        let end = wrap(texts::lines(pane, &data, 100), 60).len();
        let state = self.lists.entry(pane).or_default();
        match moved {
            Some((index, id)) => {
                state.index = index;
                state.cursor = id;
            }
            None => state.index = state.index.saturating_add_signed(by).min(end.saturating_sub(1)),
        }
    }

    pub(super) fn next_sort(&mut self, view: &View, digest: &Digest) {
        let pane = self.pane();
        let data = Data::new(view, digest, self, true);
        let Some(n) = lists::list(pane, &data).map(|l| l.columns().len()) else {
            return;
        };
        let state = self.lists.entry(pane).or_default();
        state.sort = match state.sort {
            None => Some(0),
            Some(i) if i + 1 < n => Some(i + 1),
            Some(_) => None,
        };
    }

    /// Asks why a pod waits or a node stays; of other rows, opens them.
    pub(super) fn explain(&mut self, view: &View, digest: &Digest) -> Vec<Request> {
        match self.screen.clone() {
            Screen::Pod(pod) => self.open_pod(view, pod),
            Screen::Node(node) => vec![Request::Ask(Query::WhyNotRemoved { node })],
            _ => self.open(view, digest),
        }
    }

    /// Opens what the row is about.
    pub(super) fn open(&mut self, view: &View, digest: &Digest) -> Vec<Request> {
        let Some(id) = self.selected(view, digest) else {
            return Vec::new();
        };
        match self.pane() {
            Pane::Pending | Pane::Pods | Pane::NodePods | Pane::Moves => return self.open_pod(view, id),
            Pane::Nodes | Pane::NodeTable | Pane::PoolNodes | Pane::PodNodes => self.go(Screen::Node(id)),
            Pane::Recent | Pane::Decisions | Pane::Waiting | Pane::Before | Pane::After | Pane::Why => {
                if let Some(id) = decision_id(&id) {
                    self.go(Screen::Decision(id));
                }
            }
            Pane::Chosen => {
                let row = digest.chosen.iter().find(|r| r.id == id);
                if let Some(id) = row.and_then(|r| r.decision) {
                    self.go(Screen::Decision(id));
                } else {
                    self.say("no decision of this run chose that type", Tone::Dim);
                }
            }
            Pane::PoolTable => drop(self.focus.insert(Kind::Pools, Pane::PoolNodes)),
            Pane::PodPools => {
                self.go(Screen::Pools);
                self.lists.entry(Pane::PoolTable).or_default().cursor = Some(id);
            }
            Pane::Log | Pane::LogTable => {
                let entry = view.log.iter().find(|e| *e.seq.to_string() == *id);
                let about = entry.and_then(|e| match &e.body {
                    crate::ledger::Body::Proposed { decision } => Some(decision.id),
                    crate::ledger::Body::Ruled { id, .. } => Some(*id),
                    crate::ledger::Body::Acted { id, .. } => *id,
                    _ => None,
                });
                match (about, entry) {
                    (Some(id), _) => self.go(Screen::Decision(id)),
                    (None, Some(e)) => {
                        let text = serde_json::to_string_pretty(&**e).unwrap_or_default();
                        let lines = text.lines().map(str::to_owned).collect();
                        self.go(Screen::Page(Arc::new(Page {
                            title: format!("Entry {}", e.seq),
                            lines,
                        })));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        Vec::new()
    }

    /// Opens a pod and, while it waits, asks why.
    pub fn open_pod(&mut self, view: &View, pod: Name) -> Vec<Request> {
        let waits = view.snapshot.pods.get(&pod).is_some_and(|p| p.node.is_none());
        self.go(Screen::Pod(pod.clone()));
        if waits {
            self.explained = Explained::Asked(pod.clone());
            return vec![Request::Ask(Query::WhyPending { pod })];
        }
        Vec::new()
    }

    /// Esc: filter, then marks, then zoom, then the way back.
    pub(super) fn leave(&mut self, view: &View) {
        let pane = self.pane();
        if !self.list(pane).filter.is_empty() {
            self.lists.entry(pane).or_default().filter.clear();
        } else if !self.marks.is_empty() {
            self.marks.clear();
        } else if self.zoom {
            self.zoom = false;
        } else if self.screen == Screen::Overview && view.host.demo && !self.welcomed {
            self.welcomed = true;
        } else if self.screen != Screen::Overview && !self.back() {
            self.go(Screen::Overview);
        }
    }

    /// On a pod: the next pending one. Elsewhere: the next row.
    pub(super) fn sibling(&mut self, view: &View, digest: &Digest, by: isize) -> Vec<Request> {
        let Screen::Pod(pod) = &self.screen else {
            self.step(view, digest, by);
            return Vec::new();
        };
        let all = &digest.pending;
        let at = all.iter().position(|p| p.key == *pod).unwrap_or(0).cast_signed();
        let next = at
            .saturating_add(by)
            .rem_euclid(all.len().max(1).cast_signed())
            .cast_unsigned();
        match all.get(next).map(|p| p.key.clone()) {
            Some(key) => self.open_pod(view, key),
            None => Vec::new(),
        }
    }
}
