//! What statements may grant, to whom, and which of their tokens a person would edit.

use std::collections::BTreeSet;

use super::judge::AskedTerms;
use crate::iam::arn::is_account_id;
use crate::iam::glob::{self, CaseSensitivity};
use crate::iam::{Clause, ClauseItem, Document, Effect, PolicyKind, PrincipalItem, PrincipalType, Statement};
use crate::project::IdentityGates;
use crate::source::Span;

/// Several policies as one.
pub(super) fn united<'d>(documents: impl Iterator<Item = &'d Document>) -> Document {
    let mut out = Document {
        kind: PolicyKind::Resource,
        ..Document::empty()
    };
    for document in documents {
        out.open |= document.open;
        out.version.clone_from(&document.version);
        out.format = document.format;
        out.statements.extend(document.statements.iter().cloned());
    }
    out
}

/// Whether some statement may allow some of what is asked.
pub(super) fn may_grant(document: &Document, asked: &AskedTerms<'_>) -> bool {
    document.open || document.statements.iter().any(|s| may_allow(s, asked))
}

/// Whether a statement may allow some of what is asked.
pub(super) fn may_allow(s: &Statement, asked: &AskedTerms<'_>) -> bool {
    let grants = s
        .effect
        .as_ref()
        .is_some_and(|e| matches!(e.value, Effect::Allow | Effect::Unknown));
    let is_about = |clause: &Clause| asked.is_open || clause.may_name_any(&asked.set);
    grants && s.action.as_ref().is_none_or(is_about)
}

/// The policy without the principals that stand for an account, to which it leaves the decision, and with those of `keeps`.
pub(super) fn without_accounts(document: &Document, keeps: &dyn Fn(&PrincipalItem) -> bool) -> Document {
    let mut out = document.clone();
    out.statements.retain_mut(|s| {
        if s.is_written_as_deny() {
            return true;
        }
        let Some(clause) = s.principal.as_mut() else {
            return false;
        };
        if clause.negated {
            return true;
        }
        clause.items.retain(keeps);
        !clause.items.is_empty() || !clause.complete
    });
    out
}

/// Whether an item may name an identity, and does not stand for an account.
pub(super) fn may_be_identity(item: &PrincipalItem) -> bool {
    let kind = matches!(
        item.kind,
        PrincipalType::Aws | PrincipalType::Everyone | PrincipalType::Unknown
    );
    kind && !is_account(item)
}

/// An account, known or not.
pub(super) fn is_account(item: &PrincipalItem) -> bool {
    let shown = item.value.text.display();
    is_account_id(&shown) || shown.ends_with(":root")
}

/// What is not known of a statement, after why that matters.
pub(super) fn with_unknown_parts(s: &Statement, why: &str) -> String {
    let items = s.written_actions().chain(s.written_resources());
    let principals = s.principal.iter().flat_map(|p| &p.items).map(|i| &i.value);
    let values = s.conditions.iter().flat_map(|c| &c.values);
    let holes = items.chain(principals).chain(values).flat_map(|i| i.text.holes());
    let names: BTreeSet<String> = holes.map(|h| format!("`{}`", h.name)).take(3).collect();
    match names.is_empty() {
        true => why.to_owned(),
        false => {
            let names: Vec<String> = names.into_iter().collect();
            format!("{why}: {}", names.join(", "))
        }
    }
}

/// The token of a grant that a person would edit: the action, else the place where its policy is put to use.
pub(super) fn token_of(gates: &IdentityGates, statement: usize, action: &str) -> Option<Span> {
    let s = gates.grants.document.statements.get(statement)?;
    let place = gates.grants.place(statement, action_token(s, action).unwrap_or(s.span));
    place.is_in_source().then_some(place)
}

/// The item that names an action, or all of its clause.
pub(super) fn action_token(s: &Statement, action: &str) -> Option<Span> {
    let clause = s.action.as_ref()?;
    let names = |i: &&ClauseItem| {
        let text = i.text.known();
        text.is_some_and(|t| glob::matches(&t, action, CaseSensitivity::Insensitive))
    };
    let item = clause.items.iter().find(names).filter(|_| !clause.negated);
    Some(item.map_or(clause.span, |i| i.span))
}

/// The principal that names someone, else the first.
pub(super) fn principal_token(s: &Statement, who: &str) -> Option<Span> {
    let clause = s.principal.as_ref()?;
    let known = |i: &&PrincipalItem| i.value.text.known().is_some_and(|t| t == who);
    let unknown = |i: &&PrincipalItem| !i.value.text.is_known();
    let item = clause.items.iter().find(known);
    let item = item.or_else(|| clause.items.iter().find(|i| who.is_empty() && unknown(i)));
    let span = item.or(clause.items.first()).map_or(clause.span, |i| i.value.span);
    span.is_in_source().then_some(span)
}

/// Whether a statement of a policy names the identity with this ARN, everyone, or someone who is not known.
pub(super) fn may_name(document: &Document, arn: &str) -> bool {
    let may_be = |item: &PrincipalItem| match item.value.text.known() {
        Some(text) => item.kind == PrincipalType::Everyone || text == "*" || text == arn || text.contains(":sts:"),
        None => true,
    };
    document.statements.iter().any(|s| {
        let clause = s.principal.as_ref();
        !s.is_written_as_deny() && clause.is_none_or(|c| c.negated || !c.complete || c.items.iter().any(may_be))
    })
}
