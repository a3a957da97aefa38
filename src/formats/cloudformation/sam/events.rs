//! Event sources of functions: the permissions and mappings that they become.
//! SAM Developer Guide, "EventSource"; the SAM translator's own ARNs.

use crate::formats::cloudformation::resources::Base;
use crate::formats::cloudformation::text;
use crate::model::Resource;
use crate::source::{Hole, HoleKind, Span, Text};
use crate::value::{Entry, Value};

use super::Sam;
use super::props::{Props, arn, resource};

/// The AWS managed policies that the function's role gets for polled sources, without doubles.
pub(super) fn managed_policies(events: &[Entry]) -> Vec<&'static str> {
    let mut out = Vec::new();
    for event in events {
        let policy = match kind_of(event).as_deref() {
            Some("SQS") => "service-role/AWSLambdaSQSQueueExecutionRole",
            Some("Kinesis") => "service-role/AWSLambdaKinesisExecutionRole",
            Some("DynamoDB") => "service-role/AWSLambdaDynamoDBExecutionRole",
            Some("MSK") => "service-role/AWSLambdaMSKExecutionRole",
            _ => continue,
        };
        if !out.contains(&policy) {
            out.push(policy);
        }
    }
    out
}

fn kind_of(event: &Entry) -> Option<String> {
    Some(event.value.get("Type")?.as_str()?.into_owned())
}

impl Sam<'_, '_> {
    pub(super) fn events(&self, base: &Base, events: &[Entry], out: &mut Vec<Resource>) {
        for event in events {
            let Some(kind) = kind_of(event) else { continue };
            let empty = Value::map(Vec::new(), event.key_span);
            let props = event.value.get("Properties").unwrap_or(&empty);
            out.extend(match &*kind {
                "SQS" | "Kinesis" | "DynamoDB" | "MSK" | "MQ" | "DocumentDB" => self.mapping(base, event, props),
                "SelfManagedKafka" => self.mapping(base, event, props),
                _ => self.permission(base, event, &kind, props),
            });
        }
    }

    fn mapping(&self, base: &Base, event: &Entry, written: &Value) -> Option<Resource> {
        let at = event.key_span;
        let mut props = Props {
            entries: written.entries().unwrap_or(&[]).to_vec(),
        };
        for name in ["Queue", "Stream", "Broker", "Cluster"] {
            props.rename(name, "EventSourceArn");
        }
        props.push("FunctionName", at, resource(self.template.target(&base.id, ""), at));
        let id = format!("{}{}", base.id, event.key.display());
        Some(self.at_event("AWS::Lambda::EventSourceMapping", &id, base, event, props))
    }

    fn permission(&self, base: &Base, event: &Entry, kind: &str, written: &Value) -> Option<Resource> {
        let at = event.key_span;
        let id = format!("{}{}", base.id, event.key.display());
        let account = || Value::text(arn("%account", at), at);
        let rule = || resource(self.template.target(&id, "Arn"), at);
        let mut token = None;
        let (principal, source, source_account) = match kind {
            "Schedule" | "CloudWatchEvent" | "EventBridgeRule" => ("events.amazonaws.com", Some(rule()), None),
            "CloudWatchLogs" => {
                let mut source = arn("arn:%partition:logs:%region:%account:log-group:", at);
                source.append(&part(written.get("LogGroupName"), "LogGroupName", at));
                source.append(&Text::made(":*", at));
                ("logs.amazonaws.com", Some(Value::text(source, at)), None)
            }
            "S3" => ("s3.amazonaws.com", None, Some(account())),
            "SNS" => ("sns.amazonaws.com", written.get("Topic").cloned(), None),
            "Api" => (
                "apigateway.amazonaws.com",
                Some(self.api_source(written, at, "RestApiId", "ServerlessRestApi")),
                None,
            ),
            "HttpApi" => (
                "apigateway.amazonaws.com",
                Some(self.api_source(written, at, "ApiId", "ServerlessHttpApi")),
                None,
            ),
            "AlexaSkill" => {
                token = written.get("SkillId").cloned();
                ("alexa-appkit.amazon.com", None, None)
            }
            "IoTRule" => {
                let mut source = arn("arn:%partition:iot:%region:%account:rule/", at);
                let rule = Hole::new(HoleKind::Resource, id.as_str(), at).to(self.template.target(&id, ""));
                source.append(&Text::hole(rule));
                ("iot.amazonaws.com", Some(Value::text(source, at)), Some(account()))
            }
            "Cognito" => ("cognito-idp.amazonaws.com", written.get("UserPool").cloned(), None),
            _ => return None,
        };
        let mut props = Props { entries: Vec::new() };
        props.push("Action", at, Value::made("lambda:InvokeFunction", at));
        props.push("FunctionName", at, resource(self.template.target(&base.id, ""), at));
        props.push("Principal", at, Value::made(principal, at));
        let optional = [
            ("SourceArn", source),
            ("SourceAccount", source_account),
            ("EventSourceToken", token),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                props.push(name, at, value);
            }
        }
        Some(self.at_event(
            "AWS::Lambda::Permission",
            &format!("{id}Permission"),
            base,
            event,
            props,
        ))
    }

    /// `arn:…:execute-api:…:<api>/*/<METHOD><path>`.
    fn api_source(&self, written: &Value, at: Span, api: &str, implicit: &str) -> Value {
        let mut source = arn("arn:%partition:execute-api:%region:%account:", at);
        match written.get(api) {
            Some(id) => source.append(&part(Some(id), api, at)),
            None => {
                let hole = Hole::new(HoleKind::Resource, implicit, at);
                source.append(&Text::hole(hole.to(self.template.target(implicit, ""))));
            }
        }
        let method = written.get("Method").and_then(Value::as_str).unwrap_or("any".into());
        let method = if method.eq_ignore_ascii_case("any") {
            "*".to_owned()
        } else {
            method.to_ascii_uppercase()
        };
        source.append(&Text::made(&format!("/*/{method}"), at));
        source.append(&part(written.get("Path"), "Path", at));
        Value::text(source, at)
    }

    fn at_event(&self, kind: &str, id: &str, base: &Base, event: &Entry, props: Props) -> Resource {
        let mut made = self.made(kind, id, base, props);
        made.header = event.key_span;
        made.extent = event.key_span.cover(event.value.span);
        made
    }
}

/// A value inside an ARN that the translator makes.
fn part(value: Option<&Value>, name: &str, at: Span) -> Text {
    let parts = value.map(|v| text::part(v, at, at));
    match parts.as_deref() {
        Some([only]) => text::placed(&only.text, at),
        _ => text::hole(HoleKind::Other, name, at),
    }
}
