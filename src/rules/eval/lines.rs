//! Tests of single conditions: operator, key, and values.

use super::items::{ClauseItems, Items, TestedItem};
use super::subjects::Emit;
use super::{Captured, CapturedElement, Captures, Eval};
use crate::iam::catalogue::catalogue;
use crate::iam::condition::{Grade, Operator, always_present, is_multivalued, key_type, operator_fits_type, strength};
use crate::iam::{Condition, DocumentOrigin, Statement, Truth};
use crate::rules::spec::{ConditionTest, LineTest, SetName};
use crate::terms::SetOperator;

/// A condition and what is known of it.
#[derive(Clone, Copy)]
pub(super) struct TestedCondition<'p> {
    condition: &'p Condition,
    grade: Grade,
    statement: &'p Statement,
    /// `None` where IAM has no such operator, or it is not known.
    operator: Option<Operator>,
}

impl<'p> TestedCondition<'p> {
    pub(super) fn new(condition: &'p Condition, grade: Grade, statement: &'p Statement) -> Self {
        Self {
            condition,
            grade,
            statement,
            operator: condition.parsed,
        }
    }

    /// The condition key in lower case, where it is known.
    fn key(&self) -> Option<String> {
        Some(self.condition.key.text.known()?.to_lowercase())
    }
}

impl<'a> Eval<'_, 'a> {
    pub(super) fn each_line(&self, t: &LineTest, emit: Emit<'_, 'a>) {
        for s in self
            .context
            .statements()
            .filter(|s| s.document.origin == DocumentOrigin::Written)
        {
            for (c, bound) in s.statement.conditions.iter().zip(&strength(s.statement).bounds) {
                let mut found = Captures::default();
                let line = TestedCondition::new(c, bound.grade, s.statement);
                let mut truth = self.line(&t.line, line, &mut found);
                if let Some(test) = t.statement.as_deref().filter(|_| truth.is_yes()) {
                    truth = self.statement(test, s, &mut found);
                }
                if truth.is_yes() {
                    for (name, captured) in [
                        (
                            "operator",
                            TestedItem::item(&c.operator, CapturedElement::Text).captured(),
                        ),
                        ("key", TestedItem::item(&c.key, CapturedElement::Text).captured()),
                        ("values", Captured::at_span(c.span)),
                    ] {
                        found.0.push((name.to_owned(), captured));
                    }
                    let base = self.context.at_statement(self.rule, s, "");
                    emit(base.other_evidence(&c.lower_key), &found, None);
                }
            }
        }
    }
}

impl Eval<'_, '_> {
    pub(super) fn line<'p>(&self, t: &ConditionTest, line: TestedCondition<'p>, found: &mut Captures<'p>) -> Truth {
        let c = line.condition;
        let mut truth = self.operator(t, line).and(self.key(t, line));
        if truth.is_no() {
            return truth;
        }
        if let Some(wanted) = t.several {
            let several = match (c.values.len() > 1, c.complete) {
                (true, _) => Truth::Yes,
                (false, true) => Truth::No,
                (false, false) => Truth::Unknown,
            };
            truth = truth.and(if wanted { several } else { !several });
        }
        if let Some(wanted) = t.narrowing {
            truth = truth.and(Truth::from((line.grade >= Grade::Narrows) == wanted));
        }
        if let Some(wanted) = t.mfa {
            truth = truth.and(Truth::from(strength(line.statement).mfa() == wanted));
        }
        if let Some(test) = &t.value {
            let clause = ClauseItems {
                items: Items::Written(&c.values, CapturedElement::Text),
                complete: c.complete,
                vague: false,
                key: None,
                span: Some(c.span),
            };
            // An empty list is a block without values.
            let clause = (!c.values.is_empty() || !c.complete || !c.list).then_some(&clause);
            truth = truth.and(self.clause(test, clause, found));
        }
        truth
    }

    /// Tests of the operator. One that is not known has no properties.
    fn operator(&self, t: &ConditionTest, line: TestedCondition<'_>) -> Truth {
        let mut truth = Truth::Yes;
        if let Some(test) = &t.operator {
            truth = self.item(
                test,
                ignoring_case(&TestedItem::item(&line.condition.operator, CapturedElement::Action)),
            );
        }
        let written = line.condition.operator.text.is_known();
        let asks = |test: bool, holds: &dyn Fn(Operator) -> bool| match (test, line.operator) {
            (false, _) => Truth::Yes,
            (true, Some(o)) => holds(o).into(),
            (true, None) if written => Truth::No,
            (true, None) => Truth::Unknown,
        };
        if let Some(wanted) = t.known_operator {
            truth = truth.and(match (line.operator, written) {
                (None, false) => Truth::Unknown,
                (operator, _) => (operator.is_some() == wanted).into(),
            });
        }
        let set = |o: Operator| match o.set {
            Some(SetOperator::ForAnyValue) => SetName::ForAnyValue,
            Some(SetOperator::ForAllValues) => SetName::ForAllValues,
            None => SetName::None,
        };
        let same = |wanted: Option<bool>, is: bool| wanted.is_none_or(|w| w == is);
        truth
            .and(asks(!t.family.is_empty(), &|o| t.family.contains(&o.family)))
            .and(asks(!t.set.is_empty(), &|o| t.set.contains(&set(o))))
            .and(asks(t.negated.is_some(), &|o| same(t.negated, o.negated)))
            .and(asks(t.wildcards.is_some(), &|o| same(t.wildcards, o.wildcards)))
            .and(asks(t.if_exists.is_some(), &|o| same(t.if_exists, o.if_exists)))
    }

    /// Tests of the condition key.
    fn key(&self, t: &ConditionTest, line: TestedCondition<'_>) -> Truth {
        let mut truth = Truth::Yes;
        if let Some(test) = &t.key {
            truth = self.item(
                test,
                ignoring_case(&TestedItem::item(&line.condition.key, CapturedElement::Action)),
            );
        }
        let asks = t.multivalued.is_some()
            || t.always_present.is_some()
            || t.global.is_some()
            || t.fits_type.is_some()
            || !t.key_type.is_empty();
        if !asks {
            return truth;
        }
        let Some(key) = line.key() else {
            return Truth::Unknown;
        };
        if let Some(wanted) = t.multivalued {
            truth = truth.and(is_multivalued(&key).map_or(Truth::Unknown, |is| (is == wanted).into()));
        }
        if let Some(wanted) = t.always_present {
            truth = truth.and((always_present(&key) == wanted).into());
        }
        if let Some(wanted) = t.global {
            truth = truth.and((catalogue().global_condition_key(&key).is_some() == wanted).into());
        }
        let known = key_type(&key);
        if !t.key_type.is_empty() {
            truth = truth.and(known.map_or(Truth::Unknown, |k| t.key_type.iter().any(|w| w == k).into()));
        }
        if let Some(wanted) = t.fits_type {
            let fits = line.operator.zip(known).map(|(o, k)| operator_fits_type(&key, k, o));
            truth = truth.and(fits.map_or(Truth::Unknown, |fits| (fits == wanted).into()));
        }
        truth
    }
}

/// Operators and condition keys have no case: they are compared as actions are.
fn ignoring_case<'p>(one: &TestedItem<'p>) -> TestedItem<'p> {
    TestedItem {
        of: CapturedElement::Action,
        ..*one
    }
}
