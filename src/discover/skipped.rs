//! Files and folders that are left out, and why.

use std::fmt;

use crate::unjudged::{Language, Seal};

/// A file or folder that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    pub path: String,
    pub why: SkipReason,
}

/// Why a file or folder was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// A folder that holds what others wrote or tools made.
    VendoredFolder,
    /// A hidden folder in which a tool keeps copies.
    ToolCache,
    /// The folder in which Git keeps its objects.
    GitStore,
    /// A repository of its own inside of the one that is compared.
    Submodule,
    /// Its name says that a tool made it.
    Generated,
    BinaryName,
    BinaryContent,
    /// `exclude` of the settings.
    Excluded,
    Gitignored,
    /// A link, or a file that is no regular file.
    NotRegular,
    TooLarge,
    Sealed(Seal),
    /// It defines IAM in a language that is not read.
    Language(Language),
    /// Nothing in it matters.
    NothingFound,
}

impl SkipReason {
    pub fn text(self) -> &'static str {
        match self {
            Self::VendoredFolder => "vendored or generated folder",
            Self::ToolCache => "tool cache",
            Self::GitStore => "Git repository data",
            Self::Submodule => "submodule",
            Self::Generated => "generated",
            Self::BinaryName => "binary file name",
            Self::BinaryContent => "binary",
            Self::Excluded => "excluded",
            Self::Gitignored => "ignored by .gitignore",
            Self::NotRegular => "link or special file",
            Self::TooLarge => "larger than --max-file-size",
            Self::Sealed(seal) => seal.text(),
            Self::Language(language) => language.short_reason(),
            Self::NothingFound => "no policies or credentials found",
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
