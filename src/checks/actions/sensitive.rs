//! Sensitive actions that nothing but the resource restricts.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::checks::escalation;
use crate::checks::grants::{class, granting, names};
use crate::iam::ActionSet;
use crate::iam::catalogue::{AccessLevel, catalogue};
use crate::rules::{Context, Out};

const RULE: &str = "sensitive-action-without-condition";

pub(super) fn check(cx: &Context<'_>, out: &mut Out<'_>) {
    let mut more: BTreeMap<&[String], ActionSet> = BTreeMap::new();
    for g in granting(cx) {
        if g.strength.narrows() || g.statement.open {
            continue;
        }
        let d = &cx.project.documents[g.document as usize];
        let own = cx.options(RULE, d.span.file).words("actions");
        let set = more.entry(own).or_insert_with(|| {
            let mut all = ActionSet::expand_all(own.iter().map(String::as_str));
            all.union_with(sensitive());
            all
        });
        let clause = g.statement.action.as_ref().filter(|c| !c.negated);
        let items = clause.into_iter().flat_map(|c| c.items.iter().zip(c.sets()));
        for (item, granted) in items {
            let mut share = granted.clone();
            share.intersect(set);
            share.intersect(&g.actions);
            if share.is_empty() {
                continue;
            }
            let message = format!("{} is allowed without a condition", names(&share, 1));
            let f = cx.at_statement(RULE, g.document, g.index, message);
            out.push(
                f.primary(item.span, "sensitive")
                    .actions([item.display().to_lowercase()]),
            );
        }
    }
}

/// Actions that answer with credentials or secrets, change who may do what, blind those who watch, or lead to more
/// permissions.
fn sensitive() -> &'static ActionSet {
    static ALL: OnceLock<ActionSet> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all = ActionSet::all().of_level(AccessLevel::PermissionsManagement);
        for name in ["account", "audit", "credentials", "replication", "secrets", "snapshot"] {
            all.union_with(class(name));
        }
        let called = catalogue().actions().filter(|a| a.called_permissions_management());
        for action in called.chain(escalation::single_actions()) {
            all.insert(action);
        }
        all
    })
}
