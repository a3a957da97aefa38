//! Checks of the family `data`: grants on every resource that expose or destroy data.
//!
//! **Invariant:** only actions that are granted on every resource without a narrowing condition; an action that
//! supports only `*` is not reported for that alone.

mod classes;
mod tags;

use crate::rules::CodeCheck;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, CodeCheck)] = &[("data-classes", classes::check), ("abac-tags", tags::check)];
