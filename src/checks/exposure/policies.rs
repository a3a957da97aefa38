//! Resource-based policies that are public, or that allow every action.
//! IAM User Guide, "Identity-based policies and resource-based policies"; Amazon S3 User Guide, "The meaning of public".

use crate::finding::Severity;
use crate::iam::access::{
    Audience, Limit, allows_nothing, audience, is_owners_root, names_a_caller, strength_for_others,
};
use crate::iam::catalogue::AccessLevel;
use crate::iam::class::class;
use crate::iam::condition::{Grade, is_owner_key, strength};
use crate::iam::principal::is_open;
use crate::iam::{Action, ActionSet, Clause, ClauseItem, Document, PolicyKind, Statement, pattern};
use crate::model::Resource;
use crate::project::StatementRef;
use crate::rules::{Context, FindingSink, ids};
use crate::value::{Value, ValueKind};

/// IAM prefix, and what the policy is on.
const THINGS: &[(&str, &str)] = &[
    ("backup", "backup vault"),
    ("codeartifact", "CodeArtifact"),
    ("dynamodb", "DynamoDB"),
    ("ecr", "ECR repository"),
    ("ecr-public", "public ECR repository"),
    ("elasticfilesystem", "file system"),
    ("es", "OpenSearch domain"),
    ("events", "event bus"),
    ("execute-api", "API Gateway"),
    ("glacier", "Glacier vault"),
    ("glue", "Glue catalog"),
    ("kafka", "MSK cluster"),
    ("kinesis", "Kinesis stream"),
    ("kms", "KMS key"),
    ("lambda", "Lambda"),
    ("logs", "CloudWatch Logs"),
    ("s3", "S3 bucket"),
    ("secretsmanager", "secret"),
    ("ses", "SES identity"),
    ("sns", "SNS topic"),
    ("sqs", "SQS queue"),
    ("vpc-lattice", "VPC Lattice"),
    ("vpc-lattice-svcs", "VPC Lattice auth"),
];

/// The audience, for the message and for the label.
const EVERYBODY: (&str, &str) = ("everyone", "everyone, in every account");
const FROM_NETWORKS: (&str, &str) = (
    "everyone in the listed networks",
    "everyone in these networks, including anonymous callers",
);
const EVERY_SERVICE: (&str, &str) = ("every AWS service", "every service, for any customer");

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for s in cx.statements() {
        // An endpoint policy only limits requests; it grants nothing.
        if s.document.kind != PolicyKind::Resource || !s.allows() || s.document.service.as_deref() == Some("ec2") {
            continue;
        }
        let Some(clause) = s.principal.as_ref().filter(|_| !allows_nothing(s.document, &s)) else {
            continue;
        };
        if clause.negated {
            out.push(
                cx.at_statement(
                    ids::RESOURCE_POLICY_NOT_PRINCIPAL,
                    s,
                    format!(
                        "the {} policy allows everyone except the principals that it lists",
                        resource_noun(s.document)
                    ),
                )
                .primary(clause.key, "everyone else, in every account")
                .principals(clause.items.iter().map(|p| p.value.display())),
            );
        } else {
            public(cx, out, s);
        }
        star_action(cx, out, s);
    }
}

fn resource_noun(d: &Document) -> &'static str {
    let service = d.service.as_deref().unwrap_or_default();
    let known = THINGS.iter().find(|(prefix, _)| *prefix == service);
    known.map_or("resource", |(_, name)| name)
}

/// The severity for an audience, for any kind of resource; `None` if it is not a finding. An API is meant to be
/// called from outside, and its methods can require authorization. A VPC Lattice service is reachable only from the
/// VPCs of its network, so only anonymous callers are a finding.
fn severity(d: &Document, s: &Statement, audience: &Audience) -> Option<Severity> {
    let most = match d.service.as_deref() {
        Some("execute-api") => Severity::Medium,
        Some("vpc-lattice-svcs")
            if !matches!(audience, Audience::Everyone(Limit::None)) || requires_authentication(s) =>
        {
            return None;
        }
        Some("vpc-lattice-svcs") => Severity::Low,
        _ => Severity::Critical,
    };
    let severity = match audience {
        Audience::Everyone(Limit::None) | Audience::EveryService(Limit::None) => Severity::Critical,
        Audience::Everyone(Limit::Some) | Audience::EveryService(Limit::Some) => Severity::Medium,
        // Access to a domain from a known network is intended: without signed requests there is no other way.
        Audience::Everyone(Limit::Network) if d.service.as_deref() == Some("es") => return None,
        Audience::Everyone(Limit::Network) | Audience::EveryService(Limit::Network) => Severity::Low,
        _ => return None,
    };
    Some(severity.min(most))
}

fn public(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>) {
    let Some(clause) = &s.principal else { return };
    let all = clause.items.iter().filter_map(|p| {
        let audience = audience(s.document, &s, p, cx.project.own);
        Some((severity(s.document, &s, &audience)?, p, audience))
    });
    let Some((mut severity, item, audience)) = all.max_by_key(|(severity, ..)| *severity) else {
        return;
    };
    let strength = strength_for_others(s.document, &s);
    let name = resource_noun(s.document);
    let who = match audience {
        Audience::EveryService(_) => EVERY_SERVICE,
        Audience::Everyone(Limit::Network) => FROM_NETWORKS,
        _ => EVERYBODY,
    };
    let limited = !matches!(
        audience,
        Audience::Everyone(Limit::None) | Audience::EveryService(Limit::None)
    );
    let mut f = cx
        .at_statement(
            ids::RESOURCE_POLICY_PUBLIC,
            s,
            format!("the {name} policy allows access by {}", who.0),
        )
        .primary(item.value.span, who.1)
        .principals([item.value.display()])
        .actions(
            s.action
                .iter()
                .flat_map(|a| &a.items)
                .map(|a| a.display().to_lowercase()),
        );
    if limited {
        for bound in strength.bounds.iter().filter(|b| b.grade >= Grade::Narrows) {
            f = f.secondary(bound.span, "limits who has access");
        }
        f = f.doubt_condition(s.condition_key.filter(|_| strength.unknown));
    } else {
        for (place, why) in strength.ineffective_conditions() {
            f = f.secondary(place, why);
        }
        let owners = s.conditions.iter().filter(|c| is_owner_key(&c.lower_key));
        for c in owners.filter(|_| s.document.service.as_deref() != Some("ec2")) {
            f = f.secondary(c.key.span, "has the same value in every request");
        }
    }
    if severity == Severity::Critical && only_reads(&s) {
        severity = Severity::High;
    }
    if s.document.service.as_deref() == Some("vpc-lattice-svcs") {
        f = f
            .note("only clients in the VPCs of the service network can reach it, and they do not have to sign requests")
            .help("Name the callers, or add `StringNotEqualsIgnoreCase` on `aws:PrincipalType` with `anonymous`.");
    }
    if is_in_vpc(cx, s.document) {
        severity = Severity::Low;
        f = f.note("the domain is in a VPC: its security groups control who can reach it");
    }
    if let Some(block) = public_access_block(cx, s.document) {
        severity = Severity::Low;
        f = f.note(format!(
            "`{}` blocks public policies for this bucket",
            block.address.name
        ));
    }
    out.push(f.severity(severity));
}

/// Only reads data, other than secrets and credentials.
fn only_reads(s: &Statement) -> bool {
    let known = s.action.as_ref().filter(|a| !a.negated && a.is_known());
    let Some(set) = known.and_then(|a| a.actions()).filter(|set| !set.is_empty()) else {
        return false;
    };
    let keys = ["secrets", "credentials"];
    set.iter()
        .all(|a| matches!(a.level(), AccessLevel::List | AccessLevel::Read))
        && !keys.iter().any(|name| class(name).intersects(&set))
}

/// Whether only authenticated callers meet the conditions.
/// Amazon VPC Lattice User Guide, "Control access to VPC Lattice services using auth policies", "Anonymous principals".
fn requires_authentication(s: &Statement) -> bool {
    s.conditions.iter().any(|c| {
        let operator = c.parsed;
        let anonymous = |v: &ClauseItem| v.text.known().is_some_and(|v| v.eq_ignore_ascii_case("anonymous"));
        c.lower_key == "aws:principaltype" && operator.is_some_and(|o| c.values.iter().any(anonymous) == o.negated)
    })
}

/// Types of search domains.
const DOMAINS: [&str; 2] = ["AWS::Elasticsearch::Domain", "AWS::OpenSearchService::Domain"];

/// Amazon OpenSearch Service Developer Guide, "Launching your Amazon OpenSearch Service domains within a VPC": such a domain has
/// no public endpoint.
fn is_in_vpc(cx: &Context<'_>, d: &Document) -> bool {
    let Some(holder) = d.resource.and_then(|r| cx.project.resources.get(r)) else {
        return false;
    };
    if d.service.as_deref() != Some("es") {
        return false;
    }
    let name = holder.get("DomainName");
    // The policy may be a resource of its own, which names the domain.
    let named = |r: &Resource| {
        let (Some(name), true) = (
            name,
            DOMAINS.contains(&&*r.kind) && r.address.scope == holder.address.scope,
        ) else {
            return false;
        };
        refers_to(name, r) || r.get("DomainName").is_some_and(|own| is_same_resource(own, name))
    };
    has_vpc(holder) || cx.project.resources.iter().any(|r| named(r) && has_vpc(r))
}

/// Whether a domain has a VPC in each of its alternatives.
fn has_vpc(domain: &Resource) -> bool {
    let certain = |v: &Value| match &v.kind {
        ValueKind::OneOf(branches) => branches.len() > 1 && branches.iter().all(|b| !is_null_or_empty(&b.value)),
        _ => !is_null_or_empty(v),
    };
    let options = ["VPCOptions", "VpcOptions"];
    options.iter().any(|name| domain.get(name).is_some_and(certain))
}

fn is_null_or_empty(v: &Value) -> bool {
    v.is_null() || v.as_seq().is_some_and(<[Value]>::is_empty) || v.entries().is_some_and(<[_]>::is_empty)
}

/// The public access block in the same template or module that makes S3 reject or restrict a public policy.
/// Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage".
fn public_access_block<'a>(cx: &Context<'a>, d: &Document) -> Option<&'a Resource> {
    if d.service.as_deref() != Some("s3") {
        return None;
    }
    let holder = cx.project.resources.get(d.resource?)?;
    let bucket = holder.get("Bucket")?;
    cx.project.resources.iter().find(|r| {
        let (settings, of) = match &*r.kind {
            // The settings of the account, in the same module or template.
            "AWS::S3::AccountPublicAccessBlock" => (Some(&r.props), r.address.scope == holder.address.scope),
            "AWS::S3::Bucket" => (r.get("PublicAccessBlockConfiguration"), refers_to(bucket, r)),
            "AWS::S3::BucketPublicAccessBlock" => (
                Some(&r.props),
                r.get("Bucket").is_some_and(|b| is_same_resource(b, bucket)),
            ),
            _ => return false,
        };
        let on = |name: &str| settings.and_then(|v| v.get(name)).and_then(Value::as_bool) == Some(true);
        of && on("BlockPublicPolicy") && on("RestrictPublicBuckets")
    })
}

fn refers_to(value: &Value, r: &Resource) -> bool {
    value
        .as_hole()
        .and_then(|h| h.target.as_ref())
        .is_some_and(|t| t.scope == r.address.scope && t.address == r.address.name)
}

/// Whether both refer to one resource in the repository, or are one name.
pub(super) fn is_same_resource(a: &Value, b: &Value) -> bool {
    // By any attribute: its name, its ID, or its ARN.
    let of = |v: &Value| {
        let target = v.as_hole()?.target.as_ref()?;
        Some((target.scope.clone(), target.address.clone()))
    };
    match (of(a), of(b), a.as_hole(), b.as_hole()) {
        (Some(x), Some(y), ..) => x == y,
        // One expression in one file.
        (None, None, Some(x), Some(y)) => x.kind == y.kind && x.name == y.name && x.span.file == y.span.file,
        _ => a.as_str().is_some() && a.as_str() == b.as_str(),
    }
}

fn star_action(cx: &Context<'_>, out: &mut FindingSink<'_>, s: StatementRef<'_>) {
    let (Some(clause), Some(principal)) = (s.action.as_ref().filter(|a| !a.negated), &s.principal) else {
        return;
    };
    // The actions of a VPC Lattice auth policy only invoke the service.
    if s.document.service.as_deref() == Some("vpc-lattice-svcs") {
        return;
    }
    if !names_a_caller(&s) || is_owners_root(s.document, &s, cx.project.own) {
        return;
    }
    // Its security groups control access to the domain, and the public policy has its own finding.
    if is_open(principal) && is_in_vpc(cx, s.document) {
        return;
    }
    for item in &clause.items {
        let whole = pattern::is_star(&item.text)
            || item.text.known().is_some_and(|t| {
                t.split_once(':').is_some_and(|(service, action)| {
                    !service.is_empty() && !action.is_empty() && action.bytes().all(|b| b == b'*')
                })
            });
        if !whole {
            continue;
        }
        let all = item_actions(s.document, clause, item);
        let given = cx.project.granted_part(s, &all);
        let changes = given.fitting.is_empty() || given.fitting.iter().any(changes_policy);
        let (message, label) = match changes {
            true => (
                format!("the {} policy allows every action", resource_noun(s.document)),
                "reading, writing, deleting, and changing this policy",
            ),
            false => (
                format!(
                    "the {} policy allows every action that applies to these resources, {} in total",
                    resource_noun(s.document),
                    given.fitting.len()
                ),
                "reading, writing, and deleting, but not changing the policy",
            ),
        };
        let mut f = cx
            .at_statement(ids::RESOURCE_POLICY_STAR_ACTION_GENERIC, s, message)
            .primary(item.span, label)
            .actions([item.display().to_lowercase()]);
        if !changes || is_within_account(cx, s.document, &s) {
            f.steps_down += 1;
        }
        // A public policy has the same audience in both findings.
        if let Some(open) = principal.items.first().filter(|_| is_open(principal)) {
            f = f.scope(open.value.span, "");
        }
        if strength(&s).narrows() {
            f.steps_down += 1;
        }
        out.push(f);
    }
}

/// The actions that a wildcard covers in a resource-based policy: those of its service. The policy of a domain
/// controls requests to its indexes and APIs. Amazon OpenSearch Service Developer Guide, "Identity and Access
/// Management", "Resource-based policies".
fn item_actions(d: &Document, clause: &Clause, item: &ClauseItem) -> ActionSet {
    let set = clause.items.iter().position(|i| i.span == item.span);
    let set = set
        .and_then(|at| clause.item_actions().get(at))
        .cloned()
        .unwrap_or_default();
    match d.service.as_deref() {
        Some("es") => set.iter().filter(|a| a.name().starts_with("es:ESHttp")).collect(),
        Some(service) => set.iter().filter(|a| a.service().prefix() == service).collect(),
        None => set,
    }
}

/// Changes the policy of a resource, or removes part of it.
fn changes_policy(a: Action) -> bool {
    let name = a.short_name();
    a.level().changes()
        && (name.contains("Policy")
            || name.contains("Permission")
            || matches!(a.name(), "sns:SetTopicAttributes" | "sqs:SetQueueAttributes"))
}

/// Whether all principals belong to the account that owns the resource.
fn is_within_account(cx: &Context<'_>, d: &Document, s: &Statement) -> bool {
    let clause = s.principal.as_ref().filter(|p| !p.negated && !p.items.is_empty());
    clause.is_some_and(|c| {
        c.items
            .iter()
            .all(|p| matches!(audience(d, s, p, cx.project.own), Audience::Owner(_)))
    })
}
