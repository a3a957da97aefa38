//! Arguments of boto3's calls and constructors that weaken what AWS or the SDK would do by themselves.

use crate::iam::arn::{Arn, ArnField, is_account_id};
use crate::model::{Resource, kinds};
use crate::rules::{Context, FindingSink, RuleId, ids};
use crate::value::Value;

/// An hour: what `AssumeRole` gives when nothing is said (AWS STS API Reference, "AssumeRole").
const USUAL_ROLE: f64 = 3_600.0;
/// Twelve hours: the same for `GetSessionToken` and `GetFederationToken`.
const USUAL_SESSION: f64 = 43_200.0;
/// A day; an hour is what boto3 gives when nothing is said.
const LONG_URL: f64 = 86_400.0;

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for (id, r) in cx.project.deployed() {
        let found = if &*r.kind == kinds::BOTO3_CALL {
            call(cx, r)
        } else if &*r.kind == kinds::BOTO3_CLIENT {
            constructor(r)
        } else {
            continue;
        };
        for FoundArgument {
            rule,
            message,
            at,
            label,
        } in found
        {
            out.push(cx.at_part(rule, id, message, (at, label)));
        }
    }
}

struct FoundArgument {
    rule: RuleId,
    message: String,
    at: crate::source::Span,
    label: &'static str,
}

fn call(cx: &Context<'_>, r: &Resource) -> Vec<FoundArgument> {
    let operation = r.get("Operation").and_then(Value::as_str).unwrap_or_default();
    match &*operation {
        "AssumeRole" => session(r, USUAL_ROLE).into_iter().chain(external_id(cx, r)).collect(),
        "AssumeRoleWithSaml" | "AssumeRoleWithWebIdentity" => session(r, USUAL_ROLE).into_iter().collect(),
        "GetSessionToken" | "GetFederationToken" => session(r, USUAL_SESSION).into_iter().collect(),
        "GeneratePresignedUrl" | "GeneratePresignedPost" => url(r).into_iter().collect(),
        "PutKeyPolicy" | "CreateKey" => bypass(r).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn session(r: &Resource, usual: f64) -> Option<FoundArgument> {
    let v = r.get("DurationSeconds")?;
    let seconds = v.as_number().filter(|s| *s > usual)?;
    Some(FoundArgument {
        rule: ids::PY_ASSUME_ROLE_LONG_SESSION,
        message: format!("the credentials are valid for {}", span_of_time(seconds)),
        at: v.span,
        label: "longer than usual",
    })
}

/// A role that is written with an account that is not among our own, and no external id.
fn external_id(cx: &Context<'_>, r: &Resource) -> Option<FoundArgument> {
    let arn = r.get("RoleArn")?;
    let is_open = r.props.entries()?.iter().any(|e| e.key.known().is_none());
    if is_open || r.get("ExternalId").is_some() {
        return None;
    }
    let ArnField::Literal(account) = Arn::parse(arn.as_text()?)?.account() else {
        return None;
    };
    let foreign = is_account_id(&account) && !cx.project.own.accounts.contains_key(&*account);
    foreign.then(|| FoundArgument {
        rule: ids::PY_ASSUME_ROLE_NO_EXTERNAL_ID,
        message: format!("role in account {account} is assumed without an external ID"),
        at: arn.span,
        label: "role in that account",
    })
}

fn url(r: &Resource) -> Option<FoundArgument> {
    let v = r.get("ExpiresIn")?;
    let seconds = v.as_number().filter(|s| *s > LONG_URL)?;
    Some(FoundArgument {
        rule: ids::PY_PRESIGNED_URL_LONG,
        message: format!("the URL is valid for {}", span_of_time(seconds)),
        at: v.span,
        label: "more than a day",
    })
}

fn bypass(r: &Resource) -> Option<FoundArgument> {
    let v = r.get("BypassPolicyLockoutSafetyCheck")?;
    (v.as_bool() == Some(true)).then(|| FoundArgument {
        rule: ids::PY_KMS_PUT_KEY_POLICY_BYPASS,
        message: "the key policy is set without the lockout safety check".to_owned(),
        at: v.span,
        label: "skips the check",
    })
}

fn constructor(r: &Resource) -> Vec<FoundArgument> {
    let local = r.get("endpoint_url").and_then(Value::as_str).is_some_and(|url| {
        ["localhost", "127.0.0.1", "localstack", "host.docker.internal", "minio"]
            .iter()
            .any(|host| url.contains(host))
    });
    if local {
        return Vec::new();
    }
    let off = |name: &str| r.get(name).filter(|v| v.as_bool() == Some(false)).map(|v| v.span);
    let certificate = off("verify").map(|at| FoundArgument {
        rule: ids::PY_UNVERIFIED_TLS,
        message: "TLS certificates are not verified".to_owned(),
        at,
        label: "accepts any certificate",
    });
    let plain = off("use_ssl").map(|at| FoundArgument {
        rule: ids::PY_UNVERIFIED_TLS,
        message: "the client connects to AWS without TLS".to_owned(),
        at,
        label: "not encrypted",
    });
    certificate.into_iter().chain(plain).collect()
}

/// `7 days`, `36 hours`, `90 minutes`.
fn span_of_time(seconds: f64) -> String {
    for (unit, length) in [("day", 86_400.0), ("hour", 3_600.0), ("minute", 60.0)] {
        let n = seconds / length;
        if n >= 1.0 && n.fract() == 0.0 {
            let plural = if n == 1.0 { "" } else { "s" };
            return format!("{n} {unit}{plural}");
        }
    }
    format!("{seconds} seconds")
}
