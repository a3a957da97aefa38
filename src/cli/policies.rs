//! `policies`, `files`, `expand`: what was seen.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::input::InputArgs;
use super::repositories;
use super::run::RunOptions;
use super::{CliFailure, terminal};
use crate::discover::{InputFile, Skipped};
use crate::formats::{FileKinds, Format};
use crate::iam::expand::{self, ExpandedPattern};
use crate::phrase;
use crate::report::{ListedPolicies, policies_human, policies_json, unjudged_human, unjudged_json};
use crate::secrets::Mask;
use crate::settings::{NAMES, Settings};
use crate::source::{file_name, json_without_commands, pretty_json, push_line};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ListFormat {
    #[default]
    Human,
    Json,
}

impl ListFormat {
    pub(super) fn print(self, text: &str, is_of_document: impl Fn(&str) -> bool) -> Result<ExitCode, CliFailure> {
        match self {
            Self::Human => terminal::print_list(text, is_of_document),
            Self::Json => terminal::print_page(text),
        }
    }
}

/// List every policy document, as AWS will see it
#[derive(Debug, Args)]
pub(super) struct Policies {
    #[command(flatten)]
    input: InputArgs,
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: ListFormat,
    /// List what could not be judged, and why, instead of policies
    #[arg(long)]
    unjudged: bool,
}

impl Policies {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        let over = |_: &mut Settings| {};
        let run_options = RunOptions::confined();
        let all = repositories::read(&self.input, &over, &run_options)?;
        if self.unjudged {
            let all = all.into_iter().map(|read| (read, run_options.clone())).collect();
            return repositories::check(all, |checked| {
                let report = checked.report;
                let mask = Mask::new(checked.sources, &report.secrets);
                let text = match self.format {
                    ListFormat::Human => mask.text(unjudged_human(checked.sources, &report.unjudged)),
                    ListFormat::Json => mask.json(unjudged_json(checked.sources, &report.unjudged)),
                };
                self.format.print(&text, |_| false)?;
                Ok(ExitCode::from(u8::from(!report.errors.is_empty())))
            });
        }
        let pages = repositories::each(all, |read, analysis| {
            // Only the rules know what is a secret.
            let report = read.report(analysis, &run_options);
            let seen = ListedPolicies {
                project: &analysis.project,
                errors: &report.errors,
            };
            let mask = Mask::new(analysis.project.sources, &report.secrets);
            let text = match self.format {
                ListFormat::Human => mask.text(policies_human(&seen)),
                ListFormat::Json => mask.json(policies_json(&seen)),
            };
            (text, !report.errors.is_empty())
        });
        let (texts, failed): (Vec<String>, Vec<bool>) = pages.into_iter().unzip();
        let text = match self.format {
            ListFormat::Human => texts.concat(),
            ListFormat::Json => repositories::merge_lists(texts),
        };
        self.format
            .print(&text, |line| line.starts_with("  ") && !line.starts_with("  unknown: "))?;
        Ok(ExitCode::from(u8::from(failed.contains(&true))))
    }
}

/// List the files that would be checked, and why others are skipped
#[derive(Debug, Args)]
pub(super) struct Files {
    #[command(flatten)]
    input: InputArgs,
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: ListFormat,
}

#[derive(Debug, Serialize)]
struct JsonFileList<'a> {
    schema_version: &'static str,
    files: Vec<JsonFile<'a>>,
    skipped: Vec<JsonSkipped<'a>>,
}

#[derive(Debug, Serialize)]
struct JsonFile<'a> {
    path: &'a str,
    read_as: &'a str,
    /// Read only to understand the files that were asked for.
    context: bool,
}

#[derive(Debug, Serialize)]
struct JsonSkipped<'a> {
    path: &'a str,
    why: &'a str,
}

impl Files {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        let over = |_: &mut Settings| {};
        let run_options = RunOptions {
            report_skipped: true,
            ..RunOptions::confined()
        };
        let all = repositories::read(&self.input, &over, &run_options)?;
        let mut read: Vec<&InputFile> = all.iter().flat_map(|read| &read.found.files).collect();
        if all.len() > 1 {
            read.sort_by(|a, b| a.path.cmp(&b.path).then(b.in_scope.cmp(&a.in_scope)));
            read.dedup_by(|b, a| a.path == b.path);
        }
        let files: Vec<(&str, String, bool)> = (read.into_iter())
            .map(|f| (f.path.as_str(), kinds(&f.path, &f.text), f.in_scope))
            .collect();
        let mut skipped: Vec<&Skipped> = all.iter().flat_map(|read| &read.found.skipped).collect();
        if all.len() > 1 {
            skipped.sort_by(|a, b| a.path.cmp(&b.path));
        }
        let skipped = skipped.into_iter();
        let kept: BTreeSet<&str> = files.iter().map(|(path, ..)| *path).collect();
        let skipped = skipped.filter(|s| !kept.contains(&*s.path));
        let text = match self.format {
            ListFormat::Human => {
                let mut out = String::new();
                for (path, kinds, _) in files.iter().filter(|(.., in_scope)| *in_scope) {
                    push_line(&mut out, &format!("{path}: {kinds}"));
                }
                let around = files.iter().filter(|(.., in_scope)| !in_scope).count();
                if around > 0 {
                    let files = phrase::count(around, "file", "files");
                    push_line(&mut out, &format!("{files} around them, as context"));
                }
                for s in skipped {
                    push_line(&mut out, &format!("{}: skipped, {}", s.path, s.why));
                }
                out
            }
            ListFormat::Json => json_without_commands(pretty_json(&JsonFileList {
                schema_version: "1.0",
                files: files
                    .iter()
                    .map(|(path, read_as, in_scope)| JsonFile {
                        path,
                        read_as,
                        context: !in_scope,
                    })
                    .collect(),
                skipped: skipped
                    .map(|s| JsonSkipped {
                        path: &s.path,
                        why: s.why.text(),
                    })
                    .collect(),
            })),
        };
        self.format.print(&text, |_| false)
    }
}

fn kinds(path: &str, text: &str) -> String {
    if NAMES.contains(&file_name(path)) {
        return "settings".to_owned();
    }
    let kinds = FileKinds::of(path, text);
    let mut names: Vec<&str> = kinds.formats().map(Format::title).collect();
    // The most specific one first.
    names.reverse();
    if kinds.is_readable {
        names.push("credentials");
    }
    if names.is_empty() {
        "text".to_owned()
    } else {
        names.join(", ")
    }
}

/// List the actions that a pattern matches or a file grants
#[derive(Debug, Args)]
pub(super) struct ExpandArgs {
    /// Expand this pattern ('s3:Get*'), or the policies in this file
    #[arg(value_name = "PATTERN|FILE", required = true)]
    what: Vec<String>,
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: ListFormat,
}

impl ExpandArgs {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        let mut all: Vec<ExpandedPattern> = Vec::new();
        for what in &self.what {
            if std::path::Path::new(what).is_file() {
                all.extend(patterns_of_file(what)?);
            } else if what == "*" || what.contains(':') {
                all.push(expand::describe(what));
            } else {
                return Err(CliFailure::Usage(format!(
                    "`{what}` is neither a file nor a pattern such as `s3:Get*`"
                )));
            }
        }
        all.sort_by(|a, b| a.pattern.cmp(&b.pattern));
        all.dedup_by(|a, b| a.pattern == b.pattern);
        let text = match self.format {
            ListFormat::Human => all.iter().map(ExpandedPattern::human).collect::<Vec<_>>().join("\n"),
            ListFormat::Json => json_without_commands(pretty_json(&all)),
        };
        terminal::print_page(&text)?;
        Ok(ExitCode::from(u8::from(all.iter().all(|e| e.count == 0))))
    }
}

/// The known items of `Action` of every Allow statement of a file, and its `NotAction`s as a whole.
fn patterns_of_file(path: &str) -> Result<Vec<ExpandedPattern>, CliFailure> {
    let over = |_: &mut Settings| {};
    let input = InputArgs::from_path(path.into());
    let read = repositories::read(&input, &over, &RunOptions::confined())?;
    let patterns = repositories::each(read, |_, analysis| {
        let sources = analysis.project.sources;
        let documents = analysis.project.documents.iter();
        let statements = documents
            .filter(|d| sources.file(d.span.file).in_scope)
            .flat_map(|d| &d.statements);
        let mut all = Vec::new();
        for clause in statements.filter(|s| s.allows()).filter_map(|s| s.action.as_ref()) {
            let items: Vec<_> = clause.items.iter().filter_map(|i| i.text.known()).collect();
            if !clause.negated {
                all.extend(items.iter().map(|i| expand::describe(i)));
            } else if clause.is_known() {
                all.push(expand::describe_clause(items.iter().map(|i| &**i), true));
            }
        }
        all
    });
    Ok(patterns.into_iter().flatten().collect())
}
