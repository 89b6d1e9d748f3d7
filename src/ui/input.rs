//! Keys into changes of the [`App`] and requests to the outside. Pure but for the app: the event loop carries the
//! requests out.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::app::{App, Explained, Overlay, Prompt};
use super::digest::Digest;
use super::keymap::{self, Action};
use super::lists::{self, Data, decision_id};
use super::place::{Kind, Page, Pane, Screen};
use super::theme::Tone;
use super::{command_line, overlay};
use crate::engine::Query;
use crate::gate::Command;
use crate::gate::command::Scope;
use crate::ledger::View;
use crate::model::Name;
use crate::model::decision::{DecisionId, State};
use crate::words;

/// What the event loop shall do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    Send(Command),
    Ask(Query),
    /// Into the terminal's clipboard (OSC 52).
    Copy(String),
    /// Writes a snapshot of the screen; `text`, `svg` or `json`, and the file.
    Snapshot {
        format: String,
        file: String,
    },
    Redraw,
    Quit,
}

impl App {
    /// One key; what it asks for comes back.
    pub fn key(&mut self, key: KeyEvent, view: &View, digest: &Digest) -> Vec<Request> {
        if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
            return vec![Request::Quit];
        }
        self.message = None;
        if self.prompt.is_some() {
            return self.typing(key, view, digest);
        }
        if self.overlay != Overlay::None && key.code != KeyCode::Char('P') {
            return overlay::key(self, key, view, digest);
        }
        let Some(action) = keymap::lookup(key, self.screen.kind(), self.pane(), view.host.demo) else {
            return Vec::new();
        };
        self.act(action, view, digest)
    }

    /// One action, from a key or the action menu.
    pub fn act(&mut self, action: Action, view: &View, digest: &Digest) -> Vec<Request> {
        let mut out = Vec::new();
        match action {
            Action::Tab(n) => {
                if let Some((screen, _, _)) = Screen::TABS.get(n) {
                    self.go(screen.clone());
                }
            }
            Action::NextPane => self.step_pane(1),
            Action::PreviousPane => self.step_pane(-1),
            Action::Down => self.step(view, digest, 1),
            Action::Up => self.step(view, digest, -1),
            Action::First => self.step(view, digest, isize::MIN / 2),
            Action::Last => self.step(view, digest, isize::MAX / 2),
            Action::HalfDown => self.step(view, digest, 10),
            Action::HalfUp => self.step(view, digest, -10),
            Action::PageDown => self.step(view, digest, 20),
            Action::PageUp => self.step(view, digest, -20),
            Action::Open => return self.open(view, digest),
            Action::Back => self.leave(view),
            Action::HistoryBack => drop(self.back()),
            Action::HistoryForward => drop(self.forward()),
            Action::LastView => {
                if let Some(screen) = self.last.clone() {
                    self.go(screen);
                }
            }
            Action::Filter => {
                self.typed = self.list(self.pane()).filter;
                self.prompt = Some(Prompt::Filter);
            }
            Action::NextMatch => return self.sibling(view, digest, 1),
            Action::PreviousMatch => return self.sibling(view, digest, -1),
            Action::Command => {
                self.typed.clear();
                self.prompt = Some(Prompt::Command);
            }
            Action::Help => self.overlay = Overlay::Help { scroll: 0 },
            Action::Sort => self.next_sort(view, digest),
            Action::Reverse => {
                let state = self.lists.entry(self.pane()).or_default();
                state.reverse = !state.reverse;
            }
            Action::Zoom => self.zoom = !self.zoom,
            Action::Mark => {
                if let Some(id) = self.selected(view, digest)
                    && !self.marks.remove(&id)
                {
                    self.marks.insert(id);
                }
                self.step(view, digest, 1);
            }
            Action::ClearMarks => self.marks.clear(),
            Action::Yaml => out.extend(self.yaml(view, digest)),
            Action::Json => self.json(view, digest),
            Action::CopyName => {
                if let Some(id) = self.selected(view, digest) {
                    self.say(format!("copied {id}"), Tone::Dim);
                    out.push(Request::Copy(id.to_string()));
                }
            }
            Action::CopyExplanation => {
                if let Some(text) = self.explanation(view, digest) {
                    self.say("copied the explanation", Tone::Dim);
                    out.push(Request::Copy(text));
                }
            }
            Action::Explain => return self.open(view, digest),
            Action::Menu => self.overlay = Overlay::Actions { cursor: 0 },
            Action::Freeze => {
                self.frozen = if self.frozen.is_some() {
                    None
                } else {
                    Some(self.now(view))
                };
                self.newer = 0;
            }
            Action::Follow => {
                let pane = self.pane();
                self.lists.entry(pane).or_default().cursor = None;
                self.lists.entry(pane).or_default().index = 0;
            }
            Action::Theme => {
                self.theme.palette = self.theme.palette.next();
                self.say(format!("theme {}", self.theme.palette.as_str()), Tone::Dim);
            }
            Action::Redraw => out.push(Request::Redraw),
            Action::Quit => {
                if !self.back() {
                    out.push(Request::Quit);
                }
            }
            Action::QuitNow => out.push(Request::Quit),
            Action::PauseMenu => {
                self.overlay = Overlay::Pause {
                    minutes: String::new(),
                }
            }
            Action::PauseAll => out.push(self.pause(view, Scope::Everything, None)),
            Action::ModePicker => {
                let at = crate::gate::Mode::ALL
                    .iter()
                    .position(|m| *m == view.policies.mode)
                    .unwrap_or(0);
                self.overlay = Overlay::Mode { cursor: at };
            }
            Action::Approve => return self.approve(view, digest),
            Action::ApproveAll => self.approve_all(view, digest),
            Action::Reject => {
                if let Some(id) = self.waiting(view, digest) {
                    self.typed.clear();
                    self.prompt = Some(Prompt::Reject { id });
                }
            }
            Action::Undo => match self.approved {
                Some(id) => out.push(Request::Send(Command::Undo { id })),
                None => self.say("nothing to undo: no approval in this session", Tone::Warn),
            },
            Action::Consolidate => {
                let scope = self.consolidation_scope(view, digest);
                let command = Command::Consolidate {
                    scope,
                    ignore_budgets: false,
                };
                self.say(
                    format!("{}: the result comes to review", lists::spoken(&command)),
                    Tone::Accent,
                );
                out.push(Request::Send(command));
            }
            Action::Faster => out.extend(self.speed(view, true)),
            Action::Slower => out.extend(self.speed(view, false)),
            Action::AllChecks => {
                if let Screen::Decision(id) = self.screen {
                    out.push(Request::Ask(Query::Ranking { id }));
                }
            }
        }
        out
    }

    /// Identity of the row under the cursor of the focused pane.
    pub fn selected(&self, view: &View, digest: &Digest) -> Option<Name> {
        let data = Data::new(view, digest, self, true);
        let pane = self.pane();
        lists::selected(&data, pane, &self.list(pane)).or_else(|| data.chosen.clone())
    }

    /// The decision that is shown and waits, with the reason said when none does.
    fn waiting(&mut self, view: &View, digest: &Digest) -> Option<DecisionId> {
        let id = match self.screen {
            Screen::Decision(id) => Some(id),
            _ => self.selected(view, digest).as_deref().and_then(decision_id),
        };
        match id.and_then(|id| view.decisions.get(&id)) {
            Some(row) if row.state == State::Held => Some(row.decision.id),
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

    fn approve(&mut self, view: &View, digest: &Digest) -> Vec<Request> {
        let Some(id) = self.waiting(view, digest) else {
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

    fn approve_all(&mut self, view: &View, digest: &Digest) {
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

    fn consolidation_scope(&self, view: &View, digest: &Digest) -> Scope {
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

    fn speed(&mut self, view: &View, faster: bool) -> Option<Request> {
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

    fn step_pane(&mut self, by: isize) {
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
    fn step(&mut self, view: &View, digest: &Digest, by: isize) {
        let pane = self.pane();
        let state = self.list(pane);
        let data = Data::new(view, digest, self, true);
        let moved = lists::list(pane, &data).map(|list| {
            let order = lists::order(&*list, &state);
            let at = lists::position(&*list, &order, &state).unwrap_or(0);
            let next = at.saturating_add_signed(by).min(order.len().saturating_sub(1));
            (next, order.get(next).map(|i| list.id(*i)))
        });
        let end = super::texts::lines(pane, &data, 100).len();
        let state = self.lists.entry(pane).or_default();
        match moved {
            Some((index, id)) => {
                state.index = index;
                state.cursor = id;
            }
            None => state.index = state.index.saturating_add_signed(by).min(end.saturating_sub(1)),
        }
    }

    fn next_sort(&mut self, view: &View, digest: &Digest) {
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

    /// Opens what the row is about.
    fn open(&mut self, view: &View, digest: &Digest) -> Vec<Request> {
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
    fn leave(&mut self, view: &View) {
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
    fn sibling(&mut self, view: &View, digest: &Digest, by: isize) -> Vec<Request> {
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

    fn yaml(&self, view: &View, digest: &Digest) -> Option<Request> {
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

    fn json(&mut self, view: &View, digest: &Digest) {
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
    fn explanation(&self, view: &View, digest: &Digest) -> Option<String> {
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

    /// A key while a line is being typed.
    fn typing(&mut self, key: KeyEvent, view: &View, digest: &Digest) -> Vec<Request> {
        let Some(prompt) = self.prompt.clone() else {
            return Vec::new();
        };
        if let Prompt::Confirm { command, .. } = prompt {
            self.prompt = None;
            if matches!(key.code, KeyCode::Char('y' | 'Y')) {
                if let Command::Approve { id, .. } = command {
                    self.approved = Some(id);
                }
                self.say(lists::spoken(&command), Tone::Good);
                return vec![Request::Send(command)];
            }
            self.say("not done", Tone::Dim);
            return Vec::new();
        }
        match key.code {
            KeyCode::Esc => {
                if prompt == Prompt::Filter {
                    self.lists.entry(self.pane()).or_default().filter.clear();
                }
                self.prompt = None;
            }
            KeyCode::Enter => {
                self.prompt = None;
                return self.typed_line(prompt, view, digest);
            }
            KeyCode::Backspace => drop(self.typed.pop()),
            KeyCode::Up if prompt == Prompt::Command => {
                if let Some(last) = self.commands.last() {
                    self.typed.clone_from(last);
                }
            }
            KeyCode::Tab if prompt == Prompt::Command => command_line::complete(&mut self.typed),
            KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => self.typed.clear(),
            KeyCode::Char(c) if !key.modifiers.contains(KeyModifiers::CONTROL) => self.typed.push(c),
            _ => {}
        }
        if self.prompt == Some(Prompt::Filter) {
            // A filter works while it is typed.
            let typed = self.typed.clone();
            self.lists.entry(self.pane()).or_default().filter = typed;
        }
        Vec::new()
    }

    fn typed_line(&mut self, prompt: Prompt, view: &View, digest: &Digest) -> Vec<Request> {
        let typed = std::mem::take(&mut self.typed);
        match prompt {
            Prompt::Command => {
                self.commands.push(typed.clone());
                command_line::run(self, &typed, view, digest)
            }
            Prompt::Reject { id } => {
                self.say(format!("rejected {id}"), Tone::Warn);
                vec![Request::Send(Command::Reject {
                    id,
                    reason: typed.trim().to_owned(),
                })]
            }
            Prompt::ApproveAll { nodes, decisions } if typed.trim() == nodes.to_string() => {
                self.approved = decisions.last().copied();
                self.say(
                    format!("approved {}", words::plural(decisions.len(), "decision")),
                    Tone::Good,
                );
                decisions
                    .into_iter()
                    .filter_map(|id| view.decisions.get(&id))
                    .map(|row| {
                        Request::Send(Command::Approve {
                            id: row.decision.id,
                            hash: row.decision.hash,
                        })
                    })
                    .collect()
            }
            Prompt::ApproveAll { nodes, .. } => {
                self.say(format!("not approved: {nodes} was to be typed"), Tone::Warn);
                Vec::new()
            }
            Prompt::Filter | Prompt::Confirm { .. } => Vec::new(),
        }
    }
}
