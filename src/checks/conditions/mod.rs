//! Checks of the family `conditions`: does a condition say what was meant?
//!
//! **Invariant:** keys of identity providers are theirs to define and are never called unknown; a value with a hole or a
//! policy variable is not judged by its form.

mod effect;
mod key_applicability;
mod keys;
mod operators;
mod values;

use crate::iam::condition::Operator;
use crate::iam::{Condition, DocumentOrigin};
use crate::project::StatementRef;
use crate::rules::{CodeCheck, Context};

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, CodeCheck)] = &[
    ("condition-operators", operators::check),
    ("condition-keys", keys::check),
    ("condition-values", values::check),
    ("condition-effect", effect::check),
    ("condition-fit", key_applicability::check),
];

/// One line of a written Condition block, with all that is around it.
struct ConditionLine<'a> {
    statement: StatementRef<'a>,
    condition: &'a Condition,
    /// `None` where IAM has no such operator, or it is not known.
    operator: Option<Operator>,
    /// Lower case; holes as `${…}`.
    key: &'a str,
}

fn lines<'a>(cx: &Context<'a>) -> impl Iterator<Item = ConditionLine<'a>> {
    cx.statements()
        .filter(|s| s.document.origin == DocumentOrigin::Written)
        .flat_map(|s| {
            s.statement.conditions.iter().map(move |condition| ConditionLine {
                statement: s,
                condition,
                operator: condition.parsed,
                key: &condition.lower_key,
            })
        })
}
