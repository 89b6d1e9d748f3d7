//! The loop between a terminal and an engine: a key is drawn at once, data at most 30 times a second and only when
//! there is something newer, ages once a second.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, EventStream, KeyEventKind};
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::app::{App, Explained};
use super::digest::Digest;
use super::input::Request;
use super::place::{Page, Screen};
use super::terminal::Guard;
use super::theme::{Theme, Tone};
use super::{export, frame};
use crate::engine::handle::PUBLISH_EVERY;
use crate::engine::{Answer, Handle, Query};
use crate::ledger::View;
use crate::words;

/// The clock moves so often without news, so that a demo's runs and does not jump.
const TICK: Duration = Duration::from_millis(250);
/// How long the clock of a demo runs on by itself when its engine says nothing.
const RUN_AHEAD: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub struct Options {
    pub theme: Theme,
    /// Who gives commands, for the record.
    pub who: String,
    pub screen: Screen,
}

impl Default for Options {
    /// The theme that the environment asks for.
    fn default() -> Self {
        Self {
            theme: Theme::from_env(|key| std::env::var(key).ok()),
            who: "operator".to_owned(),
            screen: Screen::Overview,
        }
    }
}

/// Why the dashboard ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// A person left it. The engine still runs.
    Quit,
    /// The engine ended first.
    EngineGone,
    /// SIGTERM, SIGHUP or SIGINT.
    Signal,
}

#[derive(Debug, thiserror::Error)]
pub enum UiError {
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] std::io::Error),
    #[error("the dashboard's runtime cannot start: {0}")]
    Runtime(std::io::Error),
}

/// Runs the dashboard on the calling thread until a person leaves or the engine ends. The terminal is given back in
/// any case.
pub fn run(handle: Handle, options: Options) -> Result<Exit, UiError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(UiError::Runtime)?;
    let mut guard = Guard::take()?;
    runtime.block_on(Face::new(handle, options).run(&mut guard))
}

struct Face {
    handle: Handle,
    app: App,
    view: Arc<View>,
    digest: Digest,
    /// When the view on the screen came.
    came: Instant,
    /// Time shown last: the clock never runs backwards.
    shown: Timestamp,
    asked: Vec<(Query, oneshot::Receiver<Answer>)>,
    said: Option<Instant>,
}

impl Face {
    fn new(handle: Handle, options: Options) -> Self {
        let mut app = App::new(options.theme, options.who);
        app.screen = options.screen;
        let view = handle.view();
        let digest = Digest::of(&view);
        app.heard = view.seq;
        app.anchor(&view, &digest);
        let shown = view.now;
        Self {
            handle,
            app,
            view,
            digest,
            came: Instant::now(),
            shown,
            asked: Vec::new(),
            said: None,
        }
    }

    async fn run(mut self, guard: &mut Guard) -> Result<Exit, UiError> {
        let mut keys = EventStream::new();
        let mut changes = self.handle.changes();
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut stop = std::pin::pin!(signals());
        let mut due: Option<Instant> = None;
        let mut last_data = Instant::now();
        let mut ticks = 0_u64;
        self.draw(guard)?;
        loop {
            let data_due = async {
                match due {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = &mut stop => return Ok(Exit::Signal),
                event = keys.next() => match event {
                    Some(Ok(event)) => {
                        if self.event(event, guard)? {
                            return Ok(Exit::Quit);
                        }
                        self.draw(guard)?;
                    }
                    Some(Err(e)) => return Err(e.into()),
                    None => return Ok(Exit::Signal),
                },
                () = data_due => {
                    due = None;
                    last_data = Instant::now();
                    self.take_view();
                    self.draw(guard)?;
                }
                changed = changes.changed(), if due.is_none() => {
                    if changed.is_err() {
                        return Ok(Exit::EngineGone);
                    }
                    changes.mark_unchanged();
                    due = Some(Instant::now().max(last_data + PUBLISH_EVERY));
                }
                answered = answer(&mut self.asked), if !self.asked.is_empty() => {
                    self.answered(answered);
                    self.draw(guard)?;
                }
                _ = tick.tick() => {
                    ticks += 1;
                    self.age();
                    // Where time runs as on the wall, a second is what changes on the screen.
                    if self.view.host.speed.is_some() || ticks.is_multiple_of(4) {
                        self.draw(guard)?;
                    }
                }
            }
        }
    }

    /// Takes a newer view, unless the picture is frozen.
    fn take_view(&mut self) {
        let newest = self.handle.view();
        if self.app.frozen.is_some() {
            self.app.newer = newest.seq.saturating_sub(self.view.seq);
            return;
        }
        self.view = newest;
        self.came = Instant::now();
        self.run_clock();
        self.digest = Digest::of(&self.view);
        self.app.anchor(&self.view, &self.digest);
        self.app.hear(&self.view);
    }

    /// The clock goes on between two views: with the wall on a real cluster, and in a demo as many times as fast, for
    /// as long as its engine may be busy with one pass. It never runs backwards.
    fn run_clock(&mut self) {
        let since = self.came.elapsed();
        let on = match self.view.host.speed {
            None => since,
            Some(times) => since.min(RUN_AHEAD) * times,
        };
        let on = SignedDuration::try_from(on).unwrap_or_default();
        let at = self.view.now.checked_add(on).unwrap_or(self.view.now);
        self.shown = at.max(self.shown);
        self.app.ahead = self.shown.duration_since(self.view.now);
    }

    fn age(&mut self) {
        if self.app.frozen.is_none() {
            self.run_clock();
        }
        if self.said.is_some_and(|at| at.elapsed() > Duration::from_secs(8)) {
            self.app.message = None;
            self.said = None;
        }
    }

    fn draw(&mut self, guard: &mut Guard) -> Result<(), UiError> {
        if self.app.message.is_none() {
            self.said = None;
        } else if self.said.is_none() {
            self.said = Some(Instant::now());
        }
        guard.terminal.draw(|f| {
            let area = f.area();
            let picture = frame::draw(&self.view, &self.digest, &self.app, area.width, area.height);
            if picture.area == f.buffer_mut().area {
                *f.buffer_mut() = picture;
            }
        })?;
        Ok(())
    }

    /// True when the person leaves.
    #[expect(clippy::needless_pass_by_value, reason = "an event is taken off the queue")]
    fn event(&mut self, event: Event, guard: &mut Guard) -> Result<bool, UiError> {
        let Event::Key(key) = event else { return Ok(false) };
        if key.kind == KeyEventKind::Release {
            return Ok(false);
        }
        self.said = None;
        let was_frozen = self.app.frozen.is_some();
        let requests = self.app.key(key, &self.view, &self.digest);
        if was_frozen && self.app.frozen.is_none() {
            self.take_view();
        }
        self.app.anchor(&self.view, &self.digest);
        for request in requests {
            match request {
                Request::Quit => return Ok(true),
                Request::Redraw => guard.terminal.clear()?,
                Request::Send(command) => {
                    if let Err(busy) = self.handle.send(&self.app.who, command) {
                        self.app.say(busy.to_string(), Tone::Bad);
                    }
                }
                Request::Ask(query) => match self.handle.ask(query.clone()) {
                    Ok(answer) => self.asked.push((query, answer)),
                    Err(busy) => self.app.say(busy.to_string(), Tone::Bad),
                },
                Request::Copy(text) => {
                    let mut out = std::io::stdout();
                    write!(out, "\x1b]52;c;{}\x07", base64(text.as_bytes()))?;
                    out.flush()?;
                }
                Request::Export { what, file } => self.export(&what, &file),
                Request::Snapshot { format, file } => self.snapshot(&format, &file, guard),
            }
        }
        Ok(false)
    }

    fn snapshot(&mut self, format: &str, file: &str, guard: &Guard) {
        let size = guard.terminal.size().unwrap_or_default();
        let picture = frame::draw(&self.view, &self.digest, &self.app, size.width, size.height);
        let text = match format {
            "svg" => export::svg(&picture, self.app.theme.palette),
            "json" => format!("{}\n", export::json(&picture)),
            _ => export::text(&picture),
        };
        match std::fs::write(file, text) {
            Ok(()) => self.app.say(format!("wrote {file}"), Tone::Good),
            Err(e) => self.app.say(format!("{file}: {e}"), Tone::Bad),
        }
    }

    fn export(&mut self, what: &str, file: &str) {
        let (lines, count) = export::journal(&self.view, what);
        match std::fs::write(file, lines) {
            Ok(()) => self.app.say(
                format!("wrote {} to {file}", words::plural(count, "line")),
                Tone::Good,
            ),
            Err(e) => self.app.say(format!("{file}: {e}"), Tone::Bad),
        }
    }

    fn answered(&mut self, (query, answer): (Query, Option<Answer>)) {
        let about = match &query {
            Query::WhyPending { pod } => format!("Why {pod} waits"),
            Query::WhyNotRemoved { node } => format!("Why {node} stays"),
            Query::Ranking { id } => format!("Ranking of {id}"),
            Query::Yaml {
                kind,
                namespace,
                name,
            } if namespace.is_empty() => format!("{kind} {name}"),
            Query::Yaml {
                kind,
                namespace,
                name,
            } => format!("{kind} {namespace}/{name}"),
        };
        match (answer, query) {
            (Some(Answer::WhyPending(why)), _) => self.app.explained = Explained::Pending(why),
            (Some(Answer::Text(lines)), _) => {
                self.app.go(Screen::Page(Arc::new(Page { title: about, lines })));
            }
            (Some(Answer::Unknown { reason }), Query::WhyPending { pod }) => {
                self.app.explained = Explained::Unknown(pod, reason);
            }
            (Some(Answer::Unknown { reason }), _) => self.app.say(format!("{about}: {reason}"), Tone::Warn),
            (None, _) => self
                .app
                .say(format!("{about}: the engine did not answer"), Tone::Warn),
        }
    }
}

/// The first answer that comes; its question is taken off the list.
async fn answer(asked: &mut Vec<(Query, oneshot::Receiver<Answer>)>) -> (Query, Option<Answer>) {
    let (at, got) = std::future::poll_fn(|cx| {
        for (i, (_, receiver)) in asked.iter_mut().enumerate() {
            if let std::task::Poll::Ready(got) = std::pin::Pin::new(receiver).poll(cx) {
                return std::task::Poll::Ready((i, got.ok()));
            }
        }
        std::task::Poll::Pending
    })
    .await;
    let (query, _) = asked.swap_remove(at);
    (query, got)
}

/// Resolves at the first signal that asks us to end.
async fn signals() {
    use tokio::signal::unix::{SignalKind, signal};
    let wait = |kind| async move {
        match signal(kind) {
            Ok(mut s) => drop(s.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = wait(SignalKind::terminate()) => {}
        () = wait(SignalKind::hangup()) => {}
        () = wait(SignalKind::interrupt()) => {}
    }
}

/// Base64 with padding, for OSC 52.
fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let n = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let sign = SIGNS
                .get((n >> (18 - 6 * i) & 63) as usize)
                .copied()
                .unwrap_or(b'=');
            out.push(if i <= chunk.len() { char::from(sign) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_pads() {
        assert_eq!(
            ["", "f", "fo", "foo", "foob"].map(|t| base64(t.as_bytes())),
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]
        );
    }
}
