//! The stable JSON. `schema_version` is semantic: a field that goes or changes its meaning is a new major version.

use serde_json::{Map, Value, json};

use super::{Page, url};
use crate::finding::{Label, LabelRole, Severity};
use crate::source::{Sources, Span};
use crate::triage::{ReportedFinding, Status};
use crate::unjudged::Unjudged;

/// Version of this layout.
pub(crate) const SCHEMA_VERSION: &str = "1.0";

pub(super) fn render(page: &Page<'_>) -> String {
    let findings: Vec<Value> = page.report.findings.iter().map(|f| finding(page, f)).collect();
    let whole = json!({
        "schema_version": SCHEMA_VERSION,
        "tool": tool(),
        "root": ".",
        "findings": findings,
        "errors": errors(page),
        "unjudged": unjudged(page.sources, &page.report.unjudged),
        "summary": summary(page),
    });
    let mut out = serde_json::to_string_pretty(&whole).unwrap_or_default();
    out.push('\n');
    out
}

pub(super) fn lines(page: &Page<'_>) -> String {
    let mut out = String::new();
    for f in &page.report.findings {
        out.push_str(&finding(page, f).to_string());
        out.push('\n');
    }
    let last = json!({
        "schema_version": SCHEMA_VERSION,
        "tool": tool(),
        "errors": errors(page),
        "unjudged": unjudged(page.sources, &page.report.unjudged),
        "summary": summary(page),
    });
    out.push_str(&last.to_string());
    out.push('\n');
    out
}

/// Name, version and the date of the facts about AWS.
pub(crate) fn tool() -> Value {
    json!({
        "name": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "data_version": crate::iam::catalogue().data_date(),
    })
}

/// Lines and columns from 1 in code points, offsets in bytes, the end exclusive.
pub(crate) fn span(sources: &Sources, span: Span) -> Value {
    let (start, end) = sources.positions(span);
    let place = |p: crate::source::Position| json!({"line": p.line, "column": p.column, "offset": p.offset});
    json!({"start": place(start), "end": place(end)})
}

fn label(page: &Page<'_>, label: &Label) -> Value {
    json!({
        "path": page.path(label.span),
        "span": span(page.sources, label.span),
        "text": label.text,
        "primary": label.role == LabelRole::Primary,
    })
}

pub(super) fn finding(page: &Page<'_>, f: &ReportedFinding) -> Value {
    let x = &f.finding;
    let s = &x.subject;
    let labels: Vec<Value> = x.labels.iter().map(|l| label(page, l)).collect();
    let flow: Vec<Value> = x
        .flow
        .iter()
        .map(|l| json!({"path": page.path(l.span), "span": span(page.sources, l.span), "text": l.text}))
        .collect();
    let fixes: Vec<Value> = f
        .fixes
        .iter()
        .map(|fix| {
            let edits: Vec<Value> = fix
                .edits
                .iter()
                .map(|e| json!({"path": page.path(e.span), "start": e.span.start, "end": e.span.end, "text": e.text}))
                .collect();
            json!({"title": fix.title, "safety": if fix.safe { "safe" } else { "unsafe" }, "edits": edits})
        })
        .collect();
    let suppression = f.suppression.as_ref().map(|s| {
        json!({
            "kind": s.kind.name(),
            "reason": s.reason,
            "until": s.until.map(|d| d.to_string()),
            "owner": s.owner,
            "path": s.path,
            "line": s.line,
        })
    });
    json!({
        "rule": f.rule(),
        "title": page.title(f),
        "severity": f.severity,
        "confidence": f.confidence,
        "family": f.family,
        "cwe": page.ruleset.get(f.rule()).map_or(&[][..], |r| r.cwe()),
        "message": x.message,
        "path": page.path(f.span()),
        "span": span(page.sources, f.span()),
        "labels": labels,
        "subject": {
            "kind": s.kind,
            "address": s.address,
            "attribute": s.attribute,
            "policy_kind": s.policy_kind,
            "sid": s.sid,
            "pointer": s.pointer,
        },
        "evidence": x.evidence,
        "flow": flow,
        "notes": x.notes,
        "help": x.help,
        "url": url(&f.family, f.rule()),
        "folded": x.folded,
        "fixes": fixes,
        "fingerprint": f.identity.fingerprint,
        "status": f.status.name(),
        "suppression": suppression,
    })
}

fn errors(page: &Page<'_>) -> Vec<Value> {
    page.report
        .errors
        .iter()
        .map(|p| {
            json!({
                "rule": "unreadable-input",
                "path": page.path(p.span),
                "span": span(page.sources, p.span),
                "message": p.message,
            })
        })
        .collect()
}

/// What was not judged.
pub(super) fn unjudged(sources: &Sources, all: &[Unjudged]) -> Vec<Value> {
    let one = |u: &Unjudged| {
        json!({
            "path": u.path,
            "span": u.span.map(|at| span(sources, at)),
            "what": u.what.name(),
            "why": u.text(),
        })
    };
    all.iter().map(one).collect()
}

fn summary(page: &Page<'_>) -> Value {
    let report = page.report;
    let stats = &report.stats;
    let mut by_severity = Map::new();
    for severity in Severity::ALL.into_iter().rev() {
        let count = report.active().filter(|f| f.severity == severity).count();
        by_severity.insert(severity.name().to_owned(), count.into());
    }
    let mut out = json!({
        "files": {"read": stats.files, "skipped": stats.skipped, "failed": stats.failed},
        "policies": stats.policies,
        "statements": stats.statements,
        "in_tests": stats.in_tests,
        "unjudged_in_tests": stats.unjudged_in_tests,
        "by_severity": by_severity,
        "new": report.count(Status::New),
        "baselined": report.count(Status::Baselined) + report.count(Status::Moved),
        "suppressed": report.count(Status::Suppressed),
        "fixed_since_baseline": report.baseline.as_ref().map_or(0, |b| b.fixed),
    });
    if let (Some(ms), Some(map)) = (stats.elapsed_ms, out.as_object_mut()) {
        map.insert("elapsed_ms".to_owned(), ms.into());
    }
    out
}
