//! Checks of the family `escalation`: how the holder of a policy can gain more permissions than it grants.
//!
//! **Invariant:** only Allow statements of policies that grant permissions; actions that a Deny or a boundary removes
//! for every holder are not granted.

mod across;
mod methods;
mod own;
mod pass_role;
mod sensitive;
mod target;
mod ways;
mod workloads;

use crate::iam::Action;
use crate::rules::Check;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, Check)] = &[
    ("escalation-methods", methods::check),
    ("pass-role", pass_role::check),
    ("assume-role-star", pass_role::assume),
    ("safeguards", sensitive::check),
    ("escalation-across-policies", across::check),
    ("self-mutation", own::check),
    ("privileged-workloads", workloads::check),
    ("escalation-target", target::check),
];

/// The actions that allow privilege escalation by themselves.
pub(super) fn single_actions() -> impl Iterator<Item = Action> {
    ways::ways().iter().filter_map(|w| match w.ids.as_slice() {
        [only] => Some(*only),
        _ => None,
    })
}
