//! The command line.
//!
//! **Invariant:** findings go to standard output, everything else to standard error; the exit code is 0 when nothing is to
//! be done, 1 for findings that count or a supported input that could not be read, 2 when the run could not do its work; the
//! same for every format.

mod baseline;
mod can;
mod check;
mod clock;
mod completions;
mod config;
mod contracts;
mod detail;
mod diff;
mod evidence;
mod fix;
mod git;
mod governed;
mod graph;
mod ignore;
mod init;
mod input;
mod lsp;
mod mcp;
mod needs;
mod paths;
mod policies;
mod question;
mod repositories;
mod rules;
mod run;
mod terminal;
mod unmatched;
mod watch;
mod who_can;
mod workloads;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::discover;
use crate::settings::Fault;
use crate::source::visible;

/// Finds where a repository grants more AWS access than it should, offline, on the exact token.
#[derive(Debug, Parser)]
#[command(name = "overgrant", version = version(), arg_required_else_help = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check files and folders
    Check(Box<check::CheckArgs>),
    Fix(Box<check::FixArgs>),
    Diff(Box<diff::DiffArgs>),
    Explain(rules::Explain),
    Rules(rules::Rules),
    Policies(Box<policies::Policies>),
    Needs(Box<needs::NeedsArgs>),
    Workloads(Box<workloads::WorkloadsArgs>),
    Paths(Box<paths::PathsArgs>),
    Graph(Box<graph::GraphArgs>),
    Can(Box<can::CanArgs>),
    WhoCan(Box<who_can::WhoCanArgs>),
    Contracts(Box<contracts::ContractsArgs>),
    Evidence(evidence::EvidenceCommand),
    Files(Box<policies::Files>),
    Expand(policies::ExpandArgs),
    Config(config::Config),
    Ignore(ignore::Ignore),
    Init(init::Init),
    Baseline(Box<baseline::BaselineCommand>),
    TestRules(rules::TestRules),
    Lsp(lsp::LspArgs),
    Mcp(mcp::McpArgs),
    Completions(completions::Completions),
    Man(config::Man),
}

/// Why the run could not do its work: exit code 2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliFailure {
    #[error("{0}")]
    Path(#[from] discover::PathFailure),
    #[error("{0}")]
    Git(#[from] discover::GitFailure),
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nerror: "))]
    Settings(Vec<Fault>),
    #[error("{0}")]
    Usage(String),
    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },
}

/// Writes a file that was asked for.
fn write_file(path: impl AsRef<Path>, text: &str) -> Result<(), CliFailure> {
    let path = path.as_ref();
    std::fs::write(path, text).map_err(|source| CliFailure::Io {
        what: format!("cannot write {}", discover::with_forward_slashes(path)),
        source,
    })
}

/// Version and the date of the facts about AWS.
fn version() -> String {
    format!(
        "{} (AWS data of {})",
        env!("CARGO_PKG_VERSION"),
        crate::iam::catalogue().data_date()
    )
}

/// The command line as clap has it, for tests of its help.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Runs the command with these arguments, the program's name first.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(e) => {
            let code = if e.use_stderr() { 2 } else { 0 };
            // Names of files may be among the arguments, and the message cites them.
            match args
                .iter()
                .all(|arg| visible(&arg.to_string_lossy()) == arg.to_string_lossy())
            {
                // A closed pipe is no one to tell.
                true => drop(e.print()),
                false => terminal::note(&e.to_string()),
            }
            return ExitCode::from(code);
        }
    };
    // The panic hook has said where; what is left is to say what to do.
    let done = std::panic::catch_unwind(|| run(cli.command));
    match done {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => {
            terminal::note(&format!("error: {failure}"));
            ExitCode::from(2)
        }
        Err(_) => {
            terminal::note("internal error; please report it with the file that caused it");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> Result<ExitCode, CliFailure> {
    match command {
        Command::Check(c) => c.run(),
        Command::Fix(c) => c.run(),
        Command::Diff(c) => c.run(),
        Command::Explain(c) => c.run(),
        Command::Rules(c) => c.run(),
        Command::Policies(c) => c.run(),
        Command::Needs(c) => c.run(),
        Command::Workloads(c) => c.run(),
        Command::Paths(c) => c.run(),
        Command::Graph(c) => c.run(),
        Command::Can(c) => c.run(),
        Command::WhoCan(c) => c.run(),
        Command::Contracts(c) => c.run(),
        Command::Evidence(c) => c.run(),
        Command::Files(c) => c.run(),
        Command::Expand(c) => c.run(),
        Command::Config(c) => c.run(),
        Command::Ignore(c) => c.run(),
        Command::Init(c) => c.run(),
        Command::Baseline(c) => c.run(),
        Command::TestRules(c) => c.run(),
        Command::Lsp(c) => c.run(),
        Command::Mcp(c) => c.run(),
        Command::Completions(c) => c.run(),
        Command::Man(c) => c.run(),
    }
}
