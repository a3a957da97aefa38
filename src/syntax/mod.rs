//! Parsers: bytes to one arena tree.
//!
//! **Invariant:** parsing never fails, never panics and never recurses without a bound, whatever the bytes; it returns the
//! tree that it understood and a list of problems. Nothing here knows what IAM, CloudFormation or Terraform is.

pub mod data;
pub mod hcl;
pub mod json;
pub mod placeholder;
pub mod tree;
pub mod yaml;

pub use tree::{MAX_DEPTH, NodeId, NodeKind, NodeStyle, Tree};
