//! How a face (dashboard, headless printer, test) talks to the engine from another thread.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{mpsc, oneshot, watch};

use super::query::{Answer, Query};
use crate::gate::Command;
use crate::ledger::View;
use crate::model::Name;

/// Clone freely. Never blocks the engine: channels are bounded and a full one refuses.
#[derive(Clone, Debug)]
pub struct Handle {
    view: Arc<ArcSwap<View>>,
    changed: watch::Receiver<u64>,
    commands: mpsc::Sender<(Name, Command)>,
    queries: mpsc::Sender<(Query, oneshot::Sender<Answer>)>,
}

/// The engine's side of a [`Handle`].
#[derive(Debug)]
pub struct Desk {
    pub view: Arc<ArcSwap<View>>,
    pub changed: watch::Sender<u64>,
    pub commands: mpsc::Receiver<(Name, Command)>,
    pub queries: mpsc::Receiver<(Query, oneshot::Sender<Answer>)>,
}

/// The engine is gone or too busy to take more input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine does not take input now; try again")]
pub struct Busy;

/// A connected pair.
pub fn pair() -> (Handle, Desk) {
    let view = Arc::new(ArcSwap::from_pointee(View::default()));
    let (changed_tx, changed) = watch::channel(0);
    let (commands, commands_rx) = mpsc::channel(64);
    let (queries, queries_rx) = mpsc::channel(64);
    (
        Handle {
            view: view.clone(),
            changed,
            commands,
            queries,
        },
        Desk {
            view,
            changed: changed_tx,
            commands: commands_rx,
            queries: queries_rx,
        },
    )
}

impl Handle {
    pub fn view(&self) -> Arc<View> {
        self.view.load_full()
    }

    /// Sends a person's command.
    pub fn send(&self, who: &str, command: Command) -> Result<(), Busy> {
        self.commands.try_send((who.into(), command)).map_err(|_| Busy)
    }

    /// The receiver yields the answer when it is ready; poll it with `try_recv`.
    pub fn ask(&self, query: Query) -> Result<oneshot::Receiver<Answer>, Busy> {
        let (tx, rx) = oneshot::channel();
        self.queries.try_send((query, tx)).map_err(|_| Busy)?;
        Ok(rx)
    }

    /// A receiver that wakes when a newer view is published; its value is a counter.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.clone()
    }

    /// Whether the engine still runs.
    pub fn is_open(&self) -> bool {
        !self.commands.is_closed()
    }
}

/// At most 30 views a second.
pub const PUBLISH_EVERY: Duration = Duration::from_millis(33);
