//! `overgrant` finds where a repository grants more AWS access than it should, offline, on the exact token.
//!
//! [`Linter`] is the entry: [`Linter::new`] takes rules and settings, [`Linter::check`] takes [`Sources`] and gives a
//! [`Report`]. The command reads files, settings, and baselines around it; without the feature `cli` none of that, and none of
//! its dependencies, is built.
//!
//! Data flows discover → classify → parse → lower → link → check → triage → fix → render. Only `discover`, reading the
//! settings, and `main` touch the disk, the environment, or the terminal; from [`Sources`] on everything is a pure function.
//! ARCHITECTURE.md says where everything is.

#![cfg_attr(
    not(feature = "cli"),
    allow(dead_code, unused_imports, reason = "only the command uses the rest")
)]

mod access;
mod checks;
mod classify;
#[cfg(feature = "cli")]
pub mod cli;
mod contracts;
mod date;
mod discover;
mod edit_distance;
mod evidence;
mod finding;
mod fix;
mod focus;
mod formats;
mod grade;
mod iam;
mod index;
mod layout;
mod linter;
mod model;
mod paths;
mod phrase;
mod pipeline;
mod project;
mod python;
mod ranged;
mod report;
mod rule_id;
mod rules;
mod secrets;
mod settings;
mod source;
mod syntax;
mod terms;
mod test_code;
mod triage;
mod unjudged;
mod value;

pub use date::Date;
pub use finding::{Confidence, Finding, Fix, Label, LabelRole, Severity};
pub use linter::{Linter, SettingsErrors};
pub use report::{OutputFormat, RenderOptions};
pub use rule_id::RuleId;
pub use rules::{Profile, Rule, Ruleset};
pub use settings::{Fault, Settings};
pub use source::{FileId, Position, Problem, ProblemKind, Sources, Span};
pub use triage::{Report, ReportedFinding, Stats, Status, Suppression};
pub use unjudged::Unjudged;

/// Every module, for the tests, benches, and fuzz targets of this crate. Not a public interface.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals {
    pub use crate::layout::Palette;

    pub mod access {
        pub use crate::access::*;
    }
    pub mod checks {
        pub use crate::checks::*;
    }
    pub mod classify {
        pub use crate::classify::*;
    }
    pub mod date {
        pub use crate::date::*;
    }
    pub mod discover {
        pub use crate::discover::*;
    }
    pub mod evidence {
        pub use crate::evidence::*;
    }
    pub mod finding {
        pub use crate::finding::*;
    }
    pub mod fix {
        pub use crate::fix::*;
    }
    pub mod formats {
        pub use crate::formats::*;
    }
    pub mod grade {
        pub use crate::grade::*;
    }
    pub mod iam {
        pub use crate::iam::*;
    }
    pub mod model {
        pub use crate::model::*;
    }
    pub mod pipeline {
        pub use crate::pipeline::*;
    }
    pub mod project {
        pub use crate::project::*;
    }
    pub mod python {
        pub use crate::python::*;
    }
    pub mod report {
        pub use crate::report::*;
    }
    pub mod rules {
        pub use crate::rules::*;
    }
    pub mod secrets {
        pub use crate::secrets::*;
    }
    pub mod settings {
        pub use crate::settings::*;
    }
    pub mod source {
        pub use crate::source::*;
    }
    pub mod edit_distance {
        pub use crate::edit_distance::*;
    }
    pub mod syntax {
        pub use crate::syntax::*;
    }
    pub mod test_code {
        pub use crate::test_code::*;
    }
    pub mod triage {
        pub use crate::triage::*;
    }
    pub mod unjudged {
        pub use crate::unjudged::*;
    }
    pub mod value {
        pub use crate::value::*;
    }
}
