//! Evaluated declarations to the model: canonical resources, documents, functions with their code.
//!
//! Modules of the public registry and plans, which have no declarations to evaluate, come in here as well.
//!
//! **Invariant:** resource types have CloudFormation's names from here on.

pub(crate) mod aws;
pub(crate) mod handed_on;
pub(crate) mod lambda_code;
pub(crate) mod plan;
pub(crate) mod plan_merge;
pub(crate) mod properties;
pub(crate) mod registry;
pub(crate) mod resources;
pub(crate) mod unused;
pub(crate) mod used_policies;
