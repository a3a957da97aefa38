//! Patterns of the settings and the command line, in the manner of `.gitignore`.

use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Patterns in the manner of `.gitignore`, relative to the folder `root` (absolute).
pub fn patterns(root: &str, globs: &[String]) -> Result<Option<Gitignore>, ignore::Error> {
    if globs.is_empty() {
        return Ok(None);
    }
    let mut builder = GitignoreBuilder::new(root);
    for glob in globs {
        // Git takes `[` as itself; as a pattern that a person wrote, it is a mistake.
        let bare = glob.strip_prefix('!').unwrap_or(glob);
        if let Err(e) = globset::Glob::new(bare) {
            return Err(ignore::Error::Glob {
                glob: Some(glob.clone()),
                err: e.kind().to_string(),
            });
        }
        builder.add_line(None, glob)?;
    }
    builder.build().map(Some)
}

/// Whether `patterns` cover the file at the absolute path `file`.
pub fn matches(patterns: &Gitignore, file: &str) -> bool {
    let path = Path::new(file);
    path.starts_with(patterns.path()) && patterns.matched_path_or_any_parents(path, false).is_ignore()
}
