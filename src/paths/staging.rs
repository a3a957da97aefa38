//! Where the code or the input of what is started lies, if someone puts it there on the way.
//!
//! It changes how a path is shown, and not which paths there are: the hop is possible through something else, too.

use super::classes::class_of;
use super::edge::Edge;
use super::graph::{Actor, Graph, NodeId};
use super::names::ActionTargets;

/// A place of code or input, and what puts it there.
struct Stage {
    kind: &'static str,
    puts: &'static [&'static str],
    by: &'static str,
}

const BUCKET: Stage = Stage {
    kind: "AWS::S3::Bucket",
    puts: &["s3:PutObject"],
    by: "puts the code into the bucket",
};
const TABLE: Stage = Stage {
    kind: "AWS::DynamoDB::Table",
    puts: &["dynamodb:PutItem", "dynamodb:UpdateItem"],
    by: "writes to the table whose stream starts the function",
};

/// The actions that take code or input from such a place.
const STAGED: &[(&str, &Stage)] = &[
    ("braket:CreateJob", &BUCKET),
    ("elasticmapreduce:RunJobFlow", &BUCKET),
    ("emr-serverless:StartJobRun", &BUCKET),
    ("glue:CreateJob", &BUCKET),
    ("glue:UpdateJob", &BUCKET),
    ("lambda:CreateEventSourceMapping", &TABLE),
    ("sagemaker:CreateProcessingJob", &BUCKET),
    ("sagemaker:CreateTrainingJob", &BUCKET),
];

/// The edge, with the one place of the repository that the caller may write to in between.
pub(super) fn staged(graph: &Graph<'_>, edge: &Edge) -> Vec<Edge> {
    let stage = edge
        .needs
        .iter()
        .find_map(|n| STAGED.iter().find(|(action, _)| *action == n.action));
    let put = stage.and_then(|(_, stage)| put(graph, edge.from, stage));
    match put {
        Some((put, node)) => vec![
            put,
            Edge {
                from: node,
                ..edge.clone()
            },
        ],
        None => vec![edge.clone()],
    }
}

fn put(graph: &Graph<'_>, from: NodeId, stage: &Stage) -> Option<(Edge, NodeId)> {
    let actor = Actor::new(graph, graph.identity(from)?);
    let class = class_of(stage.kind)?;
    for action in stage.puts {
        for g in actor.granted(graph, action, class) {
            let nodes = match &g.targets {
                ActionTargets::All => graph.names.all(class, actor.deployment),
                ActionTargets::Caller => continue,
                ActionTargets::These(nodes) => nodes,
            };
            let [node] = *nodes else { continue };
            if actor.is_kept_from(graph, g.action, node) {
                continue;
            }
            // What is unknown of the caller is on the hop that starts what is put there.
            let edge = Edge {
                unknown: Vec::new(),
                ..actor.edge(graph, &g, Some(node), stage.by)
            };
            return Some((edge, node));
        }
    }
    None
}
