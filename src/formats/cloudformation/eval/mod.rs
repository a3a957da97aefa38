//! Nodes to values: intrinsic functions and conditions, as far as the repository decides them.

pub(crate) mod cidr;
pub(crate) mod conditions;
pub(crate) mod env;
pub(crate) mod intrinsics;
pub(crate) mod nodes;
pub(crate) mod text;
