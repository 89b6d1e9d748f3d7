//! Tracing layers: where the log goes, how much of it, and in which form.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal};
use std::path::Path;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// One line a message for people, or one JSON object a line for collectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// How a process logs.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogOptions<'a> {
    /// Steps above `base`.
    pub verbose: u8,
    /// The file to append to; standard error without one.
    pub file: Option<&'a Path>,
    /// Without a file, say nothing: a dashboard owns the terminal.
    pub quiet: bool,
    pub format: LogFormat,
    /// What is logged without `-v`: `warn` when empty.
    pub base: &'a str,
}

/// Sets the process's log up. `RUST_LOG` wins over everything else.
///
/// # Errors
/// When the log file cannot be opened.
pub fn init(options: &LogOptions<'_>) -> io::Result<()> {
    const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];
    let base = if options.base.is_empty() {
        "warn"
    } else {
        options.base
    };
    let base = LEVELS.iter().position(|l| *l == base).unwrap_or(1);
    let level = LEVELS
        .get(base + usize::from(options.verbose))
        .copied()
        .unwrap_or("trace");
    // What the client meets is told by whoever asked it, with the way to mend it.
    let quiet = if options.verbose == 0 {
        ",kube_client=off"
    } else {
        ""
    };
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(format!("{level}{quiet}")));
    let writer = match options.file {
        Some(path) => {
            let file = OpenOptions::new().create(true).append(true).open(path)?;
            BoxMakeWriter::new(file)
        }
        None if options.quiet => return Ok(()),
        None => BoxMakeWriter::new(io::stderr),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(options.file.is_none() && io::stderr().is_terminal())
        .with_writer(writer);
    // A second call, as tests make, changes nothing.
    match options.format {
        LogFormat::Text => drop(builder.try_init()),
        LogFormat::Json => drop(builder.json().flatten_event(true).try_init()),
    }
    Ok(())
}
