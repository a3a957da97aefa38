//! Which paths are searched for, and those that are found: one for each start and gain.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet};

use super::data;
use super::edge::Edge;
use super::graph::{AccessNode, Graph, NodeId};
use super::home::{Deployment, account_in, account_of};
use super::path::{AccessPath, Gain, PathEnd};
use super::route::{Route, StartKind, StartKinds};
use super::search::{Ends, Search};
use crate::project::{Effects, Project, ResourceId};

/// With more data than this, what an identity that can give itself everything reads then is not listed.
const FEW: usize = 5;
/// More paths to data than anyone reads: the cheapest are listed.
const MAX_DATA_PATHS: usize = 2_000;
/// So many edges are followed to find paths to data, one after the other.
const MAX_DATA_EDGES: usize = 40_000_000;

/// Which paths are asked for.
#[derive(Clone, Copy, Default)]
pub struct PathQuery<'q> {
    /// Whether a path may start there; if not set, anywhere.
    pub from: Option<&'q dyn Fn(&PathEnd) -> bool>,
    pub to: PathGoal<'q>,
    /// From roles that are no one's, and from nowhere else.
    pub is_idle: bool,
}

/// Where a path may end.
#[derive(Clone, Copy, Default)]
pub enum PathGoal<'q> {
    /// Wherever something is gained.
    #[default]
    Anything,
    Gain(Gain),
    /// Ends of any kind, even those where nothing is gained but them.
    Ends(&'q dyn Fn(&PathEnd) -> bool),
}

impl PathGoal<'_> {
    fn includes(&self, gain: Gain) -> bool {
        match self {
            Self::Anything | Self::Ends(_) => true,
            Self::Gain(wanted) => *wanted == gain,
        }
    }

    fn admits(&self, graph: &Graph<'_>, end: NodeId) -> bool {
        match self {
            Self::Anything | Self::Gain(_) => true,
            Self::Ends(wanted) => graph.nodes[end] != AccessNode::Hub && wanted(&PathEnd::new(graph, end)),
        }
    }
}

/// The paths of a repository, the worst first.
pub struct Paths<'p> {
    graph: Graph<'p>,
    routes: Vec<Route>,
    /// There are more paths to data.
    pub more: bool,
}

impl<'p> Paths<'p> {
    pub fn new(project: &'p Project<'p>, effects: &'p Effects<'p>, query: &PathQuery<'_>) -> Self {
        let graph = Graph::new(project, effects);
        let (routes, more) = routes_in(&graph, query);
        Self { graph, routes, more }
    }

    pub fn iter(&self) -> impl Iterator<Item = AccessPath> {
        self.routes.iter().filter_map(|r| AccessPath::new(&self.graph, r))
    }
}

/// The shortest paths to administrators, the worst first.
pub fn find_admin_paths<'p>(project: &'p Project<'p>, effects: &'p Effects<'p>) -> Vec<AccessPath> {
    let admin = PathQuery {
        to: PathGoal::Gain(Gain::Admin),
        ..PathQuery::default()
    };
    Paths::new(project, effects, &admin).iter().collect()
}

/// The shortest path from each start to the nearest of the resources in `to`, none of which is a start.
pub fn find_paths_into<'p>(
    project: &'p Project<'p>,
    effects: &'p Effects<'p>,
    to: &BTreeSet<ResourceId>,
) -> Vec<AccessPath> {
    let graph = Graph::new(project, effects);
    let ends: Ends = to
        .iter()
        .filter_map(|r| Some((graph.names.node_of(*r)?, Vec::new())))
        .collect();
    let finder = Finder::new(&graph, &PathQuery::default());
    let routes = finder.routes_to(Gain::Identity, &ends);
    routes.iter().filter_map(|r| AccessPath::new(&graph, r)).collect()
}

/// The routes of a graph, the worst first, and whether there are more to data.
pub(super) fn routes_in(graph: &Graph<'_>, query: &PathQuery<'_>) -> (Vec<Route>, bool) {
    let finder = Finder::new(graph, query);
    let administrators = finder.search.administrators();
    let mut found = Vec::new();
    if query.to.includes(Gain::Admin) {
        let end = |(node, tail): &(&NodeId, &Vec<Edge>)| query.to.admits(graph, tail.last().map_or(**node, |e| e.to));
        // The administrator of one account is not that of another.
        let mut by_account: BTreeMap<Option<String>, Ends> = BTreeMap::new();
        for (node, tail) in administrators.iter().filter(end) {
            let ends = by_account.entry(account_of(graph, *node)).or_default();
            ends.insert(*node, tail.clone());
        }
        for ends in by_account.values() {
            found.extend(finder.routes_to(Gain::Admin, ends));
        }
    }
    if query.to.includes(Gain::IdentityAdministration) {
        found.extend(finder.to_identity_administration(&administrators));
    }
    let mut more = false;
    if query.to.includes(Gain::Data) {
        let (to_data, omitted) = finder.to_data(&administrators);
        found.extend(to_data);
        more = omitted;
    }
    if query.to.includes(Gain::Account) {
        let account = |r: &Route| account_of(graph, r.ends(graph).1);
        let admin = found.iter().filter(|r| r.gain == Gain::Admin);
        let known: HashSet<_> = admin.map(|r| (r.start, account(r))).collect();
        let others = finder.to_other_accounts().into_iter();
        found.extend(others.filter(|r| !known.contains(&(r.start, account(r)))));
    }
    if let PathGoal::Ends(_) = query.to {
        let mut known: HashSet<_> = found.iter().map(|r| r.ends(graph)).collect();
        for node in graph.nodes.ids().filter(|n| query.to.admits(graph, *n)) {
            let gain = gain_of(graph, node).unwrap_or(Gain::Identity);
            let ends = BTreeMap::from([(node, Vec::new())]);
            let routes = finder.routes_to(gain, &ends).into_iter();
            found.extend(routes.filter(|r| known.insert(r.ends(graph))));
        }
    }
    // Routes of one severity and gain stay in their order.
    found.sort_by_key(|r| (Reverse(r.severity), r.gain, r.start_kind));
    (found, more)
}

/// What one has who is at a node.
pub(super) fn gain_of(graph: &Graph<'_>, node: NodeId) -> Option<Gain> {
    match (graph.is_admin(node), data::is_data(graph, node)) {
        (true, _) => Some(Gain::Admin),
        (false, true) => Some(Gain::Data),
        (false, false) => None,
    }
}

struct Finder<'g, 'p, 'q> {
    graph: &'g Graph<'p>,
    search: Search<'g, 'p>,
    query: PathQuery<'q>,
    /// Those who may begin and are asked about: each identity that is no administrator, and those outside.
    starts: Vec<(NodeId, StartKind)>,
}

impl<'g, 'p, 'q> Finder<'g, 'p, 'q> {
    fn new(graph: &'g Graph<'p>, query: &PathQuery<'q>) -> Self {
        let begins = |id: &NodeId| match query.is_idle {
            true => graph.is_idle(*id),
            false => graph.is_start(*id),
        };
        let all = graph.nodes.ids().filter(begins);
        let asked = all.filter(|id| query.from.is_none_or(|from| from(&PathEnd::new(graph, *id))));
        let kinds = StartKinds::new(graph);
        Self {
            graph,
            search: Search::new(graph),
            query: *query,
            starts: asked.map(|id| (id, kinds.of(id))).collect(),
        }
    }

    /// The shortest route from each start to an end, in the order of the starts.
    fn routes_to(&self, gain: Gain, ends: &Ends) -> Vec<Route> {
        self.search.routes(gain, self.starts.iter().copied(), ends).collect()
    }

    /// To those who administer identities, from those that do not, and cannot become administrators either.
    fn to_identity_administration(&self, administrators: &Ends) -> Vec<Route> {
        let mut ends = self.search.identity_administrators();
        ends.retain(|n, _| !administrators.contains_key(n) && self.query.to.admits(self.graph, *n));
        if ends.is_empty() {
            return Vec::new();
        }
        let admin = self.search.towards(administrators);
        let mut routes = self.routes_to(Gain::IdentityAdministration, &ends);
        routes.retain(|r| admin.cost(r.start).is_none() && !ends.contains_key(&r.start));
        routes
    }

    /// To identities of other accounts that the start cannot become in ways that are meant for it.
    fn to_other_accounts(&self) -> Vec<Route> {
        let graph = self.graph;
        let mut by_account: BTreeMap<String, Ends> = BTreeMap::new();
        for (node, n) in graph.nodes.iter_enumerated() {
            let account = match n {
                AccessNode::Elsewhere(_, _, arn) => account_in(arn),
                AccessNode::Identity(_) if !graph.is_admin(node) => account_of(graph, node),
                _ => None,
            };
            if let Some(account) = account.filter(|_| self.query.to.admits(graph, node)) {
                by_account.entry(account).or_default().insert(node, Vec::new());
            }
        }
        let mut found = Vec::new();
        for (account, ends) in by_account {
            // Those outside come through something that is in neither.
            let is_inside = |node: NodeId| {
                let own = match &graph.nodes[node] {
                    AccessNode::Account(id) => Some(id.clone()),
                    _ => account_of(graph, node),
                };
                own.as_ref() == Some(&account)
            };
            let crosses = |r: &Route| match graph.identity(r.start) {
                Some(_) => !is_inside(r.start),
                None => !is_inside(r.start) && r.through(graph).any(|n| !is_inside(n)),
            };
            let routes = self.routes_to(Gain::Account, &ends).into_iter();
            found.extend(routes.filter(|r| crosses(r) && r.takes_over(graph)));
        }
        found
    }

    /// The routes to data that a start cannot read by itself, and whether there are more. Who can give itself everything reads
    /// the data that is deployed with it then, unless that is much.
    fn to_data(&self, administrators: &Ends) -> (Vec<Route>, bool) {
        let graph = self.graph;
        let mut data: Vec<NodeId> = graph.nodes.ids().filter(|n| data::is_data(graph, *n)).collect();
        let mut amount: HashMap<Deployment, usize> = HashMap::new();
        for node in &data {
            *amount.entry(graph.names.deployment(*node)).or_default() += 1;
        }
        data.retain(|n| self.query.to.admits(graph, *n));
        data.sort_by_key(|n| !data::is_sensitive(graph, *n));
        let mut best = Cheapest::default();
        let mut left = MAX_DATA_EDGES;
        let mut omitted = false;
        for node in data {
            let of = graph.names.deployment(node);
            let few = amount.get(&of).is_some_and(|n| *n <= FEW);
            let elevated = administrators
                .iter()
                .filter(|(at, tail)| few && !tail.is_empty() && graph.names.deployment(**at) == of);
            let reading = elevated.filter_map(|(at, tail)| Some((*at, self.with_data(tail, node)?)));
            let elevated: Ends = reading.collect();
            let plain = BTreeMap::from([(node, Vec::new())]);
            let ways = self.search.towards_within(&plain, &mut left);
            let more = self.search.towards_within(&elevated, &mut left);
            for (start, kind) in &self.starts {
                let (known, ends) = match ways.cost(*start) {
                    Some(_) => (&ways, &plain),
                    None => (&more, &elevated),
                };
                let Some(cost) = known.cost(*start) else {
                    continue;
                };
                if !best.admits(cost) {
                    omitted = true;
                    continue;
                }
                let route = self.search.way(*start, known).and_then(|(edges, end)| {
                    Route::new(graph, Gain::Data, (*start, *kind), edges, ends.get(&end)?.clone())
                });
                if let Some(route) = route.filter(|r| r.hops(graph) > 1 && !r.is_own_use(graph)) {
                    omitted |= best.push(cost, route);
                }
            }
        }
        (best.into_routes(), omitted || left == 0)
    }

    /// What an identity that gave itself everything reads then.
    fn with_data(&self, tail: &[Edge], node: NodeId) -> Option<Vec<Edge>> {
        let by = data::reads(self.graph.names.of(node)?.class?);
        let mut tail = tail.to_vec();
        tail.push(Edge::new(tail.last()?.to, node, by, Vec::new()));
        Some(tail)
    }
}

/// A route to data, by its cost and the order in which it is found.
struct DataRoute {
    cost: u64,
    order: usize,
    route: Route,
}

impl DataRoute {
    fn key(&self) -> (u64, usize) {
        (self.cost, self.order)
    }
}

impl PartialEq for DataRoute {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for DataRoute {}

impl PartialOrd for DataRoute {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DataRoute {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// The cheapest routes to data, no more than [`MAX_DATA_PATHS`].
#[derive(Default)]
struct Cheapest {
    kept: BinaryHeap<DataRoute>,
    found: usize,
}

impl Cheapest {
    /// Whether a route of that cost would be kept.
    fn admits(&self, cost: u64) -> bool {
        let worst = self.kept.peek().map_or(u64::MAX, |c| c.cost);
        self.kept.len() < MAX_DATA_PATHS || cost < worst
    }

    /// Whether another one is dropped for it.
    fn push(&mut self, cost: u64, route: Route) -> bool {
        let order = self.found;
        self.found += 1;
        self.kept.push(DataRoute { cost, order, route });
        self.kept.len() > MAX_DATA_PATHS && self.kept.pop().is_some()
    }

    /// In the order in which they were found.
    fn into_routes(self) -> Vec<Route> {
        let mut kept = self.kept.into_vec();
        kept.sort_by_key(|c| c.order);
        kept.into_iter().map(|c| c.route).collect()
    }
}
