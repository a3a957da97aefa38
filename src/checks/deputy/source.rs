//! `aws:SourceArn` and its like.
//! IAM User Guide, "The confused deputy problem", "Cross-service confused deputy prevention".

use crate::checks::narrowing;
use crate::finding::{Finding, Severity};
use crate::iam::access::{lets_do_nothing, serves_organization, weighed};
use crate::iam::arn::Arn;
use crate::iam::arn::ArnField;
use crate::iam::catalogue::{AccessLevel, Action};
use crate::iam::condition::Grade;
use crate::iam::condition::strength;
use crate::iam::principal::{PrincipalOrigin, place};
use crate::iam::{Condition, Document, PolicyKind, Statement, pattern};
use crate::project::DocumentId;
use crate::rules::{Context, FindingSink};
use crate::source::Text;
use crate::value::Value;

/// Services whose resource policies are told most often to strangers' sake.
const GRAVE: [&str; 5] = ["s3", "sns", "sqs", "kms", "lambda"];

/// Principals that write without telling for whom, or that act on resources of one's own only.
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

/// Principals that write only to what the owner of the source owns too, and that service's page.
const SAME_OWNER: [(&str, &str); 1] = [
    // "Logging requests with server access logging": the destination bucket has the owner of the source bucket.
    (
        "logging.s3.amazonaws.com",
        "S3 delivers access logs only to buckets of the account whose bucket is logged",
    ),
];

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    permission(cx, out);
    for (id, d, i, s) in cx.statements() {
        if !s.allows() || !matches!(d.kind, PolicyKind::Resource | PolicyKind::Trust) {
            continue;
        }
        for c in &s.conditions {
            source_arn(cx, out, id, (i, s), c);
        }
        if d.kind == PolicyKind::Resource {
            without(cx, out, (id, d), (i, s));
        }
    }
}

fn without(cx: &Context<'_>, out: &mut FindingSink<'_>, (id, d): (DocumentId, &Document), (i, s): (usize, &Statement)) {
    let Some(clause) = s.principal.as_ref().filter(|c| !c.negated) else {
        return;
    };
    if weighed(d, s).narrows() || lets_do_nothing(d, s) {
        return;
    }
    let mut found: Option<Finding> = None;
    let organization = serves_organization(d);
    for item in &clause.items {
        let PrincipalOrigin::Service { name } = place(item, cx.project.own, None) else {
            continue;
        };
        if SILENT.contains(&name.as_str()) {
            continue;
        }
        let service = d.service.as_deref().unwrap_or_default();
        // What CloudWatch Logs encrypts with a key is decrypted for the account of the log group only.
        let of_logs = service == "kms" && name == "logs.amazonaws.com";
        let severity = if GRAVE.contains(&service) && !keeps_inside(s) && !only_adds_objects(s) && !of_logs {
            Severity::High
        } else {
            Severity::Medium
        };
        let reads_only = only_looks(s);
        // All of one statement are one mistake, which one condition repairs.
        if let Some(f) = found {
            let mut f = f.secondary(item.value.span, format!("nor for `{name}`"));
            f.evidence.principals.push(name);
            found = Some(f);
            continue;
        }
        // The account of the resource is one of many that the service acts for here.
        let shared = organization || name == "cloudtrail.amazonaws.com" && has_organization_trail(cx);
        let label = match shared {
            true => "no `aws:SourceArn` or `aws:SourceOrgID`",
            false => "no `aws:SourceArn` or `aws:SourceAccount`",
        };
        let mut f = cx
            .at_statement(
                "service-principal-without-source",
                id,
                i,
                format!("`{name}` may use this for any account"),
            )
            .primary(item.value.span, label)
            .principals([name.clone()])
            .severity(if reads_only { Severity::Low } else { severity });
        if let Some((_, why)) = SAME_OWNER.iter().find(|(principal, _)| *principal == name) {
            f = f.severity(Severity::Low).note(*why);
        }
        if shared {
            f = f.help(
                "Add a condition on `aws:SourceOrgID` with the ID of your organization, whose accounts use this resource, or on \
                 `aws:SourceArn`. `aws:SourceAccount` with one account would lock out the others.",
            );
        }
        // Other services in the statement would be restricted too.
        let remedy = match shared {
            true => narrowing::source_organization(cx, d, s),
            false => narrowing::source_account(cx, id, s),
        };
        f.remedies.extend(remedy.filter(|_| clause.items.len() == 1));
        if of_logs {
            f.remedies.clear();
            f = f.help(
                "Add a condition `ArnLike` on `kms:EncryptionContext:aws:logs:arn` with the ARNs of your log groups: CloudWatch Logs \
                 sends the log group as the encryption context.",
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
            f = f.help("Remove this principal: SQS calls nothing by itself.");
        }
        found = Some(f);
    }
    if let Some(f) = found {
        out.push(f);
    }
}

/// Amazon EventBridge User Guide, "Using resource-based policies for Amazon EventBridge", "Amazon SNS permissions": conditions do
/// not work in the policy of a topic that a rule publishes to, nor for the key of such a topic; for the key of a bus they do.
fn help_for_events(service: &str) -> &'static str {
    match service {
        "kms" => {
            "If the key encrypts an event bus, add a condition on `aws:SourceArn` or `aws:SourceAccount`. If it encrypts a topic or \
             queue that a rule sends to, keep the statement: EventBridge does not support the condition there."
        }
        _ => {
            "EventBridge does not support conditions in the policies of topics: one would stop delivery. Use a topic of its own for \
             rules, and let what reads it check the account in the event."
        }
    }
}

/// CloudTrail User Guide, "Creating a trail for an organization".
fn has_organization_trail(cx: &Context<'_>) -> bool {
    let mut trails = (cx.project.resources.iter()).filter(|r| &*r.kind == "AWS::CloudTrail::Trail");
    trails.any(|r| r.get("IsOrganizationTrail").and_then(Value::as_bool) == Some(true))
}

/// Only puts messages into a queue or topic, or uses a key, for what the service itself keeps: nothing comes out to others.
fn keeps_inside(s: &Statement) -> bool {
    let known = s.action.as_ref().filter(|a| !a.negated && a.is_known());
    let set = known.and_then(|a| a.actions());
    set.is_some_and(|set| {
        !set.is_empty()
            && set
                .iter()
                .all(|a| matches!(a.name(), "sns:Publish" | "sqs:SendMessage") || uses_key(a))
    })
}

/// Only adds objects to a bucket, as deliverers of logs do: strangers can fill it, and read or delete nothing.
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

/// Works with a key without changing it or who may use it.
fn uses_key(a: Action) -> bool {
    let name = a.short_name();
    a.service().prefix() == "kms"
        && (matches!(name, "Decrypt" | "Encrypt")
            || name.starts_with("Describe")
            || name.starts_with("GenerateDataKey")
            || name.starts_with("ReEncrypt"))
}

/// Only describes the resource, which gives away nothing of what it holds: `kms:DescribeKey`, `sqs:GetQueueAttributes`, and
/// `s3:GetBucketAcl`, which log deliverers ask for first.
pub(super) fn only_looks(s: &Statement) -> bool {
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

fn source_arn(cx: &Context<'_>, out: &mut FindingSink<'_>, id: DocumentId, (i, s): (usize, &Statement), c: &Condition) {
    if !c.key.text.display().eq_ignore_ascii_case("aws:SourceArn") {
        return;
    }
    let account = strength(s).has("aws:SourceAccount", Grade::Narrows)
        || strength(s).has("aws:SourceOrgID", Grade::Narrows)
        || strength(s).has("aws:SourceOwner", Grade::Narrows)
        || strength(s).pins_who();
    for value in &c.values {
        if pattern::is_star(&value.text) || any_account(&value.text) {
            if account && !pattern::is_star(&value.text) {
                continue;
            }
            out.push(
                cx.at_statement(
                    "source-arn-wildcard",
                    id,
                    i,
                    "`aws:SourceArn` lets in resources of every account",
                )
                .primary(value.span, "matches any account")
                .other("aws:sourcearn"),
            );
        } else if is_bucket(&value.text) && !account {
            out.push(
                cx.at_statement(
                    "s3-source-arn-needs-source-account",
                    id,
                    i,
                    "a bucket's ARN does not say whose bucket it is",
                )
                .primary(value.span, "anybody's, once the name is free")
                .other("aws:sourcearn"),
            );
        }
    }
}

fn any_account(text: &Text) -> bool {
    Arn::parse(text).is_some_and(|a| matches!(a.account(), ArnField::Any)) && !is_bucket(text)
}

/// A bucket by its name, which no two accounts have: `arn:aws:s3:::reports`, or as the S3 User Guide writes it,
/// `arn:aws:s3:*:*:reports`.
fn is_bucket(text: &Text) -> bool {
    Arn::parse(text).is_some_and(|a| {
        let named = !a.resource.prefix().starts_with(['*', '?']);
        a.service().as_deref() == Some("s3") && named && matches!(a.account(), ArnField::Empty | ArnField::Any)
    })
}

/// The same for a Lambda permission, which is a statement in other words.
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
                    "source-arn-wildcard",
                    id,
                    "`SourceArn` lets in resources of every account",
                )
                .primary(source.span, "matches any account")
                .scope(r.header, "")
                .other("aws:sourcearn"),
            );
        }
        let bucket = source.as_text().is_some_and(is_bucket);
        if principal == "s3.amazonaws.com" && bucket && !has_account {
            let mut f = cx
                .at_resource(
                    "s3-source-arn-needs-source-account",
                    id,
                    "a bucket's ARN does not say whose bucket it is",
                )
                .under(r.branch.as_ref())
                .primary(source.span, "anybody's, once the name is free")
                .scope(r.header, "")
                .other("aws:sourcearn");
            let key = r.props.entry("SourceArn").map(|e| e.key_span);
            f.remedies
                .extend(key.and_then(|key| narrowing::source_account_beside(cx, r.format, key)));
            out.push(f);
        }
    }
}
