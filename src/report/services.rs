//! Formats of code hosts: GitHub annotations, GitLab code quality, reviewdog.

use std::cmp::Reverse;
use std::fmt::Write as _;

use serde::Serialize;

use super::diff::{DiffEntry, DiffPage, PathEntry};
use super::{Page, page_url};
use crate::finding::Severity;
use crate::source::{Span, join_path, pretty_json, relative_path, visible};
use crate::triage::ReportedFinding;
use crate::unjudged::counted_kinds;

/// Annotations of one level that GitHub shows for a step.
const GITHUB_SHOWN: usize = 10;

/// Workflow commands, the most severe first ("Workflow commands for GitHub Actions", GitHub Docs).
pub(super) fn github(page: &Page<'_>) -> String {
    let mut findings: Vec<&ReportedFinding> = page.active().collect();
    findings.sort_by_key(|f| Reverse(f.severity));
    let mut out = String::new();
    let mut shown = [0usize; 3];
    for f in &findings {
        let (level, slot) = github_level(f.severity);
        shown[slot] += 1;
        let (start, end) = page.sources.positions(f.span());
        let mut properties = format!(
            "file={},line={},endLine={}",
            property(&page.root_path(f.span().file)),
            start.line,
            end.line
        );
        if start.line == end.line {
            let _ = write!(properties, ",col={},endColumn={}", start.column, end.column);
        }
        let mut text = f.finding.message.clone();
        for label in f.finding.labels.iter().skip(1).filter(|l| !l.text.is_empty()) {
            let line = page.sources.positions(label.span).0.line;
            let _ = write!(text, "\n{}:{line}: {}", page.root_path(label.span.file), label.text);
        }
        if let Some(help) = &f.finding.help {
            let _ = write!(text, "\nhelp: {help}");
        }
        let _ = writeln!(
            out,
            "::{level} {properties},title={}::{}",
            property(f.rule()),
            data(&text)
        );
    }
    if let Some(counted) = counted_kinds(&page.report.unjudged) {
        let _ = writeln!(out, "::notice::not judged: {counted}");
    }
    let cut: usize = shown.iter().map(|n| n.saturating_sub(GITHUB_SHOWN)).sum();
    if cut > 0 {
        let _ = writeln!(out, "::notice::{cut} more: see the log or SARIF");
    }
    out
}

/// Its number, too.
fn github_level(severity: Severity) -> (&'static str, usize) {
    match severity {
        Severity::Critical | Severity::High => ("error", 0),
        Severity::Medium => ("warning", 1),
        Severity::Low => ("notice", 2),
    }
}

/// Annotations of what is gained and of what is not known, at the places in NEW.
pub fn diff_github(page: &DiffPage<'_>) -> String {
    let mut out = String::new();
    let new = &page.new;
    let at = |span: Span| {
        let (start, end) = new.sources.positions(span);
        let path = join_path(&new.cwd, new.sources.path(span.file));
        let mut place = format!(
            "file={},line={},endLine={}",
            property(&relative_path(&new.root, &path)),
            start.line,
            end.line
        );
        if start.line == end.line {
            let _ = write!(place, ",col={},endColumn={}", start.column, end.column);
        }
        place
    };
    let gained = DiffEntry::all(&page.gained, true);
    for entry in &gained {
        let c = &entry.first.change;
        let level = github_level(c.severity).0;
        let text = page.masked(entry.with_request());
        let _ = writeln!(out, "::{level} {},title=access gained::{}", at(c.span), data(&text));
    }
    let opened = PathEntry::all(&page.opened, true);
    for entry in &opened {
        let level = github_level(entry.first.path.severity).0;
        let place = entry.first.span.filter(|span| span.is_in_source());
        let place = place.map(|span| format!("{},", at(span))).unwrap_or_default();
        let text = page.masked(entry.sentence());
        let _ = writeln!(out, "::{level} {place}title=path opened::{}", data(&text));
    }
    for u in &page.unknown {
        let text = page.masked(format!("`{}`: {}", u.subject, u.why));
        let title = match u.is_gain {
            true => "access that may be gained",
            false => "access that may be lost",
        };
        let place = u.span.filter(|span| u.is_new && span.is_in_source());
        let place = place.map(|span| format!("{},", at(span))).unwrap_or_default();
        let _ = writeln!(out, "::notice {place}title={title}::{}", data(&text));
    }
    if !page.lost.is_empty() || !page.closed.is_empty() || !page.moved.is_empty() {
        let _ = writeln!(out, "::notice::access: {}", page.counts());
    }
    let cut = (gained.len() + opened.len()).saturating_sub(GITHUB_SHOWN);
    if cut > 0 {
        let _ = writeln!(out, "::notice::{cut} more: see the log");
    }
    out
}

fn data(text: &str) -> String {
    visible(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// One issue ("Code Quality report format", GitLab Docs).
#[derive(Debug, Serialize)]
struct GitlabIssue<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    categories: [&'static str; 1],
    description: &'a str,
    check_name: &'a str,
    fingerprint: &'a str,
    severity: &'static str,
    location: GitlabLocation,
}

#[derive(Debug, Serialize)]
struct GitlabLocation {
    path: String,
    lines: GitlabRange<usize>,
    positions: GitlabRange<TextPosition>,
}

#[derive(Debug, Serialize)]
struct GitlabRange<T> {
    begin: T,
    end: T,
}

/// From 1; GitLab counts columns in characters, reviewdog in bytes.
#[derive(Debug, Serialize)]
struct TextPosition {
    line: usize,
    column: usize,
}

pub(super) fn gitlab(page: &Page<'_>) -> String {
    pretty_json(&page.active().map(|f| gitlab_issue(page, f)).collect::<Vec<_>>())
}

fn gitlab_issue<'a>(page: &Page<'_>, f: &'a ReportedFinding) -> GitlabIssue<'a> {
    let (start, end) = page.sources.positions(f.span());
    GitlabIssue {
        kind: "issue",
        categories: ["Security"],
        description: &f.finding.message,
        check_name: f.rule(),
        fingerprint: &f.identity.fingerprint,
        severity: match f.severity {
            Severity::Critical => "blocker",
            Severity::High => "critical",
            Severity::Medium => "major",
            Severity::Low => "minor",
        },
        location: GitlabLocation {
            path: page.root_path(f.span().file),
            lines: GitlabRange {
                begin: start.line,
                end: end.line,
            },
            positions: GitlabRange {
                begin: TextPosition {
                    line: start.line,
                    column: start.column,
                },
                end: TextPosition {
                    line: end.line,
                    column: end.column,
                },
            },
        },
    }
}

/// A `DiagnosticResult` ("Reviewdog Diagnostic Format", `proto/rdf/reviewdog.proto` of reviewdog).
#[derive(Debug, Serialize)]
struct RdResult<'a> {
    source: RdSource,
    diagnostics: Vec<RdDiagnostic<'a>>,
}

#[derive(Debug, Serialize)]
struct RdSource {
    name: &'static str,
    url: &'static str,
}

#[derive(Debug, Serialize)]
struct RdDiagnostic<'a> {
    message: &'a str,
    location: RdLocation,
    severity: &'static str,
    code: RdCode<'a>,
    suggestions: Vec<RdSuggestion<'a>>,
}

#[derive(Debug, Serialize)]
struct RdLocation {
    path: String,
    range: RdRange,
}

#[derive(Debug, Serialize)]
struct RdRange {
    start: TextPosition,
    end: TextPosition,
}

#[derive(Debug, Serialize)]
struct RdCode<'a> {
    value: &'a str,
    url: String,
}

#[derive(Debug, Serialize)]
struct RdSuggestion<'a> {
    range: RdRange,
    text: &'a str,
}

pub(super) fn rdjson(page: &Page<'_>) -> String {
    pretty_json(&RdResult {
        source: RdSource {
            name: env!("CARGO_PKG_NAME"),
            url: env!("CARGO_PKG_REPOSITORY"),
        },
        diagnostics: page.active().map(|f| diagnostic(page, f)).collect(),
    })
}

fn diagnostic<'a>(page: &Page<'_>, f: &'a ReportedFinding) -> RdDiagnostic<'a> {
    let safe = f.fixes.iter().filter(|fix| fix.safe);
    RdDiagnostic {
        message: &f.finding.message,
        location: RdLocation {
            path: page.root_path(f.span().file),
            range: byte_range(page, f.span()),
        },
        severity: match f.severity {
            Severity::Critical | Severity::High => "ERROR",
            Severity::Medium => "WARNING",
            Severity::Low => "INFO",
        },
        code: RdCode {
            value: f.rule(),
            url: page_url(f.rule()),
        },
        suggestions: safe
            .flat_map(|fix| &fix.edits)
            .filter(|e| e.span.file == f.span().file)
            .map(|e| RdSuggestion {
                range: byte_range(page, e.span),
                text: &e.text,
            })
            .collect(),
    }
}

fn byte_range(page: &Page<'_>, span: Span) -> RdRange {
    let lines = page.sources.file(span.file).lines();
    let place = |offset: u32| {
        let line = lines.line(offset as usize);
        TextPosition {
            line,
            column: offset as usize - lines.start_of(line) + 1,
        }
    };
    RdRange {
        start: place(span.start),
        end: place(span.end),
    }
}
