//! Where the code of the CDK makes what a synthesized template has.

use crate::finding::{Cause, Finding, Label, LabelRole};
use crate::iam::cdk::{cdk_grant, cdk_grants};
use crate::iam::{ActionSet, DocumentOrigin};
use crate::model::Resource;
use crate::project::Project;
use crate::source::Span;
use crate::value::Value;

/// How much of the text after a call may be its arguments.
const MAX_ARGUMENTS: usize = 600;
/// Calls that are shown.
const MAX_CALLS: usize = 3;

/// Adds to a finding in a synthesized template where its construct is made, and what grants the statement there.
pub(super) fn add_origin(f: &mut Finding, project: &Project<'_>, resource: &Resource, path: &str) {
    let granted = statement_actions(f, project);
    let source = source_of(project, path);
    let label = |(span, name): (Span, String)| (span, format!("`{name}` grants this"));
    let mut places: Vec<(Span, String)> = Vec::new();
    places.extend(calls_of_template(project, resource, &granted).into_iter().map(label));
    if let (true, Some(source)) = (places.is_empty(), source) {
        places.extend(calls_of_source(project, source, &granted).into_iter().map(label));
    }
    places.truncate(MAX_CALLS);
    let made = resource.metadata.as_ref().and_then(|m| m.get("MadeAt")).map(|v| v.span);
    let made = made.or_else(|| Some(project.resources[project.workloads[source?].resource].header));
    let made = made.filter(|span| places.iter().all(|(at, _)| at != span));
    places.extend(made.map(|span| {
        let called = project.sources.slice(span);
        let name = called.rsplit('.').next().unwrap_or(called);
        // A policy of a role comes into being with the first call that adds to it.
        let text = match ["grant", "add"].iter().any(|start| name.starts_with(start)) {
            true => format!("`{name}` adds to the same policy"),
            false => "the construct is made here".to_owned(),
        };
        (span, text)
    }));
    // Where to change it comes before what the template has.
    for (span, text) in places.into_iter().rev() {
        if f.labels.iter().all(|l| l.span != span) {
            let role = LabelRole::Secondary;
            f.labels.insert(1.min(f.labels.len()), Label { span, role, text });
        }
    }
}

/// The actions that the statement of a finding grants.
fn statement_actions(f: &Finding, project: &Project<'_>) -> Vec<String> {
    let Cause::Statement(d, s) = f.cause else {
        return Vec::new();
    };
    let statement = project.documents.get(d).and_then(|d| d.statements.get(s));
    let items = statement.filter(|s| s.allows()).and_then(|s| s.action.as_ref());
    let items = items
        .filter(|clause| !clause.negated)
        .into_iter()
        .flat_map(|clause| &clause.items);
    items.filter_map(|item| Some(item.text.known()?.into_owned())).collect()
}

/// The function in CDK code whose construct has the one at `path`.
fn source_of(project: &Project<'_>, path: &str) -> Option<usize> {
    let has = |workload: usize| {
        let own = project.resources[project.workloads[workload].resource].construct_path();
        own.is_some_and(|own| {
            path.strip_prefix(&*own)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    project
        .rendered
        .iter()
        .find(|(template, _)| has(**template))
        .map(|(_, source)| *source)
}

/// The calls of the source that the CDK notes for the policy, which grant these actions.
fn calls_of_template(project: &Project<'_>, resource: &Resource, granted: &[String]) -> Vec<(Span, String)> {
    let metadata = resource.metadata.as_ref();
    let noted = |key: &str| metadata.and_then(|m| m.get(key));
    let changed = noted("ChangedAt").map_or(&[][..], Value::items);
    let all = noted("MadeAt").into_iter().chain(changed).map(|v| v.span);
    let mut out: Vec<(Span, String)> = Vec::new();
    for span in all {
        let called = project.sources.slice(span);
        let name = called.rsplit('.').next().unwrap_or(called);
        let rest = &project.sources.text(span.file)[span.end as usize..];
        let end = rest.char_indices().nth(MAX_ARGUMENTS).map_or(rest.len(), |(at, _)| at);
        if grants(name, called, &rest[..end], granted) && out.iter().all(|(s, _)| *s != span) {
            out.push((span, name.to_owned()));
        }
    }
    out
}

/// Whether a call may be one that grants these actions.
fn grants(name: &str, called: &str, arguments: &str, granted: &[String]) -> bool {
    let method = snake_case(name);
    let of_grants = [".grants.", "grants."].iter().any(|part| called.contains(part));
    let method = match of_grants && !method.starts_with("grant") {
        true => format!("grant_{method}"),
        false => method,
    };
    if granted.is_empty() {
        return false;
    }
    let mut rows = cdk_grants().iter().filter(|g| g.method == method).peekable();
    if rows.peek().is_some() {
        let wanted = ActionSet::expand_all(granted.iter().map(String::as_str));
        return rows.any(|row| {
            let given = ActionSet::expand_all(row.actions.iter().chain(&row.key_actions).copied());
            // The CDK merges statements that are about the same resource.
            wanted.is_subset(&given) || !given.is_empty() && given.is_subset(&wanted)
        });
    }
    let is_open = method.starts_with("grant") || method.starts_with("add_to_");
    is_open && granted.iter().all(|action| arguments.contains(&**action))
}

/// The calls in CDK code that grant a role these actions.
fn calls_of_source(project: &Project<'_>, source: usize, granted: &[String]) -> Vec<(Span, String)> {
    let wanted = ActionSet::expand_all(granted.iter().map(String::as_str));
    let roles = project.workloads[source].roles.iter();
    let documents = roles.flat_map(|r| project.identities[r.role].documents());
    let calls = documents.filter_map(|d| {
        let d = &project.documents[d];
        let DocumentOrigin::CdkGrant(name) = &d.origin else {
            return None;
        };
        let (class, method) = name.split_once('.')?;
        let row = cdk_grant(class, method)?;
        let given = ActionSet::expand_all(row.actions.iter().copied());
        (wanted.is_subset(&given) || !given.is_empty() && given.is_subset(&wanted)).then(|| (d.span, method.to_owned()))
    });
    match granted.is_empty() {
        true => Vec::new(),
        false => calls.collect(),
    }
}

/// `grant_read_data` of `grantReadData`.
fn snake_case(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
