//! Data that is encrypted with a KMS key of the repository, and who may decrypt with it.
//! AWS KMS Developer Guide, "Key policies in AWS KMS", "Default key policy".

use super::graph::{AccessNode, Actor, Graph, NodeId};
use super::trust::{Who, who};
use crate::iam::catalogue;
use crate::project::ResourceId;

/// The types with a key, and the property that names it.
const KEYS: &[(&str, &str)] = &[
    ("AWS::SSM::Parameter", "KeyId"),
    ("AWS::SecretsManager::Secret", "KmsKeyId"),
];

/// Finds the keys, so that each of this data is asked for by itself.
pub(super) fn guard(graph: &mut Graph<'_>) {
    let mut found: Vec<(NodeId, ResourceId)> = Vec::new();
    for (node, n) in graph.nodes.iter_enumerated() {
        let AccessNode::Resource(id) = n else { continue };
        let r = &graph.project.resources[*id];
        let property = KEYS.iter().find(|(kind, _)| *kind == &*r.kind);
        let value = property.and_then(|(_, property)| r.get(property));
        let target = value.and_then(|v| v.as_hole()?.target.as_ref());
        if let Some((key, r)) = target.and_then(|t| graph.project.resource_at(t))
            && &*r.kind == "AWS::KMS::Key"
        {
            found.push((node, key));
        }
    }
    for (node, key) in found {
        graph.guarded.entry(node).or_default();
        graph.keys.insert(node, key);
    }
}

/// Whether the key of data certainly keeps an identity from reading it: neither the key's policy nor, where that leaves it to
/// the account, the identity's own policies allow `kms:Decrypt`.
pub(super) fn keep_from(graph: &Graph<'_>, actor: &Actor<'_>, node: NodeId) -> bool {
    let (Some(key), Some(decrypt)) = (graph.keys.get(&node), catalogue().action("kms:Decrypt")) else {
        return false;
    };
    let project = graph.project;
    let granted = actor.effective.grants_of(decrypt).next().is_some();
    let mut documents = project.documents.iter().filter(|d| d.resource == Some(*key)).peekable();
    if documents.peek().is_none() {
        // The default policy leaves it to the account; a policy that is set elsewhere is not known.
        return !granted && !graph.project.resources[*key].has("KeyPolicy") && !has_policy_resource(graph);
    }
    let allows = documents.flat_map(|d| &d.statements).any(|s| {
        if !s.allows() {
            return false;
        }
        let names = s.action.as_ref().is_none_or(|c| c.negated || c.may_name(decrypt));
        let Some(principal) = s.principal.as_ref().filter(|p| !p.negated) else {
            return true;
        };
        let home = graph.names.home(actor.deployment);
        let lets_in = |who: Option<Who>| match who {
            Some(Who::Named(named)) => named == actor.node,
            Some(Who::Account) => granted,
            Some(Who::OtherAccount(_) | Who::Elsewhere(..) | Who::Service(_) | Who::Provider(_)) => false,
            Some(Who::Everyone) | None => true,
        };
        names
            && principal
                .items
                .iter()
                .any(|i| lets_in(who(project, &graph.names, i, home)))
    });
    !allows
}

/// Whether some key has its policy in a resource of its own.
fn has_policy_resource(graph: &Graph<'_>) -> bool {
    let mut resources = graph.project.resources.iter();
    resources.any(|r| &*r.type_name == "aws_kms_key_policy")
}
