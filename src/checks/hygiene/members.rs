//! Users and the groups that they are in, permission sets, instances without a role.
//! IAM User Guide, "Security best practices in IAM"; CIS AWS Foundations Benchmark.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::checks::allow_statements::names;
use crate::checks::holders::cause_of;
use crate::checks::self_reference::OwnedResource;
use crate::finding::{Confidence, Finding};
use crate::iam::arn::Breadth;
use crate::iam::{ActionSet, Clause, Condition, Statement};
use crate::model::{Resource, kinds};
use crate::project::{Identity, IdentityId, IdentityKind};
use crate::rules::{Context, FindingSink, RuleId, ids};
use crate::source::Span;
use crate::value::{Value, ValueKind};

const UNBOUNDED: RuleId = ids::ROLE_WITHOUT_PERMISSIONS_BOUNDARY;

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let filled: BTreeSet<IdentityId> = cx
        .project
        .identities
        .iter()
        .flat_map(|i| &i.groups)
        .filter_map(|m| m.group)
        .collect();
    let scopes = unclear_scopes(cx);
    let unclear = has_unclear_members(cx);
    let handed_out = exported_identities(cx);
    for (id, identity) in cx.project.identities.iter_enumerated() {
        let r = &cx.project.resources[identity.resource];
        let open = scopes.contains(&*r.address.scope) || handed_out.contains(&(&*r.address.scope, &*r.address.name));
        if identity.kind == IdentityKind::Role
            && !r.has("PermissionsBoundary")
            && out.is_selected(UNBOUNDED)
            && let Some(f) = unbounded(cx, id, identity)
        {
            out.push(f);
        }
        let mut push = |rule: RuleId, message: &str, label: &str| {
            let f = cx.at_resource(rule, identity.resource, message);
            out.push(f.primary(identity.header, label));
        };
        match identity.kind {
            IdentityKind::User if identity.groups.is_empty() && !open && !unclear && !has_unknown(r, "Groups") => {
                push(
                    ids::IAM_USER_NO_GROUP,
                    "user without a group",
                    match identity.policies.is_empty() {
                        true => "not a member of any group",
                        false => "has its own permissions",
                    },
                );
            }
            IdentityKind::Group if !filled.contains(&id) && !open => {
                push(ids::IAM_GROUP_NO_USERS, "group without members", "no members");
            }
            _ => {}
        }
        if identity.kind == IdentityKind::Group
            && lacks_mfa(cx, id)
            && let Some(confidence) = confidence_from_targets(cx, id)
        {
            let f = cx
                .at_resource(
                    ids::MFA_NOT_ENFORCED_GROUP,
                    identity.resource,
                    "the policies of this group do not require MFA",
                )
                .primary(identity.header, "a password or access key is enough")
                .confidence(confidence);
            out.push(match confidence {
                Confidence::Low => {
                    f.note("overgrant cannot tell whether the role that the group can assume requires MFA")
                }
                _ => f,
            });
        }
    }
    permission_sets(cx, out);
}

fn has_unknown(r: &Resource, prop: &str) -> bool {
    r.get(prop)
        .is_some_and(|v| v.is_unknown() || v.items().iter().any(Value::is_unknown))
}

/// What outputs and exports name: others may go on with it.
fn exported_identities<'a>(cx: &Context<'a>) -> BTreeSet<(&'a str, &'a str)> {
    let mut found = BTreeSet::new();
    let outputs = cx.project.resources.iter().filter(|r| &*r.kind == kinds::OUTPUT);
    let mut open: Vec<&Value> = outputs.filter_map(|r| r.get("Value")).collect();
    while let Some(value) = open.pop() {
        match &value.kind {
            ValueKind::Seq(items) => open.extend(items.iter()),
            ValueKind::Map(entries) => open.extend(entries.iter().map(|e| &e.value)),
            ValueKind::OneOf(branches) => open.extend(branches.iter().map(|b| &b.value)),
            ValueKind::Json(inner) => open.push(inner),
            ValueKind::Unknown(hole) => found.extend(hole.target.as_ref().map(|t| (&*t.scope, &*t.address))),
            ValueKind::Str(text) => {
                let targets = text.holes().filter_map(|h| h.target.as_ref());
                found.extend(targets.map(|t| (&*t.scope, &*t.address)));
            }
            ValueKind::Null | ValueKind::Bool(_) | ValueKind::Num(_) => {}
        }
    }
    found
}

/// Scopes in which some membership names a user or a group that is not known.
fn unclear_scopes<'a>(cx: &Context<'a>) -> BTreeSet<&'a str> {
    let additions = cx
        .project
        .resources
        .iter()
        .filter(|r| &*r.kind == "AWS::IAM::UserToGroupAddition");
    let unclear = |r: &&Resource| {
        let names = ["Users", "Groups", "GroupName"].iter().filter_map(|p| r.get(p));
        names.flat_map(Value::items).any(|v| v.as_str().is_none())
    };
    let resolved: BTreeSet<Span> = cx
        .project
        .identities
        .iter()
        .flat_map(|i| &i.groups)
        .filter(|m| m.group.is_some())
        .map(|m| m.span)
        .collect();
    let known = |r: &&Resource| {
        let groups = ["Groups", "GroupName"].iter().filter_map(|p| r.get(p));
        groups.flat_map(Value::items).all(|v| resolved.contains(&v.span))
    };
    additions
        .filter(|r| unclear(r) && !known(r))
        .map(|r| &*r.address.scope)
        .collect()
}

/// Whether some membership, of any module, names a user that is not one of the repository's: it may be any of these.
fn has_unclear_members(cx: &Context<'_>) -> bool {
    let users = || cx.project.identities.iter().filter(|i| i.kind == IdentityKind::User);
    let names: BTreeSet<Cow<'_, str>> = users().filter_map(|u| u.name.as_ref()?.known()).collect();
    let addresses: BTreeSet<(&str, &str)> = users()
        .map(|u| &cx.project.resources[u.resource].address)
        .map(|a| (&*a.scope, &*a.name))
        .collect();
    let is_known = |v: &Value| match v.as_hole().and_then(|h| h.target.as_ref()) {
        Some(t) => addresses.contains(&(&*t.scope, &*t.address)),
        None => v.as_str().is_some_and(|name| names.contains(&name)),
    };
    let mut additions = (cx.project.resources.iter()).filter(|r| &*r.kind == "AWS::IAM::UserToGroupAddition");
    additions.any(|r| {
        let users = r.get("Users").or_else(|| r.get("UserName"));
        users.is_some_and(|v| !v.items().iter().all(is_known))
    })
}

/// A group with permissions, all of which can be seen, and no condition on MFA in any of its policies.
fn lacks_mfa(cx: &Context<'_>, id: IdentityId) -> bool {
    let effective = cx.effects.of(id);
    effective.is_complete()
        && !effective.grants.is_empty()
        && !effective.grants.iter().any(|g| asks_for_mfa(g.statement))
        && !effective.all_limits().any(asks_for_mfa)
}

fn asks_for_mfa(s: &Statement) -> bool {
    let about_mfa = |c: &Condition| {
        c.key
            .text
            .display()
            .to_ascii_lowercase()
            .starts_with("aws:multifactorauth")
    };
    s.conditions.iter().any(about_mfa)
}

/// How sure it is that a group whose policies do not ask for MFA does without. Who may only assume roles has what these ask
/// for: `None` where each of them asks for MFA, in its trust policy or wherever it grants something.
fn confidence_from_targets(cx: &Context<'_>, group: IdentityId) -> Option<Confidence> {
    let effective = cx.effects.of(group);
    let assuming = ActionSet::expand_all(["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]);
    if !effective.actions().is_subset(&assuming) {
        return Some(Confidence::High);
    }
    let mut known = true;
    for g in &effective.grants {
        // An item with a hole in it makes the clause incomplete, and is one role all the same.
        let listed = |c: &&Clause| !c.negated && (c.complete || c.items.iter().any(|i| !i.text.is_known()));
        let Some(clause) = g.statement.resource.as_ref().filter(listed) else {
            known = false;
            continue;
        };
        for item in &clause.items {
            if item.breadth() <= Breadth::WholeType {
                return Some(Confidence::High);
            }
            let mut targets = cx
                .project
                .identities
                .iter_enumerated()
                .filter(|(_, i)| {
                    i.kind == IdentityKind::Role && OwnedResource::identity(i).is_referenced_by(cx, &item.text)
                })
                .peekable();
            known &= targets.peek().is_some();
            if targets.any(|(id, role)| !role_asks_for_mfa(cx, id, role)) {
                return Some(Confidence::High);
            }
        }
    }
    (!known).then_some(Confidence::Low)
}

fn role_asks_for_mfa(cx: &Context<'_>, id: IdentityId, role: &Identity) -> bool {
    let trust = || role.trust.iter().flat_map(|d| &cx.project.documents[*d].statements);
    let effective = cx.effects.of(id);
    trust().any(Statement::allows) && trust().filter(|s| s.allows()).all(asks_for_mfa)
        || effective.is_complete() && effective.grants.iter().all(|g| asks_for_mfa(g.statement))
}

/// A role that makes or changes identities, and no boundary on what it gives them or itself.
/// IAM User Guide, "Permissions boundaries for IAM entities", "Delegating responsibility to others using permissions boundaries".
fn unbounded(cx: &Context<'_>, id: IdentityId, identity: &Identity) -> Option<Finding> {
    const CHANGES: [&str; 6] = [
        "iam:Add*",
        "iam:Attach*",
        "iam:Create*",
        "iam:Put*",
        "iam:SetDefaultPolicyVersion",
        "iam:Update*",
    ];
    let effective = cx.effects.of(id);
    let mut changes = effective.actions();
    changes.intersect(&ActionSet::expand_all(CHANGES));
    // What a service needs of its own, and on its own terms.
    changes.subtract(&ActionSet::expand("iam:CreateServiceLinkedRole"));
    let action = changes.iter().next()?;
    let grant = effective.grants_of(action).next()?;
    let message = format!(
        "the role can call {} and has no permissions boundary",
        names(&changes, 1)
    );
    Some(
        cx.at_resource(UNBOUNDED, identity.resource, message)
            .primary(identity.header, "no boundary")
            .secondary(grant.span(action), "manages identities"),
    )
}

/// Permission sets that are as good as an administrator.
fn permission_sets(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for (id, identity) in cx.project.identities.iter_enumerated() {
        if identity.kind != IdentityKind::PermissionSet {
            continue;
        }
        let Some(power) = cx.effects.power(id) else { continue };
        out.push(
            cx.at_resource(
                ids::SSO_PERMISSION_SET_ADMIN,
                identity.resource,
                "permission set with administrator access",
            )
            .cause(cause_of(cx, power, id))
            .primary(power.span, power.reach.text())
            .scope(identity.header, ""),
        );
    }
}
