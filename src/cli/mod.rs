//! One file a command; builds an engine and a face for it. The contract is commands.md: flags, exit codes, JSON.

mod args;
mod completions;
pub mod consolidate;
mod convert;
mod decide;
mod demo;
mod error;
mod explain;
mod face;
mod headless;
mod inputs;
pub mod instance_types;
mod logging;
pub mod manifests;
mod paper;
pub mod plan;
pub mod run;
mod scenarios;
mod snapshot;
mod stage;
mod supervised;
mod verify;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;

pub use args::{Cli, Command, Output};
pub use error::CliError;

/// Parses, runs, reports. 0 done · 1 the answer is "no" · 2 bad usage or input · 3 the outside failed.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            // A closed pipe is no reason to fail a help text.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            // It may name what a file or a cluster holds; nothing of that drives the terminal.
            let text = error.to_string();
            let lines: Vec<_> = text.lines().map(crate::words::clean).collect();
            let _ = writeln!(std::io::stderr(), "kerf: {}", lines.join("\n"));
            ExitCode::from(error.code())
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, CliError> {
    let output = cli.output.unwrap_or(if std::io::stdout().is_terminal() {
        Output::Text
    } else {
        Output::Json
    });
    let paper = paper::Paper::of_stdout(cli.color);
    match cli.command.unwrap_or_else(|| Command::Demo(Box::default())) {
        Command::Demo(demo) => demo::run(&demo, &cli.logging, cli.output),
        Command::Run(run) => run::run(&run, &cli.logging, cli.output),
        Command::Plan(plan) => decide::plan(&plan, output, &paper),
        Command::Explain(args) => explain::run(&args, output, &paper),
        Command::Consolidate(args) => decide::consolidate(&args, output),
        Command::Convert { file } => convert::run(&file, cli.output),
        Command::Manifests(args) => manifests::run(&args),
        Command::Snapshot(args) => snapshot::run(&args),
        Command::Scenarios => scenarios::run(output),
        Command::Verify { file } => verify::run(&file, output),
        Command::Completions { shell } => completions::completions(shell),
        Command::Man => completions::man(),
    }
}

/// Writes to standard output; a reader that went away ends the program quietly.
fn print(text: &str) -> Result<ExitCode, CliError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CliError::Outside(format!("standard output: {e}")))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}
