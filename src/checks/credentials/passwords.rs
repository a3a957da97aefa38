//! Passwords of databases, users and brokers as literals, and secret parameters that get out.

use std::collections::BTreeMap;

use super::keys::holes;
use super::place::{span_of, strings};
use crate::finding::{Cause, Finding, Severity};
use crate::model::{Resource, kinds};
use crate::rules::{Context, Out};
use crate::secrets::{self, is_placeholder};
use crate::source::{HoleKind, Span, Text};
use crate::value::{Kind, Value};

/// Properties that are a secret without being called password.
const SECRETS: &[&str] = &[
    "authtoken",
    "oauthtoken",
    "secrettoken",
    "hectoken",
    "accesstoken",
    "clientsecret",
    "kdcadminpassword",
];

const LOGIN_PROFILE: &str = "iam-user-login-profile-literal-password";

/// Parameters by scope and name.
type Parameters<'p> = BTreeMap<(&'p str, String), &'p Resource>;

pub(super) fn check(cx: &Context<'_>, out: &mut Out<'_>) {
    let parameters: Parameters<'_> = cx
        .project
        .resources
        .iter()
        .filter(|r| &*r.kind == kinds::PARAMETER)
        .filter_map(|r| Some(((&*r.address.scope, name_of(r)?), r)))
        .collect();
    let mut homes: Homes<'_> = parameters
        .values()
        .filter(|p| is_no_echo(p))
        .map(|p| (p.extent, *p))
        .collect();
    homes.sort_by_key(|(span, _)| *span);
    for (id, r) in (0u32..).zip(&cx.project.resources) {
        if r.kind.starts_with("AWS::") {
            properties(cx, id, r, &parameters, out);
        } else if &*r.kind == kinds::BOTO3_CALL {
            login_profile_call(cx, id, r, out);
        }
        leaks(cx, id, r, &parameters, &homes, out);
    }
}

/// Secret parameters and where they are written, in order.
type Homes<'p> = Vec<(Span, &'p Resource)>;

fn home<'p>(homes: &Homes<'p>, span: Span) -> Option<&'p Resource> {
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
fn properties(cx: &Context<'_>, id: u32, r: &Resource, parameters: &Parameters<'_>, out: &mut Out<'_>) {
    let mut stack = vec![(&r.props, false)];
    while let Some((value, login)) = stack.pop() {
        match &value.kind {
            Kind::Map(entries) => {
                for e in entries.iter() {
                    let key = e.key.display();
                    let login = login || key == "LoginProfile";
                    if is_password(&key) {
                        password(cx, id, r, &e.value, login, parameters, out);
                    } else {
                        stack.push((&e.value, login));
                    }
                }
            }
            Kind::Seq(items) => stack.extend(items.iter().map(|v| (v, login))),
            Kind::OneOf(branches) => stack.extend(branches.iter().map(|b| (&b.value, login))),
            _ => {}
        }
    }
}

fn is_password(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    let named = lower.ends_with("password") || lower == "passwords" || SECRETS.contains(&lower.as_str());
    named && !lower.starts_with("manage") && !lower.starts_with("require") && !lower.starts_with("generate")
}

fn password(
    cx: &Context<'_>,
    id: u32,
    r: &Resource,
    value: &Value,
    login: bool,
    parameters: &Parameters<'_>,
    out: &mut Out<'_>,
) {
    let rule = if login && &*r.kind == "AWS::IAM::User" {
        LOGIN_PROFILE
    } else {
        "password-property-plaintext"
    };
    for (text, v) in value.items().iter().flat_map(strings) {
        if let Some(f) = literal(cx, id, rule, text, v) {
            out.push(f.scope(r.header, "of this resource"));
        }
    }
    // A parameter that everybody may read who may describe the stack.
    for (hole, span) in holes(value) {
        let key = (&*r.address.scope, hole.name.to_string());
        if hole.kind != HoleKind::Input {
            continue;
        }
        let Some(p) = parameters.get(&key).filter(|p| !is_no_echo(p)) else {
            continue;
        };
        if !matches!(p.format, crate::iam::Format::Cloudformation | crate::iam::Format::Sam)
            || p.get("Type")
                .and_then(Value::as_str)
                .is_some_and(|t| t.starts_with("AWS::SSM::"))
        {
            continue;
        }
        out.push(
            cx.at_resource(rule, id, "a password comes from a parameter without NoEcho")
                .cause(Cause::Place(span))
                .severity(Severity::Medium)
                .primary(span, "shown to whoever may describe the stack")
                .secondary(p.header, "without NoEcho"),
        );
    }
}

/// A password that is written out, not looked up.
fn literal(cx: &Context<'_>, id: u32, rule: &'static str, text: &Text, v: &Value) -> Option<Finding> {
    let known = text.known()?;
    if known.is_empty() || known.starts_with("{{resolve:") || known.contains("${") || is_setting(&known) {
        return None;
    }
    let message = if rule == LOGIN_PROFILE {
        "the console password of a user is a literal"
    } else {
        "a password is a literal"
    };
    let span = span_of(text, v);
    let mut f = cx
        .at_resource(rule, id, message)
        .cause(Cause::Place(span))
        .primary(span, "a literal")
        .used_via(&v.via);
    f.secrets.push(span);
    if secrets::is_guessable(&known) {
        f = f.note("the password is one of those that are guessed first");
    } else if is_placeholder(&known) {
        f = f
            .severity(Severity::Low)
            .note("the value does not look like a real password");
    }
    Some(f)
}

/// Switches and numbers that a nested stack gets (`pAllowUsersToChangePassword: "true"`), and references to where the
/// password is kept.
fn is_setting(value: &str) -> bool {
    let lower = value.trim().to_ascii_lowercase();
    matches!(
        &*lower,
        "true" | "false" | "yes" | "no" | "on" | "off" | "enabled" | "disabled"
    ) || (lower.len() <= 3 && lower.bytes().all(|b| b.is_ascii_digit()))
        || ["arn:", "/", "ssm:", "secretsmanager:"]
            .iter()
            .any(|p| lower.starts_with(p))
}

/// boto3: `create_login_profile(Password="…")`.
fn login_profile_call(cx: &Context<'_>, id: u32, r: &Resource, out: &mut Out<'_>) {
    let operation = r
        .get("Operation")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let operation: String = operation.chars().filter(|c| *c != '_').collect();
    if !matches!(operation.as_str(), "createloginprofile" | "updateloginprofile") {
        return;
    }
    for (text, v) in r.get("Password").into_iter().flat_map(strings) {
        if let Some(f) = literal(cx, id, LOGIN_PROFILE, text, v) {
            out.push(f);
        }
    }
}

/// NoEcho parameters in outputs, metadata and user data, where they are shown after all.
fn leaks(cx: &Context<'_>, id: u32, r: &Resource, parameters: &Parameters<'_>, homes: &Homes<'_>, out: &mut Out<'_>) {
    let mut look = |value: &Value, place: &str| {
        for (hole, span) in holes(value) {
            let key = (&*r.address.scope, hole.name.to_string());
            if hole.kind == HoleKind::Input
                && let Some(p) = parameters.get(&key).filter(|p| is_no_echo(p))
            {
                leak(cx, id, span, p, place, out);
            }
        }
        // A default was filled in: the text is written in the parameter.
        for (text, v) in strings(value) {
            let Some(step) = &v.via else { continue };
            let secret = home(homes, span_of(text, v)).filter(|p| p.address.scope == r.address.scope);
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
        "AWS::EC2::Instance" | "AWS::AutoScaling::LaunchConfiguration" => {
            if let Some(v) = r.get("UserData") {
                look(v, "user data");
            }
        }
        "AWS::EC2::LaunchTemplate" => {
            if let Some(v) = r.path(&["LaunchTemplateData", "UserData"]) {
                look(v, "user data");
            }
        }
        _ => {}
    }
    if let Some(metadata) = &r.metadata {
        look(metadata, "metadata");
    }
}

fn leak(cx: &Context<'_>, id: u32, span: Span, parameter: &Resource, place: &str, out: &mut Out<'_>) {
    out.push(
        cx.at_resource(
            "noecho-parameter-leaked",
            id,
            format!("a parameter that is kept secret is shown in {place}"),
        )
        .cause(Cause::Place(span))
        .primary(span, "shown here")
        .secondary(parameter.header, "kept secret here"),
    );
}
