//! Evaluates a declared rule over a project.
//!
//! **Invariant:** every test answers with a [`crate::iam::Truth`]; a rule fires on `Yes` alone. Captures are kept only from tests that
//! hold, never from what `none` and `not` look at.

mod evidence;
mod items;
mod lines;
mod statements;
mod subjects;
mod values;
mod words;

use std::collections::HashSet;

use super::spec::{DeclaredFix, ItemTest, Narrowed, ReportSpec, RuleCase, StatementTest};
use super::{Context, FindingSink, Rule, RuleId, message};
use crate::finding::{Cause, Evidence, Finding, Remedy, Severity};
use crate::iam::condition::strength;
use crate::iam::{ActionSet, ClauseItem};
use crate::project::{EXCEPT_DENIED, StatementRef};
use crate::source::{Span, Text};
use crate::value::Provenance;
use items::TestedItem;
use words::Words;

/// `True`, as Python writes it.
fn capitalize(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_ascii_uppercase() + rest
}

/// Runs one declared rule: its cases in order. What an earlier case reports, a later one does not report again.
pub(super) fn run(context: &Context<'_>, rule: &Rule, cases: &[RuleCase], out: &mut FindingSink<'_>) {
    let eval = Eval {
        rule: rule.id(),
        context,
        words: Words::default(),
    };
    let mut reported: HashSet<(Cause, Span)> = HashSet::new();
    for (number, case) in cases.iter().enumerate() {
        let report = &case.report;
        let mut new = Vec::new();
        let mut emit = |base: Finding, found: &Captures<'_>, statement: Option<StatementRef<'_>>| {
            let part = evidence::MatchPart::new(report, found);
            for at in found.named(&report.at).take(if report.first { 1 } else { usize::MAX }) {
                if reported.contains(&(base.cause, at.span)) {
                    continue;
                }
                if number + 1 < cases.len() {
                    new.push((base.cause, at.span));
                }
                let at = &Captured {
                    left: statement.and_then(|s| eval.effective_part(at.actions?, s)),
                    denied: statement.and_then(|s| eval.partly_denied(at.actions?, s)),
                    ..at.clone()
                };
                let f = match statement {
                    Some(s) => eval.adjust_severity(base.clone(), report, s, at),
                    None => base.clone(),
                };
                out.push_with(f, at.span, |mut f| {
                    let evidence = match &report.evidence {
                        Some(declared) => evidence::declared_evidence(declared, report, at, found),
                        None => part.evidence(at),
                    };
                    f.evidence = Evidence {
                        other: [f.evidence.other, evidence.other].concat(),
                        ..evidence
                    };
                    eval.finding(report, f, at, found)
                });
            }
        };
        eval.subjects(&case.matcher, &mut emit);
        reported.extend(new);
    }
}

/// What all tests of one rule share.
struct Eval<'c, 'a> {
    rule: RuleId,
    context: &'c Context<'a>,
    words: Words,
}

/// What a captured thing is, for evidence and for what messages can say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum CapturedElement {
    Action,
    Resource,
    Principal,
    Text,
    /// A key, a block, a name: a place rather than an item.
    Place,
}

/// A captured thing.
#[derive(Clone, Debug)]
pub(super) struct Captured<'p> {
    pub(super) of: CapturedElement,
    pub(super) text: Option<std::borrow::Cow<'p, Text>>,
    pub(super) span: Span,
    pub(super) via: Option<&'p Provenance>,
    /// What it stands for, where that is known as the item of an `Action`.
    pub(super) actions: Option<&'p ActionSet>,
    /// Of `actions`, those that the statement grants in the end, where that is not all of them.
    pub(super) left: Option<EffectivePart>,
    /// Where a Deny takes some of it away on some resources.
    pub(super) denied: Option<Span>,
    /// Of a property's value: the key.
    pub(super) key: Option<&'p Text>,
    /// Of an item of a policy: the item.
    pub(super) item: Option<&'p ClauseItem>,
}

/// The part of a pattern's actions that its statement grants in the end.
#[derive(Clone, Debug)]
pub(super) struct EffectivePart {
    pub(super) actions: ActionSet,
    pub(super) limit: GrantLimit,
    /// The resources are not known: it may be fewer.
    pub(super) at_most: bool,
}

/// Why a statement grants fewer actions than its pattern matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GrantLimit {
    /// The others do not fit the statement's resources.
    Resources,
    /// The others are denied or outside a boundary.
    Denied,
    Both,
}

impl GrantLimit {
    /// After "every action".
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Resources => " that applies to these resources",
            Self::Denied => " that is not denied",
            Self::Both => " that applies to these resources and is not denied",
        }
    }
}

impl Captured<'_> {
    /// Of what it stands for as the item of an `Action`, what the statement grants in the end.
    pub(super) fn granted(&self) -> Option<&ActionSet> {
        self.left.as_ref().map(|l| &l.actions).or(self.actions)
    }

    fn at_span(span: Span) -> Self {
        Self {
            of: CapturedElement::Place,
            text: None,
            span,
            via: None,
            actions: None,
            left: None,
            denied: None,
            key: None,
            item: None,
        }
    }
}

/// Captures by name, in the order in which they were made.
#[derive(Clone, Debug, Default)]
pub(super) struct Captures<'p>(Vec<(String, Captured<'p>)>);

impl<'p> Captures<'p> {
    fn add(&mut self, name: Option<&String>, captured: impl FnOnce() -> Captured<'p>) {
        if let Some(name) = name {
            self.0.push((name.clone(), captured()));
        }
    }

    fn named<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Captured<'p>> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, c)| c)
    }

    pub(super) fn first(&self, name: &str) -> Option<&Captured<'p>> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, c)| c)
    }
}

impl Eval<'_, '_> {
    /// What is said of one thing captured under the name that the report points at.
    fn finding(&self, report: &ReportSpec, mut f: Finding, at: &Captured<'_>, found: &Captures<'_>) -> Finding {
        let say = |text: &str| message::render(text, &report.at, at, found);
        f.message = say(&report.message);
        f = f.primary(at.span, say(&report.label));
        if let Some(denied) = at.denied.filter(|_| f.message.ends_with(EXCEPT_DENIED)) {
            f = f.secondary(denied, "denied on these resources");
        }
        for also in &report.also {
            let label = say(&also.label);
            match found.first(&also.at) {
                Some(c) if c.span != at.span => f = f.secondary(c.span, label),
                _ => {}
            }
        }
        if let Some(via) = at.via {
            f = f.label_provenance(via);
        }
        for note in &report.notes {
            f = f.note(say(note));
        }
        if let Cause::Resource(id) = f.cause
            && let Some(r) = self.context.project.resources.get(id)
            && !r.header.touches(at.span)
        {
            f = f.scope(r.header, "");
        }
        f.severity = f.severity.or(report.severity);
        f.confidence = f.confidence.or(report.confidence);
        f.help = report.help.as_deref().map(say).or(f.help);
        match &report.fix {
            Some(fix) => self.with_declared_fix(fix, f, at, found, &say),
            None => f,
        }
    }

    /// With the fix that the rule declares, where what it changes is written out.
    fn with_declared_fix(
        &self,
        fix: &DeclaredFix,
        f: Finding,
        at: &Captured<'_>,
        found: &Captures<'_>,
        say: &dyn Fn(&str) -> String,
    ) -> Finding {
        let changed = match &fix.at {
            Some(name) => found.first(name),
            None => Some(at),
        };
        let literal = |c: &Captured<'_>| match (c.item, &c.text) {
            (Some(item), _) => self.context.is_literal(item),
            (None, Some(text)) => {
                let (written, text) = (self.context.project.sources.slice(c.span), text.display());
                // Python has its own case of Booleans.
                written.contains(&text) || written.eq_ignore_ascii_case(&text)
            }
            (None, None) => true,
        };
        let Some(changed) = changed.filter(|c| literal(c) && literal(at)) else {
            return f;
        };
        let title = say(&fix.title);
        let remedy = match (fix.safe, fix.grants) {
            (true, _) => Remedy::safe(title),
            (false, true) => Remedy::granting(title),
            (false, false) => Remedy::risky(title),
        };
        let written = self.context.project.sources.slice(changed.span);
        let is_word = |text: &str| matches!(text, "true" | "false") || text.parse::<u32>().is_ok();
        f.remedy(match &fix.write {
            // A number or a Boolean is written without quotes, if it was.
            Some(text) if is_word(&written.to_ascii_lowercase()) && is_word(text) => {
                let capital = written.starts_with(|c: char| c.is_ascii_uppercase());
                let text = if capital { capitalize(text) } else { text.clone() };
                remedy.replace_token(changed.span, written, text)
            }
            Some(text) => remedy.replace(changed.span, [say(text)]),
            None => match &fix.add {
                Some(text) => remedy.add(changed.span, [say(text)]),
                None => remedy.remove(changed.span),
            },
        })
    }

    /// Severity as the item that is reported and the statement's other parts make it.
    fn adjust_severity(&self, mut f: Finding, report: &ReportSpec, s: StatementRef<'_>, at: &Captured<'_>) -> Finding {
        let holds = |when: &StatementTest| self.statement(when, s, &mut Captures::default()).is_yes();
        let named = s.statement.action.as_ref().and_then(|clause| {
            let place = clause.items.iter().position(|i| i.span == at.span)?;
            Some((clause, place, s))
        });
        let again = || TestedItem::from_captured(at).map(|one| TestedItem { set: named, ..one });
        let item = |test: &ItemTest| again().is_some_and(|one| self.item(test, one).is_yes());
        for adjust in &report.adjust {
            if adjust.item.as_deref().is_none_or(item) && holds(&adjust.when) {
                f.severity = Some(adjust.severity);
            }
        }
        let withheld = self.context.project.withheld(s.document_id).for_statement(s.index);
        if let Some(actions) = at.actions.filter(|a| s.statement.allows() && a.intersects(withheld)) {
            let left = actions.difference(withheld);
            f = f.note(format!(
                "{} of the {} actions are denied or outside the permissions boundary",
                actions.len() - left.len(),
                actions.len()
            ));
            if is_substantially_less(actions, &left) {
                f = lower(f);
            }
        } else if f.severity.is_none_or(|s| s > Severity::Medium) && self.is_harmless(s, at) {
            f = lower(f);
        }
        if report.narrowed == Narrowed::Lower && s.statement.allows() && strength(s.statement).narrows() {
            f = lower(f);
        }
        f
    }
}

fn lower(mut f: Finding) -> Finding {
    match &mut f.severity {
        Some(severity) => *severity = severity.lower(),
        None => f = f.lower_severity(),
    }
    f
}

/// What is left is another thing than what is written: a quarter of what changes something is gone, or all of IAM's.
fn is_substantially_less(written: &ActionSet, left: &ActionSet) -> bool {
    let changing = |set: &ActionSet| set.iter().filter(|a| a.level().changes()).count();
    let of_iam = |set: &ActionSet| set.iter().any(|a| a.service().prefix() == "iam" && a.level().changes());
    changing(left) * 4 <= changing(written) * 3 || (of_iam(written) && !of_iam(left))
}
