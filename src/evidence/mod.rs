//! Evidence: what CloudTrail and IAM say was used, as a small text file that is committed next to the code.
//!
//! **Invariant:** the file holds no session name, source address, user agent, e-mail address, or access key; the same facts in
//! any order give the same bytes; an action that the trail does not log is never said to be unused: [`Evidence::logged`].

#[cfg(feature = "cli")]
pub mod collect;
mod file;
mod logged;
pub mod query;
mod row;

#[cfg(any(test, feature = "internals"))]
pub use file::EvidenceFailure;
pub use file::EvidenceProblem;
pub use logged::Logged;
#[cfg(any(test, feature = "internals"))]
pub use row::{Coverage, DataCoverage, UnusedPermission};
pub use row::{
    EvidenceIdentity, EvidenceIdentityKind, LastUsed, Period, UnusedKind, UsageEvidence as Evidence, UsedRow,
};
