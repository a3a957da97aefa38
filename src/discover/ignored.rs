//! What `.gitignore` hides ("gitignore", Git documentation), read with bounds: what is no file is not opened, and of a very
//! long list the first patterns count.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ignore::gitignore::{Gitignore, GitignoreBuilder, gitconfig_excludes_path};

use super::SourceTree;
use super::read;

/// Patterns of one file; each costs time for every file of the tree, and people write hundreds.
const MAX_PATTERNS: usize = 5_000;
/// Bytes of one file of patterns.
const MAX_BYTES: u64 = 4 << 20;

/// The patterns that hold in a tree, read as the walk meets them.
#[derive(Debug)]
pub(super) struct Ignored<'t> {
    tree: &'t SourceTree,
    /// The user's own, `core.excludesFile` of Git.
    global: Option<Gitignore>,
    by_folder: Mutex<HashMap<PathBuf, Arc<Folder>>>,
}

/// What one folder says.
#[derive(Debug)]
struct Folder {
    /// Its `.gitignore`, and `.git/info/exclude` where it is the root of a repository.
    patterns: Vec<Gitignore>,
    is_root: bool,
}

impl<'t> Ignored<'t> {
    /// The user's own patterns are relative to `cwd`.
    pub(super) fn new(cwd: &str, tree: &'t SourceTree) -> Self {
        let own = |file: PathBuf| patterns(Path::new(cwd), read::text(&file, MAX_BYTES));
        Self {
            tree,
            global: gitconfig_excludes_path().and_then(own),
            by_folder: Mutex::default(),
        }
    }

    /// Whether the file or folder at the absolute `path` is hidden. What lies in a hidden folder is not asked for.
    pub(super) fn is_hidden(&self, path: &Path, is_dir: bool) -> bool {
        let mut at = path.parent();
        while let Some(dir) = at {
            let folder = self.folder(dir);
            for patterns in &folder.patterns {
                let found = patterns.matched(path, is_dir);
                if !found.is_none() {
                    return found.is_ignore();
                }
            }
            if folder.is_root {
                break;
            }
            at = dir.parent();
        }
        let global = self.global.as_ref();
        global.is_some_and(|all| all.matched(path, is_dir).is_ignore())
    }

    fn folder(&self, dir: &Path) -> Arc<Folder> {
        let known = self.by_folder.lock().ok().and_then(|all| all.get(dir).cloned());
        if let Some(known) = known {
            return known;
        }
        let is_root = self.tree.is_repository(dir);
        let written = patterns(dir, self.tree.text(&dir.join(".gitignore"), MAX_BYTES));
        let of_clone = || patterns(dir, read::text(&dir.join(".git/info/exclude"), MAX_BYTES));
        let of_clone = is_root.then(of_clone).flatten();
        let patterns = written.into_iter().chain(of_clone).collect();
        let folder = Arc::new(Folder { patterns, is_root });
        if let Ok(mut all) = self.by_folder.lock() {
            all.insert(dir.to_path_buf(), Arc::clone(&folder));
        }
        folder
    }
}

/// The patterns of a file, relative to `dir`. Lines that are no pattern are passed over, as Git does.
fn patterns(dir: &Path, text: io::Result<String>) -> Option<Gitignore> {
    let text = text.ok()?;
    let mut builder = GitignoreBuilder::new(dir);
    let written = text.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#'));
    for line in written.take(MAX_PATTERNS) {
        let _ = builder.add_line(None, line);
    }
    builder.build().ok().filter(|all| !all.is_empty())
}
