//! Data that identities can read, and credentials that lie in it.
//! Service Authorization Reference, of Amazon S3, AWS Secrets Manager, AWS Systems Manager and Amazon DynamoDB.

use super::asking::Asking;
use super::classes::{Class, PARAMETER, class_of};
use super::edge::{Edge, NeedAt};
use super::grants::need;
use super::graph::{AccessNode, Actor, Graph, Hub, NodeId};
use super::keys;
use super::path::PathEnd;
use super::trust::{Who, conditions_of, who};
use crate::iam::arn::Arn;
use crate::iam::glob::{self, CaseSensitivity};
use crate::iam::{Effect, PolicyKind, catalogue};
use crate::project::ResourceId;
use crate::source::{Span, Text};
use crate::value::Value;

/// The types that hold data, and the actions that read it.
const READS: &[(&str, &[&str])] = &[
    (
        "AWS::DynamoDB::Table",
        &[
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:Scan",
            "dynamodb:BatchGetItem",
            "dynamodb:PartiQLSelect",
        ],
    ),
    ("AWS::S3::Bucket", &["s3:GetObject", "s3:GetObjectVersion"]),
    (
        "AWS::SSM::Parameter",
        &["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"],
    ),
    ("AWS::SecretsManager::Secret", &["secretsmanager:GetSecretValue"]),
];

/// Whether a node is data of its own: what a path may end in.
pub(super) fn is_data(graph: &Graph<'_>, node: NodeId) -> bool {
    let AccessNode::Resource(id) = graph.nodes[node] else {
        return false;
    };
    let r = &graph.project.resources[id];
    match &*r.kind {
        "AWS::SSM::Parameter" => r.get("Type").and_then(Value::as_str).as_deref() == Some("SecureString"),
        kind => READS.iter().any(|(data, _)| *data == kind),
    }
}

/// Whether the settings call data sensitive.
pub(super) fn is_sensitive(graph: &Graph<'_>, node: NodeId) -> bool {
    let patterns = &graph.project.own.sensitive;
    !patterns.is_empty() && {
        let end = PathEnd::new(graph, node);
        let names = [Some(end.name.as_str()), end.address.as_deref(), end.arn.as_deref()];
        let mut names = names.into_iter().flatten();
        names.any(|name| {
            patterns
                .iter()
                .any(|p| glob::matches(p, name, CaseSensitivity::Sensitive))
        })
    }
}

pub(super) fn add<'p>(graph: &mut Graph<'p>, actor: &Actor<'p>) {
    add_settings(graph, actor);
    add_below_path(graph, actor);
    for (kind, actions) in READS {
        let Some(class) = class_of(kind) else { continue };
        for action in *actions {
            let granted = actor.granted(graph, action, class);
            if granted.is_empty() {
                continue;
            }
            graph.add_targets(
                actor,
                &granted,
                &Hub::All(class, actor.deployment),
                class,
                &|graph, g, node| {
                    let denies = node.and_then(|n| graph.guarded.get(&n)).into_iter().flatten();
                    if denies
                        .into_iter()
                        .any(|s| actor.asking(graph).is_denied_by(s, g.action))
                    {
                        return None;
                    }
                    if node.is_some_and(|n| keys::keep_from(graph, actor, n)) {
                        return None;
                    }
                    Some(actor.edge(graph, g, node, reads(class)))
                },
            );
        }
    }
}

/// Parameters below a path: what `ssm:GetParametersByPath` names is the path.
fn add_below_path<'p>(graph: &mut Graph<'p>, actor: &Actor<'p>) {
    let Some(action) = catalogue().action("ssm:GetParametersByPath") else {
        return;
    };
    let mut edges = Vec::new();
    for grant in actor.effective.grants_of(action) {
        let items = grant
            .statement
            .resource
            .iter()
            .filter(|c| !c.negated)
            .flat_map(|c| &c.items);
        for item in items {
            let path = Arn::parse(&item.text).and_then(|arn| arn.resource.known());
            let Some(path) = path.filter(|p| p.starts_with("parameter/") && !p.contains(['*', '?'])) else {
                continue;
            };
            let below = format!("{}/", path.trim_end_matches('/'));
            for node in graph.names.all(PARAMETER, actor.deployment) {
                let inside = graph
                    .names
                    .of(*node)
                    .is_some_and(|n| n.rest().prefix().starts_with(&below));
                if !inside || actor.is_kept_from(graph, action, *node) || keys::keep_from(graph, actor, *node) {
                    continue;
                }
                let mut need = need(grant, action);
                need.resource = Some(item.display());
                edges.push(Edge {
                    from: actor.node,
                    to: *node,
                    by: reads(PARAMETER),
                    needs: vec![need],
                    conditions: conditions_of(grant.statement),
                    unknown: actor.unknown.clone(),
                });
            }
        }
    }
    edges.into_iter().for_each(|e| graph.push(e));
}

/// The types whose settings may hold credentials, the action that reads them, and what it does.
const SETTINGS: &[(&str, &[&str], &str)] = &[
    (
        "AWS::Lambda::Function",
        &["lambda:GetFunctionConfiguration", "lambda:GetFunction"],
        "reads the settings of the function",
    ),
    (
        "AWS::EC2::Instance",
        &["ec2:DescribeInstanceAttribute"],
        "reads the user data of the instance",
    ),
    (
        "AWS::ECS::TaskDefinition",
        &["ecs:DescribeTaskDefinition"],
        "reads the settings of the task",
    ),
    (
        "AWS::CodeBuild::Project",
        &["codebuild:BatchGetProjects"],
        "reads the settings of the project",
    ),
];

/// To the settings in which an access key lies.
fn add_settings<'p>(graph: &mut Graph<'p>, actor: &Actor<'p>) {
    for (kind, actions, by) in SETTINGS {
        let Some(class) = class_of(kind) else { continue };
        let holding: Vec<(NodeId, NodeId)> = graph
            .contents()
            .filter(|(of, _)| graph.names.is_of(*of, class))
            .collect();
        for (of, contents) in holding {
            let all = actions.iter().flat_map(|a| actor.granted(graph, a, class));
            let mut on = all.filter(|g| actor.is_granted_on(graph, g, of));
            let Some(g) = on.find(|g| !actor.is_kept_from(graph, g.action, of)) else {
                continue;
            };
            let edge = Edge {
                to: contents,
                ..actor.edge(graph, &g, Some(of), by)
            };
            graph.push(edge);
        }
    }
}

pub(super) fn reads(class: Class) -> &'static str {
    match class.kind {
        "AWS::S3::Bucket" => "reads the objects of the bucket",
        "AWS::DynamoDB::Table" => "reads the table",
        "AWS::SecretsManager::Secret" => "reads the secret",
        _ => "reads the parameter",
    }
}

/// So many access keys of one resource count.
const MAX_KEYS: usize = 16;

/// From data and settings to the user whose access key lies in them.
pub(super) fn add_contents(graph: &mut Graph<'_>) {
    let mut found: Vec<(NodeId, NodeId, Span)> = Vec::new();
    let mut settings: Vec<(ResourceId, NodeId, Span)> = Vec::new();
    for (id, r) in graph.project.resources.iter_enumerated() {
        let holder = match &*r.kind {
            "AWS::S3::Object" => referred(graph, r.get("Bucket")),
            "AWS::SecretsManager::SecretVersion" => referred(graph, r.get("SecretId")),
            "AWS::SecretsManager::Secret" | "AWS::SSM::Parameter" => graph.names.node_of(id),
            kind if SETTINGS.iter().any(|(of, ..)| *of == kind) => {
                settings.extend(
                    keys_in(graph, &r.props)
                        .into_iter()
                        .map(|(user, span)| (id, user, span)),
                );
                continue;
            }
            _ => continue,
        };
        let Some(holder) = holder else { continue };
        found.extend(
            keys_in(graph, &r.props)
                .into_iter()
                .map(|(user, span)| (holder, user, span)),
        );
    }
    for (of, user, span) in settings {
        let contents = graph.outside(AccessNode::Contents(of));
        found.push((contents, user, span));
        // What runs there sees them too.
        found.extend(graph.names.node_of(of).map(|node| (node, user, span)));
    }
    for (from, to, span) in found {
        let by = "holds an access key of the user";
        graph.push(Edge::new(from, to, by, vec![NeedAt::declared(span)]));
    }
}

/// What the policy of data allows someone.
struct DirectAccess {
    from: AccessNode,
    to: NodeId,
    class: Class,
    action: &'static str,
    span: Span,
    conditions: Vec<String>,
}

/// What the policies of data allow, and what they deny.
pub(super) fn add_resource_policies(graph: &mut Graph<'_>) {
    keys::guard(graph);
    let project = graph.project;
    let mut found: Vec<DirectAccess> = Vec::new();
    for d in project.documents.iter().filter(|d| d.kind == PolicyKind::Resource) {
        let Some(id) = d.resource else { continue };
        let r = &project.resources[id];
        let owner = match &*r.kind {
            "AWS::S3::BucketPolicy" => referred(graph, r.get("Bucket")),
            "AWS::SecretsManager::ResourcePolicy" => referred(graph, r.get("SecretId")),
            _ => graph.names.node_of(id),
        };
        let class = owner.and_then(|n| graph.names.of(n)?.class);
        let (Some(owner), Some(class)) = (owner, class) else {
            continue;
        };
        let Some((_, actions)) = READS.iter().find(|(kind, _)| *kind == class.kind) else {
            continue;
        };
        for s in &d.statements {
            if matches!(&s.effect, Some(e) if e.value == Effect::Deny) {
                graph.guarded.entry(owner).or_default().push(s);
                continue;
            }
            let named = |a: &&&str| {
                let action = catalogue().action(a);
                let clause = s.action.as_ref().filter(|c| !c.negated);
                action
                    .zip(clause)
                    .is_some_and(|(a, c)| c.items_naming(a).next().is_some())
            };
            let (Some(principal), Some(action)) = (&s.principal, actions.iter().find(named)) else {
                continue;
            };
            if principal.negated || !s.allows() || !graph.names.is_on(s, owner) {
                continue;
            }
            let home = graph.names.home(graph.names.deployment(owner));
            for item in &principal.items {
                let Some(who) = who(project, &graph.names, item, home) else {
                    continue;
                };
                let conditions = conditions_of(s);
                let from = match who {
                    Who::Named(node) => graph.nodes[node].clone(),
                    Who::Everyone if conditions.is_empty() => AccessNode::Public,
                    Who::OtherAccount(id) => AccessNode::Account(id),
                    Who::Elsewhere(kind, name, arn) => AccessNode::Elsewhere(kind, name, arn),
                    _ => continue,
                };
                found.push(DirectAccess {
                    from,
                    to: owner,
                    class,
                    action,
                    span: item.value.span,
                    conditions,
                });
            }
        }
    }
    for access in found {
        let DirectAccess {
            from,
            to,
            class,
            action,
            span,
            conditions,
        } = access;
        let from = match from {
            AccessNode::Identity(id) => graph.node_of_identity(id),
            other => graph.outside(other),
        };
        let by = reads(class);
        let kept = catalogue().action(action).is_some_and(|action| {
            let named = graph.identity(from).map(|id| Actor::new(graph, id));
            let denied = named.is_some_and(|actor| !actor.may_as_named(graph, action, to));
            let asking = Asking::new(&graph.names, from);
            let mut denies = graph.guarded.get(&to).into_iter().flatten();
            denied || denies.any(|s| asking.is_denied_by(s, action))
        });
        if kept {
            continue;
        }
        graph.push(Edge {
            conditions,
            ..Edge::new(from, to, by, vec![NeedAt::on_end(action, span)])
        });
    }
}

fn referred(graph: &Graph<'_>, value: Option<&Value>) -> Option<NodeId> {
    let (id, _) = graph.project.resource_at(value?.as_hole()?.target.as_ref()?)?;
    graph.names.node_of(id)
}

/// The users whose access keys a value refers to.
fn keys_in(graph: &Graph<'_>, value: &Value) -> Vec<(NodeId, Span)> {
    let mut out: Vec<(NodeId, Span)> = Vec::new();
    value.each_text(&mut |v| {
        let text = v.to_text();
        for h in text.iter().flat_map(Text::holes) {
            // The ID of a key says nothing without its secret.
            let secret = h
                .target
                .as_ref()
                .filter(|t| t.attribute.to_lowercase().contains("secret"));
            let key = secret.and_then(|t| graph.project.resource_at(t));
            let user = key.and_then(|(id, _)| user_of_key(graph, id));
            if let Some(user) = user.filter(|u| out.len() <= MAX_KEYS && out.iter().all(|(known, _)| known != u)) {
                out.push((user, v.span));
            }
        }
    });
    out
}

fn user_of_key(graph: &Graph<'_>, id: ResourceId) -> Option<NodeId> {
    let key = &graph.project.resources[id];
    if &*key.kind != "AWS::IAM::AccessKey" {
        return None;
    }
    let user = key.get("UserName")?;
    referred(graph, Some(user)).or_else(|| {
        let name = user.as_str()?;
        let users = graph.project.identities.iter_enumerated();
        let mut named = users.filter(|(_, i)| i.name.as_ref().and_then(|n| n.known()).as_deref() == Some(&*name));
        named.next().map(|(id, _)| graph.node_of_identity(id))
    })
}
