//! Statements that no request can match; see [`crate::iam::condition::dead`].

use crate::iam::Origin;
use crate::iam::condition::dead::Why;
use crate::rules::{Context, Out};

pub(super) fn check(cx: &Context<'_>, out: &mut Out<'_>) {
    for (id, d, i, s) in cx.statements() {
        let Some(dead) = s.dead.as_ref().filter(|_| d.origin == Origin::Written) else {
            continue;
        };
        let key = &dead.key;
        let (message, label, other) = match dead.why {
            Why::AllExcluded => (
                "the statement excludes everything and never applies".to_owned(),
                "excludes everything",
                "everything except these",
            ),
            Why::Excluding => (
                format!("contradictory conditions on `{key}`: the statement never applies"),
                "must match this",
                "and also this",
            ),
            Why::Passed => (
                format!("the date in `{key}` has passed: the statement never applies"),
                "in the past",
                "",
            ),
            Why::AlwaysThere => (
                format!("every request has `{key}`: the statement never applies"),
                "requires that the key is missing",
                "",
            ),
            // Reported by rules of the family `conditions`.
            Why::Contradiction | Why::NoSuchTag | Why::Unsupported => continue,
        };
        let mut f = cx
            .at_statement("statement-no-effect", id, i, message)
            .primary(dead.span, label);
        if let Some(span) = dead.other {
            f = f.secondary(span, other);
        }
        if !key.is_empty() {
            f = f.other(key.to_lowercase());
        }
        out.push(f);
    }
}
