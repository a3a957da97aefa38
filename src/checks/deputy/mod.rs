//! Checks of the family `deputy`: services that act for anybody, and what keeps them to one's own account.
//!
//! **Invariant:** a service is asked for its source only where it acts for many customers on a resource that is named to
//! it; a role for one's own compute is not asked.

mod keys;
mod source;

use crate::rules::CodeCheck;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, CodeCheck)] = &[("service-source", source::check), ("service-keys", keys::check)];
