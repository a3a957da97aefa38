//! Statements that no request can match; see [`crate::iam::condition::dead`].

use crate::iam::DocumentOrigin;
use crate::iam::condition::dead::DeadReason;
use crate::rules::{Context, FindingSink, ids};

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for s in cx.statements() {
        let Some(dead) = s.dead.as_ref().filter(|_| s.document.origin == DocumentOrigin::Written) else {
            continue;
        };
        let key = &dead.key;
        let (message, label, other) = match dead.why {
            DeadReason::AllExcluded => (
                "the statement excludes everything and never applies".to_owned(),
                "excludes everything",
                "everything except these",
            ),
            DeadReason::Excluding => (
                format!("contradictory conditions on `{key}`: the statement never applies"),
                "must match this value",
                "must also match this value",
            ),
            DeadReason::Passed => (
                format!("the date in `{key}` has passed: the statement never applies"),
                "in the past",
                "",
            ),
            DeadReason::AlwaysThere => (
                format!("every request has `{key}`: the statement never applies"),
                "requires that the key is absent",
                "",
            ),
            // Reported by rules of the family `conditions`.
            DeadReason::Contradiction | DeadReason::NoSuchTag | DeadReason::Unsupported => continue,
        };
        let mut f = cx
            .at_statement(ids::STATEMENT_NO_EFFECT, s, message)
            .primary(dead.span, label);
        if let Some(span) = dead.other {
            f = f.secondary(span, other);
        }
        if !key.is_empty() {
            f = f.other_evidence(key.to_lowercase());
        }
        out.push(f);
    }
}
