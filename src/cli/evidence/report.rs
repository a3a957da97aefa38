//! `evidence report`: what each role is granted, what its code calls, and what was used.

use std::process::ExitCode;

use clap::Args;

use crate::checks::compare;
use crate::cli::input::{EvidenceArg, InputArgs};
use crate::cli::paths::leaves_out;
use crate::cli::repositories;
use crate::cli::run::RunOptions;
use crate::cli::{CliFailure, terminal};
use crate::phrase;
use crate::project::Effects;
use crate::report::{
    EvidencePage, evidence_html, evidence_html_page, evidence_human, evidence_json, evidence_markdown,
};
use crate::secrets::Mask;
use crate::settings::Settings;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum EvidenceReportFormat {
    /// A table for each role.
    #[default]
    Human,
    /// Tables for a comment on a pull request.
    Markdown,
    /// One page that needs no network.
    Html,
    Json,
}

/// Show what each role is granted, what its code calls, and what was used
#[derive(Debug, Args)]
pub(super) struct EvidenceReportArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    evidence: EvidenceArg,
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: EvidenceReportFormat,
}

impl EvidenceReportArgs {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        let over = |settings: &mut Settings| self.evidence.apply(settings);
        let run_options = RunOptions::without_findings();
        let all = repositories::read(&self.input, &over, &run_options)?;
        if all.iter().all(|read| read.evidence.is_empty()) {
            let why = "no evidence: name a file with --evidence, or with `evidence` in the configuration";
            return Err(CliFailure::Usage(why.to_owned()));
        }
        let pages = repositories::each(all, |read, analysis| {
            let report = read.report(analysis, &run_options);
            let project = &analysis.project;
            let effects = Effects::new(project);
            let (text, counts) = compare(project, &effects, |comparison| {
                let page = EvidencePage::new(project, comparison, |span| leaves_out(read, project, span));
                let text = match self.format {
                    EvidenceReportFormat::Human => evidence_human(&page),
                    EvidenceReportFormat::Markdown => evidence_markdown(&page),
                    EvidenceReportFormat::Html => evidence_html(&page),
                    EvidenceReportFormat::Json => evidence_json(&page),
                };
                (text, page.counts())
            });
            let mask = Mask::new(project.sources, &report.secrets);
            let text = match self.format {
                EvidenceReportFormat::Json => mask.json(text),
                _ => mask.text(text),
            };
            (text, counts, !report.errors.is_empty())
        });
        let (mut identities, mut seen, mut failed) = (0, 0, false);
        let mut texts = Vec::new();
        for (text, (all, of_them), has_errors) in pages {
            texts.push(text);
            identities += all;
            seen += of_them;
            failed |= has_errors;
        }
        match self.format {
            EvidenceReportFormat::Human => {
                let all = phrase::count(identities, "identity", "identities");
                let line = format!("{all}, {seen} in the evidence\n");
                terminal::print_list(&(texts.concat() + &line), |_| false)?
            }
            EvidenceReportFormat::Json => terminal::print_page(&repositories::merge_lists(texts))?,
            EvidenceReportFormat::Markdown => terminal::print_page(&texts.concat())?,
            EvidenceReportFormat::Html => terminal::print_page(&evidence_html_page(&texts, (identities, seen)))?,
        };
        Ok(ExitCode::from(u8::from(failed)))
    }
}
