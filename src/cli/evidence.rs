//! `evidence`: what was used.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::CliFailure;
use super::evidence_report::EvidenceReportArgs;

/// Show what was used, from CloudTrail and IAM
#[derive(Debug, Args)]
pub(super) struct EvidenceCommand {
    #[command(subcommand)]
    what: EvidenceAction,
}

#[derive(Debug, Subcommand)]
enum EvidenceAction {
    Report(Box<EvidenceReportArgs>),
}

impl EvidenceCommand {
    pub(super) fn run(self) -> Result<ExitCode, CliFailure> {
        match self.what {
            EvidenceAction::Report(report) => report.run(),
        }
    }
}
