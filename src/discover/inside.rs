//! What belongs to a run: links are resolved before a file counts as one of the repository.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{SourceTree, git_root};
use crate::source::{is_within, join_path, parent_path};

/// The folders of a run: the repository around the working directory, and those around paths that were named elsewhere.
#[derive(Debug, Clone, Default)]
pub struct RunFolders {
    tree: SourceTree,
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

/// A folder that is analyzed as a whole, whatever was named in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AnalysisRoot {
    /// Absolute.
    pub path: String,
    /// If more entries than this lie in it, it is not one of them: it holds more than one project.
    pub max_entries: Option<usize>,
}

/// The repositories around paths. Each folder is looked at once.
#[derive(Debug, Default)]
pub struct Repositories {
    by_folder: HashMap<String, Option<String>>,
}

impl Repositories {
    /// The nearest folder with `.git` at or above the absolute `path`.
    pub fn around(&mut self, path: &str) -> Option<String> {
        match is_repository(path) {
            // Among checkouts in one folder, some may be links.
            true => Some(path.to_owned()),
            false => self.above(parent_path(path)),
        }
    }

    fn above(&mut self, folder: &str) -> Option<String> {
        let mut passed = Vec::new();
        let mut at = folder;
        let found = loop {
            if let Some(known) = self.by_folder.get(at) {
                break known.clone();
            }
            passed.push(at);
            let dir = match at.is_empty() || at.ends_with(':') {
                true => format!("{at}/"),
                false => at.to_owned(),
            };
            if is_repository(&dir) {
                break Some(dir);
            }
            if at.is_empty() {
                break None;
            }
            at = parent_path(at);
        };
        for dir in passed {
            self.by_folder.insert(dir.to_owned(), found.clone());
        }
        found
    }
}

/// Whether the absolute folder is the top of a repository; of a worktree or a submodule `.git` is a file.
pub(super) fn is_repository(folder: &str) -> bool {
    Path::new(folder).join(".git").exists()
}

/// Most entries of a working directory that is in no repository, and is nevertheless analyzed as a whole.
const MAX_ENTRIES: usize = 20_000;

impl RunFolders {
    /// `cwd` and `named` are absolute; `root` is the repository, where the user says which folder that is.
    pub fn new<'n>(cwd: &str, root: Option<&str>, named: impl Iterator<Item = &'n String>, tree: &SourceTree) -> Self {
        let mut all = Self {
            tree: tree.clone(),
            tops: Vec::new(),
        };
        if let Some(root) = root {
            all.add(root, Kind::Repository);
        }
        match git_root(cwd) {
            Some(top) => all.add(&top, Kind::Repository),
            None => all.add(cwd, Kind::Working),
        }
        let mut repositories = Repositories::default();
        for path in named {
            let repository = repositories.around(path);
            let is_chosen =
                |top: &RunFolder| root.is_some_and(|root| is_within(path, root) && is_within(&top.path, root));
            match (all.enclosing_folder(path), repository) {
                (Some(top), _) if is_chosen(top) => {}
                // The nearest one counts: a checkout inside another repository, or in a folder of checkouts.
                (Some(top), Some(nearer)) if nearer != top.path && is_within(&nearer, &top.path) => {
                    all.add(&nearer, Kind::Repository);
                }
                (Some(_), _) => {}
                (None, Some(repository)) => all.add(&repository, Kind::Repository),
                (None, None) if tree.is_dir(Path::new(path)) => all.add(path, Kind::Named),
                (None, None) => all.add(parent_path(path), Kind::Named),
            }
        }
        all
    }

    fn add(&mut self, path: &str, kind: Kind) {
        let path = if path.is_empty() { "/" } else { path };
        if let Ok(real) = self.tree.real_path(Path::new(path)) {
            let path = path.to_owned();
            self.tops.push(RunFolder { path, real, kind });
        }
    }

    fn enclosing_folder(&self, absolute: &str) -> Option<&RunFolder> {
        let around = self.tops.iter().filter(|top| is_within(absolute, &top.path));
        around.max_by_key(|top| top.path.len())
    }

    /// What is analyzed around a path: the repository that it lies in. Without one, around a file, the working directory, if
    /// the file lies in it and it is the folder of a project.
    pub fn analysis_root(&self, absolute: &str) -> Option<AnalysisRoot> {
        let top = self.enclosing_folder(absolute)?;
        let max_entries = match top.kind {
            Kind::Repository => None,
            Kind::Working if !self.tree.is_dir(Path::new(absolute)) && !holds_home(&top.path) => Some(MAX_ENTRIES),
            Kind::Working | Kind::Named => return None,
        };
        Some(AnalysisRoot {
            path: top.path.clone(),
            max_entries,
        })
    }

    /// The path from the top of the folder of the run that it lies in.
    pub fn relative<'p>(&self, absolute: &'p str) -> &'p str {
        let top = self.enclosing_folder(absolute).map_or("", |top| &top.path);
        absolute.strip_prefix(top).unwrap_or(absolute).trim_start_matches('/')
    }

    /// The path lies in one of these folders, and so does what it leads to.
    pub fn contains(&self, absolute: &str) -> bool {
        let real = self.tree.real_path(Path::new(absolute));
        self.enclosing_folder(absolute)
            .is_some_and(|top| real.is_ok_and(|real| real.starts_with(&top.real)))
    }

    /// What the path leads to, where that is in the same folder of the run as the path itself, and not the folder or what is
    /// around the path.
    pub(super) fn link_target(&self, absolute: &str) -> Option<String> {
        let top = self.enclosing_folder(absolute)?;
        let real = self.tree.real_path(Path::new(absolute)).ok()?;
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
        let leads_out = |real: PathBuf| !real.starts_with(&top.real);
        top.kind != Kind::Named && self.tree.real_path(Path::new(absolute)).is_ok_and(leads_out)
    }
}

/// Whether the folder is the user's home, or one around it.
fn holds_home(folder: &str) -> bool {
    std::env::home_dir().is_some_and(|home| home.starts_with(folder))
}
