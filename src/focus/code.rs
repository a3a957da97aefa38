//! What Python imports: from its own folder and those around it, from layers, and from folders that are commonly on the path.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Groups;
use super::links::FileLinks;
use super::tree::{FolderId, FolderTree};
use crate::formats::python;
use crate::iam::sdk;
use crate::python::{IMPORT_ROOTS, is_known_library};
use crate::source::{FileId, Sources, join_path, parent_path};

/// What the import statements of a file name, as paths without an ending; relative ones from the highest folder.
pub(super) fn imports(path: &str, text: &str) -> Vec<String> {
    let mut all = python::imports(path, text);
    // A package runs before its modules.
    let packages: Vec<String> = all
        .iter()
        .filter_map(|name| Some(name.split_once('/')?.0.to_owned()))
        .collect();
    all.extend(packages);
    all.sort_unstable();
    all.dedup();
    all
}

/// Joins each file with those that it may import.
pub(super) fn connect_imports(sources: &Sources, tree: &FolderTree, links: &[&FileLinks], groups: &mut Groups) {
    let layers = ImportableLayers::new(sources, tree, links);
    let mut known: FxHashMap<(&str, &str), Vec<FileId>> = FxHashMap::default();
    for id in sources.ids() {
        let folder = parent_path(tree.path(id));
        for name in &links[id.0 as usize].imports {
            let found = known.entry((folder, name)).or_insert_with(|| {
                let first = name.split('/').next().unwrap_or_default();
                let is_hidden = || tree.file(&join_path(folder, &format!("{first}.py"))).is_some();
                if is_known_library(first) && !is_hidden() {
                    return Vec::new();
                }
                let near = modules_near(tree, folder, name);
                let is_library = || sdk::library(&name.replace('/', ".")).is_some();
                if near.is_empty() && !is_library() {
                    layers.modules(tree, name)
                } else {
                    near
                }
            });
            found.iter().for_each(|other| groups.join(id, *other));
        }
    }
}

/// The module or package at a path without an ending.
fn modules_at(tree: &FolderTree, folder: &str, name: &str, out: &mut Vec<FileId>) {
    let path = join_path(folder, name);
    out.extend(tree.file(&format!("{path}.py")));
    out.extend(tree.file(&format!("{path}/__init__.py")));
}

fn modules_near(tree: &FolderTree, folder: &str, name: &str) -> Vec<FileId> {
    let mut out = Vec::new();
    let last = name.rsplit('/').next().unwrap_or(name);
    if !tree.has_name(last) {
        return out;
    }
    let mut base = folder;
    loop {
        modules_at(tree, base, name, &mut out);
        for root in IMPORT_ROOTS {
            modules_at(tree, &join_path(base, root), name, &mut out);
        }
        if base.is_empty() {
            return out;
        }
        base = parent_path(base);
    }
}

/// What functions may import wherever they are.
struct ImportableLayers {
    folders: Vec<String>,
    /// Files by their path after `python/`.
    by_path: FxHashMap<String, Vec<FileId>>,
}

impl ImportableLayers {
    fn new(sources: &Sources, tree: &FolderTree, links: &[&FileLinks]) -> Self {
        let folders: FxHashSet<FolderId> = links
            .iter()
            .flat_map(|of_file| of_file.layers.iter().copied())
            .collect();
        let mut folders: Vec<String> = folders.into_iter().map(|id| tree.folder_path(id).to_owned()).collect();
        folders.sort_unstable();
        let mut by_path: FxHashMap<String, Vec<FileId>> = FxHashMap::default();
        for id in sources.ids() {
            let path = tree.path(id);
            let at = path.find("python/").filter(|at| *at == 0 || path[..*at].ends_with('/'));
            if let Some(at) = at {
                by_path
                    .entry(path[at + "python/".len()..].to_owned())
                    .or_default()
                    .push(id);
            }
        }
        Self { folders, by_path }
    }

    fn modules(&self, tree: &FolderTree, name: &str) -> Vec<FileId> {
        let mut out = Vec::new();
        for path in [format!("{name}.py"), format!("{name}/__init__.py")] {
            // Of several, none is meant.
            out.extend(
                self.by_path
                    .get(&path)
                    .filter(|all| all.len() == 1)
                    .into_iter()
                    .flatten(),
            );
        }
        if !tree.has_name(name.rsplit('/').next().unwrap_or(name)) {
            return out;
        }
        for folder in &self.folders {
            modules_at(tree, folder, name, &mut out);
            modules_at(tree, &join_path(folder, "python"), name, &mut out);
        }
        out
    }
}
