//! Checks that need code: they walk edges or compare statements. Each is named by a rule file's `check:`.
//!
//! **Invariant:** checks see the project, the IAM model and findings; never syntax, never formats. A check never panics
//! and its cost is linear in what it walks.

mod actions;
mod allow_statements;
mod conditions;
mod contracts;
mod credentials;
mod data;
mod deputy;
mod escalation;
mod exposure;
mod federation;
mod guardrails;
mod holders;
mod hops;
mod hygiene;
mod narrowing;
mod python;
mod references;
mod resources;
mod self_reference;
mod tool;
mod trust;
mod usage;
mod validity;

pub(crate) use actions::sensitive_actions;
pub(crate) use holders::only_service;
pub use usage::{ComparedFigures, ComparedWorkload, CountedActions, Obstacle, RoleComparison, compare};

use crate::rules::CodeCheck;

/// Every check by name, family by family.
pub fn table() -> impl Iterator<Item = &'static (&'static str, CodeCheck)> {
    [
        actions::TABLE,
        conditions::TABLE,
        contracts::TABLE,
        credentials::TABLE,
        data::TABLE,
        deputy::TABLE,
        escalation::TABLE,
        exposure::TABLE,
        federation::TABLE,
        guardrails::TABLE,
        hygiene::TABLE,
        python::TABLE,
        resources::TABLE,
        tool::TABLE,
        trust::TABLE,
        usage::TABLE,
        validity::TABLE,
    ]
    .into_iter()
    .flatten()
}
