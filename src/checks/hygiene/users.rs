//! Policies put on a user rather than on a role or a group.
//! IAM User Guide, "Security best practices in IAM".

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::finding::Cause;
use crate::iam::SourceFormat;
use crate::index::ResourceId;
use crate::model::{Resource, kinds};
use crate::project::IdentityKind;
use crate::rules::{Context, FindingSink, RuleId, ids};
use crate::source::{FileId, Span};
use crate::value::{Value, ValueKind};

const INLINE: RuleId = ids::INLINE_POLICY_ON_USER;
const ATTACHED: RuleId = ids::POLICY_ATTACHED_TO_USER;

/// Whom a policy is put on.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum AttachmentTarget {
    /// A user of the repository, by its resource.
    Known(ResourceId),
    /// What a file calls the user.
    Named(FileId, String),
    /// No one that another resource could name, too.
    Alone(ResourceId),
}

/// A resource that puts a policy on a user, and where it says so.
struct UserPolicy {
    resource: ResourceId,
    span: Span,
    label: &'static str,
}

/// The policies of one user are one mistake, and so is that the user is in no group.
pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let known = index_users(cx);
    let mut found: BTreeMap<AttachmentTarget, Vec<(RuleId, UserPolicy)>> = BTreeMap::new();
    for (id, r) in cx.project.resources.iter_enumerated() {
        let inline = inline(r).filter(|_| !only_denies(cx, id)).map(|at| (INLINE, at));
        for (rule, (span, label)) in inline.into_iter().chain(attachment(r).map(|at| (ATTACHED, at))) {
            let put = UserPolicy {
                resource: id,
                span,
                label,
            };
            found
                .entry(attachment_target(r, id, &known))
                .or_default()
                .push((rule, put));
        }
    }
    for (whose, all) in &found {
        let Some((_, any)) = all.first() else { continue };
        let cause = match whose {
            AttachmentTarget::Known(user) => *user,
            _ => any.resource,
        };
        for rule in [INLINE, ATTACHED] {
            let puts: Vec<&UserPolicy> = all.iter().filter(|(r, _)| *r == rule).map(|(_, put)| put).collect();
            let Some((first, others)) = puts.split_first() else {
                continue;
            };
            let resource = |put: &UserPolicy| &cx.project.resources[put.resource];
            let name = name(resource(first));
            let message = match (rule, others.len()) {
                (INLINE, 0) => format!("`{name}` is an inline policy on a user"),
                (INLINE, more) => format!("`{name}` and {more} more are inline policies on a user"),
                (_, 0) => format!("`{name}` is attached to a user"),
                (_, more) => format!("`{name}` and {more} more are attached to a user"),
            };
            let f = cx
                .at_resource(rule, first.resource, message)
                .cause(Cause::Resource(cause))
                .primary(first.span, first.label)
                .scope(resource(first).header, "");
            out.push(others.iter().fold(f, |f, put| f.secondary(put.span, "and this one")));
        }
    }
}

/// The resources of users, by what names them: a resource that puts a policy on one, a name in a file.
#[derive(Default)]
struct UsersByReference {
    by_policy: BTreeMap<ResourceId, ResourceId>,
    by_name: BTreeMap<(FileId, String), ResourceId>,
}

fn index_users(cx: &Context<'_>) -> UsersByReference {
    let users = cx.project.identities.iter().filter(|i| i.kind == IdentityKind::User);
    let mut known = UsersByReference::default();
    for user in users {
        for by in user.policies.iter().filter_map(|p| p.by) {
            known.by_policy.entry(by).or_insert(user.resource);
        }
        let r = &cx.project.resources[user.resource];
        if let Some(name) = r.get("UserName").and_then(|v| user_named(v, r.format)) {
            known.by_name.entry((r.header.file, name)).or_insert(user.resource);
        }
    }
    known
}

fn attachment_target(r: &Resource, id: ResourceId, known: &UsersByReference) -> AttachmentTarget {
    if &*r.kind == "AWS::IAM::User" {
        return AttachmentTarget::Known(id);
    }
    if let Some(user) = known.by_policy.get(&id) {
        return AttachmentTarget::Known(*user);
    }
    let value = ["UserName", "User", "Users"].iter().find_map(|p| r.get(p));
    let Some(name) = value.and_then(|v| user_named(v, r.format)) else {
        return AttachmentTarget::Alone(id);
    };
    let key = (r.header.file, name);
    match known.by_name.get(&key) {
        Some(user) => AttachmentTarget::Known(*user),
        None => AttachmentTarget::Named(key.0, key.1),
    }
}

/// The one user that a value names. The same variable is the same user in the lines of a script, and another one in each turn of
/// a loop of Terraform.
fn user_named(value: &Value, format: SourceFormat) -> Option<String> {
    let [one] = value.items() else { return None };
    match &one.kind {
        ValueKind::Unknown(hole) => (format == SourceFormat::Python).then(|| format!("${{{}}}", hole.name)),
        _ => {
            let text = one.as_text()?;
            (text.is_known() || format == SourceFormat::Python).then(|| text.display())
        }
    }
}

/// The policy's own name; else the resource's, without the number of a call.
fn name(r: &Resource) -> Cow<'_, str> {
    let given = |p: &&str| r.get(p).and_then(Value::as_str).filter(|name| !name.is_empty());
    let named = ["PolicyName", "ManagedPolicyName", "PolicyArn"].iter().find_map(given);
    let own = || r.address.name.split('#').next().unwrap_or_default().into();
    match named {
        Some(name) => name.rsplit('/').next().unwrap_or_default().to_owned().into(),
        None if r.format == SourceFormat::Python => Cow::Borrowed(&*r.type_name),
        None => own(),
    }
}

/// All that the resource's policies say is what may not be done.
fn only_denies(cx: &Context<'_>, resource: ResourceId) -> bool {
    let mut statements = cx
        .project
        .documents
        .iter()
        .filter(|d| d.resource == Some(resource))
        .flat_map(|d| &d.statements)
        .peekable();
    statements.peek().is_some() && statements.all(|s| s.denies() && !s.open)
}

/// The token that makes an inline policy the user's.
fn inline(r: &Resource) -> Option<(Span, &'static str)> {
    match &*r.kind {
        "AWS::IAM::User" => first_nonempty(r, &["Policies"]).map(|s| (s, "inline policies of the user")),
        "AWS::IAM::UserPolicy" => Some((
            first_nonempty(r, &["UserName"]).unwrap_or(r.header),
            "attached to this user",
        )),
        "AWS::IAM::Policy" => first_nonempty(r, &["Users"]).map(|s| (s, "attached to these users")),
        _ => None,
    }
}

fn attachment(r: &Resource) -> Option<(Span, &'static str)> {
    match &*r.kind {
        "AWS::IAM::User" => first_nonempty(r, &["ManagedPolicyArns"]).map(|s| (s, "attached to the user")),
        "AWS::IAM::ManagedPolicy" => first_nonempty(r, &["Users"]).map(|s| (s, "attached to these users")),
        // The one user of an attachment is there, no matter which.
        kind if kind == kinds::ATTACHMENT => {
            let one = r.get("User").filter(|v| !v.is_null()).map(|v| v.span);
            one.or_else(|| first_nonempty(r, &["Users"]))
                .map(|s| (s, "attached to a user"))
        }
        _ => None,
    }
}

/// The key of the first of `props` that is there and not empty.
fn first_nonempty(r: &Resource, props: &[&str]) -> Option<Span> {
    props.iter().find_map(|p| {
        let e = r.props.entry(p)?;
        is_nonempty(&e.value).then_some(e.value.span)
    })
}

fn is_nonempty(value: &Value) -> bool {
    match &value.kind {
        ValueKind::Null => false,
        ValueKind::Seq(items) => !items.is_empty(),
        // Whether a whole list comes from elsewhere with something in it is not known.
        ValueKind::Unknown(hole) => hole.target.is_some(),
        ValueKind::OneOf(branches) => branches.iter().any(|b| is_nonempty(&b.value)),
        _ => true,
    }
}
