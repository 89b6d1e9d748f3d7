//! Two hashes over the entries (decisions §5): the chain covers everything and stands on every line of a
//! recording; the ledger hash covers what is deterministic, so that two runs can be compared.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use sha2::{Digest, Sha256};

use super::entry::Entry;
use crate::model::Name;

/// One entry as a line of a recording: the entry's JSON plus `hash`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line(pub String);

/// [`Entry`] with the parts that are already text.
#[derive(Serialize)]
struct Written<'e> {
    seq: u64,
    at: Timestamp,
    cause: &'e RawValue,
    body: &'e RawValue,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    note: &'e BTreeMap<Name, serde_json::Value>,
}

/// Running hashes. Feed entries in order.
#[derive(Clone, Debug)]
pub struct Chain {
    link: [u8; 32],
    ledger: Sha256,
    start: Option<Timestamp>,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            link: [0; 32],
            ledger: Sha256::new(),
            start: None,
        }
    }
}

impl Chain {
    /// Takes the entry in and returns its line.
    pub fn push(&mut self, entry: &Entry) -> Line {
        let start = *self.start.get_or_insert(entry.at);
        let since = entry.at.duration_since(start).as_nanos();
        // Plain data with string keys: serialising cannot fail; an empty text would still chain. The body may be a
        // whole catalogue, so it is written once and stands in both texts.
        let raw = |value: serde_json::Result<Box<RawValue>>| value.unwrap_or_default();
        let cause = raw(to_raw_value(&entry.cause));
        let body = raw(to_raw_value(&entry.body));
        self.ledger
            .update(format!("[{},\"{since}\",", entry.seq).as_bytes());
        for part in [cause.get(), ",", body.get(), "]\n"] {
            self.ledger.update(part.as_bytes());
        }
        let json = serde_json::to_string(&Written {
            seq: entry.seq,
            at: entry.at,
            cause: &cause,
            body: &body,
            note: &entry.note,
        })
        .unwrap_or_default();
        self.link = next(&self.link, json.as_bytes());
        let open = json.strip_suffix('}').unwrap_or(&json);
        Line(format!("{open},\"hash\":\"{}\"}}", hex(&self.link)))
    }

    /// Hash over seq, time since start, cause and body of every entry so far.
    pub fn ledger_hash(&self) -> String {
        hex(&self.ledger.clone().finalize())
    }
}

fn next(link: &[u8; 32], json: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(link);
    hash.update(json);
    hash.finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
            let _ = write!(out, "{b:02x}");
            out
        })
}

/// Checks lines one after the other.
#[derive(Clone, Debug, Default)]
pub struct Verifier {
    link: [u8; 32],
}

impl Verifier {
    /// True when the line's hash is the chain's next link. Works on the text, so that a line is judged as it was
    /// written and not as a newer version would write it.
    pub fn accepts(&mut self, line: &str) -> bool {
        let Some((open, rest)) = line.rsplit_once(",\"hash\":\"") else {
            return false;
        };
        let Some(said) = rest.strip_suffix("\"}") else {
            return false;
        };
        self.link = next(&self.link, format!("{open}}}").as_bytes());
        hex(&self.link) == said
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Body, Cause};

    fn entry(seq: u64, second: i64, revision: u64) -> Entry {
        Entry {
            seq,
            at: Timestamp::from_second(1_767_600_000 + second).expect("in range"),
            cause: Cause::Engine,
            body: Body::Checkpoint { revision },
            note: BTreeMap::new(),
        }
    }

    #[test]
    fn a_changed_or_missing_line_breaks_the_chain() {
        let mut chain = Chain::default();
        let lines: Vec<Line> = (0..3).map(|i| chain.push(&entry(i, 0, i))).collect();
        let check = |lines: &[String]| {
            let mut v = Verifier::default();
            lines.iter().all(|l| v.accepts(l))
        };
        let texts: Vec<String> = lines.into_iter().map(|l| l.0).collect();
        assert!(check(&texts));
        let mut edited = texts.clone();
        edited[1] = edited[1].replace("\"revision\":1", "\"revision\":9");
        assert!(!check(&edited));
        assert!(!check(&texts[1..]));
    }

    #[test]
    fn a_line_is_the_entry_and_its_hash() {
        let mut noted = entry(7, 3, 1);
        noted.note.insert("micros".into(), 5.into());
        for entry in [noted, entry(8, 4, 2)] {
            let line = Chain::default().push(&entry).0;
            let plain = serde_json::to_string(&entry).expect("json");
            assert!(line.starts_with(plain.trim_end_matches('}')), "{line}");
            assert_eq!(serde_json::from_str::<Entry>(&plain).expect("entry"), entry);
        }
    }

    #[test]
    fn the_ledger_hash_ignores_notes_and_the_start_instant() {
        let (mut a, mut b, mut c) = (Chain::default(), Chain::default(), Chain::default());
        for i in 0..3 {
            a.push(&entry(i, 0, 1));
            let mut noted = entry(i, 1000, 1);
            noted.note.insert("micros".into(), 5.into());
            b.push(&noted);
            c.push(&entry(i, 0, 2));
        }
        assert_eq!(a.ledger_hash(), b.ledger_hash());
        assert_ne!(a.ledger_hash(), c.ledger_hash());
    }
}
