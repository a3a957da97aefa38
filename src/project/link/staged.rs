//! Folders in which the CDK stages what it uploads: which of them are copies of folders of the repository.
//!
//! **Invariant:** a copy has no file that differs from that of its original.

use std::collections::BTreeMap;

use crate::source::{FileId, Sources, file_name, is_within, join_path, parent_path, staged_folder};

/// Files with the same name and text that are looked at.
const MAX_TWINS: usize = 64;

/// The folder of the repository that a staged folder is a copy of, and the file of a staged file.
#[derive(Debug, Default)]
pub(super) struct StagedAssets<'s> {
    originals: BTreeMap<&'s str, &'s str>,
}

impl<'s> StagedAssets<'s> {
    pub(super) fn new(sources: &'s Sources) -> Self {
        let mut staged: BTreeMap<&str, Vec<FileId>> = BTreeMap::new();
        let mut named: BTreeMap<&str, Vec<FileId>> = BTreeMap::new();
        let mut alone: Vec<FileId> = Vec::new();
        for file in sources.ids() {
            let path = sources.path(file);
            if !path.ends_with(".py") {
                continue;
            }
            match staged_folder(path) {
                Some(folder) => staged.entry(folder).or_default().push(file),
                None if is_staged_file(path) => alone.push(file),
                None => named.entry(file_name(path)).or_default().push(file),
            }
        }
        let mut originals = BTreeMap::new();
        for (folder, files) in &staged {
            if let Some(original) = original(sources, folder, files, &named) {
                originals.insert(*folder, original);
            }
        }
        // A file that is staged alone has another name.
        for file in alone {
            let others = named.values().flatten();
            let mut twins = others.filter(|other| sources.text(**other) == sources.text(file));
            if let (Some(one), None) = (twins.next(), twins.next()) {
                originals.insert(sources.path(file), sources.path(*one));
            }
        }
        Self { originals }
    }

    /// The files of staged folders that are copies, each with the original.
    pub(super) fn copies(&self, sources: &Sources) -> BTreeMap<FileId, FileId> {
        if self.originals.is_empty() {
            return BTreeMap::new();
        }
        let original = |file: FileId| {
            let path = sources.path(file);
            let at = self.original(path.to_owned());
            sources
                .find(&at)
                .filter(|other| *other != file && sources.text(*other) == sources.text(file))
        };
        let files = sources.ids().filter_map(|file| Some((file, original(file)?)));
        files.collect()
    }

    /// The original of a path in a staged folder, or the path itself.
    pub(super) fn original(&self, path: String) -> String {
        if let Some(original) = self.originals.get(path.as_str()) {
            return (*original).to_owned();
        }
        let Some(folder) = staged_folder(&path).filter(|_| !self.originals.is_empty()) else {
            return path;
        };
        match self.originals.get(folder) {
            Some(original) => join_path(original, path[folder.len()..].trim_start_matches('/')),
            None => path,
        }
    }
}

/// Whether a path is that of a single file that the CDK staged: `cdk.out/asset.0123….py`.
fn is_staged_file(path: &str) -> bool {
    let stem = path.strip_suffix(".py").unwrap_or(path);
    staged_folder(stem) == Some(stem)
}

/// The folder that has the files of a staged one, and none of them with another text: of several, the one that has most of
/// them, and of those the only one in the folder of the application.
fn original<'s>(
    sources: &'s Sources,
    folder: &str,
    files: &[FileId],
    named: &BTreeMap<&str, Vec<FileId>>,
) -> Option<&'s str> {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    let relative = |file: &FileId| &sources.path(*file)[folder.len() + 1..];
    for file in files {
        let (text, name) = (sources.text(*file), relative(file));
        if text.trim().is_empty() {
            continue;
        }
        let twins = named.get(file_name(name)).into_iter().flatten();
        for twin in twins.filter(|twin| sources.text(**twin) == text).take(MAX_TWINS) {
            let path = sources.path(*twin);
            let root = path
                .strip_suffix(name)
                .filter(|root| root.is_empty() || root.ends_with('/'));
            if let Some(root) = root {
                *found.entry(root.trim_end_matches('/')).or_default() += 1;
            }
        }
    }
    let differs = |root: &str| {
        let twin = |file: &FileId| sources.find(&join_path(root, relative(file)));
        files
            .iter()
            .any(|file| twin(file).is_some_and(|twin| sources.text(twin) != sources.text(*file)))
    };
    found.retain(|root, _| !differs(root));
    let most = found.values().copied().max()?;
    let app = parent_path(parent_path(folder));
    let mut best: Vec<&str> = found
        .into_iter()
        .filter(|(_, n)| *n == most)
        .map(|(root, _)| root)
        .collect();
    if best.len() > 1 {
        best.retain(|root| is_within(root, app));
    }
    match best.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}
