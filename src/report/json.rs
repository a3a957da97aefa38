//! The stable JSON, as `--format json` and `jsonl` write it.
//!
//! `schema_version` is semantic, for what `docs/report.schema.json` describes: a field that goes or changes its meaning is a new
//! major version, a new field a new minor version. The texts of messages, notes, and help may change at any time.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::{Page, page_url};
use crate::finding::{AppliedFix, Evidence, Label, LabelRole, Severity};
use crate::rules::ids;
use crate::source::{Position, Problem, Sources, Span, pretty_json};
use crate::triage::{ReportedFinding, Status};
use crate::unjudged::Unjudged;

/// Version of this layout.
pub(crate) const SCHEMA_VERSION: &str = "1.0";

/// The whole report.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub(crate) struct JsonReport<'a> {
    /// Version of this layout.
    schema_version: &'static str,
    tool: JsonTool,
    /// Where paths start: the working directory.
    root: &'static str,
    /// By path, position, and rule; suppressed and known ones too.
    findings: Vec<JsonFinding<'a>>,
    /// Files that could not be read completely.
    errors: Vec<JsonError<'a>>,
    /// What could not be judged.
    unjudged: Vec<JsonUnjudged<'a>>,
    /// Fixes that were applied before (`overgrant fix`).
    #[serde(skip_serializing_if = "Option::is_none")]
    applied: Option<Vec<JsonApplied<'a>>>,
    summary: JsonSummary,
}

/// The last line of `jsonl`, after one finding on each line.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub(crate) struct JsonLastLine<'a> {
    /// Version of this layout.
    schema_version: &'static str,
    tool: JsonTool,
    /// Files that could not be read completely.
    errors: Vec<JsonError<'a>>,
    /// What could not be judged.
    unjudged: Vec<JsonUnjudged<'a>>,
    /// Fixes that were applied before (`overgrant fix`).
    #[serde(skip_serializing_if = "Option::is_none")]
    applied: Option<Vec<JsonApplied<'a>>>,
    summary: JsonSummary,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonTool {
    name: &'static str,
    version: &'static str,
    /// Date of the facts about AWS (YYYY-MM-DD).
    data_version: &'static str,
}

/// From the start to the end, which is exclusive.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub(super) struct JsonSpan {
    start: JsonPosition,
    end: JsonPosition,
}

impl JsonSpan {
    /// Line and column of the start.
    pub(super) fn place(&self) -> (usize, usize) {
        (self.start.line, self.start.column)
    }
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonPosition {
    /// From 1.
    line: usize,
    /// From 1, in code points.
    column: usize,
    /// From 0, in bytes of UTF-8.
    offset: usize,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonLabel<'a> {
    path: Cow<'a, str>,
    span: JsonSpan,
    text: &'a str,
    /// The token to edit; the others explain it.
    primary: bool,
}

/// A step of the path from the code to the role.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonStep<'a> {
    path: Cow<'a, str>,
    span: JsonSpan,
    text: &'a str,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonFix<'a> {
    title: &'a str,
    /// `safe` or `unsafe`.
    safety: &'static str,
    /// Applied together or not at all.
    edits: Vec<JsonEdit<'a>>,
}

/// Bytes to replace.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonEdit<'a> {
    path: Cow<'a, str>,
    /// First byte, from 0.
    start: u32,
    /// First byte after.
    end: u32,
    text: &'a str,
}

/// A fix that was applied.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonApplied<'a> {
    rule: &'a str,
    path: &'a str,
    /// Before the fix, from 1.
    line: usize,
    title: &'a str,
    /// `safe` or `unsafe`.
    safety: &'static str,
    /// What it removes from the grants of policies, or adds to them, a sentence each; empty for a safe fix.
    changes: &'a [String],
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonSuppression<'a> {
    /// `inline`, `config`, `metadata`, or `foreign`.
    kind: &'static str,
    reason: Option<&'a str>,
    /// Last day (YYYY-MM-DD).
    until: Option<String>,
    owner: Option<&'a str>,
    path: &'a str,
    line: usize,
}

/// What the finding is about.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonSubject<'a> {
    /// `json`, `cfn`, `tf`, `python`, `text`, …
    kind: &'a str,
    /// Address of the resource.
    address: &'a str,
    /// Attribute or property of the resource.
    attribute: &'a str,
    policy_kind: Option<&'a str>,
    sid: Option<&'a str>,
    /// JSON pointer to the statement.
    pointer: &'a str,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub(crate) struct JsonFinding<'a> {
    rule: &'a str,
    title: Cow<'a, str>,
    /// `low`, `medium`, `high`, or `critical`.
    severity: &'static str,
    /// `low`, `medium`, or `high`.
    confidence: &'static str,
    family: &'a str,
    cwe: &'a [u32],
    message: &'a str,
    path: Cow<'a, str>,
    span: JsonSpan,
    labels: Vec<JsonLabel<'a>>,
    subject: JsonSubject<'a>,
    evidence: &'a Evidence,
    flow: Vec<JsonStep<'a>>,
    notes: &'a [String],
    help: Option<&'a str>,
    url: String,
    /// Rules whose findings this one replaces.
    folded: Vec<&'a str>,
    fixes: Vec<JsonFix<'a>>,
    /// `og1:` and 12 hexadecimal digits.
    fingerprint: &'a str,
    /// `new`, `baselined`, `moved`, or `suppressed`.
    status: &'static str,
    suppression: Option<JsonSuppression<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonError<'a> {
    rule: &'static str,
    path: Cow<'a, str>,
    span: JsonSpan,
    message: &'a str,
}

/// A file that could not be read completely, as the lists of policies and calls show it.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub(super) struct JsonUnread<'a> {
    path: &'a str,
    span: JsonSpan,
    message: &'a str,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub(crate) struct JsonUnjudged<'a> {
    path: &'a str,
    span: Option<JsonSpan>,
    what: &'static str,
    why: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonSummary {
    files: JsonFiles,
    policies: usize,
    statements: usize,
    /// Findings in test code, which are not listed.
    in_tests: usize,
    /// What could not be judged in test code, which is not listed.
    unjudged_in_tests: usize,
    /// Number of active findings.
    by_severity: BySeverity,
    new: usize,
    baselined: usize,
    suppressed: usize,
    fixed_since_baseline: usize,
    /// Only findings that an earlier revision does not have are listed (`--since`).
    #[serde(skip_serializing_if = "Option::is_none")]
    compared_with: Option<JsonRevision>,
    /// The files of the git index were checked (`--staged`).
    #[serde(skip_serializing_if = "Option::is_none")]
    staged: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elapsed_ms: Option<u64>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonRevision {
    /// As it was named.
    reference: String,
    /// The commit whose findings are left out.
    merge_base: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonFiles {
    read: usize,
    skipped: usize,
    failed: usize,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct BySeverity {
    critical: usize,
    high: usize,
    medium: usize,
    low: usize,
}

pub(super) fn render(page: &Page<'_>) -> String {
    pretty_json(&JsonReport {
        schema_version: SCHEMA_VERSION,
        tool: tool(),
        root: ".",
        findings: page.report.findings.iter().map(|f| finding(page, f)).collect(),
        errors: errors(page),
        unjudged: unjudged(page.sources, &page.report.unjudged),
        applied: (!page.applied.is_empty()).then(|| page.applied.iter().map(applied).collect()),
        summary: summary(page),
    })
}

pub(super) fn lines(page: &Page<'_>) -> String {
    let mut out = String::new();
    let mut line = |text: serde_json::Result<String>| {
        out.push_str(&text.unwrap_or_default());
        out.push('\n');
    };
    for f in &page.report.findings {
        line(serde_json::to_string(&finding(page, f)));
    }
    line(serde_json::to_string(&JsonLastLine {
        schema_version: SCHEMA_VERSION,
        tool: tool(),
        errors: errors(page),
        unjudged: unjudged(page.sources, &page.report.unjudged),
        applied: (!page.applied.is_empty()).then(|| page.applied.iter().map(applied).collect()),
        summary: summary(page),
    }));
    out
}

/// The JSON Schema of `--format json`; a line of `jsonl` is one of `$defs`.
#[cfg(feature = "cli")]
pub(crate) fn schema() -> serde_json::Value {
    let about = "What `overgrant check --format json` writes. `--format jsonl` writes a `JsonFinding` on each line and a \
                 `JsonLastLine` at the end.";
    schema_of::<JsonReport<'_>, JsonLastLine<'_>>("overgrant report", about)
}

/// The schema of `Whole`, with that of `Other` in its `$defs`.
#[cfg(feature = "cli")]
pub(super) fn schema_of<Whole: schemars::JsonSchema, Other: schemars::JsonSchema>(
    title: &str,
    about: &str,
) -> serde_json::Value {
    let mut generator = schemars::SchemaGenerator::default();
    generator.subschema_for::<Other>();
    let mut schema = generator.into_root_schema_for::<Whole>();
    let promise = "`schema_version` is semantic: a field that goes or changes its meaning is a new major version, a new field \
                   a new minor version. Texts may change at any time.";
    schema.insert("title".to_owned(), title.into());
    schema.insert("description".to_owned(), format!("{about} {promise}").into());
    schema.to_value()
}

/// Name, version and the date of the facts about AWS.
fn tool() -> JsonTool {
    JsonTool {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        data_version: crate::iam::catalogue().data_date(),
    }
}

pub(super) fn span(sources: &Sources, span: Span) -> JsonSpan {
    let (start, end) = sources.positions(span);
    let position = |p: Position| JsonPosition {
        line: p.line,
        column: p.column,
        offset: p.offset,
    };
    JsonSpan {
        start: position(start),
        end: position(end),
    }
}

pub(super) fn finding<'a>(page: &'a Page<'_>, f: &'a ReportedFinding) -> JsonFinding<'a> {
    let x = &f.finding;
    let s = &x.subject;
    let label = |l: &'a Label| JsonLabel {
        path: page.path(l.span).into(),
        span: span(page.sources, l.span),
        text: &l.text,
        primary: l.role == LabelRole::Primary,
    };
    let step = |l: &'a Label| JsonStep {
        path: page.path(l.span).into(),
        span: span(page.sources, l.span),
        text: &l.text,
    };
    let fix = |fix: &'a crate::finding::Fix| JsonFix {
        title: &fix.title,
        safety: if fix.safe { "safe" } else { "unsafe" },
        edits: fix
            .edits
            .iter()
            .map(|e| JsonEdit {
                path: page.path(e.span).into(),
                start: e.span.start,
                end: e.span.end,
                text: &e.text,
            })
            .collect(),
    };
    JsonFinding {
        rule: f.rule(),
        title: page.title(f).into(),
        severity: f.severity.name(),
        confidence: f.confidence.name(),
        family: &f.family,
        cwe: page.ruleset.get(f.rule()).map_or(&[], |r| r.cwe()),
        message: &x.message,
        path: page.path(f.span()).into(),
        span: span(page.sources, f.span()),
        labels: x.labels.iter().map(label).collect(),
        subject: JsonSubject {
            kind: &s.kind,
            address: &s.address,
            attribute: &s.attribute,
            policy_kind: s.policy_kind.as_deref(),
            sid: s.sid.as_deref(),
            pointer: &s.pointer,
        },
        evidence: &x.evidence,
        flow: x.flow.iter().map(step).collect(),
        notes: &x.notes,
        help: x.help.as_deref(),
        url: page_url(f.rule()),
        folded: x.folded.iter().map(|rule| &**rule).collect(),
        fixes: f.fixes.iter().map(fix).collect(),
        fingerprint: &f.identity.fingerprint,
        status: f.status.name(),
        suppression: f.suppression.as_ref().map(|s| JsonSuppression {
            kind: s.kind.name(),
            reason: s.reason.as_deref(),
            until: s.until.map(|d| d.to_string()),
            owner: s.owner.as_deref(),
            path: &s.path,
            line: s.line,
        }),
    }
}

fn errors<'a>(page: &'a Page<'_>) -> Vec<JsonError<'a>> {
    let error = |p: &'a Problem| JsonError {
        rule: ids::UNREADABLE_INPUT.as_str(),
        path: page.path(p.span).into(),
        span: span(page.sources, p.span),
        message: &p.message,
    };
    page.report.errors.iter().map(error).collect()
}

pub(super) fn unread<'a>(sources: &'a Sources, errors: &'a [Problem]) -> Vec<JsonUnread<'a>> {
    let one = |p: &'a Problem| JsonUnread {
        path: sources.path(p.span.file),
        span: span(sources, p.span),
        message: &p.message,
    };
    errors.iter().map(one).collect()
}

/// What was not judged.
pub(super) fn unjudged<'a>(sources: &Sources, all: &'a [Unjudged]) -> Vec<JsonUnjudged<'a>> {
    let one = |u: &'a Unjudged| JsonUnjudged {
        path: &u.path,
        span: u.span.map(|at| span(sources, at)),
        what: u.what.name(),
        why: u.text(),
    };
    all.iter().map(one).collect()
}

fn applied(fix: &AppliedFix) -> JsonApplied<'_> {
    JsonApplied {
        rule: &fix.rule,
        path: &fix.path,
        line: fix.line,
        title: &fix.title,
        safety: if fix.safe { "safe" } else { "unsafe" },
        changes: &fix.changes,
    }
}

fn summary(page: &Page<'_>) -> JsonSummary {
    let report = page.report;
    let stats = &report.stats;
    let mut counts: BTreeMap<Severity, usize> = BTreeMap::new();
    for f in report.active() {
        *counts.entry(f.severity).or_default() += 1;
    }
    let of = |severity| counts.get(&severity).copied().unwrap_or(0);
    JsonSummary {
        files: JsonFiles {
            read: stats.files,
            skipped: stats.skipped,
            failed: stats.failed,
        },
        policies: stats.policies,
        statements: stats.statements,
        in_tests: stats.in_tests,
        unjudged_in_tests: stats.unjudged_in_tests,
        by_severity: BySeverity {
            critical: of(Severity::Critical),
            high: of(Severity::High),
            medium: of(Severity::Medium),
            low: of(Severity::Low),
        },
        new: report.count(Status::New),
        baselined: report.count(Status::Baselined) + report.count(Status::Moved),
        suppressed: report.count(Status::Suppressed),
        fixed_since_baseline: report.baselines.iter().map(|b| b.fixed).sum(),
        compared_with: report.compared.as_ref().map(|with| JsonRevision {
            reference: with.reference.clone(),
            merge_base: with.merge_base.clone(),
        }),
        staged: stats.staged.then_some(true),
        elapsed_ms: stats.elapsed_ms,
    }
}
