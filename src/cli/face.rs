//! The dashboard in front of an engine: the engine gets a thread, the terminal keeps this one.

use std::process::ExitCode;

use tokio::sync::oneshot;

use super::{CliError, supervised};
use crate::engine::Ended;
use crate::engine::handle::{Desk, pair};
use crate::gate::Command;

/// Told once by the engine's thread when the dashboard may come up. Until then errors are shown plainly.
pub struct Started(Option<oneshot::Sender<()>>);

impl Started {
    pub fn now(&mut self) {
        if let Some(tx) = self.0.take() {
            let _ = tx.send(());
        }
    }
}

/// Runs `engine` on a thread of its own and the dashboard on this one, until either ends.
pub fn dashboard<F>(engine: F) -> Result<ExitCode, CliError>
where
    F: FnOnce(Desk, Started) -> Result<Ended, CliError> + Send + 'static,
{
    let (handle, desk) = pair();
    with_dashboard(handle, move |started| engine(desk, started))
}

/// The same where somebody else holds the engine's handle too.
pub fn with_dashboard<F>(handle: crate::engine::Handle, engine: F) -> Result<ExitCode, CliError>
where
    F: FnOnce(Started) -> Result<Ended, CliError> + Send + 'static,
{
    let (tx, ready) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("engine".into())
        .spawn(move || engine(Started(Some(tx))))
        .map_err(|e| CliError::Outside(format!("the engine could not start: {e}")))?;
    let came_up = ready.blocking_recv().is_ok();
    let face = if came_up {
        let face = crate::ui::run(handle.clone(), crate::ui::Options::default());
        let _ = handle.send("keyboard", Command::Quit);
        face.map(|_| ())
    } else {
        Ok(())
    };
    drop(handle);
    let ended = thread
        .join()
        .map_err(|_| CliError::Outside("the engine stopped unexpectedly".into()))??;
    face.map_err(|e| CliError::Outside(e.to_string()))?;
    supervised::recorded(&ended)?;
    Ok(ExitCode::SUCCESS)
}
