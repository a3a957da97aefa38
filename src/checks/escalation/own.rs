//! A policy that lets its holder rewrite its own permissions: by name, not by a wildcard.

use crate::checks::holders::{is_itself, refers};
use crate::iam::{Item, catalogue};
use crate::project::{Effective, Grant, Identity, IdentityKind, PolicyRef, PolicySource};
use crate::rules::{Context, Out};
use crate::source::Text;

/// What gives an identity of the kind more permissions when it is done to itself.
fn rewrites(kind: IdentityKind) -> &'static [&'static str] {
    match kind {
        IdentityKind::Role => &["iam:PutRolePolicy", "iam:AttachRolePolicy"],
        IdentityKind::User => &["iam:PutUserPolicy", "iam:AttachUserPolicy"],
        IdentityKind::Group => &["iam:PutGroupPolicy", "iam:AttachGroupPolicy"],
        IdentityKind::PermissionSet => &[],
    }
}

pub(super) fn check(cx: &Context<'_>, out: &mut Out<'_>) {
    for (id, identity) in (0u32..).zip(&cx.project.identities) {
        if identity.policies.is_empty() {
            continue;
        }
        let effective = Effective::of(cx.project, id);
        let withheld = effective.withheld();
        let versions = ["iam:CreatePolicyVersion"];
        let names = rewrites(identity.kind).iter().chain(&versions);
        let found = names.filter_map(|name| catalogue().action(name)).find_map(|action| {
            let version = versions.contains(&action.name());
            let bounded = effective
                .boundary
                .as_ref()
                .is_some_and(|b| !b.complete || !b.most.contains(action.id()));
            if bounded || withheld.contains(action.id()) {
                return None;
            }
            effective.granting(action).find_map(|grant| {
                let resource = grant.statement.resource.as_ref().filter(|r| !r.negated)?;
                let own = |r: &&Item| {
                    if version {
                        is_own_policy(cx, identity, &r.text)
                    } else {
                        is_itself(cx, identity, &r.text)
                    }
                };
                let item = resource.items.iter().find(own)?;
                (!is_held(grant)).then_some((action, grant, item))
            })
        });
        let Some((action, grant, item)) = found else { continue };
        let PolicySource::Written(d) = grant.source else {
            continue;
        };
        let kind = identity.kind.name();
        let what = if action.name() == "iam:CreatePolicyVersion" {
            format!("the {kind} may rewrite a policy that is attached to it")
        } else {
            format!("the {kind} may give itself any permission with `{}`", action.name())
        };
        let mut f = cx
            .at_statement("self-mutation", d, grant.index, what)
            .primary(grant.span(action), "on itself")
            .secondary(item.span, format!("the {kind} that holds this policy"))
            .scope(identity.header, "");
        f.steps_down += u8::from(grant.narrowed());
        let written = grant.item(action).map(|i| i.display().to_lowercase());
        out.push(f.actions(written).resources([item.display()]));
    }
}

fn is_held(grant: &Grant<'_>) -> bool {
    grant.strength().limits_what_is_given()
}

/// A reference to a managed policy of the repository that is attached to this identity.
fn is_own_policy(cx: &Context<'_>, identity: &Identity, resource: &Text) -> bool {
    let attached = identity.policies.iter().filter(|u| !u.inline);
    let documents = attached.filter_map(|u| match &u.policy {
        PolicyRef::Documents(ids) => Some(ids),
        _ => None,
    });
    documents
        .flatten()
        .filter_map(|d| cx.project.documents[*d as usize].resource)
        .any(|r| refers(resource, cx, r))
}
