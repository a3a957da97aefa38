//! Roles that are passed to something new.
//! IAM User Guide, "Grant a user permissions to pass a role to an AWS service".

use super::edge::Edge;
use super::grants::need;
use super::graph::{Actor, Graph, Hub, trusted};
use super::methods::{Danger, Technique, all_methods, grants_technique, is_service, passes_to};
use super::names::ROLE;
use crate::iam::Action;

pub(super) fn add<'p>(graph: &mut Graph<'p>, actor: &Actor<'p>) {
    let passing = actor.granted(graph, "iam:PassRole", ROLE);
    if passing.is_empty() {
        return;
    }
    let granted = actor.effective.actions();
    let methods: Vec<(&'static Technique, Vec<super::edge::NeedAt>)> = all_methods()
        .iter()
        .filter(|t| matches!(t.how, Danger::Pass | Danger::Start) && t.is_granted_by(&granted))
        .filter_map(|t| Some((t, needs(actor, t)?)))
        .collect();
    if methods.is_empty() {
        return;
    }
    for service in graph.services.clone() {
        let own = [service.as_str()];
        let Some((method, needs)) = methods.iter().find(|(t, _)| is_service(&service, &t.services)) else {
            continue;
        };
        let hub = Hub::Trusting(service.clone(), actor.deployment);
        graph.add_targets(actor, &passing, &hub, ROLE, &|graph, g, role| {
            if !passes_to(g.grant.statement, &method.services) {
                return None;
            }
            let mut conditions = g.conditions();
            conditions.retain(|k| !k.eq_ignore_ascii_case("iam:PassedToService"));
            let mut edge = Edge {
                from: actor.node,
                to: actor.node,
                by: method.what,
                needs: std::iter::once(g.need()).chain(needs.iter().cloned()).collect(),
                conditions,
                unknown: actor.unknown.clone(),
            };
            if let Some(role) = role {
                let way = graph.trust.get(&role)?.trusts_service(own[0])?;
                edge.needs.push(trusted(way.span));
                edge.conditions.extend(way.conditions.iter().cloned());
            }
            Some(edge)
        });
    }
}

/// Where the actor is granted the other actions of a method, wide enough for something new.
fn needs(actor: &Actor<'_>, method: &Technique) -> Option<Vec<super::edge::NeedAt>> {
    let others = method.ids.iter().filter(|a| a.name() != "iam:PassRole");
    others
        .map(|a| {
            let action: Action = *a;
            let grant = actor
                .effective
                .grants_of(action)
                .find(|g| grants_technique(g.statement, action, method))?;
            Some(need(grant, action))
        })
        .collect()
}
