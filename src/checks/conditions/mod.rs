//! Checks of the family `conditions`: does a condition say what was meant?
//!
//! **Invariant:** keys of identity providers are theirs to define and are never called unknown; a value with a hole or a
//! policy variable is not judged by its form.

mod effect;
mod fit;
mod keys;
mod operators;
mod values;

use crate::iam::condition::Operator;
use crate::iam::{Condition, Document, Origin, Statement};
use crate::project::DocumentId;
use crate::rules::{Check, Context};

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("condition-operators", operators::check),
    ("condition-keys", keys::check),
    ("condition-values", values::check),
    ("condition-effect", effect::check),
    ("condition-fit", fit::check),
];

/// One line of a written Condition block, with all that is around it.
struct Line<'a> {
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

fn lines<'a>(cx: &Context<'a>) -> impl Iterator<Item = Line<'a>> {
    cx.statements()
        .filter(|(_, d, _, _)| d.origin == Origin::Written)
        .flat_map(|(document, kind, index, statement)| {
            statement.conditions.iter().map(move |condition| Line {
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
