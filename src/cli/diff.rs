//! `diff`: what a change of policies grants.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::input::{InputArgs, severity};
use super::repositories;
use super::run::{self, Loaded, RunOptions};
use super::{CliFailure, terminal};
use crate::access::sets::{Difference, Undecided, compare, compare_where, describe};
use crate::finding::Severity;
use crate::iam::Document;
use crate::model::full_address;
use crate::pipeline::Analysis;
use crate::report::{DiffChange, DiffPage, DiffSide, DiffUnknown, diff_human, diff_json, diff_markdown};
use crate::secrets::Mask;
use crate::settings::Settings;
use crate::triage::Report;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum DiffFormat {
    /// A sentence for each change, with the source and a request.
    #[default]
    Human,
    Json,
    /// For pull requests.
    Markdown,
}

/// Say what NEW allows and OLD does not, and the reverse, with a request that proves it
#[derive(Debug, Args)]
#[command(override_usage = "overgrant diff [OPTIONS] OLD NEW")]
pub(super) struct DiffArgs {
    #[command(flatten)]
    input: InputArgs,
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: DiffFormat,
    /// Fail if NEW allows something that OLD does not, of at least this severity
    #[arg(long, value_name = "SEVERITY", num_args = 0..=1, require_equals = true, default_missing_value = "low", value_parser = severity())]
    fail_on_new: Option<Severity>,
    /// Fail if anything could not be decided
    #[arg(long)]
    fail_on_unjudged: bool,
    /// Use colors
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: terminal::ColorChoice,
}

impl DiffArgs {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        let [old, new] = self.input.paths.as_slice() else {
            return Err(CliFailure::Usage("diff compares two policy files: OLD NEW".to_owned()));
        };
        let is_stdin = |path: &PathBuf| path == Path::new("-");
        if is_stdin(old) && is_stdin(new) {
            return Err(CliFailure::Usage(
                "standard input cannot be both OLD and NEW".to_owned(),
            ));
        }
        let over = |_: &mut Settings| {};
        let run_options = RunOptions::confined();
        let read = |path: &PathBuf| -> Result<Loaded<'_>, CliFailure> {
            if !is_stdin(path) && !path.is_file() {
                return Err(CliFailure::Usage(format!(
                    "`{}` is not a file: folders and Git revisions cannot be compared yet",
                    path.display()
                )));
            }
            let mut all = repositories::read(&self.input.with_path(path.clone()), &over, &run_options)?;
            all.pop()
                .ok_or_else(|| CliFailure::Usage(format!("`{}` cannot be read", path.display())))
        };
        let (old_name, new_name) = (old.display().to_string(), new.display().to_string());
        let (old, new) = (read(old)?, read(new)?);
        run::analyze(old, |old, of_old| {
            run::analyze(new, |new, of_new| {
                let old_report = old.report(of_old, &run_options);
                let new_report = new.report(of_new, &run_options);
                let old = side(of_old, &old_report, &old_name);
                let new = side(of_new, &new_report, &new_name);
                self.finish(page((of_old, old), (of_new, new))?)
            })
        })
    }

    fn finish(&self, page: DiffPage<'_>) -> Result<ExitCode, CliFailure> {
        let text = match self.format {
            DiffFormat::Human => diff_human(&page, terminal::width(), terminal::color(self.color)),
            DiffFormat::Json => diff_json(&page),
            DiffFormat::Markdown => diff_markdown(&page),
        };
        match self.format {
            DiffFormat::Human => terminal::print_text(&text)?,
            DiffFormat::Json | DiffFormat::Markdown => terminal::print_page(&text)?,
        };
        let is_broken = !page.old.errors.is_empty() || !page.new.errors.is_empty();
        let fails = |least: Severity| page.gained.iter().any(|c| c.change.severity >= least);
        let fails = self.fail_on_new.is_some_and(fails) || self.fail_on_unjudged && !page.unknown.is_empty();
        Ok(ExitCode::from(u8::from(is_broken || fails)))
    }
}

fn side<'a>(analysis: &'a Analysis<'_>, report: &'a Report, name: &'a str) -> DiffSide<'a> {
    let sources = analysis.project.sources;
    DiffSide {
        sources,
        errors: &report.errors,
        unjudged: &report.unjudged,
        mask: Mask::new(sources, &report.secrets),
        name,
    }
}

/// The documents that the named file has.
fn documents<'a>(analysis: &'a Analysis<'_>) -> Vec<&'a Document> {
    let project = &analysis.project;
    let in_scope = |d: &&Document| d.span.is_in_source() && project.sources.file(d.span.file).in_scope;
    project.documents.iter().filter(in_scope).collect()
}

/// What holds a document.
fn address(d: &Document) -> Option<String> {
    let owner = d.owner.as_ref()?;
    Some(format!(
        "{}.{}",
        full_address(&owner.scope, &owner.address),
        owner.attribute
    ))
}

fn page<'a>(
    old: (&'a Analysis<'_>, DiffSide<'a>),
    new: (&'a Analysis<'_>, DiffSide<'a>),
) -> Result<DiffPage<'a>, CliFailure> {
    let (of_old, of_new) = (documents(old.0), documents(new.0));
    let mut page = DiffPage {
        old: old.1,
        new: new.1,
        gained: Vec::new(),
        lost: Vec::new(),
        unknown: Vec::new(),
        assumed: BTreeMap::new(),
    };
    for (side, found, is_new) in [(&page.old, &of_old, false), (&page.new, &of_new, true)] {
        if !found.is_empty() {
            continue;
        }
        if side.errors.is_empty() {
            return Err(CliFailure::Usage(format!("`{}` has no policy", side.name)));
        }
        page.unknown.push(DiffUnknown {
            subject: side.name.to_owned(),
            why: "could not be read".to_owned(),
            is_new,
            is_gain: is_new,
            span: side.errors.first().map(|p| p.span),
        });
    }
    if !page.unknown.is_empty() {
        return Ok(page);
    }
    for (before, after) in pairs(&of_old, &of_new) {
        let name = after.or(before).and_then(address);
        let subject = name.unwrap_or_else(|| page.new.name.to_owned());
        let nothing = |d: &Document| Document {
            statements: Vec::new(),
            ..d.clone()
        };
        let (before, after) = match (before, after) {
            (Some(before), Some(after)) => (before.clone(), after.clone()),
            (Some(before), None) => (before.clone(), nothing(before)),
            (None, Some(after)) => (nothing(after), after.clone()),
            (None, None) => continue,
        };
        page.add(&subject, &before, &after);
    }
    let worst = |c: &DiffChange| (Reverse(c.change.severity), c.change.span);
    page.gained.sort_by_key(worst);
    page.lost.sort_by_key(worst);
    Ok(page)
}

/// The documents that stand for one another: the only ones, or those with one holder.
fn pairs<'a>(old: &[&'a Document], new: &[&'a Document]) -> Vec<(Option<&'a Document>, Option<&'a Document>)> {
    if let ([old], [new]) = (old, new) {
        return vec![(Some(*old), Some(*new))];
    }
    let mut left: Vec<&Document> = new.to_vec();
    let mut out = Vec::new();
    for d in old {
        let same = left
            .iter()
            .position(|other| address(other) == address(d) && other.kind == d.kind);
        out.push((Some(*d), same.map(|at| left.remove(at))));
    }
    out.extend(left.into_iter().map(|d| (None, Some(d))));
    out
}

impl DiffPage<'_> {
    fn add(&mut self, subject: &str, old: &Document, new: &Document) {
        let more = compare(old, new);
        let less = compare_where(new, old, &more.assumed);
        let changes = |found: &Difference, from: &Document, to: &Document| -> Vec<DiffChange> {
            let all = found.gained.iter().filter_map(|g| describe(g, from, to));
            let named = all.map(|change| DiffChange {
                subject: subject.to_owned(),
                change,
            });
            named.collect()
        };
        self.gained.extend(changes(&more, old, new));
        self.lost.extend(changes(&less, new, old));
        for (found, is_gain) in [(&more, true), (&less, false)] {
            self.unknown.extend(found.unknown.iter().map(|doubt| {
                let is_new = is_gain != doubt.in_other;
                unknown(subject, doubt, if is_new { new } else { old }, is_new, is_gain)
            }));
        }
        self.assumed.extend(more.assumed);
        self.assumed.extend(less.assumed);
        let mut seen = BTreeSet::new();
        self.unknown
            .retain(|u| seen.insert((u.subject.clone(), u.why.clone(), u.span, u.is_gain)));
    }
}

fn unknown(subject: &str, doubt: &Undecided, document: &Document, is_new: bool, is_gain: bool) -> DiffUnknown {
    let statement = doubt.statement.and_then(|at| document.statements.get(at));
    DiffUnknown {
        subject: subject.to_owned(),
        why: doubt.why.clone(),
        is_new,
        is_gain,
        span: Some(statement.map_or(document.span, |s| s.span)),
    }
}
