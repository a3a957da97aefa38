//! AWS managed policies where they are attached or looked up to be used.

use crate::finding::Finding;
use crate::iam::catalogue;
use crate::iam::managed::aws_managed_name;
use crate::model::{Resource, kinds};
use crate::rules::{Context, Out};
use crate::source::Span;
use crate::value::{Kind, Value};

/// Policies that let their holder become an administrator, or nearly so, and what to say of them.
/// AWS Managed Policy Reference.
const ELEVATED: &[(&str, &str)] = &[
    ("PowerUserAccess", "everything but IAM and Organizations"),
    ("IAMFullAccess", "all of IAM: its holder can become administrator"),
    ("job-function/SystemAdministrator", "administers most services"),
];

/// Whether a policy, by its name with path, is one of those.
pub(super) fn is_elevated(name: &str) -> bool {
    ELEVATED.iter().any(|(n, _)| *n == name)
}

pub(super) fn check(cx: &Context<'_>, out: &mut Out<'_>) {
    for (id, r) in (0u32..).zip(&cx.project.resources) {
        references(r, &mut |value, span| {
            let lookup = &*r.kind == kinds::POLICY_LOOKUP;
            let Some(name) = value
                .as_text()
                .and_then(aws_managed_name)
                .or_else(|| looked_up(&value.as_str().filter(|_| lookup)?))
            else {
                return;
            };
            if let Some(f) = judge(cx, id, &name, span) {
                out.push(f);
            }
        });
    }
}

/// The policy that a bare name finds, with its path.
fn looked_up(name: &str) -> Option<String> {
    let policy = catalogue().managed_policy(name).filter(|p| p.name == name)?;
    let (_, full) = policy.arn.split_once(":policy/")?;
    Some(full.to_owned())
}

fn judge(cx: &Context<'_>, id: u32, name: &str, span: Span) -> Option<Finding> {
    let holder = &cx.project.resources[id as usize];
    let f = if name == "AdministratorAccess" {
        cx.at_resource(
            "managed-administrator-access",
            id,
            "the AWS managed policy `AdministratorAccess` is attached",
        )
        .primary(span, "every action on every resource")
    } else {
        let (_, what) = ELEVATED.iter().find(|(n, _)| *n == name)?;
        let short = name.rsplit('/').next().unwrap_or(name);
        cx.at_resource(
            "managed-elevated-policy",
            id,
            format!("the AWS managed policy `{short}` is attached"),
        )
        .primary(span, *what)
    };
    let f = if holder.header.touches(span) {
        f
    } else {
        f.scope(holder.header, "")
    };
    Some(f.other(name.to_lowercase()))
}

/// Every place of a resource that attaches a managed policy, or looks one up.
pub(in crate::checks) fn references<'v>(r: &'v Resource, f: &mut dyn FnMut(&'v Value, Span)) {
    let props: &[&str] = match &*r.kind {
        "AWS::IAM::Role" | "AWS::IAM::User" | "AWS::IAM::Group" => &["ManagedPolicyArns"],
        "AWS::SSO::PermissionSet" => &["ManagedPolicies"],
        kind if kind == kinds::ATTACHMENT => &["PolicyArn"],
        kind if kind == kinds::POLICY_LOOKUP => &["Arn", "Name"],
        _ => return,
    };
    for prop in props {
        if let Some(value) = r.get(prop) {
            value.each(&mut |v| {
                if matches!(v.kind, Kind::Str(_) | Kind::Unknown(_)) {
                    f(v, v.span);
                }
            });
        }
    }
}
