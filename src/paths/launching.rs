//! What is used as a role in another way than by a property that names the role, and what launches a template's instances.
//! Amazon EC2 Auto Scaling User Guide, "Auto Scaling launch templates"; AWS Batch User Guide, "IAM roles for jobs"; Amazon EMR
//! Management Guide, "Service role for cluster EC2 instances".

use std::collections::{BTreeMap, BTreeSet};

use super::classes::TEMPLATE;
use super::edge::Edge;
use super::graph::{AccessNode, Actor, Graph, NodeId};
use crate::iam::arn::Arn;
use crate::model::Resource;
use crate::project::IdentityId;
use crate::source::Span;
use crate::value::{Value, ValueKind};

/// Roles of types whose properties are not only a reference: the type, where the role is, and whether it is a profile.
const ROLES: &[(&str, &[&str], bool)] = &[
    (
        "AWS::Batch::JobDefinition",
        &["ContainerProperties", "JobRoleArn"],
        false,
    ),
    (
        "AWS::Batch::JobDefinition",
        &["ContainerProperties", "jobRoleArn"],
        false,
    ),
    ("AWS::EMR::Cluster", &["Ec2Attributes", "InstanceProfile"], true),
    ("AWS::EMR::Cluster", &["JobFlowRole"], true),
    ("AWS::StepFunctions::StateMachine", &["RoleArn"], false),
];

/// The roles that a resource works as, by [`ROLES`].
pub(super) fn roles(graph: &Graph<'_>, r: &Resource) -> Vec<(IdentityId, Span)> {
    let of_kind = ROLES.iter().filter(|(kind, ..)| *kind == &*r.kind);
    let found = of_kind.filter_map(|(_, path, is_profile)| {
        let value = at(&r.props, path)?;
        let role = match is_profile {
            true => graph.role_of_profile(value),
            false => role(graph, value),
        };
        Some((role?, value.span))
    });
    found.collect()
}

fn role(graph: &Graph<'_>, value: &Value) -> Option<IdentityId> {
    let named = || graph.project.identity_named(value.as_text()?);
    graph.project.role(value).or_else(named)
}

/// The value at a path, into JSON too.
pub(super) fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    let mut at = value;
    for step in path {
        let inner = match &at.kind {
            ValueKind::Json(inner) => inner,
            ValueKind::Seq(items) => items.first()?,
            _ => at,
        };
        at = inner.get(step)?;
    }
    Some(at)
}

/// The name of an instance profile, from its name or its ARN.
pub(super) fn profile_name(value: &Value) -> Option<String> {
    let value = match &value.kind {
        ValueKind::Map(_) => value.get("Name").or_else(|| value.get("Arn"))?,
        ValueKind::Seq(items) => return profile_name(items.first()?),
        _ => value,
    };
    let text = value.as_text()?;
    match Arn::parse(text) {
        Some(arn) => {
            let rest = arn.resource.known()?;
            rest.strip_prefix("instance-profile/")?
                .rsplit('/')
                .next()
                .map(Into::into)
        }
        None => text.known().map(Into::into),
    }
}

/// The launch templates that Auto Scaling groups follow to a new version: whether to the default one only.
fn followed(graph: &Graph<'_>) -> BTreeMap<NodeId, bool> {
    let mut found: BTreeMap<NodeId, bool> = BTreeMap::new();
    let groups = graph.project.resources.iter();
    for r in groups.filter(|r| &*r.kind == "AWS::AutoScaling::AutoScalingGroup") {
        let mixed = at(
            &r.props,
            &["MixedInstancesPolicy", "LaunchTemplate", "LaunchTemplateSpecification"],
        );
        for used in at(&r.props, &["LaunchTemplate"]).into_iter().chain(mixed) {
            let used = match &used.kind {
                ValueKind::Seq(items) => items.first().unwrap_or(used),
                _ => used,
            };
            let version = used.get("Version").map(Value::as_str);
            let is_default = match &version {
                Some(Some(v)) if v == "$Latest" => false,
                Some(Some(v)) if v == "$Default" => true,
                None => true,
                _ => continue,
            };
            let keys = ["Id", "LaunchTemplateId", "Name", "LaunchTemplateName"];
            for named in keys.iter().filter_map(|k| used.get(k)) {
                let referred = named.as_hole().and_then(|h| h.target.as_ref());
                let referred = referred.and_then(|t| graph.names.node_of(graph.project.resource_at(t)?.0));
                let node = referred.or_else(|| {
                    let name = named.as_str()?;
                    let mut all = graph.names.every(TEMPLATE);
                    all.find(|n| graph.names.of(*n).and_then(|n| n.name.as_ref()?.known()).as_deref() == Some(&*name))
                });
                if let Some(node) = node {
                    let known = found.entry(node).or_insert(is_default);
                    *known &= is_default;
                }
            }
        }
    }
    found
}

/// Adds a new version of a template from which instances are launched: with any instance profile, and no role is passed.
pub(super) fn add<'p>(graph: &mut Graph<'p>, actor: &Actor<'p>) {
    let granted = actor.granted(graph, "ec2:CreateLaunchTemplateVersion", TEMPLATE);
    if granted.is_empty() {
        return;
    }
    let modified = actor.granted(graph, "ec2:ModifyLaunchTemplate", TEMPLATE);
    let mut edges: Vec<Edge> = Vec::new();
    let mut reached: BTreeSet<NodeId> = BTreeSet::new();
    for (template, is_default) in followed(graph) {
        let covering = |all: &[super::grants::Granted<'_, 'p>]| {
            let mut on = all.iter().filter(|g| actor.is_granted_on(graph, g, template));
            on.find(|g| !actor.is_kept_from(graph, g.action, template))
                .map(|g| (g.need(&graph.names, Some(template)), g.conditions()))
        };
        let Some((need, mut conditions)) = covering(&granted) else {
            continue;
        };
        let mut needs = vec![need];
        if is_default {
            let Some((need, more)) = covering(&modified) else {
                continue;
            };
            needs.push(need);
            conditions.extend(more);
        }
        let of = graph.names.deployment(template);
        for role in graph.profiled_roles().filter(|r| graph.names.deployment(*r) == of) {
            if !reached.insert(role) {
                continue;
            }
            edges.push(Edge {
                from: actor.node,
                to: role,
                by: "changes what the next instances run, and as which role",
                needs: needs.clone(),
                conditions: conditions.clone(),
                unknown: actor.unknown.clone(),
            });
        }
    }
    edges.into_iter().for_each(|e| graph.push(e));
}

/// The task definitions that only services without ECS Exec run.
/// Amazon ECS Developer Guide, "Monitor Amazon ECS containers with ECS Exec".
pub(super) fn without_exec(graph: &Graph<'_>) -> BTreeSet<NodeId> {
    let (mut without, mut with) = (BTreeSet::new(), BTreeSet::new());
    for r in graph
        .project
        .resources
        .iter()
        .filter(|r| &*r.kind == "AWS::ECS::Service")
    {
        let target = r.get("TaskDefinition").and_then(|v| v.as_hole()?.target.as_ref());
        let Some(task) = target.and_then(|t| graph.names.node_of(graph.project.resource_at(t)?.0)) else {
            continue;
        };
        match r.get("EnableExecuteCommand") {
            Some(v) if v.as_bool() == Some(false) => without.insert(task),
            _ => with.insert(task),
        };
    }
    without.retain(|task| !with.contains(task));
    without.retain(|task| matches!(graph.nodes[*task], AccessNode::Resource(_)));
    without
}
