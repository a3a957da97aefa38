//! The folders of the files of a run.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::source::{FileId, Sources, file_name, join_path, parent_path};

/// The n-th of the folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct FolderId(u32);

/// Files and folders by their paths from the highest folder of the run.
#[derive(Debug)]
pub(super) struct FolderTree {
    /// By file, as it is shown.
    shown: Vec<String>,
    /// By file.
    paths: Vec<String>,
    files: FxHashMap<String, FileId>,
    folders: FxHashMap<String, FolderId>,
    /// By folder.
    folder_paths: Vec<String>,
    /// By folder: the files directly in it.
    direct: Vec<Vec<FileId>>,
    /// By folder: its place in `sorted`.
    below: Vec<std::ops::Range<usize>>,
    /// In the order of the paths.
    sorted: Vec<FileId>,
    /// Every name in a path, of files without `.py` too.
    names: FxHashSet<String>,
    is_code: Vec<bool>,
}

impl FolderTree {
    pub(super) fn new(sources: &Sources) -> Self {
        let shown: Vec<&str> = sources.ids().map(|id| sources.path(id)).collect();
        // Paths may begin with `../`: what that leads to has no name that we know.
        let up = shown.iter().map(|path| path.matches("../").count()).max().unwrap_or(0);
        let top = vec!["\u{0}"; up].join("/");
        let paths: Vec<String> = shown.iter().map(|path| join_path(&top, path)).collect();
        let mut sorted: Vec<FileId> = sources.ids().collect();
        sorted.sort_by(|a, b| paths[a.0 as usize].cmp(&paths[b.0 as usize]));
        let mut tree = Self {
            files: sorted.iter().map(|id| (paths[id.0 as usize].clone(), *id)).collect(),
            folders: FxHashMap::default(),
            folder_paths: Vec::new(),
            direct: Vec::new(),
            below: Vec::new(),
            names: FxHashSet::default(),
            shown: shown.iter().map(|path| (*path).to_owned()).collect(),
            is_code: paths.iter().map(|path| is_code(path)).collect(),
            sorted,
            paths,
        };
        for place in 0..tree.sorted.len() {
            tree.add_file(place);
        }
        tree
    }

    /// It was made of files at these paths.
    pub(super) fn is_of(&self, sources: &Sources) -> bool {
        let mut shown = self.shown.iter();
        self.shown.len() == sources.len()
            && sources
                .ids()
                .all(|id| shown.next().is_some_and(|s| s == sources.path(id)))
    }

    fn add_file(&mut self, place: usize) {
        let id = self.sorted[place];
        let path = std::mem::take(&mut self.paths[id.0 as usize]);
        let name = file_name(&path);
        self.names.insert(name.to_owned());
        if let Some(module) = name.strip_suffix(".py") {
            self.names.insert(module.to_owned());
        }
        let mut folder = parent_path(&path);
        let own = self.folder_at(folder, place);
        self.direct[own.0 as usize].push(id);
        loop {
            let known = self.folder_at(folder, place);
            self.below[known.0 as usize].end = place + 1;
            if folder.is_empty() {
                break;
            }
            folder = parent_path(folder);
        }
        self.paths[id.0 as usize] = path;
    }

    /// The folder, which is new if no file before the one at this place lies in it.
    fn folder_at(&mut self, folder: &str, place: usize) -> FolderId {
        if let Some(known) = self.folders.get(folder) {
            return *known;
        }
        let id = FolderId(u32::try_from(self.direct.len()).unwrap_or(u32::MAX));
        self.folders.insert(folder.to_owned(), id);
        self.folder_paths.push(folder.to_owned());
        self.names.insert(file_name(folder).to_owned());
        self.direct.push(Vec::new());
        self.below.push(place..place);
        id
    }

    /// The path of a file from the highest folder.
    pub(super) fn path(&self, file: FileId) -> &str {
        &self.paths[file.0 as usize]
    }

    /// Whether any file or folder is called this, or a Python file with `.py` after it.
    pub(super) fn has_name(&self, name: &str) -> bool {
        !name.is_empty() && self.names.contains(name)
    }

    pub(super) fn file(&self, path: &str) -> Option<FileId> {
        self.files.get(path).copied()
    }

    pub(super) fn folder(&self, path: &str) -> Option<FolderId> {
        self.folders.get(path).copied()
    }

    pub(super) fn folder_path(&self, folder: FolderId) -> &str {
        &self.folder_paths[folder.0 as usize]
    }

    pub(super) fn folders_ending_with(&self, end: &str) -> impl Iterator<Item = FolderId> {
        let all = self.folders.iter();
        all.filter(move |(path, _)| ends_with_path(path, end))
            .map(|(_, id)| *id)
    }

    pub(super) fn files_ending_with(&self, end: &str) -> impl Iterator<Item = FileId> {
        self.sorted
            .iter()
            .copied()
            .filter(move |id| ends_with_path(self.path(*id), end))
    }

    pub(super) fn direct_files(&self, folder: FolderId) -> impl Iterator<Item = FileId> {
        self.direct[folder.0 as usize].iter().copied()
    }

    pub(super) fn files_below(&self, folder: FolderId) -> impl Iterator<Item = FileId> {
        self.sorted[self.below[folder.0 as usize].clone()].iter().copied()
    }

    /// Python, and what builds images of it, in the folder and in those inside it.
    pub(super) fn code_below(&self, folder: FolderId) -> impl Iterator<Item = FileId> {
        self.files_below(folder).filter(|id| self.is_code[id.0 as usize])
    }
}

/// Whether the last parts of a path are these.
fn ends_with_path(path: &str, end: &str) -> bool {
    let before = path.strip_suffix(end);
    before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

fn is_code(path: &str) -> bool {
    let name = file_name(path);
    name.ends_with(".py") || name.ends_with(".ipynb") || name.contains("Dockerfile")
}
