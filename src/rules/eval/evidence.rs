//! What took part in a finding of a declared rule.

use std::collections::{HashMap, HashSet};

use super::{Captured, CapturedElement, Captures};
use crate::finding::{Evidence, MAX_EVIDENCE};
use crate::rules::message;
use crate::rules::spec::{DeclaredEvidence, ReportSpec};
use crate::source::Span;

/// What the rule says is the evidence. Actions are in lower case.
pub(super) fn declared_evidence(
    declared: &DeclaredEvidence,
    report: &ReportSpec,
    at: &Captured<'_>,
    found: &Captures<'_>,
) -> Evidence {
    let texts = |names: &[String]| -> Vec<String> {
        let of_name = |name: &String| -> Vec<String> {
            match *name == report.at {
                true => at.text.iter().map(|t| t.display()).collect(),
                false => found
                    .named(name)
                    .filter_map(|c| Some(c.text.as_ref()?.display()))
                    .collect(),
            }
        };
        names.iter().flat_map(of_name).take(MAX_EVIDENCE).collect()
    };
    Evidence {
        actions: texts(&declared.actions).iter().map(|a| a.to_lowercase()).collect(),
        resources: texts(&declared.resources),
        principals: texts(&declared.principals),
        other: (declared.other.iter())
            .map(|text| message::render(text, &report.at, at, found))
            .collect(),
        ..Evidence::default()
    }
}

/// Everything that took part in a match is evidence; of the things reported one by one, only the one that is reported.
pub(super) struct MatchPart<'f, 'p> {
    /// Each text once, with its place among the captures.
    of_all: Vec<(usize, CapturedElement, String)>,
    of_one: HashMap<Span, Vec<(usize, &'f Captured<'p>)>>,
}

impl<'f, 'p> MatchPart<'f, 'p> {
    pub(super) fn new(report: &ReportSpec, found: &'f Captures<'p>) -> Self {
        let mut part = Self {
            of_all: Vec::new(),
            of_one: HashMap::new(),
        };
        let mut seen: HashSet<(CapturedElement, String)> = HashSet::new();
        let mut counts: HashMap<CapturedElement, usize> = HashMap::new();
        for (i, (name, c)) in found.0.iter().enumerate() {
            if *name == report.at {
                part.of_one.entry(c.span).or_default().push((i, c));
                continue;
            }
            let count = counts.entry(c.of).or_default();
            if let Some(text) = c.text.as_ref().filter(|_| *count < MAX_EVIDENCE)
                && let text = text.display()
                && seen.insert((c.of, text.clone()))
            {
                *count += 1;
                part.of_all.push((i, c.of, text));
            }
        }
        part
    }

    /// In the order of the captures, no text twice.
    pub(super) fn evidence(&self, at: &Captured<'_>) -> Evidence {
        let one = self.of_one.get(&at.span).into_iter().flatten();
        let one: Vec<(usize, CapturedElement, String)> = one
            .filter_map(|(i, c)| Some((*i, c.of, c.text.as_ref()?.display())))
            .collect();
        let before = |(i, of, text): &&(usize, CapturedElement, String)| {
            !one.iter().any(|(j, o, t)| j < i && o == of && t == text)
        };
        let mut all: Vec<_> = self.of_all.iter().filter(before).chain(&one).collect();
        all.sort_by_key(|(i, ..)| *i);
        let mut evidence = Evidence::default();
        for (i, of, text) in all {
            let list = match of {
                CapturedElement::Action => &mut evidence.actions,
                CapturedElement::Resource => &mut evidence.resources,
                CapturedElement::Principal => &mut evidence.principals,
                CapturedElement::Text | CapturedElement::Place => continue,
            };
            let is_listed = one.iter().any(|(j, ..)| j == i) && list.contains(text);
            if !is_listed && list.len() < MAX_EVIDENCE {
                list.push(text.clone());
            }
        }
        evidence
    }
}
