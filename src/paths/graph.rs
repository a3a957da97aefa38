//! Nodes and edges, and how they are added.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::asking::{Asking, asks_for_tags};
use super::classes::{self, Class};
use super::edge::{Edge, NeedAt};
use super::grants::{self, Granted};
use super::home::Deployment;
use super::methods::runs_code;
use super::names::{ActionTargets, NodeNames};
use super::trust::{TrustOf, Way, Who};
use super::{assume, credentials, data, entries, launching, limits, pass_role, running, sources, tags, triggers};
use crate::iam::{Action, Statement, Truth, catalogue};
use crate::index::{IndexVec, define_id};
use crate::project::{DocumentId, Effective, Effects, IdentityId, IdentityKind, PolicyRef, Project, Reach, ResourceId};
use crate::value::Value;

define_id! {
    /// Index into the nodes of a graph.
    NodeId;
}

/// No repository has more that lead somewhere: what all of a kind can be reached by is one node.
const MAX_EDGES: usize = 2_000_000;

/// A place that access leads from or to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum AccessNode {
    Identity(IdentityId),
    Resource(ResourceId),
    /// Anyone on the internet.
    Public,
    /// Another account: its number.
    Account(String),
    /// An identity provider.
    Provider(String),
    /// A role or user that the repository only names: its kind, name, and ARN.
    Elsewhere(&'static str, String, String),
    /// What the settings of a resource hold, apart from the resource itself.
    Contents(ResourceId),
    /// Each of several nodes; no end of a hop.
    Hub,
}

/// What a hub leads to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Hub {
    All(Class, Deployment),
    /// The roles that a service may assume.
    Trusting(String, Deployment),
    /// The roles that trust the account.
    Delegating(Deployment),
}

/// A right to write policies that an identity has: the identity, who gets what is written, and the managed policy that is
/// rewritten.
#[derive(Clone, Debug)]
pub(super) struct Write {
    /// `None` stands for each of the class.
    pub(super) of: Option<NodeId>,
    pub(super) class: Class,
    pub(super) policy: Option<NodeId>,
    /// It takes away what alone keeps `of` from being an administrator.
    pub(super) lifts: bool,
    /// From the writer.
    pub(super) edge: Edge,
}

pub(super) struct Graph<'p> {
    pub(super) project: &'p Project<'p>,
    pub(super) effects: &'p Effects<'p>,
    pub(super) nodes: IndexVec<NodeId, AccessNode>,
    pub(super) names: NodeNames<'p>,
    pub(super) trust: HashMap<NodeId, TrustOf<'p>>,
    pub(super) edges: Vec<Edge>,
    pub(super) writes: Vec<Write>,
    /// Deny statements of the policies of resources.
    pub(super) guarded: HashMap<NodeId, Vec<&'p Statement>>,
    /// Functions that others may use, and for which action.
    pub(super) shared: HashSet<(NodeId, String)>,
    /// The customer's KMS keys that data is encrypted with.
    pub(super) keys: HashMap<NodeId, ResourceId>,
    /// The roles with an instance profile.
    profiled: BTreeSet<NodeId>,
    /// By the name of the instance profile.
    profiles: HashMap<String, IdentityId>,
    /// The services that roles of the repository trust.
    pub(super) services: BTreeSet<String>,
    identities: HashMap<IdentityId, NodeId>,
    hubs: HashMap<Hub, NodeId>,
    outside: HashMap<AccessNode, NodeId>,
}

impl<'p> Graph<'p> {
    pub(super) fn new(project: &'p Project<'p>, effects: &'p Effects<'p>) -> Self {
        let mut nodes = IndexVec::new();
        let mut identities = HashMap::new();
        for id in project.identities.ids() {
            identities.insert(id, nodes.push(AccessNode::Identity(id)));
        }
        for (id, r) in project.resources.iter_enumerated() {
            if classes::class_of(&r.kind).is_some() && project.identity_of(id).is_none() {
                nodes.push(AccessNode::Resource(id));
            }
        }
        let names = NodeNames::new(project, &nodes);
        let mut out = Self {
            project,
            effects,
            nodes,
            names,
            trust: HashMap::new(),
            edges: Vec::new(),
            writes: Vec::new(),
            guarded: HashMap::new(),
            shared: HashSet::new(),
            keys: HashMap::new(),
            profiled: BTreeSet::new(),
            profiles: HashMap::new(),
            services: BTreeSet::new(),
            identities,
            hubs: HashMap::new(),
            outside: HashMap::new(),
        };
        for (id, identity) in project.identities.iter_enumerated() {
            if identity.kind == IdentityKind::Role {
                let trust = TrustOf::new(project, &out.names, identity);
                out.trust.insert(out.identities[&id], trust);
            }
        }
        let ways = out.trust.values().flat_map(|t| &t.ways);
        let services = ways.filter_map(|w| match &w.who {
            Who::Service(name) => Some(name.clone()),
            _ => None,
        });
        out.services = services.collect();
        let profiles = project
            .resources
            .iter()
            .filter(|r| &*r.kind == "AWS::IAM::InstanceProfile");
        let named = profiles.clone().filter_map(|r| {
            let role = r.get("Roles")?.items().iter().find_map(|v| project.role(v))?;
            Some((r.get("InstanceProfileName")?.as_str()?.into_owned(), role))
        });
        out.profiles = named.collect();
        let roles = profiles.filter_map(|r| r.get("Roles")).flat_map(Value::items);
        let profiled = roles.filter_map(|v| project.role(v)).map(|id| out.identities[&id]);
        out.profiled = profiled.collect();
        assume::add_outside(&mut out);
        entries::add(&mut out);
        triggers::add(&mut out);
        running::add_runs(&mut out);
        sources::add_runs(&mut out);
        data::add_contents(&mut out);
        data::add_resource_policies(&mut out);
        let (limited, scripts) = (limits::limited(&out), sources::scripts(&out));
        for id in project.identities.ids() {
            let actor = Actor::new(&out, id);
            if out.is_admin(actor.node) {
                continue;
            }
            assume::add(&mut out, &actor);
            credentials::add(&mut out, &actor);
            limits::add(&mut out, &actor, &limited);
            pass_role::add(&mut out, &actor);
            running::add(&mut out, &actor);
            launching::add(&mut out, &actor);
            sources::add(&mut out, &actor, &scripts);
            data::add(&mut out, &actor);
        }
        out
    }

    pub(super) fn node_of_identity(&self, id: IdentityId) -> NodeId {
        self.identities[&id]
    }

    pub(super) fn identity(&self, node: NodeId) -> Option<IdentityId> {
        match self.nodes[node] {
            AccessNode::Identity(id) => Some(id),
            _ => None,
        }
    }

    /// Whether a node is an identity that may do everything.
    pub(super) fn is_admin(&self, node: NodeId) -> bool {
        let power = self.identity(node).and_then(|id| self.effects.power(id));
        let asking = Asking::new(&self.names, node);
        power.is_some_and(|p| p.reach == Reach::Everything && asking.meets_all(p.grant.statement).may_be())
    }

    /// Whether someone may begin here. A role that only services of AWS assume, none of which runs code of the customer's, is
    /// no one's.
    pub(super) fn is_start(&self, node: NodeId) -> bool {
        let of_service = |w: &Way| match &w.who {
            Who::Service(name) => !runs_code(name),
            _ => false,
        };
        match &self.nodes[node] {
            AccessNode::Identity(_) => {
                let trust = self.trust.get(&node).map_or(&[][..], |t| &t.ways);
                !self.is_admin(node) && (trust.is_empty() || !trust.iter().all(of_service))
            }
            AccessNode::Public | AccessNode::Account(_) | AccessNode::Provider(_) | AccessNode::Elsewhere(..) => true,
            AccessNode::Resource(_) | AccessNode::Contents(_) | AccessNode::Hub => false,
        }
    }

    /// Whether a role is no one's, of which more is not asked if it is an administrator.
    pub(super) fn is_idle(&self, node: NodeId) -> bool {
        self.identity(node).is_some() && !self.is_admin(node) && !self.is_start(node)
    }

    pub(super) fn push(&mut self, edge: Edge) {
        if self.edges.len() < MAX_EDGES && edge.from != edge.to {
            self.edges.push(edge);
        }
    }

    /// Someone outside the repository.
    pub(super) fn outside(&mut self, node: AccessNode) -> NodeId {
        let next = self.nodes.next_id();
        let id = *self.outside.entry(node.clone()).or_insert(next);
        if id == next {
            self.nodes.push(node);
        }
        id
    }

    /// Resources with settings that hold credentials, and the nodes of these settings.
    pub(super) fn contents(&self) -> impl Iterator<Item = (NodeId, NodeId)> {
        let nodes = self.nodes.iter_enumerated();
        nodes.filter_map(|(id, node)| match node {
            AccessNode::Contents(of) => Some((self.names.node_of(*of)?, id)),
            _ => None,
        })
    }

    /// The node that leads to each of what `hub` says.
    pub(super) fn hub(&mut self, hub: &Hub) -> NodeId {
        if let Some(id) = self.hubs.get(hub) {
            return *id;
        }
        let id = self.nodes.push(AccessNode::Hub);
        self.hubs.insert(hub.clone(), id);
        let to = |node: NodeId| Edge::new(id, node, "", Vec::new());
        let by_trust = |node: NodeId, way: &Way| Edge {
            needs: vec![trusted(way.span)],
            conditions: way.conditions.clone(),
            ..to(node)
        };
        let edges: Vec<Edge> = match hub {
            Hub::All(class, of) => {
                let all = self.names.all(*class, *of).iter().copied();
                let open = all.filter(|n| !self.guarded.contains_key(n));
                open.map(to).collect()
            }
            Hub::Trusting(service, of) => {
                let roles = self.names.all(classes::ROLE, *of).iter().copied();
                let trusting = roles.filter_map(|n| Some(by_trust(n, self.trust.get(&n)?.trusts_service(service)?)));
                trusting.collect()
            }
            Hub::Delegating(of) => {
                let own = self.names.all(classes::ROLE, *of).iter().copied();
                let others = self.names.in_other_accounts(classes::ROLE, *of);
                let roles = own.chain(others.filter(|n| self.delegation(*n).is_some_and(|(_, way)| way.is_given)));
                let trusting = roles.filter_map(|n| {
                    let (_, way) = self.delegation(n).filter(|_| !self.is_particular(n))?;
                    Some(by_trust(n, way))
                });
                trusting.collect()
            }
        };
        edges.into_iter().for_each(|e| self.push(e));
        id
    }

    pub(super) fn hubs_of(&self, wanted: impl Fn(&Hub) -> bool) -> Vec<NodeId> {
        let hubs = self.hubs.iter().filter(|(hub, _)| wanted(hub));
        hubs.map(|(_, id)| *id).collect()
    }

    /// What each hub stands for, in words.
    pub(super) fn hub_texts(&self) -> BTreeMap<NodeId, String> {
        let text = |hub: &Hub| match hub {
            Hub::All(class, _) => format!("every {}", class.label),
            Hub::Trusting(service, _) => format!("every role that {service} may assume"),
            Hub::Delegating(_) => "every role that trusts its account".to_owned(),
        };
        self.hubs.iter().map(|(hub, id)| (*id, text(hub))).collect()
    }

    /// Whether a permission of a function gives an action to an account.
    fn is_shared(&self, action: Action, node: NodeId) -> bool {
        let names = [action.name(), "lambda:*", "*"];
        names
            .iter()
            .any(|name| self.shared.contains(&(node, (*name).to_owned())))
    }

    pub(super) fn profiled_roles(&self) -> impl Iterator<Item = NodeId> {
        self.profiled.iter().copied()
    }

    /// The role of the instance profile that a value refers to or names.
    pub(super) fn role_of_profile(&self, value: &Value) -> Option<IdentityId> {
        let named = || self.profiles.get(&launching::profile_name(value)?).copied();
        self.project
            .instance_profile(value)
            .map(|(_, role)| role)
            .or_else(named)
    }

    /// Whether an instance profile of the repository has a role.
    pub(super) fn has_instance_profile(&self, role: NodeId) -> bool {
        self.profiled.contains(&role)
    }

    /// The principal by which a role leaves it to the policies of the account who assumes it.
    pub(super) fn delegation(&self, role: NodeId) -> Option<(usize, &Way)> {
        let ways = self.trust.get(&role)?.ways.iter().enumerate();
        ways.into_iter()
            .find(|(_, w)| matches!(w.who, Who::Account | Who::Everyone))
    }

    /// Whether the trust policy of a role asks who the caller is.
    pub(super) fn is_particular(&self, role: NodeId) -> bool {
        self.trust.get(&role).is_some_and(TrustOf::asks_who)
    }
}

/// The trust policy's part of what a hop needs.
pub(super) fn trusted(span: crate::source::Span) -> NeedAt {
    NeedAt::on_end("sts:AssumeRole", span)
}

/// An identity that acts.
#[derive(Clone)]
pub(super) struct Actor<'p> {
    pub(super) id: IdentityId,
    pub(super) node: NodeId,
    pub(super) kind: IdentityKind,
    pub(super) effective: &'p Effective<'p>,
    pub(super) deployment: Deployment,
    /// The services that get the role that it passes.
    pub(super) passed_to: Option<&'static [&'static str]>,
    /// Its boundary cannot be seen.
    pub(super) unknown: Vec<String>,
}

impl<'p> Actor<'p> {
    pub(super) fn new(graph: &Graph<'p>, id: IdentityId) -> Self {
        let effective = graph.effects.of(id);
        let hidden = effective.boundary.as_ref().is_some_and(|b| !b.complete);
        Self {
            id,
            node: graph.node_of_identity(id),
            deployment: graph.names.deployment(graph.node_of_identity(id)),
            kind: graph.project.identities[id].kind,
            effective,
            passed_to: None,
            unknown: match hidden {
                true => vec!["the permissions boundary is not in the repository".to_owned()],
                false => Vec::new(),
            },
        }
    }

    pub(super) fn granted<'g>(&'g self, graph: &Graph<'p>, action: &str, class: Class) -> Vec<Granted<'g, 'p>> {
        match catalogue().action(action) {
            Some(action) => grants::granted(self.effective, &self.asking(graph), action, class, self.deployment),
            None => Vec::new(),
        }
    }

    /// The edge that a grant makes; where it leads, the caller says.
    pub(super) fn edge(&self, graph: &Graph<'p>, g: &Granted<'_, 'p>, node: Option<NodeId>, by: &'static str) -> Edge {
        Edge {
            from: self.node,
            to: node.unwrap_or(self.node),
            by,
            needs: vec![g.need(&graph.names, node)],
            conditions: g.conditions(),
            unknown: self.unknown.clone(),
        }
    }

    /// Whether a grant is on a node that is deployed with the actor, or that it names.
    pub(super) fn is_granted_on(&self, graph: &Graph<'p>, g: &Granted<'_, 'p>, node: NodeId) -> bool {
        match &g.targets {
            ActionTargets::All => graph.names.deployment(node) == self.deployment,
            targets => targets.name(node),
        }
    }

    /// Who asks, where it asks for nothing that depends on more.
    pub(super) fn asking<'a>(&self, graph: &'a Graph<'p>) -> Asking<'a, 'p> {
        Asking {
            passed_to: self.passed_to,
            ..Asking::new(&graph.names, self.node)
        }
    }

    /// Whether the identity is kept from doing something to a node that a policy allows.
    pub(super) fn is_kept_from(&self, graph: &Graph<'p>, action: Action, node: NodeId) -> bool {
        // Policies of an identity alone allow nothing in another account; trust policies are asked for with the hop.
        let is_shared = || action.name() == "sts:AssumeRole" || graph.is_shared(action, node);
        self.is_in_other_account(graph, node) && !is_shared()
            || grants::is_denied(self.effective, &self.asking(graph), action, node)
            || !self.is_within_boundary(graph, action, node).may_be()
    }

    pub(super) fn is_in_other_account(&self, graph: &Graph<'p>, node: NodeId) -> bool {
        self.deployment.is_of_other_account(graph.names.deployment(node))
    }

    /// Whether nothing keeps the identity from what the policy of a resource allows it by name. What a boundary does not allow
    /// is denied to a role that is named so, and not to a user; what a boundary denies is denied to both.
    /// IAM User Guide, "Permissions boundaries for IAM entities", "Evaluating effective permissions with boundaries".
    pub(super) fn may_as_named(&self, graph: &Graph<'p>, action: Action, node: NodeId) -> bool {
        if grants::is_denied(self.effective, &self.asking(graph), action, node) {
            return false;
        }
        // In another account, its own policies must allow it too.
        let class = graph.names.of(node).and_then(|n| n.class);
        if self.is_in_other_account(graph, node)
            && let Some(class) = class
        {
            let allows = |g: &Granted<'_, '_>| matches!(g.targets, ActionTargets::All) || g.targets.name(node);
            if !self.granted(graph, action.name(), class).iter().any(allows) {
                return false;
            }
        }
        match self.kind {
            IdentityKind::User => !self.boundary_denies(graph, action, node),
            _ => self.is_within_boundary(graph, action, node).may_be(),
        }
    }

    /// Whether every node has to be asked for.
    pub(super) fn is_limited(&self, action: Action) -> bool {
        grants::has_limits(self.effective, action)
            || self
                .effective
                .boundary
                .as_ref()
                .is_some_and(|b| !b.everywhere.contains(action.id()))
    }

    fn boundary_documents(&self, graph: &Graph<'p>) -> &'p [DocumentId] {
        let used = graph.project.identities[self.id].boundary.as_ref();
        match used.map(|u| &u.policy) {
            Some(PolicyRef::Documents(ids)) => ids,
            _ => &[],
        }
    }

    /// Whether the boundary allows an action on a node; no boundary allows everything.
    fn is_within_boundary(&self, graph: &Graph<'p>, action: Action, node: NodeId) -> Truth {
        let Some(boundary) = &self.effective.boundary else {
            return Truth::Yes;
        };
        let documents = self.boundary_documents(graph);
        let class = graph.names.of(node).and_then(|n| n.class);
        if documents.is_empty() || class.is_none() {
            return boundary.allows(action);
        }
        if self.boundary_denies(graph, action, node) {
            return Truth::No;
        }
        let allows = |d: &DocumentId| {
            let statements = &graph.project.documents[*d].statements;
            let allowed = &graph.project.granted(*d).allowed;
            let mut naming = allowed.iter().filter(|a| a.actions.contains(action.id()));
            naming.any(|a| graph.names.is_on(&statements[a.statement], node))
        };
        documents.iter().any(allows).into()
    }

    fn boundary_denies(&self, graph: &Graph<'p>, action: Action, node: NodeId) -> bool {
        let asking = self.asking(graph);
        self.boundary_documents(graph).iter().any(|d| {
            let permissions = graph.project.granted(*d);
            let statements = &graph.project.documents[*d].statements;
            let everywhere = permissions.denied.as_ref().is_some_and(|all| all.contains(action.id()));
            let mut limits = permissions.limits.iter().filter(|l| l.actions.contains(action.id()));
            everywhere || limits.any(|l| grants::covers(&asking, &statements[l.statement], node))
        })
    }
}

/// Makes the edge for a grant, to a node or to all of a kind.
pub(super) type MakeEdge<'e, 'p> = dyn Fn(&Graph<'p>, &Granted<'_, 'p>, Option<NodeId>) -> Option<Edge> + 'e;

impl<'p> Graph<'p> {
    /// Adds edges for all that an actor is granted of an action on things of a class, with what `edge` makes for each of them.
    pub(super) fn add_targets(
        &mut self,
        actor: &Actor<'p>,
        granted: &[Granted<'_, 'p>],
        hub: &Hub,
        class: Class,
        edge: &MakeEdge<'_, 'p>,
    ) {
        let mut done: HashSet<NodeId> = HashSet::new();
        for g in granted {
            let nodes = match &g.targets {
                ActionTargets::All if !actor.is_limited(g.action) && !asks_for_tags(g.grant.statement) => {
                    let whole = edge(self, g, None);
                    let is_whole = whole.is_some();
                    if let Some(mut e) = whole {
                        e.to = self.hub(hub);
                        self.push(e);
                    }
                    // Those that a hub leaves out.
                    match hub {
                        _ if !is_whole => self.names.all(class, actor.deployment).to_vec(),
                        Hub::Delegating(of) => {
                            let roles = self.names.all(classes::ROLE, *of).iter().copied();
                            roles.filter(|r| self.is_particular(*r)).collect()
                        }
                        Hub::All(class, of) => {
                            let all = self.names.all(*class, *of).iter().copied();
                            all.filter(|n| self.guarded.contains_key(n)).collect()
                        }
                        Hub::Trusting(..) => Vec::new(),
                    }
                }
                ActionTargets::All => self.names.all(class, actor.deployment).to_vec(),
                ActionTargets::Caller => vec![actor.node],
                ActionTargets::These(nodes) => nodes.to_vec(),
            };
            for node in nodes {
                if node == actor.node || done.contains(&node) || actor.is_kept_from(self, g.action, node) {
                    continue;
                }
                let Some(tagged) = tags::tagged(self, actor, g, node, class) else {
                    continue;
                };
                if let Some(mut e) = edge(self, g, Some(node)) {
                    e.to = node;
                    e.needs.extend(tagged.needs);
                    e.conditions.retain(|key| !tagged.met.contains(key));
                    done.insert(node);
                    self.push(e);
                }
            }
        }
    }
}
