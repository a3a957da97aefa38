//! What runs already, and the roles that it runs as.

use super::edge::{Edge, NeedAt};
use super::grants::need;
use super::graph::{AccessNode, Actor, Graph, Hub, NodeId};
use super::methods::{Danger, all_methods};
use super::names::class_of;
use crate::model::resource_types::{self, RoleHolder};
use crate::project::IdentityId;
use crate::source::Span;

/// From what runs to the role that it runs as.
pub(super) fn add_runs(graph: &mut Graph<'_>) {
    let mut found: Vec<(NodeId, IdentityId, Span)> = Vec::new();
    for (node, n) in graph.nodes.iter_enumerated() {
        let AccessNode::Resource(id) = n else { continue };
        let resource = &graph.project.resources[*id];
        let runs = resource_types::roles(&resource.kind).iter();
        for property in runs.filter(|p| p.holder != RoleHolder::Other) {
            let Some(value) = resource.path(property.path) else {
                continue;
            };
            let role = match property.instance_profile {
                true => graph.project.instance_profile(value).map(|(_, role)| role),
                false => graph.project.role(value),
            };
            if let Some(role) = role {
                found.push((node, role, value.span));
            }
        }
    }
    for (node, role, span) in found {
        let to = graph.node_of_identity(role);
        graph.push(Edge {
            from: node,
            to,
            by: "has the credentials of the role that it runs as",
            needs: vec![NeedAt {
                action: "",
                resource: None,
                span,
            }],
            conditions: Vec::new(),
            unknown: Vec::new(),
        });
    }
}

/// What the actor may change, or run something in.
pub(super) fn add<'p>(graph: &mut Graph<'p>, actor: &Actor<'p>) {
    let all = actor.effective.actions();
    for method in all_methods()
        .iter()
        .filter(|t| t.how == Danger::Target && t.is_granted_by(&all))
    {
        let Some((leading, others)) = method.ids.split_first() else {
            continue;
        };
        let others: Option<Vec<NeedAt>> = others
            .iter()
            .map(|a| Some(need(actor.effective.grants_of(*a).next()?, *a)))
            .collect();
        let Some(others) = others else { continue };
        for class in method.on.iter().filter_map(|kind| class_of(kind)) {
            let granted = actor.granted(graph, leading.name(), class);
            graph.add_targets(
                actor,
                &granted,
                &Hub::All(class, actor.deployment),
                class,
                &|_, g, _| {
                    Some(Edge {
                        from: actor.node,
                        to: actor.node,
                        by: method.what,
                        needs: std::iter::once(g.need()).chain(others.iter().cloned()).collect(),
                        conditions: g.conditions(),
                        unknown: actor.unknown.clone(),
                    })
                },
            );
        }
    }
}
