//! What runs already, and the roles that it runs as.

use super::classes::{Class, INSTANCE, TEMPLATE, class_of};
use super::edge::{Edge, NeedAt};
use super::grants::{is_denied_everywhere, need};
use super::graph::{AccessNode, Actor, Graph, Hub, NodeId};
use super::launching;
use super::methods::{Danger, all_methods, is_service};
use super::names::ActionTargets;
use super::tags;
use super::trust::{Way, Who};
use crate::iam::Action;
use crate::model::resource_types::{self, RoleHolder, RoleProperty};
use crate::project::IdentityId;
use crate::source::Span;

/// From what runs to the role that it runs as.
pub(super) fn add_runs(graph: &mut Graph<'_>) {
    let mut found: Vec<(NodeId, IdentityId, Span)> = Vec::new();
    let without_exec = launching::without_exec(graph);
    for (node, n) in graph.nodes.iter_enumerated() {
        let AccessNode::Resource(id) = n else { continue };
        // A task is only reached through ECS Exec.
        if without_exec.contains(&node) {
            continue;
        }
        let resource = &graph.project.resources[*id];
        let roles = launching::roles(graph, resource).into_iter();
        found.extend(roles.map(|(role, span)| (node, role, span)));
        let runs = resource_types::roles(&resource.kind).iter();
        for property in runs.filter(|p| p.holder != RoleHolder::Other) {
            let Some(value) = resource.path(property.path) else {
                continue;
            };
            let role = match property.instance_profile {
                true => graph.role_of_profile(value),
                false => graph.project.role(value),
            };
            let role = role.filter(|r| may_run_as(graph, &resource.kind, property, *r));
            if let Some(role) = role {
                found.push((node, role, value.span));
            }
        }
    }
    for (node, role, span) in found {
        let to = graph.node_of_identity(role);
        let by = "has the credentials of the role that it runs as";
        graph.push(Edge::new(node, to, by, vec![NeedAt::declared(span)]));
    }
}

/// Whether the trust policy of a role lets the service of a resource use it, as far as it can be seen.
fn may_run_as(graph: &Graph<'_>, kind: &str, property: &RoleProperty, role: IdentityId) -> bool {
    let Some(trust) = graph.trust.get(&graph.node_of_identity(role)) else {
        return true;
    };
    let services = match property.instance_profile {
        true => &["ec2"][..],
        false => match kind {
            "AWS::CloudFormation::Stack" => &["cloudformation"],
            "AWS::Glue::DevEndpoint" => &["glue"],
            _ => property.services,
        },
    };
    let named = |w: &Way| matches!(&w.who, Who::Service(name) if is_service(name, services));
    services.is_empty() || trust.is_open() || trust.ways.iter().any(named)
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
        for class in method.on.iter().filter_map(|kind| class_of(kind)) {
            // What is on all instances is on those that a template launches.
            let launched = class == TEMPLATE && leading.resource_types().all(|t| t.name() != "launch-template");
            let mut granted = actor.granted(graph, leading.name(), if launched { INSTANCE } else { class });
            granted.retain(|g| !launched || matches!(g.targets, ActionTargets::All));
            let hub = Hub::All(class, actor.deployment);
            graph.add_targets(actor, &granted, &hub, class, &|graph, g, node| {
                let others: Option<Vec<NeedAt>> = others
                    .iter()
                    .map(|a| other(graph, actor, *leading, *a, class, node))
                    .collect();
                let mut edge = actor.edge(graph, g, node, method.what);
                edge.needs.extend(others?);
                Some(edge)
            });
        }
    }
}

/// Where the actor is granted another action of a method, on the same thing if it is on such things.
fn other<'p>(
    graph: &Graph<'p>,
    actor: &Actor<'p>,
    leading: Action,
    action: Action,
    class: Class,
    node: Option<NodeId>,
) -> Option<NeedAt> {
    let asking = actor.asking(graph);
    if is_denied_everywhere(actor.effective, &asking, action) {
        return None;
    }
    let granted = actor.granted(graph, action.name(), class);
    let covering = granted.iter().find(|g| {
        let is_on = match (&g.targets, node) {
            (ActionTargets::All, _) => true,
            (targets, Some(node)) => targets.name(node),
            (_, None) => false,
        };
        is_on && node.is_none_or(|n| tags::tagged(graph, actor, g, n, class).is_some())
    });
    let kept = node.is_some_and(|n| actor.is_kept_from(graph, action, n));
    let same = leading
        .resource_types()
        .any(|t| action.resource_types().any(|o| o.name() == t.name()));
    match covering {
        Some(g) => (!kept).then(|| g.need(&graph.names, node)),
        // What is not on such things may be on anything else.
        None if same => None,
        None => Some(need(actor.effective.grants_of(action).next()?, action)),
    }
}
