//! What the dashboard remembers between two keys. Cursors hold on to the identity of a row, not to its place, so
//! that rows may come and go under them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::digest::Digest;
use super::lists;
use super::place::{Kind, Pane, Screen};
use super::theme::{Theme, Tone};
use crate::engine::query::WhyPending;
use crate::gate::Command;
use crate::ledger::View;
use crate::model::Name;
use crate::model::decision::DecisionId;

/// Cursor, order and filter of one pane.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListState {
    pub cursor: Option<Name>,
    /// Where the cursor was when its row was last seen; of a text pane, the scroll position.
    pub index: usize,
    /// Column to sort by; `None` = the list's own order.
    pub sort: Option<usize>,
    pub reverse: bool,
    pub filter: String,
}

/// Something that lies over the screen and takes the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Overlay {
    #[default]
    None,
    Help {
        scroll: usize,
    },
    Pause {
        minutes: String,
    },
    Mode {
        cursor: usize,
    },
    Actions {
        cursor: usize,
    },
}

/// A line that is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prompt {
    Filter,
    Command,
    /// y or n.
    Confirm {
        question: String,
        command: Command,
    },
    /// The number of nodes must be typed.
    ApproveAll {
        nodes: u32,
        decisions: Vec<DecisionId>,
    },
    Reject {
        id: DecisionId,
    },
    /// The name of the node, or of its claim, must be typed.
    Terminate {
        claim: Name,
        node: Name,
    },
}

/// What the answer to the question on a pod screen is.
#[derive(Clone, Debug, Default)]
pub enum Explained {
    #[default]
    Nothing,
    Asked(Name),
    Pending(Box<WhyPending>),
    Unknown(Name, String),
}

#[derive(Clone, Debug)]
pub struct App {
    pub theme: Theme,
    /// Who gives commands, for the record.
    pub who: String,
    pub screen: Screen,
    pub past: Vec<Screen>,
    pub future: Vec<Screen>,
    pub last: Option<Screen>,
    /// Focused pane of each kind of screen.
    pub focus: BTreeMap<Kind, Pane>,
    pub lists: BTreeMap<Pane, ListState>,
    pub zoom: bool,
    pub overlay: Overlay,
    pub prompt: Option<Prompt>,
    pub typed: String,
    pub commands: Vec<String>,
    pub message: Option<(String, Tone)>,
    /// The picture stands still since then.
    pub frozen: Option<Timestamp>,
    /// Entries that were folded since the picture was frozen.
    pub newer: u64,
    /// How far the clock has gone on since the view was made.
    pub ahead: SignedDuration,
    pub explained: Explained,
    pub marks: BTreeSet<Name>,
    pub approved: Option<DecisionId>,
    /// The first-steps hint was sent away.
    pub welcomed: bool,
    /// Last ledger entry whose refusals were shown.
    pub heard: u64,
}

impl App {
    pub fn new(theme: Theme, who: impl Into<String>) -> Self {
        Self {
            theme,
            who: who.into(),
            screen: Screen::Overview,
            past: Vec::new(),
            future: Vec::new(),
            last: None,
            focus: BTreeMap::new(),
            lists: BTreeMap::new(),
            zoom: false,
            overlay: Overlay::None,
            prompt: None,
            typed: String::new(),
            commands: Vec::new(),
            message: None,
            frozen: None,
            newer: 0,
            ahead: SignedDuration::ZERO,
            explained: Explained::Nothing,
            marks: BTreeSet::new(),
            approved: None,
            welcomed: false,
            heard: 0,
        }
    }

    /// The time that the screen shows.
    pub fn now(&self, view: &View) -> Timestamp {
        view.now.checked_add(self.ahead).unwrap_or(view.now)
    }

    pub fn pane(&self) -> Pane {
        let panes = self.screen.panes();
        let first = panes.first().copied().unwrap_or(Pane::Page);
        self.focus
            .get(&self.screen.kind())
            .copied()
            .filter(|p| panes.contains(p))
            .unwrap_or(first)
    }

    pub fn list(&self, pane: Pane) -> ListState {
        self.lists.get(&pane).cloned().unwrap_or_default()
    }

    pub fn say(&mut self, text: impl Into<String>, tone: Tone) {
        self.message = Some((text.into(), tone));
    }

    /// Goes to a screen; the way back is kept. What belongs to the thing shown before is forgotten.
    pub fn go(&mut self, screen: Screen) {
        if screen == self.screen {
            return;
        }
        let before = std::mem::replace(&mut self.screen, screen);
        self.last = Some(before.clone());
        self.past.push(before);
        if self.past.len() > 100 {
            self.past.remove(0);
        }
        self.future.clear();
        self.arrive();
    }

    /// One step back in history; false at its beginning.
    pub fn back(&mut self) -> bool {
        let Some(screen) = self.past.pop() else {
            return false;
        };
        let before = std::mem::replace(&mut self.screen, screen);
        self.last = Some(before.clone());
        self.future.push(before);
        self.arrive();
        true
    }

    pub fn forward(&mut self) -> bool {
        let Some(screen) = self.future.pop() else {
            return false;
        };
        let before = std::mem::replace(&mut self.screen, screen);
        self.past.push(before);
        self.arrive();
        true
    }

    fn arrive(&mut self) {
        self.zoom = false;
        if matches!(
            self.screen.kind(),
            Kind::Pod | Kind::Decision | Kind::Node | Kind::Page
        ) {
            for pane in self.screen.panes() {
                self.lists.remove(pane);
            }
            self.focus.remove(&self.screen.kind());
        }
    }

    /// A newer view has come: cursors without a row take one, and remember where their row is now.
    pub fn anchor(&mut self, view: &View, digest: &Digest) {
        let mut found: Vec<(Pane, usize, Option<Name>)> = Vec::new();
        for pane in self.screen.panes() {
            let state = self.list(*pane);
            let data = lists::Data::new(view, digest, self, true);
            let Some(list) = lists::list(*pane, &data) else {
                continue;
            };
            let order = lists::order(&*list, &state);
            let at = lists::position(&*list, &order, &state);
            let id = at.and_then(|at| order.get(at)).map(|i| list.id(*i));
            found.push((*pane, at.unwrap_or(0), id.or_else(|| state.cursor.clone())));
        }
        for (pane, index, id) in found {
            let entry = self.lists.entry(pane).or_default();
            entry.index = index;
            // The newest line of the log is followed by having no cursor at all.
            if entry.cursor.is_some() || !matches!(pane, Pane::Log | Pane::LogTable) {
                entry.cursor = id;
            }
        }
    }

    /// Refusals of our own commands since the last view become the message line.
    pub fn hear(&mut self, view: &View) {
        let after = self.heard;
        for entry in view.log.iter().rev().take_while(|e| e.seq > after) {
            if let crate::ledger::Body::Command {
                spoken,
                refused: Some(why),
            } = &entry.body
                && *spoken.who == *self.who
            {
                self.message = Some((format!("refused: {why}"), Tone::Bad));
                break;
            }
        }
        self.heard = self.heard.max(view.seq);
    }
}
