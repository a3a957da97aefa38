//! Checks of the family `resources`: how much of an account a statement is about.
//!
//! **Invariant:** a hole is never called a wildcard; what is all of a bucket or a log group is not too much.

mod breadth;
mod hardcoded;
mod logs;
mod mismatch;
mod scope;
mod whole_type;

use crate::rules::CodeCheck;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, CodeCheck)] = &[
    ("effectively-star", breadth::effectively_star),
    ("star-on-scopable", scope::star),
    ("resource-mismatch", mismatch::check),
    ("s3-colon", mismatch::s3_colon),
    ("arn-fields", hardcoded::check),
    ("whole-type", whole_type::check),
    ("log-group-suffix", logs::check),
];
