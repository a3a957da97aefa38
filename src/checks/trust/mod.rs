//! Checks of the family `trust`: who may assume a role.
//!
//! **Invariant:** a condition that names the allowed principals silences a rule; one that narrows access lowers the
//! severity by one step; one that only looks like a restriction changes nothing and is shown in the finding.

mod accounts;
mod assume;
mod blocked_principals;
mod principals;
mod self_trust;
mod wildcard;

use crate::rules::CodeCheck;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, CodeCheck)] = &[
    ("trust-wildcard", wildcard::check),
    ("trust-accounts", accounts::check),
    ("trust-assume", assume::check),
    ("principals", principals::check),
    ("trust-self", self_trust::check),
    ("listed-principals", blocked_principals::check),
];
