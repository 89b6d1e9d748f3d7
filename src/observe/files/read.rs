//! Files into documents.

use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

use super::{FileError, Source};

/// Largest file, as it lies on the disk.
const LARGEST: u64 = 10 << 20;
/// Largest text that a compressed file may hold.
const LARGEST_UNPACKED: u64 = 256 << 20;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// One object with its place.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub file: String,
    pub number: usize,
    pub value: Value,
}

pub(super) fn documents(sources: &[Source], errors: &mut Vec<FileError>) -> Vec<Document> {
    let mut out = Vec::new();
    for source in sources {
        match source {
            Source::Text { name, text } => parse(name, text, &mut out, errors),
            Source::Stdin => {
                let mut bytes = Vec::new();
                match std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes) {
                    Ok(_) => bytes_of("standard input", &bytes, &mut out, errors),
                    Err(error) => errors.push(whole("standard input", format!("cannot be read: {error}"))),
                }
            }
            Source::Path(path) if path.is_dir() => folder(path, &mut out, errors),
            Source::Path(path) => file(path, &mut out, errors),
        }
    }
    out
}

fn whole(file: &str, message: String) -> FileError {
    FileError {
        file: file.to_owned(),
        message,
        ..FileError::default()
    }
}

fn folder(path: &Path, out: &mut Vec<Document>, errors: &mut Vec<FileError>) {
    let name = path.display().to_string();
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => return errors.push(whole(&name, format!("cannot be read: {error}"))),
    };
    let mut files: Vec<_> = entries
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| {
            let name = p.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            let name = name.strip_suffix(".gz").unwrap_or(name);
            let extension = Path::new(name).extension().and_then(|e| e.to_str());
            p.is_file() && matches!(extension, Some("yaml" | "yml" | "json"))
        })
        .collect();
    files.sort();
    if files.is_empty() {
        errors.push(whole(
            &name,
            "holds no .yaml, .yml or .json file: name a folder that does".into(),
        ));
    }
    for path in files {
        file(&path, out, errors);
    }
}

fn file(path: &Path, out: &mut Vec<Document>, errors: &mut Vec<FileError>) {
    let name = path.display().to_string();
    match fs::metadata(path) {
        Ok(facts) if facts.len() > LARGEST => return errors.push(too_large(&name)),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return errors.push(whole(&name, "no such file or folder".into()));
        }
        Err(error) => return errors.push(whole(&name, format!("cannot be read: {error}"))),
    }
    match fs::read(path) {
        Ok(bytes) => bytes_of(&name, &bytes, out, errors),
        Err(error) => errors.push(whole(&name, format!("cannot be read: {error}"))),
    }
}

fn too_large(name: &str) -> FileError {
    whole(
        name,
        "is larger than 10 MB: split it, or compress it with gzip".into(),
    )
}

fn bytes_of(name: &str, bytes: &[u8], out: &mut Vec<Document>, errors: &mut Vec<FileError>) {
    if bytes.len() as u64 > LARGEST {
        return errors.push(too_large(name));
    }
    let mut text = String::new();
    let read = if bytes.starts_with(&GZIP) {
        GzDecoder::new(bytes)
            .take(LARGEST_UNPACKED)
            .read_to_string(&mut text)
    } else {
        let mut bytes = bytes;
        bytes.read_to_string(&mut text)
    };
    match read {
        Ok(_) => parse(name, &text, out, errors),
        Err(error) => errors.push(whole(name, format!("is neither text nor gzip: {error}"))),
    }
}

fn parse(name: &str, text: &str, out: &mut Vec<Document>, errors: &mut Vec<FileError>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let before = (out.len(), errors.len());
    if text.trim_start().starts_with(['{', '[']) && json(name, text, out) {
        return;
    }
    let mut number = 0;
    for (line, part) in split(text) {
        let empty = part.lines().all(|l| {
            let l = l.trim_start();
            l.is_empty() || l.starts_with('#') || l.starts_with("---") || l.starts_with('%')
        });
        if empty {
            continue;
        }
        number += 1;
        let options = serde_saphyr::options! { budget: None, strict_booleans: true };
        match serde_saphyr::from_str_with_options::<Value>(&part, options) {
            Ok(Value::Null) => {}
            Ok(value) => out.push(Document {
                file: name.to_owned(),
                number,
                value,
            }),
            Err(error) => {
                let place = error.location().map_or_else(String::new, |l| {
                    format!("line {}, column {}: ", l.line() + line, l.column())
                });
                let what = error.without_snippet().to_string();
                errors.push(FileError {
                    file: name.to_owned(),
                    document: number,
                    path: String::new(),
                    message: format!(
                        "{place}not valid YAML: {}",
                        what.lines().next().unwrap_or_default()
                    ),
                });
            }
        }
    }
    if before == (out.len(), errors.len()) {
        errors.push(whole(name, "holds no object: it is empty".into()));
    }
}

/// One or several JSON values after each other; false when it is no JSON, which YAML may still be.
fn json(name: &str, text: &str, out: &mut Vec<Document>) -> bool {
    let Ok(values) = serde_json::Deserializer::from_str(text)
        .into_iter::<Value>()
        .collect::<Result<Vec<_>, _>>()
    else {
        return false;
    };
    for (i, value) in values.into_iter().enumerate() {
        out.push(Document {
            file: name.to_owned(),
            number: i + 1,
            value,
        });
    }
    true
}

/// (lines before it, text) of each document of a YAML stream.
fn split(text: &str) -> Vec<(u64, String)> {
    let mut out = vec![(0, String::new())];
    for (line, content) in (0_u64..).zip(text.split_inclusive('\n')) {
        let marker = content
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']));
        if marker {
            out.push((line, String::new()));
        }
        if let Some((_, part)) = out.last_mut() {
            part.push_str(content);
        }
    }
    out
}
