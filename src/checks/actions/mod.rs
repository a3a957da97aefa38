//! Checks of the family `actions`: which actions a statement is about.
//!
//! **Invariant:** an action with a hole in it is never called unknown; a pattern is judged by what it expands to.

mod names;
mod redundant;
mod statements;

use crate::rules::Check;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("action-names", names::check),
    ("redundant-items", redundant::check),
    ("redundant-statements", statements::redundant),
];
