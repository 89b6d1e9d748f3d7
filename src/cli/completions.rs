//! `kerf completions SHELL` and `kerf man`.

use std::process::ExitCode;

use clap::CommandFactory;

use super::{Cli, CliError, print};

pub fn completions(shell: clap_complete::Shell) -> Result<ExitCode, CliError> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kerf", &mut out);
    print(&String::from_utf8_lossy(&out))
}

pub fn man() -> Result<ExitCode, CliError> {
    let mut out = Vec::new();
    let page =
        |error: std::io::Error| CliError::Outside(format!("the manual page could not be made: {error}"));
    clap_mangen::Man::new(Cli::command())
        .render(&mut out)
        .map_err(page)?;
    for command in Cli::command().get_subcommands() {
        clap_mangen::Man::new(command.clone())
            .render(&mut out)
            .map_err(page)?;
    }
    print(&String::from_utf8_lossy(&out))
}
