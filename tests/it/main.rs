//! One integration binary: everything a user would notice.
#![allow(clippy::unwrap_used)]
mod facts;

mod cloudformation_eval;
mod hcl;
mod rules;
mod tidy;
