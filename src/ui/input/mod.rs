//! Keys into changes of the [`App`] and requests to the outside. Pure but for the app: the event loop carries the
//! requests out.

mod decide;
mod nodes;
mod rows;
mod show;
mod typing;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::app::{App, Overlay, Prompt};
use super::digest::Digest;
use super::keymap::{self, Action};
use super::lists;
use super::overlay;
use super::place::Screen;
use super::theme::Tone;
use crate::engine::Query;
use crate::gate::Command;
use crate::gate::command::Scope;
use crate::ledger::View;

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
    /// Writes JSON Lines: `decisions`, `events` or `operator`, and the file.
    Export {
        what: String,
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
        if let KeyCode::Char(_) = key.code
            && key.modifiers.contains(KeyModifiers::ALT)
        {
            // Esc and a key in one breath look like Alt with that key.
            let mut out = self.key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE), view, digest);
            let after = KeyEvent::new(key.code, key.modifiers & !KeyModifiers::ALT);
            out.extend(self.key(after, view, digest));
            return out;
        }
        self.message = None;
        if self.prompt.is_some() {
            return self.typing(key, view, digest);
        }
        if self.overlay != Overlay::None && key.code != KeyCode::Char('P') {
            return overlay::key(self, key, view, digest);
        }
        let Some(action) = keymap::lookup(key, self.screen.kind(), self.pane(), view.host.demo) else {
            self.unbound(key, digest);
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
            Action::Explain => return self.explain(view, digest),
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
                // The nine tabs are the top.
                let inside = !Screen::TABS.iter().any(|(tab, _, _)| *tab == self.screen);
                if !(inside && self.back()) {
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
                if let Some(id) = self.waiting(view, digest, 'x') {
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
            Action::Cordon | Action::Drain | Action::Terminate | Action::Interrupt => {
                return self.about_node(action, view, digest);
            }
            Action::Record => return self.record(view),
            Action::NoCapacity => return self.take_capacity(view, digest),
            Action::Burst => return self.burst(),
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
}
