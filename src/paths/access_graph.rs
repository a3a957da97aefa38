//! The whole graph, as it is drawn: plain ends and links, and the paths through them.
//!
//! What each of several can be reached by is one end, unless there are few of them: the graph stays linear in what the
//! repository says.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::edge::Edge;
use super::found::{PathQuery, gain_of, routes_in};
use super::graph::{AccessNode, Graph, NodeId};
use super::home::account_in;
use super::path::{self, AccessPath, Gain, Need, PathEnd};
use crate::index::IndexVec;
use crate::project::{Effects, IdentityId, Project, ResourceId};
use crate::source::Span;

/// A hub with more members is an end of its own.
const MAX_EXPANDED: usize = 6;

/// Ends, links between them, and paths.
#[derive(Debug)]
pub struct AccessGraph {
    /// All identities, and what links lead from or to.
    pub ends: Vec<GraphEnd>,
    pub links: Vec<GraphLink>,
    /// The worst first, each with the links that it consists of.
    pub paths: Vec<(AccessPath, Vec<usize>)>,
    /// Paths from roles where no one begins, where they are asked for.
    pub idle: Vec<AccessPath>,
}

/// An end of links.
#[derive(Debug)]
pub struct GraphEnd {
    /// Of one that stands for several, the kind is `set`, and the name says which.
    pub end: PathEnd,
    /// The settings of a resource, apart from the resource itself.
    pub is_settings: bool,
    /// What one has who is there.
    pub gain: Option<Gain>,
    /// Someone may begin here.
    pub is_start: bool,
    /// How many it stands for, if several.
    pub members: Option<usize>,
    pub identity: Option<IdentityId>,
    pub resource: Option<ResourceId>,
    /// The number of its account, where that is known.
    pub account: Option<String>,
    /// The root module or template that it is deployed with.
    pub stack: Option<String>,
}

/// From one end to another, or, where an identity changes itself, to the same.
#[derive(Debug)]
pub struct GraphLink {
    /// Index into the ends, as is `to`.
    pub from: usize,
    pub to: usize,
    /// "assumes the role"
    pub by: &'static str,
    pub needs: Vec<Need>,
    /// Keys of conditions that must be met.
    pub conditions: Vec<String>,
    /// What is not known and may stand in the way.
    pub unknown: Vec<String>,
}

impl AccessGraph {
    /// The graph of a project, without what stands where `leaves_out` says so.
    pub fn new<'p>(project: &'p Project<'p>, effects: &'p Effects<'p>, leaves_out: &dyn Fn(Span) -> bool) -> Self {
        Self::of(&Graph::new(project, effects), leaves_out)
    }

    /// The same, with the paths of roles where no one begins.
    pub fn with_idle<'p>(project: &'p Project<'p>, effects: &'p Effects<'p>) -> Self {
        let graph = Graph::new(project, effects);
        let idle = PathQuery {
            is_idle: true,
            ..PathQuery::default()
        };
        let idle = match graph.nodes.ids().any(|id| graph.is_idle(id)) {
            true => paths_in(&graph, &idle),
            false => Vec::new(),
        };
        Self {
            idle,
            ..Self::of(&graph, &|_| false)
        }
    }

    fn of(graph: &Graph<'_>, leaves_out: &dyn Fn(Span) -> bool) -> Self {
        let mut paths = paths_in(graph, &PathQuery::default());
        paths.retain(|p| !p.spans().any(leaves_out));
        let mut out = Builder::new(graph, leaves_out);
        out.add_edges();
        let paths = paths.into_iter().map(|p| {
            let links = out.links_of(&p);
            (p, links)
        });
        let paths = paths.collect();
        out.finish(paths)
    }
}

fn paths_in(graph: &Graph<'_>, query: &PathQuery<'_>) -> Vec<AccessPath> {
    let (routes, _) = routes_in(graph, query);
    routes.iter().filter_map(|r| AccessPath::new(graph, r)).collect()
}

struct Builder<'g, 'p> {
    graph: &'g Graph<'p>,
    leaves_out: &'g dyn Fn(Span) -> bool,
    /// Edges from each hub.
    members: BTreeMap<NodeId, Vec<usize>>,
    links: Vec<(NodeId, NodeId, GraphLink)>,
    /// By ends and what happens.
    index: HashMap<(NodeId, NodeId, &'static str), usize>,
}

impl<'g, 'p> Builder<'g, 'p> {
    fn new(graph: &'g Graph<'p>, leaves_out: &'g dyn Fn(Span) -> bool) -> Self {
        let mut members: BTreeMap<NodeId, Vec<usize>> = BTreeMap::new();
        for (i, e) in graph.edges.iter().enumerate() {
            if graph.nodes[e.from] == AccessNode::Hub {
                members.entry(e.from).or_default().push(i);
            }
        }
        Self {
            graph,
            leaves_out,
            members,
            links: Vec::new(),
            index: HashMap::new(),
        }
    }

    fn add_edges(&mut self) {
        let graph = self.graph;
        let is_hub = |node: NodeId| graph.nodes[node] == AccessNode::Hub;
        let is_expanded = |members: &Vec<usize>| members.len() <= MAX_EXPANDED;
        let mut drawn_hubs = BTreeSet::new();
        for e in graph.edges.iter().filter(|e| !is_hub(e.from)) {
            if !is_hub(e.to) {
                self.add(e);
                continue;
            }
            let members = self.members.get(&e.to).filter(|m| is_expanded(m)).cloned();
            let Some(members) = members else {
                drawn_hubs.insert(e.to);
                self.add(e);
                continue;
            };
            for member in members.into_iter().map(|i| &graph.edges[i]) {
                let mut joined = e.clone();
                joined.join(member);
                joined.to = member.to;
                if joined.from != joined.to {
                    self.add(&joined);
                }
            }
        }
        for hub in drawn_hubs {
            for i in self.members.get(&hub).cloned().unwrap_or_default() {
                self.add(&Edge {
                    by: "is one of them",
                    ..graph.edges[i].clone()
                });
            }
        }
    }

    fn add(&mut self, edge: &Edge) {
        let left_out = edge.needs.iter().map(|n| n.span).any(|s| self.is_left_out(s));
        if left_out || self.is_left_out_end(edge.from) || self.is_left_out_end(edge.to) {
            return;
        }
        let to = PathEnd::new(self.graph, edge.to);
        let link = GraphLink {
            from: 0,
            to: 0,
            by: edge.by,
            needs: path::needs(edge, &to),
            conditions: edge.conditions.clone(),
            unknown: edge.unknown.clone(),
        };
        self.insert(edge.from, edge.to, link);
    }

    /// The first of several that say the same counts.
    fn insert(&mut self, from: NodeId, to: NodeId, link: GraphLink) -> usize {
        let next = self.links.len();
        let at = *self.index.entry((from, to, link.by)).or_insert(next);
        if at == next {
            self.links.push((from, to, link));
        }
        at
    }

    /// The links of a path; those that are only steps of paths are added.
    fn links_of(&mut self, path: &AccessPath) -> Vec<usize> {
        let ends = path.nodes.iter().zip(path.nodes.iter().skip(1));
        let hops = ends.zip(&path.hops);
        let links = hops.map(|((from, to), hop)| {
            let link = GraphLink {
                from: 0,
                to: 0,
                by: hop.by,
                needs: hop.needs.clone(),
                conditions: hop.conditions.clone(),
                unknown: hop.unknown.clone(),
            };
            self.insert(*from, *to, link)
        });
        links.collect()
    }

    fn is_left_out(&self, span: Span) -> bool {
        span.is_in_source() && (self.leaves_out)(span)
    }

    fn is_left_out_end(&self, node: NodeId) -> bool {
        resource_of(self.graph, node).is_some_and(|r| self.is_left_out(self.graph.project.resources[r].header))
    }

    fn finish(self, paths: Vec<(AccessPath, Vec<usize>)>) -> AccessGraph {
        let graph = self.graph;
        let mut drawn: IndexVec<NodeId, bool> = IndexVec::with_len_of(&graph.nodes, || false);
        for (from, to, _) in &self.links {
            drawn[*from] = true;
            drawn[*to] = true;
        }
        let hubs = graph.hub_texts();
        let mut at: HashMap<NodeId, usize> = HashMap::new();
        let mut ends = Vec::new();
        for node in graph.nodes.ids() {
            let is_identity = graph.identity(node).is_some() && !self.is_left_out_end(node);
            if drawn[node] || is_identity {
                at.insert(node, ends.len());
                let members = self.members.get(&node).map_or(&[][..], Vec::as_slice);
                ends.push(graph_end(graph, node, hubs.get(&node), members));
            }
        }
        let place = |node: &NodeId| at.get(node).copied().unwrap_or(0);
        let links = self.links.into_iter().map(|(from, to, link)| GraphLink {
            from: place(&from),
            to: place(&to),
            ..link
        });
        AccessGraph {
            links: links.collect(),
            ends,
            paths,
            idle: Vec::new(),
        }
    }
}

fn resource_of(graph: &Graph<'_>, node: NodeId) -> Option<ResourceId> {
    match &graph.nodes[node] {
        AccessNode::Identity(id) => Some(graph.project.identities[*id].resource),
        AccessNode::Resource(id) | AccessNode::Contents(id) => Some(*id),
        _ => None,
    }
}

fn graph_end(graph: &Graph<'_>, node: NodeId, hub: Option<&String>, members: &[usize]) -> GraphEnd {
    let project = graph.project;
    let mut end = PathEnd::new(graph, node);
    if let Some(text) = hub {
        end.kind = "set";
        end.name.clone_from(text);
    }
    let resource = resource_of(graph, node);
    let account = match &graph.nodes[node] {
        AccessNode::Account(id) => Some(id.clone()),
        AccessNode::Elsewhere(_, _, arn) => account_in(arn),
        AccessNode::Public | AccessNode::Provider(_) => None,
        _ => project.own.only_account().map(str::to_owned),
    };
    GraphEnd {
        end,
        is_settings: matches!(graph.nodes[node], AccessNode::Contents(_)),
        gain: gain_of(graph, node),
        is_start: graph.is_start(node),
        members: hub.map(|_| members.len()),
        identity: graph.identity(node),
        resource,
        account,
        stack: match hub {
            Some(_) => shared_stack(graph, members),
            None => stack_of(graph, node),
        },
    }
}

fn stack_of(graph: &Graph<'_>, node: NodeId) -> Option<String> {
    let root = graph.project.resources[resource_of(graph, node)?].address.root();
    (!root.is_empty()).then(|| root.to_owned())
}

/// The stack of all members of a hub, where it is one.
fn shared_stack(graph: &Graph<'_>, members: &[usize]) -> Option<String> {
    let mut stacks = members.iter().map(|i| stack_of(graph, graph.edges[*i].to));
    let first = stacks.next()??;
    stacks.all(|s| s.as_ref() == Some(&first)).then_some(first)
}
