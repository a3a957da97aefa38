//! `overgrant baseline`: what is known and not yet mended.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::input::Input;
use super::run::{self, Wish};
use super::{Failure, terminal};
use crate::finding::Severity;
use crate::settings::Settings;
use crate::settle::{Baseline, Comparison, Report, Reported, Status};
use crate::source::{Sources, join_path};

/// Known findings: create, update, prune, status
#[derive(Debug, Args)]
pub(super) struct BaselineCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write a new file of what is there now
    Create(Create),
    /// Add what is new, drop what is mended
    Update(Create),
    /// Drop what is mended
    Prune(Of),
    /// Count new, known, moved and mended findings
    Status(Of),
}

#[derive(Debug, Args)]
struct Of {
    #[command(flatten)]
    input: Input,
    /// The file [default: that of the settings, else .overgrant-baseline.json at the root of the repository]
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Create {
    #[command(flatten)]
    of: Of,
    /// Take in critical credential findings too
    #[arg(long)]
    include_secrets: bool,
}

impl BaselineCommand {
    pub(super) fn run(&self) -> Result<ExitCode, Failure> {
        match &self.what {
            What::Create(c) => c.of.run(&|path, old, sources, report, _| {
                if old.is_some() {
                    return Err(Failure::Usage(format!(
                        "{path} is there already; `overgrant baseline update` changes it"
                    )));
                }
                let mut new = Baseline::empty();
                let findings = wanted(report, c.include_secrets);
                new.entries = new.entries_of(sources, &findings);
                write(path, &new)?;
                terminal::page(&format!("{path}: {} findings known\n", new.entries.len()))
            }),
            What::Update(c) => c.of.run(&|path, old, sources, report, exists| {
                let old = old.ok_or_else(|| missing(path))?;
                let findings = wanted(report, c.include_secrets);
                let comparison = old.compare(sources, &findings, exists);
                let mut new = old.clone();
                new.entries = old.entries_of(sources, &findings);
                // Notes stay with what they were written to.
                for (entry, matched) in old.entries.iter().zip(&comparison.matched) {
                    if let Some(i) = matched {
                        new.entries[*i].note.clone_from(&entry.note);
                    }
                }
                let (added, dropped) = counts(&comparison, findings.len());
                write(path, &new)?;
                terminal::page(&format!(
                    "{path}: +{added} −{dropped}, {} findings known\n",
                    new.entries.len()
                ))
            }),
            What::Prune(of) => of.run(&|path, old, sources, report, exists| {
                let old = old.ok_or_else(|| missing(path))?;
                let comparison = old.compare(sources, &report.findings, exists);
                let now = old.entries_of(sources, &report.findings);
                let mut new = old.clone();
                new.entries = old
                    .entries
                    .iter()
                    .zip(&comparison.matched)
                    .filter_map(|(entry, matched)| {
                        let mut kept = now[(*matched)?].clone();
                        kept.note.clone_from(&entry.note);
                        Some(kept)
                    })
                    .collect();
                let dropped = old.entries.len() - new.entries.len();
                write(path, &new)?;
                terminal::page(&format!("{path}: −{dropped}, {} findings known\n", new.entries.len()))
            }),
            What::Status(of) => of.run(&|path, old, sources, report, exists| {
                let old = old.ok_or_else(|| missing(path))?;
                let comparison = old.compare(sources, &report.findings, exists);
                let (new, fixed) = counts(&comparison, report.findings.len());
                let known = comparison.matched.iter().flatten().count();
                let moved = comparison.moved.len();
                terminal::page(&format!(
                    "{path}: {new} new, {known} known ({moved} moved), {fixed} fixed\n"
                ))
            }),
        }
    }
}

/// New findings and mended entries.
fn counts(comparison: &Comparison, findings: usize) -> (usize, usize) {
    let known = comparison.matched.iter().flatten().count();
    (findings - known, comparison.matched.len() - known)
}

fn missing(path: &str) -> Failure {
    Failure::Usage(format!("no baseline at {path}; `overgrant baseline create` makes one"))
}

fn write(path: &str, baseline: &Baseline) -> Result<(), Failure> {
    std::fs::write(path, baseline.text()).map_err(|source| Failure::Io {
        what: format!("cannot write {path}"),
        source,
    })
}

/// What may be known: a secret that is out is mended, not known.
fn wanted(report: &Report, secrets: bool) -> Vec<Reported> {
    let is_secret = |f: &Reported| f.family == "credentials" && f.severity == Severity::Critical;
    report
        .findings
        .iter()
        .filter(|f| secrets || !is_secret(f))
        .cloned()
        .collect()
}

/// What a command does with the file's path, its content, the sources and the findings, and what is still there.
type Act<'a> =
    dyn Fn(&str, Option<&Baseline>, &Sources, &Report, &dyn Fn(&str) -> bool) -> Result<ExitCode, Failure> + 'a;

impl Of {
    fn run(&self, act: &Act<'_>) -> Result<ExitCode, Failure> {
        let over = |_: &mut Settings| {};
        let wish = Wish {
            ignores: true,
            ..Wish::default()
        };
        let read = run::read(&self.input, &over, &wish)?;
        run::understand(read, |read, analysis| {
            let mut report = read.report(analysis, &wish);
            report
                .findings
                .retain(|f| f.status != Status::Suppressed && f.family != "tool");
            let path = match &self.baseline {
                Some(path) => crate::discover::slashed(path),
                None => read.baseline_path(),
            };
            let old = load(&path)?;
            let root = read.root.clone();
            let exists = |path: &str| Path::new(&join_path(&root, path)).exists();
            act(&path, old.as_ref(), analysis.project.sources, &report, &exists)
        })
    }
}

/// The baseline at `path`; `None` where there is none.
pub(super) fn load(path: &str) -> Result<Option<Baseline>, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => Baseline::parse(&text)
            .map(Some)
            .map_err(|e| Failure::Usage(format!("cannot read the baseline {path}: {e}"))),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Failure::Io {
            what: format!("cannot read {path}"),
            source,
        }),
    }
}
