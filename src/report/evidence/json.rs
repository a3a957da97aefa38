//! The report as JSON.

use serde::Serialize;

use super::{Called, EvidencePage, GrantRow, RoleEvidence, Seen};
use crate::iam::Action;
use crate::project::{UseCount, UseProof};
use crate::report::json::{JsonSpan, SCHEMA_VERSION, span};
use crate::source::{json_without_commands, pretty_json};

/// What `overgrant evidence report --format json` writes.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonEvidence<'a> {
    /// Version of this layout.
    schema_version: &'static str,
    /// Roles, users, and permission sets, by path and position.
    identities: Vec<JsonIdentity<'a>>,
    /// Roles and users of the evidence that are no identity of the repository, or may be several.
    others: Vec<JsonOther<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonIdentity<'a> {
    /// `role`, `user`, or `permission set`.
    kind: &'static str,
    /// The name, as far as it is known; else as the file calls it.
    name: &'a str,
    path: &'a str,
    span: JsonSpan,
    /// `used`, `unused`, or `unknown`: the identity is not in the evidence, or may be another one there.
    status: &'static str,
    /// ARNs in the evidence, without paths.
    seen_as: &'a [String],
    /// The days that the logs cover; null where they cover none, or another report counts.
    period: Option<JsonPeriod>,
    /// Items of `Action`, in the order of the text.
    grants: Vec<JsonGrant<'a>>,
    /// Calls that were denied, most first.
    denied: Vec<JsonUse>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonPeriod {
    /// The first day, in UTC.
    first: String,
    /// The last day, in UTC.
    last: String,
    /// Days with events.
    days: i64,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonGrant<'a> {
    /// `s3:*`
    action: &'a str,
    path: &'a str,
    span: JsonSpan,
    /// How many actions it grants.
    actions: usize,
    /// Actions that the code calls.
    called: &'a [&'static str],
    /// Whether other calls may be hidden, or the code is not known.
    calls_may_be_hidden: bool,
    /// Actions that were used, most first.
    used: Vec<JsonUse>,
    /// How many actions certainly were not used.
    unused: usize,
    verdict: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonUse {
    action: &'static str,
    /// How many calls.
    calls: u64,
    /// The day of the last call, in UTC.
    last: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonOther<'a> {
    /// The ARN.
    name: &'a str,
    /// How many calls were allowed.
    calls: u64,
    /// How many identities of the repository it may be.
    candidates: usize,
}

/// The JSON Schema of the report.
#[cfg(feature = "cli")]
pub(crate) fn schema() -> serde_json::Value {
    let about = "What `overgrant evidence report --format json` writes.";
    crate::report::json::schema_of::<JsonEvidence<'_>, JsonIdentity<'_>>("overgrant evidence report", about)
}

pub fn evidence_json(page: &EvidencePage<'_>) -> String {
    json_without_commands(pretty_json(&JsonEvidence {
        schema_version: SCHEMA_VERSION,
        identities: page.roles.iter().map(|role| identity(page, role)).collect(),
        others: page
            .others
            .iter()
            .map(|other| JsonOther {
                name: &other.identity.name,
                calls: other.calls,
                candidates: other.candidates.len(),
            })
            .collect(),
    }))
}

fn identity<'a>(page: &EvidencePage<'a>, role: &'a RoleEvidence<'a>) -> JsonIdentity<'a> {
    let sources = page.project.sources;
    let (status, seen_as, covered) = match &role.seen {
        Seen::Yes(record) => ("used", record.names.as_slice(), record.covered),
        Seen::Never(UseProof::Logs { period, days }) => ("unused", &[][..], Some((*period, *days))),
        Seen::Never(_) => ("unused", &[][..], None),
        Seen::Unknown => ("unknown", &[][..], None),
    };
    JsonIdentity {
        kind: role.kind.name(),
        name: &role.name,
        path: sources.path(role.header.file),
        span: span(sources, role.header),
        status,
        seen_as,
        period: covered.map(|(period, days)| JsonPeriod {
            first: period.first.to_string(),
            last: period.last.to_string(),
            days,
        }),
        grants: role.rows.iter().map(|row| grant(page, row)).collect(),
        denied: role.denied.iter().map(used).collect(),
    }
}

fn grant<'a>(page: &EvidencePage<'a>, row: &'a GrantRow) -> JsonGrant<'a> {
    let sources = page.project.sources;
    let (called, hidden) = match &row.called {
        Called::Known(called) => (called, false),
        Called::Partly(called) => (called, true),
    };
    JsonGrant {
        action: &row.granted,
        path: sources.path(row.at.file),
        span: span(sources, row.at),
        actions: row.actions,
        called,
        calls_may_be_hidden: hidden,
        used: row.used.iter().map(used).collect(),
        unused: row.unused,
        verdict: row.verdict(),
    }
}

fn used((action, count): &(Action, UseCount)) -> JsonUse {
    JsonUse {
        action: action.name(),
        calls: count.calls,
        last: count.last.to_string(),
    }
}
