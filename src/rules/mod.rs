//! The rules: what a rule file says, compiled, and run over a project.
//!
//! **Invariant:** one rule is one file under `rules/`; nothing is parsed at start but users' own rule files.

mod compile;
mod context;
mod eval;
pub mod examples;
mod explain;
mod message;
pub mod options;
mod origin;
mod recorded_use;
mod ruleset;
mod run;
pub mod spec;
pub mod user;

pub use crate::rule_id::{RuleId, ids};
pub use context::{CodeCheck, Context, FindingSink};
pub use explain::{PageStyle, listing, markdown, render as explain};
pub use ruleset::{Rule, Ruleset, Selection};
pub use run::{HOLDS_FOR, NOT_BY_DEFAULT, run};
#[cfg(feature = "internals")]
pub use spec::FixKind;
#[cfg(rule_schema)]
pub(crate) use spec::schema::rule_file as rule_schema;
pub use spec::{OnePer, Profile};
