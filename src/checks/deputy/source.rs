//! Conditions on `aws:SourceArn`, `aws:SourceAccount`, and `aws:SourceOrgID`.
//! IAM User Guide, "The confused deputy problem", "Cross-service confused deputy prevention".

use crate::checks::narrowing;
use crate::finding::{Finding, Severity};
use crate::iam::access::{allows_nothing, serves_organization, strength_for_others};
use crate::iam::arn::Arn;
use crate::iam::arn::ArnField;
use crate::iam::catalogue::{AccessLevel, Action};
use crate::iam::condition::Grade;
use crate::iam::condition::strength;
use crate::iam::principal::{PrincipalOrigin, origin_of};
use crate::iam::{Condition, PolicyKind, Statement, pattern};
use crate::project::StatementRef;
use crate::rules::{Context, FindingSink, ids};
use crate::source::Text;
use crate::value::Value;

/// Services for whose resources a missing source condition has high severity.
const GRAVE: [&str; 5] = ["s3", "sns", "sqs", "kms", "lambda"];

/// Service principals that do not send a source, or that act only on resources of the same account.
/// Elastic Load Balancing, "Access logs"; the guides of the services.
pub(super) const SILENT: [&str; 12] = [
    "autoscaling.amazonaws.com",
    "billingreports.amazonaws.com",
    "dynamodb.amazonaws.com",
    "ec2.amazonaws.com",
    "ecs-tasks.amazonaws.com",
    "edgelambda.amazonaws.com",
    "eks.amazonaws.com",
    "guardduty.amazonaws.com",
    "lambda.amazonaws.com",
    "logdelivery.elasticloadbalancing.amazonaws.com",
    "organizations.amazonaws.com",
    "rds.amazonaws.com",
];

/// Service principals that write only to resources of the source's owner, and the reason for a note.
const SAME_OWNER: [(&str, &str); 1] = [
    // Amazon S3 User Guide, "Logging requests with server access logging": both buckets have the same owner.
    (
        "logging.s3.amazonaws.com",
        "S3 delivers access logs only to buckets in the account of the source bucket",
    ),
];

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    permission(cx, out);
    for s in cx.statements() {
        if !s.allows() || !matches!(s.document.kind, PolicyKind::Resource | PolicyKind::Trust) {
            continue;
        }
        for c in &s.conditions {
            source_arn(cx, out, s, c);
        }
        if s.document.kind == PolicyKind::Resource {
            without_source_condition(cx, out, s);
        }
    }
}

fn without_source_condition(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>) {
    let Some(clause) = s.principal.as_ref().filter(|c| !c.negated) else {
        return;
    };
    if strength_for_others(s.document, &s).narrows() || allows_nothing(s.document, &s) {
        return;
    }
    let mut found: Option<Finding> = None;
    let organization = serves_organization(s.document);
    for item in &clause.items {
        let PrincipalOrigin::Service { name } = origin_of(item, cx.project.own, None) else {
            continue;
        };
        if SILENT.contains(&name.as_str()) {
            continue;
        }
        let service = s.document.service.as_deref().unwrap_or_default();
        // CloudWatch Logs decrypts data only for the account of the log group.
        let of_logs = service == "kms" && name == "logs.amazonaws.com";
        let severity = if GRAVE.contains(&service) && !discloses_nothing(&s) && !only_adds_objects(&s) && !of_logs {
            Severity::High
        } else {
            Severity::Medium
        };
        let reads_only = only_describes(&s);
        // One condition fixes all principals of a statement, so they share one finding.
        if let Some(f) = found {
            let mut f = f.secondary(item.value.span, format!("`{name}` is not limited either"));
            f.evidence.principals.push(name);
            found = Some(f);
            continue;
        }
        // The service acts for many accounts of the organization here.
        let shared = organization || name == "cloudtrail.amazonaws.com" && has_organization_trail(cx);
        let label = match shared {
            true => "no `aws:SourceArn` or `aws:SourceOrgID`",
            false => "no `aws:SourceArn` or `aws:SourceAccount`",
        };
        let mut f = cx
            .at_statement(
                ids::SERVICE_PRINCIPAL_WITHOUT_SOURCE,
                s,
                format!("`{name}` can use this resource for any account"),
            )
            .primary(item.value.span, label)
            .principals([name.clone()])
            .severity(if reads_only { Severity::Low } else { severity });
        if let Some((_, why)) = SAME_OWNER.iter().find(|(principal, _)| *principal == name) {
            f = f.severity(Severity::Low).note(*why);
        }
        if shared {
            f = f.help(
                "Add a condition on `aws:SourceOrgID` with the ID of your organization, or on `aws:SourceArn`. Other \
                 accounts in the organization use this resource, and `aws:SourceAccount` would lock them out.",
            );
        }
        // Other services in the statement would be restricted too.
        let remedy = match shared {
            true => narrowing::source_organization(cx, s.document, &s),
            false => narrowing::only_source(cx, s.document_id, &s, &name)
                .or_else(|| narrowing::source_account(cx, s.document_id, &s)),
        };
        f.remedies.extend(remedy.filter(|_| clause.items.len() == 1));
        if of_logs {
            f.remedies.clear();
            f = f.help(
                "Add an `ArnLike` condition on `kms:EncryptionContext:aws:logs:arn` with the ARNs of your log groups. \
                 CloudWatch Logs sends the ARN of the log group as the encryption context.",
            );
        }
        if name == "events.amazonaws.com" && matches!(service, "sns" | "kms") {
            f.remedies.clear();
            f = f.help(help_for_events(service));
            if service == "sns" {
                f = f.severity(Severity::Low);
            }
        }
        if name == "sqs.amazonaws.com" {
            f.remedies.clear();
            f = f.help("Remove this principal: Amazon SQS does not call other resources by itself.");
        }
        found = Some(f);
    }
    if let Some(f) = found {
        out.push(f);
    }
}

/// Amazon EventBridge User Guide, "Using resource-based policies for Amazon EventBridge", "Amazon SNS permissions":
/// conditions do not work in the policy of a topic that a rule publishes to, nor for the key of such a topic. They do
/// for the key of an event bus.
fn help_for_events(service: &str) -> &'static str {
    match service {
        "kms" => {
            "If the key encrypts an event bus, add a condition on `aws:SourceArn` or `aws:SourceAccount`. If it encrypts a \
             topic or queue that a rule sends to, keep the statement: EventBridge does not support the condition there."
        }
        _ => {
            "EventBridge does not support conditions in SNS topic policies, and one would stop delivery. Use a \
             separate topic for rules, and have its subscribers check the account in each event."
        }
    }
}

/// CloudTrail User Guide, "Creating a trail for an organization".
fn has_organization_trail(cx: &Context<'_>) -> bool {
    let mut trails = (cx.project.resources.iter()).filter(|r| &*r.kind == "AWS::CloudTrail::Trail");
    trails.any(|r| r.get("IsOrganizationTrail").and_then(Value::as_bool) == Some(true))
}

/// Only sends messages to a queue or topic, or uses a key for data that the service keeps: nothing is disclosed.
fn discloses_nothing(s: &Statement) -> bool {
    let known = s.action.as_ref().filter(|a| !a.negated && a.is_known());
    let set = known.and_then(|a| a.actions());
    set.is_some_and(|set| {
        !set.is_empty()
            && set
                .iter()
                .all(|a| matches!(a.name(), "sns:Publish" | "sqs:SendMessage") || uses_key(a))
    })
}

/// Only adds objects to a bucket, as log delivery does: other customers can add objects, but not read or delete any.
pub(super) fn only_adds_objects(s: &Statement) -> bool {
    let known = s.action.as_ref().filter(|a| !a.negated && a.is_known());
    let set = known.and_then(|a| a.actions());
    set.is_some_and(|set| {
        !set.is_empty()
            && set
                .iter()
                .all(|a| a.name() == "s3:PutObject" || a.name() == "s3:PutObjectAcl")
    })
}

/// Uses a key without changing it or its permissions.
fn uses_key(a: Action) -> bool {
    let name = a.short_name();
    a.service().prefix() == "kms"
        && (matches!(name, "Decrypt" | "Encrypt")
            || name.starts_with("Describe")
            || name.starts_with("GenerateDataKey")
            || name.starts_with("ReEncrypt"))
}

/// Only describes the resource without disclosing its data: `kms:DescribeKey`, `sqs:GetQueueAttributes`, and
/// `s3:GetBucketAcl`, which log delivery calls first.
pub(super) fn only_describes(s: &Statement) -> bool {
    let looks = |action: Action| {
        let reads =
            matches!(action.level(), AccessLevel::List | AccessLevel::Read) && !action.called_permissions_management();
        let name = action.short_name();
        let described = name.starts_with("Describe")
            || name.starts_with("Get")
                && ["Attributes", "Location", "Acl", "Url", "PublicKey"]
                    .iter()
                    .any(|e| name.ends_with(e));
        action.level() == AccessLevel::List || reads && described
    };
    let known = s.action.as_ref().filter(|a| !a.negated && a.is_known());
    let set = known.and_then(|a| a.actions());
    set.is_some_and(|set| !set.is_empty() && set.iter().all(looks))
}

fn source_arn(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>, c: &Condition) {
    if c.lower_key != "aws:sourcearn" {
        return;
    }
    let account = strength(&s).is_bound("aws:SourceAccount", Grade::Narrows)
        || strength(&s).is_bound("aws:SourceOrgID", Grade::Narrows)
        || strength(&s).is_bound("aws:SourceOwner", Grade::Narrows)
        || strength(&s).pins_caller();
    for value in &c.values {
        if pattern::is_star(&value.text) || any_account(&value.text) {
            if account && !pattern::is_star(&value.text) {
                continue;
            }
            out.push(
                cx.at_statement(
                    ids::SOURCE_ARN_WILDCARD,
                    s,
                    "`aws:SourceArn` matches resources in every account",
                )
                .primary(value.span, "matches any account")
                .other_evidence("aws:sourcearn")
                .remedies(narrowing::source_account(cx, s.document_id, &s).filter(|_| !pattern::is_star(&value.text))),
            );
        } else if is_bucket(&value.text) && !account {
            out.push(
                cx.at_statement(
                    ids::S3_SOURCE_ARN_NEEDS_SOURCE_ACCOUNT,
                    s,
                    "the bucket ARN does not contain an account ID",
                )
                .primary(value.span, "anyone can reuse the name of a deleted bucket")
                .other_evidence("aws:sourcearn")
                .remedies(narrowing::source_account(cx, s.document_id, &s)),
            );
        }
    }
}

fn any_account(text: &Text) -> bool {
    Arn::parse(text).is_some_and(|a| matches!(a.account(), ArnField::Any)) && !is_bucket(text)
}

/// A bucket ARN with a name: `arn:aws:s3:::reports`, or as in the Amazon S3 User Guide, `arn:aws:s3:*:*:reports`.
fn is_bucket(text: &Text) -> bool {
    Arn::parse(text).is_some_and(|a| {
        let named = !a.resource.prefix().starts_with(['*', '?']);
        a.service().as_deref() == Some("s3") && named && matches!(a.account(), ArnField::Empty | ArnField::Any)
    })
}

/// The same for a Lambda permission, which becomes a statement of the function's policy.
fn permission(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for (id, r) in cx.project.deployed() {
        if &*r.kind != "AWS::Lambda::Permission" {
            continue;
        }
        let principal = r.get("Principal").and_then(Value::as_str).unwrap_or_default();
        let Some(source) = r.get("SourceArn") else { continue };
        let has_account = r.has("SourceAccount") || r.has("PrincipalOrgID");
        let open = |text: &Text| pattern::is_star(text) || any_account(text);
        if source.as_text().is_some_and(open) && !has_account {
            out.push(
                cx.at_resource(
                    ids::SOURCE_ARN_WILDCARD,
                    id,
                    "`SourceArn` matches resources in every account",
                )
                .primary(source.span, "matches any account")
                .scope(r.header, "")
                .other_evidence("aws:sourcearn"),
            );
        }
        let bucket = source.as_text().is_some_and(is_bucket);
        if principal == "s3.amazonaws.com" && bucket && !has_account {
            let mut f = cx
                .at_resource(
                    ids::S3_SOURCE_ARN_NEEDS_SOURCE_ACCOUNT,
                    id,
                    "the bucket ARN does not contain an account ID",
                )
                .under_guard(r.branch.as_ref())
                .primary(source.span, "anyone can reuse the name of a deleted bucket")
                .scope(r.header, "")
                .other_evidence("aws:sourcearn");
            let key = r.props.entry("SourceArn").map(|e| e.key_span);
            f.remedies
                .extend(key.and_then(|key| narrowing::add_source_account(cx, r.format, key)));
            out.push(f);
        }
    }
}
