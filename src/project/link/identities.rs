//! Identities and what is attached to them.

use std::collections::BTreeMap;

use super::index::{ReferenceIndex, identity_kind, last_known_part, name_property, target_of};
use crate::iam::PolicyKind;
use crate::index::{IdentityId, IndexVec};
use crate::model::{Resource, kinds};
use crate::project::{
    DocumentId, ExternalAttachment, Identity, IdentityKind, PolicyRef, PolicyUse, Project, ResourceId,
};
use crate::source::{HoleKind, Text};
use crate::value::Value;

/// Where an attaching resource names those it attaches to.
const HOLDERS: [(IdentityKind, [&str; 3]); 4] = [
    (IdentityKind::Role, ["Role", "Roles", "RoleName"]),
    (IdentityKind::User, ["User", "Users", "UserName"]),
    (IdentityKind::Group, ["Group", "Groups", "GroupName"]),
    (
        IdentityKind::PermissionSet,
        ["PermissionSet", "PermissionSetArn", "PermissionSets"],
    ),
];

/// Fills in every identity of the repository with its policies, in the order of their resources, and the policies whose
/// holder cannot be determined.
pub(super) fn identities(project: &mut Project<'_>, index: &ReferenceIndex) {
    let mut out = IndexVec::new();
    let mut identity_of: BTreeMap<ResourceId, IdentityId> = BTreeMap::new();
    for (id, r) in project.resources.iter_enumerated() {
        let Some(kind) = identity_kind(&r.kind).filter(|_| !is_permission_set_part(index, r)) else {
            continue;
        };
        identity_of.insert(id, out.push(identity(project, index, kind, id, r)));
    }
    let mut elsewhere = Vec::new();
    for (id, r) in project.resources.iter_enumerated() {
        let uses = attachments(project, index, id, r);
        if uses.is_empty() {
            continue;
        }
        for (kind, value) in holders(r) {
            let targets = index.identities(kind, value);
            if targets.is_empty() && is_unidentified(value) && !r.has("OnOthers") {
                let key = (kind, r.address.scope.clone());
                project.unplaced.entry(key).or_insert(value.span);
            }
            let name = value
                .to_text()
                .filter(|name| targets.is_empty() && is_of_others(name))
                .map(|text| last_known_part(&text).map_or(text, |name| Text::synthetic(&name, value.span)));
            if let Some(name) = name {
                elsewhere.extend(uses.iter().map(|used| ExternalAttachment {
                    used: used.clone(),
                    kind,
                    name: name.clone(),
                }));
            }
            for i in targets.iter().filter_map(|t| identity_of.get(t)) {
                out[*i].policies.extend(uses.iter().cloned());
            }
        }
    }
    for (id, document) in project.documents.iter_enumerated() {
        let resources = document.roles.iter().flat_map(|role| index.target(role));
        for i in resources.filter_map(|r| identity_of.get(r)) {
            match document.kind {
                PolicyKind::Trust => out[*i].trust.push(id),
                _ => out[*i].policies.push(PolicyUse {
                    policy: PolicyRef::Documents(vec![id]),
                    span: document.span,
                    inline: false,
                    optional: false,
                    by: None,
                }),
            }
        }
    }
    project.elsewhere = elsewhere;
    project.identities = out;
    project.identity_of = identity_of;
}

/// Whether a permission set is only a policy for another one: `aws_ssoadmin_permission_set_inline_policy`.
fn is_permission_set_part(index: &ReferenceIndex, r: &Resource) -> bool {
    r.get("PermissionSetArn")
        .and_then(target_of)
        .is_some_and(|t| !index.target(t).is_empty())
}

/// Whether a name is written, or is that of something outside: what is declared here and not made has no policies.
fn is_of_others(name: &Text) -> bool {
    name.as_hole().is_none_or(|hole| {
        let is_made_here = hole.target.is_some() || matches!(hole.kind, HoleKind::Other | HoleKind::Broken);
        hole.name.starts_with("data.") || !is_made_here
    })
}

/// Nothing says which identity a value names.
fn is_unidentified(value: &Value) -> bool {
    match value.as_text() {
        Some(text) => last_known_part(text).is_none(),
        None => true,
    }
}

fn identity(
    project: &Project<'_>,
    index: &ReferenceIndex,
    kind: IdentityKind,
    id: ResourceId,
    r: &Resource,
) -> Identity {
    let mut trust = Vec::new();
    let mut policies = Vec::new();
    for &d in index.documents_of(id) {
        let document = &project.documents[d];
        match document.kind {
            PolicyKind::Trust => trust.push(d),
            _ => policies.push(PolicyUse {
                policy: PolicyRef::Documents(vec![d]),
                span: document.span,
                inline: true,
                optional: false,
                by: None,
            }),
        }
    }
    for prop in [
        "ManagedPolicyArns",
        "ManagedPolicies",
        "GeneratedManagedPolicyArns",
        "CustomerManagedPolicyReferences",
    ] {
        if let Some(value) = r.get(prop) {
            value.each_value(&mut |item| {
                policies.push(PolicyUse {
                    policy: index.policy(item.get("Name").unwrap_or(item)),
                    span: item.span,
                    inline: false,
                    optional: false,
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
            optional: v.may_be_absent() && !names_a_policy(v),
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
        groups: Vec::new(),
    }
}

/// Whether a value is written in one of its cases, rather than an input that is empty by default.
fn names_a_policy(value: &Value) -> bool {
    let mut found = false;
    value.each_value(&mut |v| found |= v.as_str().is_some_and(|text| !text.is_empty()));
    found
}

/// What a resource puts on the identities that it names.
fn attachments(project: &Project<'_>, index: &ReferenceIndex, id: ResourceId, r: &Resource) -> Vec<PolicyUse> {
    let own_documents = |inline: bool| {
        let documents = index.documents_of(id);
        let span = documents.first().map_or(r.header, |d| project.documents[*d].span);
        vec![PolicyUse {
            policy: PolicyRef::Documents(documents.to_vec()),
            span: if r.extent.contains(span) { span } else { r.header },
            inline,
            optional: false,
            by: Some(id),
        }]
    };
    match &*r.kind {
        "AWS::IAM::Policy" | "AWS::IAM::RolePolicy" | "AWS::IAM::UserPolicy" | "AWS::IAM::GroupPolicy" => {
            own_documents(true)
        }
        "AWS::IAM::ManagedPolicy" => own_documents(false),
        "AWS::SSO::PermissionSet" if is_permission_set_part(index, r) => own_documents(true),
        kind if kind == kinds::ATTACHMENT => {
            let mut out = Vec::new();
            let named = ["PolicyArn", "PolicyName"].iter().find_map(|p| r.get(p));
            let reference = || r.path(&["CustomerManagedPolicyReference", "PolicyName"]);
            if let Some(value) = named.or_else(reference) {
                value.each_value(&mut |item| {
                    out.push(PolicyUse {
                        policy: index.policy(item),
                        span: item.span,
                        inline: false,
                        optional: false,
                        by: Some(id),
                    });
                });
            }
            out
        }
        _ => Vec::new(),
    }
}

/// The documents that a resource attaches to an identity, be that one of the repository or not.
pub(super) fn attached_documents(project: &Project<'_>, index: &ReferenceIndex) -> Vec<DocumentId> {
    let mut out = Vec::new();
    for (id, r) in project.resources.iter_enumerated() {
        if holders(r).iter().all(|(_, value)| value.is_null()) {
            continue;
        }
        for u in attachments(project, index, id, r) {
            if let PolicyRef::Documents(ids) = u.policy {
                out.extend(ids);
            }
        }
    }
    out
}

/// The identities that an attaching resource names.
pub(super) fn holders(r: &Resource) -> Vec<(IdentityKind, &Value)> {
    let mut out = Vec::new();
    for (kind, props) in &HOLDERS {
        for prop in props {
            if let Some(value) = r.get(prop) {
                value.each_value(&mut |item| out.push((*kind, item)));
            }
        }
    }
    out
}
