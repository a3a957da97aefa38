//! The shortest path from each start to each gain.
//!
//! The search goes backward from what is gained, so that one pass finds the way of every start.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet};

use super::classes::GROUP;
use super::data;
use super::edge::Edge;
use super::graph::{AccessNode, Graph, NodeId, Write};
use super::home::Deployment;
use super::path::{AccessPath, Gain, PathEnd};
use crate::iam::ActionSet;
use crate::index::IndexVec;
use crate::project::{Effects, Project, Reach, ResourceId};

/// With more data than this, what an identity that can give itself everything reads then is not listed.
const FEW: usize = 5;
/// More paths than anyone reads: what follows is about further data only.
const MAX_PATHS: usize = 20_000;
/// So many edges are followed to find out which policies that someone writes it can also use.
const MAX_FOLLOWED: usize = 4_000_000;

/// The shortest paths to administrators, the worst first.
pub fn find_admin_paths<'p>(project: &'p Project<'p>, effects: &'p Effects<'p>) -> Vec<AccessPath> {
    let graph = Graph::new(project, effects);
    let search = Search::new(&graph);
    worst_first(search.paths_to(Gain::Admin, &search.administrators()).collect())
}

/// The shortest paths to administrators, to data, and to what is `wanted`, whatever it is: the worst first.
pub fn find_paths<'p>(
    project: &'p Project<'p>,
    effects: &'p Effects<'p>,
    wanted: &dyn Fn(&PathEnd) -> bool,
) -> Vec<AccessPath> {
    paths_in(&Graph::new(project, effects), wanted)
}

/// The paths of a graph: see [`find_paths`].
pub(super) fn paths_in(graph: &Graph<'_>, wanted: &dyn Fn(&PathEnd) -> bool) -> Vec<AccessPath> {
    let search = Search::new(graph);
    let administrators = search.administrators();
    let mut paths: Vec<AccessPath> = search.paths_to(Gain::Admin, &administrators).collect();
    search.add_data_paths(&administrators, &mut paths);
    let mut known: HashSet<_> = paths.iter().map(AccessPath::ends).collect();
    for node in graph.nodes.ids().filter(|n| graph.nodes[*n] != AccessNode::Hub) {
        if wanted(&PathEnd::new(graph, node)) {
            let gain = gain_of(graph, node).unwrap_or(Gain::Identity);
            let ends = BTreeMap::from([(node, Vec::new())]);
            paths.extend(search.paths_to(gain, &ends).filter(|p| known.insert(p.ends())));
        }
    }
    worst_first(paths)
}

/// Paths of one severity and gain stay in their order.
fn worst_first(mut paths: Vec<AccessPath>) -> Vec<AccessPath> {
    paths.sort_by_key(|p| (Reverse(p.severity), p.gain));
    paths
}

/// What one has who is at a node.
pub(super) fn gain_of(graph: &Graph<'_>, node: NodeId) -> Option<Gain> {
    match (graph.is_admin(node), data::is_data(graph, node)) {
        (true, _) => Some(Gain::Admin),
        (false, true) => Some(Gain::Data),
        (false, false) => None,
    }
}

/// The shortest path from each start to the nearest of the resources in `to`, none of which is a start.
pub fn find_paths_into<'p>(
    project: &'p Project<'p>,
    effects: &'p Effects<'p>,
    to: &BTreeSet<ResourceId>,
) -> Vec<AccessPath> {
    let graph = Graph::new(project, effects);
    let search = Search::new(&graph);
    let ends: Ends = to
        .iter()
        .filter_map(|r| Some((graph.names.node_of(*r)?, Vec::new())))
        .collect();
    search.paths_to(Gain::Identity, &ends).collect()
}

/// Where a search ends, and what follows there.
pub(super) type Ends = BTreeMap<NodeId, Vec<Edge>>;

/// For each node, the cost of its way, and the edge of it at the node.
type Ways = HashMap<NodeId, (u64, Option<usize>)>;

pub(super) struct Search<'g, 'p> {
    graph: &'g Graph<'p>,
    incoming: IndexVec<NodeId, Vec<usize>>,
    outgoing: IndexVec<NodeId, Vec<usize>>,
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

    /// Who may begin: each identity that is no administrator, and those outside.
    fn starts(&self) -> impl Iterator<Item = NodeId> {
        self.graph.nodes.ids().filter(|id| self.graph.is_start(*id))
    }

    /// The shortest path from each start to an end, in the order of the starts.
    fn paths_to(&self, gain: Gain, ends: &Ends) -> impl Iterator<Item = AccessPath> {
        self.paths_between(gain, self.starts(), ends)
    }

    /// The shortest path from each of the nodes to an end, in their order.
    pub(super) fn paths_between(
        &self,
        gain: Gain,
        from: impl Iterator<Item = NodeId>,
        ends: &Ends,
    ) -> impl Iterator<Item = AccessPath> {
        let ways = self.towards(ends);
        from.filter_map(move |s| AccessPath::new(self.graph, gain, s, &self.path(s, &ways, ends)?))
    }

    /// Adds the paths to data that a start cannot read by itself. Who can give itself everything reads the data that is
    /// deployed with it then, unless that is much.
    fn add_data_paths(&self, administrators: &Ends, paths: &mut Vec<AccessPath>) {
        let graph = self.graph;
        let data: Vec<NodeId> = graph.nodes.ids().filter(|n| data::is_data(graph, *n)).collect();
        let mut amount: HashMap<Deployment, usize> = HashMap::new();
        for node in &data {
            *amount.entry(graph.names.deployment(*node)).or_default() += 1;
        }
        for node in data {
            if paths.len() > MAX_PATHS {
                break;
            }
            let of = graph.names.deployment(node);
            let few = amount.get(&of).is_some_and(|n| *n <= FEW);
            let elevated = administrators
                .iter()
                .filter(|(at, tail)| few && !tail.is_empty() && graph.names.deployment(**at) == of);
            let reading = elevated.filter_map(|(at, tail)| Some((*at, self.with_data(tail, node)?)));
            let elevated: Ends = reading.collect();
            let plain = BTreeMap::from([(node, Vec::new())]);
            let (ways, more) = (self.towards(&plain), self.towards(&elevated));
            let reached: BTreeSet<NodeId> = ways.keys().chain(more.keys()).copied().collect();
            for start in reached.into_iter().filter(|n| graph.is_start(*n)) {
                let path = self.path(start, &ways, &plain);
                let Some(edges) = path.or_else(|| self.path(start, &more, &elevated)) else {
                    continue;
                };
                if edges.len() > 1 && !is_own_use(&edges, graph) {
                    paths.extend(AccessPath::new(graph, Gain::Data, start, &edges));
                }
            }
        }
    }

    /// Administrators, and those that can make themselves one.
    pub(super) fn administrators(&self) -> Ends {
        let nodes = self.graph.nodes.ids();
        let mut ends: Ends = nodes
            .filter(|n| self.graph.is_admin(*n))
            .map(|n| (n, Vec::new()))
            .collect();
        let mut left = MAX_FOLLOWED;
        let mut by_writer: BTreeMap<NodeId, Vec<&Write>> = BTreeMap::new();
        for w in &self.graph.writes {
            by_writer.entry(w.edge.from).or_default().push(w);
        }
        for (writer, writes) in by_writer {
            for (at, tail) in self.elevations(writer, &writes, &mut left) {
                let better = ends
                    .get(&at)
                    .is_none_or(|known| !known.is_empty() && cost(&tail) < cost(known));
                if better {
                    ends.insert(at, tail);
                }
            }
        }
        ends
    }

    /// How a writer of policies, or one who gets what it writes, becomes an administrator.
    fn elevations(&self, writer: NodeId, writes: &[&Write], left: &mut usize) -> Vec<(NodeId, Vec<Edge>)> {
        let mut found = Vec::new();
        let own =
            |w: &Write| w.of == Some(writer) || w.of.is_some_and(|of| w.class == GROUP && self.is_member(writer, of));
        if let Some(w) = writes
            .iter()
            .filter(|w| own(w) && self.gets_all(writer))
            .min_by_key(|w| w.policy.is_some())
        {
            found.push((writer, self.written(w, Vec::new())));
            return found;
        }
        let reached = self.reached_from(writer, left);
        let mut nearest: Option<(u64, Vec<Edge>)> = None;
        for w in writes {
            let candidates: Vec<NodeId> = match w.of {
                Some(of) => vec![of],
                None => {
                    let of_class = |n: &&NodeId| self.graph.names.of(**n).and_then(|n| n.class) == Some(w.class);
                    let mut all: Vec<NodeId> = reached.keys().filter(of_class).copied().collect();
                    all.sort_by_key(|n| (reached[n].0, *n));
                    all.truncate(8);
                    all
                }
            };
            for of in candidates.into_iter().filter(|n| self.gets_all(*n)) {
                if of != writer
                    && let Some(way) = self.way_to(of, writer, &reached)
                {
                    let tail = self.written(w, way);
                    if nearest.as_ref().is_none_or(|(c, _)| cost(&tail) < *c) {
                        nearest = Some((cost(&tail), tail));
                    }
                } else if of != writer && w.of.is_some() {
                    // The other way round: who gets what is written can become the writer.
                    let from = self.reached_from(of, left);
                    if let Some(mut way) = self.way_to(writer, of, &from) {
                        way.extend(self.written(w, Vec::new()));
                        found.push((of, way));
                    }
                }
            }
        }
        found.extend(nearest.map(|(_, tail)| (writer, tail)));
        found
    }

    /// The edges of a write, where `way` leads from the writer to who gets what is written.
    fn written(&self, w: &Write, mut way: Vec<Edge>) -> Vec<Edge> {
        let of = w.of.unwrap_or(w.edge.from);
        let attached = |from: NodeId| Edge::new(from, of, "is attached to it", Vec::new());
        match (way.pop(), w.policy) {
            (None, None) => vec![Edge {
                to: of,
                ..w.edge.clone()
            }],
            (None, Some(policy)) => vec![w.edge.clone(), attached(policy)],
            (Some(last), None) => {
                let mut joined = Edge {
                    from: last.from,
                    to: last.to,
                    ..w.edge.clone()
                };
                joined.join(&last);
                way.push(joined);
                way
            }
            (Some(last), Some(policy)) => {
                way.push(Edge {
                    from: last.from,
                    to: policy,
                    ..w.edge.clone()
                });
                way.push(Edge { from: policy, ..last });
                way
            }
        }
    }

    /// What an identity that gave itself everything reads then.
    fn with_data(&self, tail: &[Edge], node: NodeId) -> Option<Vec<Edge>> {
        let by = data::reads(self.graph.names.of(node)?.class?);
        let mut tail = tail.to_vec();
        tail.push(Edge::new(tail.last()?.to, node, by, Vec::new()));
        Some(tail)
    }

    fn is_member(&self, user: NodeId, group: NodeId) -> bool {
        let (Some(user), Some(group)) = (self.graph.identity(user), self.graph.identity(group)) else {
            return false;
        };
        let groups = &self.graph.project.identities[user].groups;
        groups.iter().any(|m| m.group == Some(group))
    }

    /// Whether an identity may do everything as soon as a policy of it says so.
    fn gets_all(&self, node: NodeId) -> bool {
        let Some(id) = self.graph.identity(node) else {
            return false;
        };
        let effective = self.graph.effects.of(id);
        let within = effective
            .boundary
            .as_ref()
            .is_none_or(crate::project::Boundary::allows_everything);
        let mut most = ActionSet::all();
        most.subtract(&effective.withheld());
        within && Reach::new(&most) == Some(Reach::Everything)
    }

    /// What a node leads to, and the edge that each of it is reached by.
    fn reached_from(&self, from: NodeId, left: &mut usize) -> Ways {
        self.spread([(from, 0)], &self.outgoing, |e| e.to, left)
    }

    fn way_to(&self, to: NodeId, from: NodeId, reached: &Ways) -> Option<Vec<Edge>> {
        let mut edges = Vec::new();
        let mut node = to;
        while node != from {
            let i = reached.get(&node)?.1?;
            edges.push(i);
            node = self.graph.edges[i].from;
        }
        edges.reverse();
        Some(self.without_hubs(&edges))
    }

    /// Backward from the ends: the cheapest way of each node to one of them.
    fn towards(&self, ends: &Ends) -> Ways {
        let ends = ends.iter().map(|(node, tail)| (*node, cost(tail)));
        let mut left = usize::MAX;
        self.spread(ends, &self.incoming, |e| e.from, &mut left)
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
        let mut ways = Ways::new();
        let mut queue = BinaryHeap::new();
        for (node, cost) in begin {
            ways.insert(node, (cost, None));
            queue.push(Reverse((cost, node)));
        }
        while let Some(Reverse((cost, node))) = queue.pop() {
            if ways.get(&node).is_some_and(|(known, _)| *known < cost) {
                continue;
            }
            for i in &edges[node] {
                let Some(rest) = left.checked_sub(1) else {
                    return ways;
                };
                *left = rest;
                let e = &self.graph.edges[*i];
                let (to, total) = (next(e), cost + e.cost());
                if ways.get(&to).is_none_or(|(known, _)| total < *known) {
                    ways.insert(to, (total, Some(*i)));
                    queue.push(Reverse((total, to)));
                }
            }
        }
        ways
    }

    fn path(&self, start: NodeId, ways: &Ways, ends: &Ends) -> Option<Vec<Edge>> {
        let (mut node, mut indices) = (start, Vec::new());
        while let (_, Some(i)) = ways.get(&node)? {
            indices.push(*i);
            node = self.graph.edges[*i].to;
            if indices.len() > self.graph.nodes.len() {
                return None;
            }
        }
        let mut edges = self.without_hubs(&indices);
        edges.extend(ends.get(&node)?.iter().cloned());
        (!edges.is_empty()).then_some(edges)
    }

    /// Edges to a hub and from it are one hop.
    fn without_hubs(&self, indices: &[usize]) -> Vec<Edge> {
        let mut out: Vec<Edge> = Vec::new();
        for i in indices {
            let e = &self.graph.edges[*i];
            match out.last_mut() {
                Some(last) if self.graph.nodes[last.to] == AccessNode::Hub => {
                    last.join(e);
                    last.to = e.to;
                }
                _ => out.push(e.clone()),
            }
        }
        out
    }
}

/// Whether anyone who calls a function only makes it read what it is there to read.
fn is_own_use(edges: &[Edge], graph: &Graph<'_>) -> bool {
    matches!(edges, [entry, runs, _] if graph.nodes[entry.from] == AccessNode::Public
        && matches!(graph.nodes[runs.from], AccessNode::Resource(_)))
}

fn cost(edges: &[Edge]) -> u64 {
    edges.iter().map(Edge::cost).sum()
}
