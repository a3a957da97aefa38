//! Checks of the family `hygiene`: how roles, users, groups and managed policies are kept.
//!
//! **Invariant:** an empty list is an absent one; what is attached to a user is found whether or not the user is in the
//! repository.

mod account;
mod identities;
pub(super) mod managed;
mod members;
mod unused;
mod users;

use crate::rules::CodeCheck;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, CodeCheck)] = &[
    ("account-guards", account::check),
    ("identity-hygiene", identities::check),
    ("managed-policies", managed::check),
    ("memberships", members::check),
    ("unused-identities", unused::check),
    ("user-policies", users::check),
];
