//! Patterns of the settings and the command line, in the manner of `.gitignore`.

use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// A pattern that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the pattern `{glob}`: {why}")]
pub struct PatternFailure {
    pub glob: String,
    pub why: String,
}

/// Patterns in the manner of `.gitignore`, relative to the folder `root` (absolute).
pub fn patterns(root: &str, globs: &[String]) -> Result<Option<Gitignore>, PatternFailure> {
    let Some(first) = globs.first() else {
        return Ok(None);
    };
    let failure = |glob: &str, why: String| PatternFailure {
        glob: glob.to_owned(),
        why,
    };
    let mut builder = GitignoreBuilder::new(root);
    for glob in globs {
        // Git takes `[` as itself; as a pattern that a person wrote, it is a mistake.
        let bare = glob.strip_prefix('!').unwrap_or(glob);
        globset::Glob::new(bare).map_err(|e| failure(glob, e.kind().to_string()))?;
        builder.add_line(None, glob).map_err(|e| failure(glob, e.to_string()))?;
    }
    builder.build().map(Some).map_err(|e| failure(first, e.to_string()))
}

/// Whether `patterns` cover the file at the absolute path `file`.
pub fn matches(patterns: &Gitignore, file: &str) -> bool {
    let path = Path::new(file);
    path.starts_with(patterns.path()) && patterns.matched_path_or_any_parents(path, false).is_ignore()
}
