//! Formats of code hosts: GitHub annotations, GitLab code quality, reviewdog.

use std::cmp::Reverse;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Page, url};
use crate::finding::Severity;
use crate::source::{Span, visible};
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
        let (level, slot) = match f.severity {
            Severity::Critical | Severity::High => ("error", 0),
            Severity::Medium => ("warning", 1),
            Severity::Low => ("notice", 2),
        };
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

fn data(text: &str) -> String {
    visible(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Code quality report ("Code Quality report format", GitLab Docs).
pub(super) fn gitlab(page: &Page<'_>) -> String {
    let issues: Vec<Value> = page
        .active()
        .map(|f| {
            let (start, end) = page.sources.positions(f.span());
            let severity = match f.severity {
                Severity::Critical => "blocker",
                Severity::High => "critical",
                Severity::Medium => "major",
                Severity::Low => "minor",
            };
            json!({
                "type": "issue",
                "categories": ["Security"],
                "description": f.finding.message,
                "check_name": f.rule(),
                "fingerprint": f.identity.fingerprint,
                "severity": severity,
                "location": {
                    "path": page.root_path(f.span().file),
                    "lines": {"begin": start.line, "end": end.line},
                    "positions": {
                        "begin": {"line": start.line, "column": start.column},
                        "end": {"line": end.line, "column": end.column},
                    },
                },
            })
        })
        .collect();
    let mut out = serde_json::to_string_pretty(&issues).unwrap_or_default();
    out.push('\n');
    out
}

/// Reviewdog Diagnostic Format, as one object. Columns are in bytes.
pub(super) fn rdjson(page: &Page<'_>) -> String {
    let diagnostics: Vec<Value> = page
        .active()
        .map(|f| {
            let severity = match f.severity {
                Severity::Critical | Severity::High => "ERROR",
                Severity::Medium => "WARNING",
                Severity::Low => "INFO",
            };
            let suggestions: Vec<Value> = f
                .fixes
                .iter()
                .filter(|fix| fix.safe)
                .flat_map(|fix| &fix.edits)
                .filter(|e| e.span.file == f.span().file)
                .map(|e| json!({"range": byte_range(page, e.span), "text": e.text}))
                .collect();
            json!({
                "message": f.finding.message,
                "location": {"path": page.root_path(f.span().file), "range": byte_range(page, f.span())},
                "severity": severity,
                "code": {"value": f.rule(), "url": url(&f.family, f.rule())},
                "suggestions": suggestions,
            })
        })
        .collect();
    let whole = json!({
        "source": {"name": env!("CARGO_PKG_NAME"), "url": env!("CARGO_PKG_REPOSITORY")},
        "diagnostics": diagnostics,
    });
    let mut out = serde_json::to_string_pretty(&whole).unwrap_or_default();
    out.push('\n');
    out
}

fn byte_range(page: &Page<'_>, span: Span) -> Value {
    let lines = page.sources.file(span.file).lines();
    let place = |offset: u32| {
        let line = lines.line(offset as usize);
        json!({"line": line, "column": offset as usize - lines.start_of(line) + 1})
    };
    json!({"start": place(span.start), "end": place(span.end)})
}
