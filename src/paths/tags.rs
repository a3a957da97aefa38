//! Grants that ask for tags of the resource, and who may set these tags.
//! IAM User Guide, "Define permissions based on attributes with ABAC authorization".

use super::asking::{asks_for_tags, is_resource_tag};
use super::classes::{Class, POLICY, ROLE, USER};
use super::edge::NeedAt;
use super::grants::Granted;
use super::graph::{Actor, Graph, NodeId};

/// The actions that set tags, where they are not called `TagResource`: by the service of the class.
const TAGGING: &[(&str, &str)] = &[
    ("ec2", "ec2:CreateTags"),
    ("elasticmapreduce", "elasticmapreduce:AddTags"),
    ("s3", "s3:PutBucketTagging"),
    ("sagemaker", "sagemaker:AddTags"),
    ("sqs", "sqs:TagQueue"),
    ("ssm", "ssm:AddTagsToResource"),
];

/// How the tags that a grant asks for are met.
pub(super) struct MetTags {
    /// What sets them, where they are others.
    pub(super) needs: Vec<NeedAt>,
    /// Keys of conditions that the tags of the resource certainly meet.
    pub(super) met: Vec<String>,
}

/// `None` where the resource has other tags, and the actor may not change them.
pub(super) fn tagged<'p>(
    graph: &Graph<'p>,
    actor: &Actor<'p>,
    g: &Granted<'_, 'p>,
    node: NodeId,
    class: Class,
) -> Option<MetTags> {
    let statement = g.grant.statement;
    let mut out = MetTags {
        needs: Vec::new(),
        met: Vec::new(),
    };
    if !asks_for_tags(statement) {
        return Some(out);
    }
    let asking = actor.asking(graph).on(node);
    let is_tag = |key: &str| key.split_once('/').is_some_and(|(kind, _)| is_resource_tag(kind));
    for c in statement.conditions.iter().filter(|c| is_tag(&c.lower_key)) {
        let holds = asking.meets(c);
        if holds.is_yes() {
            out.met.push(c.key.display());
        } else if holds.is_no() {
            let set = actor.granted(graph, &tagging(class), class);
            let mut on = set.iter().filter(|s| actor.is_granted_on(graph, s, node));
            let s = on.find(|s| !asks_for_tags(s.grant.statement) && !actor.is_kept_from(graph, s.action, node))?;
            out.needs.push(s.need(&graph.names, Some(node)));
            out.met.push(c.key.display());
        }
    }
    out.needs.dedup();
    Some(out)
}

fn tagging(class: Class) -> String {
    let other = TAGGING.iter().find(|(service, _)| *service == class.service);
    match (class, other) {
        (ROLE, _) => "iam:TagRole".to_owned(),
        (USER, _) => "iam:TagUser".to_owned(),
        (POLICY, _) => "iam:TagPolicy".to_owned(),
        (_, Some((_, action))) => (*action).to_owned(),
        _ => format!("{}:TagResource", class.service),
    }
}
