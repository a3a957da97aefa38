//! `workloads`: what runs with which role, and what is compared.

use std::process::ExitCode;

use clap::Args;

use super::input::InputArgs;
use super::paths::leaves_out;
use super::repositories;
use super::run::RunOptions;
use super::{CliFailure, terminal};
use crate::checks::compare;
use crate::project::Effects;
use crate::report::{WorkloadCounts, WorkloadsPage, workloads_human, workloads_json, workloads_markdown};
use crate::secrets::Mask;
use crate::settings::Settings;
use crate::source::{join_path, relative_path};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum WorkloadsFormat {
    /// Each with its code, its role, and what prevents the comparison.
    #[default]
    Human,
    Json,
    /// A table for a comment on a pull request.
    Markdown,
}

/// List functions, jobs, tasks, and state machines, and what of them is compared with their roles
#[derive(Debug, Args)]
pub(super) struct WorkloadsArgs {
    #[command(flatten)]
    input: InputArgs,
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: WorkloadsFormat,
}

impl WorkloadsArgs {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        let over = |_: &mut Settings| {};
        let run_options = RunOptions::without_findings();
        let all = repositories::read(&self.input, &over, &run_options)?;
        let pages = repositories::each(all, |read, analysis| {
            // Only the rules know what is a secret.
            let report = read.report(analysis, &run_options);
            let project = &analysis.project;
            let effects = Effects::new(project);
            // The settings stand at the root.
            let in_settings = |path: &str| relative_path(&read.root, &join_path(&read.cwd, path));
            let (text, counts) = compare(project, &effects, |comparison| {
                let mut page = WorkloadsPage::new(project, comparison, &report.errors, &report.unjudged, &in_settings);
                page.leave_out(|span| leaves_out(read, project, span));
                let text = match self.format {
                    WorkloadsFormat::Human => workloads_human(&page),
                    WorkloadsFormat::Json => workloads_json(&page),
                    WorkloadsFormat::Markdown => workloads_markdown(&page),
                };
                (text, page.counts())
            });
            let mask = Mask::new(project.sources, &report.secrets);
            let text = match self.format {
                WorkloadsFormat::Human | WorkloadsFormat::Markdown => mask.text(text),
                WorkloadsFormat::Json => mask.json(text),
            };
            (text, counts, !report.errors.is_empty())
        });
        let mut texts = Vec::new();
        let mut counts = WorkloadCounts::default();
        let mut failed = false;
        for (text, of_page, has_errors) in pages {
            texts.push(text);
            counts.add(of_page);
            failed |= has_errors;
        }
        match self.format {
            WorkloadsFormat::Human => terminal::print_list(&(texts.concat() + &counts.line()), |_| false)?,
            WorkloadsFormat::Json => terminal::print_page(&repositories::merge_lists(texts))?,
            WorkloadsFormat::Markdown => terminal::print_page(&(texts.concat() + &counts.line()))?,
        };
        Ok(ExitCode::from(u8::from(failed)))
    }
}
