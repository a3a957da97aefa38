//! Evidence: what CloudTrail and IAM say was used, as a small text file that is committed next to the code.
//!
//! **Invariant:** the file holds no session name, source address, user agent, e-mail address, or access key; the same facts in
//! any order give the same bytes; an action that the trail does not log is never said to be unused: [`Evidence::logged`].

#![cfg_attr(
    not(feature = "internals"),
    allow(
        dead_code,
        unused_imports,
        reason = "the command writes the file, and the tests read it"
    )
)]

#[cfg(feature = "cli")]
pub mod collect;
mod file;
mod logged;
pub mod query;
mod row;

pub use file::{EvidenceFailure, EvidenceProblem};
pub use logged::Logged;
pub use row::{
    Coverage, DataCoverage, EvidenceIdentity, EvidenceIdentityKind, LastUsed, Period, UnusedKind, UnusedPermission,
    UsageEvidence as Evidence, UsedRow,
};
