//! Lowering: each format's files to units of the one model.
//!
//! **Invariant:** lowering never fails; what was not understood is in [`Unit::problems`] or is an unknown value. Formats
//! know syntax, values and the model; they never see a project or a rule, and no rule ever sees them.

use crate::model::Unit;
use crate::source::{FileId, Sources};

/// A family of files that is lowered in one go.
pub trait Lower: Sync {
    fn name(&self) -> &'static str;
    /// `files` are those that `classify` gave to this format, sorted. May read any other file of `sources` it is led to.
    fn lower(&self, sources: &Sources, files: &[FileId]) -> Vec<Unit>;
}
