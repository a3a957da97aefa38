//! The command.

use std::process::ExitCode;

/// A run over many files is a million short-lived values on all threads: a quarter of its time in the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    overgrant::cli::main(std::env::args_os())
}
