//! Maintainer commands: `cargo xtask <command>`.

mod facts;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let result = match args.next().as_deref() {
        Some("facts") => facts::run(args),
        _ => Err(format!("usage: cargo xtask facts …\n\n{}", facts::USAGE)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("{trouble}");
            ExitCode::FAILURE
        }
    }
}
