//! Queues, topics, and buckets that anyone can write to, and the functions that they start.
//! AWS Lambda Developer Guide, "Invoking Lambda with events from other AWS services".

use std::collections::HashMap;

use super::classes::{BUCKET, Class, QUEUE, TOPIC};
use super::edge::{Edge, NeedAt};
use super::entries::functions;
use super::graph::{AccessNode, Graph, NodeId};
use super::trust::conditions_of;
use crate::iam::pattern::is_star;
use crate::iam::{Effect, PolicyKind, Statement, catalogue};
use crate::model::Resource;
use crate::source::Span;
use crate::value::Value;

/// What starts something when it is written to: the class, the action, and what the action does.
const WRITTEN: &[(Class, &str, &str)] = &[
    (QUEUE, "sqs:SendMessage", "sends a message to the queue"),
    (TOPIC, "sns:Publish", "publishes to the topic"),
    (
        BUCKET,
        "s3:PutObject",
        "puts an object into the bucket, which starts the function",
    ),
];

pub(super) fn add(graph: &mut Graph<'_>) {
    let written = written_by_anyone(graph);
    if written.is_empty() {
        return;
    }
    let started = started(graph);
    let public = graph.outside(AccessNode::Public);
    for (node, class, action, by, span) in written {
        if class != BUCKET {
            graph.push(Edge::new(public, node, by, vec![NeedAt::on_end(action, span)]));
            continue;
        }
        // Who reads a bucket does not start what it starts: the hop leads past it.
        for (function, at) in started.get(&node).into_iter().flatten() {
            let needs = vec![NeedAt::on_end(action, span), NeedAt::declared(*at)];
            graph.push(Edge::new(public, *function, by, needs));
        }
    }
    let sources = started
        .into_iter()
        .filter(|(node, _)| !graph.names.is_of(*node, BUCKET));
    let mut edges: Vec<(NodeId, NodeId, Span)> = sources
        .flat_map(|(from, to)| to.into_iter().map(move |(to, at)| (from, to, at)))
        .collect();
    edges.sort_by_key(|(from, to, _)| (*from, *to));
    for (from, to, at) in edges {
        let by = match graph.names.is_of(to, QUEUE) {
            true => "sends what it gets to the queue",
            false => "starts the function",
        };
        graph.push(Edge::new(from, to, by, vec![NeedAt::declared(at)]));
    }
}

/// What each queue, topic, and bucket starts or writes to, and where that is said.
fn started(graph: &Graph<'_>) -> HashMap<NodeId, Vec<(NodeId, Span)>> {
    let mut found: HashMap<NodeId, Vec<(NodeId, Span)>> = HashMap::new();
    for r in graph.project.resources.iter() {
        let (sources, to): (Vec<NodeId>, Vec<NodeId>) = match &*r.kind {
            "AWS::Lambda::EventSourceMapping" => {
                let queue = r.get("EventSourceArn").and_then(|v| named(graph, v, QUEUE));
                (queue.into_iter().collect(), functions(graph, r, "FunctionName"))
            }
            "AWS::Lambda::Permission" => {
                let source = r.get("SourceArn");
                let of = [TOPIC, BUCKET].into_iter().find_map(|c| named(graph, source?, c));
                (of.into_iter().collect(), functions(graph, r, "FunctionName"))
            }
            "AWS::SNS::Subscription" => {
                let protocol = r.get("Protocol").and_then(Value::as_str);
                let is_queue = protocol.as_deref() == Some("sqs");
                let queue = r.get("Endpoint").filter(|_| is_queue);
                let queue = queue.and_then(|v| named(graph, v, QUEUE));
                let topic = r.get("TopicArn").and_then(|v| named(graph, v, TOPIC));
                (topic.into_iter().collect(), queue.into_iter().collect())
            }
            _ => continue,
        };
        for source in sources {
            let all = found.entry(source).or_default();
            all.extend(to.iter().map(|node| (*node, r.header)));
        }
    }
    found
}

/// What a value refers to, or whose ARN or name it is.
fn named(graph: &Graph<'_>, value: &Value, class: Class) -> Option<NodeId> {
    let text = value.to_text()?;
    graph.names.referred_in(&text, class).or_else(|| {
        let known = text.known()?;
        let is_it = |own: &str| *known == *own || known.ends_with(&format!(":{own}"));
        let mut all = graph.names.named_so(class, is_it);
        // Of several that are called so, none is meant for sure.
        all.next().filter(|_| all.next().is_none())
    })
}

type Written = (NodeId, Class, &'static str, &'static str, Span);

/// What the policies of resources let anyone write to.
fn written_by_anyone(graph: &Graph<'_>) -> Vec<Written> {
    let project = graph.project;
    let mut found = Vec::new();
    for d in project.documents.iter().filter(|d| d.kind == PolicyKind::Resource) {
        let Some(r) = d.resource.map(|id| &project.resources[id]) else {
            continue;
        };
        let owners: Vec<NodeId> = match &*r.kind {
            "AWS::SQS::QueuePolicy" => listed(graph, r, "Queues", QUEUE),
            "AWS::SNS::TopicPolicy" => listed(graph, r, "Topics", TOPIC),
            "AWS::S3::BucketPolicy" => r
                .get("Bucket")
                .and_then(|v| named(graph, v, BUCKET))
                .into_iter()
                .collect(),
            _ => d.resource.and_then(|id| graph.names.node_of(id)).into_iter().collect(),
        };
        for owner in owners {
            let class = graph.names.of(owner).and_then(|n| n.class);
            let Some((class, name, by)) = WRITTEN.iter().find(|(c, ..)| Some(*c) == class) else {
                continue;
            };
            let Some(action) = catalogue().action(name) else {
                continue;
            };
            let is_about = |s: &&Statement| s.action.as_ref().is_some_and(|c| !c.negated && c.may_name(action));
            let denied = d.statements.iter().filter(is_about).any(|s| {
                let denies = matches!(&s.effect, Some(e) if e.value == Effect::Deny);
                denies && s.conditions.is_empty() && anyone(s).is_some()
            });
            if denied || is_kept_private(graph, owner) {
                continue;
            }
            let open = d.statements.iter().filter(is_about).find_map(|s| {
                let is_open = s.allows() && conditions_of(s).is_empty() && graph.names.is_on(s, owner);
                anyone(s).filter(|_| is_open)
            });
            found.extend(open.map(|span| (owner, *class, *name, *by, span)));
        }
    }
    found
}

fn listed(graph: &Graph<'_>, r: &Resource, property: &str, class: Class) -> Vec<NodeId> {
    let items = r.get(property).into_iter().flat_map(Value::items);
    items.filter_map(|v| named(graph, v, class)).collect()
}

/// The principal of a statement by which it is about anyone.
fn anyone(s: &Statement) -> Option<Span> {
    let principal = s.principal.as_ref().filter(|p| !p.negated)?;
    let star = principal.items.iter().find(|i| is_star(&i.value.text))?;
    Some(star.value.span)
}

/// Whether something may block public access to a bucket.
/// Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage".
fn is_kept_private(graph: &Graph<'_>, bucket: NodeId) -> bool {
    if !graph.names.is_of(bucket, BUCKET) {
        return false;
    }
    let blocks = |settings: &Value| {
        let keeps = |name: &str| settings.get(name).is_some_and(|v| v.as_bool() != Some(false));
        keeps("BlockPublicPolicy") || keeps("RestrictPublicBuckets")
    };
    let mut resources = graph.project.resources.iter_enumerated();
    resources.any(|(id, r)| match &*r.kind {
        "AWS::S3::AccountPublicAccessBlock" => blocks(&r.props),
        "AWS::S3::BucketPublicAccessBlock" => {
            let of = r.get("Bucket").and_then(|v| named(graph, v, BUCKET));
            of.is_none_or(|of| of == bucket) && blocks(&r.props)
        }
        "AWS::S3::Bucket" => {
            let settings = r.get("PublicAccessBlockConfiguration");
            graph.names.node_of(id) == Some(bucket) && settings.is_some_and(blocks)
        }
        _ => false,
    })
}
