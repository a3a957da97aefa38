//! Trust in whole accounts, one's own and others'.
//! IAM User Guide, "Access to AWS accounts owned by third parties".

use std::cell::OnceCell;

use crate::checks::identity_index::IdentityIndex;
use crate::finding::{Confidence, Severity};
use crate::iam::arn::Arn;
use crate::iam::condition::strength;
use crate::iam::principal::{IdentityType, PrincipalOrigin, place};
use crate::iam::{Document, PolicyKind, PrincipalItem, Statement};
use crate::project::DocumentId;
use crate::rules::{Context, FindingSink};
use crate::source::Text;

/// Longest name of a role that a message has room for, in bytes.
const LONGEST_NAME: usize = 28;

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let holders = OnceCell::new();
    for (id, d, i, s) in cx.statements() {
        if d.kind != PolicyKind::Trust || !s.allows() {
            continue;
        }
        let Some(clause) = s.principal.as_ref().filter(|c| !c.negated) else {
            continue;
        };
        for item in &clause.items {
            one(cx, out, (id, d), (i, s), item, &holders);
        }
    }
}

fn one<'a>(
    cx: &Context<'a>,
    out: &mut FindingSink<'_>,
    (id, d): (DocumentId, &Document),
    (i, s): (usize, &Statement),
    item: &PrincipalItem,
    holders: &OnceCell<IdentityIndex<'a>>,
) {
    let own = cx.project.own;
    let place = place(item, own, None);
    let is_foreign = matches!(
        place,
        PrincipalOrigin::OtherAccount { .. } | PrincipalOrigin::SomeAccount { .. }
    );
    if is_foreign && cx.is_of_organization(&item.value) {
        return;
    }
    match place {
        PrincipalOrigin::OwnAccount {
            who: IdentityType::Root,
            ..
        } if !strength(s).narrows() => {
            let mut f = cx
                .at_statement(
                    "trust-account-root",
                    id,
                    i,
                    "every identity of the account may be let into this role",
                )
                .primary(item.value.span, "the whole account")
                .note("any identity of the account with `sts:AssumeRole` on this role, or on `*`, may become it")
                .principals([item.value.display()]);
            let holders = holders.get_or_init(|| IdentityIndex::new(cx));
            let role = d.resource.and_then(|r| holders.identity(r));
            if let Some(power) = role.and_then(|role| holders.power(role)) {
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
                        "trust-unknown-external-account",
                        id,
                        i,
                        format!("account {account} is not one of yours"),
                    )
                    .primary(item.value.span, "not under `[own]` in overgrant.toml")
                    .principals([item.value.display()]),
                );
            }
            // Named conditions of any kind (external id, MFA, organisation, principal) are what is asked for.
            if strength(s).narrows() {
                return;
            }
            let rule = match name {
                Some(_) => "third-party-without-external-id",
                None => "trust-cross-account-without-external-id",
            };
            let whose = name.map_or_else(|| format!("account {account}"), |n| format!("{n} ({account})"));
            let what = match who {
                IdentityType::Root | IdentityType::Any => "the whole account",
                IdentityType::User => "a user of another account",
                _ => "a role of another account",
            };
            let subject = match who {
                IdentityType::Role | IdentityType::User => one_of_them(&item.value.text, what, &whose),
                _ => whose,
            };
            let mut f = cx
                .at_statement(
                    rule,
                    id,
                    i,
                    format!("{subject} may assume this role without an external id"),
                )
                .primary(item.value.span, what)
                .principals([item.value.display()]);
            if own.accounts.is_empty() {
                f = f
                    .confidence(Confidence::Low)
                    .note("if this account is yours, say so under `[own]` in overgrant.toml");
            }
            out.push(f);
        }
        PrincipalOrigin::SomeAccount {
            who: IdentityType::Root,
            name,
            given: true,
        } if !strength(s).narrows() => out.push(
            cx.at_statement(
                "trust-cross-account-without-external-id",
                id,
                i,
                format!("the account in `{name}` may assume this role without an external id"),
            )
            .primary(item.value.span, "a whole account that is given from outside")
            .principals([item.value.display()])
            .confidence(Confidence::Low)
            .note("if the account that is given is yours, this is no other account"),
        ),
        _ => {}
    }
}

/// One role or user of an account, by its name where that is short.
fn one_of_them(principal: &Text, what: &str, whose: &str) -> String {
    let name = Arn::parse(principal).map(|arn| arn.resource_id().display());
    match name.filter(|name| !name.is_empty() && name.len() <= LONGEST_NAME) {
        Some(name) => format!("`{name}` of {whose}"),
        None => what.replace("another account", whose),
    }
}
