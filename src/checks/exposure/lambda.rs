//! Lambda permissions and function URLs. Lambda Developer Guide, "Viewing resource-based IAM policies in Lambda".

use crate::checks::narrowing;
use crate::model::Resource;
use crate::rules::{Context, Out};
use crate::value::Value;

pub(super) fn permission(cx: &Context<'_>, out: &mut Out<'_>) {
    for (id, r) in cx.project.deployed() {
        match &*r.kind {
            "AWS::Lambda::Permission" => {
                public(cx, out, id, r, Shared::Function);
                wrong_action(cx, out, id, r);
                without_source(cx, out, id, r);
            }
            "AWS::Lambda::LayerVersionPermission" => public(cx, out, id, r, Shared::Layer),
            _ => {}
        }
    }
}

/// What a permission is on. Lambda Developer Guide, "Controlling access to Lambda layers".
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shared {
    Function,
    Layer,
}

impl Shared {
    /// The property that holds the permission to one organisation, and what everybody may do without it.
    fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::Function => ("PrincipalOrgID", "anybody with an AWS account may invoke this function"),
            Self::Layer => ("OrganizationId", "anybody with an AWS account may use this layer"),
        }
    }
}

fn public(cx: &Context<'_>, out: &mut Out<'_>, id: u32, r: &Resource, shared: Shared) {
    let Some(principal) = r.get("Principal") else { return };
    let text = principal.as_str().unwrap_or_default();
    let everyone = text == "*"
        || text == "arn:aws:iam::*:root"
        || principal.get("AWS").and_then(Value::as_str).as_deref() == Some("*");
    let signed = r.get("FunctionUrlAuthType").and_then(Value::as_str).as_deref() == Some("AWS_IAM");
    let (organization, message) = shared.parts();
    if !everyone || signed || r.has(organization) {
        return;
    }
    let mut f = cx
        .at_resource("lambda-permission-public", id, message)
        .under(r.branch.as_ref())
        .primary(principal.span, "everyone")
        .scope(r.header, "")
        .principals(["*".to_owned()]);
    if shared == Shared::Layer {
        // Some are published on purpose, and hold no data.
        f.steps_down += 2;
    }
    if let Some(source) = r.get("SourceArn").filter(|v| !v.is_null()) {
        f = f.secondary(source.span, "narrows who, a little");
        f.steps_down += 1;
    }
    if let Some(account) = r.get("SourceAccount").filter(|v| !v.is_null()) {
        f = f.secondary(account.span, "services acting for this account only");
        f.steps_down += 1;
    }
    out.push(f);
}

fn wrong_action(cx: &Context<'_>, out: &mut Out<'_>, id: u32, r: &Resource) {
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
    let message = format!("the permission gives `{text}`, more than invoking the function");
    out.push(
        cx.at_resource("lambda-permission-wrong-action", id, message)
            .under(r.branch.as_ref())
            .primary(action.span, "only invoking is meant to be given here")
            .scope(r.header, "")
            .actions([text.to_lowercase()]),
    );
}

fn without_source(cx: &Context<'_>, out: &mut Out<'_>, id: u32, r: &Resource) {
    let Some(principal) = r.get("Principal") else { return };
    let Some(text) = principal.as_text() else { return };
    let flat = text.display();
    let service = flat.contains(".amazonaws.com") || flat.contains(".amazonaws.${") || flat.ends_with(".amazon.com");
    let tied = ["SourceArn", "SourceAccount", "PrincipalOrgID", "EventSourceToken"]
        .iter()
        .any(|p| r.has(p));
    if !service || tied {
        return;
    }
    let message = format!("`{flat}` may invoke this function for any account");
    let mut f = cx
        .at_resource("lambda-permission-without-source", id, message)
        .under(r.branch.as_ref())
        .primary(principal.span, "no `SourceArn` or `SourceAccount` with it")
        .scope(r.header, "")
        .principals([flat]);
    let key = r.props.entry("Principal").map(|e| e.key_span);
    f.remedies
        .extend(key.and_then(|key| narrowing::source_account_beside(cx, r.format, key)));
    out.push(f);
}

pub(super) fn url(cx: &Context<'_>, out: &mut Out<'_>) {
    for (id, r) in cx.project.deployed() {
        if &*r.kind != "AWS::Lambda::Url" {
            continue;
        }
        if let Some(auth) = r.get("AuthType")
            && auth.as_str().as_deref() == Some("NONE")
        {
            out.push(
                cx.at_resource(
                    "lambda-function-url-no-auth",
                    id,
                    "anybody on the internet may call this function URL",
                )
                .under(r.branch.as_ref())
                .primary(auth.span, "no authentication")
                .scope(r.header, ""),
            );
        }
    }
}
