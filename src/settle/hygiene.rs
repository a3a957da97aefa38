//! Findings about suppressions: unused, unknown, expired, or without a reason.

use super::Terms;
use super::suppress::{Book, Entry, Named, Standing, SuppressionKind, is_allowed};
use crate::finding::{Change, Edit, Finding, Remedy, Severity};
use crate::project::Project;
use crate::source::Span;

pub(super) fn findings(book: &Book<'_, '_>, project: &Project<'_>, terms: &Terms<'_>) -> Vec<Finding> {
    let mut out = Vec::new();
    for entry in &book.entries {
        let fine =
            entry.standing == Standing::Good && entry.text.reason.is_some() && entry.named.iter().all(|n| n.used.get());
        if fine || book.exception_in_play(entry) == Some(false) {
            continue;
        }
        if !project.sources.file(entry.span.file).in_scope {
            continue;
        }
        match &entry.standing {
            Standing::Faulty(fault) => {
                out.push(
                    finding("unknown-rule-in-ignore", "this suppression cannot be parsed").primary(entry.span, *fault),
                );
                continue;
            }
            Standing::Ended(why) => {
                let message = "this suppression is not in effect";
                let mut f = finding("expired-ignore", message).primary(entry.until.unwrap_or(entry.span), why.clone());
                f.remedies.extend(removal(entry));
                out.push(f);
            }
            Standing::NoReason => {
                let message = "this suppression has no reason, which the configuration requires";
                out.push(finding("ignore-without-reason", message).primary(entry.span, "not in effect"));
            }
            Standing::Good if entry.text.reason.is_none() => {
                let message = "this suppression has no reason";
                out.push(finding("ignore-without-reason", message).primary(entry.span, "append `-- reason`"));
            }
            Standing::Good => {}
        }
        for named in &entry.named {
            out.extend(of_rule(entry, named, terms, project));
        }
    }
    out
}

fn finding(rule: &'static str, message: &str) -> Finding {
    Finding::new(rule, message)
}

fn of_rule(entry: &Entry, named: &Named, terms: &Terms<'_>, project: &Project<'_>) -> Option<Finding> {
    let known = terms.ruleset.matching(&named.id);
    if !is_allowed(&named.id) {
        let message = format!("`{}` would suppress every rule", named.id);
        return Some(finding("unknown-rule-in-ignore", &message).primary(named.span, "name specific rules"));
    }
    if known.is_empty() {
        let message = format!("`{}` is not a rule", named.id);
        let near = terms.ruleset.nearest(&named.id);
        let label = near
            .first()
            .map_or("suppresses nothing".to_owned(), |n| format!("did you mean `{n}`?"));
        let mut f = finding("unknown-rule-in-ignore", &message).primary(named.span, label);
        f.evidence.other.push(named.id.clone());
        if let [only] = near.as_slice() {
            f = f.remedy(Remedy::safe(format!("write `{only}`")).word(named.span, &named.id, only));
        }
        return Some(f);
    }
    if named.used.get() || matches!(entry.standing, Standing::Ended(_)) {
        return None;
    }
    // It is unknown whether a rule that did not run would report something here.
    let settings = (terms.settings)(project.sources.path(entry.span.file));
    let ran = settings
        .rules
        .as_ref()
        .is_none_or(|s| known.iter().all(|r| s.is_on(r.id())));
    if !ran {
        return None;
    }
    let message = format!("unused suppression: no `{}` finding here", named.id);
    let mut f = finding("unused-ignore", &message).primary(named.span, "suppresses nothing");
    f.evidence.other.push(named.id.clone());
    if terms.strict_ignores {
        f = f.severity(Severity::High);
    }
    if entry.text.kind == SuppressionKind::Inline {
        let alone = entry.named.len() == 1;
        f.remedies.extend(if alone {
            removal(entry)
        } else {
            Some(removal_of(entry, named))
        });
    }
    Some(f)
}

/// Removes the whole comment; exceptions in the configuration are removed by hand.
fn removal(entry: &Entry) -> Option<Remedy> {
    let comment = entry.text.kind == SuppressionKind::Inline;
    comment.then(|| Remedy::safe("remove this suppression").change(Change::Comment { at: entry.span }))
}

/// Removes one rule, and the comma next to it, from the list.
fn removal_of(entry: &Entry, named: &Named) -> Remedy {
    let at = entry.named.iter().position(|n| n.span == named.span).unwrap_or(0);
    let span = match (at, entry.named.get(at + 1)) {
        (_, Some(next)) => Span {
            end: next.span.start,
            ..named.span
        },
        (0, None) => named.span,
        (i, None) => Span {
            start: entry.named[i - 1].span.end,
            ..named.span
        },
    };
    let edit = Edit {
        span,
        text: String::new(),
    };
    Remedy::safe(format!("remove `{}` from the list", named.id)).change(Change::Bytes(edit))
}
