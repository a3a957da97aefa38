//! `paths`: who can become an administrator or reach data, through whom.

use std::process::ExitCode;

use clap::Args;

use super::input::InputArgs;
use super::repositories;
use super::run::{Loaded, RunOptions};
use super::{CliFailure, question, terminal};
use crate::iam::glob::{self, CaseSensitivity};
use crate::paths::{AccessPath, Gain, PathEnd, PathGoal, PathQuery, Paths};
use crate::project::{Effects, Project};
use crate::report::{PathsPage, paths_human, paths_json, paths_markdown};
use crate::secrets::Mask;
use crate::settings::Settings;
use crate::source::Span;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum PathsFormat {
    /// Each path, hop by hop, with the place of each permission.
    #[default]
    Human,
    Json,
    /// A list for a comment on a pull request.
    Markdown,
}

/// List how identities can gain administrator access or data, step by step
#[derive(Debug, Args)]
pub(super) struct PathsArgs {
    #[command(flatten)]
    input: InputArgs,
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: PathsFormat,
    /// Only paths that start here: a name, an address, an ARN, a pattern, or `public`
    #[arg(long, value_name = "WHO")]
    from: Option<String>,
    /// Only paths that end here: `admin`, `identity-administration`, `data`, `account`, or a name, an address, an ARN, or a
    /// pattern
    #[arg(long, value_name = "WHO|admin|data|RESOURCE")]
    to: Option<String>,
}

impl PathsArgs {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        let over = |_: &mut Settings| {};
        let run_options = RunOptions::without_findings();
        let from = |end: &PathEnd| self.from.as_ref().is_some_and(|who| is_end(end, who));
        let to = |end: &PathEnd| self.to.as_ref().is_some_and(|what| is_end(end, what));
        let all = repositories::read(&self.input, &over, &run_options)?;
        let pages = repositories::each(all, |read, analysis| {
            // Only the rules know what is a secret.
            let report = read.report(analysis, &run_options);
            let effects = Effects::new(&analysis.project);
            let paths = Paths::new(&analysis.project, &effects, &self.query(&from, &to));
            let each = |call: &mut dyn FnMut(&AccessPath)| {
                let left_out = |p: &AccessPath| p.spans().any(|s| leaves_out(read, &analysis.project, s));
                paths.iter().filter(|p| !left_out(p)).for_each(|p| call(&p));
            };
            let listed = PathsPage {
                sources: analysis.project.sources,
                paths: &each,
                more: paths.more,
                errors: &report.errors,
                unjudged: &report.unjudged,
            };
            let mask = Mask::new(analysis.project.sources, &report.secrets);
            let is_known = self.names_something(&analysis.project) || paths.iter().next().is_some();
            let text = match self.format {
                PathsFormat::Human => mask.text(paths_human(&listed)),
                PathsFormat::Json => mask.json(paths_json(&listed)),
                PathsFormat::Markdown => mask.text(paths_markdown(&listed)),
            };
            (text, !report.errors.is_empty(), is_known)
        });
        if !pages.iter().any(|(.., is_known)| *is_known) {
            let named = [&self.from, &self.to]
                .into_iter()
                .flatten()
                .map(|name| format!("`{name}`"));
            let named = named.collect::<Vec<_>>().join(" or ");
            return Err(CliFailure::Usage(format!(
                "nothing here is {named}: expected a role, user, or resource, an ARN, a pattern, or `public`"
            )));
        }
        let failed = pages.iter().any(|(_, failed, _)| *failed);
        let texts: Vec<String> = pages.into_iter().map(|(text, ..)| text).collect();
        let text = match self.format {
            PathsFormat::Human | PathsFormat::Markdown => texts.concat(),
            PathsFormat::Json => repositories::merge_lists(texts),
        };
        match self.format {
            PathsFormat::Human => terminal::print_list(&text, |_| false)?,
            PathsFormat::Json | PathsFormat::Markdown => terminal::print_page(&text)?,
        };
        Ok(ExitCode::from(u8::from(failed)))
    }

    /// Whether what the options name is here; where nothing leads there, a misspelled name would look safe.
    fn names_something(&self, project: &Project<'_>) -> bool {
        let is_goal = |what: &str| Gain::ALL.into_iter().any(|g| g.name() == what);
        let is_known = |name: &String| {
            let place = question::place(project, name, Some(name));
            let is_caller = || self.from.as_ref() == Some(name) && question::caller(name).is_some();
            is_goal(name)
                || question::is_arn(name)
                || is_caller()
                || !place.named_identities(name).is_empty()
                || !place.resources(name).is_empty()
        };
        [&self.from, &self.to].into_iter().flatten().all(is_known)
    }

    fn query<'q>(&self, from: &'q dyn Fn(&PathEnd) -> bool, to: &'q dyn Fn(&PathEnd) -> bool) -> PathQuery<'q> {
        let gain = |what: &String| Gain::ALL.into_iter().find(|g| g.name() == what);
        PathQuery {
            from: self.from.as_ref().map(|_| from),
            to: match self.to.as_ref().map(gain) {
                None => PathGoal::Anything,
                Some(Some(gain)) => PathGoal::Gain(gain),
                Some(None) => PathGoal::Ends(to),
            },
            is_idle: false,
        }
    }
}

/// Whether nothing is said of what stands there, since it is test code.
pub(super) fn leaves_out(read: &Loaded<'_>, project: &Project<'_>, span: Span) -> bool {
    let path = project.sources.path(span.file);
    !read.governing.settings_for(path).tests && (project.is_in_test_code(span) || read.is_test(path))
}

/// Whether someone means by `who` what has these names: one of them, or a pattern that matches one.
pub(super) fn is_called(who: &str, names: &[&str]) -> bool {
    names
        .iter()
        .any(|name| glob::matches(who, name, CaseSensitivity::Sensitive))
}

/// Whether someone means an end by `who`.
fn is_end(end: &PathEnd, who: &str) -> bool {
    let names = [
        Some(end.name.as_str()),
        end.address.as_deref(),
        end.arn.as_deref(),
        (end.kind == "public").then_some("public"),
    ];
    let names: Vec<&str> = names.into_iter().flatten().collect();
    is_called(who, &names) || is_called(who, &[&end.text()])
}
