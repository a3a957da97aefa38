//! Findings that are one mistake, as their rule says: the items of a list, the places of a value.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::ReportedFinding;
use super::fold::add_notes;
use crate::finding::{
    Cause, Confidence, Finding, LabelRole, MAX_EVIDENCE, MAX_TITLE, Offered, Remedy, RemedyStep, Severity,
};
use crate::rules::{OnePer, Ruleset};
use crate::source::{FileId, Sources};

/// Most labels of a finding that several were united in.
const MAX_LABELS: usize = 12;

/// What findings that are one mistake have in common; see [`OnePer`].
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct MergeKey<'f> {
    rule: &'f str,
    /// Of one statement, all that is not critical is one mistake: what gives everything stays by itself.
    severity: Severity,
    confidence: Confidence,
    branch: Option<&'f str>,
    /// In test code that is left out.
    left_out: bool,
    of: Shared<'f>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Shared<'f> {
    Statement(Cause),
    /// With what makes their fixes alike.
    List(Cause, Vec<(bool, Offered)>),
    /// Likewise.
    File(FileId, Vec<(bool, Offered)>),
    Value(FileId, &'f str, &'f [String], Vec<&'f str>),
}

/// Makes one finding of those that are one mistake, as their rule says; the first of them stays, and the places of such are
/// returned. What is suppressed stays by itself, and what has a fix of its own, unless the rule says that it is one fix. Input is sorted.
pub(super) fn unite(
    reported: &mut Vec<ReportedFinding>,
    sources: &Sources,
    ruleset: &Ruleset,
    left_out: &dyn Fn(&ReportedFinding) -> bool,
) -> Vec<usize> {
    let mut groups: BTreeMap<MergeKey<'_>, Vec<usize>> = BTreeMap::new();
    for (i, f) in reported.iter().enumerate() {
        if let Some(mistake) = mistake_of(f, sources, ruleset, left_out) {
            groups.entry(mistake).or_default().push(i);
        }
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().filter(|g| g.len() > 1).collect();
    // The most severe speaks for all, and the others follow in the order of their severity.
    groups
        .iter_mut()
        .for_each(|group| group.sort_by_key(|&i| Reverse(reported[i].severity)));
    let mut gone = BTreeSet::new();
    for group in &groups {
        let mut also = Vec::new();
        let mut fixes = Fixes::new(&reported[group[0]].finding);
        for &i in group.iter().skip(1) {
            fixes.add(&reported[i].finding);
            let finding = &mut reported[i].finding;
            let part = std::mem::replace(finding, Finding::new(finding.rule, ""));
            add_part(&mut reported[group[0]].finding, part, &mut also);
            gone.insert(i);
        }
        fixes.write(&mut reported[group[0]].finding);
        add_notes(&mut reported[group[0]].finding, &mut also);
    }
    let mut i = 0;
    reported.retain(|_| {
        i += 1;
        !gone.contains(&(i - 1))
    });
    let place = |group: Vec<usize>| group[0] - gone.range(..group[0]).count();
    groups.into_iter().map(place).collect()
}

fn mistake_of<'f>(
    f: &'f ReportedFinding,
    sources: &'f Sources,
    ruleset: &Ruleset,
    left_out: &dyn Fn(&ReportedFinding) -> bool,
) -> Option<MergeKey<'f>> {
    let one_per = ruleset.get(f.rule())?.one_per()?;
    let finding = &f.finding;
    let fixes = || finding.remedies.iter().map(|r| (r.safe, r.offered)).collect();
    if !f.is_active() || !matches!(one_per, OnePer::List | OnePer::File) && !finding.remedies.is_empty() {
        return None;
    }
    let of = match (one_per, finding.cause) {
        (OnePer::Statement, cause @ Cause::Statement(..)) => Shared::Statement(cause),
        (OnePer::List, cause @ Cause::Statement(..)) => Shared::List(cause, fixes()),
        (OnePer::File, _) => Shared::File(finding.span()?.file, fixes()),
        (OnePer::Statement | OnePer::List, _) => return None,
        (OnePer::Value, _) => {
            let at = finding.span()?;
            let other = &finding.evidence.other;
            // What no rule named is the token itself.
            let token = (finding.secrets.is_empty() && other.is_empty()).then_some(at);
            let spans = finding.secrets.iter().copied().chain(token);
            let texts = spans.map(|s| sources.slice(s)).collect();
            Shared::Value(at.file, &finding.message, other, texts)
        }
    };
    Some(MergeKey {
        rule: f.rule(),
        severity: match one_per {
            OnePer::Statement => f.severity.max(Severity::High),
            OnePer::List | OnePer::Value | OnePer::File => f.severity,
        },
        confidence: f.confidence,
        branch: finding.branch.as_deref(),
        left_out: left_out(f),
        of,
    })
}

/// The fixes of findings that become one, each of which makes the changes of all.
struct Fixes {
    remedies: Vec<Remedy>,
    /// How many findings added to each.
    more: Vec<usize>,
}

impl Fixes {
    fn new(f: &Finding) -> Self {
        Self {
            more: vec![0; f.remedies.len()],
            remedies: f.remedies.clone(),
        }
    }

    fn add(&mut self, f: &Finding) {
        for ((into, more), from) in self.remedies.iter_mut().zip(&mut self.more).zip(&f.remedies) {
            let new: Vec<RemedyStep> = (from.changes.iter())
                .filter(|c| !into.changes.contains(c))
                .cloned()
                .collect();
            *more += usize::from(!new.is_empty());
            into.changes.extend(new);
        }
    }

    fn write(self, f: &mut Finding) {
        f.remedies = self.remedies;
        for (remedy, more) in f.remedies.iter_mut().zip(self.more).filter(|(_, more)| *more > 0) {
            let title = format!("{}, and {more} more like it", remedy.title);
            if title.len() <= MAX_TITLE {
                remedy.title = title;
            }
        }
    }
}

fn add_part(into: &mut Finding, part: Finding, also: &mut Vec<String>) {
    if part.message != into.message && !also.contains(&part.message) {
        also.push(part.message);
    }
    for mut label in part.labels {
        if label.role == LabelRole::Primary {
            label.role = LabelRole::Secondary;
        }
        if into.labels.len() < MAX_LABELS && into.labels.iter().all(|l| l.span != label.span) {
            into.labels.push(label);
        }
    }
    let lists = [
        (&mut into.evidence.actions, part.evidence.actions),
        (&mut into.evidence.resources, part.evidence.resources),
        (&mut into.evidence.principals, part.evidence.principals),
        (&mut into.evidence.other, part.evidence.other),
    ];
    for (list, more) in lists {
        for item in more {
            if list.len() < MAX_EVIDENCE && !list.contains(&item) {
                list.push(item);
            }
        }
    }
    into.folded.extend(part.folded);
    into.secrets.extend(part.secrets);
    into.more += part.more;
}
