//! Tests of statements and their conditions.

use super::items::{ClauseItems, Items, TestedItem};
use super::lines::TestedCondition;
use super::{Captured, CapturedElement, Captures, Eval};
use crate::iam::condition::{self, Verdict, strength};
use crate::iam::principal::is_open;
use crate::iam::{Condition, DocumentOrigin, Effect, PolicyKind, Statement, Truth};
use crate::project::{DocumentId, StatementRef};
use crate::rules::spec::{ConditionTest, ConditionsTest, StatementTest, StatementsTest};
use crate::source::WithSpan;

impl<'a> Eval<'_, 'a> {
    /// The statements of a document together.
    pub(super) fn statements(&self, t: &StatementsTest, id: DocumentId, found: &mut Captures<'a>) -> Truth {
        let each = |test: &StatementTest, found: &mut Captures<'a>| -> Vec<Truth> {
            let statements = self.context.project.statements(id);
            statements.map(|s| self.statement(test, s, found)).collect()
        };
        let more = if self.context.project.documents[id].is_complete() {
            Truth::No
        } else {
            Truth::Unknown
        };
        let mut truth = Truth::Yes;
        if let Some(test) = &t.any {
            truth = truth.and(each(test, found).into_iter().fold(more, Truth::or));
        }
        if let Some(test) = &t.all {
            truth = truth.and(each(test, found).into_iter().fold(!more, Truth::and));
        }
        if let Some(test) = &t.none {
            let any = each(test, &mut Captures::default()).into_iter().fold(more, Truth::or);
            truth = truth.and(!any);
        }
        truth
    }

    /// Adds to `found` only when the answer is yes.
    pub(super) fn statement<'p>(&self, t: &StatementTest, s: StatementRef<'p>, found: &mut Captures<'p>) -> Truth {
        let mut own = Captures::default();
        let truth = self.test(t, s, &mut own);
        if truth.is_yes() {
            found.0.append(&mut own.0);
        }
        truth
    }

    fn test<'p>(&self, t: &StatementTest, s: StatementRef<'p>, found: &mut Captures<'p>) -> Truth {
        if !kind_fits(&t.kinds, s) {
            return Truth::No;
        }
        if !t.service.is_empty()
            && !s
                .document
                .service
                .as_ref()
                .is_some_and(|x| t.service.iter().any(|w| **w == **x))
        {
            return Truth::No;
        }
        let st = s.statement;
        let mut truth = match (t.effect, st.effect.as_ref().map(|e| e.value)) {
            (Some(_), _) if st.dead.is_some() => Truth::No,
            // What is about nothing allows nothing.
            (Some(Effect::Allow), Some(Effect::Allow)) if st.matches_nothing() => Truth::No,
            (None, _) | (Some(Effect::Allow), Some(Effect::Allow)) | (Some(Effect::Deny), Some(Effect::Deny)) => {
                Truth::Yes
            }
            (Some(_), Some(Effect::Unknown)) => Truth::Unknown,
            (Some(_), _) => Truth::No,
        };
        truth = truth
            .and(
                t.written
                    .is_none_or(|w| w == (s.document.origin == DocumentOrigin::Written))
                    .into(),
            )
            .and(
                t.known_use
                    .is_none_or(|w| w == (s.document.kind != PolicyKind::Unknown))
                    .into(),
            )
            .and(elements(&st.keys, st.open, &t.has, &t.lacks))
            .and(t.public.is_none_or(|w| w == is_for_everyone(st)).into());
        if truth.is_no() {
            return truth;
        }
        if let Some(test) = &t.sid {
            let clause = st.sid.as_ref().map(|sid| ClauseItems {
                items: Items::Written(std::slice::from_ref(sid), CapturedElement::Text),
                complete: true,
                vague: false,
                key: st.keys.iter().find(|k| k.value == "Sid").map(|k| k.span),
                span: Some(sid.span),
            });
            truth = truth.and(self.clause(test, clause.as_ref(), found));
        }
        for (test, clause, negated, of) in [
            (&t.action, &st.action, false, CapturedElement::Action),
            (&t.not_action, &st.action, true, CapturedElement::Action),
            (&t.resource, &st.resource, false, CapturedElement::Resource),
            (&t.not_resource, &st.resource, true, CapturedElement::Resource),
        ] {
            let Some(test) = test else { continue };
            let clause = clause.as_ref().filter(|c| c.negated == negated).map(|c| ClauseItems {
                items: match of {
                    CapturedElement::Action => Items::Actions(c, s),
                    _ => Items::Written(&c.items, of),
                },
                complete: c.complete,
                vague: !c.items.is_empty() && c.is_fully_unknown(),
                key: Some(c.key),
                span: Some(c.span),
            });
            truth = truth.and(self.clause(test, clause.as_ref(), found));
            if truth.is_no() {
                return truth;
            }
        }
        for (test, negated) in [(&t.principal, false), (&t.not_principal, true)] {
            let Some(test) = test else { continue };
            let clause = st
                .principal
                .as_ref()
                .filter(|c| c.negated == negated)
                .map(|c| ClauseItems {
                    items: Items::Principals(&c.items),
                    complete: c.complete,
                    vague: c.is_fully_unknown(),
                    key: Some(c.key),
                    span: Some(c.span),
                });
            truth = truth.and(self.clause(test, clause.as_ref(), found));
        }
        if let Some(test) = &t.condition {
            truth = truth.and(self.conditions(test, s, found));
        }
        if truth.is_no() {
            return truth;
        }
        found.add(t.capture.as_ref(), || Captured::at_span(st.span));
        if let Some(effect) = &st.effect {
            found.add(t.effect_as.as_ref(), || Captured::at_span(effect.span));
        }
        let positive: Truth = t
            .all
            .iter()
            .map(|inner| self.statement(inner, s, found))
            .fold(truth, Truth::and);
        let any = match t.any.as_slice() {
            [] => Truth::Yes,
            some => some
                .iter()
                .map(|inner| self.statement(inner, s, found))
                .fold(Truth::No, Truth::or),
        };
        let mut scratch = Captures::default();
        let none = t.none.iter().chain(t.not.as_deref());
        let none = none
            .map(|inner| self.statement(inner, s, &mut scratch))
            .fold(Truth::No, Truth::or);
        positive.and(any).and(!none)
    }

    fn conditions<'p>(&self, t: &ConditionsTest, s: StatementRef<'p>, found: &mut Captures<'p>) -> Truth {
        let st = s.statement;
        let present = !st.conditions.is_empty();
        let strength = condition::strength(st);
        let more = if strength.unknown { Truth::Unknown } else { Truth::No };
        let mut truth = Truth::Yes;
        if let Some(wanted) = t.present {
            truth = truth.and(Truth::from(present).or(more).eq_truth(wanted));
        }
        let answers = |test: &ConditionTest, found: &mut Captures<'p>| -> Vec<Truth> {
            let graded = st.conditions.iter().zip(&strength.bounds);
            graded
                .map(|(c, b)| {
                    let mut own = Captures::default();
                    let truth = self.line(test, TestedCondition::new(c, b.grade, st), &mut own);
                    if truth.is_yes() {
                        found.0.append(&mut own.0);
                    }
                    truth
                })
                .collect()
        };
        let mut inner = Captures::default();
        let mut witnesses: Vec<&'p Condition> = st.conditions.iter().collect();
        if let Some(test) = &t.any {
            let each = answers(test, &mut inner);
            truth = truth.and(each.iter().fold(more, |a, b| a.or(*b)));
            witnesses = st
                .conditions
                .iter()
                .zip(&each)
                .filter(|(_, a)| a.is_yes())
                .map(|(c, _)| c)
                .collect();
        }
        if let Some(test) = &t.all {
            truth = truth
                .and(answers(test, &mut inner).into_iter().fold(!more, Truth::and))
                .and(Truth::from(present).or(more));
        }
        if let Some(test) = &t.none {
            let any = answers(test, &mut Captures::default())
                .into_iter()
                .fold(more, Truth::or);
            truth = truth.and(!any);
        }
        if truth.is_yes() {
            found.0.append(&mut inner.0);
            for c in witnesses {
                found.add(t.capture.as_ref(), || {
                    TestedItem::item(&c.key, CapturedElement::Text).captured()
                });
            }
            if let Some(key) = st.condition_key {
                found.add(t.key.as_ref(), || Captured::at_span(key));
            }
        }
        truth
    }
}

/// Whether one of the elements is there, and none of the others.
pub(super) fn elements(keys: &[WithSpan<String>], open: bool, has: &[String], lacks: &[String]) -> Truth {
    if has.is_empty() && lacks.is_empty() {
        return Truth::Yes;
    }
    let more = match open || keys.iter().any(|k| k.value.contains("${")) {
        true => Truth::Unknown,
        false => Truth::No,
    };
    let one_of = |names: &[String]| Truth::from(keys.iter().any(|k| names.contains(&k.value))).or(more);
    let has = if has.is_empty() { Truth::Yes } else { one_of(has) };
    let lacks = if lacks.is_empty() { Truth::Yes } else { !one_of(lacks) };
    has.and(lacks)
}

/// The principal is everyone, and no condition limits that.
fn is_for_everyone(s: &Statement) -> bool {
    let open = s.principal.as_ref().is_some_and(|p| !p.negated && is_open(p));
    open && strength(s).for_public() == Verdict::Nothing
}

trait EqTruth {
    fn eq_truth(self, wanted: bool) -> Truth;
}

impl EqTruth for Truth {
    /// Whether the answer is `wanted`.
    fn eq_truth(self, wanted: bool) -> Truth {
        if wanted { self } else { !self }
    }
}

/// Whether the document is of one of the kinds; where its use is not known, what its statement looks like decides.
fn kind_fits(kinds: &[PolicyKind], s: StatementRef<'_>) -> bool {
    if kinds.is_empty() {
        return true;
    }
    document_kinds(s.document.kind, s.statement.principal.is_some())
        .iter()
        .any(|k| kinds.contains(k))
}

pub(super) fn document_kinds(kind: PolicyKind, principals: bool) -> &'static [PolicyKind] {
    match kind {
        PolicyKind::Identity => &[PolicyKind::Identity],
        PolicyKind::Trust => &[PolicyKind::Trust],
        PolicyKind::Resource => &[PolicyKind::Resource],
        PolicyKind::Boundary => &[PolicyKind::Boundary],
        PolicyKind::Session => &[PolicyKind::Session],
        PolicyKind::Scp => &[PolicyKind::Scp],
        PolicyKind::Rcp => &[PolicyKind::Rcp],
        PolicyKind::Unknown if principals => &[PolicyKind::Resource],
        PolicyKind::Unknown => &[PolicyKind::Identity],
    }
}
