//! The rules: what a rule file says, compiled, and run over a project.
//!
//! **Invariant:** one rule is one file under `rules/`; nothing is parsed at start but users' own rule files.

mod context;

pub use context::{Check, Context, Out};
