//! Sensitive actions that nothing but the resource restricts.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::checks::allow_statements::{identity_allow_statements, managing, names};
use crate::checks::escalation;
use crate::iam::ActionSet;
use crate::iam::catalogue::catalogue;
use crate::iam::class::class;
use crate::rules::{Context, FindingSink, RuleId, ids};

const RULE: RuleId = ids::SENSITIVE_ACTION_WITHOUT_CONDITION;

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let mut more: BTreeMap<&[String], ActionSet> = BTreeMap::new();
    for g in identity_allow_statements(cx) {
        if g.strength.narrows() || g.statement.open {
            continue;
        }
        let d = g.statement.document;
        let own = cx.options(RULE, d.span.file).words("actions");
        let set = more.entry(own).or_insert_with(|| {
            let mut all = ActionSet::expand_all(own.iter().map(String::as_str));
            all.union_with(sensitive());
            all
        });
        let mut share = g.actions.as_ref().clone();
        share.intersect(set);
        // One condition on the statement holds them all back.
        let items = g.items_granting(&share);
        let Some((first, others)) = items.split_first() else {
            continue;
        };
        let is = if share.len() == 1 { "is" } else { "are" };
        let message = format!("{} {is} allowed without a condition", names(&share, 1));
        let f = cx
            .at_statement(RULE, g.statement, message)
            .primary(first.span, "sensitive")
            .actions(items.iter().map(|i| i.display().to_lowercase()));
        out.push(others.iter().take(3).fold(f, |f, i| f.secondary(i.span, "likewise")));
    }
}

/// Actions that answer with credentials or secrets, change who may do what, blind those who watch, or lead to more
/// permissions.
pub(crate) fn sensitive() -> &'static ActionSet {
    static ALL: OnceLock<ActionSet> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all = managing(&ActionSet::all());
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
