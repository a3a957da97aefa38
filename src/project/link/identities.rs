//! Identities and what is attached to them.

use std::collections::BTreeMap;

use super::index::{Index, identity_kind, name_property};
use crate::iam::PolicyKind;
use crate::model::{Resource, kinds};
use crate::project::{Identity, IdentityKind, PolicyRef, PolicyUse, Project, ResourceId};
use crate::value::{Kind, Value};

/// Where an attaching resource names those it attaches to.
const HOLDERS: [(IdentityKind, [&str; 3]); 3] = [
    (IdentityKind::Role, ["Role", "Roles", "RoleName"]),
    (IdentityKind::User, ["User", "Users", "UserName"]),
    (IdentityKind::Group, ["Group", "Groups", "GroupName"]),
];

/// Every identity of the repository with its policies, in the order of their resources.
pub(super) fn identities(project: &Project<'_>, index: &Index) -> Vec<Identity> {
    let mut out = Vec::new();
    let mut by_resource: BTreeMap<ResourceId, usize> = BTreeMap::new();
    for (id, r) in (0u32..).zip(&project.resources) {
        let Some(kind) = identity_kind(&r.kind) else { continue };
        by_resource.insert(id, out.len());
        out.push(identity(project, index, kind, id, r));
    }
    for (id, r) in (0u32..).zip(&project.resources) {
        for (kind, use_) in attachments(project, index, id, r) {
            for (holder_kind, value) in holders(r) {
                if holder_kind != kind {
                    continue;
                }
                for target in index.identities(kind, value) {
                    if let Some(&i) = by_resource.get(&target) {
                        out[i].policies.push(PolicyUse {
                            span: use_.span,
                            policy: use_.policy.clone(),
                            inline: use_.inline,
                            by: use_.by,
                        });
                    }
                }
            }
        }
    }
    out
}

fn identity(project: &Project<'_>, index: &Index, kind: IdentityKind, id: ResourceId, r: &Resource) -> Identity {
    let mut trust = Vec::new();
    let mut policies = Vec::new();
    for &d in index.documents_of(id) {
        let document = &project.documents[d as usize];
        match document.kind {
            PolicyKind::Trust => trust.push(d),
            _ => policies.push(PolicyUse {
                policy: PolicyRef::Documents(vec![d]),
                span: document.span,
                inline: true,
                by: None,
            }),
        }
    }
    for prop in ["ManagedPolicyArns", "ManagedPolicies", "GeneratedManagedPolicyArns"] {
        if let Some(value) = r.get(prop) {
            each(value, &mut |item| {
                policies.push(PolicyUse {
                    policy: index.policy(item),
                    span: item.span,
                    inline: false,
                    by: None,
                });
            });
        }
    }
    let boundary = r
        .get("PermissionsBoundary")
        .filter(|v| !v.is_null())
        .map(|v| PolicyUse {
            policy: index.policy(v),
            span: v.span,
            inline: false,
            by: None,
        });
    Identity {
        kind,
        resource: id,
        name: r.get(name_property(kind)).and_then(Value::as_text).cloned(),
        header: r.header,
        trust,
        policies,
        boundary,
    }
}

/// What a resource puts on identities of each kind.
fn attachments(project: &Project<'_>, index: &Index, id: ResourceId, r: &Resource) -> Vec<(IdentityKind, PolicyUse)> {
    let own_documents = |inline: bool| {
        let documents = index.documents_of(id);
        let span = documents
            .first()
            .map_or(r.header, |d| project.documents[*d as usize].span);
        PolicyUse {
            policy: PolicyRef::Documents(documents.to_vec()),
            span: if r.extent.contains(span) { span } else { r.header },
            inline,
            by: Some(id),
        }
    };
    let all = |u: PolicyUse| HOLDERS.iter().map(|(kind, _)| (*kind, u.clone())).collect::<Vec<_>>();
    match &*r.kind {
        "AWS::IAM::Policy" | "AWS::IAM::RolePolicy" | "AWS::IAM::UserPolicy" | "AWS::IAM::GroupPolicy" => {
            all(own_documents(true))
        }
        "AWS::IAM::ManagedPolicy" => all(own_documents(false)),
        kind if kind == kinds::ATTACHMENT => {
            let mut out = Vec::new();
            if let Some(value) = r.get("PolicyArn") {
                each(value, &mut |item| {
                    out.extend(all(PolicyUse {
                        policy: index.policy(item),
                        span: item.span,
                        inline: false,
                        by: Some(id),
                    }));
                });
            }
            out
        }
        _ => Vec::new(),
    }
}

/// The identities that an attaching resource names.
pub(super) fn holders(r: &Resource) -> Vec<(IdentityKind, &Value)> {
    let mut out = Vec::new();
    for (kind, props) in &HOLDERS {
        for prop in props {
            if let Some(value) = r.get(prop) {
                collect(value, &mut |item| out.push((*kind, item)));
            }
        }
    }
    out
}

/// Every single value of a list, a conditional, or a value by itself.
pub(super) fn each(value: &Value, f: &mut dyn FnMut(&Value)) {
    collect(value, f);
}

fn collect<'v>(value: &'v Value, f: &mut dyn FnMut(&'v Value)) {
    match &value.kind {
        Kind::Seq(items) => items.iter().for_each(|v| collect(v, f)),
        Kind::OneOf(branches) => branches.iter().for_each(|b| collect(&b.value, f)),
        Kind::Null => {}
        _ => f(value),
    }
}
