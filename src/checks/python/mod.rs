//! Checks of the family `python`: what boto3 is asked to do, and what becomes of the credentials that it gives.
//!
//! **Invariant:** an argument that is not known says nothing; a call counts when its receiver is a client for all we know.

mod arguments;
mod logged;

use crate::rules::CodeCheck;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, CodeCheck)] = &[
    ("sdk-arguments", arguments::check),
    ("credentials-logged", logged::check),
];
