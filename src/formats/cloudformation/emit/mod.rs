//! Evaluated templates to the model: resources, parameters, outputs, and what the SAM translator makes.
//!
//! **Invariant:** every resource of a template is in the unit once, with the names of CloudFormation; what SAM makes lies at the
//! source that asks for it.

pub(crate) mod bodies;
mod code;
pub(crate) mod resources;
pub(crate) mod sam;
