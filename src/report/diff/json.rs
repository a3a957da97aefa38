//! The JSON of a comparison.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::json::{JsonSpan, JsonUnjudged, JsonUnread, SCHEMA_VERSION, span, unjudged, unread};
use super::super::paths::{JsonPath, json_path};
use super::entries::{DiffEntry, PathEntry};
use super::{DiffChange, DiffPage, DiffPath, NAMED};
use crate::access::sets::{Witness, WitnessPrincipal, WitnessValue};
use crate::source::{json_without_commands, pretty_json};

/// What `overgrant diff --format json` writes.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonDiff<'a> {
    /// Version of this layout.
    schema_version: &'static str,
    /// What is allowed in NEW and not in OLD, the worst first.
    gained: Vec<JsonChange<'a>>,
    /// What is allowed in OLD and not in NEW.
    lost: Vec<JsonChange<'a>>,
    /// Ways to an administrator or to data that are there in NEW and not in OLD, the worst first.
    opened: Vec<JsonChangedPath<'a>>,
    /// Ways that are there in OLD and not in NEW.
    closed: Vec<JsonChangedPath<'a>>,
    /// What could not be decided.
    unknown: Vec<JsonUndecided<'a>>,
    /// What is found under another name or path.
    moved: Vec<JsonMove<'a>>,
    /// Placeholders, with what the other document writes in their place.
    assumed: &'a BTreeMap<String, String>,
    /// Files that could not be read completely.
    errors: Vec<JsonUnread<'a>>,
    /// What could not be judged.
    unjudged: Vec<JsonUnjudged<'a>>,
}

/// A gain or a loss.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonChange<'a> {
    /// The document, or what holds it.
    subject: &'a str,
    /// Names and patterns.
    actions: &'a [String],
    /// As they are written; `not …` for an item of `NotResource`.
    resources: &'a [String],
    /// As they are written; `not …` for an item of `NotPrincipal`. Empty in an identity policy.
    principals: &'a [String],
    conditions: Vec<JsonCondition<'a>>,
    /// A request that one side allows and the other one does not.
    request: JsonRequest<'a>,
    path: &'a str,
    span: JsonSpan,
    severity: &'static str,
    message: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonCondition<'a> {
    operator: &'a str,
    key: &'a str,
    values: &'a [String],
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub(in crate::report) struct JsonRequest<'a> {
    principal: JsonCaller<'a>,
    action: &'a str,
    resource: &'a str,
    /// Condition keys in lower case; a key that is missing is absent from the request.
    context: BTreeMap<&'a str, JsonContext<'a>>,
}

/// An ARN, a service, a provider of identities, or `{"type": "Anonymous"}`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(untagged)]
enum JsonCaller<'a> {
    Named(&'a str),
    Unnamed {
        #[serde(rename = "type")]
        kind: &'static str,
    },
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(untagged)]
enum JsonContext<'a> {
    One(&'a str),
    Many(&'a [String]),
}

/// A path that opens or closes.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonChangedPath<'a> {
    #[serde(flatten)]
    access: JsonPath<'a>,
    /// Where the change is, or the start of the path.
    path: Option<&'a str>,
    span: Option<JsonSpan>,
    message: String,
}

/// A move or a new name.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonMove<'a> {
    /// In NEW.
    subject: &'a str,
    /// In OLD.
    from: &'a str,
    from_path: &'a str,
    path: &'a str,
    span: JsonSpan,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonUndecided<'a> {
    subject: &'a str,
    why: &'a str,
    /// What it may be: `gained` or `lost`.
    may_be: &'static str,
    path: Option<&'a str>,
    span: Option<JsonSpan>,
}

/// The JSON Schema of a comparison.
#[cfg(feature = "cli")]
pub(crate) fn schema() -> serde_json::Value {
    let about = "What `overgrant diff --format json` writes.";
    super::super::json::schema_of::<JsonDiff<'_>, JsonRequest<'_>>("overgrant diff", about)
}

/// The stable JSON.
pub fn diff_json(page: &DiffPage<'_>) -> String {
    let json = JsonDiff {
        schema_version: SCHEMA_VERSION,
        gained: page.gained.iter().map(|c| json_change(page, c, true)).collect(),
        lost: page.lost.iter().map(|c| json_change(page, c, false)).collect(),
        opened: page.opened.iter().map(|p| json_changed_path(page, p, true)).collect(),
        closed: page.closed.iter().map(|p| json_changed_path(page, p, false)).collect(),
        unknown: (page.unknown.iter())
            .map(|u| {
                let side = page.side(u.is_new);
                let at = u.span.filter(|at| at.is_in_source());
                JsonUndecided {
                    subject: &u.subject,
                    why: &u.why,
                    may_be: if u.is_gain { "gained" } else { "lost" },
                    path: at.map(|at| side.sources.path(at.file)),
                    span: at.map(|at| span(side.sources, at)),
                }
            })
            .collect(),
        moved: (page.moved.iter())
            .map(|m| JsonMove {
                subject: &m.subject,
                from: &m.from,
                from_path: page.old.sources.path(m.old_span.file),
                path: page.new.sources.path(m.span.file),
                span: span(page.new.sources, m.span),
            })
            .collect(),
        assumed: &page.assumed,
        errors: [&page.old, &page.new]
            .into_iter()
            .flat_map(|side| unread(side.sources, side.errors))
            .collect(),
        unjudged: [&page.old, &page.new]
            .into_iter()
            .flat_map(|side| unjudged(side.sources, side.unjudged))
            .collect(),
    };
    let text = json_without_commands(pretty_json(&json));
    page.new.mask.json(page.old.mask.json(text))
}

fn json_change<'a>(page: &'a DiffPage<'_>, c: &'a DiffChange, is_gain: bool) -> JsonChange<'a> {
    let side = page.side(is_gain);
    JsonChange {
        subject: &c.subject,
        actions: &c.change.actions,
        resources: &c.change.resources,
        principals: &c.change.principals,
        conditions: (c.change.conditions.iter())
            .map(|c| JsonCondition {
                operator: &c.operator,
                key: &c.key,
                values: &c.values,
            })
            .collect(),
        request: json_request(&c.change.request),
        path: side.sources.path(c.change.span.file),
        span: span(side.sources, c.change.span),
        severity: c.change.severity.name(),
        message: DiffEntry::of(c, is_gain).sentence(NAMED),
    }
}

fn json_changed_path<'a>(page: &'a DiffPage<'_>, p: &'a DiffPath, is_gain: bool) -> JsonChangedPath<'a> {
    let sources = page.side(is_gain).sources;
    let at = p.span.filter(|at| at.is_in_source());
    JsonChangedPath {
        access: json_path(sources, &p.path),
        path: at.map(|at| sources.path(at.file)),
        span: at.map(|at| span(sources, at)),
        message: PathEntry::of(p, is_gain).sentence(),
    }
}

pub(in crate::report) fn json_request(r: &Witness) -> JsonRequest<'_> {
    let context = r.context.iter().map(|(key, value)| {
        let value = match value {
            WitnessValue::One(one) => JsonContext::One(one),
            WitnessValue::Many(many) => JsonContext::Many(many),
        };
        (&**key, value)
    });
    JsonRequest {
        principal: match &r.principal {
            WitnessPrincipal::Named(name) => JsonCaller::Named(name),
            WitnessPrincipal::Anonymous => JsonCaller::Unnamed { kind: "Anonymous" },
        },
        action: &r.action,
        resource: &r.resource,
        context: context.collect(),
    }
}
