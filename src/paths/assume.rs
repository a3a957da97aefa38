//! Roles that are assumed: through the grant and the trust policy, or the trust policy alone.
//!
//! In one account, a trust policy that names an identity is enough; one that names the account leaves it to the account's
//! policies. IAM User Guide, "Policy evaluation logic", "Determining whether a request is allowed or denied within an account";
//! AWS STS API Reference, "AssumeRole", "Permissions".

use super::classes::ROLE;
use super::edge::Edge;
use super::grants::{is_denied_everywhere, need};
use super::graph::{AccessNode, Actor, Graph, Hub, NodeId, trusted};
use super::home::account_in;
use super::trust::{Way, Who, conditions_of, elsewhere};
use crate::iam::catalogue;

const ASSUMES: &str = "assumes the role";
const WITH_TOKEN: &str = "assumes the role with a token of the provider";

/// Whether what happens on an edge is what its role is for.
pub(super) fn is_meant(by: &str) -> bool {
    by == ASSUMES || by == WITH_TOKEN
}

/// Those outside who may assume a role, and identities that a trust policy names.
pub(super) fn add_outside(graph: &mut Graph<'_>) {
    let mut found: Vec<(NodeId, Way)> = Vec::new();
    let mut roles: Vec<NodeId> = graph.trust.keys().copied().collect();
    roles.sort_unstable();
    for role in roles {
        let Some(trust) = graph.trust.get(&role) else { continue };
        for (i, way) in trust.ways.iter().enumerate() {
            let kept = matches!(way.who, Who::Named(node) if trust.keeps_out(i, node, &graph.names));
            if !kept {
                found.push((role, way.clone()));
            }
        }
    }
    for (role, way) in found {
        let (from, by) = match &way.who {
            Who::Named(node) if may_use_trust(graph, *node, role) => (*node, ASSUMES),
            // A condition on the account or the organization leaves it to accounts that are not here.
            Who::Everyone if way.is_pinned => continue,
            Who::Everyone => (graph.outside(AccessNode::Public), ASSUMES),
            Who::OtherAccount(id) => (graph.outside(AccessNode::Account(id.clone())), ASSUMES),
            Who::Elsewhere(kind, name, arn) => (
                graph.outside(AccessNode::Elsewhere(kind, name.clone(), arn.clone())),
                ASSUMES,
            ),
            Who::Provider(name) => (graph.outside(AccessNode::Provider(name.clone())), WITH_TOKEN),
            Who::Named(_) | Who::Account | Who::Service(_) => continue,
        };
        graph.push(Edge {
            conditions: way.conditions,
            ..Edge::new(from, role, by, vec![trusted(way.span)])
        });
    }
}

/// Whether nothing keeps an identity that the trust policy names from assuming the role.
fn may_use_trust(graph: &Graph<'_>, node: NodeId, role: NodeId) -> bool {
    let (Some(id), Some(action)) = (graph.identity(node), catalogue().action("sts:AssumeRole")) else {
        return false;
    };
    node != role && Actor::new(graph, id).may_as_named(graph, action, role)
}

pub(super) fn add<'p>(graph: &mut Graph<'p>, actor: &Actor<'p>) {
    let granted = actor.granted(graph, "sts:AssumeRole", ROLE);
    graph.add_targets(
        actor,
        &granted,
        &Hub::Delegating(actor.deployment),
        ROLE,
        &|graph, g, role| {
            let mut edge = actor.edge(graph, g, role, ASSUMES);
            if let Some(role) = role {
                let (i, way) = graph.delegation(role)?;
                if graph.trust.get(&role)?.keeps_out(i, actor.node, &graph.names) {
                    return None;
                }
                edge.needs.push(trusted(way.span));
                edge.conditions.extend(way.conditions.iter().cloned());
            }
            Some(edge)
        },
    );
    add_other_accounts(graph, actor);
}

/// Roles that a policy names in another account, whose trust policies are not here.
fn add_other_accounts<'p>(graph: &mut Graph<'p>, actor: &Actor<'p>) {
    let home = graph.names.home(actor.deployment).or(graph.project.own.only_account());
    let (Some(home), Some(action)) = (home, catalogue().action("sts:AssumeRole")) else {
        return;
    };
    let asking = actor.asking(graph);
    if is_denied_everywhere(actor.effective, &asking, action) {
        return;
    }
    let mut found = Vec::new();
    let grants = actor.effective.grants_of(action);
    for grant in grants.filter(|g| asking.meets_all(g.statement).may_be()) {
        let clause = grant.statement.resource.iter().filter(|c| !c.negated);
        for item in clause.flat_map(|c| &c.items) {
            let Some(Who::Elsewhere("role", name, arn)) = elsewhere(&item.text) else {
                continue;
            };
            let is_other = account_in(&arn).is_some_and(|account| account != home);
            if is_other && graph.names.named_by(&item.text).is_none() {
                let mut need = need(grant, action);
                need.resource = Some(item.display());
                found.push((
                    AccessNode::Elsewhere("role", name, arn),
                    need,
                    conditions_of(grant.statement),
                ));
            }
        }
    }
    for (role, need, conditions) in found {
        let to = graph.outside(role);
        let mut unknown = actor.unknown.clone();
        unknown.push("the trust policy of the role is not in the repository".to_owned());
        graph.push(Edge {
            conditions,
            unknown,
            ..Edge::new(actor.node, to, ASSUMES, vec![need])
        });
    }
}
