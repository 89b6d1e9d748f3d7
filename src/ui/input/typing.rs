//! Keys while a line is being typed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::Request;
use crate::gate::Command;
use crate::ledger::View;
use crate::ui::app::{App, Prompt};
use crate::ui::command_line;
use crate::ui::digest::Digest;
use crate::ui::lists;
use crate::ui::theme::Tone;
use crate::words;

impl App {
    /// A key while a line is being typed.
    pub(super) fn typing(&mut self, key: KeyEvent, view: &View, digest: &Digest) -> Vec<Request> {
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

    pub(super) fn typed_line(&mut self, prompt: Prompt, view: &View, digest: &Digest) -> Vec<Request> {
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
            Prompt::Terminate { claim, node } => self.terminate(claim, &node, &typed),
            Prompt::ApproveAll { nodes, .. } => {
                self.say(format!("not approved: {nodes} was to be typed"), Tone::Warn);
                Vec::new()
            }
            Prompt::Filter | Prompt::Confirm { .. } => Vec::new(),
        }
    }
}
