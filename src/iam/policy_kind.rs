//! What policies are likely to be.

use crate::terms::PolicyKind;

/// What a policy is likely to be though its shape says something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LikelyKind {
    /// A boundary or a control policy.
    Kind(PolicyKind),
    /// The policy of a VPC endpoint: a resource policy by its shape, and a limit on what passes.
    Endpoint,
}
