//! The command.

use std::process::ExitCode;

fn main() -> ExitCode {
    overgrant::cli::main(std::env::args_os())
}
