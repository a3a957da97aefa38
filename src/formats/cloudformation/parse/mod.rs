//! Files to templates as they are written, and the files that give their parameters.
//!
//! **Invariant:** nothing is evaluated: no intrinsic, no condition, no parameter.

pub(crate) mod assembly;
mod assets;
pub(crate) mod doc;
pub(crate) mod parameter_files;
