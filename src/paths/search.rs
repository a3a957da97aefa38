//! The shortest way from each start to an end.
//!
//! The search goes backward from what is gained, so that one pass finds the way of every start.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::edge::Edge;
use super::graph::{AccessNode, Graph, NodeId};
use super::path::Gain;
use super::route::{Route, StartKind};
use crate::index::IndexVec;

/// Where a search ends, and what follows there.
pub(super) type Ends = BTreeMap<NodeId, Vec<Edge>>;

pub(super) struct Search<'g, 'p> {
    pub(super) graph: &'g Graph<'p>,
    incoming: IndexVec<NodeId, Vec<usize>>,
    outgoing: IndexVec<NodeId, Vec<usize>>,
}

/// For each node that a search comes to, the cost of its way, and the edge of it at the node.
pub(super) struct Ways {
    at: IndexVec<NodeId, Option<(u64, Option<usize>)>>,
    nodes: Vec<NodeId>,
}

impl Ways {
    fn insert(&mut self, node: NodeId, way: (u64, Option<usize>)) {
        if self.at[node].replace(way).is_none() {
            self.nodes.push(node);
        }
    }

    fn get(&self, node: NodeId) -> Option<(u64, Option<usize>)> {
        self.at[node]
    }

    pub(super) fn cost(&self, node: NodeId) -> Option<u64> {
        self.at[node].map(|(cost, _)| cost)
    }

    /// In the order in which the search comes to them.
    pub(super) fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }
}

impl<'g, 'p> Search<'g, 'p> {
    pub(super) fn new(graph: &'g Graph<'p>) -> Self {
        let mut incoming: IndexVec<NodeId, Vec<usize>> = IndexVec::with_len_of(&graph.nodes, Vec::new);
        let mut outgoing: IndexVec<NodeId, Vec<usize>> = IndexVec::with_len_of(&graph.nodes, Vec::new);
        for (i, e) in graph.edges.iter().enumerate() {
            incoming[e.to].push(i);
            outgoing[e.from].push(i);
        }
        Self {
            graph,
            incoming,
            outgoing,
        }
    }

    /// What a node leads to, and the edge that each of it is reached by.
    pub(super) fn reached_from(&self, from: NodeId, left: &mut usize) -> Ways {
        self.spread([(from, 0)], &self.outgoing, |e| e.to, left)
    }

    pub(super) fn way_to(&self, to: NodeId, from: NodeId, reached: &Ways) -> Option<Vec<Edge>> {
        let mut edges = Vec::new();
        let mut node = to;
        while node != from {
            let i = reached.get(node)?.1?;
            edges.push(i);
            node = self.graph.edges[i].from;
        }
        edges.reverse();
        Some(join_hubs(self.graph, &edges))
    }

    /// Backward from the ends: the cheapest way of each node to one of them.
    pub(super) fn towards(&self, ends: &Ends) -> Ways {
        let mut left = usize::MAX;
        self.towards_within(ends, &mut left)
    }

    /// The same, as long as edges are `left` to follow.
    pub(super) fn towards_within(&self, ends: &Ends, left: &mut usize) -> Ways {
        let ends = ends.iter().map(|(node, tail)| (*node, cost(tail)));
        self.spread(ends, &self.incoming, |e| e.from, left)
    }

    /// The cheapest way between each node and one of those that it begins with, along `edges` to their `next` ends, as long as
    /// edges are `left` to follow (Dijkstra's algorithm).
    fn spread(
        &self,
        begin: impl IntoIterator<Item = (NodeId, u64)>,
        edges: &IndexVec<NodeId, Vec<usize>>,
        next: impl Fn(&Edge) -> NodeId,
        left: &mut usize,
    ) -> Ways {
        let mut ways = Ways {
            at: IndexVec::with_len_of(&self.graph.nodes, || None),
            nodes: Vec::new(),
        };
        let mut queue = BinaryHeap::new();
        for (node, cost) in begin {
            ways.insert(node, (cost, None));
            queue.push(Reverse((cost, node)));
        }
        while let Some(Reverse((cost, node))) = queue.pop() {
            if ways.cost(node).is_some_and(|known| known < cost) {
                continue;
            }
            for i in &edges[node] {
                let Some(rest) = left.checked_sub(1) else {
                    return ways;
                };
                *left = rest;
                let e = &self.graph.edges[*i];
                let (to, total) = (next(e), cost + e.cost());
                if ways.cost(to).is_none_or(|known| total < known) {
                    ways.insert(to, (total, Some(*i)));
                    queue.push(Reverse((total, to)));
                }
            }
        }
        ways
    }

    /// The cheapest route from each start to an end, in the order of the starts.
    pub(super) fn routes<'s>(
        &'s self,
        gain: Gain,
        starts: impl IntoIterator<Item = (NodeId, StartKind)> + 's,
        ends: &'s Ends,
    ) -> impl Iterator<Item = Route> + 's {
        let ways = self.towards(ends);
        starts.into_iter().filter_map(move |start| {
            let (edges, end) = self.way(start.0, &ways)?;
            Route::new(self.graph, gain, start, edges, ends.get(&end)?.clone())
        })
    }

    /// The edges from a node to an end, which is given too.
    pub(super) fn way(&self, start: NodeId, ways: &Ways) -> Option<(Vec<usize>, NodeId)> {
        let (mut node, mut edges) = (start, Vec::new());
        while let (_, Some(i)) = ways.get(node)? {
            edges.push(i);
            node = self.graph.edges[i].to;
            if edges.len() > self.graph.nodes.len() {
                return None;
            }
        }
        Some((edges, node))
    }
}

/// Edges to a hub and from it are one hop.
pub(super) fn join_hubs(graph: &Graph<'_>, indices: &[usize]) -> Vec<Edge> {
    let mut out: Vec<Edge> = Vec::new();
    for i in indices {
        let e = &graph.edges[*i];
        match out.last_mut() {
            Some(last) if graph.nodes[last.to] == AccessNode::Hub => {
                last.join(e);
                last.to = e.to;
            }
            _ => out.push(e.clone()),
        }
    }
    out
}

pub(super) fn cost(edges: &[Edge]) -> u64 {
    edges.iter().map(Edge::cost).sum()
}
