//! Changes as a reader counts them: what one edit does to several subjects, or through several statements, is one entry.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{DiffChange, DiffPath, NAMED};
use crate::finding::Severity;
use crate::paths::Gain;
use crate::phrase::{all_of, and_more, count, list};
use crate::source::Span;

/// Gains or losses that are shown as one.
#[derive(Clone, Debug)]
pub(in crate::report) struct DiffEntry<'a> {
    subjects: Vec<&'a str>,
    /// The worst.
    pub(in crate::report) first: &'a DiffChange,
    pub(super) is_gain: bool,
    groups: Vec<EntryGroup<'a>>,
    principals: Vec<&'a str>,
    keys: Vec<&'a str>,
    /// Some of it has other conditions, or none.
    differs: bool,
    /// Some of it is for others.
    is_for_each: bool,
}

/// Actions, with the resources that they are gained or lost on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct EntryGroup<'a> {
    actions: Vec<&'a str>,
    resources: Vec<&'a str>,
    is_unreal: bool,
}

impl EntryGroup<'_> {
    /// The actions of a `NotAction`.
    fn excepted(&self) -> Option<Vec<&str>> {
        self.actions.iter().map(|a| a.strip_prefix("not ")).collect()
    }

    /// "`s3:PutObject` on `arn:aws:s3:::b/*`"
    fn text(&self, most: usize) -> String {
        let mut out = match self.excepted() {
            Some(excepted) => format!("every action but {}", some(&excepted, most)),
            None => some(&self.actions, most),
        };
        out += &lead(" on ", &self.resources, most);
        if self.is_unreal {
            out += " (no resource of these actions, as far as the AWS data says)";
        }
        out
    }
}

/// What makes changes of several subjects the same one.
type SameChange<'a> = (Span, [&'a [String]; 3], Vec<String>, bool);

impl<'a> DiffEntry<'a> {
    pub(super) fn of(change: &'a DiffChange, is_gain: bool) -> Self {
        let c = &change.change;
        let mut keys: Vec<&str> = c.conditions.iter().map(|c| &*c.key).collect();
        keys.sort_unstable();
        keys.dedup();
        Self {
            subjects: vec![&change.subject],
            first: change,
            is_gain,
            groups: vec![EntryGroup {
                actions: c.actions.iter().map(String::as_str).collect(),
                resources: c.resources.iter().map(String::as_str).collect(),
                is_unreal: c.is_unreal,
            }],
            principals: c.principals.iter().map(String::as_str).collect(),
            keys,
            differs: false,
            is_for_each: false,
        }
    }

    /// Changes in their order: those of one edit for several subjects, and for one of these what comes through one place.
    pub(in crate::report) fn all(changes: &'a [DiffChange], is_gain: bool) -> Vec<Self> {
        let mut same: BTreeMap<SameChange<'_>, usize> = BTreeMap::new();
        let mut entries: Vec<Self> = Vec::new();
        for change in changes {
            let c = &change.change;
            let conditions = c.conditions.iter().map(|c| format!("{c:?}")).collect();
            let lists = [&*c.actions, &*c.resources, &*c.principals];
            let key = (place(change), lists, conditions, change.is_unattached);
            let at = *same.entry(key).or_insert(entries.len());
            match entries.get_mut(at) {
                Some(entry) => add(&mut entry.subjects, vec![&change.subject]),
                None => entries.push(Self::of(change, is_gain)),
            }
        }
        let mut places: BTreeMap<(Vec<&str>, Span), usize> = BTreeMap::new();
        let mut out: Vec<Self> = Vec::new();
        for entry in entries {
            let key = (entry.subjects.clone(), place(entry.first));
            let at = *places.entry(key).or_insert(out.len());
            match out.get_mut(at) {
                Some(known) => known.join(entry),
                None => out.push(entry),
            }
        }
        out
    }

    fn join(&mut self, other: Self) {
        self.differs |= self.keys != other.keys;
        // The same for others is for all of them.
        let is_same = self.groups == other.groups;
        self.is_for_each |= other.is_for_each || self.principals != other.principals && !is_same;
        add(&mut self.principals, other.principals);
        add(&mut self.keys, other.keys);
        for group in other.groups {
            let same = |known: &&mut EntryGroup<'a>| {
                let lists_actions = known.excepted().is_none() && group.excepted().is_none();
                known.is_unreal == group.is_unreal
                    && (lists_actions && known.resources == group.resources || known.actions == group.actions)
            };
            match self.groups.iter_mut().find(same) {
                Some(known) => {
                    add(&mut known.actions, group.actions);
                    add(&mut known.resources, group.resources);
                    if known.resources.contains(&"*") {
                        known.resources = vec!["*"];
                    }
                }
                None => self.groups.push(group),
            }
        }
    }

    /// "`new.json` gains `s3:PutObject` on `arn:aws:s3:::b/*`", "`aws_iam_policy.p` (not attached here) allows `s3:PutObject`"
    pub(in crate::report) fn sentence(&self, most: usize) -> String {
        let is_one = self.subjects.len() == 1;
        let (who, verb) = match (self.first.is_unattached, self.is_gain) {
            (false, true) => ("", if is_one { "gains" } else { "gain" }),
            (false, false) => ("", if is_one { "loses" } else { "lose" }),
            (true, true) => (" (not attached here)", if is_one { "allows" } else { "allow" }),
            (true, false) => (
                " (not attached here)",
                if is_one { "no longer allows" } else { "no longer allow" },
            ),
        };
        format!("{}{who} {}", some_of(&self.subjects, most), self.does(verb, most))
    }

    /// The sentence and the request.
    pub(in crate::report) fn with_request(&self) -> String {
        let request = super::request(&self.first.change.request);
        format!("{}\nrequest: {request}", self.sentence(NAMED))
    }

    /// The same without the subjects.
    pub(super) fn does(&self, verb: &str, most: usize) -> String {
        let shown = self.groups.len().min(most);
        let texts: Vec<String> = self.groups[..shown].iter().map(|g| g.text(most)).collect();
        let mut out = format!("{verb} {}", texts.join(if texts.len() > 2 { "; " } else { ", and " }));
        let rest: usize = self.groups[shown..].iter().map(|g| g.actions.len()).sum();
        if rest > 0 {
            let _ = write!(out, "; and {} on other resources", count(rest, "other", "others"));
        }
        out += &lead(" for ", &self.principals, most);
        if self.is_for_each {
            out += ", each as its statement says";
        }
        let partly = if self.differs { ", partly" } else { "" };
        match self.keys.as_slice() {
            [] => {}
            [one] => drop(write!(out, "{partly} under a condition on `{one}`")),
            more => drop(write!(out, "{partly} under conditions on {}", some(more, most))),
        }
        out
    }
}

/// What one edit has changed: the Deny that withheld it, or what allows it.
fn place(change: &DiffChange) -> Span {
    let c = &change.change;
    c.denied_at.filter(|at| at.is_in_source()).unwrap_or(c.span)
}

/// The texts that are not there yet.
fn add<'a>(own: &mut Vec<&'a str>, more: Vec<&'a str>) {
    for text in more {
        if !own.contains(&text) {
            own.push(text);
        }
    }
}

/// " on `a`, `b`", " on any resource"
fn lead(lead: &str, items: &[&str], most: usize) -> String {
    match items {
        [] => String::new(),
        ["*"] => format!("{lead}any {}", if lead == " on " { "resource" } else { "principal" }),
        items => format!("{lead}{}", some(items, most)),
    }
}

fn some(items: &[&str], most: usize) -> String {
    let shown = items.len().min(most);
    list(&items[..shown]) + &and_more(shown, items.len() - shown)
}

/// All of them where they are few: "`a` and `b`".
fn some_of(items: &[&str], most: usize) -> String {
    match items.len() <= most {
        true => all_of(items),
        false => some(items, most),
    }
}

/// Paths that are shown as one: several starts that come to one end, or several ends of one start.
#[derive(Clone, Debug)]
pub(in crate::report) struct PathEntry<'a> {
    pub(in crate::report) first: &'a DiffPath,
    pub(super) is_gain: bool,
    from: Vec<String>,
    to: Vec<String>,
}

impl<'a> PathEntry<'a> {
    pub(super) fn of(path: &'a DiffPath, is_gain: bool) -> Self {
        Self {
            from: vec![path.path.from.text()],
            to: vec![path.path.to.text()],
            first: path,
            is_gain,
        }
    }

    pub(in crate::report) fn all(paths: &'a [DiffPath], is_gain: bool) -> Vec<Self> {
        let mut by_end: BTreeMap<(Severity, Gain, String), usize> = BTreeMap::new();
        let mut entries: Vec<Self> = Vec::new();
        for p in paths {
            let end = (p.path.severity, p.path.gain, p.path.to.text());
            let at = *by_end.entry(end).or_insert(entries.len());
            match entries.get_mut(at) {
                Some(entry) => entry.from.push(p.path.from.text()),
                None => entries.push(Self::of(p, is_gain)),
            }
        }
        let mut by_starts: BTreeMap<(Severity, Gain, Vec<String>), usize> = BTreeMap::new();
        let mut out: Vec<Self> = Vec::new();
        for mut entry in entries {
            let starts = (entry.first.path.severity, entry.first.path.gain, entry.from.clone());
            let at = *by_starts.entry(starts).or_insert(out.len());
            match out.get_mut(at) {
                Some(known) => known.to.append(&mut entry.to),
                None => out.push(entry),
            }
        }
        out
    }

    /// "`role/ci` gains administrator access: `role/ci → role/deploy`"
    pub(in crate::report) fn sentence(&self) -> String {
        let verb = match (self.is_gain, self.from.len()) {
            (true, 1) => "gains",
            (true, _) => "gain",
            (false, 1) => "loses",
            (false, _) => "lose",
        };
        let path = &self.first.path;
        let from: Vec<&str> = self.from.iter().map(String::as_str).collect();
        let to: Vec<&str> = self.to.iter().map(String::as_str).collect();
        let what = match path.gain {
            Gain::Data if to.len() > 1 => format!("{}, {}", path.gain.text(), some_of(&to, NAMED)),
            gain => gain.text().to_owned(),
        };
        let line = path.line();
        format!("{} {verb} {what}: `{line}`", some_of(&from, NAMED))
    }
}
