//! `evidence`: what logs say was used.

mod collect;
mod query;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::CliFailure;

/// Collect from CloudTrail what was used, as a file to commit
#[derive(Debug, Args)]
pub(super) struct EvidenceCommand {
    #[command(subcommand)]
    what: EvidenceAction,
}

#[derive(Debug, Subcommand)]
enum EvidenceAction {
    Collect(collect::CollectArgs),
    Query(query::QueryArgs),
}

impl EvidenceCommand {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        match &self.what {
            EvidenceAction::Collect(c) => c.run(),
            EvidenceAction::Query(c) => c.run(),
        }
    }
}
