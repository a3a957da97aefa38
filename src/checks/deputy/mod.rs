//! Checks of the family `deputy`: services that act for any customer (confused deputy), and the conditions that limit
//! them.
//!
//! **Invariant:** a source condition is required only for services that act for many customers on a resource that the
//! customer names; not for roles that the account's own compute assumes.

mod keys;
mod source;

use crate::rules::CodeCheck;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, CodeCheck)] = &[("service-source", source::check), ("service-keys", keys::check)];
