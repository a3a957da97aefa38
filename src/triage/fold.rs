//! One cause, one finding.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::finding::{Cause, CountingUnit, Finding, MAX_EVIDENCE};
use crate::iam::glob::{self, CaseSensitivity};
use crate::index::{DocumentId, Id};
use crate::project::Project;
use crate::rules::{HOLDS_FOR, NOT_BY_DEFAULT, Rule, Ruleset};
use crate::source::Span;

/// Merges findings of one rule at one place: a file that is evaluated twice says a thing once. Input is sorted.
pub(super) fn dedupe(findings: Vec<Finding>) -> Vec<Finding> {
    let mut out = merge_alike(findings);
    for f in &mut out {
        if let Some(branch) = &f.branch {
            f.notes.push(format!("applies {branch}"));
        }
    }
    out
}

/// Merges findings of one rule whose primary labels are the same. Input is sorted.
pub(super) fn merge_alike(findings: Vec<Finding>) -> Vec<Finding> {
    let mut out: Vec<Finding> = Vec::with_capacity(findings.len());
    // What one token also means in other places: a pattern that is made for many services.
    let mut also: Vec<String> = Vec::new();
    for f in findings {
        match out.last_mut() {
            Some(last) if last.span() == f.span() && last.rule == f.rule => merge(last, f, &mut also),
            last => {
                if let Some(last) = last {
                    add_notes(last, &mut also);
                }
                out.push(f);
            }
        }
    }
    if let Some(last) = out.last_mut() {
        add_notes(last, &mut also);
    }
    out
}

/// Gathers what one value does that is written once, such as the default of a parameter, and is the `Resource` of several
/// statements. Findings of one rule get their primary label at the value, so that they merge; those of all rules get one
/// cause, so that they fold. Whether there was such a value.
pub(super) fn gather_shared_values(findings: &mut [Finding], project: &Project<'_>) -> bool {
    let values: Vec<Option<(usize, Span)>> = findings.iter().map(|f| shared_value(f, project)).collect();
    let mut causes: BTreeMap<Span, BTreeSet<Cause>> = BTreeMap::new();
    let mut by_rule: BTreeMap<(Span, &str), usize> = BTreeMap::new();
    for (f, value) in findings.iter().zip(&values) {
        if let Some((_, span)) = value {
            causes.entry(*span).or_default().insert(f.cause);
            *by_rule.entry((*span, &*f.rule)).or_default() += 1;
        }
    }
    causes.retain(|_, statements| statements.len() > 1);
    let moves: Vec<bool> = findings
        .iter()
        .zip(&values)
        .map(|(f, value)| value.is_some_and(|(_, span)| by_rule.get(&(span, &*f.rule)).is_some_and(|n| *n > 1)))
        .collect();
    for ((f, value), moves) in findings.iter_mut().zip(values).zip(moves) {
        let Some((label, span)) = value else { continue };
        let Some(first) = causes.get(&span).and_then(BTreeSet::first) else {
            continue;
        };
        f.cause = *first;
        if moves && label > 0 {
            let (before, after) = f.labels.split_at_mut(label);
            std::mem::swap(&mut before[0].role, &mut after[0].role);
            std::mem::swap(&mut before[0], &mut after[0]);
        }
    }
    !causes.is_empty()
}

/// The label of a finding about granted actions that stands at an item of `Resource` which is written elsewhere.
fn shared_value(f: &Finding, project: &Project<'_>) -> Option<(usize, Span)> {
    let Cause::Statement(document, statement) = f.cause else {
        return None;
    };
    if f.evidence.actions.is_empty() {
        return None;
    }
    let statements = &project.documents.get(document)?.statements;
    let resource = statements.get(statement)?.resource.as_ref();
    let items = &resource.filter(|clause| !clause.negated)?.items;
    let spans: BTreeSet<Span> = items.iter().filter(|i| i.via.is_some()).map(|i| i.span).collect();
    let found = f.labels.iter().position(|l| spans.contains(&l.span))?;
    Some((found, f.labels[found].span))
}

/// Adds the messages to the notes, a few of them in full.
pub(super) fn add_notes(f: &mut Finding, also: &mut Vec<String>) {
    const IN_FULL: usize = 3;
    also.retain(|message| *message != f.message);
    let more = also.len().saturating_sub(IN_FULL);
    f.notes
        .extend(also.drain(..).take(IN_FULL).map(|message| format!("also: {message}")));
    if more > 0 {
        f.notes.push(format!("and {more} more like it"));
    }
}

fn merge(into: &mut Finding, mut from: Finding, also: &mut Vec<String>) {
    if from.severity > into.severity {
        std::mem::swap(into, &mut from);
    }
    if from.message != into.message {
        if !also.contains(&from.message) {
            also.push(from.message.clone());
        }
        from.notes.clear();
    }
    // What stands in both alternatives of a conditional depends on neither.
    if into.branch != from.branch {
        into.branch = None;
    }
    // What is deployed by default in one of them is deployed by default.
    let asked = |f: &Finding| f.notes.iter().any(|note| note == NOT_BY_DEFAULT);
    if into.message == from.message && asked(into) != asked(&from) {
        into.notes.retain(|note| note != NOT_BY_DEFAULT);
        from.notes.retain(|note| note != NOT_BY_DEFAULT);
    }
    for label in from.labels {
        if into.labels.iter().all(|l| l.span != label.span) {
            into.labels.push(label);
        }
    }
    // Calls of one module may make different numbers of instances: the first number is enough.
    let counts = |note: &String| note.starts_with(HOLDS_FOR);
    if into.notes.iter().any(counts) {
        from.notes.retain(|note| !counts(note));
    }
    for note in from.notes {
        if !into.notes.contains(&note) {
            into.notes.push(note);
        }
    }
    for action in from.evidence.actions {
        if into.evidence.actions.len() < MAX_EVIDENCE && !into.evidence.actions.contains(&action) {
            into.evidence.actions.push(action);
        }
    }
    for span in from.secrets {
        if !into.secrets.contains(&span) {
            into.secrets.push(span);
        }
    }
    into.more = into.more.max(from.more);
    into.severity = into.severity.max(from.severity);
    into.confidence = into.confidence.max(from.confidence);
    for rule in from.folded {
        if !into.folded.contains(&rule) {
            into.folded.push(rule);
        }
    }
}

/// Takes out findings that another one of the same cause stands for; their names are in its `folded`.
pub(super) fn fold(findings: &mut Vec<Finding>, _project: &Project<'_>, ruleset: &Ruleset) {
    let relations = Relations::new(findings, ruleset);
    let mut by_unit: BTreeMap<CountingUnit, Vec<usize>> = BTreeMap::new();
    for (i, f) in findings.iter().enumerate() {
        if let Some(unit) = f.cause.unit() {
            by_unit.entry(unit).or_default().push(i);
        }
    }
    let groups: Vec<Vec<usize>> = by_unit.into_values().filter(|g| g.len() > 1).collect();
    let folded: Vec<FoldedFinding> = groups
        .par_iter()
        .flat_map_iter(|group| {
            let of_group: Vec<&Finding> = group.iter().map(|i| &findings[*i]).collect();
            fold_unit(&of_group, &relations).into_iter().map(|f| FoldedFinding {
                inner: group[f.inner],
                outer: group[f.outer],
                ..f
            })
        })
        .collect();
    // For each finding, the one that takes it in.
    let mut taken: Vec<Option<usize>> = vec![None; findings.len()];
    let mut unreported = vec![false; findings.len()];
    for f in folded {
        taken[f.inner] = Some(f.outer);
        unreported[f.inner] = f.unreported;
    }
    for b in 0..findings.len() {
        let Some(mut a) = taken[b] else { continue };
        while let Some(next) = taken[a] {
            a = next;
        }
        let mut names = vec![findings[b].rule];
        names.extend(&findings[b].folded);
        let secrets = findings[b].secrets.clone();
        let severity = findings[b].severity;
        let also = unreported[b].then(|| format!("also: {}", findings[b].message));
        let more = (findings[b].more > 0).then(|| format!("also: {} more of `{}`", findings[b].more, findings[b].rule));
        let into = &mut findings[a];
        // The mistake is as grave as the most severe that it leads to.
        into.severity = into.severity.max(severity);
        into.secrets.extend(secrets);
        into.folded.extend(names);
        into.notes.extend(also);
        into.notes.extend(more);
    }
    let mut i = 0;
    findings.retain(|_| {
        i += 1;
        taken[i - 1].is_none()
    });
    for f in findings {
        f.folded.sort();
        f.folded.dedup();
        f.folded.retain(|name| *name != f.rule);
    }
}

/// Says in the message how many more of its rule a finding counts.
pub(super) fn count_in_message(findings: &mut [Finding]) {
    for f in findings.iter_mut().filter(|f| f.more > 0) {
        f.message.push_str(&format!(", and {} more like it here", f.more));
    }
}

/// A finding, by its place among others, and the one that takes it in.
struct FoldedFinding {
    inner: usize,
    outer: usize,
    /// It is about other actions, which the outer one tells in a note.
    unreported: bool,
}

/// What the rules of some findings say of each other.
struct Relations<'f> {
    /// For each rule by its place among their names: what its findings cover, what takes them in, and what they cover
    /// where both name one token.
    rules: BTreeMap<&'f str, usize>,
    below: Vec<Vec<usize>>,
    above: Vec<Vec<usize>>,
    same_token: Vec<Vec<usize>>,
}

impl<'f> Relations<'f> {
    fn new(findings: &'f [Finding], ruleset: &Ruleset) -> Self {
        let names: BTreeSet<&str> = findings.iter().map(|f| &*f.rule).collect();
        let among = |list: fn(&Rule) -> &[String]| -> Vec<Vec<usize>> {
            let of = |name: &&str| {
                let list = ruleset.get(name).map_or(&[][..], list);
                let inner = names.iter().enumerate();
                inner
                    .filter(|(_, inner)| names_rule(ruleset, list, inner))
                    .map(|(i, _)| i)
                    .collect()
            };
            names.iter().map(of).collect()
        };
        let below = among(Rule::supersedes);
        let mut above = vec![Vec::new(); names.len()];
        for (outer, inner) in below.iter().enumerate() {
            for i in inner {
                above[*i].push(outer);
            }
        }
        Self {
            below,
            above,
            same_token: among(Rule::same_token),
            rules: names.into_iter().zip(0..).collect(),
        }
    }

    fn rule(&self, f: &Finding) -> usize {
        self.rules[&*f.rule]
    }
}

/// The findings of one unit, by rule and cause.
struct FindingIndex(BTreeMap<(usize, Cause), Vec<usize>>);

impl FindingIndex {
    fn new(findings: &[&Finding], relations: &Relations<'_>) -> Self {
        let mut index: BTreeMap<(usize, Cause), Vec<usize>> = BTreeMap::new();
        for (i, f) in findings.iter().enumerate() {
            index.entry((relations.rule(f), f.cause)).or_default().push(i);
        }
        Self(index)
    }

    /// Those of the rules that have this very cause.
    fn with_cause<'i>(&'i self, rules: &'i [usize], cause: Cause) -> impl Iterator<Item = usize> + 'i {
        let lists = rules.iter().filter_map(move |rule| self.0.get(&(*rule, cause)));
        lists.flatten().copied()
    }

    /// Those of the rules that a finding with this cause may stand for.
    fn candidates<'i>(&'i self, rules: &'i [usize], cause: Cause) -> impl Iterator<Item = usize> + 'i {
        let wide = matches!(cause, Cause::Document(_) | Cause::Place(_));
        let first = move |rule: usize| match wide {
            true => (rule, Cause::Statement(DocumentId::new(0), 0)),
            false => (rule, cause),
        };
        let last = move |rule: usize| match wide {
            true => (rule, Cause::Alone),
            false => (rule, cause),
        };
        let lists = rules.iter().flat_map(move |r| self.0.range(first(*r)..=last(*r)));
        lists.flat_map(|(_, list)| list).copied()
    }
}

/// Which finding of a unit covers which.
fn fold_unit(findings: &[&Finding], relations: &Relations<'_>) -> Vec<FoldedFinding> {
    let index = FindingIndex::new(findings, relations);
    let mut taken: Vec<Option<usize>> = vec![None; findings.len()];
    for (a, outer) in findings.iter().enumerate() {
        for b in index.candidates(&relations.below[relations.rule(outer)], outer.cause) {
            if a != b && taken[b].is_none() && covers(outer, findings[b]) && !leads_to(&taken, a, b) {
                taken[b] = Some(a);
            }
        }
    }
    // Several findings together may stand for one: `s3:*` and `sqs:*` for what a statement deletes.
    for (b, inner) in findings.iter().enumerate() {
        if taken[b].is_some() || !matches!(inner.cause, Cause::Statement(..)) || inner.evidence.actions.is_empty() {
            continue;
        }
        let above = index.with_cause(&relations.above[relations.rule(inner)], inner.cause);
        let mut over: Vec<usize> = above
            .filter(|&a| a != b && taken[a].is_none() && !findings[a].evidence.actions.is_empty())
            .collect();
        let actions: Vec<&String> = over.iter().flat_map(|&a| &findings[a].evidence.actions).collect();
        if over.len() > 1 && covers_actions(&actions, &inner.evidence.actions) {
            over.sort_unstable();
            taken[b] = over.into_iter().find(|&a| labels_touch(findings[a], inner));
        }
    }
    // What is folded for its place alone.
    let mut unreported = vec![false; findings.len()];
    for (a, outer) in findings.iter().enumerate() {
        for b in index.with_cause(&relations.same_token[relations.rule(outer)], outer.cause) {
            let inner = findings[b];
            if a != b
                && findings[last(&taken, a)].cause == outer.cause
                && taken[b].is_none()
                && outer.severity >= inner.severity
                && share_a_token(outer, inner)
                && !leads_to(&taken, a, b)
            {
                taken[b] = Some(a);
                unreported[b] = true;
            }
        }
    }
    let folded = |(inner, outer): (usize, Option<usize>)| {
        Some(FoldedFinding {
            inner,
            outer: outer?,
            unreported: unreported[inner],
        })
    };
    taken.into_iter().enumerate().filter_map(folded).collect()
}

/// What `taken` leads to from `from`.
fn last(taken: &[Option<usize>], from: usize) -> usize {
    let mut at = from;
    while let Some(next) = taken[at] {
        at = next;
    }
    at
}

/// Following `taken` from `from` leads to `to`.
fn leads_to(taken: &[Option<usize>], from: usize, to: usize) -> bool {
    let mut at = Some(from);
    while let Some(i) = at {
        if i == to {
            return true;
        }
        at = taken[i];
    }
    false
}

/// The cause of `a` is that of `b`, or holds it.
fn covers(a: &Finding, b: &Finding) -> bool {
    match (a.cause, b.cause) {
        (Cause::Document(x), Cause::Statement(y, _) | Cause::Document(y)) => x == y,
        (Cause::Place(_), Cause::Place(place)) => a.labels.iter().any(|l| l.span.touches(place)),
        // In one statement each action and each resource is a cause of its own.
        (Cause::Statement(..), Cause::Statement(..)) => {
            a.cause == b.cause
                && labels_touch(a, b)
                && covers_actions(&Vec::from_iter(&a.evidence.actions), &b.evidence.actions)
        }
        (x, y) => x == y,
    }
}

fn labels_touch(a: &Finding, b: &Finding) -> bool {
    b.labels.iter().any(|x| a.labels.iter().any(|y| x.span.touches(y.span)))
}

/// Both name one token of one statement, resource or identity.
fn share_a_token(a: &Finding, b: &Finding) -> bool {
    a.cause == b.cause && b.labels.iter().any(|x| a.labels.iter().any(|y| x.span == y.span))
}

/// Whether every one of `inner`, as written, is among the actions that `outer` stands for; a finding that is not about
/// actions is not asked.
fn covers_actions(outer: &[&String], inner: &[String]) -> bool {
    let holds = |o: &str, i: &str| match (glob::is_pattern(o), glob::is_pattern(i)) {
        (false, _) => o.eq_ignore_ascii_case(i),
        (true, false) => glob::matches(o, i, CaseSensitivity::Insensitive),
        (true, true) => glob::covers(o, i, CaseSensitivity::Insensitive),
    };
    outer.is_empty() || inner.iter().all(|i| outer.iter().any(|o| holds(o, i)))
}

/// Whether a list of superseded rules, families and patterns names `rule`.
fn names_rule(ruleset: &Ruleset, superseded: &[String], rule: &str) -> bool {
    superseded.iter().any(|s| {
        s == rule
            || ruleset.get(rule).is_some_and(|r| r.family() == s)
            || (glob::is_pattern(s) && glob::matches(s, rule, CaseSensitivity::Sensitive))
    })
}
