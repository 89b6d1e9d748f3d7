//! The embedded world's disk: one redb file with tables by name. Nothing waits for the disk, since the fault that
//! is rehearsed is a killed process, not a lost machine (decisions §3).

use std::fmt;
use std::fs::OpenOptions;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{BackendError, Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition};

/// The folder of `--state` cannot be used, or a read or write of it failed.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("cannot open the state folder {folder}: {why}")]
    Open { folder: String, why: String },
    #[error("the state file cannot be read or written: {0}")]
    Storage(String),
    #[error("the state file holds an object of {0} that cannot be read")]
    Damaged(String),
}

/// One change of one key: `None` removes it.
pub struct Put<'a> {
    pub table: &'a str,
    pub key: &'a str,
    pub value: Option<&'a [u8]>,
}

/// Cheap to clone; every clone is the same file.
#[derive(Clone)]
pub struct StateFile(Arc<Database>);

impl fmt::Debug for StateFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateFile")
    }
}

impl StateFile {
    /// Opens or makes `DIR/world.redb`; fails when another process holds it.
    pub fn open(dir: &Path) -> Result<Self, StateError> {
        let fail = |why: String| StateError::Open {
            folder: dir.display().to_string(),
            why,
        };
        std::fs::create_dir_all(dir).map_err(|e| fail(e.to_string()))?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(dir.join("world.redb"))
            .map_err(|e| fail(e.to_string()))?;
        let backend = FileBackend::new(file).map_err(|e| fail(e.to_string()))?;
        let database = Database::builder()
            .create_with_backend(Unsynced(backend))
            .map_err(|e| fail(e.to_string()))?;
        Ok(Self(Arc::new(database)))
    }

    pub fn put(&self, table: &str, key: &str, value: &[u8]) -> Result<(), StateError> {
        self.write(&[Put {
            table,
            key,
            value: Some(value),
        }])
    }

    pub fn remove(&self, table: &str, key: &str) -> Result<(), StateError> {
        self.write(&[Put {
            table,
            key,
            value: None,
        }])
    }

    /// All of them or none.
    pub fn write(&self, changes: &[Put<'_>]) -> Result<(), StateError> {
        let transaction = self.0.begin_write().map_err(storage)?;
        for change in changes {
            let definition: TableDefinition<'_, &str, &[u8]> = TableDefinition::new(change.table);
            let mut table = transaction.open_table(definition).map_err(storage)?;
            match change.value {
                Some(value) => table.insert(change.key, value).map_err(storage)?,
                None => table.remove(change.key).map_err(storage)?,
            };
        }
        transaction.commit().map_err(storage)
    }

    /// Everything in a table, by key; nothing when there is no such table.
    pub fn load(&self, table: &str) -> Result<Vec<(String, Vec<u8>)>, StateError> {
        let transaction = self.0.begin_read().map_err(storage)?;
        let definition: TableDefinition<'_, &str, &[u8]> = TableDefinition::new(table);
        let table = match transaction.open_table(definition) {
            Ok(table) => table,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            Err(e) => return Err(storage(e)),
        };
        table
            .iter()
            .map_err(storage)?
            .map(|row| {
                let (key, value) = row.map_err(storage)?;
                Ok((key.value().to_owned(), value.value().to_vec()))
            })
            .collect()
    }
}

#[allow(clippy::needless_pass_by_value)]
fn storage(error: impl fmt::Display) -> StateError {
    StateError::Storage(error.to_string())
}

/// The file itself, without waiting for the disk.
#[derive(Debug)]
struct Unsynced(FileBackend);

impl StorageBackend for Unsynced {
    fn len(&self) -> Result<u64, std::io::Error> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> Result<(), std::io::Error> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        self.0.write(offset, data)
    }

    fn close(&self) -> Result<(), std::io::Error> {
        self.0.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.query_lock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> std::path::PathBuf {
        let dir = std::env::temp_dir().join(format!("kerf-state-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        dir
    }

    #[test]
    fn what_was_written_is_there_after_reopening() {
        let dir = folder("reopen");
        let state = StateFile::open(&dir).unwrap();
        assert!(state.load("objects").unwrap().is_empty());
        state.put("objects", "b", b"2").unwrap();
        state.put("objects", "a", b"1").unwrap();
        state.put("meta", "version", b"2").unwrap();
        state.remove("objects", "b").unwrap();
        drop(state);
        let state = StateFile::open(&dir).unwrap();
        assert_eq!(state.load("objects").unwrap(), [("a".to_owned(), b"1".to_vec())]);
        drop(state);
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_folder_that_is_a_file_is_refused_by_name() {
        let dir = folder("file");
        std::fs::write(&dir, "x").unwrap();
        let error = StateFile::open(&dir).unwrap_err().to_string();
        assert!(error.contains(&dir.display().to_string()), "{error}");
        std::fs::remove_file(&dir).unwrap();
    }
}
