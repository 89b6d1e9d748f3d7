//! Manifests as a cluster: `-f FILE|DIR|-`, any mix of YAML and JSON, into a snapshot. The result does not depend on
//! the order of the input, and every mistake is reported, not only the first.

mod build;
mod check;
mod expand;
mod items;
mod read;
mod scaled;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::model::Snapshot;

/// Where manifests come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file, or a folder whose `.yaml`, `.yml` and `.json` files (also `.gz`) are read.
    Path(PathBuf),
    Stdin,
    /// Text at hand, with the name that errors shall use.
    Text {
        name: String,
        text: String,
    },
}

impl Source {
    /// `-` is the standard input.
    pub fn from_arg(arg: &str) -> Self {
        if arg == "-" {
            Self::Stdin
        } else {
            Self::Path(arg.into())
        }
    }
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    pub snapshot: Snapshot,
    /// Kinds that decisions do not use, with their number.
    pub ignored: BTreeMap<String, usize>,
    /// What is legal and yet probably not meant; a pool that run-time validation refuses, for instance.
    pub warnings: Vec<FileError>,
}

/// One mistake: where it is, what it is and how to mend it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileError {
    pub file: String,
    /// Number of the document in the file, from 1; 0 when the file as a whole is meant.
    pub document: usize,
    /// `NodePool/web spec.weight`; empty for a document as a whole.
    pub path: String,
    pub message: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.document > 0 {
            write!(f, ", document {}", self.document)?;
        }
        if !self.path.is_empty() {
            write!(f, ", {}", self.path)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for FileError {}

/// The objects as they are written, of any kind and version; nothing is checked but that they can be read.
pub fn objects(sources: &[Source]) -> Result<Vec<serde_json::Value>, Vec<FileError>> {
    let mut errors = Vec::new();
    let documents = read::documents(sources, &mut errors);
    if errors.is_empty() {
        Ok(documents.into_iter().map(|d| d.value).collect())
    } else {
        Err(errors)
    }
}

/// Reads everything. On failure all mistakes, sorted by file and document.
pub fn load(sources: &[Source]) -> Result<Loaded, Vec<FileError>> {
    let mut errors = Vec::new();
    let documents = read::documents(sources, &mut errors);
    let loaded = build::build(documents, &mut errors);
    if errors.is_empty() {
        Ok(loaded)
    } else {
        errors.sort();
        errors.dedup();
        Err(errors)
    }
}

#[cfg(test)]
mod tests;
