//! Checks of the family `escalation`: how a holder of a policy gets more than the policy says.
//!
//! **Invariant:** only Allow statements of policies that grant; what a Deny or a boundary takes away from every holder
//! is not granted.

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

/// The actions that lead to more permissions by themselves.
pub(super) fn single_actions() -> impl Iterator<Item = Action> {
    ways::ways().iter().filter_map(|w| match w.ids.as_slice() {
        [only] => Some(*only),
        _ => None,
    })
}
