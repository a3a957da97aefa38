//! Checks of the family `federation`: trust in identity providers outside AWS.
//!
//! **Invariant:** a provider that is not known is judged by the keys of its conditions; a value with a hole is never
//! called a wildcard.

mod github;
mod oidc;
mod subject;

use crate::rules::CodeCheck;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, CodeCheck)] = &[
    ("oidc", oidc::check),
    ("saml", oidc::saml),
    ("cognito", subject::cognito),
];
