//! Policy documents as AWS will see them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Number, Value as Json};

use super::json::{JsonSpan, JsonUnread, SCHEMA_VERSION, span, unread};
use crate::iam::{Document, DocumentOrigin, DocumentUse, PolicyKind, SourceFormat, UnknownPart, catalogue};
use crate::index::DocumentId;
use crate::model::full_address;
use crate::phrase;
use crate::project::{Identity, PolicyRef, Project};
use crate::source::{Problem, Sources, Span, pretty_json, push_line};
use crate::value::{Branch, MAX_DEPTH, Value, ValueKind, parts};

/// Longest text that is shown whole, in bytes. No policy is longer (IAM and AWS STS quotas; Amazon S3, 20 KB), and text that
/// is quoted over and over doubles each time.
const MAX_SHOWN: usize = 32 << 10;

/// What `overgrant policies` shows.
#[derive(Clone, Copy, Debug)]
pub struct ListedPolicies<'a> {
    pub project: &'a Project<'a>,
    pub errors: &'a [Problem],
}

/// What `overgrant policies --format json` writes.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonPolicies<'a> {
    /// Version of this layout.
    schema_version: &'static str,
    /// By path and position.
    policies: Vec<JsonPolicy<'a>>,
    /// Files that could not be read completely.
    errors: Vec<JsonUnread<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonPolicy<'a> {
    path: &'a str,
    span: JsonSpan,
    /// `json`, `cfn`, `tf`, `python`, `text`, …
    format: &'static str,
    /// `identity`, `trust`, `resource`, …
    kind: &'static str,
    /// The resource whose property holds the policy.
    owner: Option<JsonOwner>,
    /// Addresses of the identities that have it.
    attached_to: Vec<String>,
    /// The policy. Unknown parts are `"${name}"`; alternatives are an object with a key for each condition.
    document: Json,
    /// Whether the whole policy is known.
    complete: bool,
    unknown: Vec<JsonUnknown<'a>>,
    /// `aws-managed`, `generated`, or `sam-template`, where the policy is not written in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
    /// What the source calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonOwner {
    /// Address of the resource.
    address: String,
    /// As in CloudFormation: `AWS::IAM::Role`.
    #[serde(rename = "type")]
    type_name: String,
    /// Attribute or property of the resource.
    attribute: String,
}

/// A part of a policy that is not known.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonUnknown<'a> {
    name: &'a str,
    why: &'static str,
    path: &'a str,
    span: JsonSpan,
}

/// The JSON Schema of the list of policies; that of `--unjudged` is one of `$defs`.
#[cfg(feature = "cli")]
pub(crate) fn schema() -> Json {
    let about = "What `overgrant policies --format json` writes. With `--unjudged` it is a `JsonUnjudgedList`.";
    super::json::schema_of::<JsonPolicies<'_>, super::unjudged::JsonUnjudgedList<'_>>("overgrant policies", about)
}

/// A value as JSON; what is not known is `"${name}"`, and alternatives are an object with a key for each condition.
pub fn policy_json(value: &Value) -> Json {
    json_of(value.decoded(), 0)
}

/// The text, cut where it is too long.
fn cut_text(mut text: String) -> String {
    if text.len() > MAX_SHOWN {
        text.truncate(text.floor_char_boundary(MAX_SHOWN));
        text.push('…');
    }
    text
}

fn json_of(value: &Value, depth: u32) -> Json {
    if depth > MAX_DEPTH {
        return "…".into();
    }
    match &value.kind {
        ValueKind::Null => Json::Null,
        ValueKind::Bool(b) => (*b).into(),
        ValueKind::Num(n) => n.parse::<Number>().map_or_else(|_| Json::from(&**n), Json::Number),
        ValueKind::Str(t) => cut_text(t.display()).into(),
        ValueKind::Seq(items) => items.iter().map(|v| json_of(v, depth + 1)).collect(),
        ValueKind::Map(entries) => {
            let mut map = Map::new();
            for (goes_on, e) in parts(entries) {
                let json = json_of(&e.value, depth + 1);
                match (map.get_mut(&e.key.display()), json) {
                    (Some(Json::Object(first)), Json::Object(more)) if goes_on => first.extend(more),
                    (_, json) => {
                        map.insert(e.key.display(), json);
                    }
                }
            }
            Json::Object(map)
        }
        ValueKind::Json(inner) => cut_text(json_of(inner, depth + 1).to_string()).into(),
        // What each condition makes of it: `{"${if IsProd}": …, "${unless IsProd}": …}`.
        ValueKind::OneOf(branches) => {
            let each = |b: &Branch| (format!("${{{}}}", b.when), json_of(&b.value, depth + 1));
            Json::Object(branches.iter().map(each).collect())
        }
        ValueKind::Unknown(hole) => format!("${{{}}}", hole.name).into(),
    }
}

/// One line of the list.
struct PolicyRow<'a> {
    span: Span,
    format: SourceFormat,
    kind: PolicyKind,
    owner: Option<JsonOwner>,
    attached_to: Vec<String>,
    used_at: &'a [DocumentUse],
    document: Json,
    statements: usize,
    unresolved: &'a [UnknownPart],
    source: Option<(UnwrittenSource, &'a str)>,
}

/// What wrote a policy that is not in the file.
#[derive(Clone, Copy)]
enum UnwrittenSource {
    AwsManaged,
    Generated,
    SamTemplate,
}

impl UnwrittenSource {
    fn name(self) -> &'static str {
        match self {
            Self::AwsManaged => "aws-managed",
            Self::Generated => "generated",
            Self::SamTemplate => "sam-template",
        }
    }
}

fn rows<'a>(seen: &ListedPolicies<'a>) -> Vec<PolicyRow<'a>> {
    let project = seen.project;
    let mut attached: BTreeMap<DocumentId, Vec<String>> = BTreeMap::new();
    let mut rows: Vec<PolicyRow<'a>> = Vec::new();
    for identity in &project.identities {
        let name = address(project, identity);
        for id in &identity.trust {
            attached.entry(*id).or_default().push(name.clone());
        }
        for used in identity.policies.iter().chain(&identity.boundary) {
            match &used.policy {
                PolicyRef::Documents(ids) => {
                    for id in ids {
                        attached.entry(*id).or_default().push(name.clone());
                    }
                }
                PolicyRef::AwsManaged(policy) => rows.extend(managed(project, identity, policy, used.span, &name)),
                PolicyRef::Elsewhere(_) => {}
            }
        }
    }
    for (id, d) in project.documents.iter_enumerated() {
        let mut to = attached.remove(&id).unwrap_or_default();
        to.sort();
        to.dedup();
        rows.push(row(d, to));
    }
    rows.extend(project.unread.iter().map(|d| row(d, Vec::new())));
    let in_scope = |span: &Span| project.sources.file(span.file).in_scope;
    rows.retain(|r| in_scope(&r.span) || r.used_at.iter().any(|u| in_scope(&u.span)));
    rows.sort_by(|a, b| (a.span, &a.attached_to).cmp(&(b.span, &b.attached_to)));
    rows
}

fn address(project: &Project<'_>, identity: &Identity) -> String {
    let resource = project.resources.get(identity.resource);
    resource.map(|r| r.address.full().into_owned()).unwrap_or_default()
}

fn managed<'a>(
    project: &Project<'_>,
    identity: &Identity,
    policy: &'a str,
    span: Span,
    name: &str,
) -> Option<PolicyRow<'a>> {
    let known = catalogue().managed_policy(policy)?;
    let document: Json = serde_json::from_str(known.document_json()?).ok()?;
    let format = project.resources.get(identity.resource)?.format;
    let statements = document
        .get("Statement")
        .map_or(0, |s| s.as_array().map_or(1, Vec::len));
    Some(PolicyRow {
        span,
        format,
        kind: PolicyKind::Identity,
        owner: None,
        attached_to: vec![name.to_owned()],
        used_at: &[],
        document,
        statements,
        unresolved: &[],
        source: Some((UnwrittenSource::AwsManaged, policy)),
    })
}

fn row(d: &Document, attached_to: Vec<String>) -> PolicyRow<'_> {
    PolicyRow {
        span: d.span,
        format: d.format,
        kind: d.kind,
        owner: d.owner.as_ref().map(|o| JsonOwner {
            address: full_address(&o.scope, &o.address).into_owned(),
            type_name: o.type_name.to_string(),
            attribute: o.attribute.to_string(),
        }),
        attached_to,
        used_at: &d.used_at,
        document: policy_json(&d.value),
        statements: d.statements.len(),
        unresolved: &d.unresolved,
        source: match &d.origin {
            DocumentOrigin::Written => None,
            DocumentOrigin::AwsManaged(name) => Some((UnwrittenSource::AwsManaged, name)),
            DocumentOrigin::CdkGrant(name) => Some((UnwrittenSource::Generated, name)),
            DocumentOrigin::SamTemplate(name) | DocumentOrigin::Generated(name)
                if matches!(d.format, SourceFormat::Serverless | SourceFormat::Python) =>
            {
                Some((UnwrittenSource::Generated, name))
            }
            DocumentOrigin::SamTemplate(name) | DocumentOrigin::Generated(name) => {
                Some((UnwrittenSource::SamTemplate, name))
            }
        },
    }
}

pub fn policies_json(seen: &ListedPolicies<'_>) -> String {
    let sources = seen.project.sources;
    pretty_json(&JsonPolicies {
        schema_version: SCHEMA_VERSION,
        policies: rows(seen).into_iter().map(|r| policy(sources, r)).collect(),
        errors: unread(sources, seen.errors),
    })
}

fn policy<'a>(sources: &'a Sources, r: PolicyRow<'a>) -> JsonPolicy<'a> {
    let unknown = |u: &'a UnknownPart| JsonUnknown {
        name: &u.name,
        why: u.why.text(),
        path: sources.path(u.span.file),
        span: span(sources, u.span),
    };
    let (source, name) = r.source.unzip();
    JsonPolicy {
        path: sources.path(r.span.file),
        span: span(sources, r.span),
        format: r.format.name(),
        kind: r.kind.name(),
        owner: r.owner,
        attached_to: r.attached_to,
        document: r.document,
        complete: r.unresolved.is_empty(),
        unknown: r.unresolved.iter().map(unknown).collect(),
        source: source.map(UnwrittenSource::name),
        name,
    }
}

pub fn policies_human(seen: &ListedPolicies<'_>) -> String {
    let sources = seen.project.sources;
    let mut out = String::new();
    for r in rows(seen) {
        let at = sources.positions(r.span).0;
        let mut line = format!(
            "{}:{}:{}: {} policy ({})",
            sources.path(r.span.file),
            at.line,
            at.column,
            r.kind.name(),
            r.format.name()
        );
        if let Some((source, name)) = r.source {
            let _ = write!(line, ", {} {name}", source.name());
        }
        if let Some(owner) = &r.owner {
            let _ = write!(line, ", {} of {}", owner.attribute, owner.address);
        }
        if !r.attached_to.is_empty() {
            let _ = write!(line, ", on {}", r.attached_to.join(", "));
        }
        let _ = write!(line, ", {}", phrase::count(r.statements, "statement", "statements"));
        if !r.unresolved.is_empty() {
            line.push_str(", partly unknown");
        }
        push_line(&mut out, &line);
        let text = serde_json::to_string_pretty(&r.document).unwrap_or_default();
        for line in text.lines() {
            push_line(&mut out, &format!("  {line}"));
        }
        for u in r.unresolved {
            let at = sources.positions(u.span).0;
            let (path, why) = (sources.path(u.span.file), u.why.text());
            push_line(
                &mut out,
                &format!("  unknown: ${{{}}}, {why} ({path}:{}:{})", u.name, at.line, at.column),
            );
        }
    }
    for p in seen.errors {
        let at = sources.positions(p.span).0;
        let path = sources.path(p.span.file);
        push_line(
            &mut out,
            &format!("{path}:{}:{}: not read: {}", at.line, at.column, p.message),
        );
    }
    out
}
