//! Data sources of AppSync: which operations the requests of their resolvers and functions are.
//!
//! AWS AppSync Developer Guide, "Resolver tutorials", "Resolver mapping template reference for DynamoDB", "Amazon DynamoDB
//! module functions".

use std::collections::BTreeSet;

use super::{Parts, Understood, Users};
use crate::iam::states::TaskActions;
use crate::iam::targets;
use crate::model::Resource;
use crate::project::{Definition, DefinitionGap, Project, WorkloadKind};
use crate::source::{HoleTarget, Span, Text, join_path, parent_path};
use crate::value::Value;

pub(super) fn data_source(users: &mut Users<'_, '_, '_>, r: &Resource, wanted: &mut BTreeSet<String>) {
    let Some(role) = r.get("ServiceRoleArn").filter(|role| !role.is_null()) else {
        return;
    };
    let content = definition(users, r, wanted);
    users.push(WorkloadKind::DataSource, Some(role), content);
}

fn definition(users: &Users<'_, '_, '_>, r: &Resource, wanted: &mut BTreeSet<String>) -> Understood<Definition> {
    let kind = r.get("Type").ok_or(DefinitionGap::NotSaid)?;
    let unknown = || DefinitionGap::Part("data source".to_owned(), kind.span);
    let name = kind.as_str().ok_or_else(unknown)?;
    let mut parts = Parts::new(users.linking, kind.span);
    let key = format!("data-source {name}");
    match &*name {
        "NONE" => {}
        "AWS_LAMBDA" => {
            let arn = r.path(&["LambdaConfig", "LambdaFunctionArn"]);
            // Terraform's name.
            let arn = arn.or_else(|| r.path(&["LambdaConfig", "FunctionArn"])).unwrap_or(kind);
            let actions = TaskActions::of_target(&key).ok_or_else(unknown)?;
            parts.add("function", arn.span, "lambda", actions, arn.to_text());
        }
        "AMAZON_DYNAMODB" => {
            parts.may_need(&key);
            let synced = |config| r.path(&[config, "DeltaSyncConfig"]).is_some_and(|v| !v.is_null());
            // The second is Terraform's name.
            if ["DynamoDBConfig", "DynamodbConfig"].into_iter().any(synced) {
                parts.may_need("dynamodb Sync");
            }
            for request in requests(users, r, wanted)? {
                let operations = request.dynamodb().ok_or_else(|| request.gap())?;
                request.add(&mut parts, "dynamodb", &operations, |operation| {
                    TaskActions::of_target(&format!("dynamodb {operation}"))
                })?;
            }
        }
        "HTTP" => {
            let config = r.path(&["HttpConfig", "AuthorizationConfig"]).filter(|c| !c.is_null());
            let signed = config.and_then(|c| c.path(&["AwsIamConfig", "SigningServiceName"]));
            let Some(signed) = signed else {
                // Nothing is signed.
                return match config {
                    None => Ok(parts.out),
                    Some(_) => Err(unknown()),
                };
            };
            let service = signed
                .as_str()
                .ok_or_else(|| DefinitionGap::Part("data source".to_owned(), signed.span))?;
            if let Some(actions) = TaskActions::of_target(&format!("data-source {service}")) {
                parts.add("end point", signed.span, &service, actions, None);
                return Ok(parts.out);
            }
            for request in requests(users, r, wanted)? {
                let operations = request.targets();
                let is_all = operations.len() == 1 && request.mentions("x-amz-target") == 1;
                if !is_all {
                    return Err(request.gap());
                }
                request.add(&mut parts, &service, &operations, |operation| {
                    TaskActions::of_client_call(&service, operation)
                })?;
            }
        }
        _ => {
            let actions = TaskActions::of_target(&key).ok_or_else(unknown)?;
            parts.add("data source", kind.span, &name, actions.clone(), None);
            parts.out.actions.union_with(&actions.set());
        }
    }
    Ok(parts.out)
}

/// What a resolver or function asks of a data source.
struct Request {
    /// `resolver GetNote`
    part: String,
    /// What says or holds it.
    span: Span,
    text: Text,
    /// No other data source may be meant.
    is_certain: bool,
}

/// The requests of all resolvers and functions that use a data source.
fn requests(users: &Users<'_, '_, '_>, r: &Resource, wanted: &mut BTreeSet<String>) -> Understood<Vec<Request>> {
    let project = users.linking.project;
    let here = |other: &&Resource| other.address.scope == r.address.scope;
    let sources = project.resources.iter().filter(here).filter(|o| o.kind == r.kind);
    let own_name = r.get("Name").and_then(Value::as_text).map(Text::display);
    let namesakes = sources
        .filter(|o| o.get("Name").and_then(Value::as_text).map(Text::display) == own_name)
        .count();
    let mut out = Vec::new();
    let mut failed = None;
    for resolver in project.resources.iter().filter(here) {
        let word = match &*resolver.kind {
            "AWS::AppSync::Resolver" => "resolver",
            "AWS::AppSync::FunctionConfiguration" => "function",
            // Its resolvers name data sources in a way of their own.
            "AWS::Serverless::GraphQLApi" => {
                let part = format!("API {}", resolver.address.name);
                return Err(DefinitionGap::Part(part, resolver.header));
            }
            _ => continue,
        };
        let Some(named) = resolver.get("DataSourceName").filter(|v| !v.is_null()) else {
            continue;
        };
        let target = named.as_hole().and_then(|h| h.target.as_ref());
        let is_certain = match (target, named.as_text()) {
            (Some(target), _) if target.scope == r.address.scope && target.address == r.address.name => true,
            (Some(target), _) if is_data_source(users, target) => continue,
            (None, Some(text)) if text.is_known() => {
                if Some(text.display()) != own_name {
                    continue;
                }
                namesakes == 1
            }
            // Any of them may be meant.
            _ => {
                return Err(DefinitionGap::Part(
                    format!("{word} {}", resolver.address.name),
                    named.span,
                ));
            }
        };
        let part = format!("{word} {}", resolver.address.name);
        match request_text(project, resolver, wanted) {
            Ok((text, span)) => out.push(Request {
                part,
                span,
                text,
                is_certain,
            }),
            // The others' files are wanted too.
            Err(gap) => failed = failed.or(Some(gap)),
        }
    }
    match failed {
        Some(gap) => Err(gap),
        None if out.is_empty() => Err(DefinitionGap::Unresolved),
        None => Ok(out),
    }
}

fn is_data_source(users: &Users<'_, '_, '_>, target: &HoleTarget) -> bool {
    let mut named = users.linking.index.target(target).iter().peekable();
    let resources = &users.linking.project.resources;
    named.peek().is_some() && named.all(|id| &*resources[*id].kind == "AWS::AppSync::DataSource")
}

/// The template or code of a resolver, with its place.
fn request_text(project: &Project<'_>, resolver: &Resource, wanted: &mut BTreeSet<String>) -> Understood<(Text, Span)> {
    let written = |name: &str| resolver.get(name).filter(|v| !v.is_null());
    let unknown = |span: Span| DefinitionGap::Request(resolver.address.name.to_string(), span);
    if let Some(value) = ["RequestMappingTemplate", "Code"].into_iter().find_map(written) {
        let text = value.as_text().filter(|t| !t.is_empty() && t.as_hole().is_none());
        return text.map(|t| (t.clone(), value.span)).ok_or_else(|| unknown(value.span));
    }
    let place = ["RequestMappingTemplateS3Location", "CodeS3Location"]
        .into_iter()
        .find_map(written)
        .ok_or_else(|| unknown(resolver.header))?;
    let path = place.as_str().ok_or_else(|| unknown(place.span))?;
    if path.contains("://") {
        return Err(DefinitionGap::Stored);
    }
    let path = join_path(parent_path(project.sources.path(place.span.file)), &path);
    let path = project.sources.resolved(&path);
    let Some(file) = project.sources.find(&path) else {
        wanted.insert(path.to_string());
        return Err(DefinitionGap::NoFile(path.into_owned()));
    };
    let text = project.sources.text(file);
    Ok((Text::verbatim(text, file, 0), Span::new(file, 0, text.len())))
}

impl Request {
    fn gap(&self) -> DefinitionGap {
        DefinitionGap::Request(self.part.clone(), self.span)
    }

    /// Adds the operations, with the place of each.
    fn add(
        &self,
        parts: &mut Parts<'_, '_>,
        service: &str,
        operations: &[(String, usize)],
        actions: impl Fn(&str) -> Option<TaskActions>,
    ) -> Understood {
        for (operation, at) in operations {
            let actions = actions(operation).ok_or_else(|| self.gap())?;
            let is_certain = self.is_certain && operations.len() == 1;
            let actions = if is_certain { actions } else { actions.uncertain() };
            let place = self.text.span_of(*at..*at + operation.len());
            parts.add(&self.part, place.unwrap_or(self.span), service, actions, None);
        }
        Ok(())
    }

    fn mentions(&self, word: &str) -> usize {
        self.text.with_placeholders().to_lowercase().matches(word).count()
    }

    /// The operation after the dot in each `AWSStepFunctions.StartExecution` that a header names.
    fn targets(&self) -> Vec<(String, usize)> {
        let flat = self.text.with_placeholders();
        let mut out = Vec::new();
        for (at, _) in flat.to_ascii_lowercase().match_indices("x-amz-target") {
            let rest = &flat[at..];
            let literal = rest.find(':').and_then(|colon| {
                let start = colon + 1 + rest[colon + 1..].find(['"', '\''])? + 1;
                let end = start + rest[start..].find(['"', '\''])?;
                let dot = start + rest[start..end].rfind('.')? + 1;
                Some((rest[dot..end].to_owned(), at + dot))
            });
            out.extend(literal);
        }
        out
    }

    /// Operations of DynamoDB, each once; `None` where not all of them are written.
    fn dynamodb(&self) -> Option<Vec<(String, usize)>> {
        let flat = self.text.with_placeholders();
        let mut out: Vec<(String, usize)> = Vec::new();
        for (at, word) in words(&flat).filter(|(_, word)| *word == "operation") {
            let rest = &flat[at + word.len()..];
            let rest = rest.trim_start_matches(['"', '\'']).trim_start();
            let value = rest.strip_prefix(':')?.trim_start();
            let literal = value.strip_prefix(['"', '\''])?;
            let end = literal.find(['"', '\''])?;
            let start = flat.len() - literal.len();
            out.push((literal[..end].to_owned(), start));
        }
        out.extend(helpers(&flat)?);
        out.sort();
        out.dedup_by(|a, b| a.0 == b.0);
        (!out.is_empty()).then_some(out)
    }
}

/// Names and words, with their places.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text[from..].find(is_word)?;
        let end = text[start..].find(|c| !is_word(c)).map_or(text.len(), |n| start + n);
        from = end;
        Some((start, &text[start..end]))
    })
}

/// What code requests through the functions of AppSync's module for DynamoDB; `None` where that cannot be said.
fn helpers(code: &str) -> Option<Vec<(String, usize)>> {
    const MODULE: &str = "@aws-appsync/utils/dynamodb";
    let mut out = Vec::new();
    for (at, _) in code.match_indices(MODULE) {
        let before = &code[..at];
        let start = before.rfind("import")?;
        let clause = &before[start + "import".len()..];
        if let Some((_, name)) = clause.split_once("* as ") {
            let name = name.split_whitespace().next()?;
            for (call, _) in code.match_indices(&format!("{name}.")) {
                let from = call + name.len() + 1;
                let (place, function) = words(&code[from..]).next()?;
                if code[from + place + function.len()..].starts_with('(') {
                    out.push((targets::dynamodb_helper(function)?.to_owned(), from));
                }
            }
        } else {
            let open = clause.find('{')?;
            let list = clause[open + 1..].split('}').next()?;
            for named in list.split(',').filter(|n| !n.trim().is_empty()) {
                let name = named.split_whitespace().next()?;
                // What an update does to attributes is no request.
                if name != "operations" {
                    out.push((targets::dynamodb_helper(name)?.to_owned(), start));
                }
            }
        }
    }
    Some(out)
}
