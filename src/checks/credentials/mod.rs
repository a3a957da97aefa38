//! Checks of the family `credentials`: keys, tokens and passwords that are written down.
//!
//! **Invariant:** what is reported is what the secret is; the place where it stands raises the severity and is named in the
//! message, its own rule is in `folded`. A rule of a place reports by itself only what is not key-shaped. Every finding
//! carries the spans to mask, and no message ever quotes a secret.

mod account_ids;
mod keys;
mod passwords;
mod secrets;
mod slots;
mod tests_only;

use crate::rules::CodeCheck;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, CodeCheck)] = &[
    ("credentials", secrets::check),
    ("access-key-resources", keys::check),
    ("passwords", passwords::check),
    ("account-id-literals", account_ids::check),
];
