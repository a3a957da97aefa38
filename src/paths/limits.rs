//! Permissions boundaries and Deny statements that are taken away.
//! IAM User Guide, "Permissions boundaries for IAM entities", "Delegating responsibility to others using permissions boundaries".

use std::collections::BTreeMap;

use super::classes::{Class, USER};
use super::grants::Granted;
use super::graph::{Actor, Graph, NodeId, Write};
use super::names::ActionTargets;
use crate::iam::condition::strength;
use crate::project::{AccessLimit, Effective, IdentityKind, PolicyRef, Reach};

/// An identity that only one limit keeps from being an administrator.
pub(super) struct Limited {
    node: NodeId,
    class: Class,
    lifted_by: &'static [&'static str],
    by: &'static str,
}

/// The actions that take a limit away: of roles, of users, and what they do.
type Lift = (&'static [&'static str], &'static [&'static str], &'static str);

const BOUNDARY: Lift = (
    &["iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"],
    &["iam:DeleteUserPermissionsBoundary", "iam:PutUserPermissionsBoundary"],
    "removes the permissions boundary",
);
const INLINE: Lift = (
    &["iam:DeleteRolePolicy"],
    &["iam:DeleteUserPolicy"],
    "deletes the policy that denies",
);
const ATTACHED: Lift = (
    &["iam:DetachRolePolicy"],
    &["iam:DetachUserPolicy"],
    "detaches the policy that denies",
);

pub(super) fn limited(graph: &Graph<'_>) -> Vec<Limited> {
    let project = graph.project;
    let mut found = Vec::new();
    for (id, identity) in project.identities.iter_enumerated() {
        let (node, class) = (graph.node_of_identity(id), Class::of_identity(identity.kind));
        let Some(class) = class.filter(|_| identity.kind != IdentityKind::Group && !graph.is_admin(node)) else {
            continue;
        };
        let boundary = identity.boundary.iter().map(|_| (AccessLimit::Boundary, BOUNDARY));
        let policies = identity.policies.iter().enumerate().filter_map(|(i, used)| {
            let PolicyRef::Documents(documents) = &used.policy else {
                return None;
            };
            let denies = |d| {
                let permissions = project.granted(d);
                permissions.denied.is_some() || !permissions.limits.is_empty()
            };
            let lift = if used.inline { INLINE } else { ATTACHED };
            documents
                .iter()
                .any(|d| denies(*d))
                .then_some((AccessLimit::Policy(i), lift))
        });
        for (limit, (of_roles, of_users, by)) in boundary.chain(policies) {
            let free = Effective::without(project, id, limit);
            if free.admin_power().is_some_and(|p| p.reach == Reach::Everything) {
                found.push(Limited {
                    node,
                    class,
                    lifted_by: if class == USER { of_users } else { of_roles },
                    by,
                });
            }
        }
    }
    found
}

/// Adds what the actor takes away from itself and others.
pub(super) fn add<'p>(graph: &mut Graph<'p>, actor: &Actor<'p>, limited: &[Limited]) {
    let mut granted: BTreeMap<(&str, Class), Vec<Granted<'_, 'p>>> = BTreeMap::new();
    for l in limited {
        for action in l.lifted_by {
            let grants = granted.entry((action, l.class));
            grants.or_insert_with(|| actor.granted(graph, action, l.class));
        }
        let grants = l.lifted_by.iter().filter_map(|a| granted.get(&(*a, l.class))).flatten();
        let mut on = grants.filter(|g| {
            let own = matches!(g.targets, ActionTargets::Caller) && l.node == actor.node;
            let is_on = own || actor.is_granted_on(graph, g, l.node);
            // A condition may say which boundary must be set.
            let is_free = !strength(g.grant.statement).limits_attachable_policies();
            is_on && is_free && !actor.is_kept_from(graph, g.action, l.node)
        });
        if let Some(g) = on.next() {
            let edge = actor.edge(graph, g, Some(l.node), l.by);
            graph.writes.push(Write {
                of: Some(l.node),
                class: l.class,
                policy: None,
                lifts: true,
                edge,
            });
        }
    }
}
