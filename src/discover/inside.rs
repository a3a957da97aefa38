//! What belongs to a run: links are resolved before a file counts as one of the repository.

use std::path::{Path, PathBuf};

use super::git_root;
use crate::source::{is_within, join_path, parent_path};

/// The folders of a run: the repository around the working directory, and those around paths that were named elsewhere.
#[derive(Debug, Clone, Default)]
pub struct RunFolders {
    tops: Vec<RunFolder>,
}

#[derive(Debug, Clone)]
struct RunFolder {
    /// Absolute, `/` between the parts, as it was named.
    path: String,
    /// With its links resolved.
    real: PathBuf,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Repository,
    /// The working directory, in no repository.
    Working,
    /// A folder that was named, or that holds a file that was named, in no repository.
    Named,
}

impl RunFolders {
    /// `cwd` and `named` are absolute.
    pub fn new<'n>(cwd: &str, named: impl Iterator<Item = &'n String>) -> Self {
        let mut all = Self::default();
        match git_root(cwd) {
            Some(root) => all.add(&root, Kind::Repository),
            None => all.add(cwd, Kind::Working),
        }
        for path in named {
            // Among checkouts in one folder, some may be links.
            let is_checkout = || Path::new(path).join(".git").exists();
            if (all.enclosing_folder(path)).is_some_and(|top| top.kind != Kind::Working || !is_checkout()) {
                continue;
            }
            let above = parent_path(path);
            match git_root(if is_checkout() { path } else { above }) {
                Some(root) => all.add(&root, Kind::Repository),
                None if Path::new(path).is_dir() => all.add(path, Kind::Named),
                None => all.add(above, Kind::Named),
            }
        }
        all
    }

    fn add(&mut self, path: &str, kind: Kind) {
        let path = if path.is_empty() { "/" } else { path };
        if let Ok(real) = std::fs::canonicalize(path) {
            let path = path.to_owned();
            self.tops.push(RunFolder { path, real, kind });
        }
    }

    fn enclosing_folder(&self, absolute: &str) -> Option<&RunFolder> {
        let around = self.tops.iter().filter(|top| is_within(absolute, &top.path));
        around.max_by_key(|top| top.path.len())
    }

    /// The path lies in one of these folders, and so does what it leads to.
    pub fn contains(&self, absolute: &str) -> bool {
        let real = std::fs::canonicalize(absolute);
        self.enclosing_folder(absolute)
            .is_some_and(|top| real.is_ok_and(|real| real.starts_with(&top.real)))
    }

    /// What the path leads to, where that is in the same folder of the run as the path itself, and not the folder or what is
    /// around the path.
    pub(super) fn link_target(&self, absolute: &str) -> Option<String> {
        let top = self.enclosing_folder(absolute)?;
        let real = std::fs::canonicalize(absolute).ok()?;
        let below = real.strip_prefix(&top.real).ok()?.to_str()?.replace('\\', "/");
        let to = join_path(&top.path, &below);
        let is_around = Path::new(absolute).starts_with(&to);
        (to != absolute && !is_around).then_some(to)
    }

    /// A link on the way to the path leads out of the repository.
    pub(super) fn leaves_repository(&self, absolute: &str) -> bool {
        let Some(top) = self.enclosing_folder(absolute) else {
            return false;
        };
        top.kind != Kind::Named && std::fs::canonicalize(absolute).is_ok_and(|real| !real.starts_with(&top.real))
    }
}
