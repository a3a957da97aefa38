//! Contracts and how they stand, as `overgrant contracts` writes them.

use serde::Serialize;

use super::diff::{JsonRequest, json_request, request};
use super::json::{JsonSpan, JsonUnjudged, JsonUnread, SCHEMA_VERSION, span, unjudged, unread};
use super::paths::{JsonPath, json_path};
use crate::contracts::{Breach, ContractDoubt, ContractState, JudgedContract};
use crate::phrase;
use crate::source::{Problem, Sources, Span, json_without_commands, pretty_json, push_line};
use crate::unjudged::Unjudged;

/// What `overgrant contracts` shows.
#[derive(Debug)]
pub struct ContractsPage<'a> {
    pub sources: &'a Sources,
    pub contracts: &'a [JudgedContract<'a>],
    pub errors: &'a [Problem],
    pub unjudged: &'a [Unjudged],
}

/// What `overgrant contracts --format json` writes.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonContracts<'a> {
    /// Version of this layout.
    schema_version: &'static str,
    contracts: Vec<JsonContract<'a>>,
    /// Files that could not be read completely.
    errors: Vec<JsonUnread<'a>>,
    /// What could not be judged.
    unjudged: Vec<JsonUnjudged<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonContract<'a> {
    name: &'a str,
    state: ContractState,
    /// The settings or the access file.
    path: &'a str,
    /// Of the name.
    span: JsonSpan,
    /// What breaks it.
    broken_by: Vec<JsonBreach<'a>>,
    /// Why it is not decided.
    unknown: Vec<JsonDoubt<'a>>,
    /// Names that match nothing.
    names_nothing: Vec<JsonNameless<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonBreach<'a> {
    /// The address of an identity, a principal, or `anyone`.
    who: &'a str,
    /// Of the token that allows it.
    path: &'a str,
    span: JsonSpan,
    /// A request that is allowed; at the end of a path, if there is one. Null where someone becomes an administrator.
    request: Option<JsonRequest<'a>>,
    /// How someone becomes the one who can; null where no one has to.
    through: Option<JsonPath<'a>>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonDoubt<'a> {
    who: Option<&'a str>,
    path: Option<&'a str>,
    span: Option<JsonSpan>,
    why: &'a str,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
struct JsonNameless<'a> {
    name: &'a str,
    span: JsonSpan,
}

/// The JSON Schema of the list.
#[cfg(feature = "cli")]
pub(crate) fn schema() -> serde_json::Value {
    let about = "What `overgrant contracts --format json` writes.";
    super::json::schema_of::<JsonContracts<'_>, JsonContract<'_>>("overgrant contracts", about)
}

/// The contracts as JSON.
pub fn contracts_json(page: &ContractsPage<'_>) -> String {
    let sources = page.sources;
    json_without_commands(pretty_json(&JsonContracts {
        schema_version: SCHEMA_VERSION,
        contracts: page.contracts.iter().map(|c| contract(sources, c)).collect(),
        errors: unread(sources, page.errors),
        unjudged: unjudged(sources, page.unjudged),
    }))
}

fn contract<'a>(sources: &'a Sources, c: &'a JudgedContract<'a>) -> JsonContract<'a> {
    let broken_by = c.breaches.iter().map(|b| JsonBreach {
        who: &b.who,
        path: sources.path(b.at.file),
        span: span(sources, b.at),
        request: b.request.as_ref().map(json_request),
        through: b.path.as_ref().map(|p| json_path(sources, p)),
    });
    let unknown = c.doubts.iter().map(|d| {
        let at = d.at.filter(|at| at.is_in_source());
        JsonDoubt {
            who: d.who.as_deref(),
            path: at.map(|at| sources.path(at.file)),
            span: at.map(|at| span(sources, at)),
            why: &d.why,
        }
    });
    let names_nothing = c.nameless.iter().map(|(at, name)| JsonNameless {
        name,
        span: span(sources, *at),
    });
    JsonContract {
        name: &c.contract.terms.name.value.0,
        state: c.state(),
        path: &c.contract.file,
        span: span(sources, c.span),
        broken_by: broken_by.collect(),
        unknown: unknown.collect(),
        names_nothing: names_nothing.collect(),
    }
}

/// A line for each contract, and why it is broken or not decided.
pub fn contracts_human(page: &ContractsPage<'_>) -> String {
    let mut out = String::new();
    for c in page.contracts {
        let state = c.state().name();
        let line = format!(
            "{state}: {} ({})",
            c.contract.terms.name.value.0,
            place(page.sources, c.span)
        );
        push_line(&mut out, &line);
        for b in &c.breaches {
            for line in breach_lines(page.sources, b) {
                push_line(&mut out, &format!("  {line}"));
            }
        }
        for (at, name) in &c.nameless {
            push_line(
                &mut out,
                &format!("  {}: `{name}` matches nothing here", place(page.sources, *at)),
            );
        }
        if c.breaches.is_empty() {
            for d in &c.doubts {
                push_line(&mut out, &format!("  {}", doubt_line(page.sources, d)));
            }
        }
    }
    push_line(&mut out, &summary(page));
    out
}

fn summary(page: &ContractsPage<'_>) -> String {
    if page.contracts.is_empty() {
        return "No contracts.".to_owned();
    }
    let count = |state: ContractState| page.contracts.iter().filter(|c| c.state() == state).count();
    let contracts = phrase::count(page.contracts.len(), "contract", "contracts");
    let (broken, undecided) = (count(ContractState::Broken), count(ContractState::Undecided));
    let kept = count(ContractState::Kept);
    if !page.errors.is_empty() {
        let files = phrase::count(page.errors.len(), "problem", "problems");
        return format!("{contracts}: {kept} kept, {broken} broken, {undecided} undecided; {files} of reading files");
    }
    let unjudged = page.unjudged.iter().filter(|u| u.counts()).count();
    match (broken, undecided) {
        (0, 0) if unjudged > 0 => {
            let places = phrase::count(unjudged, "place was", "places were");
            format!("{contracts}, all kept as far as known: {places} not judged (`overgrant policies --unjudged`).")
        }
        (0, 0) => format!("{contracts}, all kept."),
        _ => format!("{contracts}: {kept} kept, {broken} broken, {undecided} undecided."),
    }
}

fn breach_lines(sources: &Sources, b: &Breach) -> Vec<String> {
    let at = place(sources, b.at);
    let mut out = Vec::new();
    match (&b.request, &b.path) {
        (Some(r), None) => out.push(format!("{at}: {} can perform {} on {}", b.who, r.action, r.resource)),
        (Some(r), Some(_)) => out.push(format!(
            "{at}: {} can come to perform {} on {}",
            b.who, r.action, r.resource
        )),
        (None, _) => out.push(format!("{at}: {} can become an administrator", b.who)),
    }
    if let Some(path) = &b.path {
        for hop in &path.hops {
            let needs = hop.needs.iter().map(|n| n.span).find(|s| s.is_in_source());
            let at = needs.map_or_else(String::new, |s| format!(" ({})", place(sources, s)));
            out.push(format!("  {} {} {}{at}", hop.from.text(), hop.by, hop.to.text()));
        }
    }
    out.extend(b.request.as_ref().map(|r| format!("  request: {}", request(r))));
    out
}

fn doubt_line(sources: &Sources, d: &ContractDoubt) -> String {
    let at = d.at.filter(|at| at.is_in_source());
    let at = at.map_or_else(String::new, |at| format!("{}: ", place(sources, at)));
    let who = d.who.as_ref().map_or_else(String::new, |who| format!("{who}: "));
    format!("{at}{who}{}", d.why)
}

fn place(sources: &Sources, span: Span) -> String {
    let start = sources.positions(span).0;
    format!("{}:{}:{}", sources.path(span.file), start.line, start.column)
}
