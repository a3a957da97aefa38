//! Identities that can make themselves administrators: they write a policy of their own, or of one that they can become.

use std::collections::BTreeMap;

use super::classes::{GROUP, ROLE, USER};
use super::edge::Edge;
use super::graph::{Hub, NodeId, Write};
use super::search::{Ends, Search, cost};
use crate::iam::ActionSet;
use crate::project::{Boundary, Reach};

/// So many edges are followed to find out which policies that someone writes it can also use.
const MAX_FOLLOWED: usize = 4_000_000;

impl Search<'_, '_> {
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
            .filter(|w| own(w) && (w.lifts || self.gets_all(writer)))
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
                    let of_class = |n: &&NodeId| self.graph.names.is_of(**n, w.class);
                    let mut all: Vec<NodeId> = reached.nodes().iter().filter(of_class).copied().collect();
                    all.sort_by_key(|n| (reached.cost(*n), *n));
                    all.truncate(8);
                    all
                }
            };
            for of in candidates.into_iter().filter(|n| w.lifts || self.gets_all(*n)) {
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
        let within = effective.boundary.as_ref().is_none_or(Boundary::allows_everything);
        let mut most = ActionSet::all();
        most.subtract(&effective.withheld());
        within && Reach::new(&most) == Some(Reach::Everything)
    }

    /// Identities that may change the permissions or the credentials of every user or role, whatever they are.
    pub(super) fn identity_administrators(&self) -> Ends {
        let graph = self.graph;
        let every: Vec<NodeId> = graph.hubs_of(|hub| matches!(hub, Hub::All(class, _) if [USER, ROLE].contains(class)));
        let takes_over = graph.edges.iter().filter(|e| every.contains(&e.to));
        let writes = graph.writes.iter().filter(|w| w.of.is_none() && w.class != GROUP);
        let all = takes_over.chain(writes.map(|w| &w.edge));
        let certain = all.filter(|e| e.conditions.is_empty() && e.unknown.is_empty());
        certain.map(|e| (e.from, Vec::new())).collect()
    }
}
