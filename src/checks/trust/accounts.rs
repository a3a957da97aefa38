//! Trust in other accounts, and in your own account as a whole.
//! IAM User Guide, "Access to AWS accounts owned by third parties".

use crate::finding::{Confidence, Severity};
use crate::iam::arn::Arn;
use crate::iam::condition::strength;
use crate::iam::principal::{IdentityType, PrincipalOrigin, origin_of};
use crate::iam::{PolicyKind, PrincipalItem};
use crate::project::StatementRef;
use crate::rules::{Context, FindingSink, ids};
use crate::source::Text;

/// Longest role or user name that a message shows, in bytes.
const LONGEST_NAME: usize = 28;

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for s in cx.statements() {
        if s.document.kind != PolicyKind::Trust || !s.allows() {
            continue;
        }
        let Some(clause) = s.principal.as_ref().filter(|c| !c.negated) else {
            continue;
        };
        for item in &clause.items {
            check_account(cx, out, s, item);
        }
    }
}

fn check_account(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>, item: &PrincipalItem) {
    let own = cx.project.own;
    let place = origin_of(item, own, None);
    let is_foreign = matches!(
        place,
        PrincipalOrigin::OtherAccount { .. } | PrincipalOrigin::SomeAccount { .. }
    );
    if is_foreign && cx.is_organization_account(&item.value) {
        return;
    }
    match place {
        PrincipalOrigin::OwnAccount {
            who: IdentityType::Root,
            ..
        } if !strength(&s).narrows() => {
            let mut f = cx
                .at_statement(
                    ids::TRUST_ACCOUNT_ROOT,
                    s,
                    "any identity in the account may be able to assume this role",
                )
                .primary(item.value.span, "the whole account")
                .note("any identity in the account with `sts:AssumeRole` on this role or on `*` can assume it")
                .principals([item.value.display()]);
            let role = s.document.resource.and_then(|r| cx.project.identity_of(r));
            if let Some(power) = role.and_then(|role| cx.effects.power(role)) {
                f = f.severity(Severity::Medium).secondary(power.span, power.reach.text());
            }
            out.push(f);
        }
        PrincipalOrigin::OtherAccount {
            id: account,
            name,
            trusted: false,
            who,
        } => {
            if !own.accounts.is_empty() && name.is_none() {
                out.push(
                    cx.at_statement(
                        ids::TRUST_UNKNOWN_EXTERNAL_ACCOUNT,
                        s,
                        format!("account {account} is not one of your accounts"),
                    )
                    .primary(item.value.span, "not listed under `[own]` in overgrant.toml")
                    .principals([item.value.display()]),
                );
            }
            // Any of these conditions is enough: external ID, MFA, organization, or principal.
            if strength(&s).narrows() {
                return;
            }
            let rule = match name {
                Some(_) => ids::THIRD_PARTY_WITHOUT_EXTERNAL_ID,
                None => ids::TRUST_CROSS_ACCOUNT_WITHOUT_EXTERNAL_ID,
            };
            let whose = name.map_or_else(|| format!("account {account}"), |n| format!("{n} ({account})"));
            let what = match who {
                IdentityType::Root | IdentityType::Any => "the whole account",
                IdentityType::User => "a user of another account",
                _ => "a role of another account",
            };
            let subject = match who {
                IdentityType::Role | IdentityType::User => describe_principal(&item.value.text, what, &whose),
                _ => whose,
            };
            let mut f = cx
                .at_statement(
                    rule,
                    s,
                    format!("{subject} can assume this role without an external ID"),
                )
                .primary(item.value.span, what)
                .principals([item.value.display()]);
            if own.accounts.is_empty() {
                f = f
                    .confidence(Confidence::Low)
                    .note("if this account is yours, list it under `[own]` in overgrant.toml");
            }
            out.push(f);
        }
        PrincipalOrigin::SomeAccount {
            who: IdentityType::Root,
            name,
            given: true,
        } if !strength(&s).narrows() => out.push(
            cx.at_statement(
                ids::TRUST_CROSS_ACCOUNT_WITHOUT_EXTERNAL_ID,
                s,
                format!("the account in `{name}` can assume this role without an external ID"),
            )
            .primary(item.value.span, "a whole account, set by an input value")
            .principals([item.value.display()])
            .confidence(Confidence::Low)
            .note("an external ID is not needed if the input value is one of your accounts"),
        ),
        _ => {}
    }
}

/// Describes one role or user of an account, by name if the name is short.
fn describe_principal(principal: &Text, what: &str, whose: &str) -> String {
    let name = Arn::parse(principal).map(|arn| arn.resource_id().display());
    match name.filter(|name| !name.is_empty() && name.len() <= LONGEST_NAME) {
        Some(name) => format!("`{name}` of {whose}"),
        None => what.replace("another account", whose),
    }
}
