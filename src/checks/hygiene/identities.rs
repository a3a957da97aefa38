//! How users, groups, roles and permission sets are kept.
//! IAM User Guide, "Security best practices in IAM"; CIS AWS Foundations Benchmark.

use std::collections::BTreeMap;

use crate::finding::{Finding, Severity};
use crate::iam::catalogue::{ManagedPolicy, catalogue};
use crate::iam::managed::aws_managed_name;
use crate::iam::principal::{PrincipalOrigin, origin_of};
use crate::iam::{DocumentOrigin, PolicyKind, SourceFormat};
use crate::model::kinds;
use crate::project::{Boundary, DocumentId, Identity, IdentityKind, PolicyRef, PolicyUse, ResourceId, StatementRef};
use crate::rules::{Context, FindingSink, RuleId, ids};
use crate::source::Span;
use crate::value::Value;
use crate::value::guard::Guard;

use super::managed::{boundary, references};

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let uses = |holder| move |used: &PolicyUse| (used.span, holder);
    let holders: BTreeMap<Span, &Identity> = (cx.project.identities.iter())
        .flat_map(|holder| holder.policies.iter().map(uses(holder)))
        .collect();
    for (id, r) in cx.project.deployed() {
        let mut push = |rule: RuleId, message: String, span: Span, label: &str| {
            out.push(cx.at_part(rule, id, message, (span, label)));
        };
        references(r, &mut |value, span| match value.as_text().and_then(aws_managed_name) {
            Some(name) => check_policy_exists(&name, span, &mut push),
            // A look-up takes names.
            None if &*r.kind != kinds::POLICY_LOOKUP => bare_name(value, span, &mut push),
            None => {}
        });
        // A boundary grants nothing, however broad it is.
        boundary(r, &mut |value, span| match value.as_text().and_then(aws_managed_name) {
            Some(name) => check_policy_exists(&name, span, &mut push),
            None => bare_name(value, span, &mut push),
        });
        references(r, &mut |value, span| {
            let holder = holders.get(&span).copied();
            let Some(f) =
                (value.as_text().and_then(aws_managed_name)).and_then(|n| breadth_finding(cx, id, &n, span, holder))
            else {
                return;
            };
            out.push(f.in_resource(r.header));
        });
    }
    keys(cx, out);
    inline(cx, out);
    boundaries(cx, out);
    check_shared_roles(cx, out);
}

type PushIdentity<'a> = &'a mut dyn FnMut(RuleId, String, Span, &str);

/// Managed policies that AWS does not have, or has given up.
fn check_policy_exists(name: &str, span: Span, push: PushIdentity<'_>) {
    let short = name.rsplit('/').next().unwrap_or(name);
    let path = |arn: &'static str| arn.split(":policy/").nth(1).unwrap_or(arn);
    match managed_policy_at(name) {
        Some(p) if p.deprecated => {
            let label = p.replacement.map_or_else(
                || "no longer maintained by AWS".to_owned(),
                |r| format!("use `{}`", r.rsplit('/').next().unwrap_or(r)),
            );
            push(
                ids::MANAGED_DEPRECATED_POLICY,
                format!("the AWS managed policy `{short}` is deprecated"),
                span,
                &label,
            );
        }
        Some(_) => {}
        None => {
            let label = match catalogue().managed_policy(short) {
                Some(p) if p.arn.is_empty() => format!("did you mean `{}`?", p.name),
                Some(p) => format!("did you mean `{}`?", path(p.arn)),
                None => "cannot be attached".to_owned(),
            };
            push(
                ids::MANAGED_UNKNOWN_POLICY,
                format!("AWS has no managed policy `{name}`"),
                span,
                &label,
            );
        }
    }
}

/// The managed policy of AWS with this path and name. Names are looked up without their path, which must be right all the
/// same.
fn managed_policy_at(name: &str) -> Option<ManagedPolicy> {
    let path = |arn: &'static str| arn.split(":policy/").nth(1).unwrap_or(arn);
    catalogue()
        .managed_policy(name)
        .filter(|p| p.deprecated || p.arn.is_empty() || path(p.arn) == name)
}

/// What to say of a managed policy that grants more than a workload needs, on this identity if it is known.
fn breadth_finding(
    cx: &Context<'_>,
    id: ResourceId,
    name: &str,
    span: Span,
    holder: Option<&Identity>,
) -> Option<Finding> {
    let elevated = name == "AdministratorAccess" || super::managed::is_elevated(name);
    managed_policy_at(name).filter(|p| !p.deprecated && !elevated)?;
    let broad = super::managed::broad_grant(name)?;
    let short = name.rsplit('/').next().unwrap_or(name);
    let services = holder.filter(|_| name.starts_with("service-role/"));
    let services = services.map_or_else(Vec::new, |holder| matching_services(cx, holder, short));
    if !services.is_empty() && services.iter().all(|s| broad.is_own_of(s)) {
        return None;
    }
    let r = &cx.project.resources[id];
    let f = cx.at_resource(
        ids::MANAGED_BROAD_POLICY,
        id,
        format!("`{short}` grants {}", broad.text()),
    );
    let f = f
        .under_guard(r.branch.as_ref())
        .primary(span, "broader than a workload needs");
    Some(match services.is_empty() {
        true => f,
        false => f.severity(Severity::Low),
    })
}

/// The services that alone may assume a role, where the policy of AWS for service roles is made for each of them:
/// `AWSGlueServiceRole` and `glue.amazonaws.com`. AWS Managed Policy Reference.
fn matching_services(cx: &Context<'_>, holder: &Identity, policy: &str) -> Vec<String> {
    let policy = policy.to_ascii_lowercase();
    let mut out = Vec::new();
    for s in holder.trust.iter().flat_map(|id| &cx.project.documents[*id].statements) {
        let Some(clause) = s.principal.as_ref().filter(|c| !c.negated && s.allows()) else {
            if s.denies() {
                continue;
            }
            return Vec::new();
        };
        for item in &clause.items {
            match origin_of(item, cx.project.own, None) {
                PrincipalOrigin::Service { name } if is_named_for_service(&policy, &name) => out.push(name),
                _ => return Vec::new(),
            }
        }
    }
    out
}

/// Whether the name of a policy, in lower case, says the service: `AWSGlueServiceRole`, `AmazonRDSEnhancedMonitoringRole`.
fn is_named_for_service(policy: &str, service: &str) -> bool {
    let host = service.trim_end_matches(".cn").trim_end_matches(".amazonaws.com");
    let mut words = host.split(['.', '-']);
    words.any(|word| word.len() > 1 && policy.contains(word))
}

/// A name where IAM wants an ARN. SAM turns the name of an AWS managed policy into its ARN, and nothing else.
/// SAM Developer Guide, "AWS SAM policy templates".
fn bare_name(value: &Value, span: Span, push: PushIdentity<'_>) {
    // What is filled in from elsewhere may be a word that stands for nothing.
    let Some(name) = value.as_str().filter(|_| value.via.is_none()) else {
        return;
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || "+=,.@-/".contains(c);
    let like_aws = name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().any(|b| b.is_ascii_lowercase());
    if name.len() < 4 || !like_aws || !name.chars().all(is_name) {
        return;
    }
    let label = match (catalogue().sam_template(&name), catalogue().managed_policy(&name)) {
        (Some(_), _) => "SAM policy template: write it as a map with its parameters",
        (None, Some(policy)) if policy.name == &*name => "write the ARN of this policy",
        _ => "cannot be attached",
    };
    push(
        ids::MANAGED_UNKNOWN_POLICY,
        format!("`{name}` is not the ARN of a policy"),
        span,
        label,
    );
}

/// The keys of one user: where each names the user, and under which condition it exists.
type UserKeys<'p> = Vec<(Span, Option<&'p Guard>)>;

/// More than one access key for one user.
fn keys(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    /// Of the keys of one user, so many are compared with the next one.
    const MOST: usize = 8;
    let mut seen: BTreeMap<(String, &str, String), UserKeys<'_>> = BTreeMap::new();
    for (id, r) in cx.project.resources.iter_enumerated() {
        if &*r.kind != "AWS::IAM::AccessKey" {
            continue;
        }
        let Some(user) = r.get("UserName") else { continue };
        let name = match user.as_hole() {
            Some(hole) => hole.target.as_ref().map(|t| t.address.to_string()),
            None => user.as_str().map(|s| s.into_owned()),
        };
        let Some(name) = name else { continue };
        // Each function of a program is a run of its own, with a user of its own.
        let function = match r.format {
            SourceFormat::Python => r.address.name.rsplit_once('>').map_or("", |(function, _)| function),
            _ => "",
        };
        let slot = (r.address.scope.to_string(), function, name.clone());
        let before = seen.entry(slot).or_default();
        let guard = r.branch.as_ref();
        // Of two keys under opposite conditions there is one.
        let both = |other: Option<&Guard>| !matches!((guard, other), (Some(a), Some(b)) if a.excludes(b));
        if let Some((first, _)) = before.iter().find(|(_, other)| both(*other)) {
            out.push(
                cx.at_resource(ids::IAM_USER_MANY_KEYS, id, format!("second access key for `{name}`"))
                    .primary(user.span, "same user")
                    .secondary(*first, "the first key"),
            );
        }
        if before.len() < MOST {
            before.push((user.span, guard));
        }
    }
}

/// Inline policies of roles and groups, for those who want none.
fn inline(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for identity in &cx.project.identities {
        if !matches!(identity.kind, IdentityKind::Role | IdentityKind::Group) {
            continue;
        }
        // What SAM writes for a template of its own stands in no other way.
        let written = |policy: &PolicyRef| match policy {
            PolicyRef::Documents(ids) => {
                let mut documents = ids.iter().map(|id| &cx.project.documents[*id]);
                ids.is_empty() || documents.any(|d| d.origin == DocumentOrigin::Written)
            }
            _ => true,
        };
        for policy in identity.policies.iter().filter(|p| p.inline && written(&p.policy)) {
            out.push(
                cx.at_resource(
                    ids::INLINE_POLICY_ON_GROUP_OR_ROLE,
                    policy.by.unwrap_or(identity.resource),
                    format!("inline policy on a {}", identity.kind.name()),
                )
                .primary(policy.span, "cannot be reused or versioned"),
            );
        }
    }
}

/// Boundaries that bound nothing.
fn boundaries(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let message = "the permissions boundary allows everything";
    for (id, identity) in cx.project.identities.iter_enumerated() {
        let Some(boundary) = &identity.boundary else { continue };
        if !cx
            .effects
            .of(id)
            .boundary
            .as_ref()
            .is_some_and(Boundary::allows_everything)
        {
            continue;
        }
        let written = match &boundary.policy {
            PolicyRef::Documents(ids) => ids.iter().find_map(|id| widest_statement(cx, *id)),
            _ => None,
        };
        out.push(match written {
            Some((s, span)) => cx
                .at_statement(ids::PERMISSIONS_BOUNDARY_TOO_BROAD, s, message)
                .primary(span, "every action on every resource")
                .secondary(boundary.span, "the boundary of this identity"),
            None => cx
                .at_resource(ids::PERMISSIONS_BOUNDARY_TOO_BROAD, identity.resource, message)
                .primary(boundary.span, "restricts nothing"),
        });
    }
}

/// The statement of a document that is kept as a boundary which allows most, and its actions.
fn widest_statement<'a>(cx: &Context<'a>, id: DocumentId) -> Option<(StatementRef<'a>, Span)> {
    let d = &cx.project.documents[id];
    let allowed = cx.project.granted(id).allowed.iter();
    let most = allowed
        .filter(|_| d.kind == PolicyKind::Boundary)
        .max_by_key(|a| a.actions.len())?;
    let s = cx.project.statement(id, most.statement);
    Some((s, s.action.as_ref()?.span))
}

/// Several functions on one role of the repository.
fn check_shared_roles(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let mut by_role: BTreeMap<(String, String), Vec<(ResourceId, Span)>> = BTreeMap::new();
    for (id, r) in cx.project.resources.iter_enumerated() {
        if &*r.kind != "AWS::Lambda::Function" {
            continue;
        }
        if let Some(role) = r.get("Role")
            && let Some(target) = role.as_hole().and_then(|h| h.target.as_ref())
        {
            by_role
                .entry((target.scope.to_string(), target.address.to_string()))
                .or_default()
                .push((id, role.span));
        }
    }
    for ((_, address), functions) in by_role {
        let mut places: Vec<Span> = functions.iter().map(|(_, s)| *s).collect();
        places.sort_unstable();
        places.dedup();
        if places.len() < 2 {
            continue;
        }
        let (id, span) = functions[0];
        let mut f = cx
            .at_resource(
                ids::LAMBDA_SHARED_ROLE,
                id,
                format!("{} functions share the role `{address}`", places.len()),
            )
            .primary(span, "each function gets the permissions of all")
            .other_evidence(address);
        for other in places.iter().filter(|s| **s != span).take(4) {
            f = f.secondary(*other, "the same role");
        }
        out.push(f);
    }
}
