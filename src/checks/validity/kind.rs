//! Policies in a place where another type of policy belongs, and policies over the size quota.

use std::collections::BTreeMap;

use crate::finding::Severity;
use crate::iam::kind::is_assume_role_action;
use crate::iam::size::{QuotaSubject, quota, quota_subject, resource_quota, size};
use crate::iam::{Document, DocumentOrigin, PolicyKind, Statement};
use crate::project::{DocumentId, IdentityKind, PolicyRef};
use crate::rules::{Context, FindingSink, RuleId, ids};
use crate::value::Guard;

/// Documents whose content shows that they belong in another property.
pub(super) fn mismatch(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for (id, d) in cx.documents() {
        if d.origin != DocumentOrigin::Written || d.statements.is_empty() || d.owner.is_none() {
            continue;
        }
        let all = |f: &dyn Fn(&Statement) -> bool| d.statements.iter().all(|s| !s.open && f(s));
        let assumes = |s: &Statement| {
            s.action.as_ref().is_some_and(|a| {
                !a.negated
                    && !a.items.is_empty()
                    && a.items
                        .iter()
                        .all(|i| i.text.known().is_some_and(|t| is_assume_role_action(&t)))
            })
        };
        let span = d.statement_key.unwrap_or(d.span);
        match d.kind {
            PolicyKind::Trust if all(&|s| s.principal.is_none() && s.resource.is_some()) => out.push(
                cx.at_document(
                    ids::POLICY_TYPE_MISMATCH,
                    id,
                    "a permissions policy is used as a trust policy",
                )
                .primary(span, "states what is allowed, not who can assume the role"),
            ),
            PolicyKind::Identity
                if d.service.as_deref() != Some("iot")
                    && all(&|s| s.principal.is_some() && s.resource.is_none() && assumes(s)) =>
            {
                out.push(
                    cx.at_document(
                        ids::POLICY_TYPE_MISMATCH,
                        id,
                        "a trust policy is used as a permissions policy",
                    )
                    .primary(span, "states who can assume the role, not what is allowed"),
                );
            }
            _ => {}
        }
    }
}

/// The maximum quota for trust policies that AWS grants on request, in characters. IAM User Guide, "IAM and AWS STS
/// quotas".
const RAISED_TRUST_QUOTA: usize = 4096;

pub(super) fn sizes(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for (id, d) in cx.documents() {
        if d.origin != DocumentOrigin::Written {
            continue;
        }
        let length = size(&d.value).characters;
        let span = d.statement_key.unwrap_or(d.span);
        let mut push = |rule: RuleId, most: usize, what: &str| {
            if length > most {
                let message = format!("the policy has {length} characters; the quota for {what} is {most}");
                let f = cx.at_document(rule, id, message).other_evidence(what.to_owned());
                out.push(if d.kind == PolicyKind::Trust && length <= RAISED_TRUST_QUOTA {
                    f.primary(span, "longer than the default quota")
                        .severity(Severity::Medium)
                        .note(format!("the quota can be raised to {RAISED_TRUST_QUOTA} characters"))
                } else {
                    f.primary(span, "AWS rejects the policy")
                });
            }
        };
        match d.kind {
            PolicyKind::Resource => {
                if let Some(most) = d.service.as_deref().and_then(resource_quota) {
                    push(
                        ids::RESOURCE_POLICY_SIZE,
                        most,
                        d.service.as_deref().unwrap_or_default(),
                    );
                }
            }
            PolicyKind::Scp => push(ids::SCP_SIZE, quota(QuotaSubject::Scp), "a service control policy"),
            PolicyKind::Rcp => push(ids::SCP_SIZE, quota(QuotaSubject::Rcp), "a resource control policy"),
            PolicyKind::Trust => push(ids::TRUST_POLICY_SIZE, quota(QuotaSubject::Trust), "a trust policy"),
            PolicyKind::Identity => {
                if is_managed(d) {
                    push(
                        ids::IDENTITY_POLICY_SIZE,
                        quota(QuotaSubject::Managed),
                        "a managed policy",
                    );
                } else if d.owner.is_none() {
                    // Its use is unknown: the largest quota applies.
                    push(
                        ids::IDENTITY_POLICY_SIZE,
                        quota(QuotaSubject::Role),
                        "any identity policy",
                    );
                }
            }
            kind => {
                if let Some(h) = quota_subject(kind) {
                    push(ids::IDENTITY_POLICY_SIZE, quota(h), kind.name());
                }
            }
        }
    }
    inline(cx, out);
}

fn is_managed(d: &Document) -> bool {
    d.owner.as_ref().is_some_and(|o| {
        matches!(
            &*o.type_name,
            "aws_iam_policy" | "AWS::IAM::ManagedPolicy" | "create_policy"
        )
    })
}

fn length(cx: &Context<'_>, id: DocumentId) -> usize {
    size(&cx.project.documents[id].value).characters
}

/// The quota for inline policies applies to all inline policies of an identity together.
fn inline(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for identity in &cx.project.identities {
        let (holder, what) = match identity.kind {
            IdentityKind::Role => (QuotaSubject::Role, "a role"),
            IdentityKind::User => (QuotaSubject::User, "a user"),
            IdentityKind::Group => (QuotaSubject::Group, "a group"),
            IdentityKind::PermissionSet => continue,
        };
        let documents: Vec<(DocumentId, usize)> = identity
            .policies
            .iter()
            .filter(|p| p.inline)
            .filter_map(|p| match &p.policy {
                PolicyRef::Documents(ids) => ids.iter().map(|id| (*id, length(cx, *id))).min_by_key(|(_, n)| *n),
                _ => None,
            })
            .collect();
        // Policies under different conditions may never exist together.
        let always = cx.project.resources[identity.resource]
            .branch
            .as_ref()
            .map(Guard::label);
        let mut certain = 0;
        let mut conditional: BTreeMap<&str, usize> = BTreeMap::new();
        for (id, n) in &documents {
            match cx.project.documents[*id].branch.as_ref().map(Guard::label) {
                Some(branch) if Some(branch) != always => *conditional.entry(branch).or_default() += n,
                _ => certain += n,
            }
        }
        let total = certain + conditional.into_values().max().unwrap_or(0);
        let most = quota(holder);
        if total > most
            && let Some((id, _)) = documents.last()
        {
            let d = &cx.project.documents[*id];
            out.push(
                cx.at_document(
                    ids::IDENTITY_POLICY_SIZE,
                    *id,
                    format!("the inline policies have {total} characters; the quota for {what} is {most}"),
                )
                .primary(d.statement_key.unwrap_or(d.span), "AWS rejects the policy")
                .secondary(identity.header, "inline policies of this identity")
                .other_evidence(format!("all inline policies of {what}")),
            );
        }
    }
}
