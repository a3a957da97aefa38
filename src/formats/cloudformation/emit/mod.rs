//! Evaluated templates to the model: resources, parameters, outputs, and what the SAM translator makes.

pub(crate) mod resources;
pub(crate) mod sam;
