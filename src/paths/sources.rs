//! Code and images that something runs the next time: who replaces them runs as its role.
//! Amazon ECR User Guide, "Pushing an image"; AWS Glue API Reference, "JobCommand"; AWS CodeBuild API Reference, "ProjectSource".

use super::classes::{BUCKET, Class, GIT, IMAGES, class_of};
use super::edge::{Edge, NeedAt};
use super::grants::Granted;
use super::graph::{AccessNode, Actor, Graph, Hub, NodeId};
use super::launching::at;
use super::names::ActionTargets;
use crate::iam::arn::Arn;
use crate::iam::glob::CaseSensitivity;
use crate::iam::pattern::Pattern;
use crate::source::{Piece, Span, Text};
use crate::value::Value;

/// The types that run an image whose tag may move, and the property with the image.
const RUNS_IMAGE: &[(&str, &str)] = &[
    ("AWS::AppRunner::Service", "SourceConfiguration"),
    ("AWS::Batch::JobDefinition", "ContainerProperties"),
    ("AWS::CodeBuild::Project", "Environment"),
    ("AWS::ECS::TaskDefinition", "ContainerDefinitions"),
];

/// So many images of one resource count.
const MAX_IMAGES: usize = 16;

/// A type that runs what lies in a bucket, and the property that says where.
struct Script {
    kind: &'static str,
    at: &'static [&'static str],
    by: &'static str,
}

const SCRIPTS: &[Script] = &[
    Script {
        kind: "AWS::Glue::Job",
        at: &["Command", "ScriptLocation"],
        by: "replaces the script that the job runs",
    },
    Script {
        kind: "AWS::CodeBuild::Project",
        at: &["Source", "Location"],
        by: "replaces the source that the project builds",
    },
];

/// From repositories to what runs the images and builds the sources in them.
pub(super) fn add_runs(graph: &mut Graph<'_>) {
    let mut found: Vec<(NodeId, NodeId, &'static str, Span)> = Vec::new();
    for (node, n) in graph.nodes.iter_enumerated() {
        let AccessNode::Resource(id) = n else { continue };
        let r = &graph.project.resources[*id];
        let image = RUNS_IMAGE.iter().find(|(kind, _)| *kind == &*r.kind);
        if let Some(value) = image.and_then(|(_, property)| r.get(property)) {
            found.extend(
                images(graph, value)
                    .into_iter()
                    .map(|(of, at)| (of, node, "has the image that runs there", at)),
            );
        }
        let source = (&*r.kind == "AWS::CodeBuild::Project")
            .then(|| at(&r.props, &["Source", "Location"]))
            .flatten();
        let of = source.and_then(|v| Some((repository(graph, &v.to_text()?, GIT)?, v.span)));
        found.extend(of.map(|(of, at)| (of, node, "has the source that is built there", at)));
    }
    for (from, to, by, at) in found {
        graph.push(Edge::new(from, to, by, vec![NeedAt::declared(at)]));
    }
}

pub(super) fn add<'p>(graph: &mut Graph<'p>, actor: &Actor<'p>, scripts: &[ScriptOf]) {
    let images = actor.granted(graph, "ecr:PutImage", IMAGES);
    let layers = actor.granted(graph, "ecr:UploadLayerPart", IMAGES);
    let hub = Hub::All(IMAGES, actor.deployment);
    graph.add_targets(actor, &images, &hub, IMAGES, &|graph, g, node| {
        let on = |l: &&Granted<'_, 'p>| match node {
            Some(node) => actor.is_granted_on(graph, l, node),
            None => matches!(l.targets, ActionTargets::All),
        };
        let layer = layers.iter().find(on)?;
        let mut edge = actor.edge(graph, g, node, "pushes an image to the repository");
        edge.needs.push(layer.need(&graph.names, node));
        Some(edge)
    });
    let pushes = actor.granted(graph, "codecommit:GitPush", GIT);
    let hub = Hub::All(GIT, actor.deployment);
    graph.add_targets(actor, &pushes, &hub, GIT, &|graph, g, node| {
        Some(actor.edge(graph, g, node, "pushes code to the repository"))
    });
    add_scripts(graph, actor, scripts);
}

/// Something that runs a script of a bucket.
pub(super) struct ScriptOf {
    runs: NodeId,
    by: &'static str,
    bucket: NodeId,
    key: Option<String>,
    span: Span,
}

pub(super) fn scripts(graph: &Graph<'_>) -> Vec<ScriptOf> {
    let mut found = Vec::new();
    for script in SCRIPTS {
        let Some(class) = class_of(script.kind) else { continue };
        for runs in graph.names.every(class) {
            let AccessNode::Resource(id) = graph.nodes[runs] else {
                continue;
            };
            let place = at(&graph.project.resources[id].props, script.at);
            let object = place.and_then(|v| Some((object(graph, &v.to_text()?)?, v.span)));
            found.extend(object.map(|((bucket, key), span)| ScriptOf {
                runs,
                by: script.by,
                bucket,
                key,
                span,
            }));
        }
    }
    found
}

/// To what runs a script of a bucket that the actor may write to.
fn add_scripts<'p>(graph: &mut Graph<'p>, actor: &Actor<'p>, scripts: &[ScriptOf]) {
    let puts = actor.granted(graph, "s3:PutObject", BUCKET);
    let mut found = Vec::new();
    for script in scripts.iter().filter(|_| !puts.is_empty()) {
        let covers = |g: &&Granted<'_, 'p>| {
            actor.is_granted_on(graph, g, script.bucket)
                && is_on_key(graph, g, script.bucket, script.key.as_deref())
                && !actor.is_kept_from(graph, g.action, script.bucket)
        };
        if let Some(g) = puts.iter().find(covers) {
            let mut edge = actor.edge(graph, g, Some(script.bucket), script.by);
            edge.to = script.runs;
            edge.needs.push(NeedAt::declared(script.span));
            found.push(edge);
        }
    }
    found.into_iter().for_each(|e| graph.push(e));
}

/// Whether a grant on a bucket is on an object of it; without a key, on every object.
fn is_on_key(graph: &Graph<'_>, g: &Granted<'_, '_>, bucket: NodeId, key: Option<&str>) -> bool {
    let Some(item) = graph.names.item_on(g.grant.statement, BUCKET, Some(bucket)) else {
        return g.grant.statement.resource.as_ref().is_some_and(|c| c.negated);
    };
    let Some(arn) = Arn::parse(&item.text) else {
        return true;
    };
    let shown = arn.resource.to_text().display();
    match (shown.split_once('/'), key) {
        (Some((_, "*")), _) => true,
        (Some((_, objects)), Some(key)) => {
            let pattern = Pattern::new(&Text::synthetic(objects, item.span), CaseSensitivity::Sensitive);
            pattern.matches(key, CaseSensitivity::Sensitive).is_yes()
        }
        (None, _) => shown.ends_with('*'),
        (Some(_), None) => false,
    }
}

/// The bucket and the key of `s3://bucket/key` or `bucket/key`.
fn object(graph: &Graph<'_>, text: &Text) -> Option<(NodeId, Option<String>)> {
    let known = text.known();
    let known = known.as_deref().map(|t| t.trim_start_matches("s3://"));
    let named = |name: &str| graph.names.named_so(BUCKET, |own| own == name).next();
    let bucket = graph.names.referred_in(text, BUCKET);
    let bucket = bucket.or_else(|| named(known?.split_once('/')?.0))?;
    let key = match known {
        Some(known) => known.split_once('/').map(|(_, key)| key.to_owned()),
        None => match text.pieces().last() {
            Some(Piece::Lit(end)) => end.text.split_once('/').map(|(_, key)| key.to_owned()),
            _ => None,
        },
    };
    Some((bucket, key))
}

/// The repositories of the images that a value names, but for images that are named by their digest.
fn images(graph: &Graph<'_>, value: &Value) -> Vec<(NodeId, Span)> {
    let mut out: Vec<(NodeId, Span)> = Vec::new();
    value.each_text(&mut |v| {
        let image = v.to_text().filter(|t| !t.display().contains("@sha256:"));
        let of = image.and_then(|t| repository(graph, &t, IMAGES));
        if let Some(of) = of.filter(|of| out.len() <= MAX_IMAGES && out.iter().all(|(known, _)| known != of)) {
            out.push((of, v.span));
        }
    });
    out
}

/// The repository that a text refers to, or names in the address of a registry.
fn repository(graph: &Graph<'_>, text: &Text, class: Class) -> Option<NodeId> {
    graph.names.referred_in(text, class).or_else(|| {
        let known = text.known()?;
        let name = match class {
            IMAGES => known
                .split_once(".dkr.ecr.")?
                .1
                .split_once('/')?
                .1
                .split([':', '@'])
                .next()?,
            _ => known.split_once("git-codecommit.")?.1.rsplit('/').next()?,
        };
        graph.names.named_so(class, |own| own == name).next()
    })
}
