//! What a change of policies grants and takes away.

mod entries;
mod human;
pub(super) mod json;
mod markdown;

use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(super) use entries::{DiffEntry, PathEntry};
pub use human::diff_human;
pub use json::diff_json;
#[cfg(feature = "cli")]
pub(crate) use json::schema;
pub use markdown::diff_markdown;

use crate::access::sets::{Change, Witness, WitnessPrincipal};
use crate::paths::AccessPath;
use crate::phrase::{and_more, count, list};
use crate::secrets::Mask;
use crate::source::{Problem, Sources, Span};
use crate::unjudged::Unjudged;

/// Items of a list that a sentence names.
const NAMED: usize = 3;

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
    /// It is a policy that nothing here attaches.
    pub is_unattached: bool,
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

/// A path that opens or closes.
#[derive(Debug)]
pub struct DiffPath {
    pub path: AccessPath,
    /// Where the change is, on the side that has the path.
    pub span: Option<Span>,
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
    /// The worst first.
    pub opened: Vec<DiffPath>,
    pub closed: Vec<DiffPath>,
    pub unknown: Vec<DiffUnknown>,
    pub moved: Vec<DiffMove>,
    /// A file that differs is broken on one side.
    pub is_broken: bool,
    /// What placeholders were taken to be.
    pub assumed: BTreeMap<String, String>,
}

impl DiffPage<'_> {
    /// Nothing is different, as far as could be decided.
    fn is_empty(&self) -> bool {
        let has_changes = !self.gained.is_empty() || !self.lost.is_empty();
        let has_paths = !self.opened.is_empty() || !self.closed.is_empty();
        !has_changes && !has_paths && self.unknown.is_empty()
    }

    /// Entries as they are listed.
    pub(in crate::report) fn counts(&self) -> String {
        let entries = |list, is_gain| DiffEntry::all(list, is_gain).len();
        let (gained, lost) = (entries(&self.gained, true), entries(&self.lost, false));
        let unknown = undecided(&self.unknown).len();
        let moved = match self.moved.len() {
            0 => String::new(),
            moved => format!(", {moved} moved"),
        };
        let mut paths = String::new();
        for (list, is_gain, verb) in [(&self.opened, true, "opened"), (&self.closed, false, "closed")] {
            if !list.is_empty() {
                let entries = PathEntry::all(list, is_gain).len();
                let _ = write!(paths, ", {} {verb}", count(entries, "path", "paths"));
            }
        }
        format!("{gained} gained, {lost} lost, {unknown} unknown{paths}{moved}")
    }

    pub(in crate::report) fn masked(&self, text: String) -> String {
        self.new.mask.text(self.old.mask.text(text))
    }

    fn side(&self, is_new: bool) -> &DiffSide<'_> {
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
        DiffEntry::of(self, is_gain).does(if is_gain { "gain" } else { "lose" }, NAMED)
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

/// " (new.json:3:4)"
fn place(page: &DiffPage<'_>, u: &DiffUnknown) -> String {
    let side = page.side(u.is_new);
    let Some(at) = u.span.filter(|at| at.is_in_source()) else {
        return String::new();
    };
    let start = side.sources.positions(at).0;
    format!(" ({}:{}:{})", side.sources.path(at.file), start.line, start.column)
}

/// "denied before at old.tf:12"
fn denied(page: &DiffPage<'_>, entry: &DiffEntry<'_>) -> Option<String> {
    let at = entry.first.change.denied_at.filter(|at| at.is_in_source())?;
    let other = page.side(!entry.is_gain);
    let line = other.sources.positions(at).0.line;
    let when = if entry.is_gain { "before" } else { "now" };
    Some(format!("denied {when} at {}:{line}", other.sources.path(at.file)))
}

/// Doubts with those whom they are about: one for all that have the same reason in one place.
fn undecided(all: &[DiffUnknown]) -> Vec<(String, &DiffUnknown)> {
    let mut known: BTreeMap<(&str, Option<Span>, bool), usize> = BTreeMap::new();
    let mut out: Vec<(Vec<&str>, &DiffUnknown)> = Vec::new();
    for u in all {
        let at = *known.entry((&u.why, u.span, u.is_new)).or_insert(out.len());
        match out.get_mut(at) {
            Some((subjects, _)) if subjects.contains(&&*u.subject) => {}
            Some((subjects, _)) => subjects.push(&u.subject),
            None => out.push((vec![&u.subject], u)),
        }
    }
    let named = |subjects: Vec<&str>| {
        let shown = subjects.len().min(NAMED);
        list(&subjects[..shown]) + &and_more(shown, subjects.len() - shown)
    };
    out.into_iter().map(|(subjects, u)| (named(subjects), u)).collect()
}
