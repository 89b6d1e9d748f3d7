//! Keys that supervise: approve, reject, pause, consolidate.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::Request;
use crate::gate::Command;
use crate::gate::command::Scope;
use crate::ledger::View;
use crate::model::Name;
use crate::model::decision::{DecisionId, State};
use crate::ui::app::{App, Prompt};
use crate::ui::digest::Digest;
use crate::ui::lists::{self, decision_id};
use crate::ui::place::{Kind, Pane, Screen};
use crate::ui::theme::Tone;
use crate::words;

impl App {
    /// A key without a meaning here. Those that decide lead to what waits; they act only with the cursor on it.
    pub(super) fn unbound(&mut self, key: KeyEvent, digest: &Digest) {
        let KeyCode::Char(c) = key.code else { return };
        match (c, self.screen.kind(), digest.waiting.first()) {
            ('K' | 'D' | '!', ..) => self.say(format!("{c} works on a node: 4 lists them"), Tone::Dim),
            ('x', ..) if key.modifiers.contains(KeyModifiers::CONTROL) => {
                self.say("Ctrl-x works on a node: 4 lists them", Tone::Dim);
            }
            ('I', ..) => self.say("I works on an instance type: 6 lists them", Tone::Dim),
            ('a' | 'x', Kind::Overview, Some(id)) => self.point_at(Pane::Recent, *id, c),
            ('a' | 'x', _, Some(_)) => self.say(format!("{c} works in 7 Review and on decisions"), Tone::Dim),
            ('a' | 'x', _, None) => self.say("nothing waits for review", Tone::Dim),
            _ => self.say(format!("{c} does nothing here; ? shows the keys"), Tone::Dim),
        }
    }

    /// Puts the cursor on a decision that waits and says how to go on.
    pub(super) fn point_at(&mut self, pane: Pane, id: DecisionId, key: char) {
        self.focus.insert(self.screen.kind(), pane);
        let list = self.lists.entry(pane).or_default();
        list.filter.clear();
        list.cursor = Some(id.to_string().into());
        let what = if key == 'a' { "approves" } else { "rejects" };
        self.say(format!("{key} again {what} {id}; Enter shows it"), Tone::Accent);
    }

    /// The decision that is shown and waits, with the reason said when none does.
    pub(super) fn waiting(&mut self, view: &View, digest: &Digest, key: char) -> Option<DecisionId> {
        let id = match self.screen {
            Screen::Decision(id) => Some(id),
            _ => self.selected(view, digest).as_deref().and_then(decision_id),
        };
        match id.and_then(|id| view.decisions.get(&id)) {
            Some(row) if row.state == State::Held => Some(row.decision.id),
            Some(_)
                if matches!(self.pane(), Pane::Recent | Pane::Decisions) && !digest.waiting.is_empty() =>
            {
                if let Some(id) = digest.waiting.first() {
                    self.point_at(self.pane(), *id, key);
                }
                None
            }
            Some(row) => {
                let text = format!(
                    "{} does not wait: it is {}",
                    row.decision.id,
                    words::state(row.state)
                );
                self.say(text, Tone::Warn);
                None
            }
            None => {
                self.say("nothing under the cursor waits for review", Tone::Warn);
                None
            }
        }
    }

    pub(super) fn approve(&mut self, view: &View, digest: &Digest) -> Vec<Request> {
        let Some(id) = self.waiting(view, digest, 'a') else {
            return Vec::new();
        };
        let Some(row) = view.decisions.get(&id) else {
            return Vec::new();
        };
        let (d, command) = (
            &row.decision,
            Command::Approve {
                id,
                hash: row.decision.hash,
            },
        );
        if view.host.demo {
            self.approved = Some(id);
            self.say(
                format!("approved {id}; u undoes it until an eviction begins"),
                Tone::Good,
            );
            return vec![Request::Send(command)];
        }
        let nodes = d.impact.nodes_added.max(d.impact.nodes_removed);
        let question = format!(
            "approve {id}? {}, {}, {}",
            words::plural(nodes as usize, "node"),
            words::plural(d.impact.evictions.max(d.impact.pods_placed) as usize, "pod"),
            words::price_delta(d.impact.usd_per_hour)
        );
        self.prompt = Some(Prompt::Confirm { question, command });
        Vec::new()
    }

    pub(super) fn approve_all(&mut self, view: &View, digest: &Digest) {
        if digest.waiting.is_empty() {
            self.say("nothing waits for review", Tone::Warn);
            return;
        }
        let rows = digest.waiting.iter().filter_map(|id| view.decisions.get(id));
        let nodes = rows
            .map(|r| r.decision.impact.nodes_added.max(r.decision.impact.nodes_removed))
            .sum();
        self.typed.clear();
        self.prompt = Some(Prompt::ApproveAll {
            nodes,
            decisions: digest.waiting.clone(),
        });
    }

    /// Pauses a part, or resumes it when it is paused.
    pub fn pause(&mut self, view: &View, scope: Scope, minutes: Option<u32>) -> Request {
        let p = &view.pauses;
        let on = match &scope {
            Scope::Everything => p.everything.is_some(),
            Scope::Provisioning => p.provisioning.is_some(),
            Scope::Disruption => p.disruption.is_some(),
            Scope::Pool(name) => p.pools.contains_key(name),
            Scope::Node(_) => false,
        };
        let command = if on {
            Command::Resume { scope }
        } else {
            Command::Pause { scope, minutes }
        };
        self.say(lists::spoken(&command), Tone::Accent);
        Request::Send(command)
    }

    /// The pool that the row under the cursor belongs to.
    pub fn pool(&self, view: &View, digest: &Digest) -> Option<Name> {
        let id = self.selected(view, digest)?;
        if view.snapshot.pools.contains_key(&id) {
            return Some(id);
        }
        if let Some(n) = digest.nodes.iter().find(|n| n.name == id) {
            return Some(n.pool.clone());
        }
        digest
            .pending
            .iter()
            .find(|p| p.key == id)
            .map(|p| p.pool.clone())
            .filter(|p| !p.is_empty())
    }

    pub(super) fn consolidation_scope(&self, view: &View, digest: &Digest) -> Scope {
        if let Screen::Node(name) = &self.screen {
            return Scope::Node(name.clone());
        }
        match (self.pane(), self.selected(view, digest)) {
            (Pane::Nodes | Pane::NodeTable | Pane::PoolNodes, Some(id))
                if view.snapshot.nodes.contains_key(&id) =>
            {
                Scope::Node(id)
            }
            (Pane::PoolTable | Pane::PoolSums | Pane::PoolBudgets, Some(id)) => Scope::Pool(id),
            _ => Scope::Everything,
        }
    }

    pub(super) fn speed(&mut self, view: &View, faster: bool) -> Option<Request> {
        const STEPS: [u32; 8] = [1, 2, 5, 10, 30, 60, 600, 0];
        let now = view.host.speed?;
        let at = STEPS.iter().position(|s| *s == now).unwrap_or(3);
        let next = if faster {
            (at + 1).min(STEPS.len() - 1)
        } else {
            at.saturating_sub(1)
        };
        let times = *STEPS.get(next)?;
        let command = Command::Speed { times };
        self.say(lists::spoken(&command), Tone::Dim);
        Some(Request::Send(command))
    }
}
