//! Roles that their own trust policy allows.

use crate::checks::self_reference::refers_to_identity;
use crate::iam::PrincipalType;
use crate::rules::{Context, FindingSink, ids};

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for identity in &cx.project.identities {
        for d in &identity.trust {
            for s in cx.project.statements(*d).filter(|s| s.allows()) {
                let Some(clause) = s.principal.as_ref().filter(|p| !p.negated) else {
                    continue;
                };
                let mut own = clause
                    .items
                    .iter()
                    .filter(|p| p.kind == PrincipalType::Aws && refers_to_identity(cx, identity, &p.value.text));
                let Some(item) = own.next() else { continue };
                out.push(
                    cx.at_statement(ids::TRUST_SELF_ASSUME, s, "the role can be assumed by its own sessions")
                        .primary(item.value.span, "this role")
                        .scope(identity.header, "")
                        .principals([item.value.display()]),
                );
            }
        }
    }
}
