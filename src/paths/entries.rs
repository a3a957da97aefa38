//! What anyone on the internet can call.
//! AWS Lambda Developer Guide, "Control access to Lambda function URLs".

use super::edge::{Edge, NeedAt};
use super::graph::{AccessNode, Graph, NodeId};
use super::names::FUNCTION;
use crate::iam::pattern::is_star;
use crate::model::Resource;
use crate::source::{Span, Text};
use crate::value::{Value, ValueKind};

pub(super) fn add(graph: &mut Graph<'_>) {
    let mut found: Vec<(NodeId, &'static str, &'static str, Span)> = Vec::new();
    for r in graph.project.resources.iter() {
        match &*r.kind {
            "AWS::Lambda::Url" => {
                let Some(open) = r.get("AuthType").filter(|v| v.as_str().as_deref() == Some("NONE")) else {
                    continue;
                };
                for node in functions(graph, r, "TargetFunctionArn") {
                    found.push((
                        node,
                        "lambda:InvokeFunctionUrl",
                        "calls the URL of the function",
                        open.span,
                    ));
                }
            }
            "AWS::Lambda::Permission" => {
                let Some(open) = r.get("Principal").filter(|v| v.as_text().is_some_and(is_star)) else {
                    continue;
                };
                let limited = ["SourceArn", "SourceAccount", "PrincipalOrgID"]
                    .iter()
                    .any(|p| r.has(p));
                let through_url = r.has("FunctionUrlAuthType");
                let invokes = r.get("Action").and_then(Value::as_str);
                if limited || through_url || !invokes.is_some_and(|a| a.contains("Invoke") || a.contains('*')) {
                    continue;
                }
                for node in functions(graph, r, "FunctionName") {
                    found.push((node, "lambda:InvokeFunction", "calls the function", open.span));
                }
            }
            _ => {}
        }
    }
    for (node, action, by, span) in found {
        let from = graph.outside(AccessNode::Public);
        graph.push(Edge {
            from,
            to: node,
            by,
            needs: vec![NeedAt {
                action,
                resource: None,
                span,
            }],
            conditions: Vec::new(),
            unknown: Vec::new(),
        });
    }
}

/// The functions of the repository that a property names.
fn functions(graph: &Graph<'_>, r: &Resource, property: &str) -> Vec<NodeId> {
    let text = r.get(property).and_then(|v| match &v.kind {
        ValueKind::Str(text) => Some(text.clone()),
        ValueKind::Unknown(hole) => Some(Text::hole((**hole).clone())),
        _ => None,
    });
    let Some(text) = text else { return Vec::new() };
    let referred = text
        .holes()
        .filter_map(|h| graph.project.resource_at(h.target.as_ref()?));
    let mut nodes: Vec<NodeId> = referred.filter_map(|(id, _)| graph.names.node_of(id)).collect();
    if nodes.is_empty()
        && let Some(name) = text.known()
    {
        let own = |n: &NodeId| {
            let named = graph.names.of(*n).and_then(|n| n.name.as_ref()?.known());
            named.is_some_and(|own| name == own || name.ends_with(&format!(":function:{own}")))
        };
        nodes = graph.names.every(FUNCTION).filter(own).collect();
    }
    nodes
}
