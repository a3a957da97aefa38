//! One integration binary: everything a user would notice.
#![allow(clippy::unwrap_used)]
mod facts;

mod hcl;
mod cloudformation_eval;
