//! Checks of the family `escalation`: how the holder of a policy can gain more permissions than it grants.
//!
//! **Invariant:** only Allow statements of policies that grant permissions; actions that a Deny or a boundary removes
//! for every holder are not granted.

mod combined_policies;
mod methods;
mod pass_role;
mod paths;
mod self_mutation;
mod sensitive;
mod targets_in_repo;
mod workloads;

use crate::iam::Action;
use crate::rules::CodeCheck;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, CodeCheck)] = &[
    ("escalation-methods", methods::check),
    ("pass-role", pass_role::check),
    ("assume-role-star", pass_role::assume),
    ("safeguards", sensitive::check),
    ("escalation-across-policies", combined_policies::check),
    ("self-mutation", self_mutation::check),
    ("privileged-workloads", workloads::check),
    ("escalation-target", targets_in_repo::check),
    ("escalation-path", paths::check),
];

/// The actions that allow privilege escalation by themselves.
pub(super) fn single_actions() -> impl Iterator<Item = Action> {
    crate::paths::methods::techniques()
        .iter()
        .filter_map(|w| match w.ids.as_slice() {
            [only] => Some(*only),
            _ => None,
        })
}
