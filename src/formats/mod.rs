//! Lowering: each format's files to units of the one model.
//!
//! **Invariant:** lowering never fails; what was not understood is in [`LoweredUnit::problems`] or is an unknown value. Formats
//! know syntax, values and the model; they never see a project or a rule, and no rule ever sees them.

pub mod access_file;
mod cfn_fragments;
pub mod cloudformation;
pub mod data;
pub mod docker;
pub mod iam_json;
mod kinds;
mod placeholders;
pub mod policies;
pub mod python;
mod recognize;
pub mod request_file;
pub(crate) mod samples;
pub mod serverless;
pub mod terraform;
pub mod text_templates;
mod vendors;

use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;

use crate::classify::FileClues;
use crate::model::LoweredUnit;
use crate::source::{FileId, Problem, ProblemKind, Sources, Span};

pub use kinds::FileKinds;

/// How much of a file a format reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatClaim {
    /// The file is not of this format.
    None,
    /// Other formats may read the file too.
    Shared,
    /// The file is of this format only.
    Whole,
}

impl FormatClaim {
    fn shared_if(is_of_format: bool) -> Self {
        if is_of_format { Self::Shared } else { Self::None }
    }
}

/// A family of files that is lowered in one go.
pub trait Format: Sync {
    /// As users see it.
    fn title(&self) -> &'static str;
    /// Whether a file is worth parsing as this format.
    fn claim(&self, file: &FileClues<'_>) -> FormatClaim;
    /// Whether its files name the code of functions.
    fn names_code(&self) -> bool {
        false
    }
    /// Whether what it lowers may name files that were not read; see [`crate::model::LoweredUnit::wanted`].
    fn names_files(&self) -> bool {
        true
    }
    /// `files` are those that the format claims, sorted. May read any other file of `sources` it is led to.
    fn lower(&self, sources: &Sources, files: &[FileId]) -> Vec<LoweredUnit>;
    /// Changes what all formats lowered.
    fn finish(&self, _sources: &Sources, _units: &mut [LoweredUnit]) {}
}

/// Every format, in the order of the units.
pub const FORMATS: &[&dyn Format] = &[
    &iam_json::IamJson,
    &cloudformation::CloudFormation,
    &python::Python,
    &terraform::Terraform,
    &serverless::Serverless,
    &access_file::AccessFile,
];

/// Lowers files one by one, in parallel, results in the order of `files`. A panic costs that file only and is
/// reported as such.
pub fn each_file(files: &[FileId], lower: impl Fn(FileId) -> LoweredUnit + Sync) -> Vec<LoweredUnit> {
    files.par_iter().map(|&file| guarded(file, || lower(file))).collect()
}

/// Runs `lower`; a panic becomes an [`ProblemKind::Internal`] problem of `file`.
pub fn guarded(file: FileId, lower: impl FnOnce() -> LoweredUnit) -> LoweredUnit {
    catch_unwind(AssertUnwindSafe(lower)).unwrap_or_else(|_| LoweredUnit {
        problems: vec![Problem::new(
            ProblemKind::Internal,
            Span::new(file, 0, 0),
            "internal error on this file; please report it",
        )],
        ..LoweredUnit::default()
    })
}
