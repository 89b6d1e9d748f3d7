//! Tracing layers: where the log goes and how much of it.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use tracing_subscriber::EnvFilter;

/// Sets the process's log up. `RUST_LOG` wins over `-v`. Without a file it goes to standard error, or nowhere
/// when `quiet` (a dashboard owns the terminal).
///
/// # Errors
/// When the log file cannot be opened.
pub fn init(verbose: u8, file: Option<&Path>, quiet: bool) -> io::Result<()> {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false);
    // A second call, as tests make, changes nothing.
    match file {
        Some(path) => {
            let file = OpenOptions::new().create(true).append(true).open(path)?;
            drop(builder.with_ansi(false).with_writer(file).try_init());
        }
        None if !quiet => drop(builder.with_writer(io::stderr).try_init()),
        None => {}
    }
    Ok(())
}
