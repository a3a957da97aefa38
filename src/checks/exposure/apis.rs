//! Methods and routes of API Gateway that ask nobody who they are.

use std::collections::BTreeMap;

use super::settings::{Push, says};
use crate::model::Resource;
use crate::rules::Context;
use crate::source::{Span, Target};
use crate::value::Value;

/// The APIs of a project, by scope and name.
pub(super) struct Apis<'a> {
    by_address: BTreeMap<(&'a str, &'a str), &'a Resource>,
    /// With a resource policy that is a resource of its own.
    policed: Vec<&'a Target>,
}

impl<'a> Apis<'a> {
    pub(super) fn new(cx: &Context<'a>) -> Self {
        let apis = || {
            let kinds = ["AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"];
            cx.project.resources.iter().filter(move |r| kinds.contains(&&*r.kind))
        };
        Self {
            by_address: apis().map(|r| ((&*r.address.scope, &*r.address.name), r)).collect(),
            policed: apis()
                .filter(|r| has_policy(r))
                .filter_map(|r| target(r, "RestApiId"))
                .collect(),
        }
    }

    pub(super) fn method(&self, r: &Resource, push: Push<'_>) {
        let key = r.get("RouteKey").and_then(Value::as_str);
        let options = r.get("HttpMethod").is_some_and(|m| says(m, "OPTIONS"))
            || key.as_ref().is_some_and(|k| k.starts_with("OPTIONS"));
        let keyed = r.get("ApiKeyRequired").and_then(Value::as_bool) == Some(true);
        if options || keyed || key.is_some_and(|k| !self.asks(r, &k)) || self.closed(r) {
            return;
        }
        let rule = "apigw-method-no-auth";
        let message = "anybody may call this method";
        match r.get("AuthorizationType") {
            Some(v) if says(v, "NONE") => push(rule, message, v.span, "no authorization"),
            Some(_) => {}
            // The default of a route. API Gateway Developer Guide, "Control and manage access to HTTP APIs in API Gateway".
            None if &*r.kind == "AWS::ApiGatewayV2::Route" && !r.has("AuthorizerId") && r.has("RouteKey") => {
                push(rule, message, r.header, "no authorization is the default");
            }
            None => {
                if let Some(span) = r.get("SamEvent").and_then(|event| self.open_event(r, event)) {
                    push(rule, message, span, "no authorizer");
                }
            }
        }
    }

    /// Where an event of a SAM function says, or leaves it to the API and to Globals to say, that anybody may call.
    /// SAM Developer Guide, "ApiFunctionAuth" and "HttpApiFunctionAuth".
    fn open_event(&self, r: &Resource, event: &Value) -> Option<Span> {
        let auth = event.get("Auth");
        if let Some(authorizer) = auth.and_then(|a| a.get("Authorizer")) {
            return says(authorizer, "NONE").then_some(authorizer.span);
        }
        let keyed = |auth: &Value| auth.get("ApiKeyRequired").and_then(Value::as_bool) == Some(true);
        if auth.is_some_and(|a| keyed(a) || a.is_unknown()) {
            return None;
        }
        let props = match ["RestApiId", "ApiId"].iter().find_map(|name| event.get(name)) {
            Some(_) => &self.api(r, "RestApiId").or_else(|| self.api(r, "ApiId"))?.props,
            None => r.get("Globals")?,
        };
        // An OpenAPI document has its own security schemes.
        if ["Body", "BodyS3Location", "DefinitionBody", "DefinitionUri"]
            .iter()
            .any(|name| props.get(name).is_some())
        {
            return None;
        }
        let default = props.get("Auth").and_then(|a| a.get("DefaultAuthorizer"));
        let open = default.is_none_or(|d| says(d, "NONE")) && !props.get("Auth").is_some_and(keyed);
        let private = props
            .get("EndpointConfiguration")
            .is_some_and(|e| says(e, "PRIVATE") || e.get("Type").is_some_and(|t| says(t, "PRIVATE")));
        let policed =
            props.get("Auth").is_some_and(|a| a.get("ResourcePolicy").is_some()) || props.get("Policy").is_some();
        (open && !private && !policed).then_some(r.header)
    }

    /// Whether authorisation can be set on the route. The routes of an HTTP API have a method and a path; a WebSocket API
    /// asks at `$connect` only. Both have a `$default`. API Gateway Developer Guide, "Control and manage access to
    /// WebSocket APIs".
    fn asks(&self, route: &Resource, key: &str) -> bool {
        match key {
            "$connect" => true,
            "$default" => self
                .api(route, "ApiId")
                .and_then(|api| api.get("ProtocolType"))
                .is_some_and(|p| says(p, "HTTP")),
            _ => key.contains(' '),
        }
    }

    /// A private API is behind VPC endpoints, and who may call one with a resource policy is that policy's matter. API
    /// Gateway Developer Guide, "How API Gateway resource policies affect authorization workflow".
    fn closed(&self, method: &Resource) -> bool {
        let named = target(method, "RestApiId");
        let Some(api) = self.api(method, "RestApiId") else {
            return false;
        };
        let private = api
            .get("EndpointConfiguration")
            .into_iter()
            .flat_map(Value::items)
            .filter_map(|c| c.get("Types"))
            .flat_map(Value::items)
            .any(|t| says(t, "PRIVATE"));
        private
            || has_policy(api)
            || self
                .policed
                .iter()
                .any(|t| named.is_some_and(|n| (&t.scope, &t.address) == (&n.scope, &n.address)))
    }

    fn api(&self, r: &Resource, property: &str) -> Option<&'a Resource> {
        let target = target(r, property)?;
        self.by_address.get(&(&*target.scope, &*target.address)).copied()
    }
}

fn has_policy(api: &Resource) -> bool {
    api.get("Policy").is_some_and(|p| !p.is_null())
}

fn target<'a>(r: &'a Resource, property: &str) -> Option<&'a Target> {
    r.get(property)?.as_hole()?.target.as_ref()
}
