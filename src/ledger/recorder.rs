//! Writes a recording: JSON Lines in concatenated zstd frames, on a thread of its own so that no decision waits
//! for a disk. `zstdcat run.kerf | jq` reads it.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::chain::Line;

/// A frame is closed at this size, or when nothing came for [`IDLE`].
const FRAME: usize = 1 << 20;
const IDLE: Duration = Duration::from_secs(1);
/// Lines that may wait for a slow disk before the engine has to.
const BACKLOG: usize = 65_536;

/// An open recording. Dropping it writes the last frame.
#[derive(Debug)]
pub struct Recorder {
    lines: Option<mpsc::SyncSender<Line>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Recorder {
    /// Creates the file anew.
    ///
    /// # Errors
    /// What creating the file or the thread gives.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut file = File::create(path)?;
        let (lines, inbox) = mpsc::sync_channel::<Line>(BACKLOG);
        let thread = std::thread::Builder::new()
            .name("recorder".into())
            .spawn(move || {
                let mut frame = Vec::with_capacity(FRAME + 4096);
                loop {
                    match inbox.recv_timeout(IDLE) {
                        Ok(line) => {
                            frame.extend_from_slice(line.0.as_bytes());
                            frame.push(b'\n');
                            if frame.len() >= FRAME {
                                write_frame(&mut file, &mut frame)?;
                            }
                        }
                        Err(mpsc::RecvTimeoutError::Timeout) => write_frame(&mut file, &mut frame)?,
                        Err(mpsc::RecvTimeoutError::Disconnected) => {
                            write_frame(&mut file, &mut frame)?;
                            return file.flush();
                        }
                    }
                }
            })?;
        Ok(Self {
            lines: Some(lines),
            thread: Some(thread),
        })
    }

    /// False once the disk has failed; the run goes on without a recording.
    pub fn write(&self, line: Line) -> bool {
        self.lines.as_ref().is_some_and(|l| l.send(line).is_ok())
    }

    /// Writes what is left and reports what went wrong on the way.
    ///
    /// # Errors
    /// The first failed write.
    pub fn close(mut self) -> io::Result<()> {
        self.finish()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.lines = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(io::Error::other("the recorder stopped")),
            None => Ok(()),
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Err(error) = self.finish() {
            tracing::error!(%error, "the recording is incomplete");
        }
    }
}

fn write_frame(file: &mut File, frame: &mut Vec<u8>) -> io::Result<()> {
    if !frame.is_empty() {
        file.write_all(&zstd::bulk::compress(frame, 3)?)?;
        file.flush()?;
        frame.clear();
    }
    Ok(())
}
