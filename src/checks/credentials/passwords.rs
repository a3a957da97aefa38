//! Hard-coded passwords of databases, users, and brokers, and secret parameters that are exposed.

use std::collections::BTreeMap;

use super::keys::holes;
use super::slots::{span_of, strings};
use crate::finding::{Cause, Finding, Severity};
use crate::index::ResourceId;
use crate::model::{Resource, kinds, resource_types};
use crate::rules::{Context, FindingSink, RuleId, ids};
use crate::secrets::{self, is_placeholder};
use crate::source::{HoleKind, Span, Text};
use crate::value::{Value, ValueKind};

/// Secret properties whose names do not end in `password`, and the kind of their value.
const SECRETS: &[(&str, &str)] = &[
    ("authtoken", "token"),
    ("oauthtoken", "token"),
    ("secrettoken", "token"),
    ("hectoken", "token"),
    ("accesstoken", "token"),
    ("clientsecret", "client secret"),
];

const LOGIN_PROFILE: RuleId = ids::IAM_USER_LOGIN_PROFILE_LITERAL_PASSWORD;

/// Parameters by scope and name.
type Parameters<'p> = BTreeMap<(&'p str, String), &'p Resource>;

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let parameters: Parameters<'_> = cx
        .project
        .resources
        .iter()
        .filter(|r| &*r.kind == kinds::PARAMETER)
        .filter_map(|r| Some(((&*r.address.scope, name_of(r)?), r)))
        .collect();
    let mut homes: SecretSpans<'_> = parameters
        .values()
        .filter(|p| is_no_echo(p))
        .map(|p| (p.extent, *p))
        .collect();
    homes.sort_by_key(|(span, _)| *span);
    for (id, r) in cx.project.resources.iter_enumerated() {
        if r.kind.starts_with("AWS::") {
            properties(cx, id, r, &parameters, out);
        } else if &*r.kind == kinds::BOTO3_CALL {
            login_profile_call(cx, id, r, out);
        }
        leaks(cx, id, r, &parameters, &homes, out);
    }
}

/// Secret parameters and the spans of their text, in order.
type SecretSpans<'p> = Vec<(Span, &'p Resource)>;

fn enclosing_resource<'p>(homes: &SecretSpans<'p>, span: Span) -> Option<&'p Resource> {
    let after = homes.partition_point(|(s, _)| (s.file, s.start) <= (span.file, span.start));
    let (extent, parameter) = homes.get(after.checked_sub(1)?)?;
    extent.contains(span).then_some(*parameter)
}

fn name_of(parameter: &Resource) -> Option<String> {
    Some(parameter.get("Name")?.as_str()?.into_owned())
}

fn is_no_echo(parameter: &Resource) -> bool {
    ["NoEcho", "Sensitive"]
        .iter()
        .any(|k| parameter.get(k).and_then(Value::as_bool) == Some(true))
}

/// The password-like properties of a resource, at any depth.
fn properties(cx: &Context<'_>, id: ResourceId, r: &Resource, parameters: &Parameters<'_>, out: &mut FindingSink<'_>) {
    let mut stack = vec![(&r.props, false)];
    while let Some((value, login)) = stack.pop() {
        match &value.kind {
            ValueKind::Map(entries) => {
                for e in entries.iter() {
                    let key = e.key.display();
                    let login = login || key == "LoginProfile";
                    if let Some(what) = secret(&key) {
                        let holder = SecretProperty {
                            id,
                            rule: match login && &*r.kind == "AWS::IAM::User" {
                                true => LOGIN_PROFILE,
                                false => ids::PASSWORD_PROPERTY_PLAINTEXT,
                            },
                            what,
                            help: help(r, &key),
                        };
                        password(cx, r, &holder, &e.value, parameters, out);
                    } else {
                        stack.push((&e.value, login));
                    }
                }
            }
            ValueKind::Seq(items) => stack.extend(items.iter().map(|v| (v, login))),
            ValueKind::OneOf(branches) => stack.extend(branches.iter().map(|b| (&b.value, login))),
            _ => {}
        }
    }
}

/// A property that holds a secret.
struct SecretProperty {
    /// The resource that has the property.
    id: ResourceId,
    rule: RuleId,
    /// "password".
    what: &'static str,
    help: Option<String>,
}

/// The kind of secret that a property with this name holds.
fn secret(key: &str) -> Option<&'static str> {
    let lower = key.to_ascii_lowercase();
    if let Some((_, what)) = SECRETS.iter().find(|(name, _)| *name == lower) {
        return Some(what);
    }
    let named = lower.ends_with("password") || lower == "passwords";
    let switch = ["manage", "require", "generate"].iter().any(|p| lower.starts_with(p));
    (named && !switch).then_some("password")
}

/// The help for a property that the service can manage; the rule's own help is for all others.
fn help(r: &Resource, key: &str) -> Option<String> {
    let (property, switch) = resource_types::find(&r.kind)?.password?;
    if !property.eq_ignore_ascii_case(key) {
        return None;
    }
    let read = "or read it from Secrets Manager at deployment";
    Some(format!("Let the service manage the password (`{switch}`), {read}."))
}

fn password(
    cx: &Context<'_>,
    r: &Resource,
    holder: &SecretProperty,
    value: &Value,
    parameters: &Parameters<'_>,
    out: &mut FindingSink<'_>,
) {
    for (text, v) in value.items().iter().flat_map(strings) {
        if let Some(f) = literal(cx, holder, text, v) {
            out.push(f.scope(r.header, "in this resource"));
        }
    }
    // A parameter that anyone who can describe the stack can read.
    for (hole, span) in holes(value) {
        let key = (&*r.address.scope, hole.name.to_string());
        if hole.kind != HoleKind::Input {
            continue;
        }
        let Some(p) = parameters.get(&key).filter(|p| !is_no_echo(p)) else {
            continue;
        };
        if !matches!(
            p.format,
            crate::iam::SourceFormat::Cloudformation | crate::iam::SourceFormat::Sam
        ) || p
            .get("Type")
            .and_then(Value::as_str)
            .is_some_and(|t| t.starts_with("AWS::SSM::"))
        {
            continue;
        }
        let message = format!("{} from a parameter without `NoEcho`", holder.what);
        let help = holder.help.as_ref().map_or_else(
            || "Set `NoEcho: true` on the parameter.".to_owned(),
            |help| format!("Set `NoEcho: true` on the parameter. {help}"),
        );
        out.push(
            cx.at_resource(holder.rule, holder.id, message)
                .cause(Cause::Place(span))
                .severity(Severity::Medium)
                .help(help)
                .primary(span, "visible to anyone who can describe the stack")
                .secondary(p.header, "parameter without `NoEcho`"),
        );
    }
}

/// A password that is a literal instead of a reference.
fn literal(cx: &Context<'_>, holder: &SecretProperty, text: &Text, v: &Value) -> Option<Finding> {
    let known = text.known()?;
    if known.is_empty() || known.starts_with("{{resolve:") || known.contains("${") || is_setting(&known) {
        return None;
    }
    let message = if holder.rule == LOGIN_PROFILE {
        "hard-coded console password of an IAM user".to_owned()
    } else {
        format!("hard-coded {}", holder.what)
    };
    let span = span_of(text, v);
    let mut f = cx
        .at_resource(holder.rule, holder.id, message)
        .cause(Cause::Place(span))
        .primary(span, "hard-coded value")
        .label_provenance(&v.via);
    f.help.clone_from(&holder.help);
    f.secrets.push(span);
    if secrets::is_guessable(&known) {
        f = f.note("the password is one of the most commonly guessed");
    } else if is_placeholder(&known) {
        f = f
            .severity(Severity::Low)
            .note("the value does not look like a real secret");
    } else if let Some(evidence) =
        super::tests_only::evidence_for_property(cx, span).filter(|_| holder.rule != LOGIN_PROFILE)
    {
        f = f.severity(Severity::Low).note(evidence.text());
    }
    Some(f)
}

/// Booleans and numbers that a nested stack is passed (`pAllowUsersToChangePassword: "true"`), words for "no password", and
/// references to a stored password.
fn is_setting(value: &str) -> bool {
    let lower = value.trim().to_ascii_lowercase();
    matches!(
        &*lower,
        "true"
            | "false"
            | "yes"
            | "no"
            | "on"
            | "off"
            | "enabled"
            | "disabled"
            | "none"
            | "null"
            | "nil"
            | "n/a"
            | "na"
            | "-"
            | "unset"
            | "undefined"
            | "unused"
            | "not-set"
            | "not_set"
            | "notset"
    ) || (lower.len() <= 3 && lower.bytes().all(|b| b.is_ascii_digit()))
        || ["arn:", "/", "ssm:", "secretsmanager:"]
            .iter()
            .any(|p| lower.starts_with(p))
}

/// boto3: `create_login_profile(Password="…")`.
fn login_profile_call(cx: &Context<'_>, id: ResourceId, r: &Resource, out: &mut FindingSink<'_>) {
    let operation = r
        .get("Operation")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let operation: String = operation.chars().filter(|c| *c != '_').collect();
    if !matches!(operation.as_str(), "createloginprofile" | "updateloginprofile") {
        return;
    }
    let holder = SecretProperty {
        id,
        rule: LOGIN_PROFILE,
        what: "password",
        help: None,
    };
    for (text, v) in r.get("Password").into_iter().flat_map(strings) {
        if let Some(f) = literal(cx, &holder, text, v) {
            out.push(f);
        }
    }
}

/// Secret parameters that are exposed in outputs, metadata, or user data.
fn leaks(
    cx: &Context<'_>,
    id: ResourceId,
    r: &Resource,
    parameters: &Parameters<'_>,
    homes: &SecretSpans<'_>,
    out: &mut FindingSink<'_>,
) {
    let mut look = |value: &Value, place: &str| {
        for (hole, span) in holes(value) {
            let key = (&*r.address.scope, hole.name.to_string());
            if hole.kind == HoleKind::Input
                && let Some(p) = parameters.get(&key).filter(|p| is_no_echo(p))
            {
                leak(cx, id, span, p, place, out);
            }
        }
        // A default was filled in: the span of the text is in the parameter.
        for (text, v) in strings(value) {
            let Some(step) = &v.via else { continue };
            let secret = enclosing_resource(homes, span_of(text, v)).filter(|p| p.address.scope == r.address.scope);
            if let Some(p) = secret {
                leak(cx, id, step.span, p, place, out);
            }
        }
    };
    match &*r.kind {
        kinds::OUTPUT => {
            if let Some(v) = r.get("Value").filter(|_| !is_no_echo(r)) {
                look(v, "an output");
            }
        }
        kind => {
            let path = resource_types::find(kind).and_then(|t| t.user_data.first());
            if let Some(v) = path.and_then(|path| r.path(path)) {
                look(v, "user data");
            }
        }
    }
    if let Some(metadata) = &r.metadata {
        look(metadata, "metadata");
    }
}

fn leak(cx: &Context<'_>, id: ResourceId, span: Span, parameter: &Resource, place: &str, out: &mut FindingSink<'_>) {
    out.push(
        cx.at_resource(
            ids::NOECHO_PARAMETER_LEAKED,
            id,
            format!("secret parameter is exposed in {place}"),
        )
        .cause(Cause::Place(span))
        .primary(span, "exposed here")
        .secondary(parameter.header, "declared secret here")
        .other_evidence(&*parameter.address.name),
    );
}
