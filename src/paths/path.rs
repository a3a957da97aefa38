//! A path as it is shown: a start, hops, and a gain.

use super::edge::Edge;
use super::graph::{AccessNode, Graph, NodeId};
use super::route::Route;
use super::staging::staged;
use crate::grade::{Confidence, Severity};
use crate::project::ResourceId;
use crate::source::Span;

/// What a path ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gain {
    /// Every action on every resource.
    Admin,
    /// The permissions or credentials of every user or role.
    IdentityAdministration,
    /// Data that the start cannot read by itself.
    Data,
    /// An identity of another account.
    Account,
    /// Another identity or resource, which was asked for.
    Identity,
}

impl Gain {
    pub const ALL: [Self; 5] = [
        Self::Admin,
        Self::IdentityAdministration,
        Self::Data,
        Self::Account,
        Self::Identity,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::IdentityAdministration => "identity-administration",
            Self::Data => "data",
            Self::Account => "account",
            Self::Identity => "identity",
        }
    }

    /// After "gains".
    pub fn text(self) -> &'static str {
        match self {
            Self::Admin => "administrator access",
            Self::IdentityAdministration => "administration of identities",
            Self::Data => "access to data",
            Self::Account => "access to another account",
            Self::Identity => "what was asked for",
        }
    }
}

/// One end of a hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathEnd {
    /// `role`, `user`, `function`, `bucket`, `public`, …
    pub kind: &'static str,
    /// The literal name, without unknown parts at its end; of what has none, the name in its file.
    pub name: String,
    /// As the file calls it; `None` for what is not in the repository.
    pub address: Option<String>,
    /// With `${…}` for what is not known.
    pub arn: Option<String>,
    /// What declares it.
    pub span: Option<Span>,
    pub resource: Option<ResourceId>,
}

impl PathEnd {
    pub(super) fn new(graph: &Graph<'_>, node: NodeId) -> Self {
        let outside = |kind: &'static str, name: &str| Self {
            kind,
            name: name.to_owned(),
            address: None,
            arn: None,
            span: None,
            resource: None,
        };
        let (resource, identity) = match &graph.nodes[node] {
            AccessNode::Public => return outside("public", "anyone"),
            AccessNode::Account(id) => return outside("account", id),
            AccessNode::Provider(name) => return outside("provider", name),
            AccessNode::Elsewhere(kind, name, arn) => {
                return Self {
                    arn: Some(arn.clone()),
                    ..outside(kind, name)
                };
            }
            AccessNode::Hub => return outside("", ""),
            AccessNode::Identity(id) => {
                let identity = &graph.project.identities[*id];
                (identity.resource, Some(identity.kind))
            }
            AccessNode::Resource(id) | AccessNode::Contents(id) => (*id, None),
        };
        let r = &graph.project.resources[resource];
        let node = graph.names.node_of(resource).unwrap_or(node);
        let named = graph.names.of(node);
        let class = named.and_then(|n| n.class);
        let kind = match (identity, class) {
            (Some(kind), _) => kind.name(),
            (None, Some(class)) => class.label,
            (None, None) => "resource",
        };
        let name = named.and_then(super::names::NodeName::shown);
        Self {
            kind,
            name: name.unwrap_or_else(|| r.address.name.to_string()),
            address: Some(r.address.full().into_owned()),
            arn: named.and_then(super::names::NodeName::arn),
            span: Some(r.header),
            resource: Some(resource),
        }
    }

    /// Whether it acts, rather than being acted on: an identity, or someone outside.
    pub fn acts(&self) -> bool {
        matches!(
            self.kind,
            "role" | "user" | "group" | "permission set" | "public" | "account" | "provider"
        )
    }

    /// `role/deploy`, `anyone`.
    pub fn text(&self) -> String {
        match self.kind {
            "public" => "anyone".to_owned(),
            "permission set" => format!("permission-set/{}", self.name),
            kind => format!("{kind}/{}", self.name),
        }
    }
}

/// A permission that a hop needs, or another thing that makes it possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// `None` for what is no permission: the role that a function runs as.
    pub action: Option<&'static str>,
    /// As the policy writes it, or the ARN of the other end.
    pub resource: Option<String>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    pub from: PathEnd,
    pub to: PathEnd,
    /// "assumes the role"
    pub by: &'static str,
    pub needs: Vec<Need>,
    /// Keys of conditions that must be met.
    pub conditions: Vec<String>,
    /// What is not known and may stand in the way.
    pub unknown: Vec<String>,
}

/// A start, hops, and a gain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessPath {
    pub gain: Gain,
    pub severity: Severity,
    pub confidence: Confidence,
    pub from: PathEnd,
    pub to: PathEnd,
    /// At least one; each begins where the one before it ends.
    pub hops: Vec<Hop>,
    /// The start, and the end of each hop.
    pub(super) nodes: Vec<NodeId>,
}

impl AccessPath {
    /// `anyone → function/api → role/api`.
    pub fn line(&self) -> String {
        let through: Vec<String> = self.hops.iter().map(|h| h.to.text()).collect();
        format!("{} → {}", self.from.text(), through.join(" → "))
    }

    /// Where its ends and what it needs are written.
    pub fn spans(&self) -> impl Iterator<Item = Span> {
        let ends = self.hops.iter().filter_map(|h| h.to.span).chain(self.from.span);
        let needs = self.hops.iter().flat_map(|h| &h.needs).map(|n| n.span);
        ends.chain(needs).filter(|s| s.is_in_source())
    }

    pub(super) fn new(graph: &Graph<'_>, route: &Route) -> Option<Self> {
        let edges = route.edges(graph);
        let edges: Vec<Edge> = edges.iter().flat_map(|e| staged(graph, e)).collect();
        let hops: Vec<Hop> = edges.iter().map(|e| hop(graph, e)).collect();
        let to = hops.last()?.to.clone();
        Some(Self {
            gain: route.gain,
            severity: route.severity,
            confidence: route.confidence,
            from: PathEnd::new(graph, route.start),
            to,
            hops,
            nodes: std::iter::once(route.start).chain(edges.iter().map(|e| e.to)).collect(),
        })
    }
}

/// What an edge needs, as it is shown.
pub(super) fn needs(edge: &Edge, to: &PathEnd) -> Vec<Need> {
    let shown = edge.needs.iter().map(|n| Need {
        action: (!n.action.is_empty()).then_some(n.action),
        resource: n.resource.clone().or_else(|| to.arn.clone()),
        span: n.span,
    });
    shown.collect()
}

fn hop(graph: &Graph<'_>, edge: &Edge) -> Hop {
    let to = PathEnd::new(graph, edge.to);
    Hop {
        needs: needs(edge, &to),
        from: PathEnd::new(graph, edge.from),
        by: edge.by,
        conditions: edge.conditions.clone(),
        unknown: edge.unknown.clone(),
        to,
    }
}
