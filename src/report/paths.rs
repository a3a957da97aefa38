//! Access paths, as `overgrant paths` writes them.

use std::fmt::Write as _;

use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

use super::json::{JsonSpan, JsonUnjudged, JsonUnread, SCHEMA_VERSION, span, unjudged, unread};
use crate::paths::{AccessPath, Hop, Need, PathEnd};
use crate::phrase;
use crate::source::{Problem, Sources, Span, json_without_commands, one_line, pretty_json, push_line};
use crate::unjudged::Unjudged;

/// Calls back for each path.
pub type EachPath<'a> = &'a dyn Fn(&mut dyn FnMut(&AccessPath));

/// What `overgrant paths` shows.
#[derive(Clone, Copy)]
pub struct PathsPage<'a> {
    pub sources: &'a Sources,
    /// The worst first, one after the other, since they may be many.
    pub paths: EachPath<'a>,
    /// There are more paths to data than these.
    pub more: bool,
    pub errors: &'a [Problem],
    pub unjudged: &'a [Unjudged],
}

/// What `overgrant paths --format json` writes.
#[derive(Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonPaths<'a> {
    /// Version of this layout.
    schema_version: &'static str,
    /// The worst first.
    #[cfg_attr(feature = "cli", schemars(with = "Vec<JsonPath<'a>>"))]
    paths: JsonPathList<'a>,
    /// There are more paths to data than are listed; `--from` and `--to` ask for particular ones.
    more: bool,
    /// Files that could not be read completely.
    errors: Vec<JsonUnread<'a>>,
    /// What could not be judged.
    unjudged: Vec<JsonUnjudged<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub(super) struct JsonPath<'a> {
    /// `admin`, `identity-administration`, `data`, `account`, or `identity` for what `--to` asks for.
    gain: &'static str,
    severity: &'static str,
    confidence: &'static str,
    /// The start.
    from: JsonEnd<'a>,
    /// What the start becomes, or the data.
    to: JsonEnd<'a>,
    /// Each begins where the one before it ends.
    hops: Vec<JsonHop<'a>>,
}

/// An identity, a resource, or someone outside.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonEnd<'a> {
    /// `role`, `user`, `function`, `bucket`, `public`, …
    kind: &'a str,
    /// The literal name, without unknown parts at its end.
    name: &'a str,
    /// As the file calls it; null for what is not in the repository.
    address: Option<&'a str>,
    /// Unknown parts are `${name}`.
    arn: Option<&'a str>,
    path: Option<&'a str>,
    span: Option<JsonSpan>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonHop<'a> {
    from: JsonEnd<'a>,
    to: JsonEnd<'a>,
    /// What happens: "assumes the role".
    by: &'a str,
    needs: Vec<JsonNeed<'a>>,
    /// Keys of conditions that must be met.
    conditions: &'a [String],
    /// What is not known and may stand in the way.
    unknown: &'a [String],
}

/// What makes a hop possible, and where it is written.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonNeed<'a> {
    /// Null for what is not a permission: the role that a function runs as.
    action: Option<&'a str>,
    resource: Option<&'a str>,
    path: Option<&'a str>,
    span: Option<JsonSpan>,
}

struct JsonPathList<'a> {
    sources: &'a Sources,
    each: EachPath<'a>,
}

impl Serialize for JsonPathList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let mut outcome = Ok(());
        (self.each)(&mut |p| {
            if outcome.is_ok() {
                outcome = list.serialize_element(&json_path(self.sources, p));
            }
        });
        outcome?;
        list.end()
    }
}

/// The JSON Schema of the list of paths.
#[cfg(feature = "cli")]
pub(crate) fn schema() -> serde_json::Value {
    let about = "What `overgrant paths --format json` writes.";
    super::json::schema_of::<JsonPaths<'_>, JsonNeed<'_>>("overgrant paths", about)
}

pub fn paths_json(listed: &PathsPage<'_>) -> String {
    let sources = listed.sources;
    json_without_commands(pretty_json(&JsonPaths {
        schema_version: SCHEMA_VERSION,
        paths: JsonPathList {
            sources,
            each: listed.paths,
        },
        more: listed.more,
        errors: unread(sources, listed.errors),
        unjudged: unjudged(sources, listed.unjudged),
    }))
}

pub(super) fn json_path<'a>(sources: &'a Sources, p: &'a AccessPath) -> JsonPath<'a> {
    JsonPath {
        gain: p.gain.name(),
        severity: p.severity.name(),
        confidence: p.confidence.name(),
        from: json_end(sources, &p.from),
        to: json_end(sources, &p.to),
        hops: p
            .hops
            .iter()
            .map(|h| JsonHop {
                from: json_end(sources, &h.from),
                to: json_end(sources, &h.to),
                by: h.by,
                needs: h.needs.iter().map(|n| json_need(sources, n)).collect(),
                conditions: &h.conditions,
                unknown: &h.unknown,
            })
            .collect(),
    }
}

fn json_end<'a>(sources: &'a Sources, end: &'a PathEnd) -> JsonEnd<'a> {
    let at = end.span.filter(|s| s.is_in_source());
    JsonEnd {
        kind: end.kind,
        name: &end.name,
        address: end.address.as_deref(),
        arn: end.arn.as_deref(),
        path: at.map(|s| sources.path(s.file)),
        span: at.map(|s| span(sources, s)),
    }
}

fn json_need<'a>(sources: &'a Sources, need: &'a Need) -> JsonNeed<'a> {
    let at = Some(need.span).filter(|s| s.is_in_source());
    JsonNeed {
        action: need.action,
        resource: need.resource.as_deref(),
        path: at.map(|s| sources.path(s.file)),
        span: at.map(|s| span(sources, s)),
    }
}

/// One paragraph for each path.
pub fn paths_human(listed: &PathsPage<'_>) -> String {
    let (mut out, mut count) = (String::new(), 0);
    (listed.paths)(&mut |p| {
        count += 1;
        push_line(&mut out, &format!("{}: {}: {}", p.severity.name(), title(p), p.line()));
        for (i, h) in p.hops.iter().enumerate() {
            push_line(&mut out, &format!("  {}. {}", i + 1, sentence(h)));
            for need in &h.needs {
                push_line(
                    &mut out,
                    &format!("     {}", one_line(&need_line(listed.sources, need))),
                );
            }
            for line in notes(h) {
                push_line(&mut out, &format!("     {line}"));
            }
        }
        out.push('\n');
    });
    push_line(&mut out, &total(count));
    if listed.more {
        push_line(&mut out, MORE);
    }
    if !listed.unjudged.is_empty() {
        let n = phrase::count(listed.unjudged.iter().filter(|u| u.counts()).count(), "part", "parts");
        push_line(
            &mut out,
            &format!("{n} of the files could not be judged: overgrant policies --unjudged"),
        );
    }
    out
}

/// More paths to data than are listed.
const MORE: &str = "There are more paths to data: ask with --from WHO or --to RESOURCE.";

fn total(paths: usize) -> String {
    match paths {
        0 => "No paths.".to_owned(),
        _ => phrase::count(paths, "path", "paths"),
    }
}

/// A list that fits a comment on a pull request.
pub fn paths_markdown(listed: &PathsPage<'_>) -> String {
    let mut out = String::new();
    (listed.paths)(&mut |p| {
        let _ = writeln!(out, "- **{}**: {}: `{}`", p.severity.name(), title(p), p.from.text());
        for h in &p.hops {
            let places: Vec<String> = h.needs.iter().map(|n| place(listed.sources, n.span)).collect();
            let notes: Vec<String> = notes(h).collect();
            let notes = if notes.is_empty() {
                String::new()
            } else {
                format!(" ({})", notes.join("; "))
            };
            let _ = writeln!(out, "  1. {} `{}`{notes}: {}", h.by, h.to.text(), places.join(", "));
        }
    });
    if out.is_empty() {
        push_line(&mut out, &total(0));
    }
    if listed.more {
        let _ = write!(out, "\n{MORE}\n");
    }
    out
}

fn title(p: &AccessPath) -> String {
    format!("{} gains {}", p.from.text(), p.gain.text())
}

/// "user/ann assumes the role role/deploy"
fn sentence(h: &Hop) -> String {
    match h.from == h.to {
        true => format!("{} {}", h.from.text(), h.by),
        false => format!("{} {}: {}", h.from.text(), h.by, h.to.text()),
    }
}

fn notes(h: &Hop) -> impl Iterator<Item = String> {
    let conditions = (!h.conditions.is_empty()).then(|| format!("under a condition on {}", h.conditions.join(", ")));
    conditions
        .into_iter()
        .chain(h.unknown.iter().map(|u| format!("unknown: {u}")))
}

fn need_line(sources: &Sources, need: &Need) -> String {
    let what = match (need.action, &need.resource) {
        (Some(action), Some(resource)) => format!("{action} on {resource}"),
        (Some(action), None) => action.to_owned(),
        (None, _) => "declared".to_owned(),
    };
    format!("{what}: {}", place(sources, need.span))
}

fn place(sources: &Sources, span: Span) -> String {
    if !span.is_in_source() {
        return "a managed policy of AWS".to_owned();
    }
    let at = sources.positions(span).0;
    format!("{}:{}:{}", sources.path(span.file), at.line, at.column)
}
