//! `needs`: what Python code and state machines call of AWS.

use std::process::ExitCode;

use clap::Args;

use super::input::InputArgs;
use super::repositories;
use super::run::RunOptions;
use super::{CliFailure, terminal};
use crate::python::calls::Calls;
use crate::report::{NeededCalls, NeedsPage, needs_human, needs_json, needs_policy};
use crate::secrets::Mask;
use crate::settings::Settings;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum NeedsFormat {
    /// Each call, with what it needs.
    #[default]
    Human,
    Json,
    /// The policy that allows all of it and no more.
    Policy,
}

/// List the AWS calls of Python code and state machines, and the actions that they need
#[derive(Debug, Args)]
pub(super) struct NeedsArgs {
    #[command(flatten)]
    input: InputArgs,
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: NeedsFormat,
}

impl NeedsArgs {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        let over = |_: &mut Settings| {};
        let run_options = RunOptions::confined();
        let all = repositories::read(&self.input, &over, &run_options)?;
        let mut secrets = Vec::new();
        let pages = repositories::each(all, |read, analysis| {
            // Only the rules know what is a secret.
            let report = read.report(analysis, &run_options);
            let sources = analysis.project.sources;
            let program = analysis.project.program();
            let calls = Calls::new(&program);
            let programs = analysis.project.inline_programs();
            let inline: Vec<Calls<'_>> = programs.iter().map(Calls::new).collect();
            let needed = NeedsPage::new(&analysis.project, &calls, &inline, &report.errors);
            let mask = Mask::new(sources, &report.secrets);
            let text = match self.format {
                NeedsFormat::Human => mask.text(needs_human(&needed)),
                NeedsFormat::Json => mask.json(needs_json(&needed)),
                NeedsFormat::Policy => String::new(),
            };
            secrets.push(mask);
            (text, needed.into_calls(), !report.errors.is_empty())
        });
        let mut texts = Vec::new();
        let mut needed = NeededCalls::default();
        let mut failed = false;
        for (text, calls, has_errors) in pages {
            texts.push(text);
            needed.add(calls);
            failed |= has_errors;
        }
        let masked =
            |text: String, mask: fn(&Mask, String) -> String| secrets.iter().fold(text, |text, m| mask(m, text));
        let text = match self.format {
            NeedsFormat::Human => texts.concat() + &masked(needed.counts(), Mask::text),
            NeedsFormat::Json => repositories::merge_lists(texts),
            NeedsFormat::Policy => {
                for note in needed.doubts() {
                    terminal::note(&masked(format!("note: {note}"), Mask::text));
                }
                masked(needs_policy(&needed), Mask::json)
            }
        };
        match self.format {
            NeedsFormat::Human => terminal::print_list(&text, |_| false)?,
            NeedsFormat::Json | NeedsFormat::Policy => terminal::print_page(&text)?,
        };
        Ok(ExitCode::from(u8::from(failed)))
    }
}
