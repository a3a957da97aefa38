//! Several questions about one graph.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{AccessNode, Graph};
use super::path::{AccessPath, Gain, PathEnd};
use super::search::{Ends, Search};
use crate::project::{Effects, Project, ResourceId};

/// The graph of a project.
pub struct PathFinder<'p> {
    graph: Graph<'p>,
}

impl std::fmt::Debug for PathFinder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PathFinder").finish_non_exhaustive()
    }
}

impl<'p> PathFinder<'p> {
    pub fn new(project: &'p Project<'p>, effects: &'p Effects<'p>) -> Self {
        Self {
            graph: Graph::new(project, effects),
        }
    }

    /// The shortest path from each end that `from` accepts to the nearest of these identities, whatever may begin there.
    pub fn paths_into(&self, to: &BTreeSet<ResourceId>, from: &dyn Fn(&PathEnd) -> bool) -> Vec<AccessPath> {
        let nodes = to.iter().filter_map(|r| self.graph.names.node_of(*r));
        self.paths(from, &nodes.map(|node| (node, Vec::new())).collect())
    }

    /// The shortest path from each end that `from` accepts to a change that makes someone an administrator.
    pub fn paths_to_elevation(&self, from: &dyn Fn(&PathEnd) -> bool) -> Vec<AccessPath> {
        let ends = Search::new(&self.graph).administrators();
        let changed: Ends = ends.into_iter().filter(|(_, tail)| !tail.is_empty()).collect();
        self.paths(from, &changed)
    }

    fn paths(&self, from: &dyn Fn(&PathEnd) -> bool, ends: &Ends) -> Vec<AccessPath> {
        let search = Search::new(&self.graph);
        let acting = self.graph.nodes.iter_enumerated().filter(|(_, node)| {
            let is_part = matches!(
                node,
                AccessNode::Hub | AccessNode::Contents(_) | AccessNode::Resource(_)
            );
            !is_part
        });
        let starts: Vec<_> = acting
            .map(|(id, _)| id)
            .filter(|id| from(&PathEnd::new(&self.graph, *id)))
            .collect();
        let found = search.paths_between(Gain::Identity, starts.into_iter(), ends);
        // One path for each start.
        let by_start: BTreeMap<_, AccessPath> = found.map(|p| (p.ends().0, p)).collect();
        by_start.into_values().collect()
    }
}
