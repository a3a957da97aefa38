//! Checks of the family `credentials`: hard-coded keys, tokens, and passwords.
//!
//! **Invariant:** a finding is about the kind of secret. Its place raises the severity, is named in the message, and
//! has its rule in `folded`. The rule of a place reports by itself only what is not key-shaped. Every finding has the
//! spans to mask, and no message quotes a secret.

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
