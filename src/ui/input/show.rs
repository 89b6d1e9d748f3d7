//! A row as YAML, JSON or plain text.

use std::sync::Arc;

use super::Request;
use crate::engine::Query;
use crate::ledger::View;
use crate::ui::app::App;
use crate::ui::digest::Digest;
use crate::ui::lists::{Data, decision_id};
use crate::ui::place::{Page, Screen};
use crate::words;

impl App {
    pub(super) fn yaml(&self, view: &View, digest: &Digest) -> Option<Request> {
        let id = match &self.screen {
            Screen::Pod(name) | Screen::Node(name) => name.clone(),
            _ => self.selected(view, digest)?,
        };
        let (kind, namespace, name): (&str, &str, &str) = if let Some((ns, name)) = id.split_once('/') {
            ("Pod", ns, name)
        } else if view.snapshot.nodes.contains_key(&id) {
            ("Node", "", &id)
        } else if view.snapshot.claims.contains_key(&id) {
            ("NodeClaim", "", &id)
        } else if view.snapshot.pools.contains_key(&id) {
            ("NodePool", "", &id)
        } else {
            return None;
        };
        Some(Request::Ask(Query::Yaml {
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        }))
    }

    pub(super) fn json(&mut self, view: &View, digest: &Digest) {
        let id = match self.screen {
            Screen::Decision(id) => Some(id),
            _ => self.selected(view, digest).as_deref().and_then(decision_id),
        };
        if let Some(row) = id.and_then(|id| view.decisions.get(&id)) {
            let text = serde_json::to_string_pretty(&*row.decision).unwrap_or_default();
            let lines = text.lines().map(str::to_owned).collect();
            let title = format!("Decision {}, JSON", row.decision.id);
            self.go(Screen::Page(Arc::new(Page { title, lines })));
        }
    }

    /// The pane under the cursor as text.
    pub(super) fn explanation(&self, view: &View, digest: &Digest) -> Option<String> {
        let data = Data::new(view, digest, self, true);
        if let Some(row) = data.decision() {
            let told = words::sentences(&row.decision)
                .into_iter()
                .map(|(word, text)| format!("{word}: {text}"));
            let head = format!("{} {}", row.decision.id, words::headline(&row.decision));
            return Some(std::iter::once(head).chain(told).collect::<Vec<_>>().join("\n"));
        }
        let id = match &self.screen {
            Screen::Pod(name) | Screen::Node(name) => name.clone(),
            _ => self.selected(view, digest)?,
        };
        if let Some(v) = view.verdicts.get(&id) {
            return Some(format!("{id} {}", words::verdict(v)));
        }
        let refusals = view.refusals.get(&id)?;
        let told = refusals
            .pools
            .iter()
            .map(|(pool, r)| format!("{pool}: {}", words::refusal(r)));
        Some(
            std::iter::once(id.to_string())
                .chain(told)
                .collect::<Vec<_>>()
                .join("\n"),
        )
    }
}
