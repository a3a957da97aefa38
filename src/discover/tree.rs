//! Where files come from: the disk, or a commit or the index of a Git repository.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::git::GitFailure;
use super::git_tree::{GitPlace, GitTree};
use super::read::{self, Content};
use super::with_forward_slashes;
use crate::source::{file_name, is_within, parent_path};

/// Texts of files by absolute path.
pub type UnsavedTexts = BTreeMap<String, Arc<str>>;

/// The files that a run sees. Paths are absolute; what lies outside a Git repository is read from the disk.
#[derive(Clone, Debug)]
pub enum SourceTree {
    Disk {
        /// Folders that are left out, absolute.
        without: Arc<BTreeSet<String>>,
        /// Texts that count instead of what is on disk, by absolute path.
        unsaved: Arc<UnsavedTexts>,
    },
    Git(Arc<GitTree>),
}

impl Default for SourceTree {
    fn default() -> Self {
        Self::Disk {
            without: Arc::default(),
            unsaved: Arc::default(),
        }
    }
}

impl From<GitTree> for SourceTree {
    fn from(tree: GitTree) -> Self {
        Self::Git(Arc::new(tree))
    }
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    File,
    Folder,
    Link,
    Submodule,
    /// A pipe, a device.
    Special,
}

impl From<std::fs::FileType> for EntryKind {
    fn from(kind: std::fs::FileType) -> Self {
        if kind.is_dir() {
            Self::Folder
        } else if kind.is_file() {
            Self::File
        } else if kind.is_symlink() {
            Self::Link
        } else {
            Self::Special
        }
    }
}

/// A path after its links were followed.
enum FollowedPath<'t> {
    Git(&'t GitTree, String),
    Disk(PathBuf),
}

impl SourceTree {
    /// The disk, where these texts count instead of what it has at their paths.
    pub fn with_unsaved(unsaved: UnsavedTexts) -> Self {
        Self::Disk {
            without: Arc::default(),
            unsaved: Arc::new(unsaved),
        }
    }

    fn unsaved(&self, path: &Path) -> Option<&Arc<str>> {
        match self {
            Self::Disk { unsaved, .. } if !unsaved.is_empty() => unsaved.get(&with_forward_slashes(path)),
            _ => None,
        }
    }

    fn target(&self, path: &Path) -> io::Result<FollowedPath<'_>> {
        let Self::Git(tree) = self else {
            return Ok(FollowedPath::Disk(path.to_path_buf()));
        };
        match tree.place(&with_forward_slashes(path)) {
            Some(place) => Ok(match place? {
                GitPlace::Inside(inside) => FollowedPath::Git(tree, inside),
                GitPlace::Outside(outside) => FollowedPath::Disk(outside),
            }),
            None => Ok(FollowedPath::Disk(path.to_path_buf())),
        }
    }

    /// What stands at the path, or where a link there leads.
    pub fn kind(&self, path: &Path) -> io::Result<EntryKind> {
        if self.unsaved(path).is_some() {
            return Ok(EntryKind::File);
        }
        match self.target(path)? {
            FollowedPath::Git(tree, inside) => tree.kind(&inside).ok_or_else(|| io::ErrorKind::NotFound.into()),
            FollowedPath::Disk(path) => Ok(std::fs::metadata(path)?.file_type().into()),
        }
    }

    pub fn is_dir(&self, path: &Path) -> bool {
        self.kind(path).is_ok_and(|kind| kind == EntryKind::Folder)
    }

    pub fn is_file(&self, path: &Path) -> bool {
        self.kind(path).is_ok_and(|kind| kind == EntryKind::File)
    }

    /// The path leads to something.
    pub fn exists(&self, path: &Path) -> bool {
        self.kind(path).is_ok()
    }

    /// Something stands at the path, if only a link that leads nowhere.
    pub fn has_entry(&self, path: &Path) -> bool {
        match self {
            Self::Git(tree) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let list = |folder: &Path| match self.target(folder) {
                    Ok(FollowedPath::Git(_, folder)) => {
                        let inside = format!("{folder}/{name}");
                        tree.kind(inside.trim_start_matches('/')).is_some()
                    }
                    Ok(FollowedPath::Disk(folder)) => folder.join(&*name).symlink_metadata().is_ok(),
                    Err(_) => false,
                };
                path.parent().is_none_or(list)
            }
            Self::Disk { .. } => self.unsaved(path).is_some() || path.symlink_metadata().is_ok(),
        }
    }

    /// The path with its links followed.
    pub(super) fn real_path(&self, path: &Path) -> io::Result<PathBuf> {
        match self.target(path)? {
            FollowedPath::Git(tree, inside) => Ok(PathBuf::from(tree.absolute(&inside))),
            FollowedPath::Disk(path) if self.unsaved(&path).is_some() && !path.exists() => {
                let folder = std::fs::canonicalize(path.parent().unwrap_or(&path))?;
                Ok(folder.join(path.file_name().unwrap_or_default()))
            }
            FollowedPath::Disk(path) => std::fs::canonicalize(path),
        }
    }

    /// The names in a folder, and what they are; links are not followed.
    pub(super) fn list(&self, path: &Path) -> io::Result<Vec<(String, EntryKind)>> {
        match self.target(path)? {
            FollowedPath::Git(tree, inside) => Ok(tree.list(&inside)),
            FollowedPath::Disk(path) => {
                let entries = std::fs::read_dir(&path)?.flatten();
                let entry = |e: std::fs::DirEntry| {
                    let kind = e.file_type().map_or(EntryKind::Special, EntryKind::from);
                    (e.file_name().to_string_lossy().into_owned(), kind)
                };
                let mut entries: Vec<(String, EntryKind)> = entries.map(entry).collect();
                let missing = self.unsaved_in(&path).filter(|unsaved| !Path::new(unsaved).exists());
                entries.extend(missing.map(|unsaved| (file_name(unsaved).to_owned(), EntryKind::File)));
                Ok(entries)
            }
        }
    }

    /// The paths of the unsaved texts that lie directly in a folder.
    fn unsaved_in(&self, folder: &Path) -> impl Iterator<Item = &str> {
        let unsaved = match self {
            Self::Disk { unsaved, .. } => Some(unsaved.keys()),
            Self::Git(_) => None,
        };
        let folder = with_forward_slashes(folder);
        let all = unsaved.into_iter().flatten().map(String::as_str);
        all.filter(move |path| parent_path(path) == folder)
    }

    /// The regular files below a folder of a Git tree, by their paths from it, sorted; `None` for a folder on disk.
    pub fn stored_files(&self, path: &Path) -> Option<Vec<&str>> {
        match (self, self.target(path)) {
            (_, Ok(FollowedPath::Git(tree, inside))) => {
                let files = tree.below(&inside).filter(|(_, kind)| *kind == EntryKind::File);
                Some(files.map(|(path, _)| path).collect())
            }
            (Self::Git(_), Err(_)) => Some(Vec::new()),
            (_, Ok(FollowedPath::Disk(_)) | Err(_)) => None,
        }
    }

    pub(super) fn read(&self, path: &Path, cap: u64) -> io::Result<Content> {
        match self.target(path)? {
            FollowedPath::Git(tree, inside) => tree.read(&inside, cap),
            FollowedPath::Disk(path) => match self.unsaved(&path) {
                Some(text) => Ok(read::classify_content(text.as_bytes().to_vec(), cap)),
                None => read::read(&path, cap),
            },
        }
    }

    /// Reads files, those of a Git tree together; `take` gets the index of each and its content.
    pub(super) fn read_all(&self, paths: &[&Path], cap: u64, take: &mut dyn FnMut(usize, io::Result<Content>)) {
        let mut stored = (Vec::new(), Vec::new());
        for (i, path) in paths.iter().enumerate() {
            match self.target(path) {
                Ok(FollowedPath::Git(_, inside)) => {
                    stored.0.push(i);
                    stored.1.push(inside);
                }
                Ok(FollowedPath::Disk(path)) => take(i, self.read(&path, cap)),
                Err(e) => take(i, Err(e)),
            }
        }
        if let Self::Git(tree) = self {
            tree.read_all(&stored.1, cap, &mut |i, content| take(stored.0[i], content));
        }
    }

    /// The text of a regular file of at most `cap` bytes: settings, patterns, baselines.
    pub fn text(&self, path: &Path, cap: u64) -> io::Result<String> {
        match self.target(path)? {
            FollowedPath::Git(tree, inside) => tree.text(&inside, cap),
            FollowedPath::Disk(path) => match self.unsaved(&path) {
                Some(text) if text.len() as u64 > cap => Err(read::too_large(cap)),
                Some(text) => Ok(text.to_string()),
                None => read::text(&path, cap),
            },
        }
    }

    /// The folder is one in which a search for patterns ends.
    pub(super) fn is_repository(&self, folder: &Path) -> bool {
        match self {
            Self::Git(tree) if is_within(&with_forward_slashes(folder), tree.top()) => folder == Path::new(tree.top()),
            _ => folder.join(".git").exists(),
        }
    }

    /// The absolute path is in a folder that is left out.
    pub(super) fn leaves_out(&self, path: &str) -> bool {
        match self {
            Self::Disk { without, .. } => without.iter().any(|folder| is_within(path, folder)),
            Self::Git(_) => false,
        }
    }

    /// What a missing path is missing from, if it is not the disk.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Disk { .. } => None,
            Self::Git(tree) => Some(&tree.name),
        }
    }

    /// What kept files from being read: then what was found is not all.
    pub fn failure(&self) -> Option<&GitFailure> {
        match self {
            Self::Disk { .. } => None,
            Self::Git(tree) => tree.failure(),
        }
    }
}
