//! The ARNs that the arguments of a call name.

use crate::iam::sdk::{Client, SdkOperation};
use crate::python::calls::permissions::{ArgumentPresence, ArgumentReader, CallSite, text_of};
use crate::python::{ArgName, ExprId, ExprKind};
use crate::source::{Hole, HoleKind, Span, Text};
use crate::value::Value;

impl ArgumentReader<'_, '_> {
    pub(super) fn resources(&self, client: Client, op: SdkOperation, site: &CallSite, span: Span) -> Vec<Text> {
        let service = client.name();
        let argument = |name: &str| {
            self.argument(site, name)
                .or_else(|| self.origin_value(site, service, name))
        };
        if service == "s3" {
            return self.s3(op, site, span).into_iter().collect();
        }
        if let Some(named) = self.keys_of_parameter(client, op, site) {
            return named;
        }
        if op.name() == "PutEvents" {
            return self.buses(site, span).unwrap_or_default();
        }
        let mut out = Vec::new();
        for (_, parameter, form) in FORMS.iter().filter(|(s, ..)| *s == service) {
            let Some(v) = argument(parameter) else { continue };
            for item in v.items() {
                if let Some(t) = arn(client.iam_prefix(), form, item) {
                    out.extend(self.index_arn(op, site, t, span));
                }
            }
            if !out.is_empty() {
                break;
            }
        }
        out
    }

    /// Where events are put: each entry names its bus, or goes to the default one (Amazon EventBridge API Reference,
    /// "PutEventsRequestEntry").
    fn buses(&self, site: &CallSite, span: Span) -> Option<Vec<Text>> {
        let entries = self.argument(site, "Entries")?;
        let bus = |entry: &Value| {
            let known = entry.entries()?.iter().all(|e| e.key.known().is_some());
            match entry.get("EventBusName") {
                Some(name) => arn("events", "event-bus/", name),
                None => known.then(|| joined("events", "event-bus/", &Text::synthetic("default", span), span)),
            }
        };
        let mut out: Vec<Text> = entries.as_seq()?.iter().map(bus).collect::<Option<_>>()?;
        out.dedup();
        Some(out)
    }

    /// The index of the table that is read, when one is (Amazon DynamoDB Developer Guide, "Using IAM policy conditions":
    /// it has an ARN of its own); nothing where that is not known.
    fn index_arn(&self, op: SdkOperation, site: &CallSite, table: Text, span: Span) -> Option<Text> {
        if !matches!(op.name(), "Query" | "Scan") {
            return Some(table);
        }
        match self.argument_presence(site, "IndexName") {
            ArgumentPresence::No => Some(table),
            ArgumentPresence::Perhaps => None,
            ArgumentPresence::Yes => {
                let mut index = table;
                index.append(&Text::synthetic("/index/", span));
                let name = self.argument(site, "IndexName").as_ref().and_then(text_of);
                index.append(&name.unwrap_or_else(|| Text::synthetic("*", span)));
                Some(index)
            }
        }
    }

    pub(super) fn named_resources(&self, service: &str, site: &CallSite, span: Span) -> Vec<Text> {
        let Some(v) = self.call(site).and_then(|c| c.args.first()).map(|a| a.value) else {
            return Vec::new();
        };
        let v = self.values.value(self.module, v);
        let form = match service {
            "ssm" => "parameter/",
            "secretsmanager" => "secret:",
            "s3" => {
                let t = v.as_text().map(|t| t.with_placeholders().into_owned());
                return match t.and_then(|t| t.strip_prefix("s3://").map(str::to_owned)) {
                    Some(rest) if !rest.is_empty() => {
                        let full = v.as_text().map(|t| t.slice(5..t.len())).unwrap_or_default();
                        let mut arn = Text::synthetic("arn:aws:s3:::", span);
                        arn.append(&full);
                        vec![arn]
                    }
                    _ => Vec::new(),
                };
            }
            _ => return Vec::new(),
        };
        arn(service, form, &v).into_iter().collect()
    }

    fn s3(&self, op: SdkOperation, site: &CallSite, span: Span) -> Option<Text> {
        let bucket = self
            .argument(site, "Bucket")
            .or_else(|| self.origin_value(site, "s3", "Bucket"))?;
        let bucket = text_of(&bucket)?;
        let mut out = Text::default();
        if !bucket.prefix().starts_with("arn:") {
            out.append(&Text::synthetic("arn:aws:s3:::", span));
        }
        out.append(&bucket);
        let on_object = op
            .required()
            .chain(op.alternative_actions())
            .any(|a| a.contains("Object") || a.contains("MultipartUploadParts"));
        if on_object {
            out.append(&Text::synthetic("/", span));
            let key = self
                .argument(site, "Key")
                .or_else(|| self.origin_value(site, "s3", "Key"))
                .and_then(|k| text_of(&k));
            out.append(&key.unwrap_or_else(|| Text::synthetic("*", span)));
        }
        Some(out)
    }

    /// What a copy reads: `CopySource`, a dict or `bucket/key` (boto3 reference, "S3.Client.copy_object").
    pub(super) fn copy_source(
        &self,
        client: Client,
        op: SdkOperation,
        site: &CallSite,
        span: Span,
    ) -> Option<Vec<Text>> {
        let copies = matches!(op.name(), "CopyObject" | "UploadPartCopy") || &*site.method == "copy";
        if client.name() != "s3" || !copies {
            return None;
        }
        let Some(source) = self.argument(site, "CopySource") else {
            return Some(Vec::new());
        };
        let object = match source.get("Bucket") {
            Some(bucket) => {
                let mut object = text_of(bucket)?;
                object.append(&Text::synthetic("/", span));
                let key = source.get("Key").and_then(text_of);
                object.append(&key.unwrap_or_else(|| Text::synthetic("*", span)));
                object
            }
            None => match text_of(&source) {
                Some(text) if text.prefix().contains('/') => text,
                _ => return Some(Vec::new()),
            },
        };
        let mut arn = Text::default();
        if !object.prefix().starts_with("arn:") {
            arn.append(&Text::synthetic("arn:aws:s3:::", span));
        }
        arn.append(&object);
        Some(vec![arn])
    }

    /// An identifier of the resource object that the method belongs to.
    pub(super) fn origin_value(&self, site: &CallSite, service: &str, parameter: &str) -> Option<Value> {
        let object = site.object?;
        let (module, mut expr) = object.made?;
        // What another object reported of begins with its identifiers where it has some of its own: `bucket_name` and `key`.
        if module != self.module || object.reported && object.ty.ids().count() < 2 {
            return None;
        }
        let mut ids: Vec<ExprId> = Vec::new();
        let mut kind = None;
        // `bucket.Object(key)`: the bucket's identifier comes before the object's own.
        for _ in 0..3 {
            let Some(call) = self.m.call(expr) else { break };
            let ExprKind::Attr { of, name, .. } = &self.m.expr(call.function).kind else {
                break;
            };
            let makes = name.starts_with(|c: char| c.is_ascii_uppercase()) || &**name == "get_queue_by_name";
            if !makes {
                break;
            }
            kind.get_or_insert_with(|| name.clone());
            if call.args.len() > 1 && call.args.iter().any(|a| a.name != ArgName::Positional) {
                return None;
            }
            ids.splice(0..0, call.args.iter().map(|a| a.value));
            let Some(made_by) = self.m.defining_expression(*of) else {
                break;
            };
            expr = made_by;
        }
        let names: &[&str] = match (service, &*kind?) {
            ("s3", "Bucket") => &["Bucket"],
            ("s3", "Object" | "ObjectSummary") => &["Bucket", "Key"],
            ("dynamodb", "Table") => &["TableName"],
            ("sqs", "Queue") => &["QueueUrl"],
            ("sqs", "get_queue_by_name") => &["QueueName"],
            ("sns", "Topic") => &["TopicArn"],
            ("iam", "Role") => &["RoleName"],
            ("iam", "User") => &["UserName"],
            ("iam", "Policy") => &["PolicyArn"],
            _ => return None,
        };
        // What an object was made from may be out of sight, never its last identifier.
        let hidden = names.len().checked_sub(ids.len())?;
        let i = names.iter().position(|n| *n == parameter)?.checked_sub(hidden)?;
        ids.get(i).map(|e| self.values.value(self.module, *e))
    }
}

/// Service, parameter, and what stands before its value in the ARN (AWS Service Authorization Reference, "Resource types");
/// empty where the parameter is an ARN or is kept as it is.
const FORMS: &[(&str, &str, &str)] = &[
    ("dynamodb", "TableName", "table/"),
    ("dynamodb", "ResourceArn", ""),
    ("sqs", "QueueUrl", "url"),
    ("sqs", "QueueName", ":"),
    ("sqs", "SourceArn", ""),
    ("sns", "TopicArn", ""),
    ("sns", "TargetArn", ""),
    ("lambda", "FunctionName", "function:"),
    ("kms", "KeyId", "key/"),
    ("secretsmanager", "SecretId", "secret:"),
    ("secretsmanager", "Name", "secret:"),
    ("secretsmanager", "SecretIdList", "secret:"),
    ("ssm", "Name", "parameter/"),
    ("ssm", "Names", "parameter/"),
    ("ssm", "Path", "parameter/"),
    ("stepfunctions", "stateMachineArn", ""),
    ("kinesis", "StreamName", "stream/"),
    ("kinesis", "StreamARN", ""),
    ("firehose", "DeliveryStreamName", "deliverystream/"),
    ("events", "EventBusName", "event-bus/"),
    ("logs", "logGroupName", "log-group:"),
    ("iam", "RoleName", "::role/"),
    ("iam", "UserName", "::user/"),
    ("iam", "GroupName", "::group/"),
    ("iam", "PolicyArn", ""),
    ("sts", "RoleArn", ""),
    ("athena", "WorkGroup", "workgroup/"),
    ("glue", "JobName", "job/"),
    ("codebuild", "projectName", "project/"),
    ("codepipeline", "name", ":"),
    ("cognito-idp", "UserPoolId", "userpool/"),
    ("ecr", "repositoryName", "repository/"),
    ("scheduler", "Name", "schedule/default/"),
    ("bedrock-runtime", "modelId", "::foundation-model/"),
    ("rds-data", "resourceArn", ""),
    ("cloudformation", "StackName", "stack/"),
];

pub(super) fn arn(prefix: &str, form: &str, v: &Value) -> Option<Text> {
    let text = text_of(v)?;
    let span = v.span;
    if form.is_empty() || text.prefix().starts_with("arn:") {
        return Some(text);
    }
    if form == "url" {
        // https://sqs.eu-west-1.amazonaws.com/111122223333/name
        let flat = text.with_placeholders().into_owned();
        let Some((head, _)) = flat.rsplit_once('/').filter(|_| flat.starts_with("https://")) else {
            return Some(text);
        };
        let name = text.slice(head.len() + 1..flat.len());
        return Some(joined(prefix, ":", &name, span));
    }
    // The slash that a parameter's name may begin with is part of the ARN.
    let form = if form == "parameter/" && text.prefix().starts_with('/') {
        "parameter"
    } else {
        form
    };
    let mut out = joined(prefix, form, &text, span);
    if prefix == "secretsmanager" {
        // AWS adds six random characters.
        out.append(&Text::synthetic("-??????", span));
    }
    Some(out)
}

fn joined(prefix: &str, form: &str, name: &Text, span: Span) -> Text {
    let mut out = Text::synthetic(&format!("arn:aws:{prefix}:"), span);
    let hole = |kind, name: &str| Text::hole(Hole::new(kind, name, span));
    let form = match form.strip_prefix("::") {
        Some(rest) if prefix == "iam" => {
            out.append(&Text::synthetic(":", span));
            out.append(&hole(HoleKind::Account, "AWS::AccountId"));
            format!(":{rest}")
        }
        Some(rest) => {
            out.append(&hole(HoleKind::Region, "AWS::Region"));
            format!("::{rest}")
        }
        None => {
            out.append(&hole(HoleKind::Region, "AWS::Region"));
            out.append(&Text::synthetic(":", span));
            out.append(&hole(HoleKind::Account, "AWS::AccountId"));
            if form == ":" {
                ":".to_owned()
            } else {
                format!(":{form}")
            }
        }
    };
    out.append(&Text::synthetic(&form, span));
    out.append(name);
    out
}
