//! What files are linked to, kept from one analysis to the next.
//!
//! After a change of one file, what was linked before may stay linked: a link that is too many only costs time. Nothing that is
//! linked now may be missing.

use std::sync::Arc;

use rayon::prelude::*;

use super::links::FileLinks;
use super::names::NameIndex;
use super::tree::FolderTree;
use super::{Groups, connect, stacks};
use crate::formats::python::SdkCopies;
use crate::iam::Ownership;
use crate::source::{FileId, Sources};

/// What files are linked to, kept for a next time: what is the same text among the same files has the same links.
#[derive(Debug, Default)]
pub struct LinkMemory {
    tree: Option<FolderTree>,
    /// By file.
    links: Vec<(Arc<str>, FileLinks)>,
    /// Which files are joined by paths and imports.
    joined: Option<Groups>,
    names: NameIndex,
}

impl LinkMemory {
    /// Takes over the texts that have changed; gives which files are joined by all but their names.
    pub(super) fn update(&mut self, sources: &Sources) -> Groups {
        let known = self.tree.take().filter(|tree| tree.is_of(sources));
        let copies = SdkCopies::new(sources);
        let links_of = |tree: &FolderTree, id: FileId| match copies.has(sources, id) {
            true => FileLinks::default(),
            false => FileLinks::of(sources, tree, id),
        };
        let tree = match known {
            Some(tree) => {
                for (id, (text, links)) in sources.ids().zip(&mut self.links) {
                    if Arc::ptr_eq(text, sources.text(id)) {
                        continue;
                    }
                    let new = links_of(&tree, id);
                    if !new.joins_as(links) {
                        self.joined = None;
                    }
                    *links = new;
                    *text = sources.text(id).clone();
                    self.names.forget(id);
                }
                tree
            }
            None => {
                let tree = FolderTree::new(sources);
                let ids: Vec<FileId> = sources.ids().collect();
                let links = ids
                    .par_iter()
                    .map(|id| (sources.text(*id).clone(), links_of(&tree, *id)));
                self.links = links.collect();
                self.joined = None;
                self.names = NameIndex::default();
                tree
            }
        };
        let links: Vec<&FileLinks> = self.links.iter().map(|(_, links)| links).collect();
        let mut groups = match self.joined.take() {
            Some(groups) => groups,
            None => {
                let mut groups = Groups::new(sources.len());
                connect(sources, &tree, &links, &mut groups);
                groups
            }
        };
        self.joined = Some(groups.clone());
        self.tree = Some(tree);
        stacks::connect(sources, &links, &mut groups);
        groups
    }

    /// Joins with the group of `start` what is linked to it by names.
    pub(super) fn connect_names(&mut self, sources: &Sources, own: &Ownership, start: FileId, groups: &mut Groups) {
        let links: Vec<&FileLinks> = self.links.iter().map(|(_, links)| links).collect();
        self.names.connect((sources, own, &links), start, groups);
    }

    /// The file limits what others may do, wherever they are.
    pub fn reaches_all(&self, file: FileId) -> bool {
        self.links
            .get(file.0 as usize)
            .is_some_and(|(_, links)| links.is_of_organization)
    }
}
