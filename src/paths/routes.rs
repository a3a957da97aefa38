//! Functions that APIs without authorization run.
//! API Gateway Developer Guide, "Control and manage access to REST APIs", "Control and manage access to HTTP APIs".

use std::collections::HashMap;

use super::entries::functions_in;
use super::graph::{Graph, NodeId};
use crate::model::Resource;
use crate::source::Span;
use crate::value::Value;

/// A place in a REST API: where it is declared, the API, the path, and the method.
type RestPlace<'p> = (&'p str, String, String, String);

/// The functions that anyone can run through a route or method, and where that is said.
pub(super) fn open(graph: &Graph<'_>) -> Vec<(NodeId, Span)> {
    let resources = graph.project.resources.iter();
    let integrations: HashMap<RestPlace<'_>, &Value> = resources
        .clone()
        .filter(|r| &*r.kind == "AWS::ApiGateway::Integration")
        .filter_map(|r| Some((place(r)?, r.get("Uri")?)))
        .collect();
    let mut found = Vec::new();
    for r in resources {
        let run: Option<&Value> = match &*r.kind {
            "AWS::ApiGatewayV2::Api" if !is_web_socket(r) => r.get("Target"),
            "AWS::ApiGatewayV2::Route" | "AWS::ApiGateway::Method" if r.has("SamEvent") => {
                r.get("Function").filter(|_| is_open_event(graph, r))
            }
            "AWS::ApiGatewayV2::Route" if is_open(r) && !is_of_web_socket(graph, r) => integration(graph, r),
            "AWS::ApiGateway::Method" if is_open(r) && !has_policy(graph, r) => {
                let own = r.path(&["Integration", "Uri"]);
                own.or_else(|| integrations.get(&place(r)?).copied())
            }
            _ => continue,
        };
        let Some(run) = run else { continue };
        found.extend(functions_in(graph, run).into_iter().map(|node| (node, r.header)));
    }
    found
}

/// Whether a method or route asks for nothing: no authorizer, and no key.
fn is_open(r: &Resource) -> bool {
    let authorization = r.get("AuthorizationType").filter(|v| !v.is_null());
    let none = authorization.is_none_or(|v| v.as_str().as_deref() == Some("NONE"));
    let keyless = r.get("ApiKeyRequired").is_none_or(|v| v.as_bool() == Some(false));
    let is_preflight = r.get("HttpMethod").and_then(Value::as_str).as_deref() == Some("OPTIONS");
    none && keyless && !r.has("AuthorizerId") && !is_preflight
}

/// The same for an event of a function in a SAM template: the event, the API, and Globals may ask.
fn is_open_event(graph: &Graph<'_>, r: &Resource) -> bool {
    let asks = |path: &[&str]| r.path(path).is_some();
    let api = ["RestApiId", "ApiId"].iter().find_map(|p| r.get(p));
    let plain = api.is_none_or(|v| referred(graph, v).is_some_and(|api| !api.has("Auth") && !api.has("Policy")));
    plain && !asks(&["SamEvent", "Auth"]) && !asks(&["Globals", "Auth"])
}

fn is_web_socket(r: &Resource) -> bool {
    r.get("ProtocolType").and_then(Value::as_str).as_deref() == Some("WEBSOCKET")
}

fn is_of_web_socket(graph: &Graph<'_>, r: &Resource) -> bool {
    r.get("ApiId")
        .and_then(|v| referred(graph, v))
        .is_some_and(is_web_socket)
}

fn has_policy(graph: &Graph<'_>, r: &Resource) -> bool {
    let api = r.get("RestApiId").and_then(|v| referred(graph, v));
    api.is_some_and(|api| api.has("Policy"))
}

fn referred<'p>(graph: &Graph<'p>, value: &Value) -> Option<&'p Resource> {
    let (_, r) = graph.project.resource_at(value.as_hole()?.target.as_ref()?)?;
    Some(r)
}

/// What the integration of a route runs: `integrations/ID`.
fn integration<'p>(graph: &Graph<'p>, r: &Resource) -> Option<&'p Value> {
    let target = r.get("Target")?.as_text()?;
    let named = target.holes().filter_map(|h| h.target.as_ref());
    let mut referred = named.filter_map(|t| graph.project.resource_at(t));
    referred.find_map(|(_, r)| r.get("IntegrationUri"))
}

fn place(r: &Resource) -> Option<RestPlace<'_>> {
    let shown = |property: &str| Some(r.get(property)?.to_text()?.display());
    Some((
        &*r.address.scope,
        shown("RestApiId")?,
        shown("ResourceId")?,
        shown("HttpMethod")?,
    ))
}
