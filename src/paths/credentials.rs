//! Other identities taken over, and policies written.
//! Rhino Security Labs, "AWS IAM privilege escalation"; Service Authorization Reference, "AWS Identity and Access Management".

use super::classes::{Class, GROUP, POLICY, ROLE, USER};
use super::edge::Edge;
use super::grants::Granted;
use super::graph::{Actor, Graph, Hub, NodeId, Write};
use super::names::ActionTargets;
use crate::iam::condition::strength;
use crate::project::{IdentityKind, PolicyRef};

/// Actions that make the caller another identity.
const TAKES_OVER: &[(&str, Class, &str)] = &[
    ("iam:CreateAccessKey", USER, "creates an access key for the user"),
    (
        "iam:CreateLoginProfile",
        USER,
        "creates a console password for the user",
    ),
    (
        "iam:UpdateLoginProfile",
        USER,
        "changes the console password of the user",
    ),
    (
        "iam:UpdateAssumeRolePolicy",
        ROLE,
        "changes who may assume the role, and assumes it",
    ),
];

/// Actions that give an identity any permission.
const WRITES: &[(&str, Class, &str)] = &[
    ("iam:PutRolePolicy", ROLE, "writes any policy into the role"),
    ("iam:AttachRolePolicy", ROLE, "attaches any policy to the role"),
    ("iam:PutUserPolicy", USER, "writes any policy into the user"),
    ("iam:AttachUserPolicy", USER, "attaches any policy to the user"),
    ("iam:PutGroupPolicy", GROUP, "writes any policy into the group"),
    ("iam:AttachGroupPolicy", GROUP, "attaches any policy to the group"),
];

pub(super) fn add<'p>(graph: &mut Graph<'p>, actor: &Actor<'p>) {
    for (action, class, by) in TAKES_OVER {
        let granted = actor.granted(graph, action, *class);
        graph.add_targets(
            actor,
            &granted,
            &Hub::All(*class, actor.deployment),
            *class,
            &|graph, g, node| Some(actor.edge(graph, g, node, by)),
        );
    }
    if actor.kind == IdentityKind::User {
        let granted = actor.granted(graph, "iam:AddUserToGroup", GROUP);
        let by = "adds itself to the group";
        graph.add_targets(
            actor,
            &granted,
            &Hub::All(GROUP, actor.deployment),
            GROUP,
            &|graph, g, node| Some(actor.edge(graph, g, node, by)),
        );
    }
    for (action, class, by) in WRITES {
        let granted = actor.granted(graph, action, *class);
        for g in granted
            .iter()
            .filter(|g| !strength(g.grant.statement).limits_attachable_policies())
        {
            add_writes(graph, actor, g, *class, by);
        }
    }
    add_new_identities(graph, actor);
    for g in actor.granted(graph, "iam:CreatePolicyVersion", POLICY) {
        add_rewrites(graph, actor, &g);
    }
}

/// Identities that the actor makes itself, with any policy: each of the actions is on everything.
const NEW: &[(&[&[&str]], Class, &str)] = &[
    (
        &[
            &["iam:CreateUser"],
            &["iam:AttachUserPolicy", "iam:PutUserPolicy"],
            &["iam:CreateAccessKey", "iam:CreateLoginProfile"],
        ],
        USER,
        "creates a user with any policy, and its credentials",
    ),
    (
        &[&["iam:CreateRole"], &["iam:AttachRolePolicy", "iam:PutRolePolicy"]],
        ROLE,
        "creates a role with any policy, and assumes it",
    ),
];

fn add_new_identities<'p>(graph: &mut Graph<'p>, actor: &Actor<'p>) {
    for (steps, class, by) in NEW {
        let step = |names: &&[&str]| {
            let granted = names.iter().flat_map(|a| actor.granted(graph, a, *class));
            let mut wide = granted.filter(|g| {
                let limited = actor.is_limited(g.action) || strength(g.grant.statement).limits_attachable_policies();
                matches!(g.targets, ActionTargets::All) && !limited
            });
            wide.next().map(|g| actor.edge(graph, &g, None, by))
        };
        let edges: Option<Vec<Edge>> = steps.iter().map(step).collect();
        let Some((first, others)) = edges.as_deref().and_then(<[Edge]>::split_first) else {
            continue;
        };
        let mut joined = first.clone();
        others.iter().for_each(|e| joined.join(e));
        graph.writes.push(Write {
            of: Some(actor.node),
            class: *class,
            policy: None,
            lifts: false,
            edge: joined,
        });
    }
}

fn add_writes<'p>(graph: &mut Graph<'p>, actor: &Actor<'p>, g: &Granted<'_, 'p>, class: Class, by: &'static str) {
    let all = matches!(g.targets, ActionTargets::All);
    let nodes: Vec<Option<NodeId>> = match &g.targets {
        ActionTargets::All if !actor.is_limited(g.action) => vec![None],
        ActionTargets::All => graph
            .names
            .all(class, actor.deployment)
            .iter()
            .copied()
            .map(Some)
            .collect(),
        ActionTargets::Caller => vec![Some(actor.node)],
        ActionTargets::These(nodes) => nodes.iter().copied().map(Some).collect(),
    };
    // The actor itself is the nearest of all.
    let own = (all && graph.names.is_of(actor.node, class)).then_some(Some(actor.node));
    let memberships = graph.project.identities[actor.id].known_groups();
    let groups: Vec<Option<NodeId>> = memberships.map(|g| Some(graph.node_of_identity(g))).collect();
    let groups = groups.into_iter().filter(|_| all && class == GROUP);
    for of in own.into_iter().chain(groups).chain(nodes) {
        if of.is_some_and(|n| actor.is_kept_from(graph, g.action, n)) {
            continue;
        }
        graph.writes.push(Write {
            of,
            class,
            policy: None,
            lifts: false,
            edge: actor.edge(graph, g, of, by),
        });
    }
}

/// Managed policies of the repository that the actor rewrites, and those that have them.
fn add_rewrites<'p>(graph: &mut Graph<'p>, actor: &Actor<'p>, g: &Granted<'_, 'p>) {
    let project = graph.project;
    let mut found = Vec::new();
    for (id, identity) in project.identities.iter_enumerated() {
        let Some(class) = Class::of_identity(identity.kind) else {
            continue;
        };
        for used in identity.policies.iter().filter(|u| !u.inline) {
            let PolicyRef::Documents(documents) = &used.policy else {
                continue;
            };
            for policy in documents
                .iter()
                .filter_map(|d| graph.names.node_of(project.documents[*d].resource?))
            {
                if actor.is_granted_on(graph, g, policy) && !actor.is_kept_from(graph, g.action, policy) {
                    found.push((graph.node_of_identity(id), class, policy));
                }
            }
        }
    }
    for (node, class, policy) in found {
        graph.writes.push(Write {
            of: Some(node),
            class,
            policy: Some(policy),
            lifts: false,
            edge: actor.edge(graph, g, Some(policy), "rewrites the policy"),
        });
    }
}
