//! Joins the units.

use crate::iam::Own;
use crate::model::Unit;
use crate::source::Sources;

use super::Project;

/// Joins all units of a run into one project. Deterministic for any order in which `units` were made.
pub fn link<'a>(sources: &'a Sources, own: &'a Own, units: Vec<Unit>) -> Project<'a> {
    let mut project = Project {
        sources,
        own,
        documents: Vec::new(),
        identities: Vec::new(),
        resources: Vec::new(),
        problems: Vec::new(),
        extents: Vec::new(),
    };
    for unit in units {
        project.documents.extend(unit.documents);
        project.resources.extend(unit.resources);
        project.problems.extend(unit.problems);
        project.extents.extend(unit.extents);
    }
    project
}
