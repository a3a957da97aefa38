//! One finding in depth: its wildcards expanded, its conditions weighed, its document as AWS will see it.

use std::fmt::Write as _;
use std::process::ExitCode;

use super::CliFailure;
use super::input::InputArgs;
use super::repositories;
use super::run::RunOptions;
use super::terminal::{self, ColorChoice};
use crate::finding::Cause;
use crate::iam::condition::{Grade, strength};
use crate::iam::{AccessLevel, ActionSet, Document, Statement};
use crate::index::{DocumentId, IndexVec};
use crate::report::{Page, RenderOptions, policy_json, unjudged_human};
use crate::secrets::Mask;
use crate::settings::Settings;
use crate::source::{Sources, one_line, pretty_json, push_line, visible};
use crate::triage::ReportedFinding;
use crate::unjudged::Unjudged;

/// Any label of `f` covers the 1-based `line` of a file that was named.
pub(super) fn is_on_line(sources: &Sources, f: &ReportedFinding, line: usize) -> bool {
    f.finding.labels.iter().any(|l| {
        let (start, end) = sources.positions(l.span);
        sources.file(l.span.file).in_scope && start.line <= line && line <= end.line
    })
}

/// The 1-based `line` of a file that was named has what was not judged, or the reason for it.
pub(super) fn is_unjudged_on_line(sources: &Sources, u: &Unjudged, line: usize) -> bool {
    let places = u.span.into_iter().chain(u.causes.iter().map(|cause| cause.span));
    places.into_iter().any(|span| {
        let (start, end) = sources.positions(span);
        sources.file(span.file).in_scope && start.line <= line && line <= end.line
    })
}

/// The finding nearest to a line of a file that was named: how far it is, and what it is called. Lines move when others are
/// inserted, also by `ignore`.
pub(super) fn nearest<'f>(
    sources: &Sources,
    findings: impl Iterator<Item = &'f ReportedFinding>,
    line: usize,
) -> Option<(usize, String)> {
    let here = findings.filter(|f| sources.file(f.span().file).in_scope);
    let places = here.map(|f| {
        let at = sources.positions(f.span()).0.line;
        let text = format!("`{}` at {}:{at}", f.rule(), sources.path(f.span().file));
        (at.abs_diff(line), text)
    });
    places.min()
}

/// That nothing is found there, and what is near.
pub(super) fn nothing_found(what: &str, near: Option<(usize, String)>) -> CliFailure {
    let near = near.map(|(_, near)| format!("; the nearest is {near}"));
    CliFailure::Usage(format!("no finding at {what}{}", near.unwrap_or_default()))
}

/// Explains the findings of `input` that are `wanted`, and what of it was not judged.
pub(super) fn explain(
    input: &InputArgs,
    wanted: &dyn Fn(&Sources, &ReportedFinding) -> bool,
    wanted_unjudged: &dyn Fn(&Sources, &Unjudged) -> bool,
    line: Option<usize>,
    what: &str,
) -> Result<ExitCode, CliFailure> {
    let mut near = Vec::new();
    let over = |_: &mut Settings| {};
    let run_options = RunOptions {
        ignores: true,
        ..RunOptions::default()
    };
    let all = repositories::read(input, &over, &run_options)?;
    let pages = repositories::each(all, |read, analysis| {
        let mut report = read.report(analysis, &run_options);
        let sources = analysis.project.sources;
        near.extend(line.and_then(|line| nearest(sources, report.findings.iter(), line)));
        report.findings.retain(|f| wanted(sources, f));
        report.unjudged.retain(|u| wanted_unjudged(sources, u));
        let unjudged = match report.unjudged.is_empty() {
            true => String::new(),
            false => unjudged_human(sources, &report.unjudged),
        };
        if report.findings.is_empty() {
            let mask = Mask::new(sources, &report.secrets);
            return visible(&mask.text(unjudged)).into_owned();
        }
        let options = RenderOptions {
            color: terminal::color(ColorChoice::Auto),
            width: terminal::width(),
            show_suppressed: true,
            collapse: false,
            summary: false,
            cwd: read.cwd.clone(),
            root: read.root.clone(),
            ..RenderOptions::default()
        };
        let page = Page::new(&report, sources, &read.ruleset, options);
        let mut out = page.render(crate::report::OutputFormat::Human);
        let mut seen = Vec::new();
        for f in &report.findings {
            let Some((document, statement)) = subject(f, &analysis.project.documents) else {
                continue;
            };
            let key = (document.span, statement.map(|s| s.pointer.clone()));
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
            out.push_str(&visible(&page.masked(depth(sources, document, statement))));
        }
        if !unjudged.is_empty() {
            out.push('\n');
            out.push_str(&visible(&page.masked(unjudged)));
        }
        out
    });
    let found: Vec<String> = pages.into_iter().filter(|page| !page.is_empty()).collect();
    if found.is_empty() {
        return Err(nothing_found(what, near.into_iter().min()));
    }
    terminal::print_page(&found.join("\n"))
}

fn subject<'d>(
    f: &ReportedFinding,
    documents: &'d IndexVec<DocumentId, Document>,
) -> Option<(&'d Document, Option<&'d Statement>)> {
    match f.finding.cause {
        Cause::Statement(d, s) => {
            let document = documents.get(d)?;
            Some((document, document.statements.get(s)))
        }
        Cause::Document(d) => Some((documents.get(d)?, None)),
        _ => None,
    }
}

fn depth(sources: &Sources, document: &Document, statement: Option<&Statement>) -> String {
    let mut out = String::new();
    if let Some(s) = statement {
        if let Some(clause) = &s.action {
            for item in &clause.items {
                let text = item.display();
                let but = if clause.negated { "all but " } else { "" };
                push_line(&mut out, &format!("{but}`{text}` is {}", levels(&text)));
            }
        }
        let strength = strength(s);
        for bound in &strength.bounds {
            let worth = match (bound.grade, bound.weakness) {
                (Grade::Pins, _) => "limits access to named values".to_owned(),
                (Grade::Narrows, None) => "limits access".to_owned(),
                (Grade::Narrows, Some(w)) => format!("limits access, but {}", w.text()),
                (_, Some(w)) => format!("restricts nothing: {}", w.text()),
                (_, None) => "restricts nothing".to_owned(),
            };
            let line = sources.positions(bound.key_span).0.line;
            let key = s
                .conditions
                .get(bound.index)
                .map_or_else(|| bound.key.clone(), |c| c.key.display());
            push_line(&mut out, &format!("condition on `{key}` (line {line}) {worth}"));
        }
        if strength.bounds.is_empty() && s.condition_key.is_none() {
            out.push_str("no condition\n");
        }
    }
    let (start, end) = sources.positions(document.span);
    let _ = writeln!(
        out,
        "\n{} policy, {}:{}-{}, as AWS will see it:",
        document.kind.name(),
        one_line(sources.path(document.span.file)),
        start.line,
        end.line
    );
    out.push_str(&pretty_json(&policy_json(&document.value)));
    out.push('\n');
    out
}

/// "76 actions: 9 permissions management, 11 read, …"
pub(super) fn levels(pattern: &str) -> String {
    let set = ActionSet::expand(pattern);
    let by_level = set.by_level();
    match set.len() {
        0 => "no action".to_owned(),
        1 => format!("1 action ({})", by_level.highest().map_or("", AccessLevel::name)),
        n => format!("{n} actions: {by_level}"),
    }
}
