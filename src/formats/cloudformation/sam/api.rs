//! REST APIs and their resource policies. SAM Developer Guide, "AWS::Serverless::Api", "ResourcePolicyStatement".

use crate::formats::cloudformation::resources::Base;
use crate::model::Resource;
use crate::value::{Entry, Kind, Value};

use super::Sam;
use super::props::{Props, entry, map};

impl Sam<'_, '_> {
    pub(super) fn api(&self, base: &Base, mut props: Props, out: &mut Vec<Resource>) {
        props.rename("DefinitionBody", "Body");
        props.rename("DefinitionUri", "BodyS3Location");
        if let Some(policy) = props.get("Auth").and_then(|a| a.entry("ResourcePolicy")).cloned() {
            // Under `Auth` it would be found a second time.
            if let Some(auth) = props.take("Auth") {
                let rest = auth.value.entries().unwrap_or(&[]).iter();
                let rest: Vec<Entry> = rest.filter(|e| e.key_span != policy.key_span).cloned().collect();
                props.push("Auth", auth.key_span, Value::map(rest, auth.value.span));
            }
            if let Some(document) = resource_policy(&policy) {
                props.push("Policy", policy.key_span, document);
            }
        }
        out.push(self.made("AWS::ApiGateway::RestApi", &base.id, base, props));
    }
}

/// The statements that are written, and those that name accounts. The lists of address ranges and VPCs become an Allow for
/// everyone with Denies around it, which in sum is what the list says: they add nothing that a rule could say better.
fn resource_policy(policy: &Entry) -> Option<Value> {
    let at = policy.key_span;
    let mut statements = Vec::new();
    if let Some(written) = policy.value.get("CustomStatements") {
        statements.extend(written.items().iter().cloned());
    }
    for (list, effect) in [("AwsAccountWhitelist", "Allow"), ("AwsAccountBlacklist", "Deny")] {
        if let Some(accounts) = policy.value.entry(list) {
            let principal = entry("AWS", accounts.key_span, accounts.value.clone());
            let principal = Value::new(Kind::Map(vec![principal].into()), accounts.value.span);
            let made = |text: &str| Value::made(text, accounts.key_span);
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
    Some(map(
        vec![
            ("Version", Value::made("2012-10-17", at)),
            ("Statement", Value::seq(statements, policy.value.span)),
        ],
        at,
    ))
}
