//! Checks of the family `tool`.

use crate::rules::Check;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, Check)] = &[];
