//! Parse the command line, run, turn an error into one message and an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    kerf::cli::main()
}
