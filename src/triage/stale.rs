//! Findings about suppressions: unused, unknown, expired, or without a reason.

use super::TriageOptions;
use super::suppress::{Suppressions, is_allowed};
use super::suppression::{SuppressedRule, SuppressionEntry, SuppressionKind, SuppressionState};
use crate::finding::{Edit, Finding, Remedy, RemedyStep, Severity};
use crate::project::Project;
use crate::rules::{RuleId, ids};
use crate::source::Span;

pub(super) fn findings(book: &Suppressions<'_, '_>, project: &Project<'_>, terms: &TriageOptions<'_>) -> Vec<Finding> {
    let mut out = Vec::new();
    for entry in &book.entries {
        if let Some((span, path)) = book.unmatched_path(entry) {
            out.push(of_path(span, path, terms));
            continue;
        }
        let fine = entry.standing == SuppressionState::Good
            && entry.text.reason.is_some()
            && entry
                .named
                .iter()
                .all(|n| n.used.get() && terms.ruleset.rename_notice(&n.id).is_none());
        if fine || book.applicable_exception(entry) == Some(false) {
            continue;
        }
        let Some(span) = entry.span.filter(|s| project.sources.file(s.file).in_scope) else {
            continue;
        };
        match &entry.standing {
            SuppressionState::Faulty(fault) => {
                out.push(
                    finding(ids::UNKNOWN_RULE_IN_IGNORE, "this suppression cannot be parsed")
                        .primary(span, fault.text()),
                );
                continue;
            }
            SuppressionState::Ended(why) => {
                let message = "this suppression is not in effect";
                let mut f = finding(ids::EXPIRED_IGNORE, message).primary(entry.until.unwrap_or(span), why.to_string());
                f.remedies.extend(removal(entry));
                out.push(f);
            }
            SuppressionState::NoReason => {
                let message = "this suppression has no reason, which the configuration requires";
                out.push(finding(ids::IGNORE_WITHOUT_REASON, message).primary(span, "not in effect"));
            }
            SuppressionState::Good if entry.text.reason.is_none() => {
                let message = "this suppression has no reason";
                out.push(finding(ids::IGNORE_WITHOUT_REASON, message).primary(span, "append `-- reason`"));
            }
            SuppressionState::Good => {}
        }
        for named in &entry.named {
            out.extend(of_rule(entry, named, terms, project));
        }
    }
    out
}

fn finding(rule: RuleId, message: &str) -> Finding {
    Finding::new(rule, message)
}

fn unused(message: &str, terms: &TriageOptions<'_>) -> Finding {
    let f = finding(ids::UNUSED_IGNORE, message);
    match terms.strict_ignores {
        true => f.severity(Severity::High),
        false => f,
    }
}

/// An exception for files that are not there.
fn of_path(at: Span, path: &str, terms: &TriageOptions<'_>) -> Finding {
    let message = format!("unused suppression: no file matches `{path}`");
    let mut f = unused(&message, terms)
        .primary(at, "matches no file")
        .help("Correct the path, or remove the exception.");
    f.evidence.other.push(path.to_owned());
    f
}

fn of_rule(
    entry: &SuppressionEntry,
    named: &SuppressedRule,
    terms: &TriageOptions<'_>,
    project: &Project<'_>,
) -> Option<Finding> {
    let at = named.span?;
    let known = terms.ruleset.matching(&named.id);
    if !is_allowed(&named.id) {
        let message = format!("`{}` would suppress every rule", named.id);
        return Some(finding(ids::UNKNOWN_RULE_IN_IGNORE, &message).primary(at, "name specific rules"));
    }
    if known.is_empty() {
        let message = format!("`{}` is not a rule", named.id);
        let near = terms.ruleset.nearest(&named.id);
        let label = near
            .first()
            .map_or("suppresses nothing".to_owned(), |n| format!("did you mean `{n}`?"));
        let mut f = finding(ids::UNKNOWN_RULE_IN_IGNORE, &message).primary(at, label);
        f.evidence.other.push(named.id.clone());
        if let [only] = near.as_slice() {
            f = f.remedy(Remedy::safe(format!("write `{only}`")).replace_token(at, &named.id, only));
        }
        return Some(f);
    }
    let current = terms.ruleset.current_name(&named.id);
    if let Some(message) = terms.ruleset.rename_notice(&named.id)
        && !matches!(entry.standing, SuppressionState::Ended(_))
    {
        let mut f = finding(ids::UNKNOWN_RULE_IN_IGNORE, &message).severity(Severity::Low);
        f = f.primary(at, "still matches that rule");
        f.evidence.other.push(named.id.clone());
        if current != named.id {
            f = f.remedy(Remedy::safe(format!("write `{current}`")).replace_token(at, &named.id, current));
        }
        return Some(f);
    }
    if named.used.get() || !terms.is_whole || matches!(entry.standing, SuppressionState::Ended(_)) {
        return None;
    }
    // It is unknown whether a rule that did not run would report something here.
    let settings = (terms.settings)(project.sources.path(at.file));
    let ran = settings
        .selection
        .as_ref()
        .is_none_or(|s| known.iter().all(|r| s.is_on(&r.id())));
    if !ran {
        return None;
    }
    let message = format!("unused suppression: no `{}` finding here", named.id);
    let mut f = unused(&message, terms).primary(at, "suppresses nothing");
    f.evidence.other.push(named.id.clone());
    if entry.text.kind == SuppressionKind::Inline {
        let alone = entry.named.len() == 1;
        f.remedies.extend(if alone {
            removal(entry)
        } else {
            removal_of(entry, named)
        });
    }
    Some(f)
}

/// Removes the whole comment; exceptions in the configuration are removed by hand.
fn removal(entry: &SuppressionEntry) -> Option<Remedy> {
    let comment = entry.span.filter(|_| entry.text.kind == SuppressionKind::Inline);
    comment.map(|at| Remedy::safe("remove this suppression").change(RemedyStep::Comment { at }))
}

/// Removes one rule, and the comma next to it, from the list.
fn removal_of(entry: &SuppressionEntry, named: &SuppressedRule) -> Option<Remedy> {
    let own = named.span?;
    let at = entry.named.iter().position(|n| n.span == named.span).unwrap_or(0);
    let span = match (at, entry.named.get(at + 1)) {
        (_, Some(next)) => Span {
            end: next.span?.start,
            ..own
        },
        (0, None) => own,
        (i, None) => Span {
            start: entry.named[i - 1].span?.end,
            ..own
        },
    };
    let edit = Edit {
        span,
        text: String::new(),
    };
    Some(Remedy::safe(format!("remove `{}` from the list", named.id)).change(RemedyStep::Bytes(edit)))
}
