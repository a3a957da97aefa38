//! `overgrant` finds where a repository grants more AWS access than it should, offline, on the exact token.
//!
//! The way of the data: discover → classify → parse → lower → link → check → triage → fix → render. Only `discover`, reading
//! the configuration and `main` touch the disk, the environment or the terminal; from [`source::Sources`] on all is a pure
//! function.

pub mod checks;
pub mod classify;
pub mod cli;
pub mod date;
pub mod discover;
pub mod finding;
pub mod fix;
pub mod formats;
pub mod grade;
pub mod iam;
pub mod model;
pub mod pipeline;
pub mod project;
pub mod report;
pub mod rules;
pub mod secrets;
pub mod settings;
pub mod source;
pub mod spelling;
pub mod syntax;
pub mod test_code;
pub mod triage;
pub mod unjudged;
pub mod value;

pub use pipeline::{Analysis, analyse};
