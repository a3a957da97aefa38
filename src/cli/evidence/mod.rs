//! `evidence`: what logs say was used.

mod collect;
pub(super) mod files;
mod query;
mod report;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::CliFailure;

/// Collect from CloudTrail what was used, and compare it with what is granted and called
#[derive(Debug, Args)]
pub(super) struct EvidenceCommand {
    #[command(subcommand)]
    what: EvidenceAction,
}

#[derive(Debug, Subcommand)]
enum EvidenceAction {
    Collect(collect::CollectArgs),
    Query(query::QueryArgs),
    Report(Box<report::EvidenceReportArgs>),
}

impl EvidenceCommand {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        match &self.what {
            EvidenceAction::Collect(c) => c.run(),
            EvidenceAction::Query(c) => c.run(),
            EvidenceAction::Report(c) => c.run(),
        }
    }
}
