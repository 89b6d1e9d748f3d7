//! The flags of the log, alike for every command.

use std::path::PathBuf;

use clap::Args;

use super::CliError;
use crate::telemetry::{LogFormat, LogOptions};

#[derive(Clone, Debug, Default, Args)]
pub struct Logging {
    /// Log more; twice for debug, three times for trace
    #[arg(short, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Write the log to this file instead of standard error
    #[arg(long, global = true, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
}

impl Logging {
    /// Starts the process's log; `quiet` without a file keeps the terminal clean.
    pub fn start(&self, quiet: bool, format: LogFormat, base: &str) -> Result<(), CliError> {
        let file = self.log_file.as_deref();
        let verbose = self.verbose;
        let options = LogOptions {
            verbose,
            file,
            quiet,
            format,
            base,
        };
        crate::telemetry::init(&options).map_err(|e| CliError::Input(format!("--log-file: {e}")))
    }
}
