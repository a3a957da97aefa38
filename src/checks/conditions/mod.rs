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
use crate::iam::{Condition, Document, DocumentOrigin, Statement};
use crate::project::DocumentId;
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
    document: DocumentId,
    kind: &'a Document,
    index: usize,
    statement: &'a Statement,
    condition: &'a Condition,
    /// `None` where IAM has no such operator, or it is not known.
    operator: Option<Operator>,
    /// Lower case; holes as `${…}`.
    key: String,
}

fn lines<'a>(cx: &Context<'a>) -> impl Iterator<Item = ConditionLine<'a>> {
    cx.statements()
        .filter(|(_, d, _, _)| d.origin == DocumentOrigin::Written)
        .flat_map(|(document, kind, index, statement)| {
            statement.conditions.iter().map(move |condition| ConditionLine {
                document,
                kind,
                index,
                statement,
                condition,
                operator: condition.operator.text.known().and_then(|o| Operator::parse(&o)),
                key: condition.key.text.display().to_lowercase(),
            })
        })
}
