//! Properties that name a role: whether the value is a role, in the form that the service accepts.
//! CloudFormation User Guide, "AWS resource and property types reference"; CodeBuild, "Project".

use crate::iam::SourceFormat;
use crate::iam::arn::{Arn, ArnField};
use crate::index::ResourceId;
use crate::model::Resource;
use crate::model::resource_types::{self, RoleProperty};
use crate::rules::{Context, FindingSink, ids};
use crate::source::{Hole, HoleKind};
use crate::value::{Value, ValueKind};

/// Maximum depth at which properties are searched.
const MAX_DEPTH: usize = 8;

/// Properties with user-defined keys, which are not searched.
const THEIRS: [&str; 6] = ["Environment", "Metadata", "Parameters", "Tags", "Variables", "Value"];

/// Resource types of IAM other than roles, as in ARNs.
const NO_ROLES: [&str; 6] = [
    "group",
    "instance-profile",
    "oidc-provider",
    "policy",
    "saml-provider",
    "user",
];

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for (id, r) in cx.project.resources.iter_enumerated() {
        if r.kind.starts_with("AWS::") {
            let mut found = Vec::new();
            walk(&r.props, 0, &mut found);
            for (name, value) in found {
                role(cx, out, (id, r), (name, value));
            }
        }
        with_path(cx, out, (id, r));
    }
}

/// Collects properties whose names say that they contain a role ARN.
fn walk<'v>(value: &'v Value, depth: usize, found: &mut Vec<(&'v str, &'v Value)>) {
    if depth > MAX_DEPTH {
        return;
    }
    match &value.kind {
        ValueKind::Map(entries) => {
            for e in entries.iter() {
                let [crate::source::Piece::Lit(name)] = e.key.pieces() else {
                    continue;
                };
                let name: &str = &name.text;
                if name == "Role" || name.to_ascii_lowercase().ends_with("rolearn") {
                    found.push((name, &e.value));
                } else if !THEIRS.contains(&name) {
                    walk(&e.value, depth + 1, found);
                }
            }
        }
        ValueKind::Seq(items) => items.iter().for_each(|v| walk(v, depth + 1, found)),
        ValueKind::OneOf(branches) => branches.iter().for_each(|b| walk(&b.value, depth + 1, found)),
        _ => {}
    }
}

fn role(cx: &Context<'_>, out: &mut FindingSink<'_>, (id, r): (ResourceId, &Resource), (name, value): (&str, &Value)) {
    let what = match value.as_hole() {
        Some(hole) => referenced_resource(cx, r, name, hole),
        None => value.as_text().and_then(|t| resource_phrase(&Arn::parse(t)?)),
    };
    let Some(what) = what else { return };
    out.push(
        cx.at_resource(
            ids::ROLE_ARN_PATTERN,
            id,
            format!("`{name}` must be the ARN of a role, not {what}"),
        )
        .primary(value.span, format!("this is {what}"))
        .scope(r.header, "")
        .other_evidence(name.to_lowercase()),
    );
}

/// What an ARN identifies, if not a role.
fn resource_phrase(arn: &Arn<'_>) -> Option<String> {
    let service = arn.service()?;
    if service != "iam" {
        return (service != "sts" && matches!(arn.account(), ArnField::Literal(_) | ArnField::Hole(_)))
            .then(|| format!("an ARN of `{service}`"));
    }
    let kind = arn.resource_type();
    NO_ROLES.contains(&&*kind).then(|| kind_phrase(&kind))
}

fn kind_phrase(kind: &str) -> String {
    let article = if kind.starts_with(['i', 'o']) { "an" } else { "a" };
    format!("{article} {}", kind.replace('-', " "))
}

fn referenced_resource(cx: &Context<'_>, r: &Resource, name: &str, hole: &Hole) -> Option<String> {
    let target = hole.target.as_ref().filter(|_| hole.kind == HoleKind::Resource)?;
    let (_, of) = cx.project.resource_at(target)?;
    let attribute = target.attribute.to_ascii_lowercase();
    match &*of.kind {
        "AWS::IAM::InstanceProfile" => Some(kind_phrase("instance-profile")),
        "AWS::IAM::User" => Some(kind_phrase("user")),
        "AWS::IAM::Group" => Some(kind_phrase("group")),
        "AWS::IAM::ManagedPolicy" => Some(kind_phrase("policy")),
        "AWS::IAM::Role" => {
            let named = match r.format {
                SourceFormat::Terraform => matches!(attribute.as_str(), "name" | "id"),
                SourceFormat::Cloudformation | SourceFormat::Sam => attribute.is_empty(),
                _ => false,
            };
            let arn_only = |p: &RoleProperty| p.arn_only && p.path.last() == Some(&name);
            (named && resource_types::roles(&r.kind).iter().any(arn_only)).then(|| "the role name".to_owned())
        }
        _ => None,
    }
}

/// CodeBuild finds a role by name only if its path is `/`.
fn with_path(cx: &Context<'_>, out: &mut FindingSink<'_>, (id, r): (ResourceId, &Resource)) {
    if &*r.kind != "AWS::CodeBuild::Project" || !r.format.is_cloudformation() {
        return;
    }
    let Some(value) = r.get("ServiceRole") else { return };
    let Some(target) = value
        .as_hole()
        .and_then(|h| h.target.as_ref())
        .filter(|t| t.attribute.is_empty())
    else {
        return;
    };
    let role = cx.project.resource_at(target);
    let role = role.filter(|(_, of)| &*of.kind == "AWS::IAM::Role");
    let Some(path) = role.and_then(|(_, of)| of.get("Path")) else {
        return;
    };
    if path.as_str().is_some_and(|p| p != "/") {
        out.push(
            cx.at_resource(
                ids::REF_IAM_WITH_PATH,
                id,
                format!("`Ref` returns the name of `{}` without its path", target.address),
            )
            .primary(value.span, "CodeBuild looks for the role at the path `/`")
            .secondary(path.span, "the path of the role")
            .scope(r.header, ""),
        );
    }
}
