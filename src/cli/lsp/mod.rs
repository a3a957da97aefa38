//! `overgrant lsp`: the language server.
//!
//! **Invariant:** what the server says of texts is what `overgrant check` says of the same texts on disk; no message ends it
//! but `exit`, and it ends with its input.

mod actions;
mod capabilities;
mod completion;
mod cursor;
mod definition;
mod describe;
mod found;
mod hover;
mod part;
mod server;
mod text;
mod transport;
mod uri;
mod workspace;

use std::io;
use std::process::ExitCode;
use std::sync::mpsc;

use clap::Args;

use super::CliFailure;

/// Run the language server for editors
///
/// It speaks the Language Server Protocol over standard input and output. Editors start it: see "Editors" in the documentation.
#[derive(Debug, Args)]
pub(super) struct LspArgs {
    /// Accepted for editors that pass it; there is no other way
    #[arg(long, hide = true)]
    stdio: bool,
    /// Accepted for editors that pass it; the server ends with its input
    #[arg(long, hide = true, value_name = "PID", alias = "clientProcessId")]
    client_process_id: Option<u32>,
}

impl LspArgs {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        let (to, from) = mpsc::channel();
        // It waits for input, also when the server has ended: it is not joined.
        std::thread::spawn(move || transport::read_all(io::stdin().lock(), &to));
        let ended = server::Server::new(io::stdout().lock()).run(&from);
        match ended {
            Ok(is_in_order) => Ok(ExitCode::from(u8::from(!is_in_order))),
            // Nobody reads: there is nobody to tell.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
            Err(source) => Err(CliFailure::Io {
                what: "cannot write to standard output".to_owned(),
                source,
            }),
        }
    }
}
