//! Makes fixes round by round, and keeps only what lints better than before.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::grants::{GrantChange, GrantEffect, Grants, lines};
use super::write::are_independent;
use crate::finding::{AppliedFix, Edit};
use crate::project::Project;
use crate::source::Span;
use crate::triage::{Report, Status};

/// How often files are linted again: every fix that has to be dropped costs about twice the logarithm of all.
const MAX_ROUNDS: usize = 100;

/// The files that are other than on disk, by path.
pub type Texts = BTreeMap<String, Arc<str>>;

/// What a run of the linter saw, as far as fixing has to know.
#[derive(Debug, Default)]
pub struct LintedState {
    offers: Vec<Offer>,
    /// Findings by rule and path: of those that are to be acted on, and of all.
    active: BTreeMap<(String, String), usize>,
    all: BTreeMap<(String, String), usize>,
    /// Findings that others stand for: they may come to light.
    folded: BTreeMap<(String, String), usize>,
    problems: BTreeMap<String, usize>,
    /// Of each finding that the baseline knows and that has a fix, whether one is safe.
    known: Vec<bool>,
    /// What the files held that are edited.
    texts: Texts,
    grants: Grants,
}

/// A finding's fix.
#[derive(Clone, Debug)]
struct Offer {
    rule: String,
    path: String,
    line: usize,
    fingerprint: String,
    title: String,
    safe: bool,
    may_grant: bool,
    edits: Vec<(String, Edit)>,
    /// The statements of policies that it changes.
    statements: Vec<Span>,
}

impl Offer {
    fn applied(&self, changes: &[GrantChange], batch: &[&Self]) -> AppliedFix {
        let own = changes.iter().filter(|c| self.makes(c, batch));
        let mut changes: Vec<String> = Vec::new();
        for change in own {
            if !changes.contains(&change.what) {
                changes.push(change.what.clone());
            }
        }
        AppliedFix {
            rule: self.rule.clone(),
            path: self.path.clone(),
            line: self.line,
            title: self.title.clone(),
            safe: self.safe,
            changes,
        }
    }

    /// Whether this is one of the fixes in `batch` that made a change.
    fn makes(&self, change: &GrantChange, batch: &[&Self]) -> bool {
        let in_statement = |o: &Self| change.statement.is_some_and(|s| o.statements.contains(&s));
        let in_file = |o: &Self| o.edits.iter().any(|(path, _)| *path == change.path);
        if batch.iter().any(|o| in_statement(o)) {
            return in_statement(self);
        }
        in_file(self) || !batch.iter().any(|o| in_file(o))
    }
}

/// A fix that was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedFix {
    pub rule: String,
    pub path: String,
    pub line: usize,
    pub title: String,
    pub why: DropReason,
}

/// Why a fix was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// A file at this path could not be read after the fix.
    Unreadable(String),
    Brings {
        rule: String,
        path: String,
    },
    /// The finding of this rule would stay.
    Stays(String),
    /// A safe fix would change this.
    ChangesGrants(Vec<String>),
    /// A fix that is not meant to would grant this.
    GrantsMore(Vec<String>),
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path) => write!(f, "{path} could no longer be parsed"),
            Self::Brings { rule, path } => write!(f, "it would introduce `{rule}` in {path}"),
            Self::Stays(rule) => write!(f, "`{rule}` would still be reported"),
            Self::ChangesGrants(lines) => {
                f.write_str("it would change what is granted")?;
                lines.first().map_or(Ok(()), |line| write!(f, ": {line}"))
            }
            Self::GrantsMore(lines) => {
                f.write_str("it would grant more")?;
                lines.first().map_or(Ok(()), |line| write!(f, ": {line}"))
            }
        }
    }
}

/// What fixing came to.
#[derive(Debug, Default)]
pub struct AppliedFixes {
    pub texts: Texts,
    /// In the order of rounds.
    pub fixes: Vec<AppliedFix>,
    pub dropped: Vec<DroppedFix>,
    /// Unsafe fixes that are left, where only safe ones were asked for.
    pub unsafe_left: usize,
    /// Findings with a fix that would be made if the baseline did not know them.
    pub known_left: usize,
}

impl LintedState {
    pub fn new(project: &Project<'_>, report: &Report) -> Self {
        let sources = project.sources;
        let grants = Grants::new(project);
        let mut seen = Self::default();
        for f in &report.findings {
            let path = sources.path(f.span().file).to_owned();
            let key = |rule: &str| (rule.to_owned(), path.clone());
            *seen.all.entry(key(f.rule())).or_default() += 1;
            for rule in &f.finding.folded {
                *seen.folded.entry(key(rule)).or_default() += 1;
            }
            if matches!(f.status, Status::Baselined | Status::Moved) && sources.file(f.span().file).in_scope {
                seen.known.extend(f.fixes.iter().map(|fix| fix.safe).max());
            }
            // What is ignored or known was left as it is on purpose.
            if f.status != Status::New {
                continue;
            }
            *seen.active.entry(key(f.rule())).or_default() += 1;
            for fix in &f.fixes {
                if !fix.edits.iter().all(|e| sources.file(e.span.file).in_scope) {
                    continue;
                }
                let edits = fix.edits.iter().map(|e| {
                    let path = sources.path(e.span.file);
                    let text = sources.text(e.span.file);
                    seen.texts.entry(path.to_owned()).or_insert_with(|| text.clone());
                    (path.to_owned(), e.clone())
                });
                let edits = edits.collect();
                let places = fix.edits.iter().map(|e| e.span);
                let statements = places.flat_map(|place| grants.statements_at(place)).collect();
                seen.offers.push(Offer {
                    rule: f.rule().to_owned(),
                    path: path.clone(),
                    line: sources.positions(f.span()).0.line,
                    fingerprint: f.identity.fingerprint.clone(),
                    title: fix.title.clone(),
                    safe: fix.safe,
                    may_grant: fix.may_grant,
                    edits,
                    statements,
                });
            }
        }
        for problem in &report.errors {
            let path = sources.path(problem.span.file).to_owned();
            *seen.problems.entry(path).or_default() += 1;
        }
        Self { grants, ..seen }
    }
}

/// Makes fixes until none is left that could be made. `lint` lints with these texts in the place of those on disk.
pub fn apply_fixes<E>(risky: bool, mut lint: impl FnMut(&Texts) -> Result<LintedState, E>) -> Result<AppliedFixes, E> {
    let mut applied = AppliedFixes::default();
    let mut now = lint(&applied.texts)?;
    let mut refused: BTreeSet<(String, String)> = BTreeSet::new();
    let mut limit = usize::MAX;
    for _ in 0..MAX_ROUNDS {
        let batch = batch(&now.offers, risky, &refused, limit);
        if batch.is_empty() {
            break;
        }
        let texts = apply(&now.texts, &applied.texts, &batch);
        let after = lint(&texts)?;
        let changes = now.grants.difference(&after.grants);
        match find_regression(&now, &after, &batch).or_else(|| find_grant(&changes, &batch)) {
            None => {
                applied.texts = texts;
                let made: Vec<AppliedFix> = batch.iter().map(|o| o.applied(&changes, &batch)).collect();
                applied.fixes.extend(made);
                now = after;
                limit = usize::MAX;
            }
            Some(why) if batch.len() == 1 => {
                let o = batch[0];
                refused.insert((o.fingerprint.clone(), o.title.clone()));
                applied.dropped.push(DroppedFix {
                    rule: o.rule.clone(),
                    path: o.path.clone(),
                    line: o.line,
                    title: o.title.clone(),
                    why,
                });
                limit = usize::MAX;
            }
            Some(_) => limit = batch.len() / 2,
        }
    }
    applied.known_left = now.known.iter().filter(|safe| risky || **safe).count();
    applied.unsafe_left = now.offers.iter().filter(|o| !risky && !o.safe).count();
    Ok(applied)
}

/// Why what these fixes grant and deny is not what they may change: safe ones change nothing, and of the others only those
/// that are meant to grant something do so.
fn find_grant(changes: &[GrantChange], batch: &[&Offer]) -> Option<DropReason> {
    if batch.iter().all(|o| o.safe) {
        return (!changes.is_empty()).then(|| DropReason::ChangesGrants(lines(changes)));
    }
    let meant = |c: &GrantChange| batch.iter().any(|o| o.may_grant && o.makes(c, batch));
    let widening = changes.iter().filter(|c| c.effect == GrantEffect::Widens && !meant(c));
    let lines = lines(widening);
    (!lines.is_empty()).then_some(DropReason::GrantsMore(lines))
}

/// The fixes of one round: of two that touch, the first in order. Safe and unsafe ones are not made together, since a safe one
/// has to leave everything granted as it is; nor are two unsafe ones in one statement, since each says what it removes.
fn batch<'o>(offers: &'o [Offer], risky: bool, refused: &BTreeSet<(String, String)>, limit: usize) -> Vec<&'o Offer> {
    let mut taken: BTreeMap<&str, BTreeMap<u32, Span>> = BTreeMap::new();
    let mut served: BTreeSet<&str> = BTreeSet::new();
    let mut statements: BTreeSet<Span> = BTreeSet::new();
    let mut out: Vec<&Offer> = Vec::new();
    let sorted = offers
        .iter()
        .filter(|o| o.safe)
        .chain(offers.iter().filter(|o| !o.safe));
    for offer in sorted {
        if !offer.safe && out.first().is_some_and(|first| first.safe) {
            break;
        }
        let wanted = (risky || offer.safe) && !refused.contains(&(offer.fingerprint.clone(), offer.title.clone()));
        let shares = !offer.safe && offer.statements.iter().any(|s| statements.contains(s));
        if out.len() >= limit || !wanted || shares || served.contains(&*offer.fingerprint) {
            continue;
        }
        let free = offer.edits.iter().all(|(path, e)| {
            let Some(spans) = taken.get(&**path) else { return true };
            let before = spans.range(..=e.span.start).next_back();
            let behind = spans.range(e.span.start..=e.span.end).next();
            [before, behind]
                .into_iter()
                .flatten()
                .all(|(_, s)| are_independent(*s, e.span))
        });
        if !free {
            continue;
        }
        for (path, e) in &offer.edits {
            taken.entry(path).or_default().insert(e.span.start, e.span);
        }
        served.insert(&offer.fingerprint);
        statements.extend(&offer.statements);
        out.push(offer);
    }
    out
}

/// All texts after these fixes.
fn apply(seen: &Texts, before: &Texts, batch: &[&Offer]) -> Texts {
    let mut by_path: BTreeMap<&str, Vec<&Edit>> = BTreeMap::new();
    for (path, edit) in batch.iter().flat_map(|o| &o.edits) {
        by_path.entry(path).or_default().push(edit);
    }
    let mut texts = before.clone();
    for (path, edits) in by_path {
        if let Some(text) = seen.get(path) {
            texts.insert(path.to_owned(), apply_edits(text, &edits).into());
        }
    }
    texts
}

/// `text` after edits that are apart from each other, in any order.
pub fn apply_edits(text: &str, edits: &[&Edit]) -> String {
    let mut sorted: Vec<(Range<usize>, &str)> = edits.iter().map(|e| (e.span.range(), &*e.text)).collect();
    sorted.sort_by_key(|(range, _)| (range.start, range.end));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, new) in sorted {
        out.push_str(text.get(at..range.start).unwrap_or(""));
        out.push_str(new);
        at = range.end;
    }
    out.push_str(text.get(at..).unwrap_or(""));
    out
}

/// Why the state after these fixes is no better than the one before.
fn find_regression(before: &LintedState, after: &LintedState, batch: &[&Offer]) -> Option<DropReason> {
    if let Some(path) = first_increase(&before.problems, &BTreeMap::new(), &after.problems) {
        return Some(DropReason::Unreadable(path));
    }
    let nothing = BTreeMap::new();
    let new = first_increase(&before.all, &before.folded, &after.all)
        .or_else(|| first_increase(&before.active, &before.folded, &after.active));
    if let Some((rule, path)) = new {
        return Some(DropReason::Brings { rule, path });
    }
    let mut fixed = before.all.clone();
    for offer in batch {
        let n = fixed.entry((offer.rule.clone(), offer.path.clone())).or_default();
        *n = n.saturating_sub(1);
    }
    let here = |key: &(String, String)| batch.iter().any(|o| o.rule == key.0 && o.path == key.1);
    let left: BTreeMap<_, _> = after
        .all
        .iter()
        .filter(|(k, _)| here(k))
        .map(|(k, n)| (k.clone(), *n))
        .collect();
    first_increase(&fixed, &nothing, &left).map(|(rule, _)| DropReason::Stays(rule))
}

/// The first key of which there is more than before.
fn first_increase<K: Ord + Clone>(
    before: &BTreeMap<K, usize>,
    spare: &BTreeMap<K, usize>,
    after: &BTreeMap<K, usize>,
) -> Option<K> {
    let had = |k: &K| before.get(k).copied().unwrap_or(0) + spare.get(k).copied().unwrap_or(0);
    after.iter().find(|(k, n)| **n > had(k)).map(|(k, _)| k.clone())
}

/// The unified diff of one file; empty where nothing changed.
#[cfg(feature = "cli")]
pub fn diff(path: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let diff = similar::TextDiff::from_lines(old, new);
    diff.unified_diff()
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string()
}
