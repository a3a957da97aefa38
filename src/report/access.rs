//! What was decided about a request, and the statements that decided it.

use serde::Serialize;

use super::json::{JsonSpan, JsonUnjudged, JsonUnread, SCHEMA_VERSION, span, unjudged, unread};
use crate::access::{AccessAnswer, DecidingStatement, Decision};
use crate::iam::{DocumentOrigin, Effect};
use crate::source::{Problem, Sources, Span, json_without_commands, pretty_json, push_line};
use crate::unjudged::Unjudged;

/// What `overgrant can --request` writes as JSON.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonAnswer<'a> {
    decision: Decision,
    by: Vec<JsonDecidingStatement<'a>>,
    why: &'a str,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub(super) struct JsonDecidingStatement<'a> {
    /// As the key of `policies` in a request file.
    policy: &'static str,
    /// From 0; of control policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<usize>,
    /// From 0, among the policies of that kind or level.
    document: usize,
    /// From 0.
    statement: usize,
    sid: Option<String>,
    effect: Option<&'static str>,
    /// Of the resource or the managed policy of AWS that has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    path: Option<&'a str>,
    span: Option<JsonSpan>,
}

/// What `overgrant can` writes as JSON about a repository.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonRepositoryAnswer<'a> {
    /// Version of this layout.
    schema_version: &'static str,
    #[serde(flatten)]
    answer: JsonAnswer<'a>,
    /// The ARN, the service, or `anonymous`.
    principal: &'a str,
    action: &'a str,
    /// Those that were asked about; `*` where any resource will do.
    resources: &'a [String],
    /// Files that could not be read completely.
    errors: Vec<JsonUnread<'a>>,
    unjudged: Vec<JsonUnjudged<'a>>,
}

/// The answer about a repository.
#[derive(Debug)]
pub struct RepositoryAnswer<'a, 'd> {
    pub sources: &'a Sources,
    pub answer: &'a AccessAnswer<'d>,
    pub principal: &'a str,
    pub action: &'a str,
    pub resources: &'a [String],
    pub errors: &'a [Problem],
    pub unjudged: &'a [Unjudged],
}

/// The JSON Schema of the answer about a repository.
#[cfg(feature = "cli")]
pub(crate) fn schema() -> serde_json::Value {
    let about = "What `overgrant can --format json` writes about a repository.";
    super::json::schema_of::<JsonRepositoryAnswer<'_>, JsonDecidingStatement<'_>>("overgrant can", about)
}

/// The answer about a repository as JSON.
pub fn repository_access_json(page: &RepositoryAnswer<'_, '_>) -> String {
    json_without_commands(pretty_json(&JsonRepositoryAnswer {
        schema_version: SCHEMA_VERSION,
        answer: answer_json(page.sources, page.answer),
        principal: page.principal,
        action: page.action,
        resources: page.resources,
        errors: unread(page.sources, page.errors),
        unjudged: unjudged(page.sources, page.unjudged),
    }))
}

/// The answer as JSON.
pub fn access_json(sources: &Sources, answer: &AccessAnswer<'_>) -> String {
    json_without_commands(pretty_json(&answer_json(sources, answer)))
}

fn answer_json<'a>(sources: &'a Sources, answer: &'a AccessAnswer<'_>) -> JsonAnswer<'a> {
    JsonAnswer {
        decision: answer.decision,
        by: answer_statements(sources, answer),
        why: &answer.why,
    }
}

/// The statements that decide.
pub(super) fn answer_statements<'a>(
    sources: &'a Sources,
    answer: &'a AccessAnswer<'_>,
) -> Vec<JsonDecidingStatement<'a>> {
    answer.by.iter().map(|at| statement(sources, at)).collect()
}

fn statement<'a>(sources: &'a Sources, at: &DecidingStatement<'_>) -> JsonDecidingStatement<'a> {
    JsonDecidingStatement {
        policy: at.role.name(),
        level: at.role.level(),
        document: at.document_index,
        statement: at.statement_index,
        sid: sid(at),
        effect: match at.statement.effect.as_ref().map(|e| e.value) {
            Some(Effect::Allow) => Some("Allow"),
            Some(Effect::Deny) => Some("Deny"),
            _ => None,
        },
        owner: owner(at),
        path: place(at).map(|at| sources.path(at.file)),
        span: place(at).map(|at| span(sources, at)),
    }
}

/// A managed policy of AWS is in no file.
fn place(at: &DecidingStatement<'_>) -> Option<Span> {
    let span = at.statement.span;
    (span != Span::NOWHERE).then_some(span)
}

fn owner(at: &DecidingStatement<'_>) -> Option<String> {
    match &at.document.origin {
        DocumentOrigin::AwsManaged(name) => Some(name.to_string()),
        _ => at.document.owner.as_ref().map(|owner| owner.address.to_string()),
    }
}

fn sid(at: &DecidingStatement<'_>) -> Option<String> {
    at.statement.sid.as_ref().map(|sid| sid.display())
}

/// The answer for people: a line, and one for each statement.
pub fn access_human(sources: &Sources, answer: &AccessAnswer<'_>) -> String {
    let decision = match answer.decision {
        Decision::Allowed => "allowed",
        Decision::ExplicitlyDenied => "explicitly denied",
        Decision::ImplicitlyDenied => "implicitly denied",
        Decision::Unknown => "unknown",
    };
    let mut out = String::new();
    push_line(&mut out, &format!("{decision}: {}", answer.why));
    for line in answer_text(sources, answer) {
        push_line(&mut out, &format!("  {line}"));
    }
    out
}

/// A line for each statement that decides.
pub(super) fn answer_text(sources: &Sources, answer: &AccessAnswer<'_>) -> Vec<String> {
    let line = |at: &DecidingStatement<'_>| {
        let verb = match at.statement.effect.as_ref().map(|e| e.value) {
            Some(Effect::Deny) => "denies",
            Some(Effect::Allow) => "allows",
            _ => "may decide",
        };
        let place = match place(at) {
            Some(span) => {
                let start = sources.positions(span).0;
                format!("{}:{}:{}", sources.path(span.file), start.line, start.column)
            }
            None => owner(at).unwrap_or_default(),
        };
        let name = sid(at).map_or_else(
            || format!("statement {}", at.statement_index + 1),
            |sid| format!("`{sid}`"),
        );
        format!("{place}: {name} of {} {verb}", at.role.phrase())
    };
    answer.by.iter().map(line).collect()
}
