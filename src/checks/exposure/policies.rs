//! Resource policies open to everybody, or open too far.
//! IAM User Guide, "Identity-based policies and resource-based policies"; Amazon S3 User Guide, "The meaning of public".

use super::guard::guard;
use crate::finding::Severity;
use crate::iam::arn::{Field, Shape, shape};
use crate::iam::condition::{Facet, Grade, strength};
use crate::iam::principal::{Place, Who, is_public, place};
use crate::iam::{Document, PolicyKind, Statement, pattern};
use crate::model::Resource;
use crate::project::DocumentId;
use crate::rules::{Context, Out};
use crate::value::{Kind, Value};

/// IAM prefix, what the policy is on, and how bad it is when everybody may come.
const THINGS: &[(&str, &str, Severity)] = &[
    ("backup", "backup vault", Severity::High),
    ("codeartifact", "CodeArtifact", Severity::High),
    ("dynamodb", "DynamoDB", Severity::High),
    ("ecr", "ECR repository", Severity::High),
    ("ecr-public", "public ECR repository", Severity::High),
    ("elasticfilesystem", "file system", Severity::High),
    ("es", "OpenSearch domain", Severity::Critical),
    ("events", "event bus", Severity::High),
    ("execute-api", "API Gateway", Severity::Medium),
    ("glacier", "Glacier vault", Severity::High),
    ("glue", "Glue catalogue", Severity::Medium),
    ("kafka", "MSK cluster", Severity::High),
    ("kinesis", "Kinesis stream", Severity::High),
    ("kms", "KMS key", Severity::Critical),
    ("lambda", "Lambda", Severity::Critical),
    ("logs", "CloudWatch Logs", Severity::Medium),
    ("s3", "S3 bucket", Severity::Critical),
    ("secretsmanager", "secret", Severity::Critical),
    ("ses", "SES identity", Severity::High),
    ("sns", "SNS topic", Severity::Critical),
    ("sqs", "SQS queue", Severity::Critical),
];

/// Who comes in: in the message, and at the token.
const EVERYBODY: (&str, &str) = ("everybody", "everybody, in every account");
const FROM_NETWORKS: (&str, &str) = (
    "everybody from the addresses that it names",
    "everybody there, in every account and in none",
);
const EVERY_SERVICE: (&str, &str) = ("every service of AWS", "every service, for any customer");

pub(super) fn check(cx: &Context<'_>, out: &mut Out<'_>) {
    for (id, d, i, s) in cx.statements() {
        // An endpoint's policy limits what passes it; it gives nobody anything.
        if d.kind != PolicyKind::Resource || !s.allows() || d.service.as_deref() == Some("ec2") {
            continue;
        }
        let Some(clause) = &s.principal else { continue };
        if clause.negated {
            out.push(
                cx.at_statement(
                    "resource-policy-not-principal",
                    id,
                    i,
                    format!("the {} policy lets in everybody but those that it names", thing(d).0),
                )
                .primary(clause.key, "everybody else, in every account")
                .principals(clause.items.iter().map(|p| p.value.display())),
            );
        } else {
            public(cx, out, (id, d), (i, s));
        }
        star_action(cx, out, (id, d), (i, s));
    }
}

fn thing(d: &Document) -> (&'static str, Severity) {
    let service = d.service.as_deref().unwrap_or_default();
    THINGS
        .iter()
        .find(|(p, _, _)| *p == service)
        .map_or(("resource", Severity::Critical), |(_, name, severity)| {
            (name, *severity)
        })
}

fn public(cx: &Context<'_>, out: &mut Out<'_>, (id, d): (DocumentId, &Document), (i, s): (usize, &Statement)) {
    let Some(clause) = &s.principal else { return };
    let Some((item, who)) = clause.items.iter().find_map(|p| {
        let place = place(p, cx.project.own, None);
        match place {
            // A service acts for all its customers.
            Place::AnyService => Some((p, EVERY_SERVICE)),
            _ => is_public(&place).then_some((p, EVERYBODY)),
        }
    }) else {
        return;
    };
    let strength = strength(s);
    let guard = guard(d, s, cx.project.own);
    // Amazon S3 does not call public what is for fixed addresses or one source alone; it asks for no credentials all the same.
    let network = strength.grade(Facet::From) >= Grade::Narrows;
    // Whoever reaches a domain from a known network is let in on purpose: there is no other way without signed requests.
    let domain = network && d.service.as_deref() == Some("es");
    let sourced = match who == EVERY_SERVICE {
        true => strength.source() == Grade::Pins,
        false => strength.source() >= Grade::Narrows,
    };
    if strength.pins_who() || guard == Grade::Pins || domain || sourced {
        return;
    }
    let (name, severity) = match thing(d) {
        (name, _) if network => (name, Severity::Low),
        thing => thing,
    };
    let who = match network && who == EVERYBODY {
        true => FROM_NETWORKS,
        false => who,
    };
    let mut f = cx
        .at_statement(
            "resource-policy-public",
            id,
            i,
            format!("the {name} policy lets in {}", who.0),
        )
        .primary(item.value.span, who.1)
        .principals([item.value.display()])
        .actions(
            s.action
                .iter()
                .flat_map(|a| &a.items)
                .map(|a| a.display().to_lowercase()),
        );
    let mut severity = severity;
    if strength.narrows() || guard == Grade::Narrows {
        severity = severity.lower();
        for bound in strength.bounds.iter().filter(|b| b.grade >= Grade::Narrows) {
            f = f.secondary(bound.span, "narrows who may come");
        }
        f = f.doubt_condition(s.condition_key.filter(|_| strength.unknown));
    } else {
        for (place, why) in strength.decorations() {
            f = f.secondary(place, why);
        }
    }
    if let Some(block) = blocked(cx, d) {
        severity = Severity::Low;
        f = f.note(format!(
            "`{}` blocks public policies of this bucket",
            block.address.name
        ));
    }
    out.push(f.severity(severity));
}

/// The public access block of the same template or module that makes S3 ignore a public policy.
/// Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage".
fn blocked<'a>(cx: &Context<'a>, d: &Document) -> Option<&'a Resource> {
    if d.service.as_deref() != Some("s3") {
        return None;
    }
    let holder = cx.project.resources.get(d.resource? as usize)?;
    let bucket = holder.get("Bucket")?;
    cx.project.resources.iter().find(|r| {
        let (settings, of) = match &*r.kind {
            "AWS::S3::Bucket" => (r.get("PublicAccessBlockConfiguration"), refers_to(bucket, r)),
            "AWS::S3::BucketPublicAccessBlock" => (Some(&r.props), r.get("Bucket").is_some_and(|b| same(b, bucket))),
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

fn same(a: &Value, b: &Value) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::Unknown(x), Kind::Unknown(y)) => x.target.is_some() && x.target == y.target,
        _ => match (a.as_hole(), b.as_hole()) {
            (Some(x), Some(y)) => x.target.is_some() && x.target == y.target,
            _ => a.as_str().is_some() && a.as_str() == b.as_str(),
        },
    }
}

fn star_action(cx: &Context<'_>, out: &mut Out<'_>, (id, d): (DocumentId, &Document), (i, s): (usize, &Statement)) {
    let (Some(clause), Some(principal)) = (&s.action, &s.principal) else {
        return;
    };
    if clause.negated {
        return;
    }
    // The account's own root with every action is how a key policy hands over to IAM.
    let own_root = !principal.items.is_empty()
        && principal.items.iter().all(|p| {
            let place = place(p, cx.project.own, None);
            // Of an account that is not known yet, be it filled in or looked up.
            let later = || match shape(&p.value.text) {
                Shape::Arn(arn) => matches!(arn.account(), Field::Hole(_)) && arn.resource_type() == "root",
                _ => false,
            };
            matches!(
                place,
                Place::OwnAccount { who: Who::Root, .. } | Place::OtherAccount { who: Who::Root, .. }
            ) || later()
        });
    if d.service.as_deref() == Some("kms") && own_root {
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
        let mut f = cx
            .at_statement(
                "resource-policy-star-action-generic",
                id,
                i,
                format!("the {} policy allows every action", thing(d).0),
            )
            .primary(item.span, "reading, writing, deleting and changing this policy")
            .actions([item.display().to_lowercase()]);
        if strength(s).narrows() {
            f.steps_down += 1;
        }
        out.push(f);
    }
}
