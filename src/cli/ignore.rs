//! `overgrant ignore`: writes a suppression in the way its format allows.
//!
//! A comment is tried first, above the line and then after it; it is kept only if the file is read as before with it and
//! the finding, and nothing else, is gone. Where no comment can stand (strict JSON, a heredoc) it becomes an
//! `[[exception]]` of overgrant.toml.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::input::InputArgs;
use super::repositories;
use super::rules::parse_location;
use super::run::{self, Loaded, MAX_SETTINGS, RunOptions};
use super::{CliFailure, detail, terminal};
use crate::secrets::Mask;
use crate::settings::{Date, Settings};
use crate::source::{Sources, file_name, join_path, parent_path, relative_path};
use crate::triage::{ReportedFinding, Status, Suppression};

/// Suppress a finding in the format of its file
#[derive(Debug, Args)]
pub(super) struct Ignore {
    /// Ignore the finding at FILE:LINE, or with this fingerprint (og1:…)
    #[arg(value_name = "FILE:LINE|FINGERPRINT")]
    what: String,
    /// Ignore this rule, if the line has findings of several
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// State why the finding is intended
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// End the suppression after this day (YYYY-MM-DD)
    #[arg(long, value_name = "DATE", value_parser = date)]
    until: Option<Date>,
}

fn date(text: &str) -> Result<Date, String> {
    Date::parse(text).ok_or_else(|| "expected YYYY-MM-DD".to_owned())
}

/// What is needed of a finding to write its suppression.
#[derive(Debug)]
pub(super) struct IgnoreTarget {
    pub(super) rule: String,
    pub(super) path: String,
    /// 1-based, of the primary label.
    line: usize,
    pub(super) fingerprint: String,
    sid: Option<String>,
    pointer: String,
    address: String,
}

impl IgnoreTarget {
    pub(super) fn new(sources: &Sources, f: &ReportedFinding, mask: &Mask) -> Self {
        let subject = &f.finding.subject;
        // The settings hold no secret either: what is called by one is found by its place.
        let selects = |text: &String| mask.text(text.clone()) == *text;
        Self {
            rule: f.rule().to_owned(),
            path: sources.path(f.span().file).to_owned(),
            line: sources.positions(f.span()).0.line,
            fingerprint: f.identity.fingerprint.clone(),
            sid: subject.sid.clone().filter(selects),
            pointer: subject.pointer.clone(),
            address: Some(subject.address.clone()).filter(selects).unwrap_or_default(),
        }
    }

    /// The comment that suppresses it.
    pub(super) fn comment(&self, reason: &str, until: Option<Date>) -> String {
        let until = until.map(|d| format!(" until={d}")).unwrap_or_default();
        format!("# overgrant: ignore[{}]{until} -- {}", self.rule, reason.trim())
    }

    /// The entry of the settings at `config` that suppresses it.
    pub(super) fn exception(&self, config: &str, reason: &str, until: Option<Date>) -> Result<String, CliFailure> {
        let cwd = run::working_directory()?;
        let dir = parent_path(&join_path(&cwd, config)).to_owned();
        let path = relative_path(&dir, &join_path(&cwd, &self.path));
        let table = if config.ends_with("pyproject.toml") {
            "tool.overgrant.exception"
        } else {
            "exception"
        };
        let quote = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let mut entry = format!("[[{table}]]\nrule = {}\npath = {}\n", quote(&self.rule), quote(&path));
        let selectors = [
            ("sid", self.sid.as_deref()),
            (
                "pointer",
                Some(&*self.pointer).filter(|p| !p.is_empty() && self.sid.is_none()),
            ),
            ("resource", Some(&*self.address).filter(|a| !a.is_empty())),
        ];
        for (key, value) in selectors {
            if let Some(value) = value {
                entry.push_str(&format!("{key} = {}\n", quote(value)));
            }
        }
        entry.push_str(&format!("reason = {}\n", quote(reason.trim())));
        if let Some(until) = until {
            entry.push_str(&format!("until = {until}\n"));
        }
        Ok(entry)
    }
}

/// What is known of a place without a finding that could be ignored.
#[derive(Default)]
struct NothingToIgnore {
    /// What suppresses the findings there.
    by: Vec<Suppression>,
    /// Findings of the rule that was named, by how near they are, and those of any rule.
    near: Vec<(usize, String)>,
    near_any: Vec<(usize, String)>,
}

impl NothingToIgnore {
    fn failure(self, what: &str) -> CliFailure {
        if let Some(by) = self.by.first() {
            let place = format!("{}:{}", by.path, by.line);
            return CliFailure::Usage(format!("the finding at {what} is already suppressed: see {place}"));
        }
        let near = self.near.into_iter().min();
        detail::nothing_found(what, near.or_else(|| self.near_any.into_iter().min()))
    }
}

/// Fingerprints and states of the findings of a run, and how many places could not be read as they should be.
pub(super) type Snapshot = (Vec<(String, Status)>, usize);

impl Ignore {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        if self.reason.trim().is_empty() || self.reason.contains(['\n', '\r']) {
            return Err(CliFailure::Usage("the reason is one line of text".to_owned()));
        }
        if let Some(until) = self.until.filter(|until| *until < run::today()) {
            return Err(CliFailure::Usage(format!(
                "{until} is past: the finding would be reported again at once"
            )));
        }
        let located = parse_location(&self.what);
        let input = InputArgs::from_path(PathBuf::from(located.as_ref().map_or(".", |(path, _)| path)));
        let wanted = |sources: &Sources, f: &ReportedFinding| match &located {
            Some((_, line)) => detail::is_on_line(sources, f, *line),
            None => f.identity.fingerprint == self.what,
        };
        let over = |_: &mut Settings| {};
        let run_options = RunOptions {
            ignores: true,
            ..RunOptions::default()
        };
        let all = repositories::read(&input, &over, &run_options)?;
        let mut missing = NothingToIgnore::default();
        let found = repositories::each(all, |read, analysis| {
            let report = read.report(analysis, &run_options);
            let sources = analysis.project.sources;
            let has_rule = |f: &&ReportedFinding| self.rule.as_deref().is_none_or(|r| r == f.rule());
            let here = |f: &&ReportedFinding| wanted(sources, f) && has_rule(f);
            let found: Vec<&ReportedFinding> = report.active().filter(here).collect();
            let suppressed = report.findings.iter().filter(here);
            missing.by.extend(suppressed.filter_map(|f| f.suppression.clone()));
            if let Some((_, line)) = &located {
                let near =
                    |findings: &mut dyn Iterator<Item = &ReportedFinding>| detail::nearest(sources, findings, *line);
                missing.near.extend(near(&mut report.active().filter(has_rule)));
                missing.near_any.extend(near(&mut report.active()));
            }
            let before = snapshot(&report, &analysis.project);
            if found.is_empty() {
                return Ok((before, None));
            }
            let mask = Mask::new(sources, &report.secrets);
            let target = self.find_target(sources, &found, &mask)?;
            let file = sources
                .find(&target.path)
                .map_or_else(String::new, |id| sources.text(id).to_string());
            Ok::<_, CliFailure>((before, Some((target, file, config_file(read), mask))))
        });
        let found: Result<Vec<_>, CliFailure> = found.into_iter().collect();
        let (mut expected, found): (Vec<Snapshot>, Vec<_>) = found?.into_iter().unzip();
        let found = found.into_iter().zip(&mut expected);
        let mut found = found.filter_map(|(found, before)| Some((found?, before)));
        let Some(((target, text, config, mask), changing)) = found.next() else {
            return Err(missing.failure(&self.what));
        };
        if let Some(((other, ..), _)) = found.next() {
            return Err(CliFailure::Usage(format!(
                "several repositories have this finding; choose with {}:{} or {}:{}",
                target.path, target.line, other.path, other.line
            )));
        }
        suppress(changing, &target.fingerprint);
        for changed in comments(&target, &text, &target.comment(&self.reason, self.until)) {
            let all = load_with_text(&input, &over, &run_options, &target.path, &changed)?;
            let with = repositories::each(all, |read, analysis| {
                let report = read.report(analysis, &run_options);
                snapshot(&report, &analysis.project)
            });
            if with == expected {
                super::write_file(&target.path, &changed)?;
                let line = line_with_ignore(&changed, &text);
                return terminal::print_text(&mask.text(format!("{}: {line}\n", target.path)));
            }
        }
        self.exception(&target, &config)
    }

    fn find_target(
        &self,
        sources: &Sources,
        found: &[&ReportedFinding],
        mask: &Mask,
    ) -> Result<IgnoreTarget, CliFailure> {
        let mut rules: Vec<&str> = found.iter().map(|f| f.rule()).collect();
        rules.sort_unstable();
        rules.dedup();
        let f = match (found.first(), rules.as_slice()) {
            (Some(f), [_]) => f,
            (None, _) => return Err(detail::nothing_found(&self.what, None)),
            (Some(_), many) => {
                let many = many.join(", ");
                return Err(CliFailure::Usage(format!(
                    "several rules here; choose with --rule: {many}"
                )));
            }
        };
        Ok(IgnoreTarget::new(sources, f, mask))
    }

    /// Appends an entry to the settings that govern the file.
    fn exception(&self, target: &IgnoreTarget, config: &str) -> Result<ExitCode, CliFailure> {
        let entry = target.exception(config, &self.reason, self.until)?;
        let mut text = match crate::discover::read_text(Path::new(config), MAX_SETTINGS) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => "schema = 1\n".to_owned(),
            Err(source) => {
                let what = format!("cannot read {config}");
                return Err(CliFailure::Io { what, source });
            }
        };
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&format!("\n{entry}"));
        super::write_file(config, &text)?;
        terminal::print_text(&format!("{config}:\n{entry}"))
    }
}

pub(super) fn snapshot(report: &crate::triage::Report, project: &crate::project::Project<'_>) -> Snapshot {
    let findings = report.findings.iter().filter(|f| f.family != "tool");
    let states = findings.map(|f| (f.identity.fingerprint.clone(), f.status)).collect();
    (states, project.problems.len())
}

/// What is to be seen if the finding is suppressed and everything else is as it was.
pub(super) fn suppress(snapshot: &mut Snapshot, fingerprint: &str) {
    for (print, status) in &mut snapshot.0 {
        if print == fingerprint {
            *status = Status::Suppressed;
        }
    }
}

/// The settings file that governs; where there is not one, one at the root.
pub(super) fn config_file(read: &Loaded<'_>) -> String {
    let found = read.governing.all().iter().rev().find_map(|s| s.path.clone());
    found.unwrap_or_else(|| relative_path(&read.cwd, &join_path(&read.root, "overgrant.toml")))
}

/// What was read, with another text for the file shown as `path`.
fn load_with_text<'a>(
    input: &InputArgs,
    over: &'a dyn Fn(&mut Settings),
    run_options: &RunOptions,
    path: &str,
    text: &str,
) -> Result<Vec<Loaded<'a>>, CliFailure> {
    let mut all = repositories::read(input, over, run_options)?;
    let files = all.iter_mut().flat_map(|read| &mut read.found.files);
    for f in files.filter(|f| f.path == path) {
        f.text = text.into();
    }
    Ok(all)
}

/// Whether comments can be written into the file at this path.
pub(super) fn takes_comments(path: &str) -> bool {
    let name = file_name(path);
    !(name.ends_with(".json") || name.ends_with(".ipynb"))
}

/// The file with the comment above the line, and with it after the line.
pub(super) fn comments(target: &IgnoreTarget, text: &str, comment: &str) -> Vec<String> {
    if !takes_comments(&target.path) {
        return Vec::new();
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let Some(line) = lines.get(target.line - 1) else {
        return Vec::new();
    };
    let bare = line.trim_end_matches(['\n', '\r']);
    let end = &line[bare.len()..];
    let indent = &bare[..bare.len() - bare.trim_start().len()];
    let new_line = if end.is_empty() { "\n" } else { end };
    [
        format!("{indent}{comment}{new_line}{line}"),
        format!("{bare} {comment}{end}"),
    ]
    .into_iter()
    .map(|changed| {
        let before: String = lines[..target.line - 1].concat();
        let after: String = lines[target.line..].concat();
        format!("{before}{changed}{after}")
    })
    .collect()
}

/// The first line that differs.
fn line_with_ignore(changed: &str, before: &str) -> String {
    let differs = changed
        .lines()
        .zip(before.lines().chain(std::iter::repeat("")))
        .find(|(a, b)| a != b);
    differs.map_or_else(String::new, |(line, _)| line.trim().to_owned())
}
