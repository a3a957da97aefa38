//! Event sources of functions: the permissions and mappings that they become.
//! SAM Developer Guide, "EventSource"; the SAM translator's own ARNs.

use crate::formats::cloudformation::emit::resources::Base;
use crate::formats::cloudformation::eval::text::arn;
use crate::model::Resource;
use crate::source::{Hole, HoleKind, Span, Text};
use crate::value::{MapEntry, Value};

use crate::formats::cloudformation::emit::sam::Sam;
use crate::formats::cloudformation::emit::sam::props::{SamProperties, allow_service, arn_part, document, resource};

/// The AWS managed policies that the function's role gets for polled sources, without doubles.
pub(super) fn managed_policies(events: &[MapEntry]) -> Vec<&'static str> {
    let mut out = Vec::new();
    for event in events {
        let policy = match kind_of(event).as_deref() {
            Some("SNS") if subscription(event).is_none() => continue,
            Some("SQS" | "SNS") => "service-role/AWSLambdaSQSQueueExecutionRole",
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

/// The queue between a topic and the function, where an SNS event asks for one.
fn subscription(event: &MapEntry) -> Option<&Value> {
    let value = event.value.path(&["Properties", "SqsSubscription"])?;
    (value.as_bool() != Some(false) && !value.is_null()).then_some(value)
}

/// A permission for `principal` to invoke `function`.
pub(super) fn invoke(function: Value, principal: &str, at: Span) -> SamProperties {
    let mut props = SamProperties { entries: Vec::new() };
    props.push("Action", at, Value::synthetic("lambda:InvokeFunction", at));
    props.push("FunctionName", at, function);
    props.push("Principal", at, Value::synthetic(principal, at));
    props
}

pub(super) fn kind_of(event: &MapEntry) -> Option<String> {
    Some(event.value.get("Type")?.as_str()?.into_owned())
}

impl Sam<'_, '_> {
    pub(super) fn events(&self, base: &Base, events: &[MapEntry], out: &mut Vec<Resource>) {
        for event in events {
            let Some(kind) = kind_of(event) else { continue };
            let empty = Value::map(Vec::new(), event.key_span);
            let props = event.value.get("Properties").unwrap_or(&empty);
            out.extend(match &*kind {
                "SQS" | "Kinesis" | "DynamoDB" | "MSK" | "MQ" | "DocumentDB" => self.mapping(base, event, props),
                "SelfManagedKafka" => self.mapping(base, event, props),
                "ScheduleV2" => self.start_role(base, event, &kind, None),
                "SNS" if subscription(event).is_some() => self.queue_subscription(base, event, props),
                _ => self.permission(base, event, &kind, props),
            });
            out.extend(self.dead_letters(base, event, &kind));
            out.extend(self.route(base, event, &kind, props));
        }
    }

    /// The method or route that an event adds to an API; who may call it is decided by the event, the API, and Globals.
    fn route(&self, base: &Base, event: &MapEntry, kind: &str, written: &Value) -> Option<Resource> {
        let (made, global, api) = match kind {
            "Api" => ("AWS::ApiGateway::Method", "Api", "RestApiId"),
            "HttpApi" => ("AWS::ApiGatewayV2::Route", "HttpApi", "ApiId"),
            _ => return None,
        };
        let at = event.key_span;
        let mut props = SamProperties { entries: Vec::new() };
        props.push("SamEvent", at, written.clone());
        props.push("Function", at, resource(self.template.target(&base.id, "Arn"), at));
        if let Some(id) = written.get(api) {
            props.push(api, at, id.clone());
        }
        if let Some(method) = written.get("Method") {
            props.push("HttpMethod", at, method.clone());
        }
        let globals = self.globals.as_ref().and_then(|g| g.get(global)).cloned();
        props.push("Globals", at, globals.unwrap_or_else(|| Value::map(Vec::new(), at)));
        let id = format!("{}{}Route", base.id, event.key.display());
        Some(self.at_event(made, &id, base, event, props))
    }

    /// The policy of the queue that the translator makes for events which could not be delivered.
    pub(super) fn dead_letters(&self, base: &Base, event: &MapEntry, kind: &str) -> Option<Resource> {
        if !matches!(kind, "Schedule" | "CloudWatchEvent" | "EventBridgeRule") {
            return None;
        }
        let config = event.value.path(&["Properties", "DeadLetterConfig"])?;
        config.get("Type").filter(|_| config.get("Arn").is_none())?;
        let at = event.key_span;
        let id = format!("{}{}", base.id, event.key.display());
        let named = config.get("QueueLogicalId").and_then(Value::as_str);
        let queue = named.map_or_else(|| format!("{id}Queue"), |n| n.into_owned());
        let queue = |attribute: &str| resource(self.template.target(&queue, attribute), at);
        let rule = resource(self.template.target(&id, "Arn"), at);
        let statement = allow_service("events.amazonaws.com", "sqs:SendMessage", queue("Arn"), rule, at);
        Some(self.queue_policy(base, event, &format!("{id}QueuePolicy"), queue(""), statement))
    }

    /// A topic that writes to a queue, from which the function reads.
    fn queue_subscription(&self, base: &Base, event: &MapEntry, written: &Value) -> Option<Resource> {
        let at = event.key_span;
        let id = format!("{}{}", base.id, event.key.display());
        let given = |name: &str| subscription(event)?.get(name).cloned();
        let made = |attribute: &str| resource(self.template.target(&format!("{id}Queue"), attribute), at);
        let arn = given("QueueArn").unwrap_or_else(|| made("Arn"));
        let url = given("QueueUrl").unwrap_or_else(|| made(""));
        let statement = allow_service("*", "sqs:SendMessage", arn, written.get("Topic")?.clone(), at);
        Some(self.queue_policy(base, event, &format!("{id}QueuePolicy"), url, statement))
    }

    fn queue_policy(&self, base: &Base, event: &MapEntry, id: &str, queue: Value, statement: Value) -> Resource {
        let at = event.key_span;
        let mut props = SamProperties { entries: Vec::new() };
        props.push("GeneratedFor", at, Value::synthetic("QueuePolicy", at));
        props.push("PolicyDocument", at, document(vec![statement], at));
        props.push("Queues", at, Value::seq(vec![queue], at));
        self.at_event("AWS::SQS::QueuePolicy", id, base, event, props)
    }

    fn mapping(&self, base: &Base, event: &MapEntry, written: &Value) -> Option<Resource> {
        let at = event.key_span;
        let mut props = SamProperties {
            entries: written.entries().unwrap_or(&[]).to_vec(),
        };
        for name in ["Queue", "Stream", "Broker", "Cluster"] {
            props.rename(name, "EventSourceArn");
        }
        props.push("FunctionName", at, resource(self.template.target(&base.id, ""), at));
        let id = format!("{}{}", base.id, event.key.display());
        Some(self.at_event("AWS::Lambda::EventSourceMapping", &id, base, event, props))
    }

    fn permission(&self, base: &Base, event: &MapEntry, kind: &str, written: &Value) -> Option<Resource> {
        let at = event.key_span;
        let id = format!("{}{}", base.id, event.key.display());
        let account = || Value::text(arn("%account", at), at);
        let rule = || resource(self.template.target(&id, "Arn"), at);
        let mut token = None;
        let (principal, source, source_account) = match kind {
            "Schedule" | "CloudWatchEvent" | "EventBridgeRule" => ("events.amazonaws.com", Some(rule()), None),
            "CloudWatchLogs" => {
                let mut source = arn("arn:%partition:logs:%region:%account:log-group:", at);
                source.append(&arn_part(written.get("LogGroupName"), "LogGroupName", at));
                source.append(&Text::synthetic(":*", at));
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
        let mut props = invoke(resource(self.template.target(&base.id, ""), at), principal, at);
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
            Some(id) => source.append(&arn_part(Some(id), api, at)),
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
        if written.get("Path").is_none() {
            // The default route of an HTTP API.
            source.append(&Text::synthetic("/*/*", at));
            return Value::text(source, at);
        }
        source.append(&Text::synthetic(&format!("/*/{method}"), at));
        match written.get("Path").and_then(Value::as_str) {
            Some(path) => source.append(&Text::synthetic(&without_parameters(&path), at)),
            None => source.append(&arn_part(written.get("Path"), "Path", at)),
        }
        Value::text(source, at)
    }

    pub(super) fn at_event(
        &self,
        kind: &str,
        id: &str,
        base: &Base,
        event: &MapEntry,
        props: SamProperties,
    ) -> Resource {
        let mut made = self.make_resource(kind, id, base, props);
        made.header = event.key_span;
        made.extent = event.key_span.cover(event.value.span);
        made
    }
}

/// `/a/{id}` as `/a/*`.
fn without_parameters(path: &str) -> String {
    let parts = path
        .split('/')
        .map(|p| if p.starts_with('{') && p.ends_with('}') { "*" } else { p });
    parts.collect::<Vec<_>>().join("/")
}
