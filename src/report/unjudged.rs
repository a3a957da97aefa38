//! What was not judged, for people and as JSON.

use serde::Serialize;

use super::json::{JsonUnjudged, SCHEMA_VERSION, unjudged};
use crate::source::{Sources, one_line, pretty_json, push_line};
use crate::unjudged::{Language, Unjudged, UnjudgedReason, counted_kinds};

/// Entries of one file and reason, or of one reason about whole files: a line of the summary.
pub(super) struct Group<'u> {
    first: &'u Unjudged,
    more: usize,
}

/// Groups of what counts, in the order of their first entries.
pub(super) fn groups(all: &[Unjudged]) -> Vec<Group<'_>> {
    let mut out: Vec<Group<'_>> = Vec::new();
    for u in all.iter().filter(|u| u.counts()) {
        match out.iter_mut().find(|g| is_same_reason(g.first, u)) {
            Some(group) => group.more += 1,
            None => out.push(Group { first: u, more: 0 }),
        }
    }
    out
}

/// Whether two entries have one reason and one thing to do about it.
fn is_same_reason(a: &Unjudged, b: &Unjudged) -> bool {
    a.what == b.what
        && a.why == b.why
        && matches!(
            a.why,
            UnjudgedReason::Language(_) | UnjudgedReason::Module | UnjudgedReason::Function(_)
        )
}

/// What makes workloads in a language that is not read.
pub(super) fn lines_of_cdk(all: &[Unjudged], sources: &Sources) -> Vec<String> {
    let groups = groups(all).into_iter();
    let of_cdk = groups.filter(|g| matches!(g.first.why, UnjudgedReason::Language(Language::Cdk)));
    of_cdk.map(|g| g.line(sources)).collect()
}

impl Group<'_> {
    pub(super) fn line(&self, sources: &Sources) -> String {
        let (place, text) = self.parts(sources);
        one_line(&format!("{place}: {text}")).into_owned()
    }

    /// Where it is, and the rest.
    pub(super) fn parts(&self, sources: &Sources) -> (String, String) {
        let u = self.first;
        let (one, many) = u.noun();
        let text = match self.more {
            0 => format!("{one}: {}", u.text()),
            1 => format!("and 1 more {one}: {}", u.why),
            n => format!("and {n} more {many}: {}", u.why),
        };
        (location(sources, u), text)
    }
}

fn location(sources: &Sources, u: &Unjudged) -> String {
    match u.span {
        Some(span) => {
            let at = sources.positions(span).0;
            format!("{}:{}:{}", u.path, at.line, at.column)
        }
        None => u.path.clone(),
    }
}

fn line(sources: &Sources, u: &Unjudged) -> String {
    format!("{}: {}: {}", location(sources, u), u.noun().0, u.text())
}

/// A line for each entry, and the counts.
pub fn unjudged_human(sources: &Sources, all: &[Unjudged]) -> String {
    let mut out = String::new();
    for u in all {
        push_line(&mut out, &line(sources, u));
    }
    out.push_str(&match counted_kinds(all) {
        Some(counted) => format!("Not judged: {counted}.\n"),
        None => "Everything was judged.\n".to_owned(),
    });
    out
}

/// What `overgrant policies --unjudged --format json` writes.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub(super) struct JsonUnjudgedList<'a> {
    /// Version of this layout.
    schema_version: &'static str,
    unjudged: Vec<JsonUnjudged<'a>>,
}

pub fn unjudged_json(sources: &Sources, all: &[Unjudged]) -> String {
    pretty_json(&JsonUnjudgedList {
        schema_version: SCHEMA_VERSION,
        unjudged: unjudged(sources, all),
    })
}
