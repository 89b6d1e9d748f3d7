//! Keys about one node, the recording, and the embedded world.

use super::Request;
use crate::gate::Command;
use crate::gate::command::WorldEvent;
use crate::ledger::View;
use crate::model::Name;
use crate::ui::app::{App, Prompt};
use crate::ui::digest::{Digest, NodeRow, Role};
use crate::ui::keymap::Action;
use crate::ui::lists;
use crate::ui::place::Screen;
use crate::ui::theme::Tone;
use crate::words;

/// How long a type that a person took away stays away.
const NO_CAPACITY_MINUTES: u32 = 5;
/// Pods of one burst.
const BURST: u32 = 20;

impl App {
    /// The node, or the claim without one, that is shown or under the cursor.
    fn node_row<'a>(&self, view: &View, digest: &'a Digest) -> Option<&'a NodeRow> {
        let name = match &self.screen {
            Screen::Node(name) => name.clone(),
            _ => self.selected(view, digest)?,
        };
        digest.nodes.iter().find(|n| n.name == name)
    }

    fn order(&mut self, command: Command) -> Vec<Request> {
        self.say(lists::spoken(&command), Tone::Accent);
        vec![Request::Send(command)]
    }

    /// Cordon, drain, terminate, interrupt.
    pub(super) fn about_node(&mut self, action: Action, view: &View, digest: &Digest) -> Vec<Request> {
        let Some(row) = self.node_row(view, digest).cloned() else {
            self.say("no node under the cursor", Tone::Warn);
            return Vec::new();
        };
        let name = row.name.clone();
        if row.role == Role::Claim && action != Action::Terminate {
            self.say(
                format!("{name} has not joined yet: it is only a NodeClaim"),
                Tone::Warn,
            );
            return Vec::new();
        }
        match action {
            Action::Cordon => {
                let on = view.snapshot.nodes.get(&name).is_some_and(|n| !n.unschedulable);
                self.order(Command::Cordon { node: name, on })
            }
            Action::Drain => {
                let question = format!(
                    "drain {}? it is cordoned and {} evicted as far as budgets allow",
                    words::node(&name),
                    words::plural(row.pods, "pod") + if row.pods == 1 { " is" } else { " are" },
                );
                let command = Command::Drain { node: name };
                self.prompt = Some(Prompt::Confirm { question, command });
                Vec::new()
            }
            Action::Terminate => {
                let Some(claim) = row.claim.clone() else {
                    self.say(
                        format!("{} has no NodeClaim: kerf does not own it", words::node(&name)),
                        Tone::Warn,
                    );
                    return Vec::new();
                };
                self.typed.clear();
                self.prompt = Some(Prompt::Terminate {
                    claim,
                    node: words::node(&name).into(),
                });
                Vec::new()
            }
            Action::Interrupt => self.order(Command::World {
                event: WorldEvent::Interrupt { node: name },
            }),
            _ => Vec::new(),
        }
    }

    /// What was typed after Ctrl-x: the name of the node or of its claim.
    pub(super) fn terminate(&mut self, claim: Name, node: &str, typed: &str) -> Vec<Request> {
        let typed = typed.trim();
        if typed == &*claim || typed == node {
            return self.order(Command::Terminate { claim });
        }
        self.say(format!("not terminated: {node} was to be typed"), Tone::Warn);
        Vec::new()
    }

    /// Starts a recording of the whole run in the working directory, or ends the one under way.
    pub fn record(&mut self, view: &View) -> Vec<Request> {
        let file = match &view.host.recording {
            Some(file) => {
                self.say(format!("recorded to {file}; kerf verify checks it"), Tone::Good);
                return vec![Request::Send(Command::Record { file: None })];
            }
            None => Some(format!("run-{}.kerf", self.now(view).strftime("%Y%m%d-%H%M%S"))),
        };
        self.order(Command::Record { file })
    }

    pub(super) fn take_capacity(&mut self, view: &View, digest: &Digest) -> Vec<Request> {
        let selected = self.selected(view, digest);
        let in_use = selected
            .as_ref()
            .and_then(|id| digest.chosen.iter().find(|c| c.id == *id))
            .map(|c| c.kind.clone());
        let Some(instance_type) = in_use.or(selected) else {
            self.say("no instance type under the cursor", Tone::Warn);
            return Vec::new();
        };
        self.order(Command::World {
            event: WorldEvent::NoCapacity {
                instance_type,
                minutes: NO_CAPACITY_MINUTES,
            },
        })
    }

    pub fn burst(&mut self) -> Vec<Request> {
        self.order(Command::World {
            event: WorldEvent::Burst { pods: BURST },
        })
    }
}
