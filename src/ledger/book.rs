//! The open ledger: appends entries, keeps the hashes, folds the view, feeds the recorder.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::chain::{Chain, Line};
use super::entry::{Body, Cause, Entry};
use super::recorder::Recorder;
use super::view::View;
use crate::model::Name;

/// Told of every entry with its line as recorded; prints headless runs.
pub type Listener = Box<dyn FnMut(&Entry, &Line)>;

/// Owned by the engine; nobody else appends.
pub struct Book {
    chain: Chain,
    next: u64,
    view: View,
    recorder: Option<Recorder>,
    listener: Option<Listener>,
    /// All lines so far, while they are kept for a recording that may begin late.
    kept: Option<Vec<Line>>,
    kept_bytes: usize,
}

/// A run whose lines are longer than this can no longer be recorded from its beginning.
const KEEP: usize = 96 << 20;

impl std::fmt::Debug for Book {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Book")
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl Book {
    pub fn new(recorder: Option<Recorder>, listener: Option<Listener>) -> Self {
        Self {
            chain: Chain::default(),
            next: 0,
            view: View::default(),
            recorder,
            listener,
            kept: None,
            kept_bytes: 0,
        }
    }

    /// Keeps what it writes, so that [`Book::record`] can begin late and still be whole.
    pub fn keeping(mut self) -> Self {
        self.kept = Some(Vec::new());
        self
    }

    /// Starts a recording of the run from its first entry.
    ///
    /// # Errors
    /// When the file cannot be written, or too much has happened to go back to the beginning.
    pub fn record(&mut self, path: &std::path::Path) -> std::io::Result<()> {
        let kept = self.kept.as_ref().ok_or_else(|| {
            std::io::Error::other(
                "the run is too long to be recorded from its beginning: start it with --record",
            )
        })?;
        let recorder = Recorder::create(path)?;
        for line in kept {
            if !recorder.write(line.clone()) {
                return recorder.close();
            }
        }
        self.recorder = Some(recorder);
        Ok(())
    }

    fn keep(&mut self, line: &Line) {
        let Some(kept) = &mut self.kept else { return };
        self.kept_bytes += line.0.len();
        if self.kept_bytes > KEEP {
            self.kept = None;
        } else {
            kept.push(line.clone());
        }
    }

    pub fn append(&mut self, at: Timestamp, cause: Cause, body: Body) {
        self.append_with(at, cause, body, BTreeMap::new());
    }

    /// With measured things beside the deterministic body.
    pub fn append_with(
        &mut self,
        at: Timestamp,
        cause: Cause,
        body: Body,
        note: BTreeMap<Name, serde_json::Value>,
    ) {
        let entry = Arc::new(Entry {
            seq: self.next,
            at,
            cause,
            body,
            note,
        });
        self.next += 1;
        let line = self.chain.push(&entry);
        self.view.fold(&entry);
        self.keep(&line);
        if let Some(listener) = &mut self.listener {
            listener(&entry, &line);
        }
        if self.recorder.as_ref().is_some_and(|r| !r.write(line)) {
            tracing::error!("recording stopped: the file cannot be written");
            self.recorder = None;
            self.view.host.recording = None;
        }
    }

    pub fn view(&self) -> &View {
        &self.view
    }

    /// For facts about the host that are no entries.
    pub fn view_mut(&mut self) -> &mut View {
        &mut self.view
    }

    pub fn ledger_hash(&self) -> String {
        self.chain.ledger_hash()
    }

    /// Closes the recording.
    ///
    /// # Errors
    /// The first failed write.
    pub fn close(&mut self) -> std::io::Result<()> {
        self.recorder.take().map_or(Ok(()), Recorder::close)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Policies;
    use crate::ledger::reader;

    #[test]
    fn a_recording_that_begins_late_is_whole() {
        let path = std::env::temp_dir().join(format!("kerf-late-{}.kerf", std::process::id()));
        let mut book = Book::new(None, None).keeping();
        let at = Timestamp::UNIX_EPOCH;
        for revision in 0..5 {
            book.append(at, Cause::Engine, Body::Checkpoint { revision });
        }
        book.record(&path).expect("file");
        book.append(at, Cause::Engine, Body::Checkpoint { revision: 5 });
        book.close().expect("written");
        let verified = reader::verify(&path).expect("verified");
        assert_eq!((verified.entries, verified.broken_at), (6, None));
        assert_eq!(verified.ledger_hash, book.ledger_hash());
        assert!(Book::new(None, None).record(&path).is_err(), "nothing was kept");
        std::fs::remove_file(&path).expect("clean");
    }

    #[test]
    fn a_recording_reads_back_verifies_and_survives_a_torn_end() {
        let dir = std::env::temp_dir().join(format!("kerf-book-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("temp dir");
        let path = dir.join("run.kerf");
        let mut book = Book::new(Some(Recorder::create(&path).expect("file")), None);
        let at = Timestamp::UNIX_EPOCH;
        let started = Body::Started {
            source: "test".into(),
            region: "r".into(),
            policies: Policies::default(),
        };
        book.append(at, Cause::Engine, started);
        for revision in 0..100 {
            book.append(at, Cause::Engine, Body::Checkpoint { revision });
        }
        book.close().expect("written");
        assert_eq!(reader::entries(&path).expect("entries").len(), 101);
        let verified = reader::verify(&path).expect("verified");
        assert_eq!((verified.broken_at, verified.torn), (None, false));
        assert_eq!(verified.ledger_hash, book.ledger_hash());

        let mut bytes = std::fs::read(&path).expect("file");
        let whole = bytes.clone();
        bytes.extend_from_slice(&whole[..whole.len() / 2]);
        std::fs::write(&path, bytes).expect("write");
        let torn = reader::verify(&path).expect("verified");
        assert!(torn.torn);
        assert_eq!(torn.entries, 101);
        std::fs::remove_dir_all(&dir).expect("clean");
    }
}
