//! Settings, rather than policies, that open a resource: ACLs, public access blocks, shares, methods without authorisation.

use super::apis::{Apis, Routes};
use crate::finding::Finding;
use crate::model::{Resource, kinds};
use crate::rules::{Context, FindingSink};
use crate::source::Span;
use crate::value::{MapEntry, Value, ValueKind};

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let apis = Apis::new(cx);
    let mut routes = Routes::default();
    for (id, r) in cx.project.deployed() {
        let push = &mut |rule: &'static str, message: &str, span: Span, label: &str| {
            let f: Finding = cx
                .at_resource(rule, id, message.to_owned())
                .under(r.branch.as_ref())
                .primary(span, label.to_owned());
            out.push(if r.header.touches(span) {
                f
            } else {
                f.scope(r.header, "")
            });
        };
        match &*r.kind {
            "AWS::S3::Bucket" => {
                acl(r, push);
                access_block(r.get("PublicAccessBlockConfiguration"), r, push);
            }
            "AWS::S3::BucketAcl" | "AWS::S3::ObjectAcl" | "AWS::S3::Object" => acl(r, push),
            "AWS::S3::BucketPublicAccessBlock" | "AWS::S3::AccountPublicAccessBlock" => {
                access_block(Some(&r.props), r, push)
            }
            "AWS::S3::AccessPoint" | "AWS::S3::MultiRegionAccessPoint" => {
                access_block(r.get("PublicAccessBlockConfiguration"), r, push);
            }
            "AWS::EC2::AMILaunchPermission" | "AWS::EC2::SnapshotPermission" => {
                let groups = r.get("Group").into_iter().flat_map(Value::items);
                for v in groups.filter(|v| says(v, "all")) {
                    push(
                        "snapshot-or-ami-public",
                        "everybody may use this image",
                        v.span,
                        "every AWS account",
                    );
                }
            }
            "AWS::RDS::DBSnapshot" | "AWS::RDS::DBClusterSnapshot" => {
                for v in r
                    .get("SharedAccounts")
                    .iter()
                    .flat_map(|v| v.items())
                    .filter(|v| says(v, "all"))
                {
                    push(
                        "snapshot-or-ami-public",
                        "everybody may copy this snapshot",
                        v.span,
                        "every AWS account",
                    );
                }
            }
            "AWS::SSM::Document" => {
                let ids = ["AccountIds", "AccountIDs", "account_ids"]
                    .iter()
                    .find_map(|name| r.path(&["Permissions", name]));
                for v in ids.iter().flat_map(|v| v.items()).filter(|v| says(v, "all")) {
                    push(
                        "ssm-document-public",
                        "everybody may read and run this document",
                        v.span,
                        "every AWS account",
                    );
                }
            }
            "AWS::RAM::ResourceShare" => {
                if let Some(v) = r.get("AllowExternalPrincipals").filter(|v| v.as_bool() == Some(true)) {
                    push(
                        "ram-share-external",
                        "the share takes accounts outside the organisation",
                        v.span,
                        "accounts of others may be added",
                    );
                }
            }
            "AWS::Cognito::IdentityPool" => {
                if let Some(v) = r
                    .get("AllowUnauthenticatedIdentities")
                    .filter(|v| v.as_bool() == Some(true))
                {
                    push(
                        "cognito-unauthenticated-identities",
                        "the identity pool gives credentials to guests",
                        v.span,
                        "without signing in",
                    );
                }
            }
            "AWS::ApiGateway::Method" | "AWS::ApiGatewayV2::Route" => {
                if let Some(open) = apis.open(id, r) {
                    routes.add(open);
                }
            }
            "AWS::ApiGateway::RestApi" | "AWS::ApiGatewayV2::Api" => {
                apis.defined(id, r).into_iter().for_each(|open| routes.add(open));
            }
            "AWS::KMS::Grant" => grant(r, push),
            kind if kind == kinds::BOTO3_CALL => call(r, push),
            _ => {}
        }
    }
    routes.report(cx, out);
}

pub(super) type PushSetting<'a> = &'a mut dyn FnMut(&'static str, &str, Span, &str);

/// A known string, whatever its case.
pub(super) fn says(v: &Value, text: &str) -> bool {
    v.as_str().is_some_and(|t| t.eq_ignore_ascii_case(text))
}

/// Amazon S3 User Guide, "Access control list (ACL) overview", "Canned ACL"; CloudFormation writes `PublicRead`.
fn canned(text: &str) -> Option<(&'static str, &'static str)> {
    Some(match text.to_ascii_lowercase().replace('-', "").as_str() {
        "publicread" => ("s3-acl-public", "everybody may read it"),
        "publicreadwrite" => ("s3-acl-public", "everybody may read and write"),
        "authenticatedread" => (
            "s3-acl-authenticated-users",
            "everybody with an AWS account may read it",
        ),
        _ => return None,
    })
}

fn acl(r: &Resource, push: PushSetting<'_>) {
    for prop in ["AccessControl", "Acl", "ACL"] {
        if let Some(v) = r.get(prop)
            && let Some((rule, label)) = v.as_str().as_deref().and_then(canned)
        {
            let message = match rule {
                "s3-acl-public" => "the ACL lets in everybody",
                _ => "the ACL lets in everybody with an AWS account",
            };
            push(rule, message, v.span, label);
        }
    }
    grants(r.props.clone(), 0, push);
}

/// Grants to the predefined groups, wherever they stand.
fn grants(value: Value, depth: usize, push: PushSetting<'_>) {
    if depth > 6 {
        return;
    }
    match &value.kind {
        ValueKind::Map(entries) => entries
            .iter()
            .for_each(|e: &MapEntry| grants(e.value.clone(), depth + 1, push)),
        ValueKind::Seq(items) => items.iter().for_each(|v| grants(v.clone(), depth + 1, push)),
        ValueKind::Str(text) => {
            let Some(text) = text.known() else { return };
            if text.ends_with("/groups/global/AllUsers") {
                push("s3-acl-public", "the ACL lets in everybody", value.span, "everybody");
            } else if text.ends_with("/groups/global/AuthenticatedUsers") {
                push(
                    "s3-acl-authenticated-users",
                    "the ACL lets in everybody with an AWS account",
                    value.span,
                    "every AWS account",
                );
            }
        }
        _ => {}
    }
}

/// Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage". What is absent is on for new buckets; only a
/// setting that is switched off is reported.
fn access_block(settings: Option<&Value>, _r: &Resource, push: PushSetting<'_>) {
    for name in [
        "BlockPublicAcls",
        "BlockPublicPolicy",
        "IgnorePublicAcls",
        "RestrictPublicBuckets",
    ] {
        if let Some(v) = settings.and_then(|s| s.get(name))
            && v.as_bool() == Some(false)
        {
            push(
                "s3-public-access-block",
                &format!("`{name}` is switched off"),
                v.span,
                "lets the bucket be opened",
            );
            return;
        }
    }
}

/// AWS KMS Developer Guide, "Grants in AWS KMS".
fn grant(r: &Resource, push: PushSetting<'_>) {
    let Some(operations) = r.get("Operations") else { return };
    let constrained = r.has("Constraints");
    let broad = operations.items().iter().find(|o| says(o, "CreateGrant"));
    if let Some(o) = broad
        && !constrained
    {
        push(
            "kms-grant-broad",
            "the grant lets its holder grant the key to others",
            o.span,
            "without constraints",
        );
    }
}

/// boto3 calls that set an ACL or take the block away.
fn call(r: &Resource, push: PushSetting<'_>) {
    if !r.get("Service").is_some_and(|s| says(s, "s3") || says(s, "s3control")) {
        return;
    }
    let operation = r
        .get("Operation")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let extra = r.path(&["ExtraArgs", "ACL"]);
    let opened = match operation.contains("bucket") {
        true => "the bucket is made readable for everybody",
        false => "the object is made readable for everybody",
    };
    for v in r.get("ACL").into_iter().chain(extra) {
        if v.as_str().as_deref().and_then(canned).is_some() {
            push("py-s3-public-acl", opened, v.span, "everybody");
        }
    }
    if operation == "delete_public_access_block" || operation == "deletepublicaccessblock" {
        push(
            "py-s3-delete-public-access-block",
            "the bucket's public access block is removed",
            r.header,
            "lets the bucket be opened",
        );
    }
    if operation.replace('_', "") == "putpublicaccessblock" {
        let settings = r.get("PublicAccessBlockConfiguration");
        access_block(settings, r, &mut |_, message, span, label| {
            push("py-s3-delete-public-access-block", message, span, label);
        });
    }
}
