//! Checks of the family `exposure`: access to resources from outside the account.
//!
//! **Invariant:** a condition that names the callers suppresses the finding; a narrowing condition lowers the
//! severity by one step.

mod apis;
mod bucket_and_key_policies;
mod grants;
mod lambda;
mod openapi;
mod policies;

use crate::rules::CodeCheck;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, CodeCheck)] = &[
    ("resource-policies", policies::check),
    ("resource-policy-grants", grants::check),
    ("lambda-permission", lambda::permission),
    ("lambda-url", lambda::url),
    ("open-apis", apis::check),
    ("stores", bucket_and_key_policies::check),
];
