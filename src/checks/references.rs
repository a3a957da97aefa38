//! References to the one resource of its type that the repository has, for remedies that put its ARN into a policy.

use serde_json::{Value as Json, json};

use crate::finding::{EXPRESSION, Remedy, RemedyStep};
use crate::iam::{ActionSet, SourceFormat, pattern};
use crate::model::Resource;
use crate::project::StatementRef;
use crate::rules::Context;
use crate::value::{Value, ValueKind};

/// Resource types of the Service Authorization Reference, the types of resources that they are, and whether `Ref` is the ARN.
/// CloudFormation User Guide, "Return values" of each type. Types that name a role are left out: the policy of that role
/// could not name them back.
const TYPES: [(&str, &str, &str, bool); 7] = [
    ("dynamodb", "table", "AWS::DynamoDB::Table", false),
    ("kinesis", "stream", "AWS::Kinesis::Stream", false),
    ("kms", "key", "AWS::KMS::Key", false),
    ("s3", "bucket", "AWS::S3::Bucket", false),
    ("secretsmanager", "Secret", "AWS::SecretsManager::Secret", true),
    ("sns", "topic", "AWS::SNS::Topic", true),
    ("sqs", "queue", "AWS::SQS::Queue", false),
];

/// Services, and what they act for: the ARN of that is the source.
const SOURCES: [(&str, &str, bool); 4] = [
    ("cloudwatch.amazonaws.com", "AWS::CloudWatch::Alarm", false),
    ("events.amazonaws.com", "AWS::Events::Rule", false),
    ("scheduler.amazonaws.com", "AWS::Scheduler::Schedule", false),
    ("sns.amazonaws.com", "AWS::SNS::Topic", true),
];

/// Nested values that are looked at for a reference.
const MAX_VALUES: usize = 2_000;

/// The one resource of this type that the repository has, if it is deployed with what is in `scope`.
fn only<'c>(cx: &'c Context<'_>, kind: &str, scope: &str) -> Option<&'c Resource> {
    let mut all = cx.project.deployed().filter(|(_, r)| &*r.kind == kind);
    let (_, one) = all.next().filter(|_| all.next().is_none())?;
    let certain = one.branch.is_none() && !one.address.name.contains(['[', '>']);
    (certain && &*one.address.scope == scope).then_some(one)
}

/// The one resource that a service acts for.
pub(super) fn only_source_of<'c>(cx: &'c Context<'_>, service: &str, scope: &str) -> Option<&'c Resource> {
    let (_, kind, _) = SOURCES.iter().find(|(name, ..)| *name == service)?;
    only(cx, kind, scope)
}

/// The ARN of a resource, and what follows it, as the format writes it.
pub(super) fn arn_of(r: &Resource, suffix: &str) -> Option<Json> {
    let name = &*r.address.name;
    let by_ref = TYPES.iter().any(|(.., kind, by_ref)| *kind == &*r.kind && *by_ref)
        || SOURCES.iter().any(|(_, kind, by_ref)| *kind == &*r.kind && *by_ref);
    Some(match r.format {
        SourceFormat::Cloudformation | SourceFormat::Sam => match (suffix, by_ref) {
            ("", true) => json!({"Ref": name}),
            ("", false) => json!({"Fn::GetAtt": [name, "Arn"]}),
            (_, true) => json!({"Fn::Sub": format!("${{{name}}}{suffix}")}),
            (_, false) => json!({"Fn::Sub": format!("${{{name}.Arn}}{suffix}")}),
        },
        SourceFormat::Terraform => match suffix {
            "" => json!({EXPRESSION: format!("{name}.arn")}),
            _ => json!({EXPRESSION: format!("\"${{{name}.arn}}{suffix}\"")}),
        },
        _ => return None,
    })
}

/// The ID of a resource that is deployed with what is in `scope`.
pub(super) fn id_of(r: &Resource, scope: &str) -> Option<Json> {
    let name = &*r.address.name;
    let fits = &*r.address.scope == scope && r.branch.is_none() && !name.contains(['[', '>']);
    match r.format {
        _ if !fits => None,
        SourceFormat::Cloudformation | SourceFormat::Sam => Some(json!({"Ref": name})),
        SourceFormat::Terraform => Some(json!({EXPRESSION: format!("{name}.id")})),
        _ => None,
    }
}

/// The ARN of the one resource that the actions can be about, in the place of `*`.
pub(super) fn only_resource(cx: &Context<'_>, s: StatementRef<'_>, actions: &ActionSet) -> Option<Remedy> {
    let clause = s.resource.as_ref().filter(|c| !c.negated && c.complete)?;
    let [star] = clause.items.as_slice() else { return None };
    if !pattern::is_star(&star.text) || !cx.is_literal(star) || actions.is_empty() {
        return None;
    }
    // What a wildcard covers is seldom about one type.
    let services = actions.services();
    let [service] = services.as_slice() else { return None };
    let owner = s.document.owner.as_ref()?;
    let (_, name, kind, _) = TYPES.iter().find(|(prefix, ..)| prefix == service)?;
    let mut on_bucket = false;
    let mut on_objects = false;
    for action in actions.iter() {
        let types: Vec<&str> = action.resource_types().map(|t| t.name()).collect();
        match types.as_slice() {
            types if types.contains(name) => on_bucket = true,
            types if *name == "bucket" && types.contains(&"object") => on_objects = true,
            _ => return None,
        }
    }
    let resource = only(cx, kind, &owner.scope)?;
    if refers_to_others(&resource.props) {
        return None;
    }
    let value = match (on_bucket, on_objects) {
        (true, false) => arn_of(resource, "")?,
        (false, _) => arn_of(resource, "/*")?,
        (true, true) if !clause.list => json!([arn_of(resource, "")?, arn_of(resource, "/*")?]),
        (true, true) => return None,
    };
    let title = format!("only on `{}`", resource.address.name);
    Some(Remedy::risky(title).change(RemedyStep::Put { at: star.span, value }))
}

/// Whether a value refers to another resource, which may be the one that gets its ARN: neither could be made first.
fn refers_to_others(value: &Value) -> bool {
    let mut open = vec![value];
    let mut seen = 0;
    while let Some(value) = open.pop() {
        seen += 1;
        match &value.kind {
            _ if seen > MAX_VALUES => return true,
            ValueKind::Seq(items) => open.extend(items.iter()),
            ValueKind::Map(entries) => open.extend(entries.iter().map(|e| &e.value)),
            ValueKind::Str(text) if text.holes().any(|h| h.target.is_some()) => return true,
            ValueKind::Unknown(hole) if hole.target.is_some() => return true,
            _ => {}
        }
    }
    false
}
