//! Roles that the service that uses them cannot assume.
//! The user guide of each service, "Service role" or "Execution role".

use std::collections::BTreeMap;

use crate::finding::Confidence;
use crate::iam::principal::{PrincipalOrigin, origin_of};
use crate::iam::{Effect, Statement};
use crate::index::ResourceId;
use crate::model::{Resource, resource_types};
use crate::project::{Identity, IdentityKind};
use crate::rules::{Context, FindingSink, ids};
use crate::value::{Value, ValueKind};

type RolesByAddress<'p> = BTreeMap<(&'p str, &'p str), &'p Identity>;

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let resources = &cx.project.resources;
    let roles: RolesByAddress<'_> = cx
        .project
        .identities
        .iter()
        .filter(|i| i.kind == IdentityKind::Role)
        .filter_map(|i| {
            let address = &resources.get(i.resource)?.address;
            Some(((&*address.scope, &*address.name), i))
        })
        .collect();
    for (id, r) in resources.iter_enumerated() {
        let properties = resource_types::roles(&r.kind).iter();
        for property in properties.filter(|p| !p.services.is_empty()) {
            values(&r.props, property.path, &mut |value| {
                check_role(cx, out, (id, r), value, property.services, &roles)
            });
        }
    }
}

/// Calls `f` for the values at a path, in every list item and every branch along it.
fn values<'v>(value: &'v Value, path: &[&str], f: &mut dyn FnMut(&'v Value)) {
    match (&value.kind, path) {
        (ValueKind::Seq(items), _) => items.iter().for_each(|v| values(v, path, f)),
        (ValueKind::OneOf(branches), [_, ..]) => branches.iter().for_each(|b| values(&b.value, path, f)),
        (_, []) => f(value),
        (_, [name, rest @ ..]) => {
            if let Some(inner) = value.get(name) {
                values(inner, rest, f);
            }
        }
    }
}

fn check_role(
    cx: &Context<'_>,
    out: &mut FindingSink<'_>,
    (id, r): (ResourceId, &Resource),
    value: &Value,
    services: &[&str],
    roles: &RolesByAddress<'_>,
) {
    let Some(target) = value.as_hole().and_then(|h| h.target.as_ref()) else {
        return;
    };
    let Some(role) = roles.get(&(&*target.scope, &*target.address)) else {
        return;
    };
    let documents = || role.trust.iter().map(|d| &cx.project.documents[*d]);
    // An incomplete trust policy, or another branch of it, may trust the service.
    let known = documents().all(|d| d.is_complete() && !d.open && d.branch.is_none());
    let statements: Vec<&Statement> = documents().flat_map(|d| &d.statements).collect();
    // A trust policy that only denies blocks everyone on purpose.
    let closed = statements.iter().all(|s| s.is_written_as_deny());
    if role.trust.is_empty() || !known || closed || statements.iter().any(|s| may_trust(cx, s, services)) {
        return;
    }
    let shown = format!("{}.amazonaws.com", services[0]);
    let mut f = cx
        .at_resource(
            ids::ROLE_TRUSTS_OTHER_SERVICE,
            id,
            format!("the role does not trust `{shown}`"),
        )
        .primary(value.span, "role that the service must assume")
        .scope(r.header, "")
        .confidence(Confidence::High)
        .other_evidence(shown);
    if &*r.kind == "AWS::IAM::InstanceProfile" && !is_used(cx, r) {
        f = f.help("Remove the instance profile, which nothing uses, or let EC2 assume the role.");
    }
    if let Some(s) = statements.first() {
        let at = s
            .principal
            .as_ref()
            .and_then(|p| p.items.first())
            .map_or(s.span, |p| p.value.span);
        f = f.secondary(at, "who can assume the role");
    }
    out.push(f);
}

/// Whether another resource refers to this one, or could: by its name.
fn is_used(cx: &Context<'_>, r: &Resource) -> bool {
    let name = r.get("InstanceProfileName").or_else(|| r.get("Name"));
    let name = name.and_then(Value::as_str);
    let refers = |v: &Value| {
        let target = v.as_hole().and_then(|h| h.target.as_ref());
        let by_name = name.is_some() && v.as_str() == name;
        by_name || target.is_some_and(|t| t.scope == r.address.scope && t.address == r.address.name)
    };
    let others = cx.project.resources.iter().filter(|other| other.header != r.header);
    others.map(|other| &other.props).any(|props| {
        let mut found = false;
        props.each_value(&mut |v| found |= refers(v));
        found
    })
}

/// Whether the statement allows one of the services to assume the role, or may allow it.
fn may_trust(cx: &Context<'_>, s: &Statement, services: &[&str]) -> bool {
    if s.effect
        .as_ref()
        .is_some_and(|e| matches!(e.value, Effect::Deny | Effect::Invalid))
    {
        return false;
    }
    let Some(clause) = s
        .principal
        .as_ref()
        .filter(|p| !p.negated && s.branch.is_none() && !s.open)
    else {
        return true;
    };
    clause.items.iter().any(|p| match origin_of(p, cx.project.own, None) {
        PrincipalOrigin::Everyone | PrincipalOrigin::AnyService | PrincipalOrigin::Unknown => true,
        PrincipalOrigin::Service { name } => {
            name.contains(['$', '{', '*'])
                || services.iter().any(|s| {
                    name.strip_prefix(s)
                        .is_some_and(|rest| rest.starts_with(".amazonaws.com"))
                })
        }
        _ => false,
    })
}
