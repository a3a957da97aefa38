//! Contracts: whether what a repository promises about access is so.
//!
//! `names` finds what a contract names. `judge` asks what each identity may do of what is asked, by its own policies and by those
//! on resources, `external` of those that only have policies here, and `outside` asks the same for those who are not of the repository. `reach` follows the paths to those who can.
//!
//! **Invariant:** a contract is broken by a request that every policy allows, or by a path to someone who can make it. It is kept
//! only if everything that may allow a request was looked at; anything else is undecided, with the reason.

mod external;
mod identity;
mod judge;
mod names;
mod outside;
mod propose;
mod reach;
mod statements;

pub use propose::propose;

use crate::access::sets::Witness;
use crate::iam::DeclaredContract;
use crate::paths::AccessPath;
use crate::project::{Effects, Project, ResourceId};
use crate::source::Span;

/// How a contract stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ContractState {
    Kept,
    Broken,
    Undecided,
}

impl ContractState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Broken => "broken",
            Self::Undecided => "undecided",
        }
    }
}

/// A contract, and what was found of it.
#[derive(Debug)]
pub struct JudgedContract<'p> {
    pub contract: &'p DeclaredContract,
    /// Its name, where it is written.
    pub span: Span,
    pub breaches: Vec<Breach>,
    pub doubts: Vec<ContractDoubt>,
    /// Names that match nothing, and where they are written.
    pub nameless: Vec<(Span, String)>,
}

impl JudgedContract<'_> {
    pub fn state(&self) -> ContractState {
        match (
            self.breaches.is_empty(),
            self.doubts.is_empty() && self.nameless.is_empty(),
        ) {
            (false, _) => ContractState::Broken,
            (true, true) => ContractState::Kept,
            (true, false) => ContractState::Undecided,
        }
    }
}

/// What breaks a contract.
#[derive(Clone, Debug)]
pub struct Breach {
    /// The address of an identity, or the principal.
    pub who: String,
    /// The identity, or what the policy is on.
    pub resource: Option<ResourceId>,
    /// What is allowed and must not be; of a path, to the one at its end, where that is one request.
    pub request: Option<Witness>,
    /// The token that allows it.
    pub at: Span,
    /// How someone becomes the one who can.
    pub path: Option<AccessPath>,
}

/// Why it is not known whether a contract is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContractDoubt {
    pub who: Option<String>,
    pub at: Option<Span>,
    /// A part of a sentence.
    pub why: String,
}

/// Judges all contracts of a project, in their order.
pub fn judge<'p>(project: &'p Project<'p>, effects: &'p Effects<'p>) -> Vec<JudgedContract<'p>> {
    if project.contracts.is_empty() {
        return Vec::new();
    }
    let judge = judge::ContractJudge::new(project, effects);
    project.contracts.iter().map(|c| judge.contract(c)).collect()
}
