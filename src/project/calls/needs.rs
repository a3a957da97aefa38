//! What one call needs: actions, what triggers the conditional ones, and the resources as far as they are known.

use std::collections::BTreeMap;

use super::sites::{Site, Target, callee_span};
use super::thing::Place;
use super::{Actions, Call, Conditional};
use crate::iam::sdk::{self, Client, Operation, Trigger};
use crate::model::python::{ArgName, ExprId, ExprKind, Module, Values};
use crate::source::{Hole, HoleKind, Span, Text};
use crate::value::{Kind, Value};

/// Three answers to "is this argument given?".
#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    Yes,
    No,
    Perhaps,
}

/// Reads the arguments of calls of one module.
pub(super) struct Needs<'v, 'p> {
    values: &'v Values<'p>,
    m: &'p Module,
    module: usize,
    /// The calls of `paginate` and `wait`, by the expression that made the paginator or waiter.
    begun: BTreeMap<ExprId, Vec<ExprId>>,
}

impl<'v, 'p> Needs<'v, 'p> {
    pub(super) fn new(values: &'v Values<'p>, m: &'p Module, module: usize) -> Self {
        let mut begun: BTreeMap<ExprId, Vec<ExprId>> = BTreeMap::new();
        for (call, e) in (0..).zip(&m.exprs) {
            if let ExprKind::Call(c) = &e.kind
                && let ExprKind::Attr { of, name, .. } = &m.expr(c.function).kind
                && matches!(&**name, "paginate" | "wait")
                && let Some(maker) = m.made_by(*of)
            {
                begun.entry(maker).or_default().push(call);
            }
        }
        Self {
            values,
            m,
            module,
            begun,
        }
    }

    pub(super) fn of(&self, site: &Site) -> Call {
        let e = self.m.expr(site.at.1);
        let scope = self.m.function_of(e.scope);
        let span = callee_span(self.m, site.at.1);
        let (service, operation, actions, resources, source) = match &site.target {
            Target::Operation(client, op) => (
                client.name().into(),
                Some(op.name()),
                self.actions(*client, *op, site),
                self.resources(*client, *op, site, span),
                self.copy_source(*client, *op, site, span),
            ),
            Target::Actions { service, all, any } => {
                let (required, any_of) = if *any {
                    (Vec::new(), all.clone())
                } else {
                    (all.clone(), Vec::new())
                };
                let actions = Actions {
                    required,
                    any_of,
                    conditional: Vec::new(),
                };
                (service.clone(), None, actions, self.named(service, site, span), None)
            }
        };
        Call {
            service,
            method: site.method.clone(),
            operation,
            actions,
            resources,
            source,
            span,
            at: Place {
                module: self.module,
                scope,
            },
            function: self.m.scope(scope).qualname.clone(),
            certain: site.certain,
        }
    }

    /// The call that has the operation's parameters.
    fn call(&self, site: &Site) -> Option<&crate::model::python::Call> {
        let made = site.call?;
        let at = match self.begun.get(&made).map(Vec::as_slice) {
            Some([one]) if matches!(&*site.method, "get_paginator" | "get_waiter") => *one,
            _ => made,
        };
        self.m.call(at)
    }

    /// The value of a parameter, also from `**{…}`, `Params={…}` of a presigned URL, `ExtraArgs={…}` of a transfer and the
    /// positional parameters of transfers.
    fn argument(&self, site: &Site, name: &str) -> Option<Value> {
        let call = self.call(site)?;
        if let Some(e) = call.keyword(name) {
            return Some(self.values.value(self.module, e));
        }
        if let Some(i) = positional(site).iter().position(|p| *p == name)
            && let Some(e) = call.positional(i)
        {
            return Some(self.values.value(self.module, e));
        }
        for a in &call.args {
            let inside = match &a.name {
                ArgName::Spread => true,
                ArgName::Keyword(k, _) => is_open_ended(k),
                ArgName::Positional => positional(site)
                    .iter()
                    .enumerate()
                    .any(|(i, p)| is_open_ended(p) && call.positional(i) == Some(a.value)),
                ArgName::Star => false,
            };
            if inside && let Some(v) = self.values.value(self.module, a.value).get(name) {
                return Some(v.clone());
            }
        }
        None
    }

    fn given(&self, site: &Site, name: &str) -> Given {
        if self.argument(site, name).is_some() {
            return Given::Yes;
        }
        let Some(call) = self.call(site) else { return Given::No };
        let open = call.args.iter().any(|a| {
            let whole = match &a.name {
                ArgName::Spread => true,
                ArgName::Star => return true,
                ArgName::Keyword(k, _) => is_open_ended(k),
                ArgName::Positional => false,
            };
            whole && {
                let v = self.values.value(self.module, a.value);
                v.entries().is_none_or(|e| e.iter().any(|e| e.key.known().is_none()))
            }
        });
        if open { Given::Perhaps } else { Given::No }
    }

    fn actions(&self, client: Client, op: Operation, site: &Site) -> Actions {
        let mut conditional: Vec<Conditional> = Vec::new();
        for c in op.conditional() {
            match c.trigger {
                Trigger::Never | Trigger::Bucket(_) => {}
                Trigger::Unknown => conditional.push(Conditional::possible(c.action)),
                Trigger::Params(params) => {
                    let mut perhaps = false;
                    for p in params {
                        match self.given(site, p) {
                            Given::Yes => {
                                conditional.push(Conditional {
                                    trigger: Some(p.into()),
                                    ..Conditional::possible(c.action)
                                });
                                perhaps = false;
                                break;
                            }
                            Given::Perhaps => perhaps = true,
                            Given::No => {}
                        }
                    }
                    if perhaps {
                        conditional.push(Conditional::possible(c.action));
                    }
                }
            }
        }
        if let Some(pass) = op.pass_role() {
            self.pass_role(&pass, site, &mut conditional);
        }
        conditional.extend(op.kms_actions(client).into_iter().map(Conditional::possible));
        let mut any_of: Vec<&'static str> = op.any_of().collect();
        if let Some(one) = self.partiql(&any_of, site) {
            any_of = vec![one];
        }
        let mut required: Vec<&'static str> = op.required().collect();
        // Who asks for a version needs no other permission to read (Amazon S3 API Reference, "GetObject").
        if client.name() == "s3"
            && matches!(op.name(), "GetObject" | "HeadObject")
            && let Some(version) = conditional.iter().position(|c| c.action == "s3:GetObjectVersion")
        {
            let found = conditional.remove(version);
            required.retain(|a| *a != "s3:GetObject");
            match found.trigger {
                Some(_) => required.push(found.action),
                None => any_of.extend(["s3:GetObject", found.action]),
            }
        }
        Actions {
            required,
            any_of,
            conditional,
        }
    }

    /// The role that the call passes, if it does.
    fn pass_role(&self, pass: &sdk::PassRole, site: &Site, out: &mut Vec<Conditional>) {
        let possible = Conditional {
            passed_to: pass.to.clone(),
            ..Conditional::possible("iam:PassRole")
        };
        if pass.params.is_empty() {
            out.push(possible);
            return;
        }
        let mut perhaps = false;
        for path in &pass.params {
            let mut parts = path.split('.');
            let first = parts.next().unwrap_or("");
            match self.argument(site, first) {
                Some(v) => match inside(&v, &parts.collect::<Vec<_>>(), 0) {
                    (Given::Yes, role) => {
                        out.push(Conditional {
                            trigger: Some(first.into()),
                            resources: role.into_iter().collect(),
                            ..possible
                        });
                        return;
                    }
                    (Given::Perhaps, _) => perhaps = true,
                    (Given::No, _) => {}
                },
                None => perhaps |= self.given(site, first) == Given::Perhaps,
            }
        }
        if perhaps {
            out.push(possible);
        }
    }

    /// The one PartiQL action that the statement's first word says.
    fn partiql(&self, any_of: &[&'static str], site: &Site) -> Option<&'static str> {
        any_of.iter().find(|a| a.starts_with("dynamodb:PartiQL"))?;
        let statement = self.argument(site, "Statement")?;
        let text = statement.as_text()?.prefix();
        let word = text.split_whitespace().next()?.to_ascii_lowercase();
        any_of
            .iter()
            .copied()
            .find(|a| a.to_ascii_lowercase().ends_with(&format!("partiql{word}")))
    }

    // ---- resources ----

    fn resources(&self, client: Client, op: Operation, site: &Site, span: Span) -> Vec<Text> {
        let service = client.name();
        let argument = |name: &str| {
            self.argument(site, name)
                .or_else(|| self.origin_value(site, service, name))
        };
        if service == "s3" {
            return self.s3(op, site, span).into_iter().collect();
        }
        if op.name() == "PutEvents" {
            return self.buses(site, span).unwrap_or_default();
        }
        let mut out = Vec::new();
        for (_, parameter, form) in FORMS.iter().filter(|(s, ..)| *s == service) {
            let Some(v) = argument(parameter) else { continue };
            for item in v.items() {
                if let Some(t) = arn(client.iam_prefix(), form, item) {
                    out.extend(self.indexed(op, site, t, span));
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
    fn buses(&self, site: &Site, span: Span) -> Option<Vec<Text>> {
        let entries = self.argument(site, "Entries")?;
        let bus = |entry: &Value| {
            let known = entry.entries()?.iter().all(|e| e.key.known().is_some());
            match entry.get("EventBusName") {
                Some(name) => arn("events", "event-bus/", name),
                None => known.then(|| joined("events", "event-bus/", &Text::made("default", span), span)),
            }
        };
        let mut out: Vec<Text> = entries.as_seq()?.iter().map(bus).collect::<Option<_>>()?;
        out.dedup();
        Some(out)
    }

    /// The index of the table that is read, when one is (Amazon DynamoDB Developer Guide, "Using IAM policy conditions":
    /// it has an ARN of its own); nothing where that is not known.
    fn indexed(&self, op: Operation, site: &Site, table: Text, span: Span) -> Option<Text> {
        if !matches!(op.name(), "Query" | "Scan") {
            return Some(table);
        }
        match self.given(site, "IndexName") {
            Given::No => Some(table),
            Given::Perhaps => None,
            Given::Yes => {
                let mut index = table;
                index.append(&Text::made("/index/", span));
                let name = self.argument(site, "IndexName").as_ref().and_then(text_of);
                index.append(&name.unwrap_or_else(|| Text::made("*", span)));
                Some(index)
            }
        }
    }

    fn named(&self, service: &str, site: &Site, span: Span) -> Vec<Text> {
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
                        let mut arn = Text::made("arn:aws:s3:::", span);
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

    fn s3(&self, op: Operation, site: &Site, span: Span) -> Option<Text> {
        let bucket = self
            .argument(site, "Bucket")
            .or_else(|| self.origin_value(site, "s3", "Bucket"))?;
        let bucket = text_of(&bucket)?;
        let mut out = Text::default();
        if !bucket.prefix().starts_with("arn:") {
            out.append(&Text::made("arn:aws:s3:::", span));
        }
        out.append(&bucket);
        let on_object = op
            .required()
            .chain(op.any_of())
            .any(|a| a.contains("Object") || a.contains("MultipartUploadParts"));
        if on_object {
            out.append(&Text::made("/", span));
            let key = self
                .argument(site, "Key")
                .or_else(|| self.origin_value(site, "s3", "Key"))
                .and_then(|k| text_of(&k));
            out.append(&key.unwrap_or_else(|| Text::made("*", span)));
        }
        Some(out)
    }

    /// What a copy reads: `CopySource`, a dict or `bucket/key` (boto3 reference, "S3.Client.copy_object").
    fn copy_source(&self, client: Client, op: Operation, site: &Site, span: Span) -> Option<Vec<Text>> {
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
                object.append(&Text::made("/", span));
                let key = source.get("Key").and_then(text_of);
                object.append(&key.unwrap_or_else(|| Text::made("*", span)));
                object
            }
            None => match text_of(&source) {
                Some(text) if text.prefix().contains('/') => text,
                _ => return Some(Vec::new()),
            },
        };
        let mut arn = Text::default();
        if !object.prefix().starts_with("arn:") {
            arn.append(&Text::made("arn:aws:s3:::", span));
        }
        arn.append(&object);
        Some(vec![arn])
    }

    /// An identifier of the resource object that the method belongs to.
    fn origin_value(&self, site: &Site, service: &str, parameter: &str) -> Option<Value> {
        let (module, mut expr) = site.object?.made?;
        if module != self.module {
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
            let Some(made_by) = self.m.made_by(*of) else { break };
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
    ("sns", "TopicArn", ""),
    ("sns", "TargetArn", ""),
    ("lambda", "FunctionName", "function:"),
    ("kms", "KeyId", "key/"),
    ("secretsmanager", "SecretId", "secret:"),
    ("secretsmanager", "Name", "secret:"),
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

fn arn(prefix: &str, form: &str, v: &Value) -> Option<Text> {
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
        out.append(&Text::made("-??????", span));
    }
    Some(out)
}

fn joined(prefix: &str, form: &str, name: &Text, span: Span) -> Text {
    let mut out = Text::made(&format!("arn:aws:{prefix}:"), span);
    let hole = |kind, name: &str| Text::hole(Hole::new(kind, name, span));
    let form = match form.strip_prefix("::") {
        Some(rest) if prefix == "iam" => {
            out.append(&Text::made(":", span));
            out.append(&hole(HoleKind::Account, "AWS::AccountId"));
            format!(":{rest}")
        }
        Some(rest) => {
            out.append(&hole(HoleKind::Region, "AWS::Region"));
            format!("::{rest}")
        }
        None => {
            out.append(&hole(HoleKind::Region, "AWS::Region"));
            out.append(&Text::made(":", span));
            out.append(&hole(HoleKind::Account, "AWS::AccountId"));
            if form == ":" {
                ":".to_owned()
            } else {
                format!(":{form}")
            }
        }
    };
    out.append(&Text::made(&form, span));
    out.append(name);
    out
}

fn text_of(v: &Value) -> Option<Text> {
    match &v.kind {
        Kind::Str(t) => Some(t.clone()),
        Kind::Unknown(h) => Some(Text::hole((**h).clone())),
        _ => None,
    }
}

/// Whether something stands at a path inside a value, and what, when it is a text.
fn inside(v: &Value, path: &[&str], depth: u32) -> (Given, Option<Text>) {
    if depth > 12 {
        return (Given::Perhaps, None);
    }
    let Some((first, rest)) = path.split_first() else {
        return match &v.kind {
            Kind::Null => (Given::No, None),
            _ => (Given::Yes, text_of(v)),
        };
    };
    match &v.kind {
        Kind::Map(entries) => match v.get(first) {
            Some(inner) => inside(inner, rest, depth + 1),
            None if *first == "[]" => inside(v, rest, depth + 1),
            None if entries.iter().any(|e| e.key.known().is_none()) => (Given::Perhaps, None),
            None => (Given::No, None),
        },
        Kind::Seq(items) => {
            let path = if *first == "[]" { rest } else { path };
            let mut answer = (Given::No, None);
            for i in items.iter().take(50) {
                match inside(i, path, depth + 1) {
                    yes @ (Given::Yes, _) => return yes,
                    perhaps @ (Given::Perhaps, _) => answer = perhaps,
                    (Given::No, _) => {}
                }
            }
            answer
        }
        Kind::Unknown(_) | Kind::OneOf(_) => (Given::Perhaps, None),
        _ => (Given::No, None),
    }
}

/// Whether a parameter holds parameters of the operation: `extra_args` is S3Transfer's name for `ExtraArgs`.
fn is_open_ended(parameter: &str) -> bool {
    matches!(parameter, "Params" | "ExtraArgs" | "extra_args")
}

/// Positional parameters of boto3's transfer methods (boto3 reference, "S3.Client.upload_file", "S3.Bucket.upload_file",
/// "S3.Object.upload_file"): an object is told nothing that it knows.
fn positional(site: &Site) -> &'static [&'static str] {
    if let Some(object) = site.object {
        return match (object.ty.name(), &*site.method) {
            ("Bucket", "upload_file") => &["Filename", "Key", "ExtraArgs"],
            ("Bucket", "upload_fileobj") => &["Fileobj", "Key", "ExtraArgs"],
            ("Bucket", "download_file") => &["Key", "Filename", "ExtraArgs"],
            ("Bucket", "download_fileobj") => &["Key", "Fileobj", "ExtraArgs"],
            ("Bucket", "copy") => &["CopySource", "Key", "ExtraArgs"],
            (_, "upload_file" | "download_file") => &["Filename", "ExtraArgs"],
            (_, "upload_fileobj" | "download_fileobj") => &["Fileobj", "ExtraArgs"],
            (_, "copy") => &["CopySource", "ExtraArgs"],
            _ => &[],
        };
    }
    match &*site.method {
        "upload_file" => &["Filename", "Bucket", "Key", "ExtraArgs"],
        "upload_fileobj" => &["Fileobj", "Bucket", "Key", "ExtraArgs"],
        "download_file" => &["Bucket", "Key", "Filename", "ExtraArgs"],
        "download_fileobj" => &["Bucket", "Key", "Fileobj", "ExtraArgs"],
        "copy" => &["CopySource", "Bucket", "Key", "ExtraArgs"],
        "generate_presigned_url" => &["ClientMethod", "Params", "ExpiresIn", "HttpMethod"],
        "generate_presigned_post" => &["Bucket", "Key"],
        _ => &[],
    }
}
