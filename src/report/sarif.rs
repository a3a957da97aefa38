//! SARIF 2.1.0, as GitHub code scanning and others read it ("SARIF support for code scanning", GitHub Docs).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::line_hash::line_hashes;
use super::{Page, escape_uri, url};
use crate::finding::{Confidence, Label, LabelRole, Severity};
use crate::rules::Rule;
use crate::source::{FileId, Span};
use crate::triage::{ReportedFinding, Status, SuppressionKind};
use crate::unjudged::{Unjudged, UnjudgedReason};

/// More results than this are refused.
const MAX_RESULTS: usize = 25_000;
/// GitHub keeps this many, the most severe.
const KEPT_RESULTS: usize = 5_000;
/// Locations shown of one result.
const MAX_LOCATIONS: usize = 100;

pub(super) fn render(page: &Page<'_>) -> String {
    let mut results: Vec<&ReportedFinding> = page.report.findings.iter().collect();
    let total = results.len();
    if total > KEPT_RESULTS {
        results.sort_by_key(|f| std::cmp::Reverse(f.severity));
        results.truncate(MAX_RESULTS);
    }
    let mut ids: Vec<&str> = results.iter().map(|f| f.rule()).collect();
    if page.options.all_rules {
        ids.extend(page.ruleset.iter().map(Rule::id));
    }
    ids.sort_unstable();
    ids.dedup();
    let rules: Vec<Value> = ids.iter().map(|id| rule(page, id)).collect();
    let index: BTreeMap<&str, usize> = ids.iter().enumerate().map(|(i, id)| (*id, i)).collect();
    let hashes = hashes(page, &results);
    let results: Vec<Value> = results.iter().map(|f| result(page, f, &index, &hashes)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The root of the repository."}}},
            "automationDetails": {"id": "overgrant/"},
            "invocations": [{
                "executionSuccessful": !page.report.broken,
                "toolExecutionNotifications": notifications(page, total),
            }],
            "results": results,
        }],
    });
    let mut out = serde_json::to_string_pretty(&log).unwrap_or_default();
    out.push('\n');
    out
}

fn notifications(page: &Page<'_>, total: usize) -> Vec<Value> {
    let mut out: Vec<Value> = page
        .report
        .errors
        .iter()
        .map(|p| {
            json!({
                "level": "error",
                "message": {"text": p.message},
                "descriptor": {"id": "unreadable-input"},
                "locations": [{"physicalLocation": physical(page, p.span)}],
            })
        })
        .collect();
    let errors: BTreeSet<(&str, Span)> = page.report.errors.iter().map(|p| (page.path(p.span), p.span)).collect();
    let whole: BTreeSet<&str> = errors.iter().map(|(path, _)| *path).collect();
    let is_error = |u: &&Unjudged| match u.span {
        Some(span) => errors.contains(&(&*u.path, span)),
        None => matches!(u.why, UnjudgedReason::Unread(_)) && whole.contains(&*u.path),
    };
    // Errors are listed above.
    for u in page.report.unjudged.iter().filter(|u| u.counts() && !is_error(u)) {
        let mut place = json!({"artifactLocation": location(page, &u.path)});
        if let (Some(span), Some(map)) = (u.span, place.as_object_mut()) {
            map.insert("region".to_owned(), region(page, span));
        }
        out.push(json!({
            "level": "note",
            "message": {"text": format!("not judged: {}: {}", u.noun().0, u.text())},
            "descriptor": {"id": "unjudged"},
            "locations": [{"physicalLocation": place}],
        }));
    }
    if total > KEPT_RESULTS {
        let text = format!("{total} results, of which GitHub keeps the {KEPT_RESULTS} most severe");
        out.push(json!({"level": "warning", "message": {"text": text}}));
    }
    out
}

/// GitHub's uploader would compute the same; the value is there for those that upload without it.
fn hashes(page: &Page<'_>, results: &[&ReportedFinding]) -> BTreeMap<FileId, BTreeMap<usize, String>> {
    let mut lines: BTreeMap<FileId, Vec<usize>> = BTreeMap::new();
    for f in results {
        let line = page.sources.positions(f.span()).0.line;
        lines.entry(f.span().file).or_default().push(line);
    }
    lines
        .into_iter()
        .map(|(file, lines)| (file, line_hashes(page.sources.text(file), &lines)))
        .collect()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// GitHub's scale: over 9.0 critical, from 7.0 high, from 4.0 medium.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
    }
}

fn precision(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "very-high",
        Confidence::Medium => "high",
        Confidence::Low => "medium",
    }
}

fn rank(severity: Severity) -> f64 {
    match severity {
        Severity::Critical => 95.0,
        Severity::High => 80.0,
        Severity::Medium => 55.0,
        Severity::Low => 30.0,
    }
}

fn rule(page: &Page<'_>, id: &str) -> Value {
    let Some(rule) = page.ruleset.get(id) else {
        return json!({"id": id, "name": pascal(id), "shortDescription": {"text": id}});
    };
    let docs = rule.docs();
    let text = format!("{}\n\n{}", docs.why.trim(), docs.remedy.trim());
    json!({
        "id": id,
        "name": pascal(id),
        "shortDescription": {"text": rule.title()},
        "fullDescription": {"text": docs.why.trim()},
        "help": {"text": text, "markdown": crate::rules::markdown(rule, None)},
        "helpUri": url(rule.family(), id),
        "defaultConfiguration": {"level": level(rule.severity())},
        "properties": {
            "security-severity": security_severity(rule.severity()),
            "precision": precision(rule.confidence()),
            "problem.severity": match level(rule.severity()) { "note" => "recommendation", other => other },
            "tags": tags(rule),
        },
    })
}

/// At most ten: GitHub shows no more.
fn tags(rule: &Rule) -> Vec<String> {
    let mut tags = vec!["security".to_owned(), rule.family().to_owned()];
    tags.extend(rule.cwe().iter().map(|n| format!("external/cwe/cwe-{n:03}")));
    tags.truncate(10);
    tags
}

fn pascal(id: &str) -> String {
    id.split(['-', '/'])
        .map(|word| {
            let mut chars = word.chars();
            let first = chars.next().map(|c| c.to_ascii_uppercase());
            first.into_iter().chain(chars).collect::<String>()
        })
        .collect()
}

fn artifact(page: &Page<'_>, file: FileId) -> Value {
    location(page, page.sources.path(file))
}

fn location(page: &Page<'_>, path: &str) -> Value {
    json!({"uri": escape_uri(&page.at_root(path)), "uriBaseId": "SRCROOT"})
}

fn region(page: &Page<'_>, span: Span) -> Value {
    let (start, end) = page.sources.positions(span);
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
        "byteOffset": start.offset,
        "byteLength": end.offset - start.offset,
    })
}

fn physical(page: &Page<'_>, span: Span) -> Value {
    json!({"artifactLocation": artifact(page, span.file), "region": region(page, span)})
}

fn related_labels(f: &ReportedFinding) -> impl Iterator<Item = (usize, &Label)> {
    let others = f.finding.labels.iter().filter(|l| l.role != LabelRole::Primary);
    others.enumerate().take(MAX_LOCATIONS).map(|(i, l)| (i + 1, l))
}

/// The message, with a link to each related place.
fn message(f: &ReportedFinding) -> String {
    let links: Vec<String> = related_labels(f)
        .filter(|(_, l)| !l.text.is_empty())
        .map(|(id, l)| {
            format!(
                "[{}]({id})",
                l.text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
            )
        })
        .collect();
    let mut out = f.finding.message.clone();
    if let Some(label) = f.finding.labels.first().filter(|l| !l.text.is_empty()) {
        out = format!("{out}: {}", label.text);
    }
    if !links.is_empty() {
        out = format!("{out}; {}", links.join("; "));
    }
    out
}

fn result(
    page: &Page<'_>,
    f: &ReportedFinding,
    index: &BTreeMap<&str, usize>,
    hashes: &BTreeMap<FileId, BTreeMap<usize, String>>,
) -> Value {
    let x = &f.finding;
    let mut location = json!({"physicalLocation": physical(page, f.span())});
    if !x.subject.address.is_empty()
        && let Some(map) = location.as_object_mut()
    {
        let name = [x.subject.address.as_str(), x.subject.attribute.as_str()];
        let name: Vec<&str> = name.into_iter().filter(|p| !p.is_empty()).collect();
        map.insert(
            "logicalLocations".to_owned(),
            json!([{"fullyQualifiedName": name.join("/"), "kind": "resource"}]),
        );
    }
    let related: Vec<Value> = related_labels(f)
        .map(|(id, l)| json!({"id": id, "message": {"text": l.text}, "physicalLocation": physical(page, l.span)}))
        .collect();
    let line = page.sources.positions(f.span()).0.line;
    let mut fingerprints = Map::new();
    fingerprints.insert("overgrant/v1".to_owned(), f.identity.fingerprint.clone().into());
    if let Some(hash) = hashes.get(&f.span().file).and_then(|h| h.get(&line)) {
        fingerprints.insert("primaryLocationLineHash".to_owned(), hash.clone().into());
    }
    let mut out = json!({
        "ruleId": f.rule(),
        "ruleIndex": index.get(f.rule()).copied().unwrap_or(0),
        "level": level(f.severity),
        "rank": rank(f.severity),
        "message": {"text": message(f)},
        "locations": [location],
        "relatedLocations": related,
        "partialFingerprints": fingerprints,
        "properties": {
            "severity": f.severity,
            "confidence": f.confidence,
            "security-severity": security_severity(f.severity),
            "folded": x.folded,
        },
    });
    let Some(map) = out.as_object_mut() else { return out };
    if !x.flow.is_empty() {
        map.insert("codeFlows".to_owned(), flow(page, f));
    }
    if !f.fixes.is_empty() {
        map.insert("fixes".to_owned(), fixes(page, f));
    }
    if let Some(s) = &f.suppression {
        let kind = match s.kind {
            SuppressionKind::Config => "external",
            _ => "inSource",
        };
        let why = s.reason.as_deref().unwrap_or("no reason given");
        map.insert(
            "suppressions".to_owned(),
            json!([{"kind": kind, "status": "accepted", "justification": why}]),
        );
    }
    if page.report.baseline.is_some() {
        let state = match f.status {
            Status::Baselined => "unchanged",
            Status::Moved => "updated",
            Status::New | Status::Suppressed => "new",
        };
        map.insert("baselineState".to_owned(), state.into());
    }
    out
}

fn flow(page: &Page<'_>, f: &ReportedFinding) -> Value {
    let steps: Vec<Value> = f
        .finding
        .flow
        .iter()
        .map(|l| json!({"location": {"message": {"text": l.text}, "physicalLocation": physical(page, l.span)}}))
        .collect();
    json!([{"threadFlows": [{"locations": steps}]}])
}

fn fixes(page: &Page<'_>, f: &ReportedFinding) -> Value {
    let fixes = f.fixes.iter().map(|fix| {
        let mut by_file: BTreeMap<FileId, Vec<Value>> = BTreeMap::new();
        for e in &fix.edits {
            by_file
                .entry(e.span.file)
                .or_default()
                .push(json!({"deletedRegion": region(page, e.span), "insertedContent": {"text": e.text}}));
        }
        let changes: Vec<Value> = by_file
            .into_iter()
            .map(|(file, edits)| json!({"artifactLocation": artifact(page, file), "replacements": edits}))
            .collect();
        json!({"description": {"text": fix.title}, "artifactChanges": changes})
    });
    Value::Array(fixes.collect())
}
