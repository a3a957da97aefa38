//! Principals that the configuration blocks, or that are not among the allowed principals.

use crate::iam::arn::{Arn, ArnField, is_account_id};
use crate::iam::glob::CaseSensitivity;
use crate::iam::pattern::Pattern;
use crate::iam::{PolicyKind, PrincipalItem, Truth};
use crate::rules::{Context, FindingSink, RuleId, ids};

const RULE: RuleId = ids::BLOCKED_OR_NOT_ALLOWED_PRINCIPAL;

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for s in cx.statements() {
        if !matches!(s.document.kind, PolicyKind::Trust | PolicyKind::Resource) || !s.allows() {
            continue;
        }
        let options = cx.options(RULE, s.document.span.file);
        let (blocked, allowed) = (options.words("blocked"), options.words("allowed"));
        let items = s.principal.iter().filter(|p| !p.negated).flat_map(|p| &p.items);
        for item in items.filter(|_| !(blocked.is_empty() && allowed.is_empty())) {
            let shown = item.value.display();
            let (message, label) = if blocked.iter().any(|word| names(word, item).is_yes()) {
                (format!("`{shown}` is blocked in the configuration"), "blocked")
            } else if !allowed.is_empty() && allowed.iter().all(|word| names(word, item).is_no()) {
                let message = format!("`{shown}` is not an allowed principal");
                (message, "not in the list of allowed principals")
            } else {
                continue;
            };
            let f = cx.at_statement(RULE, s, message).primary(item.value.span, label);
            out.push(f.principals([shown]));
        }
    }
}

/// Whether an entry of the configuration covers a principal: an account by its ID, everything else as written, with the
/// wildcards `*` and `?`.
fn names(word: &str, item: &PrincipalItem) -> Truth {
    let text = &item.value.text;
    if !is_account_id(word) {
        return Pattern::plain(word, CaseSensitivity::Sensitive).covers(&Pattern::resource(text));
    }
    match Arn::parse(text).map(|arn| arn.account()) {
        Some(ArnField::Literal(account)) => Truth::from(account == word),
        Some(ArnField::Hole(_)) => Truth::Unknown,
        Some(_) => Truth::No,
        None => Pattern::plain(word, CaseSensitivity::Sensitive).covers(&Pattern::resource(text)),
    }
}
