//! Checks of the family `python`: what becomes of the credentials that boto3 gives.
//!
//! **Invariant:** a call counts when its receiver is a client for all we know.

mod logged;

use crate::rules::CodeCheck;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, CodeCheck)] = &[("credentials-logged", logged::check)];
