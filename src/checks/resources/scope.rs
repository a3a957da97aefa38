//! Actions on everything that could be on less.

use crate::checks::grants::{granting, names};
use crate::iam::catalogue::AccessLevel;
use crate::rules::{Context, Out};

/// `*` where some of the actions can be given on single resources. One statement gives one finding: the gravest that fits;
/// the rule files say which takes in which.
pub(super) fn star(cx: &Context<'_>, out: &mut Out<'_>) {
    for g in granting(cx) {
        let Some(star) = g.star() else { continue };
        if g.strength.narrows() || g.actions.is_all() {
            continue;
        }
        let scopable = g.actions.scopable();
        if scopable.is_empty() {
            continue;
        }
        let mut writes = scopable.of_level(AccessLevel::Write);
        writes.union_with(&scopable.of_level(AccessLevel::Tagging));
        let managing = scopable.of_level(AccessLevel::PermissionsManagement);
        writes.union_with(&managing);
        let cases = [
            (
                "permissions-management-on-star",
                managing,
                "changes permissions on every resource",
            ),
            ("write-actions-on-star", writes, "writes on every resource"),
            (
                "resource-star-on-scopable-action",
                scopable,
                "allowed on every resource",
            ),
        ];
        for (rule, set, what) in cases {
            if set.is_empty() || !out.wants(rule) {
                continue;
            }
            let one = set.len() == 1;
            let subject = if one {
                names(&set, 1)
            } else {
                format!("{} actions", set.len())
            };
            let message = match rule {
                "permissions-management-on-star" => {
                    format!(
                        "{subject} that change{} permissions on every resource",
                        if one { "s" } else { "" }
                    )
                }
                "write-actions-on-star" => format!("{subject} may write to every resource"),
                _ => format!(
                    "{subject} can be given on single resources, and {} on all",
                    if one { "is" } else { "are" }
                ),
            };
            let mut f = cx
                .at_statement(rule, g.document, g.index, message)
                .primary(star.span, "every resource")
                .actions(g.items_granting(&set).iter().map(|i| i.display().to_lowercase()))
                .resources([star.display()]);
            f.evidence.expanded_actions = Some(set.len());
            if let Some(span) = g.span_granting(&set) {
                f = f.secondary(span, what);
            }
            if !one {
                f = f.note(format!("can be scoped: {}", names(&set, 3)));
            }
            out.push(f);
        }
    }
}
