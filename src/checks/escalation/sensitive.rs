//! Single IAM actions that remove a safeguard, on more than the holder itself.

use super::pass_role::{PassRoleGrant, is_every_role};
use super::self_mutation;
use crate::iam::arn;
use crate::iam::condition::{Grade, strength};
use crate::iam::{Action, ClauseItem, PolicyKind, Statement, catalogue};
use crate::phrase;
use crate::project::{DocumentId, IdentityKind, PolicyRef, PolicyUse};
use crate::rules::{Context, FindingSink, RuleId, ids};

struct Safeguard {
    rule: RuleId,
    actions: &'static [&'static str],
    /// Whether a resource is wide enough.
    wide: fn(&ClauseItem) -> bool,
    /// The condition key that makes the grant safe. Empty if there is not one.
    held_by: &'static str,
    message: &'static str,
    label: &'static str,
}

/// Actions, resource types and condition keys: Service Authorization Reference, "AWS Identity and Access Management (IAM)".
const SAFEGUARDS: &[Safeguard] = &[
    Safeguard {
        rule: ids::BOUNDARY_REMOVAL,
        actions: &[
            "iam:DeleteRolePermissionsBoundary",
            "iam:DeleteUserPermissionsBoundary",
            "iam:PutRolePermissionsBoundary",
            "iam:PutUserPermissionsBoundary",
        ],
        wide: |r| is_every_role(r) || is_every_user(r),
        held_by: "iam:PermissionsBoundary",
        message: "lets the holder change permissions boundaries",
        label: "removes limits on roles or users",
    },
    Safeguard {
        rule: ids::MFA_DEVICE_TAKEOVER,
        actions: &["iam:DeactivateMFADevice", "iam:EnableMFADevice", "iam:ResyncMFADevice"],
        wide: is_every_user,
        held_by: "",
        message: "lets the holder change every user's MFA devices",
        label: "includes users with more permissions",
    },
    Safeguard {
        rule: ids::CREATE_SLR_BROAD,
        actions: &["iam:CreateServiceLinkedRole"],
        wide: is_every_role,
        held_by: "iam:AWSServiceName",
        message: "lets the holder create service-linked roles for any service",
        label: "for any service",
    },
];

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    self_mutation::boundaries(cx, out);
    let action = |name: &&str| catalogue().action(name);
    let guards: Vec<(&Safeguard, Vec<Action>)> = SAFEGUARDS
        .iter()
        .map(|guard| (guard, guard.actions.iter().filter_map(action).collect()))
        .collect();
    for s in cx.statements() {
        if !matches!(s.document.kind, PolicyKind::Identity | PolicyKind::Session) || !s.allows() {
            continue;
        }
        for (guard, actions) in &guards {
            let granted: Vec<_> = actions
                .iter()
                .filter_map(|a| Some((a, PassRoleGrant::new(&s, *a)?)))
                .filter(|(a, _)| {
                    !cx.project
                        .withheld(s.document_id)
                        .for_statement(s.index)
                        .contains(a.id())
                })
                .collect();
            let (Some((action, grant)), Some(resource)) = (granted.first(), &s.resource) else {
                continue;
            };
            let action = action.name();
            let wide = resource.items.iter().find(|r| (guard.wide)(r));
            if (wide.is_none() && !resource.negated) || is_limited(guard, &s) {
                continue;
            }
            let more = phrase::and_more(1, granted.len() - 1);
            let verb = if granted.len() == 1 {
                guard.message.to_owned()
            } else {
                guard.message.replacen("lets", "let", 1)
            };
            let mut f = cx
                .at_statement(guard.rule, s, format!("`{action}`{more} {verb}"))
                .primary(grant.span(), guard.label);
            f = match wide.filter(|_| !resource.negated) {
                Some(r) => f.secondary(r.span, "on all resources of the type"),
                None => f.secondary(resource.key, "on every resource except these"),
            };
            for (_, other) in granted.iter().skip(1) {
                if f.labels.iter().all(|l| l.span != other.span()) {
                    f = f.secondary(other.span(), guard.label);
                }
            }
            if guard.rule == ids::MFA_DEVICE_TAKEOVER && is_of_role(cx, s.document_id) {
                f = f
                    .help("Restrict `Resource` to the users whose devices it manages, such as one path: `user/ops/*`.");
            }
            f.steps_down += u8::from(strength(&s).narrows());
            let mut written: Vec<_> = granted
                .iter()
                .filter_map(|(_, g)| Some(g.item()?.display().to_lowercase()))
                .collect();
            written.dedup();
            out.push(f.actions(written));
        }
    }
}

/// Whether the policy is attached to a role, which has no MFA devices and no `${aws:username}`.
fn is_of_role(cx: &Context<'_>, id: DocumentId) -> bool {
    let holds = |p: &PolicyUse| matches!(&p.policy, PolicyRef::Documents(ids) if ids.contains(&id));
    let mut roles = cx.project.identities.iter().filter(|i| i.kind == IdentityKind::Role);
    roles.any(|role| role.policies.iter().any(holds))
}

fn is_limited(guard: &Safeguard, s: &Statement) -> bool {
    !guard.held_by.is_empty() && strength(s).is_bound(guard.held_by, Grade::Narrows)
}

/// `*`, `arn:aws:iam::*:user/*`, and patterns that are as wide; not `user/${aws:username}`.
fn is_every_user(item: &ClauseItem) -> bool {
    arn::covers_every(&item.text, "user")
}
