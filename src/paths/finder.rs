//! Several questions about one graph.

use std::collections::BTreeSet;

use super::graph::{AccessNode, Graph};
use super::path::{AccessPath, Gain, PathEnd};
use super::route::StartKinds;
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
        let ends: Ends = nodes.map(|node| (node, Vec::new())).collect();
        self.paths(&Search::new(&self.graph), &ends, from)
    }

    /// The shortest path from each end that `from` accepts to a change that makes someone an administrator.
    pub fn paths_to_elevation(&self, from: &dyn Fn(&PathEnd) -> bool) -> Vec<AccessPath> {
        let search = Search::new(&self.graph);
        let mut ends = search.administrators();
        ends.retain(|_, tail| !tail.is_empty());
        self.paths(&search, &ends, from)
    }

    fn paths(&self, search: &Search<'_, 'p>, ends: &Ends, from: &dyn Fn(&PathEnd) -> bool) -> Vec<AccessPath> {
        let graph = &self.graph;
        let kinds = StartKinds::new(graph);
        let acting = graph.nodes.iter_enumerated().filter(|(_, node)| {
            let is_part = matches!(
                node,
                AccessNode::Hub | AccessNode::Contents(_) | AccessNode::Resource(_)
            );
            !is_part
        });
        let starts = acting.map(|(id, _)| id).filter(|id| from(&PathEnd::new(graph, *id)));
        let routes = search.routes(Gain::Identity, starts.map(|id| (id, kinds.of(id))), ends);
        routes.filter_map(|route| AccessPath::new(graph, &route)).collect()
    }
}
