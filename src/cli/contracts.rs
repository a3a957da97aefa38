//! `contracts`: what the repository promises about access, and whether it is so.

use std::process::ExitCode;

use clap::Args;

use super::input::InputArgs;
use super::policies::ListFormat;
use super::run::RunOptions;
use super::{CliFailure, repositories};
use crate::classify::is_access_file;
use crate::contracts::{ContractState, judge};
use crate::project::Effects;
use crate::report::{ContractsPage, contracts_human, contracts_json};
use crate::secrets::Mask;
use crate::settings::Settings;

/// List the access contracts, whether they are kept, and why not
#[derive(Debug, Args)]
pub(super) struct ContractsArgs {
    #[command(flatten)]
    input: InputArgs,
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: ListFormat,
    /// Fail if it is not known whether a contract is kept
    #[arg(long)]
    fail_on_unjudged: bool,
}

impl ContractsArgs {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        let over = |_: &mut Settings| {};
        let run_options = RunOptions {
            answers: Some("contracts"),
            ..RunOptions::default()
        };
        let all = repositories::read(&self.input, &over, &run_options)?;
        let pages = repositories::each(all, |read, analysis| {
            // Only the rules know what is a secret.
            let report = read.report(analysis, &run_options);
            let project = &analysis.project;
            let effects = Effects::new(project);
            let mut contracts = judge(project, &effects);
            // Settings govern all that is asked about; access files count where they are asked for.
            contracts.retain(|c| {
                let file = project.sources.find(&c.contract.file);
                !is_access_file(&c.contract.file) || file.is_none_or(|file| project.sources.file(file).in_scope)
            });
            let page = ContractsPage {
                sources: project.sources,
                contracts: &contracts,
                errors: &report.errors,
                unjudged: &report.unjudged,
            };
            let mask = Mask::new(project.sources, &report.secrets);
            let text = match self.format {
                ListFormat::Human => mask.text(contracts_human(&page)),
                ListFormat::Json => mask.json(contracts_json(&page)),
            };
            let has = |state: ContractState| contracts.iter().any(|c| c.state() == state);
            let fails = has(ContractState::Broken) || self.fail_on_unjudged && has(ContractState::Undecided);
            (text, fails || !report.errors.is_empty())
        });
        let (texts, failed): (Vec<String>, Vec<bool>) = pages.into_iter().unzip();
        let text = match self.format {
            ListFormat::Human => texts.concat(),
            ListFormat::Json => repositories::merge_lists(texts),
        };
        self.format.print(&text, |_| false)?;
        Ok(ExitCode::from(u8::from(failed.contains(&true))))
    }
}
