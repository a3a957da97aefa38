//! Access keys as resources: that they exist, whose they are, and where their secrets are exposed.

use std::collections::BTreeMap;

use crate::finding::{Cause, Finding, Severity};
use crate::iam::SourceFormat;
use crate::index::ResourceId;
use crate::model::{Resource, kinds};
use crate::project::Project;
use crate::rules::{Context, FindingSink, ids};
use crate::source::{FileId, Hole, HoleKind, Span};
use crate::value::{Value, ValueKind};

const ACCESS_KEY: &str = "AWS::IAM::AccessKey";

/// The users that access keys refer to: by their address, or by their name in a file.
struct AccessKeyUsers<'p> {
    project: &'p Project<'p>,
    by_name: BTreeMap<(FileId, String), ResourceId>,
}

impl<'p> AccessKeyUsers<'p> {
    fn new(project: &'p Project<'p>) -> Self {
        let users = project.resources.iter_enumerated().filter(|(_, r)| is_user(r));
        let by_name =
            users.filter_map(|(id, r)| Some(((r.header.file, r.get("UserName")?.as_str()?.into_owned()), id)));
        Self {
            project,
            by_name: by_name.collect(),
        }
    }

    /// The user that a key is for.
    fn user_of(&self, key: &Resource) -> Option<ResourceId> {
        let named = key.get("UserName")?;
        match named.as_hole().and_then(|h| h.target.as_ref()) {
            Some(target) => {
                let mut at = self.project.resources_at(target).iter().rev();
                at.find(|id| is_user(&self.project.resources[**id])).copied()
            }
            None => (self.by_name.get(&(key.header.file, named.as_str()?.into_owned()))).copied(),
        }
    }

    /// The resource that a key's finding is about: its user, or the key if the user is not found.
    fn subject_of(&self, key: ResourceId) -> ResourceId {
        self.user_of(&self.project.resources[key]).unwrap_or(key)
    }
}

fn is_user(r: &Resource) -> bool {
    &*r.kind == "AWS::IAM::User"
}

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let users = AccessKeyUsers::new(cx.project);
    for (id, r) in cx.project.resources.iter_enumerated() {
        match &*r.kind {
            ACCESS_KEY => {
                // Policies of the same user have the same cause: a program that uses an IAM user.
                if let Some(f) = key(cx, id, r) {
                    out.push(f.cause(Cause::Resource(users.subject_of(id))));
                }
            }
            kinds::OUTPUT => output(cx, id, r, &users, out),
            kinds::HTTP_REQUEST => http(cx, id, r, out),
            _ => {}
        }
    }
}

/// Not of a key of the root user, which has a rule of its own.
fn key(cx: &Context<'_>, id: ResourceId, r: &Resource) -> Option<Finding> {
    let user = r.get("UserName").and_then(Value::as_str);
    // Other linters for Terraform use this spelling. IaC cannot create an access key for the root user.
    let root = user.as_deref().is_some_and(|u| {
        matches!(
            u.trim().to_ascii_lowercase().as_str(),
            "root" | "<root_account>" | "<root>"
        )
    });
    if root {
        return None;
    }
    let made = match r.format {
        SourceFormat::Python => "created by this call",
        SourceFormat::Terraform => "created and stored in the state",
        _ => "created by the stack",
    };
    let f = cx
        .at_resource(ids::IAM_ACCESS_KEY_RESOURCE, id, "long-lived access key is created")
        .primary(r.header, made);
    // The secret is encrypted, also in the state.
    Some(if r.has("PgpKey") { f.severity(Severity::Low) } else { f })
}

/// `SecretAccessKey`, `secret`, `ses_smtp_password_v4`: attributes of an access key that are secret. With `pgp_key`, Terraform
/// stores only the encrypted secret.
fn secret_of_key(project: &Project<'_>, hole: &Hole) -> Option<ResourceId> {
    let is_readable = |id: &&ResourceId| {
        let r = &project.resources[**id];
        &*r.kind == ACCESS_KEY && r.get("PgpKey").is_none_or(Value::is_null)
    };
    let target = hole.target.as_ref()?;
    let attribute = target.attribute.to_ascii_lowercase();
    let secret = attribute == "secret" || attribute == "secretaccesskey" || attribute.starts_with("ses_smtp_password");
    let key = project.resources_at(target).iter().rev().find(is_readable);
    key.copied().filter(|_| secret)
}

/// The holes of a value and their spans.
pub(super) fn holes(value: &Value) -> Vec<(&Hole, Span)> {
    let mut out = Vec::new();
    let mut stack = vec![value];
    while let Some(v) = stack.pop() {
        match &v.kind {
            ValueKind::Str(t) => out.extend(t.holes().map(|h| (h, h.span))),
            ValueKind::Unknown(h) => out.push((h, h.span)),
            ValueKind::Seq(items) => stack.extend(items.iter()),
            ValueKind::Map(entries) => stack.extend(entries.iter().map(|e| &e.value)),
            ValueKind::OneOf(branches) => stack.extend(branches.iter().map(|b| &b.value)),
            ValueKind::Json(inner) => stack.push(inner),
            ValueKind::Null | ValueKind::Bool(_) | ValueKind::Num(_) => {}
        }
    }
    out.sort_by_key(|(_, span)| *span);
    out
}

fn output(cx: &Context<'_>, id: ResourceId, r: &Resource, users: &AccessKeyUsers<'_>, out: &mut FindingSink<'_>) {
    // Only its caller sees the outputs of a module.
    if r.address.in_called_module() {
        return;
    }
    let Some(value) = r.get("Value") else { return };
    let mut secrets = holes(value).into_iter();
    let Some((key, span)) = secrets.find_map(|(h, span)| Some((secret_of_key(cx.project, h)?, span))) else {
        return;
    };
    let f = cx
        .at_resource(
            ids::ACCESS_KEY_SECRET_IN_OUTPUT,
            id,
            "secret access key is exposed in an output",
        )
        .primary(span, "visible to anyone who can read outputs")
        .scope(r.header, "this output");
    let sensitive = r.get("Sensitive").and_then(Value::as_bool) == Some(true);
    // A sensitive output is only readable in the state, which contains the key anyway. The finding about the key
    // covers it.
    out.push(match sensitive {
        true => f.lower_severity().cause(Cause::Resource(users.subject_of(key))),
        false => f,
    });
}

/// A request over plain HTTP whose URL contains a value from Parameter Store or Secrets Manager.
fn http(cx: &Context<'_>, id: ResourceId, r: &Resource, out: &mut FindingSink<'_>) {
    let Some(url) = r.get("Url") else { return };
    let plain = url
        .as_text()
        .is_some_and(|t| t.prefix().to_ascii_lowercase().starts_with("http:"));
    let secret = holes(url).into_iter().find(|(h, _)| {
        h.kind == HoleKind::Dynamic || h.name.contains("ssm_parameter") || h.name.contains("secretsmanager_secret")
    });
    if let Some((_, span)) = secret.filter(|_| plain) {
        out.push(
            cx.at_resource(
                ids::SSM_SECRET_SENT_OVER_HTTP,
                id,
                "secret is sent over unencrypted HTTP",
            )
            .primary(span, "part of the URL")
            .scope(r.header, "this request"),
        );
    }
}
