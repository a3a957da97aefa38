//! Service and resource control policies that the repository attaches to the root of its organization, or to its own account.

use super::index::{ReferenceIndex, target_of};
use crate::iam::{Ownership, PolicyKind};
use crate::index::DocumentId;
use crate::project::{Guardrail, GuardrailLevel, Project};
use crate::value::Value;

/// Finds them, and the places that are deployed to the management account: what makes an organization or attaches policies in it
/// is. A policy on an organizational unit or on an account limits what is there, and nothing says that the repository's is, unless
/// the settings name that account and no other.
pub(super) fn guardrails(project: &mut Project<'_>, index: &ReferenceIndex) {
    let mut found = Vec::new();
    for (id, r) in project.resources.iter_enumerated() {
        if !r.kind.starts_with("AWS::Organizations::") {
            continue;
        }
        project.management.insert(r.address.root().to_owned());
        // What depends on a condition may not be attached.
        if r.branch.is_some() {
            continue;
        }
        let policies = match &*r.kind {
            "AWS::Organizations::Policy" => vec![id],
            "AWS::Organizations::PolicyAttachment" => {
                let policy = r.get("PolicyId").and_then(target_of);
                policy.map_or_else(Vec::new, |t| index.target(t).to_vec())
            }
            _ => continue,
        };
        let targets = ["TargetId", "TargetIds"].iter().filter_map(|p| r.get(p));
        if !targets
            .flat_map(Value::items)
            .any(|t| is_root(t) || is_own_account(t, project.own))
        {
            continue;
        }
        let documents = policies.iter().flat_map(|p| index.documents_of(*p));
        found.extend(documents.copied());
    }
    found.sort_unstable();
    found.dedup();
    let of_kind = |kind: PolicyKind| {
        let is_so = |d: &DocumentId| {
            let d = &project.documents[*d];
            d.kind == kind && d.branch.is_none()
        };
        found.iter().copied().filter(is_so).collect::<Vec<_>>()
    };
    let (services, resources) = (of_kind(PolicyKind::Scp), of_kind(PolicyKind::Rcp));
    let attached = services.into_iter().map(|document| Guardrail {
        document,
        level: GuardrailLevel::Attached,
    });
    project.service_control_policies.extend(attached);
    project.resource_control_policies = resources;
}

/// The root of an organization: `r-ab12`, `roots[0].id` of an organization, its `RootId`.
/// AWS Organizations API Reference, `Root`.
fn is_root(target: &Value) -> bool {
    if let Some(id) = target.as_str() {
        let root = id.strip_prefix("r-").unwrap_or_default();
        return (4..=32).contains(&root.len()) && root.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    }
    target.as_hole().is_some_and(|h| {
        let of_terraform = h.name.contains("aws_organizations_organization.") && h.name.contains(".roots[");
        of_terraform || h.name.ends_with(".RootId")
    })
}

fn is_own_account(target: &Value, own: &Ownership) -> bool {
    let id = target.as_str();
    id.is_some() && id.as_deref() == own.only_account()
}
