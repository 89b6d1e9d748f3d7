//! Every pane that is a list of rows: what its rows are, how they are filtered, sorted and found again.

mod decisions;
pub mod log;
mod nodes;
mod pods;
mod pools;
mod ranking;
mod review;
mod tried;
mod types;

use jiff::{SignedDuration, Timestamp};

use super::app::{App, Explained, ListState};
use super::digest::Digest;
use super::filter::{self, Filter, Value};
use super::place::{Pane, Screen};
use super::widgets::{Cell, Column};
use crate::engine::query::WhyPending;
use crate::ledger::View;
use crate::ledger::view::DecisionRow;
use crate::model::decision::DecisionId;
use crate::model::{Labels, Name};

pub use decisions::{outcome, sign};
pub use log::{line as log_line, spoken};
pub use pools::policy;
pub use review::left;
pub use types::label;

/// What the panes of one frame are drawn from.
pub struct Data<'a> {
    pub view: &'a View,
    pub digest: &'a Digest,
    pub screen: &'a Screen,
    pub explained: &'a Explained,
    pub now: Timestamp,
    /// Room for boxes and all columns.
    pub wide: bool,
    /// Row under the cursor of the pane that the others of the screen explain.
    pub chosen: Option<Name>,
}

impl<'a> Data<'a> {
    pub fn new(view: &'a View, digest: &'a Digest, app: &'a App, wide: bool) -> Self {
        let mut data = Self {
            view,
            digest,
            screen: &app.screen,
            explained: &app.explained,
            now: app.now(view),
            wide,
            chosen: None,
        };
        let leader = match app.screen {
            Screen::Pools => Some(Pane::PoolTable),
            Screen::Types => Some(Pane::TypeTable),
            Screen::Review => Some(Pane::Waiting),
            _ => None,
        };
        data.chosen = leader.and_then(|pane| selected(&data, pane, &app.list(pane)));
        data
    }

    pub fn since(&self, at: Timestamp) -> SignedDuration {
        self.now.duration_since(at)
    }

    /// The answer on the pod that the screen is about, when it is there.
    pub fn why(&self) -> Option<&'a WhyPending> {
        match (self.screen, self.explained) {
            (Screen::Pod(pod), Explained::Pending(why)) if why.pod == *pod => Some(why),
            _ => None,
        }
    }

    /// The decision that the screen is about.
    pub fn decision(&self) -> Option<&'a DecisionRow> {
        let id = match self.screen {
            Screen::Decision(id) => Some(*id),
            Screen::Review => self.chosen.as_deref().and_then(decision_id),
            _ => None,
        }?;
        self.view.decisions.get(&id).map(|row| &**row)
    }
}

/// `#142` → 142
pub fn decision_id(text: &str) -> Option<DecisionId> {
    text.strip_prefix('#')?.parse().ok().map(DecisionId)
}

pub trait List {
    fn len(&self) -> usize;
    /// Identity of a row; the cursor holds on to it.
    fn id(&self, i: usize) -> Name;
    fn columns(&self) -> &'static [Column];
    fn cells(&self, i: usize) -> Vec<Cell>;
    /// A value by field name, for filters and sorting; columns without one compare by their text.
    fn field(&self, _i: usize, _name: &str) -> Option<Value> {
        None
    }
    fn labels(&self, _i: usize) -> Option<&Labels> {
        None
    }
    /// The list's own order, in words.
    fn order(&self) -> &'static str {
        ""
    }
    /// Said when there is no row.
    fn empty(&self) -> String {
        "none".to_owned()
    }
}

/// The list of a pane; `None` for panes of text.
pub fn list<'a>(pane: Pane, data: &'a Data<'a>) -> Option<Box<dyn List + 'a>> {
    Some(match pane {
        Pane::Pending => Box::new(pods::Pending { data }),
        Pane::Pods => Box::new(pods::Pods::all(data)),
        Pane::NodePods => Box::new(pods::Pods::of_node(data)),
        Pane::PodPools => Box::new(tried::Pools::new(data)),
        Pane::PodNodes => Box::new(tried::Nodes::new(data)),
        Pane::Recent | Pane::Decisions => Box::new(decisions::Decisions::new(data)),
        Pane::Waiting => Box::new(review::Waiting { data }),
        Pane::Moves => Box::new(review::Moves::new(data)),
        Pane::Nodes | Pane::NodeTable => Box::new(nodes::Nodes::all(data)),
        Pane::PoolNodes => Box::new(nodes::Nodes::of_pool(data)),
        Pane::Log | Pane::LogTable => Box::new(log::Log::new(data)),
        Pane::Chosen => Box::new(types::Chosen { data }),
        Pane::TypeTable => Box::new(types::Types::new(data)),
        Pane::PoolTable => Box::new(pools::Pools::new(data)),
        Pane::Ranking => Box::new(ranking::Ranking::new(data)),
        _ => return None,
    })
}

struct RowOf<'a>(&'a dyn List, usize);

impl filter::Row for RowOf<'_> {
    fn field(&self, name: &str) -> Option<Value> {
        value(self.0, self.1, name)
    }
    fn text(&self) -> String {
        let cells: Vec<String> = self.0.cells(self.1).iter().map(Cell::words).collect();
        cells.join(" ")
    }
    fn labels(&self) -> Option<&Labels> {
        self.0.labels(self.1)
    }
}

fn value(list: &dyn List, i: usize, name: &str) -> Option<Value> {
    list.field(i, name).or_else(|| {
        let at = list.columns().iter().position(|c| c.field == name)?;
        list.cells(i).get(at).map(|c| Value::Text(c.words()))
    })
}

/// Rows that pass the filter, in the order that was asked for.
pub fn order(list: &dyn List, state: &ListState) -> Vec<usize> {
    let filter = Filter::parse(&state.filter);
    let mut rows: Vec<usize> = (0..list.len())
        .filter(|i| filter.is_empty() || filter.matches(&RowOf(list, *i)))
        .collect();
    if let Some(column) = state.sort.and_then(|i| list.columns().get(i)) {
        let mut keyed: Vec<(Value, usize)> = rows
            .into_iter()
            .map(|i| {
                (
                    value(list, i, column.field).unwrap_or_else(|| Value::Text(String::new())),
                    i,
                )
            })
            .collect();
        keyed.sort_by(|a, b| a.0.order(&b.0).then(a.1.cmp(&b.1)));
        rows = keyed.into_iter().map(|(_, i)| i).collect();
    }
    if state.reverse {
        rows.reverse();
    }
    rows
}

/// Where the cursor is in that order: at its row, or where the row was.
pub fn position(list: &dyn List, order: &[usize], state: &ListState) -> Option<usize> {
    if order.is_empty() {
        return None;
    }
    let at = state
        .cursor
        .as_ref()
        .and_then(|id| order.iter().position(|i| list.id(*i) == *id));
    Some(at.unwrap_or_else(|| state.index.min(order.len() - 1)))
}

/// Identity of the row under the cursor.
pub fn selected<'a>(data: &'a Data<'a>, pane: Pane, state: &ListState) -> Option<Name> {
    let list = list(pane, data)?;
    let order = order(&*list, state);
    let at = position(&*list, &order, state)?;
    order.get(at).map(|i| list.id(*i))
}

/// A count as a value.
pub fn count(n: usize) -> Value {
    Value::Number(f64::from(u32::try_from(n).unwrap_or(u32::MAX)))
}

/// A length of time in seconds as a value.
pub fn seconds(time: SignedDuration) -> Value {
    Value::Number(time.as_secs_f64())
}

/// A whole amount as a value; exact up to 2^53, which only sorting and filters see.
#[allow(clippy::cast_precision_loss)]
pub fn whole(n: i64) -> Value {
    Value::Number(n as f64)
}
