//! Checks of the family `validity`: whether AWS accepts a policy, and whether it has the intended effect.
//!
//! **Invariant:** a document with unknown parts is judged only by its known parts: nothing is reported as missing if
//! unknown keys may exist.

mod arn;
mod effect;
mod elements;
mod grammar;
mod kind;
mod roles;
mod service_role;
mod variables;

use crate::rules::CodeCheck;
pub(in crate::checks) use arn::matches_no_type;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, CodeCheck)] = &[
    ("grammar", grammar::check),
    ("elements", elements::check),
    ("arn", arn::check),
    ("policy-type", kind::mismatch),
    ("policy-size", kind::sizes),
    ("variables", variables::check),
    ("no-effect", effect::check),
    ("role-properties", roles::check),
    ("service-roles", service_role::check),
];
