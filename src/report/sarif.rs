//! SARIF 2.1.0, as GitHub code scanning and others read it ("SARIF support for code scanning", GitHub Docs).

mod log;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use self::log::{
    SarifArtifactLocation, SarifBases, SarifChange, SarifCodeFlow, SarifConfiguration, SarifDescribed, SarifDriver,
    SarifFingerprints, SarifFix, SarifHelp, SarifId, SarifInvocation, SarifLocation, SarifLog, SarifLogicalLocation,
    SarifMessage, SarifNotification, SarifPhysicalLocation, SarifRegion, SarifReplacement, SarifResult,
    SarifResultProperties, SarifRule, SarifRuleDocs, SarifRuleProperties, SarifRun, SarifStep, SarifSuppression,
    SarifThreadFlow, SarifTool,
};
use super::line_hash::line_hashes;
use super::{Page, escape_uri, page_url};
use crate::finding::{Confidence, Fix, Label, LabelRole, Severity};
use crate::rules::{Rule, ids};
use crate::source::{FileId, Span, pretty_json};
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
        ids.extend(page.ruleset.iter().map(|r| r.id().as_str()));
    }
    ids.sort_unstable();
    ids.dedup();
    let index: BTreeMap<&str, usize> = ids.iter().enumerate().map(|(i, id)| (*id, i)).collect();
    let hashes = hashes(page, &results);
    pretty_json(&SarifLog {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [SarifRun {
            tool: SarifTool {
                driver: SarifDriver {
                    name: env!("CARGO_PKG_NAME"),
                    version: env!("CARGO_PKG_VERSION"),
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    information_uri: env!("CARGO_PKG_REPOSITORY"),
                    rules: ids.iter().map(|id| rule(page, id)).collect(),
                },
            },
            column_kind: "unicodeCodePoints",
            original_uri_base_ids: SarifBases {
                root: SarifDescribed {
                    description: text("The root of the repository."),
                },
            },
            automation_details: SarifId { id: "overgrant/" },
            invocations: [SarifInvocation {
                execution_successful: !page.report.broken,
                tool_execution_notifications: notifications(page, total),
            }],
            results: results.iter().map(|f| result(page, f, &index, &hashes)).collect(),
        }],
    })
}

fn text<'a>(text: impl Into<Cow<'a, str>>) -> SarifMessage<'a> {
    SarifMessage { text: text.into() }
}

fn notifications<'a>(page: &Page<'a>, total: usize) -> Vec<SarifNotification<'a>> {
    let mut out: Vec<SarifNotification<'_>> = page
        .report
        .errors
        .iter()
        .map(|p| SarifNotification {
            level: "error",
            message: text(&p.message),
            descriptor: Some(SarifId {
                id: ids::UNREADABLE_INPUT.as_str(),
            }),
            locations: vec![span_location(page, p.span)],
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
        out.push(SarifNotification {
            level: "note",
            message: text(format!("not judged: {}: {}", u.noun().0, u.text())),
            descriptor: Some(SarifId { id: "unjudged" }),
            locations: vec![location_of(SarifPhysicalLocation {
                artifact_location: location(page, &u.path),
                region: u.span.map(|span| region(page, span)),
            })],
        });
    }
    if total > KEPT_RESULTS {
        out.push(SarifNotification {
            level: "warning",
            message: text(format!(
                "{total} results, of which GitHub keeps the {KEPT_RESULTS} most severe"
            )),
            descriptor: None,
            locations: Vec::new(),
        });
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

fn rule<'a>(page: &Page<'a>, id: &'a str) -> SarifRule<'a> {
    let rule = page.ruleset.get(id);
    SarifRule {
        id,
        name: pascal(id),
        short_description: text(rule.map_or(id, Rule::title)),
        docs: rule.map(|rule| {
            let docs = rule.docs();
            SarifRuleDocs {
                full_description: text(docs.why.trim()),
                help: SarifHelp {
                    text: format!("{}\n\n{}", docs.why.trim(), docs.remedy.trim()),
                    markdown: crate::rules::markdown(rule, None),
                },
                help_uri: page_url(id),
                default_configuration: SarifConfiguration {
                    level: level(rule.severity()),
                },
                properties: SarifRuleProperties {
                    security_severity: security_severity(rule.severity()),
                    precision: precision(rule.confidence()),
                    problem_severity: match level(rule.severity()) {
                        "note" => "recommendation",
                        other => other,
                    },
                    tags: tags(rule),
                },
            }
        }),
    }
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

fn location(page: &Page<'_>, path: &str) -> SarifArtifactLocation {
    SarifArtifactLocation {
        uri: escape_uri(&page.at_root(path)),
        uri_base_id: "SRCROOT",
    }
}

fn region(page: &Page<'_>, span: Span) -> SarifRegion {
    let (start, end) = page.sources.positions(span);
    SarifRegion {
        start_line: start.line,
        start_column: start.column,
        end_line: end.line,
        end_column: end.column,
        byte_offset: start.offset,
        byte_length: end.offset - start.offset,
    }
}

fn location_of<'a>(physical_location: SarifPhysicalLocation) -> SarifLocation<'a> {
    SarifLocation {
        id: None,
        message: None,
        physical_location,
        logical_locations: None,
    }
}

fn span_location<'a>(page: &Page<'_>, span: Span) -> SarifLocation<'a> {
    location_of(SarifPhysicalLocation {
        artifact_location: location(page, page.path(span)),
        region: Some(region(page, span)),
    })
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

fn result<'a>(
    page: &Page<'_>,
    f: &'a ReportedFinding,
    index: &BTreeMap<&str, usize>,
    hashes: &'a BTreeMap<FileId, BTreeMap<usize, String>>,
) -> SarifResult<'a> {
    let x = &f.finding;
    let subject = [x.subject.address.as_str(), x.subject.attribute.as_str()];
    let subject: Vec<&str> = subject.into_iter().filter(|p| !p.is_empty()).collect();
    let line = page.sources.positions(f.span()).0.line;
    SarifResult {
        rule_id: f.rule(),
        rule_index: index.get(f.rule()).copied().unwrap_or(0),
        level: level(f.severity),
        rank: rank(f.severity),
        message: text(message(f)),
        locations: [SarifLocation {
            logical_locations: (!x.subject.address.is_empty()).then(|| {
                [SarifLogicalLocation {
                    fully_qualified_name: subject.join("/"),
                    kind: "resource",
                }]
            }),
            ..span_location(page, f.span())
        }],
        related_locations: related_labels(f)
            .map(|(id, l)| SarifLocation {
                id: Some(id),
                ..labeled(page, l)
            })
            .collect(),
        partial_fingerprints: SarifFingerprints {
            fingerprint: &f.identity.fingerprint,
            line_hash: hashes.get(&f.span().file).and_then(|h| h.get(&line)).map(|h| &**h),
        },
        properties: SarifResultProperties {
            severity: f.severity,
            confidence: f.confidence,
            security_severity: security_severity(f.severity),
            folded: &x.folded,
        },
        code_flows: (!x.flow.is_empty()).then(|| {
            let step = |l| SarifStep {
                location: labeled(page, l),
            };
            [SarifCodeFlow {
                thread_flows: [SarifThreadFlow {
                    locations: x.flow.iter().map(step).collect(),
                }],
            }]
        }),
        fixes: f.fixes.iter().map(|x| fix(page, x)).collect(),
        suppressions: f.suppression.as_ref().map(|s| {
            [SarifSuppression {
                kind: match s.kind {
                    SuppressionKind::Config => "external",
                    _ => "inSource",
                },
                status: "accepted",
                justification: s.reason.as_deref().unwrap_or("no reason given"),
            }]
        }),
        baseline_state: page.report.baselines.first().map(|_| match f.status {
            Status::Baselined => "unchanged",
            Status::Moved => "updated",
            Status::New | Status::Suppressed => "new",
        }),
    }
}

fn labeled<'a>(page: &Page<'_>, l: &'a Label) -> SarifLocation<'a> {
    SarifLocation {
        message: Some(text(&l.text)),
        ..span_location(page, l.span)
    }
}

fn fix<'a>(page: &Page<'_>, fix: &'a Fix) -> SarifFix<'a> {
    let mut by_file: BTreeMap<FileId, Vec<SarifReplacement<'_>>> = BTreeMap::new();
    for e in &fix.edits {
        by_file.entry(e.span.file).or_default().push(SarifReplacement {
            deleted_region: region(page, e.span),
            inserted_content: text(&e.text),
        });
    }
    SarifFix {
        description: text(&fix.title),
        artifact_changes: by_file
            .into_iter()
            .map(|(file, replacements)| SarifChange {
                artifact_location: location(page, page.sources.path(file)),
                replacements,
            })
            .collect(),
    }
}
