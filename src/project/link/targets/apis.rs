//! Integrations of API Gateway with services of AWS that have a role.
//!
//! API Gateway Developer Guide, "Set up an API integration request", "x-amazon-apigateway-integration object".

use std::collections::BTreeSet;

use super::{Parts, Understood, Users};
use crate::formats::data;
use crate::iam::states::TaskActions;
use crate::model::Resource;
use crate::project::{Definition, DefinitionGap, WorkloadKind};
use crate::source::{Piece, Text};
use crate::value::{Value, ValueKind};

/// What the parts of an integration are called.
struct IntegrationKeys {
    kind: &'static str,
    uri: &'static str,
    credentials: &'static str,
    method: &'static str,
    subtype: &'static str,
    templates: &'static str,
    parameters: &'static str,
}

const REST: IntegrationKeys = IntegrationKeys {
    kind: "Type",
    uri: "Uri",
    credentials: "Credentials",
    method: "IntegrationHttpMethod",
    subtype: "IntegrationSubtype",
    templates: "RequestTemplates",
    parameters: "RequestParameters",
};

const HTTP: IntegrationKeys = IntegrationKeys {
    kind: "IntegrationType",
    uri: "IntegrationUri",
    credentials: "CredentialsArn",
    method: "IntegrationMethod",
    ..REST
};

const OPEN_API: IntegrationKeys = IntegrationKeys {
    kind: "type",
    uri: "uri",
    credentials: "credentials",
    method: "httpMethod",
    subtype: "integrationSubtype",
    templates: "requestTemplates",
    parameters: "requestParameters",
};

pub(super) fn api(users: &mut Users<'_, '_, '_>, r: &Resource) {
    match &*r.kind {
        "AWS::ApiGateway::Method" => {
            if let Some(integration) = r.get("Integration") {
                add(users, integration, &REST);
            }
        }
        "AWS::ApiGateway::Integration" => add(users, &r.props, &REST),
        "AWS::ApiGatewayV2::Integration" => add(users, &r.props, &HTTP),
        _ => {
            let body = ["Body", "DefinitionBody"].into_iter().find_map(|name| r.get(name));
            if let Some(body) = body {
                of_body(users, body);
            }
        }
    }
}

/// The integrations of an OpenAPI document.
fn of_body(users: &mut Users<'_, '_, '_>, body: &Value) {
    let embedded = match &body.kind {
        ValueKind::Str(text) => data::embedded_whole(text, body.span),
        _ => None,
    };
    let body = embedded.as_ref().unwrap_or(body).decoded();
    for path in body.get("paths").and_then(Value::entries).unwrap_or(&[]) {
        for method in path.value.entries().unwrap_or(&[]) {
            if let Some(integration) = method.value.get("x-amazon-apigateway-integration") {
                add(users, integration, &OPEN_API);
            }
        }
    }
}

fn add(users: &mut Users<'_, '_, '_>, integration: &Value, names: &IntegrationKeys) {
    let Some(credentials) = integration.get(names.credentials).filter(|v| !v.is_null()) else {
        return;
    };
    // The caller's own credentials.
    let is_caller = credentials.as_str().is_some_and(|c| c.ends_with(":user/*"));
    let kind = integration.get(names.kind).and_then(Value::as_str);
    let is_aws = kind.is_none_or(|kind| kind.to_ascii_lowercase().starts_with("aws"));
    if is_aws && !is_caller {
        let content = definition(users, integration, names);
        users.push(WorkloadKind::Integration, Some(credentials), content);
    }
}

fn definition(users: &Users<'_, '_, '_>, integration: &Value, names: &IntegrationKeys) -> Understood<Definition> {
    let written = |name: &str| integration.get(name).filter(|v| !v.is_null());
    if let Some(subtype) = written(names.subtype) {
        let mut parts = Parts::new(users.linking, subtype.span);
        let unknown = || DefinitionGap::Part("integration".to_owned(), subtype.span);
        let name = subtype.as_str().ok_or_else(unknown)?;
        let (client, operation) = name.split_once('-').ok_or_else(unknown)?;
        let actions = TaskActions::of_client_call(client, operation).ok_or_else(unknown)?;
        parts.may_need("integration");
        parts.add("integration", subtype.span, client, actions, None);
        return Ok(parts.out);
    }
    let uri = written(names.uri).ok_or(DefinitionGap::NotSaid)?;
    let mut parts = Parts::new(users.linking, uri.span);
    let unknown = || DefinitionGap::Part("integration".to_owned(), uri.span);
    let text = uri.to_text().ok_or_else(unknown)?;
    if invokes_function(&parts, &text) {
        let actions = TaskActions::of_target("integration lambda").ok_or_else(unknown)?;
        parts.may_need("integration");
        parts.add("integration", uri.span, "lambda", actions, None);
        return Ok(parts.out);
    }
    // A file that is included keeps them.
    let flat = text.with_placeholders().replace("${AWS::", "${");
    let fields: Vec<&str> = flat.splitn(6, ':').collect();
    let ["arn", _, "apigateway", _, service, rest] = fields.as_slice() else {
        return Err(unknown());
    };
    let method = written(names.method).and_then(Value::as_str);
    let method = method.map(|m| m.to_uppercase());
    let all = match (*service, rest.strip_prefix("action/")) {
        (service, Some(operation)) => {
            let end = operation
                .find(|c: char| !c.is_ascii_alphanumeric())
                .unwrap_or(operation.len());
            vec![TaskActions::of_client_call(service, &operation[..end]).ok_or_else(unknown)?]
        }
        ("lambda", None) => vec![TaskActions::of_target("integration lambda").ok_or_else(unknown)?],
        ("s3", None) => {
            let method = method.ok_or_else(unknown)?;
            let key = format!("integration s3 {method}{}", level_of_s3(rest));
            vec![TaskActions::of_target(&key).ok_or_else(unknown)?]
        }
        ("runtime.sagemaker", None) if rest.ends_with("/invocations") => {
            vec![TaskActions::of_target("integration sagemaker").ok_or_else(unknown)?]
        }
        (service, None) => {
            let settings = [names.templates, names.parameters].into_iter().filter_map(written);
            let operations = requested(&flat, settings);
            if operations.is_empty() {
                return Err(DefinitionGap::Request("the integration".to_owned(), uri.span));
            }
            let each = operations.iter().map(|o| TaskActions::of_client_call(service, o));
            each.collect::<Option<Vec<_>>>().ok_or_else(unknown)?
        }
    };
    let is_one = all.len() == 1;
    parts.may_need("integration");
    for actions in all {
        let actions = if is_one { actions } else { actions.uncertain() };
        parts.add("integration", uri.span, service, actions, None);
    }
    Ok(parts.out)
}

/// What a path of Amazon S3 names: all buckets, a bucket, or an object. A placeholder is one part of it.
fn level_of_s3(path: &str) -> &'static str {
    let path = path.strip_prefix("path").unwrap_or(path);
    match path.split('/').filter(|part| !part.is_empty()).count() {
        0 => " account",
        1 => " bucket",
        _ => "",
    }
}

/// Whether an URI is the one by which API Gateway invokes a function of the repository: Terraform's `invoke_arn`.
fn invokes_function(parts: &Parts<'_, '_>, uri: &Text) -> bool {
    let [Piece::Hole(hole)] = uri.pieces() else {
        return false;
    };
    hole.target.as_ref().is_some_and(|t| &*t.attribute == "invoke_arn")
        && parts.service(uri).as_deref() == Some("lambda")
}

/// The operations that a request names: in its query (`Action=SendMessage`), or in the header `X-Amz-Target`.
fn requested<'v>(uri: &str, settings: impl Iterator<Item = &'v Value>) -> BTreeSet<String> {
    let word = |text: &str| -> String { text.chars().take_while(char::is_ascii_alphanumeric).collect() };
    let mut out = BTreeSet::new();
    let mut read = |text: &str| {
        for (at, action) in text.match_indices("Action=") {
            out.insert(word(&text[at + action.len()..]));
        }
    };
    read(uri);
    let mut named = Vec::new();
    for setting in settings {
        for entry in setting.entries().unwrap_or(&[]) {
            let Some(value) = entry.value.as_text().map(|t| t.with_placeholders().into_owned()) else {
                continue;
            };
            let key = entry.key.display().to_lowercase();
            let value = value.trim_matches('\'');
            if key.ends_with("querystring.action") {
                named.push(word(value));
            } else if key.ends_with("header.x-amz-target") {
                named.push(word(value.rsplit('.').next().unwrap_or(value)));
            } else {
                read(value);
            }
        }
    }
    out.extend(named);
    out.remove("");
    out
}
