//! Buckets, keys, and collections: missing policies and settings of policies.
//! Amazon OpenSearch Service Developer Guide, "Network access for Amazon OpenSearch Serverless"; Amazon S3 User Guide,
//! "Bucket policies"; AWS KMS Developer Guide, "Default key policy".

use std::collections::BTreeSet;

use crate::finding::Severity;
use crate::iam::arn::{Arn, ArnField};
use crate::iam::condition::OperatorFamily;
use crate::iam::{Document, PolicyKind, pattern};
use crate::index::ResourceId;
use crate::model::Resource;
use crate::rules::{Context, FindingSink, ids};
use crate::source::Span;
use crate::value::{Value, ValueKind};

/// The depth to which policies of collections are searched.
const MAX_DEPTH: usize = 8;

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for (id, r) in cx.project.deployed() {
        match &*r.kind {
            "AWS::OpenSearchServerless::SecurityPolicy" | "AWS::OpenSearchServerless::AccessPolicy" => {
                collection(cx, out, id, r);
            }
            "AWS::Lambda::Permission" => any_api(cx, out, id, r),
            "AWS::KMS::Key" if r.get("KeyPolicy").is_none() && !has_key_policy(cx, r) => out.push(
                cx.at_resource(ids::KMS_KEY_POLICY_MISSING, id, "the key has the default key policy")
                    .under_guard(r.branch.as_ref())
                    .primary(r.header, "no key policy: IAM policies control access"),
            ),
            _ => {}
        }
    }
    without_policy(cx, out);
    for (id, d) in cx.documents() {
        if let Some(span) = plain_text_allowed(cx, d) {
            out.push(
                cx.at_document(
                    ids::S3_POLICY_NO_SECURE_TRANSPORT,
                    id,
                    "the bucket policy does not deny requests without TLS",
                )
                .primary(span, "no Deny on `aws:SecureTransport`"),
            );
        }
    }
}

/// In Terraform, a key policy can be a separate resource.
fn has_key_policy(cx: &Context<'_>, key: &Resource) -> bool {
    cx.project
        .resources
        .iter()
        .any(|r| &*r.type_name == "aws_kms_key_policy" && r.address.scope == key.address.scope)
}

/// What opens a collection.
#[derive(Clone, Copy)]
enum CollectionAccess {
    AnyNetwork,
    AnyPrincipal,
}

fn collection(cx: &Context<'_>, out: &mut FindingSink<'_>, id: ResourceId, r: &Resource) {
    let Some(policy) = r.get("Policy") else { return };
    let mut found = Vec::new();
    find_public_access(policy, 0, &mut found);
    for (span, access) in found {
        // Requests from any network are still signed and need the data access policy.
        let (message, label, severity) = match access {
            CollectionAccess::AnyNetwork => (
                "the collection is reachable from any network",
                "reachable from any network",
                Severity::Medium,
            ),
            CollectionAccess::AnyPrincipal => (
                "the data access policy allows every principal",
                "everyone",
                Severity::High,
            ),
        };
        out.push(
            cx.at_resource(ids::OPENSEARCH_SERVERLESS_POLICY_PUBLIC, id, message)
                .under_guard(r.branch.as_ref())
                .primary(span, label)
                .severity(severity)
                .scope(r.header, ""),
        );
    }
}

/// `AllowFromPublic: true`, and `*` as a principal. In text that is not parsed as JSON, searches for the former as
/// text.
fn find_public_access(value: &Value, depth: usize, found: &mut Vec<(Span, CollectionAccess)>) {
    if depth > MAX_DEPTH {
        return;
    }
    match &value.kind {
        ValueKind::Json(inner) => find_public_access(inner, depth + 1, found),
        ValueKind::Seq(items) => items.iter().for_each(|v| find_public_access(v, depth + 1, found)),
        ValueKind::OneOf(branches) => branches
            .iter()
            .for_each(|b| find_public_access(&b.value, depth + 1, found)),
        ValueKind::Map(entries) => {
            for e in entries.iter() {
                match e.key.known().as_deref() {
                    Some("AllowFromPublic") if e.value.as_bool() == Some(true) => {
                        found.push((e.value.span, CollectionAccess::AnyNetwork));
                    }
                    Some("Principal") => {
                        let stars = e
                            .value
                            .items()
                            .iter()
                            .filter(|p| p.as_text().is_some_and(pattern::is_star));
                        found.extend(stars.map(|p| (p.span, CollectionAccess::AnyPrincipal)));
                    }
                    _ => find_public_access(&e.value, depth + 1, found),
                }
            }
        }
        ValueKind::Str(text) => {
            let flat = text.with_placeholders();
            let Some(at) = flat.find("\"AllowFromPublic\"") else {
                return;
            };
            let rest = &flat[at + "\"AllowFromPublic\"".len()..];
            let value_at = flat.len() - rest.trim_start_matches([' ', '\n', '\t', '\r', ':']).len();
            if flat[value_at..].starts_with("true") {
                let span = text.span_of(value_at..value_at + "true".len()).unwrap_or(value.span);
                found.push((span, CollectionAccess::AnyNetwork));
            }
        }
        _ => {}
    }
}

/// A permission for API Gateway whose source ARN does not name an API. Amazon API Gateway Developer Guide, "Control
/// access to a REST API".
fn any_api(cx: &Context<'_>, out: &mut FindingSink<'_>, id: ResourceId, r: &Resource) {
    let principal = r.get("Principal").and_then(Value::as_str).unwrap_or_default();
    let Some(source) = r.get("SourceArn").filter(|_| principal.starts_with("apigateway.")) else {
        return;
    };
    let Some(arn) = source.as_text().and_then(Arn::parse) else {
        return;
    };
    let flat = arn.resource.with_placeholders();
    let any = flat.split('/').next() == Some("*");
    if arn.service().as_deref() != Some("execute-api") || !any || matches!(arn.account(), ArnField::Empty) {
        return;
    }
    out.push(
        cx.at_resource(
            ids::LAMBDA_PUBLIC_VIA_APIGW,
            id,
            "any API in the account can invoke this function",
        )
        .under_guard(r.branch.as_ref())
        .primary(source.span, "does not name an API")
        .scope(r.header, ""),
    );
}

/// Buckets that no bucket policy in the repository names.
fn without_policy(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    if !out.is_selected(ids::S3_MISSING_BUCKET_POLICY) {
        return;
    }
    let mut targets: BTreeSet<(String, String)> = BTreeSet::new();
    let mut named: BTreeSet<String> = BTreeSet::new();
    for r in cx
        .project
        .resources
        .iter()
        .filter(|r| &*r.kind == "AWS::S3::BucketPolicy")
    {
        match r
            .get("Bucket")
            .map(|v| (v, v.as_hole().and_then(|h| h.target.as_ref())))
        {
            Some((_, Some(t))) => {
                targets.insert((t.scope.to_string(), t.address.to_string()));
            }
            Some((v, None)) => match v.as_str() {
                Some(name) => {
                    named.insert(name.into_owned());
                }
                // The policy may be for any bucket.
                None => return,
            },
            None => return,
        }
    }
    for (id, r) in cx.project.deployed() {
        if &*r.kind != "AWS::S3::Bucket" || r.get("Policy").is_some() {
            continue;
        }
        let here = (r.address.scope.to_string(), r.address.name.to_string());
        let by_name = ["BucketName", "Bucket"]
            .iter()
            .find_map(|p| r.get(p).and_then(Value::as_str))
            .is_some_and(|n| named.contains(&*n));
        if !targets.contains(&here) && !by_name {
            out.push(
                cx.at_resource(
                    ids::S3_MISSING_BUCKET_POLICY,
                    id,
                    "no bucket policy for this bucket in the repository",
                )
                .under_guard(r.branch.as_ref())
                .primary(r.header, "no bucket policy"),
            );
        }
    }
}

/// The span to report in a bucket policy that does not deny plain HTTP.
fn plain_text_allowed(cx: &Context<'_>, d: &Document) -> Option<Span> {
    let holder = d.resource.and_then(|r| cx.project.resources.get(r))?;
    if d.kind != PolicyKind::Resource || &*holder.kind != "AWS::S3::BucketPolicy" || d.statements.is_empty() {
        return None;
    }
    let refused = d.statements.iter().any(|s| {
        s.open
            || s.effect.is_none()
            || s.denies()
                && s.conditions.iter().any(|c| {
                    let key = c.key.display().to_lowercase();
                    let bool_false = c.parsed.is_some_and(|o| {
                        matches!(
                            o.family,
                            OperatorFamily::Bool | OperatorFamily::String | OperatorFamily::Null
                        )
                    });
                    key == "aws:securetransport" && bool_false || key == "s3:tlsversion"
                })
    });
    (!refused).then(|| d.statement_key.unwrap_or(d.span))
}
