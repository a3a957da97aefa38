//! Checks of the family `data`: what a grant on everything gives away.
//!
//! **Invariant:** only what is granted on every resource and without a condition that narrows; what AWS gives on `*` only
//! is never too much by that alone.

mod classes;
mod tags;

use crate::rules::CodeCheck;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, CodeCheck)] = &[("data-classes", classes::check), ("abac-tags", tags::check)];
