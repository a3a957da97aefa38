//! REST APIs and their resource policies. SAM Developer Guide, "AWS::Serverless::Api", "ResourcePolicyStatement".

use crate::formats::cloudformation::emit::resources::Base;
use crate::formats::cloudformation::eval::text::arn;
use crate::model::Resource;
use crate::source::Text;
use crate::value::{MapEntry, Value, ValueKind};

use crate::formats::cloudformation::emit::sam::Sam;
use crate::formats::cloudformation::emit::sam::events::invoke;
use crate::formats::cloudformation::emit::sam::props::{SamProperties, arn_part, document, map, resource};

impl Sam<'_, '_> {
    pub(super) fn api(&self, base: &Base, mut props: SamProperties, out: &mut Vec<Resource>) {
        let refused = |a: &Value| a.get("DisableFunctionDefaultPermissions").and_then(Value::as_bool) == Some(true);
        self.authorizers(base, &props, &|a| !refused(a), out);
        props.rename("DefinitionBody", "Body");
        props.rename("DefinitionUri", "BodyS3Location");
        if let Some(policy) = props.get("Auth").and_then(|a| a.entry("ResourcePolicy")).cloned() {
            // Under `Auth` it would be found a second time.
            if let Some(auth) = props.take("Auth") {
                let rest = auth.value.entries().unwrap_or(&[]).iter();
                let rest: Vec<MapEntry> = rest.filter(|e| e.key_span != policy.key_span).cloned().collect();
                props.push("Auth", auth.key_span, Value::map(rest, auth.value.span));
            }
            if let Some(document) = resource_policy(&policy) {
                props.push("Policy", policy.key_span, document);
            }
        }
        out.push(self.make_resource("AWS::ApiGateway::RestApi", &base.id, base, props));
    }

    /// SAM Developer Guide, "AWS::Serverless::HttpApi".
    pub(super) fn http_api(&self, base: &Base, props: SamProperties, out: &mut Vec<Resource>) {
        let asked = |a: &Value| a.get("EnableFunctionDefaultPermissions").and_then(Value::as_bool) == Some(true);
        self.authorizers(base, &props, &asked, out);
        out.push(self.make_resource("AWS::ApiGatewayV2::Api", &base.id, base, props));
    }

    /// SAM Developer Guide, "AWS::Serverless::WebSocketApi": each route may invoke its function.
    pub(super) fn web_socket_api(&self, base: &Base, props: SamProperties, out: &mut Vec<Resource>) {
        let routes = props.get("Routes").and_then(Value::entries).unwrap_or(&[]);
        for route in routes {
            let Some(function) = route.value.get("FunctionArn") else {
                continue;
            };
            let at = route.key_span;
            let mut source = arn("arn:%partition:execute-api:%region:%account:", at);
            source.append(&arn_part(
                Some(&resource(self.template.target(&base.id, "ApiId"), at)),
                "api",
                at,
            ));
            source.append(&Text::synthetic("/*/", at));
            source.append(&arn_part(Some(&Value::text(route.key.clone(), at)), "route", at));
            let mut permission = invoke(function.clone(), "apigateway.amazonaws.com", at);
            permission.push("SourceArn", at, Value::text(source, at));
            let id = format!("{}{}Permission", base.id, route.key.display());
            out.push(self.at_event("AWS::Lambda::Permission", &id, base, route, permission));
        }
        out.push(self.make_resource("AWS::ApiGatewayV2::Api", &base.id, base, props));
    }

    /// The API may invoke those of its authorizers that are functions, where it `gets` a permission.
    fn authorizers(&self, base: &Base, props: &SamProperties, gets: &dyn Fn(&Value) -> bool, out: &mut Vec<Resource>) {
        let authorizers = props.get("Auth").and_then(|a| a.get("Authorizers"));
        for authorizer in authorizers.and_then(Value::entries).unwrap_or(&[]) {
            let Some(function) = authorizer.value.get("FunctionArn").filter(|_| gets(&authorizer.value)) else {
                continue;
            };
            let at = authorizer.key_span;
            let mut source = arn("arn:%partition:execute-api:%region:%account:", at);
            source.append(&arn_part(
                Some(&resource(self.template.target(&base.id, ""), at)),
                "api",
                at,
            ));
            source.append(&Text::synthetic("/authorizers/*", at));
            let mut permission = invoke(function.clone(), "apigateway.amazonaws.com", at);
            permission.push("SourceArn", at, Value::text(source, at));
            let id = format!("{}{}AuthorizerPermission", base.id, authorizer.key.display());
            out.push(self.at_event("AWS::Lambda::Permission", &id, base, authorizer, permission));
        }
    }
}

/// The statements that are written, and those that name accounts. The lists of address ranges and VPCs become an Allow for
/// everyone with Denies around it, which in sum is what the list says: they add nothing that a rule could say better.
fn resource_policy(policy: &MapEntry) -> Option<Value> {
    let at = policy.key_span;
    let mut statements = Vec::new();
    if let Some(written) = policy.value.get("CustomStatements") {
        statements.extend(written.items().iter().cloned());
    }
    for (list, effect) in [("AwsAccountWhitelist", "Allow"), ("AwsAccountBlacklist", "Deny")] {
        if let Some(accounts) = policy.value.entry(list) {
            let principal = MapEntry::synthetic("AWS", accounts.key_span, accounts.value.clone());
            let principal = Value::new(ValueKind::Map(vec![principal].into()), accounts.value.span);
            let made = |text: &str| Value::synthetic(text, accounts.key_span);
            statements.push(map(
                vec![
                    ("Effect", made(effect)),
                    ("Action", made("execute-api:Invoke")),
                    ("Resource", made("execute-api:/*")),
                    ("Principal", principal),
                ],
                accounts.key_span,
            ));
        }
    }
    if statements.is_empty() {
        return None;
    }
    Some(document(statements, at))
}
