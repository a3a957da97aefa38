//! Checks of the family `trust`: who may assume a role.
//!
//! **Invariant:** a condition that names the allowed principals silences a rule; one that narrows access lowers the
//! severity by one step; one that only looks like a restriction changes nothing and is shown in the finding.

mod accounts;
mod assume;
mod itself;
mod listed;
mod principals;
mod wildcard;

use crate::rules::Check;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("trust-wildcard", wildcard::check),
    ("trust-accounts", accounts::check),
    ("trust-assume", assume::check),
    ("principals", principals::check),
    ("trust-self", itself::check),
    ("listed-principals", listed::check),
];
