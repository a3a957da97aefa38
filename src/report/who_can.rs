//! Who can do something, as `overgrant who-can` writes it.

use serde::Serialize;

use super::access::{JsonDecidingStatement, answer_statements, answer_text};
use super::json::{JsonSpan, JsonUnjudged, JsonUnread, SCHEMA_VERSION, span, unjudged, unread};
use super::paths::{JsonPath, json_path};
use crate::access::{AccessAnswer, Decision};
use crate::paths::AccessPath;
use crate::source::{Problem, Sources, Span, json_without_commands, pretty_json, push_line};
use crate::unjudged::Unjudged;

/// Someone, and whether they can.
#[derive(Debug)]
pub struct WhoAnswer<'d> {
    /// The ARN, the service, or `public`.
    pub principal: String,
    /// As the file calls it; `None` for those outside.
    pub address: Option<String>,
    pub span: Option<Span>,
    pub answer: AccessAnswer<'d>,
}

/// What `overgrant who-can` shows.
#[derive(Debug)]
pub struct WhoCanPage<'a, 'd> {
    pub sources: &'a Sources,
    pub action: &'a str,
    pub resource: Option<&'a str>,
    /// Those who can, and those of whom it is not known.
    pub who: Vec<WhoAnswer<'d>>,
    /// How others become one of those who can.
    pub through: Vec<AccessPath>,
    pub errors: &'a [Problem],
    pub unjudged: &'a [Unjudged],
}

/// What `overgrant who-can --format json` writes.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonWhoCan<'a> {
    /// Version of this layout.
    schema_version: &'static str,
    action: &'a str,
    /// Null for any resource.
    resource: Option<&'a str>,
    /// Those who can (`allowed`), and those of whom it is not known (`unknown`).
    who: Vec<JsonWho<'a>>,
    /// How others become one of those who can.
    through: Vec<JsonPath<'a>>,
    /// Files that could not be read completely.
    errors: Vec<JsonUnread<'a>>,
    /// What could not be judged.
    unjudged: Vec<JsonUnjudged<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonWho<'a> {
    principal: &'a str,
    address: Option<&'a str>,
    path: Option<&'a str>,
    span: Option<JsonSpan>,
    decision: Decision,
    by: Vec<JsonDecidingStatement<'a>>,
    why: &'a str,
}

/// The JSON Schema of the answer.
#[cfg(feature = "cli")]
pub(crate) fn schema() -> serde_json::Value {
    let about = "What `overgrant who-can --format json` writes.";
    super::json::schema_of::<JsonWhoCan<'_>, JsonWho<'_>>("overgrant who-can", about)
}

pub fn who_can_json(page: &WhoCanPage<'_, '_>) -> String {
    let sources = page.sources;
    let who = page.who.iter().map(|w| JsonWho {
        principal: &w.principal,
        address: w.address.as_deref(),
        path: w.span.map(|s| sources.path(s.file)),
        span: w.span.map(|s| span(sources, s)),
        decision: w.answer.decision,
        by: answer_statements(sources, &w.answer),
        why: &w.answer.why,
    });
    json_without_commands(pretty_json(&JsonWhoCan {
        schema_version: SCHEMA_VERSION,
        action: page.action,
        resource: page.resource,
        who: who.collect(),
        through: page.through.iter().map(|p| json_path(sources, p)).collect(),
        errors: unread(sources, page.errors),
        unjudged: unjudged(sources, page.unjudged),
    }))
}

/// A paragraph for those who can, those who may, and those who can become one of them.
pub fn who_can_human(page: &WhoCanPage<'_, '_>) -> String {
    let mut out = String::new();
    let on = page.resource.map_or("any resource".to_owned(), str::to_owned);
    let mut chapter = |title: &str, lines: Vec<String>| {
        if lines.is_empty() {
            return;
        }
        push_line(&mut out, title);
        lines.iter().for_each(|line| push_line(&mut out, &format!("  {line}")));
        out.push('\n');
    };
    let of = |decision: Decision| -> Vec<String> {
        let named = page.who.iter().filter(|w| w.answer.decision == decision);
        named
            .flat_map(|w| {
                let name = w.address.as_ref().unwrap_or(&w.principal);
                let why = match decision {
                    Decision::Unknown => format!(": {}", w.answer.why),
                    _ => String::new(),
                };
                std::iter::once(format!("{name}{why}")).chain(
                    answer_text(page.sources, &w.answer)
                        .into_iter()
                        .map(|l| format!("  {l}")),
                )
            })
            .collect()
    };
    chapter(&format!("can perform {} on {on}:", page.action), of(Decision::Allowed));
    chapter("may be able to, and it is not known:", of(Decision::Unknown));
    chapter(
        "can become one of those who can:",
        page.through.iter().map(AccessPath::line).collect(),
    );
    if out.is_empty() {
        push_line(&mut out, &format!("No one here can perform {} on {on}.", page.action));
    }
    out
}
