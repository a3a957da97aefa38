//! Nodes to values: intrinsic functions and conditions, as far as the templates of the repository and how each is used decide
//! them.
//!
//! **Invariant:** what only a deployment knows is a hole, and both branches of an open condition are kept; work is bounded by
//! the budget of a [`template::Template`].

pub(crate) mod callers;
pub(crate) mod cidr;
pub(crate) mod conditions;
pub(crate) mod env;
pub(crate) mod intrinsics;
pub(crate) mod nodes;
pub(crate) mod template;
pub(crate) mod text;
pub(crate) mod world;
