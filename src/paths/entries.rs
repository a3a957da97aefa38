//! What anyone on the internet can call.
//! AWS Lambda Developer Guide, "Control access to Lambda function URLs".

use super::classes::FUNCTION;
use super::edge::{Edge, NeedAt};
use super::graph::{AccessNode, Graph, NodeId};
use super::routes;
use crate::iam::arn::{Arn, is_account_id};
use crate::iam::pattern::is_star;
use crate::model::Resource;
use crate::source::Span;
use crate::value::Value;

pub(super) fn add(graph: &mut Graph<'_>) {
    let mut found: Vec<(NodeId, &'static str, &'static str, Span)> = Vec::new();
    let mut shared: Vec<(NodeId, String)> = Vec::new();
    let mut changed: Vec<(String, Vec<NodeId>, Span)> = Vec::new();
    for (node, span) in routes::open(graph) {
        found.push((
            node,
            "lambda:InvokeFunction",
            "calls an API that runs the function",
            span,
        ));
    }
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
                changed.extend(other_account(graph, r));
                shared.extend(shared_functions(graph, r));
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
    graph.shared.extend(shared);
    let found = found.into_iter().map(|entry| (AccessNode::Public, entry));
    let changed = changed.into_iter().flat_map(|(account, nodes, span)| {
        let by = "changes the code of the function";
        let entry = move |node| {
            (
                AccessNode::Account(account.clone()),
                (node, "lambda:UpdateFunctionCode", by, span),
            )
        };
        nodes.into_iter().map(entry)
    });
    let all: Vec<_> = found.chain(changed).collect();
    for (who, (node, action, by, span)) in all {
        let from = graph.outside(who);
        graph.push(Edge::new(from, node, by, vec![NeedAt::on_end(action, span)]));
    }
}

/// The functions that a permission gives to an account or identity, and the action.
fn shared_functions(graph: &Graph<'_>, r: &Resource) -> Vec<(NodeId, String)> {
    let of_service = |v: &Value| v.as_str().is_some_and(|p| p.ends_with(".amazonaws.com"));
    let action = r.get("Action").and_then(Value::as_str);
    match (action, r.get("Principal")) {
        (Some(action), Some(principal)) if !of_service(principal) => functions(graph, r, "FunctionName")
            .into_iter()
            .map(|node| (node, action.to_string()))
            .collect(),
        _ => Vec::new(),
    }
}

/// Another account that may change the code of a function.
/// AWS Lambda Developer Guide, "Granting Lambda function access to other accounts".
fn other_account(graph: &Graph<'_>, r: &Resource) -> Option<(String, Vec<NodeId>, Span)> {
    let action = r.get("Action")?.as_str()?;
    let principal = r.get("Principal")?;
    let text = principal.as_text()?;
    let account = match Arn::parse(text) {
        Some(arn) => arn.account.known()?,
        None => text.known()?,
    };
    let own = &graph.project.own;
    let is_ours = own.accounts.contains_key(&*account) || own.trusted_accounts.contains_key(&*account);
    let changes = ["lambda:UpdateFunctionCode", "lambda:*", "*"].contains(&&*action);
    let other = changes && is_account_id(&account) && !is_ours;
    other.then(|| (account.to_string(), functions(graph, r, "FunctionName"), principal.span))
}

/// The functions of the repository that a property names.
pub(super) fn functions(graph: &Graph<'_>, r: &Resource, property: &str) -> Vec<NodeId> {
    r.get(property).map_or_else(Vec::new, |v| functions_in(graph, v))
}

/// The functions that a value names: their ARN or name, or the address by which an API calls them.
pub(super) fn functions_in(graph: &Graph<'_>, value: &Value) -> Vec<NodeId> {
    let Some(text) = value.to_text() else {
        return Vec::new();
    };
    let referred = text
        .holes()
        .filter_map(|h| graph.project.resource_at(h.target.as_ref()?));
    let mut nodes: Vec<NodeId> = referred.filter_map(|(id, _)| graph.names.node_of(id)).collect();
    if nodes.is_empty()
        && let Some(name) = text.known()
    {
        let own = |n: &NodeId| {
            let named = graph.names.of(*n).and_then(|n| n.name.as_ref()?.known());
            let name = name.trim_end_matches("/invocations");
            named.is_some_and(|own| name == own || name.ends_with(&format!(":function:{own}")))
        };
        nodes = graph.names.every(FUNCTION).filter(own).collect();
    }
    nodes
}
