//! What a change of policies grants and takes away.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use codespan_reporting::diagnostic::{Diagnostic, Label as Mark};
use codespan_reporting::term::{Chars, Config};
use serde::Serialize;

use super::excerpt::Excerpts;
use super::human::{Buffer, level};
use super::json::{JsonSpan, JsonUnjudged, JsonUnread, SCHEMA_VERSION, span, unjudged, unread};
use crate::access::sets::{Change, ChangeCondition, Witness, WitnessPrincipal, WitnessValue};
use crate::finding::Severity;
use crate::layout::fit;
use crate::phrase::{and_more, count, list};
use crate::secrets::Mask;
use crate::source::{FileId, Problem, Sources, Span, json_without_commands, one_line, pretty_json, push_line};
use crate::unjudged::Unjudged;

/// Items of a list that a sentence names.
const NAMED: usize = 3;
/// Items of a list that Markdown names where it is folded.
const NAMED_IN_FULL: usize = 20;
/// Characters of a comment on a pull request. GitHub's limit of one comment.
const MAX_COMMENT: usize = 65_536;
/// Changes that Markdown shows unfolded.
const MAX_OPEN: usize = 10;
/// Columns before the source.
const GUTTER: usize = 8;

/// One of the two sides.
#[derive(Debug)]
pub struct DiffSide<'a> {
    pub sources: &'a Sources,
    pub errors: &'a [Problem],
    pub unjudged: &'a [Unjudged],
    pub mask: Mask,
    /// As the command line names it.
    pub name: &'a str,
    /// Absolute: what paths are seen from.
    pub cwd: String,
    /// Absolute: where the paths of code hosts start.
    pub root: String,
}

/// A gain or a loss of one document.
#[derive(Debug)]
pub struct DiffChange {
    pub subject: String,
    pub change: Change,
}

/// Something with policies that is found under another address.
#[derive(Debug)]
pub struct DiffMove {
    pub subject: String,
    pub from: String,
    /// In OLD.
    pub old_span: Span,
    /// In NEW.
    pub span: Span,
}

/// What could not be compared.
#[derive(Debug)]
pub struct DiffUnknown {
    pub subject: String,
    pub why: String,
    /// Whether something may be gained, or may be lost.
    pub is_gain: bool,
    /// The side of the span.
    pub is_new: bool,
    pub span: Option<Span>,
}

/// The whole comparison.
#[derive(Debug)]
pub struct DiffPage<'a> {
    pub old: DiffSide<'a>,
    pub new: DiffSide<'a>,
    /// The worst first.
    pub gained: Vec<DiffChange>,
    pub lost: Vec<DiffChange>,
    pub unknown: Vec<DiffUnknown>,
    pub moved: Vec<DiffMove>,
    /// A file that differs is broken on one side.
    pub is_broken: bool,
    /// What placeholders were taken to be.
    pub assumed: BTreeMap<String, String>,
}

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
pub(super) struct JsonRequest<'a> {
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
    super::json::schema_of::<JsonDiff<'_>, JsonRequest<'_>>("overgrant diff", about)
}

impl DiffPage<'_> {
    /// Nothing is different, as far as could be decided.
    fn is_empty(&self) -> bool {
        self.gained.is_empty() && self.lost.is_empty() && self.unknown.is_empty()
    }

    pub(super) fn counts(&self) -> String {
        let (gained, lost, unknown) = (self.gained.len(), self.lost.len(), self.unknown.len());
        let moved = match self.moved.len() {
            0 => String::new(),
            moved => format!(", {moved} moved"),
        };
        format!("{gained} gained, {lost} lost, {unknown} unknown{moved}")
    }

    pub(super) fn masked(&self, text: String) -> String {
        self.new.mask.text(self.old.mask.text(text))
    }

    pub(super) fn side(&self, is_new: bool) -> &DiffSide<'_> {
        if is_new { &self.new } else { &self.old }
    }

    /// "where `<ACCOUNT ID>` is `111122223333`"
    fn assumption(&self) -> Option<String> {
        let each = self
            .assumed
            .iter()
            .map(|(name, value)| format!("`{name}` is `{value}`"));
        let all: Vec<String> = each.collect();
        (!all.is_empty()).then(|| format!("where {}", all.join(" and ")))
    }
}

impl DiffChange {
    /// "gain `s3:PutObject` on `arn:aws:s3:::b/*`"
    pub(crate) fn does(&self, is_gain: bool) -> String {
        let verb = if is_gain { "gain" } else { "lose" };
        sentence(self, verb, NAMED).replacen(&format!("`{}` ", self.subject), "", 1)
    }

    /// The sentence and the request of a gain.
    pub(super) fn gain(&self) -> String {
        format!(
            "{}\nrequest: {}",
            sentence(self, "gains", NAMED),
            request(&self.change.request)
        )
    }
}

/// "`ci` is now `module.ci.role` (iam.tf:3)"
fn moved(page: &DiffPage<'_>, m: &DiffMove) -> String {
    let line = page.new.sources.positions(m.span).0.line;
    let (from, to) = (
        page.old.sources.path(m.old_span.file),
        page.new.sources.path(m.span.file),
    );
    match m.from == m.subject {
        true => format!("`{}` moved from {from} to {to}:{line}", m.subject),
        false => format!("`{}` is now `{}` ({to}:{line})", m.from, m.subject),
    }
}

/// "`new.json` gains `s3:PutObject` on `arn:aws:s3:::b/*`"
fn sentence(c: &DiffChange, verb: &str, most: usize) -> String {
    let some = |items: &[String]| {
        let shown = items.len().min(most);
        list(&items[..shown]) + &and_more(shown, items.len() - shown)
    };
    let of = |lead: &str, items: &[String]| match items {
        [] => String::new(),
        [one] if one == "*" => format!("{lead}any {}", if lead == " on " { "resource" } else { "principal" }),
        items => format!("{lead}{}", some(items)),
    };
    let mut out = format!("`{}` {verb} {}", c.subject, some(&c.change.actions));
    out += &of(" on ", &c.change.resources);
    out += &of(" for ", &c.change.principals);
    match c.change.conditions.as_slice() {
        [] => {}
        [one] => drop(write!(out, " under a condition on `{}`", one.key)),
        more => drop(write!(out, " under conditions on {}", list(keys(more)))),
    }
    out
}

fn keys(conditions: &[ChangeCondition]) -> Vec<&str> {
    let mut keys: Vec<&str> = conditions.iter().map(|c| &*c.key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// "`s3:PutObject` on `arn:aws:s3:::b/example` by `arn:aws:iam::111122223333:role/example`, with `aws:sourcevpc` = `vpc-1`"
pub(super) fn request(r: &Witness) -> String {
    let who = match &r.principal {
        WitnessPrincipal::Named(name) => format!("`{name}`"),
        WitnessPrincipal::Anonymous => "an anonymous caller".to_owned(),
    };
    let mut out = format!("`{}`", r.action);
    if !r.resource.is_empty() {
        let _ = write!(out, " on `{}`", r.resource);
    }
    let _ = write!(out, " by {who}");
    for (n, (key, value)) in r.context.iter().enumerate() {
        let lead = if n == 0 { ", with" } else { " and" };
        let _ = write!(out, "{lead} `{key}` = {}", list(value.values()));
    }
    out
}

/// For people, with the source.
pub fn diff_human(page: &DiffPage<'_>, width: usize, color: bool) -> String {
    let mut out = Buffer::new(color);
    let config = Config {
        tab_width: 4,
        chars: Chars::box_drawing(),
        ..Config::default()
    };
    let all = page
        .gained
        .iter()
        .map(|c| (c, true))
        .chain(page.lost.iter().map(|c| (c, false)));
    for (c, is_gain) in all {
        let side = page.side(is_gain);
        let name = |file: FileId| side.sources.path(file).to_owned();
        let spans = [c.change.span];
        let (files, places) = Excerpts::new(side.sources, &side.mask, &spans, width - GUTTER, &name);
        let label = match is_gain {
            true => "allows it",
            false => "allowed it",
        };
        let marks = places
            .into_iter()
            .map(|place| Mark::primary(place.part, place.range).with_message(label));
        let mut notes = vec![format!("request: {}", request(&c.change.request))];
        notes.extend(c.change.denied_at.filter(|at| at.is_in_source()).map(|at| {
            let other = page.side(!is_gain);
            let line = other.sources.positions(at).0.line;
            let when = if is_gain { "before" } else { "now" };
            format!("denied {when} at {}:{line}", other.sources.path(at.file))
        }));
        let severity = if is_gain {
            level(c.change.severity)
        } else {
            level(Severity::Low)
        };
        let verb = if is_gain { "gains" } else { "loses" };
        let diagnostic = Diagnostic::new(severity)
            .with_message(page.masked(sentence(c, verb, NAMED)))
            .with_labels(marks.collect())
            .with_notes(notes.into_iter().map(|n| page.masked(n)).collect());
        let mut block = Buffer::new(color);
        block.emit(&config, &files, &diagnostic);
        out.text(&fit(&block.finish(), width));
    }
    let mut rest = String::new();
    for u in &page.unknown {
        push_line(
            &mut rest,
            &page.masked(format!("unknown: `{}` {}{}", u.subject, u.why, place(page, u))),
        );
    }
    for m in &page.moved {
        push_line(&mut rest, &page.masked(format!("moved: {}", moved(page, m))));
    }
    for p in page
        .old
        .errors
        .iter()
        .map(|p| (p, false))
        .chain(page.new.errors.iter().map(|p| (p, true)))
    {
        let side = page.side(p.1);
        let at = side.sources.positions(p.0.span).0;
        let path = side.sources.path(p.0.span.file);
        push_line(
            &mut rest,
            &format!("{path}:{}:{}: not read: {}", at.line, at.column, p.0.message),
        );
    }
    let end = match page.is_empty() {
        true => "nothing is gained or lost".to_owned(),
        false => page.counts(),
    };
    let assumed = page.assumption().map(|a| format!(", {a}")).unwrap_or_default();
    push_line(&mut rest, &format!("{end}{assumed}"));
    out.text(&rest);
    out.finish()
}

/// " (new.json:3:4)"
fn place(page: &DiffPage<'_>, u: &DiffUnknown) -> String {
    let side = page.side(u.is_new);
    let Some(at) = u.span.filter(|at| at.is_in_source()) else {
        return String::new();
    };
    let start = side.sources.positions(at).0;
    format!(" ({}:{}:{})", side.sources.path(at.file), start.line, start.column)
}

/// For pull requests.
pub fn diff_markdown(page: &DiffPage<'_>) -> String {
    let mut out = String::new();
    let heading = match page.is_empty() {
        true => "No access is gained or lost".to_owned(),
        false => format!("Access: {}", page.counts()),
    };
    let _ = writeln!(out, "**{heading}** ({} → {})", code(page.old.name), code(page.new.name));
    if let Some(assumed) = page.assumption() {
        let _ = writeln!(out, "\nCompared {assumed}.");
    }
    let gained = page.gained.iter().map(|c| (c, true));
    let all: Vec<(&DiffChange, bool)> = gained.chain(page.lost.iter().map(|c| (c, false))).collect();
    let mut lines: Vec<String> = Vec::new();
    for (c, is_gain) in &all {
        let verb = if *is_gain { "gains" } else { "loses" };
        let side = page.side(*is_gain);
        let line = side.sources.positions(c.change.span).0.line;
        let path = side.sources.path(c.change.span.file);
        lines.push(format!(
            "- {}{} ({path}:{line})  \n  Request: {}",
            if *is_gain {
                format!("**{}** ", c.change.severity.name())
            } else {
                String::new()
            },
            sentence(c, verb, if lines.len() < MAX_OPEN { NAMED } else { NAMED_IN_FULL }),
            request(&c.change.request)
        ));
    }
    let undecided = page.unknown.iter();
    lines.extend(undecided.map(|u| format!("- unknown: `{}` {}{}", u.subject, u.why, place(page, u))));
    lines.extend(page.moved.iter().map(|m| format!("- moved: {}", moved(page, m))));
    let lines: Vec<String> = lines.into_iter().map(|l| page.masked(l)).collect();
    let mut folded = false;
    for (n, line) in lines.iter().enumerate() {
        if n == 0 {
            out.push('\n');
        }
        if n == MAX_OPEN {
            let _ = writeln!(
                out,
                "\n<details><summary>{}</summary>\n",
                count(lines.len() - n, "more", "more")
            );
            folded = true;
        }
        let line = markdown_line(line);
        if out.len() + line.len() > MAX_COMMENT - 200 {
            let _ = writeln!(out, "- … and {} more", lines.len() - n);
            break;
        }
        let _ = writeln!(out, "{line}");
    }
    if folded {
        out.push_str("\n</details>\n");
    }
    out
}

/// No text of a file starts a line of its own; the line break is ours.
fn markdown_line(line: &str) -> String {
    let parts: Vec<String> = line.split("  \n  ").map(|part| one_line(part).into_owned()).collect();
    parts.join("  \n  ")
}

fn code(text: &str) -> String {
    format!("`{}`", one_line(text).replace('`', "'"))
}

/// The stable JSON.
pub fn diff_json(page: &DiffPage<'_>) -> String {
    let json = JsonDiff {
        schema_version: SCHEMA_VERSION,
        gained: page.gained.iter().map(|c| json_change(page, c, true)).collect(),
        lost: page.lost.iter().map(|c| json_change(page, c, false)).collect(),
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
        message: sentence(c, if is_gain { "gains" } else { "loses" }, NAMED),
    }
}

pub(super) fn json_request(r: &Witness) -> JsonRequest<'_> {
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
