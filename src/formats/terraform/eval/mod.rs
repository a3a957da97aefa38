//! Declarations to values: a module with the arguments of one call, evaluated as far as it can be before deployment.
//!
//! References, attributes, blocks, functions, and `aws_iam_policy_document` refer to one another, so these files are one unit.
//!
//! **Invariant:** what is not known is a hole or one of several values, never a guess; work is bounded by the budget of
//! [`evaluator::TerraformEvaluator`].

pub(crate) mod accounts;
pub(crate) mod attributes;
pub(crate) mod blocks;
pub(crate) mod branches;
pub(crate) mod evaluator;
pub(crate) mod functions;
pub(crate) mod instances;
pub(crate) mod left_out;
pub(crate) mod loops;
pub(crate) mod module;
pub(crate) mod nested;
pub(crate) mod opened;
pub(crate) mod operators;
pub(crate) mod policy_document;
pub(crate) mod reference;
pub(crate) mod registry_modules;
pub(crate) mod remote_state;
pub(crate) mod switches;
pub(crate) mod template;
pub(crate) mod to_string;
pub(crate) mod types;
pub(crate) mod unset;
pub(crate) mod values;
pub(crate) mod versions;
