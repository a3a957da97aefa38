//! A policy that lets its holder rewrite its own permissions: by name, not by a wildcard.

use crate::checks::grants::{Granting, granting};
use crate::checks::itself::{Caller, caller, is_itself, is_own_group, is_own_policy};
use crate::finding::{Finding, Severity};
use crate::iam::condition::Grade;
use crate::iam::{Action, Item, catalogue};
use crate::project::{Grant, Identity, IdentityKind, PolicySource};
use crate::rules::{Context, Out};

/// What is done to itself, and what the ARN is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum On {
    Identity,
    Group,
    Policy,
    Boundary,
}

/// What gives an identity of the kind more permissions when it is done to itself.
/// Service Authorization Reference, "AWS Identity and Access Management (IAM)".
fn rewrites(kind: IdentityKind) -> &'static [(&'static str, On)] {
    match kind {
        IdentityKind::Role => &[
            ("iam:PutRolePolicy", On::Identity),
            ("iam:AttachRolePolicy", On::Identity),
            ("iam:CreatePolicyVersion", On::Policy),
            ("iam:DeleteRolePermissionsBoundary", On::Boundary),
            ("iam:PutRolePermissionsBoundary", On::Boundary),
        ],
        IdentityKind::User => &[
            ("iam:PutUserPolicy", On::Identity),
            ("iam:AttachUserPolicy", On::Identity),
            ("iam:PutGroupPolicy", On::Group),
            ("iam:AttachGroupPolicy", On::Group),
            ("iam:CreatePolicyVersion", On::Policy),
            ("iam:DeleteUserPermissionsBoundary", On::Boundary),
            ("iam:PutUserPermissionsBoundary", On::Boundary),
        ],
        IdentityKind::Group => &[
            ("iam:PutGroupPolicy", On::Identity),
            ("iam:AttachGroupPolicy", On::Identity),
            ("iam:CreatePolicyVersion", On::Policy),
        ],
        IdentityKind::PermissionSet => &[],
    }
}

pub(super) fn check(cx: &Context<'_>, out: &mut Out<'_>) {
    for (id, identity) in (0u32..).zip(&cx.project.identities) {
        if identity.policies.is_empty() {
            continue;
        }
        let effective = cx.effects.of(id);
        let withheld = effective.withheld();
        let names = rewrites(identity.kind).iter();
        let found = names
            .filter_map(|(name, on)| Some((catalogue().action(name)?, *on)))
            .find_map(|(action, on)| {
                let bounded = effective
                    .boundary
                    .as_ref()
                    .is_some_and(|b| !b.complete || !b.most.contains(action.id()));
                if bounded || withheld.contains(action.id()) || (on == On::Boundary && identity.boundary.is_none()) {
                    return None;
                }
                effective.granting(action).find_map(|grant| {
                    let resource = grant.statement.resource.as_ref().filter(|r| !r.negated)?;
                    let item = resource.items.iter().find(|r| is_own(cx, identity, on, r))?;
                    (!is_held(grant)).then_some((action, on, grant, item))
                })
            });
        let Some((action, on, grant, item)) = found else {
            continue;
        };
        let PolicySource::Written(d) = grant.source else {
            continue;
        };
        let kind = identity.kind.name();
        let rule = if on == On::Boundary {
            "boundary-removal"
        } else {
            "self-mutation"
        };
        let what = match on {
            On::Policy => format!("the {kind} may rewrite a policy that is attached to it"),
            On::Boundary => format!("the {kind} may change its own permissions boundary"),
            On::Identity | On::Group => format!("the {kind} may give itself any permission with `{}`", action.name()),
        };
        let label = match on {
            On::Policy => format!("attached to the {kind}"),
            On::Group => format!("a group of the {kind}"),
            On::Identity | On::Boundary => format!("the {kind} that holds this policy"),
        };
        let mut f = cx
            .at_statement(rule, d, grant.index, what)
            .primary(grant.span(action), "on itself")
            .secondary(item.span, label)
            .scope(identity.header, "");
        f.steps_down += u8::from(grant.narrowed());
        let written = grant.item(action).map(|i| i.display().to_lowercase());
        out.push(f.actions(written).resources([item.display()]));
    }
    for g in granting(cx) {
        by_variable(cx, out, &g);
    }
}

fn is_own(cx: &Context<'_>, identity: &Identity, on: On, r: &Item) -> bool {
    // Reported once for the policy, whoever holds it.
    let by_name = caller(&r.text).is_none();
    match on {
        On::Identity | On::Boundary => by_name && is_itself(cx, identity, &r.text),
        On::Group => is_own_group(cx, identity, &r.text),
        On::Policy => is_own_policy(cx, identity, &r.text),
    }
}

fn is_held(grant: &Grant<'_>) -> bool {
    grant.strength().limits_what_is_given()
}

/// What a user may do to itself by `${aws:username}`, and to others with names like its own.
fn by_variable(cx: &Context<'_>, out: &mut Out<'_>, g: &Granting<'_>) {
    /// Taking over another user.
    const OTHERS: [&str; 5] = [
        "iam:CreateAccessKey",
        "iam:CreateLoginProfile",
        "iam:UpdateLoginProfile",
        "iam:CreateServiceSpecificCredential",
        "iam:ResetServiceSpecificCredential",
    ];
    let Some(resource) = g.statement.resource.as_ref().filter(|r| !r.negated) else {
        return;
    };
    let named = resource.items.iter().filter_map(|r| Some((r, caller(&r.text)?)));
    let Some((item, who)) = named.max_by_key(|(_, who)| *who == Caller::WithOthers) else {
        return;
    };
    let granted = |name: &&str| catalogue().action(name).filter(|a| g.actions.contains(a.id()));
    let held = |key: &str| g.strength.has(key, Grade::Narrows);
    let report = |rule: &'static str, action: Action, message: String| -> Option<Finding> {
        let written = g.statement.action.as_ref().filter(|c| !c.negated)?.naming(action)?;
        let mut f = cx
            .at_statement(rule, g.document, g.index, message)
            .primary(written.span, "on itself")
            .secondary(item.span, "the user that calls")
            .actions([written.display().to_lowercase()])
            .resources([item.display()]);
        f.steps_down += u8::from(g.strength.narrows());
        Some(f)
    };
    let mut found = Vec::new();
    let policies = ["iam:PutUserPolicy", "iam:AttachUserPolicy"].iter().find_map(granted);
    if let Some(action) = policies.filter(|_| !held("iam:PolicyARN") && !held("iam:PermissionsBoundary")) {
        let message = format!("each user may give itself any permission with `{}`", action.name());
        found.extend(report("self-mutation", action, message));
    }
    let boundary = ["iam:DeleteUserPermissionsBoundary", "iam:PutUserPermissionsBoundary"];
    let boundary = boundary.iter().find_map(granted);
    if let Some(action) = boundary.filter(|_| !held("iam:PermissionsBoundary")) {
        let message = "each user may change its own permissions boundary".to_owned();
        found.extend(report("boundary-removal", action, message));
    }
    if who == Caller::WithOthers
        && let Some(action) = OTHERS.iter().find_map(granted)
    {
        let message = format!("`{}` also reaches users with names like the caller's", action.name());
        let f = report("privesc-single-action", action, message);
        found.extend(f.map(|f| f.severity(Severity::Medium)));
    }
    found.into_iter().for_each(|f| out.push(f));
}
