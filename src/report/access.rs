//! What was decided about a request, and the statements that decided it.

use serde::Serialize;

use super::json::{JsonSpan, span};
use crate::access::{AccessAnswer, Decision, DecidingStatement};
use crate::iam::Effect;
use crate::source::{Sources, json_without_commands, pretty_json, push_line};

#[derive(Debug, Serialize)]
struct JsonAnswer<'a> {
    decision: Decision,
    by: Vec<JsonDecidingStatement<'a>>,
    why: &'a str,
}

#[derive(Debug, Serialize)]
struct JsonDecidingStatement<'a> {
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
    path: &'a str,
    span: JsonSpan,
}

/// The answer as JSON.
pub fn access_json(sources: &Sources, answer: &AccessAnswer<'_>) -> String {
    json_without_commands(pretty_json(&JsonAnswer {
        decision: answer.decision,
        by: answer.by.iter().map(|at| statement(sources, at)).collect(),
        why: &answer.why,
    }))
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
        path: sources.path(at.statement.span.file),
        span: span(sources, at.statement.span),
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
    for at in &answer.by {
        let start = sources.positions(at.statement.span).0;
        let verb = match at.statement.effect.as_ref().map(|e| e.value) {
            Some(Effect::Deny) => "denies",
            Some(Effect::Allow) => "allows",
            _ => "may decide",
        };
        let path = sources.path(at.statement.span.file);
        let name = sid(at).map_or_else(|| format!("statement {}", at.statement_index + 1), |sid| format!("`{sid}`"));
        let of = at.role.name();
        let line = format!("  {path}:{}:{}: {name} of {of} {verb}", start.line, start.column);
        push_line(&mut out, &line);
    }
    out
}
