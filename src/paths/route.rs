//! A path before it is shown: the edges that it follows, and how much it matters.

use std::collections::HashSet;

use super::edge::Edge;
use super::graph::{AccessNode, Graph, NodeId};
use super::path::Gain;
use super::search::join_hubs;
use super::trust::Who;
use super::{assume, data};
use crate::grade::{Confidence, Severity};

/// Who begins, those first that are farthest from being trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum StartKind {
    Public,
    OtherAccount,
    /// A pipeline, by its identity provider or its role.
    Pipeline,
    /// The role of a function that handles what anyone sends.
    HandlesInput,
    /// A person, or a role that others of the account use.
    Inside,
}

/// Parts of the names of the identity providers and services of pipelines.
const PIPELINES: &[&str] = &[
    "bitbucket",
    "buildkite",
    "circleci",
    "codebuild.",
    "codefresh",
    "codepipeline.",
    "github",
    "gitlab",
    "hcp terraform",
    "jenkins",
    "spacelift",
    "terraform.io",
    "vercel",
];

/// What is known of those who may begin.
pub(super) struct StartKinds<'g, 'p> {
    graph: &'g Graph<'p>,
    /// What runs something that anyone can call.
    open: HashSet<NodeId>,
}

impl<'g, 'p> StartKinds<'g, 'p> {
    pub(super) fn new(graph: &'g Graph<'p>) -> Self {
        let is_public = |node: NodeId| graph.nodes[node] == AccessNode::Public;
        let is_resource = |node: NodeId| matches!(graph.nodes[node], AccessNode::Resource(_));
        let called = graph.edges.iter().filter(|e| is_public(e.from)).map(|e| e.to);
        let mut open: HashSet<NodeId> = called.filter(|n| is_resource(*n)).collect();
        // A topic starts a queue, which starts a function, which runs as a role.
        for _ in 0..3 {
            let next = graph
                .edges
                .iter()
                .filter(|e| is_resource(e.from) && open.contains(&e.from));
            let next: Vec<NodeId> = next.map(|e| e.to).collect();
            open.extend(next);
        }
        Self { graph, open }
    }

    pub(super) fn of(&self, node: NodeId) -> StartKind {
        let is_pipeline = |name: &str| {
            let name = name.to_lowercase();
            PIPELINES.iter().any(|p| name.contains(p))
        };
        match &self.graph.nodes[node] {
            AccessNode::Public => StartKind::Public,
            AccessNode::Account(_) | AccessNode::Elsewhere(..) => StartKind::OtherAccount,
            AccessNode::Provider(name) if is_pipeline(name) => StartKind::Pipeline,
            _ if self.open.contains(&node) => StartKind::HandlesInput,
            _ => {
                let mut ways = self.graph.trust.get(&node).into_iter().flat_map(|t| &t.ways);
                let of_pipeline = ways.any(|w| match &w.who {
                    Who::Service(name) | Who::Provider(name) => is_pipeline(name),
                    _ => false,
                });
                if of_pipeline {
                    StartKind::Pipeline
                } else {
                    StartKind::Inside
                }
            }
        }
    }
}

/// A start, edges, and a gain.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) gain: Gain,
    pub(super) severity: Severity,
    pub(super) confidence: Confidence,
    pub(super) start: NodeId,
    pub(super) start_kind: StartKind,
    /// Indices into the edges of the graph.
    edges: Vec<usize>,
    /// What follows them, where someone makes itself more than it is.
    tail: Vec<Edge>,
}

impl Route {
    /// `None` if it leads nowhere.
    pub(super) fn new(
        graph: &Graph<'_>,
        gain: Gain,
        (start, start_kind): (NodeId, StartKind),
        edges: Vec<usize>,
        tail: Vec<Edge>,
    ) -> Option<Self> {
        let followed = || edges.iter().map(|i| &graph.edges[*i]).chain(&tail);
        let last = followed().last()?;
        let (unknown, conditions) = followed().fold((false, false), |(unknown, conditions), e| {
            (unknown || !e.unknown.is_empty(), conditions || !e.conditions.is_empty())
        });
        let sensitive = gain == Gain::Data && data::is_sensitive(graph, last.to);
        let mut severity = severity(gain, start_kind, sensitive);
        if unknown {
            severity = lower(severity);
        }
        let mut out = Self {
            gain,
            severity,
            confidence: Confidence::High,
            start,
            start_kind,
            edges,
            tail,
        };
        let entered = start_kind == StartKind::Public && out.hops(graph) > 1;
        out.confidence = match (unknown, conditions || entered) {
            (true, _) => Confidence::Low,
            (false, true) => Confidence::Medium,
            (false, false) => Confidence::High,
        };
        Some(out)
    }

    /// One for each hop.
    pub(super) fn edges(&self, graph: &Graph<'_>) -> Vec<Edge> {
        let mut edges = join_hubs(graph, &self.edges);
        edges.extend(self.tail.iter().cloned());
        edges
    }

    fn followed<'a>(&'a self, graph: &'a Graph<'_>) -> impl DoubleEndedIterator<Item = &'a Edge> {
        self.edges.iter().map(|i| &graph.edges[*i]).chain(&self.tail)
    }

    /// What it leads through, without its ends.
    pub(super) fn through<'a>(&'a self, graph: &'a Graph<'_>) -> impl Iterator<Item = NodeId> {
        let nodes = self.followed(graph).skip(1).map(|e| e.from);
        nodes.filter(|n| graph.nodes[*n] != AccessNode::Hub)
    }

    /// An edge to a hub is no hop of its own.
    pub(super) fn hops(&self, graph: &Graph<'_>) -> usize {
        let hubs = |e: &&Edge| graph.nodes[e.to] != AccessNode::Hub;
        self.followed(graph).filter(hubs).count()
    }

    /// The start, and where it ends.
    pub(super) fn ends(&self, graph: &Graph<'_>) -> (NodeId, NodeId) {
        let last = self.followed(graph).next_back();
        (self.start, last.map_or(self.start, |e| e.to))
    }

    /// Whether anyone who calls a function only makes it read what it is there to read.
    pub(super) fn is_own_use(&self, graph: &Graph<'_>) -> bool {
        let runs = |n: NodeId| matches!(graph.nodes[n], AccessNode::Resource(_));
        self.start_kind == StartKind::Public
            && self.through(graph).next().is_some_and(runs)
            && self.through(graph).filter(|n| !runs(*n)).count() == 1
    }

    /// Whether a hop is more than that one may assume the next role.
    pub(super) fn takes_over(&self, graph: &Graph<'_>) -> bool {
        self.followed(graph)
            .any(|e| !e.by.is_empty() && !assume::is_meant(e.by))
    }
}

fn severity(gain: Gain, start: StartKind, sensitive: bool) -> Severity {
    match (gain, start) {
        (Gain::Admin | Gain::IdentityAdministration, StartKind::Public) => Severity::Critical,
        (Gain::Admin | Gain::IdentityAdministration, _) => Severity::High,
        (Gain::Data, StartKind::Public) if sensitive => Severity::Critical,
        (Gain::Data | Gain::Account, StartKind::Public) => Severity::High,
        (Gain::Data, StartKind::Inside) if sensitive => Severity::Medium,
        (Gain::Data, _) if sensitive => Severity::High,
        (Gain::Data | Gain::Account, StartKind::Inside) => Severity::Low,
        (Gain::Data | Gain::Account, _) => Severity::Medium,
        (Gain::Identity, _) => Severity::Low,
    }
}

fn lower(severity: Severity) -> Severity {
    match severity {
        Severity::Critical => Severity::High,
        Severity::High => Severity::Medium,
        Severity::Medium | Severity::Low => Severity::Low,
    }
}
