//! Places that are meant for credentials or often have them: arguments, environments, user data.

use crate::finding::Severity;
use crate::model::resource_types::{self, EnvironmentOwner};
use crate::model::{Resource, kinds};
use crate::project::{Project, ResourceId};
use crate::rules::{RuleId, ids};
use crate::secrets::{NamedSecret, slot_of};
use crate::source::{Span, Text, file_name};
use crate::value::{Value, ValueKind};

/// The place of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CredentialSlot {
    Provider,
    Backend,
    Lambda,
    UserData,
    CodeBuild,
    Ecs,
    Authentication,
    SsmParameter,
    Boto3,
    Environ,
    /// `.aws/credentials`, or a CSV file with access keys that the console exports.
    CredentialsFile,
}

impl CredentialSlot {
    /// The rule of the place.
    pub(super) fn rule(self) -> RuleId {
        match self {
            Self::Provider => ids::TF_PROVIDER_STATIC_CREDENTIALS,
            Self::Backend => ids::TF_BACKEND_STATIC_CREDENTIALS,
            Self::Lambda => ids::LAMBDA_ENV_CREDENTIAL,
            Self::UserData => ids::EC2_USER_DATA_CREDENTIAL,
            Self::CodeBuild => ids::CODEBUILD_PLAINTEXT_AWS_CREDENTIALS,
            Self::Ecs => ids::ECS_TASK_ENV_CREDENTIAL,
            Self::Authentication => ids::CFN_AUTHENTICATION_METADATA,
            Self::SsmParameter => ids::SSM_PARAMETER_LITERAL_SECRET,
            Self::Boto3 => ids::PY_HARDCODED_CREDENTIALS,
            Self::Environ => ids::PY_CONFIG_ENV_CREDENTIAL,
            Self::CredentialsFile => ids::SHARED_CREDENTIALS_FILE_COMMITTED,
        }
    }

    /// The lowest severity of a credential in this place.
    pub(super) fn severity(self) -> Severity {
        match self {
            Self::CodeBuild | Self::Ecs | Self::Authentication | Self::SsmParameter => Severity::High,
            Self::Provider
            | Self::Backend
            | Self::Lambda
            | Self::UserData
            | Self::Boto3
            | Self::Environ
            | Self::CredentialsFile => Severity::Critical,
        }
    }

    /// The place for a message, after "in".
    pub(super) fn phrase(self) -> &'static str {
        match self {
            Self::Provider => "a Terraform provider block",
            Self::Backend => "a Terraform backend block",
            Self::Lambda => "the environment of a Lambda function",
            Self::UserData => "user data",
            Self::CodeBuild => "the environment of a CodeBuild project",
            Self::Ecs => "the environment of an ECS container",
            Self::Authentication => "CloudFormation authentication metadata",
            Self::SsmParameter => "the value of an SSM parameter",
            Self::Boto3 => "an argument of a boto3 client",
            Self::Environ => "an environment variable set by the program",
            Self::CredentialsFile => "a credentials file",
        }
    }
}

/// One literal string in such a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct SlotLiteral<'p> {
    pub(super) place: CredentialSlot,
    pub(super) resource: ResourceId,
    /// The kind of credential by its name: `AWS_SECRET_ACCESS_KEY`, `secret_key`.
    pub(super) slot: Option<NamedSecret>,
    pub(super) text: &'p Text,
    /// As written, with its quotes.
    pub(super) value: &'p Value,
}

/// Every literal string in every such place.
pub(super) fn literals<'p>(project: &'p Project<'_>) -> Vec<SlotLiteral<'p>> {
    let mut out = Vec::new();
    for (id, r) in project.resources.iter_enumerated() {
        collect_from_resource(id, r, &mut out);
    }
    out
}

/// The strings that `value` can be.
pub(super) fn strings(value: &Value) -> Vec<(&Text, &Value)> {
    let mut out = Vec::new();
    let mut stack = vec![value];
    while let Some(v) = stack.pop() {
        match &v.kind {
            ValueKind::Str(t) => out.push((t, v)),
            ValueKind::OneOf(branches) => stack.extend(branches.iter().rev().map(|b| &b.value)),
            _ => {}
        }
    }
    out
}

/// The span of a literal, without its quotes if their place is known.
pub(super) fn span_of(text: &Text, value: &Value) -> Span {
    text.span_of(0..text.len())
        .filter(|s| value.span.contains(*s) && !s.is_empty())
        .unwrap_or(value.span)
}

fn collect_from_resource<'p>(id: ResourceId, r: &'p Resource, out: &mut Vec<SlotLiteral<'p>>) {
    let mut push = |place, slot, value: Option<&'p Value>| {
        if let Some(value) = value {
            out.extend(strings(value).into_iter().map(|(text, value)| SlotLiteral {
                place,
                resource: id,
                slot,
                text,
                value,
            }));
        }
    };
    let named = |place| {
        [
            ("AccessKey", NamedSecret::AccessKeyId),
            ("SecretKey", NamedSecret::SecretAccessKey),
            ("Token", NamedSecret::SessionToken),
        ]
        .map(|(key, slot)| (place, slot, r.get(key)))
    };
    match &*r.kind {
        kinds::PROVIDER => named(CredentialSlot::Provider)
            .into_iter()
            .for_each(|(p, s, v)| push(p, Some(s), v)),
        kinds::BACKEND => named(CredentialSlot::Backend)
            .into_iter()
            .for_each(|(p, s, v)| push(p, Some(s), v)),
        kinds::BOTO3_CLIENT => {
            for (key, slot) in [
                ("aws_access_key_id", NamedSecret::AccessKeyId),
                ("aws_secret_access_key", NamedSecret::SecretAccessKey),
                ("aws_session_token", NamedSecret::SessionToken),
            ] {
                push(CredentialSlot::Boto3, Some(slot), r.get(key));
            }
        }
        kinds::ENVIRON => {
            let slot = r.get("Name").and_then(Value::as_str).and_then(|n| slot_of(&n));
            push(CredentialSlot::Environ, slot, r.get("Value"));
        }
        "AWS::SSM::Parameter" => push(CredentialSlot::SsmParameter, None, r.get("Value")),
        _ => {}
    }
    if let Some(facts) = resource_types::find(&r.kind) {
        for (owner, path) in facts.environments {
            let place = match owner {
                EnvironmentOwner::CodeBuild => CredentialSlot::CodeBuild,
                EnvironmentOwner::Ecs => CredentialSlot::Ecs,
                EnvironmentOwner::Lambda => CredentialSlot::Lambda,
            };
            variables(&r.props, path, &mut |slot, value| push(place, slot, value));
        }
        for path in facts.user_data {
            push(CredentialSlot::UserData, None, r.path(path));
        }
    }
    let authentication = r
        .metadata
        .as_ref()
        .and_then(|m| m.get("AWS::CloudFormation::Authentication"));
    for method in authentication.and_then(Value::entries).unwrap_or_default() {
        for (key, slot) in [
            ("accessKeyId", Some(NamedSecret::AccessKeyId)),
            ("secretKey", Some(NamedSecret::SecretAccessKey)),
            ("password", None),
        ] {
            push(CredentialSlot::Authentication, slot, method.value.get(key));
        }
    }
}

/// Calls `f` for each variable of the environment at `path`: a map, or a list of names and values, `X[]`.
fn variables<'v>(value: &'v Value, path: &[&str], f: &mut dyn FnMut(Option<NamedSecret>, Option<&'v Value>)) {
    let Some((part, rest)) = path.split_first() else {
        return entries(value).for_each(|(name, v)| f(env_slot(&name, Some(v)), Some(v)));
    };
    let value = value.decoded();
    let Some(list) = part.strip_suffix("[]") else {
        if let Some(inner) = value.get(part) {
            variables(inner, rest, f);
        }
        return;
    };
    // ECS accepts its own API's spelling.
    let lower = format!("{}{}", list[..1].to_ascii_lowercase(), &list[1..]);
    let items = either_property(value, list, &lower).map(|v| v.decoded().items());
    for item in items.unwrap_or_default() {
        let plain = either_property(item, "Type", "type").is_none_or(|t| t.as_str().is_some_and(|t| t == "PLAINTEXT"));
        match rest {
            [] if plain => f(item_slot(item), either_property(item, "Value", "value")),
            [] => {}
            _ => variables(item, rest, f),
        }
    }
}

fn item_slot(item: &Value) -> Option<NamedSecret> {
    env_slot(
        &either_property(item, "Name", "name")?.as_str()?,
        either_property(item, "Value", "value"),
    )
}

/// The kind of credential by the name of an environment variable. `secret_key` without `aws` counts only if the value
/// has about the right length.
fn env_slot(name: &str, value: Option<&Value>) -> Option<NamedSecret> {
    slot_of(name).or_else(|| {
        let value = value?.as_str()?;
        let plain = !value.contains(char::is_whitespace);
        match name.to_ascii_lowercase().replace('-', "_").as_str() {
            "secret_key" | "secretkey" | "secret_access_key" if plain && (38..=44).contains(&value.len()) => {
                Some(NamedSecret::SecretAccessKey)
            }
            "access_key" | "accesskey" | "access_key_id" if plain && (16..=24).contains(&value.len()) => {
                Some(NamedSecret::AccessKeyId)
            }
            _ => None,
        }
    })
}

pub(super) fn either_property<'v>(value: &'v Value, a: &str, b: &str) -> Option<&'v Value> {
    value.get(a).or_else(|| value.get(b))
}

fn entries(value: &Value) -> impl Iterator<Item = (String, &Value)> {
    value
        .decoded()
        .entries()
        .unwrap_or_default()
        .iter()
        .map(|e| (e.key.display(), &e.value))
}

/// Spans, merged where they overlap.
pub(super) struct Spans(Vec<Span>);

impl Spans {
    pub(super) fn new(mut spans: Vec<Span>) -> Self {
        spans.sort_unstable();
        let mut out: Vec<Span> = Vec::with_capacity(spans.len());
        for s in spans {
            match out.last_mut() {
                Some(last) if last.file == s.file && s.start < last.end => last.end = last.end.max(s.end),
                _ => out.push(s),
            }
        }
        Self(out)
    }

    /// Whether any of them shares a byte with `span`.
    pub(super) fn overlaps_any(&self, span: Span) -> bool {
        let after = self.0.partition_point(|s| (s.file, s.start) < (span.file, span.end));
        after
            .checked_sub(1)
            .is_some_and(|i| self.0[i].file == span.file && self.0[i].end > span.start)
    }
}

/// Whether the file at `path` holds credentials, by its name: `.aws/credentials` or a CSV export of the console.
pub(super) fn is_credentials_file(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let name = file_name(&lower);
    name == "credentials"
        || lower.ends_with(".aws/config")
        || (name.ends_with(".csv")
            && (name.contains("accesskey") || name.contains("credentials") || name == "rootkey.csv"))
}
