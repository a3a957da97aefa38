//! `overgrant baseline`: what is known and not yet fixed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::input::InputArgs;
use super::repositories;
use super::run::RunOptions;
use super::{CliFailure, terminal};
use crate::finding::Severity;
use crate::phrase;
use crate::settings::Settings;
use crate::source::Sources;
use crate::triage::{
    BASELINE_FILE, Baseline, BaselineEntry, BaselineFate, Comparison, Extent, Report, ReportedFinding, Status,
};

/// Manage the baseline of known findings
#[derive(Debug, Args)]
pub(super) struct BaselineCommand {
    #[command(subcommand)]
    what: BaselineAction,
}

#[derive(Debug, Subcommand)]
enum BaselineAction {
    /// Create a baseline from the current findings
    Create(Create),
    /// Add new findings and remove fixed ones
    Update(Create),
    /// Remove fixed findings
    Prune(BaselineScope),
    /// Count new, known, moved, and fixed findings
    Status(BaselineScope),
}

#[derive(Debug, Args)]
struct BaselineScope {
    #[command(flatten)]
    input: InputArgs,
    /// Use this baseline file [default: from the configuration, else .overgrant-baseline.json at the repository root]
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Create {
    #[command(flatten)]
    of: BaselineScope,
    /// Include critical credential findings
    #[arg(long)]
    include_secrets: bool,
}

impl BaselineCommand {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        match &self.what {
            BaselineAction::Create(c) => c.of.run(&|path, old, sources, report, _| {
                if old.is_some() {
                    return Err(CliFailure::Usage(format!(
                        "{path} already exists; run `overgrant baseline update` to change it"
                    )));
                }
                let mut new = Baseline::empty();
                let is_new = |f: &ReportedFinding| is_unsuppressed(f) && can_be_baselined(f, c.include_secrets);
                let all = new.entries_of(sources, &report.findings).into_iter();
                let all = all.zip(&report.findings).filter(|(_, f)| is_new(f));
                new.entries = all.map(|(entry, _)| entry).collect();
                let unsuppressed = report.findings.iter().filter(|f| is_unsuppressed(f));
                let left_out = unsuppressed.count() - new.entries.len();
                Ok(BaselineOutcome {
                    text: format!("{path}: {}\n", known_phrase(&new)),
                    left_out,
                    new: Some(new),
                })
            }),
            BaselineAction::Update(c) => c.of.run(&|path, old, sources, report, extent| {
                let old = old.ok_or_else(|| missing_baseline(path))?;
                let comparison = old.compare(sources, &report.findings, extent);
                let mut new = kept_entries(old, sources, report, &comparison);
                let mut is_known = vec![false; report.findings.len()];
                for fate in &comparison.fates {
                    if let BaselineFate::Found(i) = *fate {
                        is_known[i] = true;
                    }
                }
                let now = old.entries_of(sources, &report.findings).into_iter();
                let now = now.zip(&report.findings).zip(is_known);
                let fresh = now.filter(|((_, f), is_known)| !is_known && is_unsuppressed(f));
                let (fresh, left_out): (Vec<_>, Vec<_>) =
                    fresh.partition(|((_, f), _)| can_be_baselined(f, c.include_secrets));
                let left_out = left_out.len();
                let before = new.entries.len();
                new.entries.extend(fresh.into_iter().map(|((entry, _), _)| entry));
                Ok(BaselineOutcome {
                    text: format!(
                        "{path}: +{} −{}, {}\n",
                        new.entries.len() - before,
                        comparison.fixed(),
                        known_phrase(&new)
                    ),
                    left_out,
                    new: Some(new),
                })
            }),
            BaselineAction::Prune(of) => of.run(&|path, old, sources, report, extent| {
                let old = old.ok_or_else(|| missing_baseline(path))?;
                let comparison = old.compare(sources, &report.findings, extent);
                let new = kept_entries(old, sources, report, &comparison);
                Ok(BaselineOutcome {
                    text: format!("{path}: −{}, {}\n", comparison.fixed(), known_phrase(&new)),
                    left_out: 0,
                    new: Some(new),
                })
            }),
            BaselineAction::Status(of) => of.run(&|path, old, sources, report, extent| {
                let old = old.ok_or_else(|| missing_baseline(path))?;
                let comparison = old.compare(sources, &report.findings, extent);
                let matched = comparison.fates.iter().filter_map(|fate| match *fate {
                    BaselineFate::Found(i) => report.findings.get(i),
                    BaselineFate::Fixed | BaselineFate::Unseen => None,
                });
                let (known, suppressed): (Vec<_>, Vec<_>) = matched.partition(|f| is_unsuppressed(f));
                let all = report.findings.iter().filter(|f| is_unsuppressed(f)).count();
                let suppressed = match suppressed.len() {
                    0 => String::new(),
                    n => format!(", {n} suppressed"),
                };
                Ok(BaselineOutcome {
                    text: format!(
                        "{path}: {} new, {} known ({} moved), {} fixed{suppressed}\n",
                        all - known.len(),
                        known.len(),
                        comparison.moved.len(),
                        comparison.fixed()
                    ),
                    ..BaselineOutcome::default()
                })
            }),
        }
    }
}

/// What a command makes of the baseline of one repository.
#[derive(Default)]
struct BaselineOutcome {
    /// To be written, if it changes.
    new: Option<Baseline>,
    /// Findings that may not become known.
    left_out: usize,
    /// What the command says.
    text: String,
}

/// The entries that stay: those that a finding matches, as it is now, and those of files that were not looked at. Notes stay
/// with what they were written to.
fn kept_entries(old: &Baseline, sources: &Sources, report: &Report, comparison: &Comparison) -> Baseline {
    let now = old.entries_of(sources, &report.findings);
    let entries = old.entries.iter().zip(&comparison.fates);
    let entries = entries.filter_map(|(entry, fate)| match *fate {
        BaselineFate::Found(i) => Some(BaselineEntry {
            note: entry.note.clone(),
            ..now[i].clone()
        }),
        BaselineFate::Fixed => None,
        BaselineFate::Unseen => Some(entry.clone()),
    });
    let mut new = old.clone();
    new.entries = entries.collect();
    new
}

fn missing_baseline(path: &str) -> CliFailure {
    CliFailure::Usage(format!(
        "no baseline at {path}; run `overgrant baseline create` to create one"
    ))
}

/// What a baseline leaves out, and how it is added.
fn note_left_out(count: usize) {
    if count > 0 {
        let findings = phrase::count(count, "credential is", "credentials are");
        terminal::note(&format!(
            "note: {findings} not in the baseline: revoke what was found, or add it with --include-secrets"
        ));
    }
}

/// Whether a finding may become known: a secret that is out is fixed, not known.
fn can_be_baselined(f: &ReportedFinding, secrets: bool) -> bool {
    secrets || !is_leaked_secret(f)
}

/// What is suppressed is not added, and what is known stays when it is suppressed: it is not fixed.
fn is_unsuppressed(f: &ReportedFinding) -> bool {
    f.status != Status::Suppressed
}

fn known_phrase(baseline: &Baseline) -> String {
    phrase::count(baseline.entries.len(), "finding known", "findings known")
}

/// Whether a baseline has the finding only if it is asked for.
pub(super) fn is_leaked_secret(f: &ReportedFinding) -> bool {
    f.family == "credentials" && f.severity == Severity::Critical
}

/// What a command does with the file's path, its content, the sources and the findings, and what was looked at.
type BaselineStep<'a> =
    dyn Fn(&str, Option<&Baseline>, &Sources, &Report, &Extent<'_>) -> Result<BaselineOutcome, CliFailure> + 'a;

impl BaselineScope {
    fn run(&self, act: &BaselineStep<'_>) -> Result<ExitCode, CliFailure> {
        let over = |_: &mut Settings| {};
        let run_options = RunOptions {
            ignores: true,
            ..RunOptions::default()
        };
        let all = repositories::read(&self.input, &over, &run_options)?;
        let is_alone = all.len() == 1;
        let named = (self.baseline.as_deref()).map(crate::discover::with_forward_slashes);
        if let Some(path) = named.as_ref().filter(|_| !is_alone) {
            return Err(several_repositories(path));
        }
        let done = repositories::each(all, |read, analysis| {
            let mut report = read.report(analysis, &run_options);
            report.findings.retain(|f| f.family != "tool");
            let path = named.clone().unwrap_or_else(|| read.baseline_path());
            let old = load(&path, read)?;
            // Among several, what has nothing to know needs no file.
            if !is_alone && !report.findings.iter().any(is_unsuppressed) && old.is_none() {
                return Ok(None);
            }
            let sources = analysis.project.sources;
            let in_scope = read.in_scope(sources);
            let extent = Extent {
                exists: &|path| read.exists(path),
                covers: &|path| read.covers(&in_scope, path),
                runs: &|rule, path| read.runs(rule, path),
            };
            let outcome = act(&path, old.as_ref(), sources, &report, &extent)?;
            Ok(Some((path, outcome)))
        });
        let done: Result<Vec<_>, CliFailure> = done.into_iter().collect();
        let mut outcomes = BTreeMap::new();
        for (path, outcome) in done?.into_iter().flatten() {
            if outcomes.insert(path.clone(), outcome).is_some() {
                return Err(several_repositories(&path));
            }
        }
        // Either all of them are written, or none.
        let mut text = String::new();
        let mut left_out = 0;
        for (path, outcome) in &outcomes {
            if let Some(new) = &outcome.new {
                super::write_file(path, &new.text())?;
            }
            left_out += outcome.left_out;
            text.push_str(&outcome.text);
        }
        note_left_out(left_out);
        terminal::print_text(&text)
    }
}

/// Entries begin at the root of a repository, so that a file of entries belongs to one.
pub(super) fn several_repositories(path: &str) -> CliFailure {
    CliFailure::Usage(format!(
        "{path} is the baseline of one repository, and the paths are in several; each has its own {BASELINE_FILE}"
    ))
}

/// Bytes of a baseline: some hundred thousand findings.
const MAX_BYTES: u64 = 256 << 20;

/// The baseline at `path`; `None` where there is not one.
pub(super) fn load(path: &str, read: &super::run::Loaded<'_>) -> Result<Option<Baseline>, CliFailure> {
    let absolute = read.governing.absolute(path);
    match read.settings_tree.text(std::path::Path::new(&absolute), MAX_BYTES) {
        Ok(text) => {
            let mut baseline = Baseline::parse(&text)
                .map_err(|e| CliFailure::Usage(format!("cannot read the baseline {path}: {e}")))?;
            let n = baseline.follow_renames(&read.ruleset);
            if n > 0 {
                let entries = if n == 1 {
                    "entry names a rule"
                } else {
                    "entries name rules"
                };
                terminal::note(&format!(
                    "note: {path}: {n} {entries} by an earlier name; run `overgrant baseline update` to write the new name"
                ));
            }
            Ok(Some(baseline))
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CliFailure::Io {
            what: format!("cannot read {path}"),
            source,
        }),
    }
}
