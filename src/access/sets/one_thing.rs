//! Resources of which only the name or the ARN is not known, compared with patterns.
//!
//! `module.x.arn` may be any ARN, and is one: whichever it is, `arn:aws:s3:::*` is more than it and all below it.

use crate::iam::{Clause, ClauseItem, Document, Statement};
use crate::source::{Hole, HoleKind, Piece, Text};

/// Whether an item is one thing, or all below one thing, whatever its unknown parts are.
pub(super) fn is_one_thing(item: &ClauseItem) -> bool {
    !item.text.is_known() && item.branch.is_none() && is_below_one(&item.text)
}

fn is_below_one(text: &Text) -> bool {
    let pieces = text.pieces();
    let last = pieces.iter().rposition(|p| matches!(p, Piece::Hole(_)));
    let mut each = pieces.iter().enumerate();
    each.all(|(at, piece)| match piece {
        Piece::Hole(hole) => is_never_a_pattern(hole),
        Piece::Lit(lit) if last.is_some_and(|last| at > last) => {
            lit.text.is_empty() || lit.text.starts_with([':', '/'])
        }
        Piece::Lit(lit) => !lit.text.contains(['*', '?', '$']),
    })
}

/// A reference that is one name or ARN. What an input holds may be `*`, unless it is called an ARN.
fn is_never_a_pattern(hole: &Hole) -> bool {
    let attribute = hole.target.as_ref().map(|t| &*t.attribute);
    let names = |attribute: &str| {
        let last = attribute.rsplit(['.', '_']).next().unwrap_or(attribute);
        matches!(last, "" | "arn" | "Arn" | "id" | "Id" | "name" | "Name")
    };
    hole.is_given_arn()
        || hole.kind.is_placeholder() && (hole.kind != HoleKind::Resource || attribute.is_none_or(names))
}

/// Whether a document names such a thing.
pub(super) fn names_one_thing(document: &Document) -> bool {
    let mut items = document.statements.iter().flat_map(Statement::written_resources);
    items.any(is_one_thing)
}

/// Whether `NotResource` may leave no more than one thing.
pub(super) fn leaves_resources_out(document: &Document) -> bool {
    let mut clauses = document.statements.iter().filter_map(|s| s.resource.as_ref());
    clauses.any(|c| c.negated)
}

/// Whether every resource of a statement is a pattern that no single thing, with all below it, is as much as: its wildcard
/// stands for more than what follows a name.
pub(super) fn is_on_many(s: &Statement) -> bool {
    let is_plain = |c: &&Clause| !c.negated && !c.items.is_empty();
    let clause = s.resource.as_ref().filter(is_plain);
    clause.is_some_and(|c| c.items.iter().all(|i| i.branch.is_none() && is_many(&i.text)))
}

fn is_many(text: &Text) -> bool {
    let Some(text) = text.known() else {
        return false;
    };
    let Some((head, _)) = text.split_once(['*', '?']).filter(|_| text.contains('*')) else {
        return false;
    };
    let fields: Vec<&str> = head.splitn(6, ':').collect();
    fields.get(5).is_none_or(|name| !name.contains(['/', ':']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    #[test]
    fn a_pattern_of_many_has_its_wildcard_before_the_end_of_a_name() {
        let many = |text: &str| is_many(&Text::synthetic(text, Span::NOWHERE));
        for text in [
            "*",
            "arn:aws:s3:::*",
            "arn:aws:s3:::b-*/*",
            "arn:aws:sqs:*:*:q",
            "arn:aws:sqs:eu-west-1:*:q-*",
        ] {
            assert!(many(text), "{text}");
        }
        for text in [
            "arn:aws:s3:::b",
            "arn:aws:s3:::b/*",
            "arn:aws:s3:::?",
            "arn:aws:logs:eu-west-1:111122223333:log-group:a:*",
        ] {
            assert!(!many(text), "{text}");
        }
    }

    #[test]
    fn what_may_be_a_pattern_is_not_one_thing() {
        let with = |kind: HoleKind, after: &str| {
            let mut text = Text::hole(Hole::new(kind, "x", Span::NOWHERE));
            text.append(&Text::synthetic(after, Span::NOWHERE));
            is_below_one(&text)
        };
        assert!(with(HoleKind::Existing, "") && with(HoleKind::Existing, "/*") && with(HoleKind::Existing, ":*"));
        assert!(!with(HoleKind::Existing, "*") && !with(HoleKind::Input, "/*") && !with(HoleKind::Outside, ""));
    }
}
