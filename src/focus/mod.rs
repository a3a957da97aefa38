//! Which files can take part in what is found in the files that were named: an analysis of these alone finds there what an
//! analysis of everything finds.
//!
//! **Invariant:** two files of which one can change what is found in the other are linked, directly or through others. Nothing is
//! parsed: a link may be too many, and only costs time.

mod code;
mod links;
mod memory;
mod names;
mod stacks;
mod tree;

use rustc_hash::FxHashSet;

use crate::classify::is_access_file;
use crate::iam::Ownership;
use crate::source::{FileId, Sources};

use links::{FileLink, FileLinks};
use tree::FolderTree;

pub use memory::LinkMemory;

/// Of fewer files, or if at least one in so many is named, everything is analyzed.
const MIN_FILES: usize = 64;
const MAX_SHARE: usize = 2;

/// The files to analyze, where these are not all; `always` are files that may limit everything.
pub fn focus(sources: &Sources, own: &Ownership, always: &[FileId]) -> Option<FxHashSet<FileId>> {
    let named: Vec<FileId> = sources.ids().filter(|id| sources.file(*id).in_scope).collect();
    focus_on(&named, sources, own, always, &mut LinkMemory::default())
}

/// As [`focus`], of these files.
pub fn focus_on(
    named: &[FileId],
    sources: &Sources,
    own: &Ownership,
    always: &[FileId],
    memory: &mut LinkMemory,
) -> Option<FxHashSet<FileId>> {
    // A contract is about everything.
    let has_contracts = !own.contracts.is_empty() || sources.ids().any(|id| is_access_file(sources.path(id)));
    if has_contracts || sources.len() < MIN_FILES || named.len() * MAX_SHARE >= sources.len() {
        return None;
    }
    let Some(&first) = named.first() else {
        return Some(FxHashSet::default());
    };
    let mut groups = memory.update(sources);
    let of_organization = sources.ids().filter(|id| memory.reaches_all(*id));
    let settings = own.workloads.iter().filter_map(|w| sources.find(&w.file));
    for file in of_organization.chain(always.iter().copied()).chain(settings) {
        groups.join(first, file);
    }
    for file in named {
        groups.join(first, *file);
    }
    memory.connect_names(sources, own, first, &mut groups);
    let found = sources.ids().filter(|id| groups.are_joined(first, *id));
    Some(found.collect())
}

/// Joins the files that are linked by paths and imports.
fn connect(sources: &Sources, tree: &FolderTree, links: &[&FileLinks], groups: &mut Groups) {
    let mut joined: FxHashSet<FileLink> = FxHashSet::default();
    let each = sources.ids().zip(links);
    for (file, link) in each.flat_map(|(id, of_file)| of_file.links.iter().map(move |link| (id, *link))) {
        let first = match link {
            FileLink::File(other) => Some(other),
            FileLink::Folder(folder) => tree.direct_files(folder).next(),
            FileLink::Code(folder) => tree.code_below(folder).next(),
            FileLink::Below(folder) => tree.files_below(folder).next(),
        };
        let Some(first) = first else { continue };
        groups.join(file, first);
        if !joined.insert(link) {
            continue;
        }
        match link {
            FileLink::File(_) => {}
            FileLink::Folder(folder) => tree.direct_files(folder).for_each(|other| groups.join(first, other)),
            FileLink::Code(folder) => tree.code_below(folder).for_each(|other| groups.join(first, other)),
            FileLink::Below(folder) => tree.files_below(folder).for_each(|other| groups.join(first, other)),
        }
    }
    code::connect_imports(sources, tree, links, groups);
}

/// Which files are joined: a forest of which each tree is a group.
#[derive(Clone, Debug)]
struct Groups {
    parents: Vec<u32>,
}

impl Groups {
    fn new(files: usize) -> Self {
        Self {
            parents: (0..u32::try_from(files).unwrap_or(u32::MAX)).collect(),
        }
    }

    fn top(&mut self, file: FileId) -> u32 {
        let mut at = file.0;
        while self.parents[at as usize] != at {
            let above = self.parents[self.parents[at as usize] as usize];
            self.parents[at as usize] = above;
            at = above;
        }
        at
    }

    fn join(&mut self, a: FileId, b: FileId) {
        let (a, b) = (self.top(a), self.top(b));
        self.parents[a.max(b) as usize] = a.min(b);
    }

    fn are_joined(&mut self, a: FileId, b: FileId) -> bool {
        self.top(a) == self.top(b)
    }
}
