//! Checks of the family `actions`: which actions a statement is about.
//!
//! **Invariant:** an action with a hole in it is never called unknown; a pattern is judged by what it expands to.

mod configured;
mod names;
mod redundant;
mod sensitive;
mod statements;

pub(crate) use sensitive::sensitive as sensitive_actions;

use crate::rules::CodeCheck;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, CodeCheck)] = &[
    ("action-names", names::check),
    ("forbidden-actions", configured::forbidden),
    ("required-conditions", configured::conditions),
    ("bare-resources", configured::bare_resource),
    ("complexity", configured::complexity),
    ("mixed-services", configured::mixed),
    ("sensitive-actions", sensitive::check),
    ("redundant-items", redundant::check),
    ("redundant-statements", statements::redundant),
];
