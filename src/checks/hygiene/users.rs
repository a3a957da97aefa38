//! Policies put on a user rather than on a role or a group.
//! IAM User Guide, "Security best practices in IAM".

use crate::model::{Resource, kinds};
use crate::rules::{Context, Out};
use crate::source::Span;
use crate::value::{Kind, Value};

pub(super) fn check(cx: &Context<'_>, out: &mut Out<'_>) {
    for (id, r) in (0u32..).zip(&cx.project.resources) {
        if let Some((span, what)) = inline(r).filter(|_| !withdraws(cx, id)) {
            let message = format!("`{}` puts an inline policy on a user", r.address.name);
            out.push(
                cx.at_resource("inline-policy-on-user", id, message)
                    .primary(span, what)
                    .scope(r.header, ""),
            );
        }
        if let Some((span, what)) = attached(r) {
            let message = format!("`{}` attaches a managed policy to a user", r.address.name);
            out.push(
                cx.at_resource("policy-attached-to-user", id, message)
                    .primary(span, what)
                    .scope(r.header, ""),
            );
        }
    }
}

/// All that the resource's policies say is what may not be done.
fn withdraws(cx: &Context<'_>, resource: u32) -> bool {
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
        "AWS::IAM::User" => filled(r, &["Policies"]).map(|s| (s, "policies written into the user")),
        "AWS::IAM::UserPolicy" => Some((filled(r, &["UserName"]).unwrap_or(r.header), "of this user")),
        "AWS::IAM::Policy" => filled(r, &["Users"]).map(|s| (s, "put on these users")),
        _ => None,
    }
}

fn attached(r: &Resource) -> Option<(Span, &'static str)> {
    match &*r.kind {
        "AWS::IAM::User" => filled(r, &["ManagedPolicyArns"]).map(|s| (s, "attached to the user")),
        "AWS::IAM::ManagedPolicy" => filled(r, &["Users"]).map(|s| (s, "attached to these users")),
        // The one user of an attachment is there, whoever it is.
        kind if kind == kinds::ATTACHMENT => {
            let one = r.get("User").filter(|v| !v.is_null()).map(|v| v.span);
            one.or_else(|| filled(r, &["Users"])).map(|s| (s, "attached to a user"))
        }
        _ => None,
    }
}

/// The key of the first of `props` that is there and not empty.
fn filled(r: &Resource, props: &[&str]) -> Option<Span> {
    props.iter().find_map(|p| {
        let e = r.props.entry(p)?;
        has_content(&e.value).then_some(e.value.span)
    })
}

fn has_content(value: &Value) -> bool {
    match &value.kind {
        Kind::Null => false,
        Kind::Seq(items) => !items.is_empty(),
        // Whether a whole list comes from elsewhere with something in it is not known.
        Kind::Unknown(hole) => hole.target.is_some(),
        Kind::OneOf(branches) => branches.iter().any(|b| has_content(&b.value)),
        _ => true,
    }
}
