//! Reads a recording frame by frame; a torn last frame is dropped.

use std::io;
use std::path::{Path, PathBuf};

use super::chain::Verifier;
use super::entry::Entry;

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} is not a recording: it does not start with a zstd frame", .0.display())]
    NotARecording(PathBuf),
    #[error("{} holds no entry", .0.display())]
    Empty(PathBuf),
    #[error("{} line {line}: {message}", path.display())]
    BadLine {
        path: PathBuf,
        line: u64,
        message: String,
    },
}

/// All lines of a recording, and whether the last frame was torn.
#[derive(Debug)]
pub struct Lines {
    pub lines: Vec<String>,
    pub torn: bool,
}

/// What [`verify`] found.
#[derive(Debug, PartialEq, Eq)]
pub struct Verified {
    pub entries: u64,
    pub torn: bool,
    /// 1-based line where the chain breaks.
    pub broken_at: Option<u64>,
    /// Ledger hash of the entries before the break.
    pub ledger_hash: String,
}

/// # Errors
/// When the file cannot be read or is no recording.
pub fn lines(path: &Path) -> Result<Lines, ReadError> {
    let data = std::fs::read(path).map_err(|source| ReadError::Io {
        path: path.into(),
        source,
    })?;
    let mut out = Lines {
        lines: Vec::new(),
        torn: false,
    };
    let mut rest = data.as_slice();
    while !rest.is_empty() {
        let text = zstd::zstd_safe::find_frame_compressed_size(rest)
            .ok()
            .filter(|n| *n > 0 && *n <= rest.len())
            .and_then(|n| Some((n, zstd::stream::decode_all(&rest[..n]).ok()?)));
        let Some((size, text)) = text else {
            if rest.len() == data.len() {
                return Err(ReadError::NotARecording(path.into()));
            }
            out.torn = true;
            break;
        };
        rest = &rest[size..];
        out.lines
            .extend(String::from_utf8_lossy(&text).lines().map(str::to_owned));
    }
    if out.lines.is_empty() {
        return Err(ReadError::Empty(path.into()));
    }
    Ok(out)
}

/// # Errors
/// As [`lines`], or when a line is no entry.
pub fn entries(path: &Path) -> Result<Vec<Entry>, ReadError> {
    let read = lines(path)?;
    read.lines
        .iter()
        .zip(1..)
        .map(|(text, line)| parse(path, line, text))
        .collect()
}

fn parse(path: &Path, line: u64, text: &str) -> Result<Entry, ReadError> {
    serde_json::from_str(text).map_err(|e| ReadError::BadLine {
        path: path.into(),
        line,
        message: e.to_string(),
    })
}

/// Walks the hash chain.
///
/// # Errors
/// As [`lines`]; a broken chain is an answer, not an error.
pub fn verify(path: &Path) -> Result<Verified, ReadError> {
    let read = lines(path)?;
    let (mut verifier, mut chain) = (Verifier::default(), super::chain::Chain::default());
    let mut broken_at = None;
    for (text, line) in read.lines.iter().zip(1..) {
        if !verifier.accepts(text) {
            broken_at = Some(line);
            break;
        }
        chain.push(&parse(path, line, text)?);
    }
    Ok(Verified {
        entries: read.lines.len() as u64,
        torn: read.torn,
        broken_at,
        ledger_hash: chain.ledger_hash(),
    })
}
