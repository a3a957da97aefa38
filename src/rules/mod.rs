//! The rules: what a rule file says, compiled, and run over a project.
//!
//! **Invariant:** one rule is one file under `rules/`; nothing is parsed at start but users' own rule files.

mod compile;
mod context;
mod eval;
mod message;
mod ruleset;
mod run;
pub mod spec;

pub use context::{Check, Context, Out};
pub use ruleset::{Rule, Ruleset, Selection, UnknownRule};
pub use run::{Failure, Outcome, run};
pub use spec::Profile;
