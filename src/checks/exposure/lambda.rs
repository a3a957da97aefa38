//! Lambda permissions and function URLs. Lambda Developer Guide, "Viewing resource-based IAM policies in Lambda".

use super::apis::equals_ignoring_case;
use super::policies::is_same_resource;
use crate::checks::narrowing;
use crate::finding::{Cause, Remedy, Severity};
use crate::iam::access::{Audience, Limit, audience_under};
use crate::iam::arn::is_account_id;
use crate::iam::condition::{Grade, StatementCallers, strength_of};
use crate::iam::{ClauseItem, Condition, PrincipalItem, PrincipalType};
use crate::index::ResourceId;
use crate::model::Resource;
use crate::rules::{Context, FindingSink, ids};
use crate::source::{Span, Text};
use crate::value::Value;

/// The properties of a permission, and the condition that Lambda creates for each.
/// Lambda API Reference, `AddPermission` and `AddLayerVersionPermission`.
const CONDITIONS: [(&str, &str, &str); 6] = [
    ("SourceArn", "ArnLike", "aws:SourceArn"),
    ("SourceAccount", "StringEquals", "aws:SourceAccount"),
    ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
    ("OrganizationId", "StringEquals", "aws:PrincipalOrgID"),
    ("EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
    ("FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
];

fn conditions(r: &Resource) -> Vec<Condition> {
    let made = |text: &str, span: Span| ClauseItem::new(Text::synthetic(text, span), span);
    let given = CONDITIONS.iter().filter(|(property, ..)| r.has(property));
    given
        .filter_map(|(property, operator, key)| {
            let value = r.get(property)?;
            let text = value.as_text();
            Some(Condition {
                values: text
                    .map(|text| ClauseItem::new(text.clone(), value.span))
                    .into_iter()
                    .collect(),
                complete: text.is_some(),
                ..Condition::new(made(operator, value.span), made(key, value.span), value.span)
            })
        })
        .collect()
}

/// The principal of a permission, which has no principal type.
fn principal(r: &Resource) -> Option<PrincipalItem> {
    let written = r.get("Principal")?;
    let value = written.get("AWS").unwrap_or(written);
    let text = value.as_text().filter(|t| t.as_hole().is_none())?;
    let shown = text.display();
    let aws = shown == "*" || is_account_id(&shown) || shown.starts_with("arn:");
    Some(PrincipalItem {
        home: None,
        kind: if aws {
            PrincipalType::Aws
        } else {
            PrincipalType::Service
        },
        type_key: None,
        value: ClauseItem::new(text.clone(), value.span),
    })
}

pub(super) fn permission(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for (id, r) in cx.project.deployed() {
        match &*r.kind {
            "AWS::Lambda::Permission" => {
                public(cx, out, id, r, PermissionTarget::Function);
                wrong_action(cx, out, id, r);
                without_source(cx, out, id, r);
            }
            "AWS::Lambda::LayerVersionPermission" => public(cx, out, id, r, PermissionTarget::Layer),
            _ => {}
        }
    }
}

/// What a permission is on. Lambda Developer Guide, "Controlling access to Lambda layers".
#[derive(Clone, Copy, PartialEq, Eq)]
enum PermissionTarget {
    Function,
    Layer,
}

impl PermissionTarget {
    /// The message for a permission that everyone has. A function URL with `AWS_IAM` requires a signature and, from
    /// other accounts, an identity-based policy; callers can create both themselves. Lambda Developer Guide, "Control
    /// access to Lambda function URLs".
    fn message(self, url: Option<&str>) -> &'static str {
        match (self, url) {
            (Self::Function, Some("NONE")) => "anyone on the internet can call this function URL",
            (Self::Function, Some("AWS_IAM")) => "anyone with an AWS account can call this function URL",
            (Self::Function, _) => "anyone with an AWS account can invoke this function",
            (Self::Layer, _) => "anyone with an AWS account can use this layer",
        }
    }
}

fn public(cx: &Context<'_>, out: &mut FindingSink<'_>, id: ResourceId, r: &Resource, shared: PermissionTarget) {
    let Some(item) = principal(r) else { return };
    let conditions = conditions(r);
    let limit = match audience_under(&item, &conditions, cx.project.own) {
        Audience::Everyone(limit) => limit,
        _ => return,
    };
    let auth = r.get("FunctionUrlAuthType").and_then(Value::as_str);
    if limit == Limit::Named {
        return;
    }
    let action = r.get("Action").and_then(Value::as_str);
    let url =
        auth.as_deref() == Some("NONE") || action.is_some_and(|a| a.eq_ignore_ascii_case("lambda:InvokeFunctionUrl"));
    let mut f = cx
        .at_resource(ids::LAMBDA_PERMISSION_PUBLIC, id, shared.message(auth.as_deref()))
        .under_guard(r.branch.as_ref())
        .primary(item.value.span, "everyone")
        .scope(r.header, "")
        .principals(["*".to_owned()]);
    if limit != Limit::None {
        f = f.severity(Severity::Medium);
    } else if url {
        f = f.severity(Severity::High);
    }
    // A URL without authentication and its permission have the same cause.
    if let Some(open) = open_url(cx, r).filter(|_| url) {
        f = f.cause(Cause::Resource(open));
    }
    if shared == PermissionTarget::Layer {
        // Some layers are published on purpose, and they hold no data.
        f.steps_down += 2;
    }
    for bound in strength_of(&conditions, StatementCallers::Open).bounds {
        f = match bound.weakness {
            None if bound.grade >= Grade::Narrows => f.secondary(bound.span, "limits who has access"),
            Some(weakness) if bound.key != "lambda:functionurlauthtype" => f.secondary(bound.span, weakness.text()),
            _ => f,
        };
    }
    out.push(f);
}

/// The function URL without authentication that a permission belongs to.
fn open_url(cx: &Context<'_>, permission: &Resource) -> Option<ResourceId> {
    let function = permission.get("FunctionName")?;
    let open = |r: &Resource| {
        let of = r
            .get("TargetFunctionArn")
            .is_some_and(|f| is_same_resource(f, function));
        &*r.kind == "AWS::Lambda::Url" && of && r.get("AuthType").is_some_and(|a| equals_ignoring_case(a, "NONE"))
    };
    cx.project.deployed().find(|(_, r)| open(r)).map(|(id, _)| id)
}

fn wrong_action(cx: &Context<'_>, out: &mut FindingSink<'_>, id: ResourceId, r: &Resource) {
    let Some(action) = r.get("Action") else { return };
    let Some(text) = action.as_str() else { return };
    let fine = [
        "lambda:InvokeFunction",
        "lambda:InvokeFunctionUrl",
        "lambda:InvokeFunctionWithResponseStream",
    ]
    .iter()
    .any(|a| a.eq_ignore_ascii_case(&text));
    if fine {
        return;
    }
    let message = format!("the permission grants `{text}`, which is more than invoking the function");
    out.push(
        cx.at_resource(ids::LAMBDA_PERMISSION_WRONG_ACTION, id, message)
            .under_guard(r.branch.as_ref())
            .primary(action.span, "grants more than invoking")
            .scope(r.header, "")
            .actions([text.to_lowercase()])
            .remedies(cx.project.sources.slice(action.span).contains(&*text).then(|| {
                let invoke = "lambda:InvokeFunction";
                Remedy::risky(format!("write `{invoke}`")).replace(action.span, [invoke])
            })),
    );
}

fn without_source(cx: &Context<'_>, out: &mut FindingSink<'_>, id: ResourceId, r: &Resource) {
    let Some(principal) = r.get("Principal") else { return };
    let Some(item) = self::principal(r) else { return };
    let Audience::Service { name, .. } = audience_under(&item, &[], cx.project.own) else {
        return;
    };
    let service = name.ends_with(".amazonaws.com") || name.ends_with(".amazon.com");
    let flat = item.value.display();
    let tied = ["SourceArn", "SourceAccount", "PrincipalOrgID", "EventSourceToken"]
        .iter()
        .any(|p| r.has(p));
    if !service || tied {
        return;
    }
    let message = format!("`{flat}` can invoke this function for any account");
    let mut f = cx
        .at_resource(ids::LAMBDA_PERMISSION_WITHOUT_SOURCE, id, message)
        .under_guard(r.branch.as_ref())
        .primary(principal.span, "no `SourceArn` or `SourceAccount`")
        .scope(r.header, "")
        .principals([flat]);
    // An EventBridge rule in another account invokes its target with a role of that account, not through this
    // permission.
    // EventBridge User Guide, "Sending events to an AWS service in another account".
    if name.starts_with("events.") {
        f = f.severity(Severity::Low);
    }
    let key = r.props.entry("Principal").map(|e| e.key_span);
    let says_account = SAY_ACCOUNT.iter().any(|s| name.split('.').next() == Some(s));
    f.remedies
        .extend(key.and_then(|key| narrowing::add_source_arn(cx, r, key, &name)));
    let key = key.filter(|_| says_account);
    f.remedies
        .extend(key.and_then(|key| narrowing::add_source_account(cx, r.format, key)));
    out.push(f);
}

/// Services that send their account when they invoke a function, according to their guides; for others only the ARN
/// is certain. CloudFormation User Guide, `AWS::Lambda::Permission`: `SourceAccount` is not supported by all event
/// sources.
const SAY_ACCOUNT: &[&str] = &[
    "cognito-idp",
    "config",
    "events",
    "iot",
    "logs",
    "s3",
    "secretsmanager",
    "ses",
];

pub(super) fn url(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for (id, r) in cx.project.deployed() {
        if &*r.kind != "AWS::Lambda::Url" {
            continue;
        }
        if let Some(auth) = r.get("AuthType")
            && auth.as_str().as_deref() == Some("NONE")
        {
            out.push(
                cx.at_resource(
                    ids::LAMBDA_FUNCTION_URL_NO_AUTH,
                    id,
                    "anyone on the internet can call this function URL",
                )
                .under_guard(r.branch.as_ref())
                .primary(auth.span, "no authentication")
                .scope(r.header, ""),
            );
        }
    }
}
