//! Methods and routes of API Gateway that ask nobody who they are.

use std::collections::BTreeMap;

use super::settings::{Push, says};
use crate::model::Resource;
use crate::rules::Context;
use crate::source::Target;
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
        if let Some(v) = r.get("AuthorizationType").filter(|v| says(v, "NONE")) {
            push(
                "apigw-method-no-auth",
                "anybody may call this method",
                v.span,
                "no authorisation",
            );
        }
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
