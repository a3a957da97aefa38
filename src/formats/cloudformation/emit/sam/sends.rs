//! What the translator lets a function's role do for Lambda itself: deliver results and failures, poll sources.
//! SAM Developer Guide, "EventInvokeConfiguration", "DeadLetterQueue", "EventSource".

use crate::formats::cloudformation::emit::resources::Base;
use crate::formats::cloudformation::eval::text::arn;
use crate::source::Span;
use crate::value::{MapEntry, Value};

use crate::formats::cloudformation::emit::sam::Sam;
use crate::formats::cloudformation::emit::sam::props::{SamProperties, allow, arn_part, inline, resource, suffixed};

/// Lambda reaches into the VPC of a source.
const NETWORK: &[&str] = &[
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeVpcs",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
];

impl Sam<'_, '_> {
    /// The inline policies that the role of a function gets in addition to those that are written.
    pub(super) fn function_policies(&self, base: &Base, props: &SamProperties, events: &[MapEntry]) -> Vec<Value> {
        let mut out = Vec::new();
        if let Some(queue) = props.entry("DeadLetterQueue")
            && let (Some(kind), Some(target)) = (text_property(&queue.value, "Type"), queue.value.get("TargetArn"))
        {
            let statements = delivery_statements(&kind, target, queue.key_span);
            out.push(inline("DeadLetterQueue", statements, queue.key_span));
        }
        let config = props.get("EventInvokeConfig").and_then(|c| c.get("DestinationConfig"));
        for destination in config.and_then(Value::entries).unwrap_or(&[]) {
            let at = destination.key_span;
            let Some(kind) = text_property(&destination.value, "Type") else {
                continue;
            };
            let made = || {
                let name = destination.key.display();
                let (what, attribute) = if kind == "SQS" { ("Queue", "Arn") } else { ("Topic", "") };
                let id = format!("{}EventInvokeConfig{name}{what}", base.id);
                resource(self.template.target(&id, attribute), at)
            };
            let target = destination.value.get("Destination").cloned().unwrap_or_else(made);
            out.push(inline("EventInvokeConfig", delivery_statements(&kind, &target, at), at));
        }
        for event in events {
            let (Some(kind), Some(written)) = (
                crate::formats::cloudformation::emit::sam::events::kind_of(event),
                event.value.get("Properties"),
            ) else {
                continue;
            };
            let at = event.key_span;
            let mut statements = polling_statements(&kind, written, at);
            if let Some(failure) = written.path(&["DestinationConfig", "OnFailure"])
                && let (Some(kind), Some(target)) = (text_property(failure, "Type"), failure.get("Destination"))
            {
                statements.extend(delivery_statements(&kind, target, at));
            }
            if !statements.is_empty() {
                out.push(inline("EventSource", statements, at));
            }
        }
        out
    }
}

fn text_property(value: &Value, name: &str) -> Option<String> {
    Some(value.get(name)?.as_str()?.into_owned())
}

/// Sending to a destination of this kind.
fn delivery_statements(kind: &str, target: &Value, at: Span) -> Vec<Value> {
    let one = |action: &str| vec![allow(&[action], vec![target.clone()], at)];
    match kind {
        "SQS" => one("sqs:SendMessage"),
        "SNS" => one("sns:Publish"),
        "EventBridge" => one("events:PutEvents"),
        "Lambda" => one("lambda:InvokeFunction"),
        "S3" | "S3Bucket" => vec![
            allow(&["s3:PutObject"], vec![suffixed(target, "/*", at)], at),
            allow(&["s3:ListBucket"], vec![target.clone()], at),
        ],
        _ => Vec::new(),
    }
}

/// Reading from a source that no AWS managed policy covers.
fn polling_statements(kind: &str, written: &Value, at: Span) -> Vec<Value> {
    let access = written.get("SourceAccessConfigurations").map_or(&[][..], Value::items);
    let of_kind = |wanted: &dyn Fn(&str) -> bool| {
        let hit = |a: &&Value| text_property(a, "Type").is_some_and(|t| wanted(&t));
        access.iter().find(hit).and_then(|a| a.get("URI"))
    };
    let mut out = Vec::new();
    let mut secret = |uri: Option<&Value>| {
        out.extend(uri.map(|uri| allow(&["secretsmanager:GetSecretValue"], vec![uri.clone()], at)));
    };
    let on = |name: &str| {
        vec![
            written
                .get(name)
                .cloned()
                .unwrap_or_else(|| Value::unknown_other(name, at)),
        ]
    };
    let everything = || vec![Value::synthetic("*", at)];
    match kind {
        "MQ" => {
            secret(of_kind(&|t| t == "BASIC_AUTH"));
            out.push(allow(&["mq:DescribeBroker"], on("Broker"), at));
        }
        "SelfManagedKafka" => {
            secret(of_kind(&|t| t.ends_with("_AUTH")));
            if of_kind(&|t| t.starts_with("VPC_")).is_some() {
                out.push(allow(NETWORK, everything(), at));
            }
        }
        "MSK" => secret(of_kind(&|t| t == "CLIENT_CERTIFICATE_TLS_AUTH")),
        "DocumentDB" => {
            secret(of_kind(&|t| t == "BASIC_AUTH"));
            for (action, of) in [
                ("rds:DescribeDBClusterParameters", "cluster-pg"),
                ("rds:DescribeDBSubnetGroups", "subgrp"),
            ] {
                let all = arn(&format!("arn:%partition:rds:%region:%account:{of}:*"), at);
                out.push(allow(&[action], vec![Value::text(all, at)], at));
            }
            out.push(allow(&["rds:DescribeDBClusters"], on("Cluster"), at));
            out.push(allow(NETWORK, everything(), at));
        }
        _ => {}
    }
    if let Some(key) = written.get("SecretsManagerKmsKeyId") {
        let mut text = arn("arn:%partition:kms:%region:%account:key/", at);
        text.append(&arn_part(Some(key), "SecretsManagerKmsKeyId", at));
        out.push(allow(&["kms:Decrypt"], vec![Value::text(text, at)], at));
    }
    if let Some(registry) = written.get("SchemaRegistryConfig") {
        registry_access(registry, at, &mut out);
    }
    out
}

/// Reading the schemas of a registry, and the secrets that open it.
fn registry_access(registry: &Value, at: Span, out: &mut Vec<Value>) {
    for access in registry.get("AccessConfigs").map_or(&[][..], Value::items) {
        if let Some(uri) = access.get("URI") {
            out.push(allow(&["secretsmanager:GetSecretValue"], vec![uri.clone()], at));
        }
    }
    let Some(uri) = registry.get("SchemaRegistryURI") else {
        return;
    };
    let flat = uri
        .as_text()
        .map(|t| t.with_placeholders().into_owned())
        .unwrap_or_default();
    if let Some(name) = uri
        .as_text()
        .and_then(|t| Some(t.slice(flat.find(":registry/")? + 10..flat.len())))
    {
        let mut schemas = arn("arn:%partition:glue:%region:%account:schema/", at);
        schemas.append(&name);
        schemas.append(&crate::source::Text::synthetic("/*", at));
        out.push(allow(&["glue:GetRegistry"], vec![uri.clone()], at));
        out.push(allow(&["glue:GetSchemaVersion"], vec![Value::text(schemas, at)], at));
    }
}
