//! Where a file, or a policy in it, is broken: what is missing there may be in the part that was not read.

use std::collections::BTreeMap;

use super::Project;
use crate::formats::terraform;
use crate::source::{FileId, ProblemKind, Sources, Span, parent_path};

/// The first broken place of everything that is read together: the folder of a Terraform file, any other file by itself.
#[derive(Debug, Default)]
pub struct UnreadableParts<'p> {
    places: BTreeMap<&'p str, Span>,
}

impl<'p> UnreadableParts<'p> {
    pub fn new(project: &'p Project<'_>) -> Self {
        let mut places: BTreeMap<&str, Span> = BTreeMap::new();
        for p in &project.problems {
            let is_broken = matches!(
                p.kind,
                ProblemKind::Syntax | ProblemKind::PolicyJson | ProblemKind::PolicyText | ProblemKind::Input
            );
            if is_broken {
                let first = places.entry(scope(project.sources, p.span.file)).or_insert(p.span);
                *first = (*first).min(p.span);
            }
        }
        Self { places }
    }

    /// What is broken of all that is read together with a file.
    pub fn around(&self, sources: &Sources, file: FileId) -> Option<Span> {
        self.places.get(scope(sources, file)).copied()
    }
}

fn scope(sources: &Sources, file: FileId) -> &str {
    let path = sources.path(file);
    if terraform::is_code_file(path) {
        parent_path(path)
    } else {
        path
    }
}
