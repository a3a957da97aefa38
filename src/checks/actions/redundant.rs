//! Actions and resources that say again what stands beside them.

use crate::iam::glob::Case;
use crate::iam::{Clause, Item, Origin, pattern};
use crate::project::DocumentId;
use crate::rules::{Context, Out};

/// Longer lists are not compared item by item.
const MAX_ITEMS: usize = 400;

pub(super) fn check(cx: &Context<'_>, out: &mut Out<'_>) {
    for (id, d, i, s) in cx.statements() {
        if d.origin != Origin::Written {
            continue;
        }
        if let Some(c) = s.action.as_ref().filter(|c| c.items.len() <= MAX_ITEMS) {
            actions(cx, out, (id, i), c);
        }
        if let Some(c) = s.resource.as_ref().filter(|c| c.items.len() <= MAX_ITEMS) {
            resources(cx, out, (id, i), c);
        }
    }
}

fn actions(cx: &Context<'_>, out: &mut Out<'_>, (id, i): (DocumentId, usize), clause: &Clause) {
    for (n, item) in clause.items.iter().enumerate() {
        let Some((other, same)) = covering(clause, n, item, Case::Insensitive) else {
            continue;
        };
        let (rule, message) = if same {
            ("duplicate-action", format!("`{}` stands here twice", item.display()))
        } else {
            (
                "redundant-action",
                format!("`{}` is part of `{}` already", item.display(), other.display()),
            )
        };
        out.push(
            cx.at_statement(rule, id, i, message)
                .primary(item.span, "changes nothing")
                .secondary(other.span, if same { "the first one" } else { "takes it in" })
                .actions([item.display().to_lowercase()]),
        );
    }
}

fn resources(cx: &Context<'_>, out: &mut Out<'_>, (id, i): (DocumentId, usize), clause: &Clause) {
    for (n, item) in clause.items.iter().enumerate() {
        let Some((other, _)) = covering(clause, n, item, Case::Sensitive) else {
            continue;
        };
        out.push(
            cx.at_statement(
                "redundant-resource",
                id,
                i,
                format!("`{}` is part of `{}` already", item.display(), other.display()),
            )
            .primary(item.span, "changes nothing")
            .secondary(other.span, "takes it in")
            .resources([item.display()]),
        );
    }
}

/// Another item of the clause that takes in the n-th, and whether the two are the same; of equal ones the first stays.
fn covering<'a>(clause: &'a Clause, n: usize, item: &Item, case: Case) -> Option<(&'a Item, bool)> {
    if !item.text.is_known() {
        return None;
    }
    clause.items.iter().enumerate().find_map(|(m, other)| {
        // Two spans in one place are one written item, made twice by a loop.
        // What stands in another branch of a conditional is not there at the same time.
        let apart = other.branch.is_some() && other.branch != item.branch;
        if m == n || apart || !other.text.is_known() || other.span == item.span {
            return None;
        }
        let (a, b) = (other.display(), item.display());
        let same = match case {
            Case::Insensitive => a.eq_ignore_ascii_case(&b),
            Case::Sensitive => a == b,
        };
        if same {
            return (m < n).then_some((other, true));
        }
        pattern::covers(&other.text, &item.text, case)
            .is_yes()
            .then_some((other, false))
    })
}
