//! Settings, other than policies, that expose a resource: ACLs, public access blocks, shares, methods without
//! authorization.

use super::apis::{Apis, Routes};
use crate::model::{Resource, kinds};
use crate::rules::{Context, FindingSink, RuleId, ids};
use crate::source::Span;
use crate::value::{MapEntry, Value, ValueKind};

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let apis = Apis::new(cx);
    let mut routes = Routes::default();
    for (id, r) in cx.project.deployed() {
        let push = &mut |rule: RuleId, message: &str, span: Span, label: &str| {
            out.push(cx.at_part(rule, id, message, (span, label)));
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
                        ids::SNAPSHOT_OR_AMI_PUBLIC,
                        "this image or snapshot is public",
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
                        ids::SNAPSHOT_OR_AMI_PUBLIC,
                        "this snapshot is public",
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
                        ids::SSM_DOCUMENT_PUBLIC,
                        "this document is public",
                        v.span,
                        "every AWS account",
                    );
                }
            }
            "AWS::RAM::ResourceShare" => {
                if let Some(v) = r.get("AllowExternalPrincipals").filter(|v| v.as_bool() == Some(true)) {
                    push(
                        ids::RAM_SHARE_EXTERNAL,
                        "the share allows accounts outside the organization",
                        v.span,
                        "external accounts can be added",
                    );
                }
            }
            "AWS::Cognito::IdentityPool" => {
                if let Some(v) = r
                    .get("AllowUnauthenticatedIdentities")
                    .filter(|v| v.as_bool() == Some(true))
                {
                    push(
                        ids::COGNITO_UNAUTHENTICATED_IDENTITIES,
                        "the identity pool gives AWS credentials to unauthenticated users",
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

pub(super) type PushSetting<'a> = &'a mut dyn FnMut(RuleId, &str, Span, &str);

/// Whether a value is this string, in any case.
pub(super) fn says(v: &Value, text: &str) -> bool {
    v.as_str().is_some_and(|t| t.eq_ignore_ascii_case(text))
}

/// Amazon S3 User Guide, "Access control list (ACL) overview", "Canned ACL"; CloudFormation writes `PublicRead`.
fn canned(text: &str) -> Option<(RuleId, &'static str)> {
    Some(match text.to_ascii_lowercase().replace('-', "").as_str() {
        "publicread" => (ids::S3_ACL_PUBLIC, "everyone can read it"),
        "publicreadwrite" => (ids::S3_ACL_PUBLIC, "everyone can read and write it"),
        "authenticatedread" => (
            ids::S3_ACL_AUTHENTICATED_USERS,
            "everyone with an AWS account can read it",
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
                ids::S3_ACL_PUBLIC => "the ACL allows public access",
                _ => "the ACL allows access by everyone with an AWS account",
            };
            push(rule, message, v.span, label);
        }
    }
    grants(r.props.clone(), 0, push);
}

/// Grants to the predefined groups, at any depth.
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
                push(
                    ids::S3_ACL_PUBLIC,
                    "the ACL allows public access",
                    value.span,
                    "everyone",
                );
            } else if text.ends_with("/groups/global/AuthenticatedUsers") {
                push(
                    ids::S3_ACL_AUTHENTICATED_USERS,
                    "the ACL allows access by everyone with an AWS account",
                    value.span,
                    "every AWS account",
                );
            }
        }
        _ => {}
    }
}

/// Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage". Missing settings are on for new buckets,
/// so only settings that are turned off are reported.
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
                ids::S3_PUBLIC_ACCESS_BLOCK,
                &format!("`{name}` is turned off"),
                v.span,
                "allows public access to the bucket",
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
            ids::KMS_GRANT_BROAD,
            "the grantee can create grants for other principals",
            o.span,
            "without constraints",
        );
    }
}

/// boto3 calls that set an ACL or remove the public access block.
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
        true => "the bucket is made readable by everyone",
        false => "the object is made readable by everyone",
    };
    for v in r.get("ACL").into_iter().chain(extra) {
        if v.as_str().as_deref().and_then(canned).is_some() {
            push(ids::PY_S3_PUBLIC_ACL, opened, v.span, "everyone");
        }
    }
    if operation == "delete_public_access_block" || operation == "deletepublicaccessblock" {
        push(
            ids::PY_S3_DELETE_PUBLIC_ACCESS_BLOCK,
            "Block Public Access is removed from the bucket",
            r.header,
            "allows public access to the bucket",
        );
    }
    if operation.replace('_', "") == "putpublicaccessblock" {
        let settings = r.get("PublicAccessBlockConfiguration");
        access_block(settings, r, &mut |_, message, span, label| {
            push(ids::PY_S3_DELETE_PUBLIC_ACCESS_BLOCK, message, span, label);
        });
    }
}
