//! ARNs and names of what the AWS CDK makes. AWS CDK API Reference, the attributes of each construct.
//!
//! **Invariant:** a name that is not written is one hole for each construct, however the construct is reached.

use crate::index::Id;
use crate::python::constants::{ConstantEvaluator, cdk};
use crate::python::{CallExpr, ExprId, ExprKind};
use crate::source::{Hole, HoleKind, Span, Text};

/// A construct and its ARN.
struct Construct {
    /// The attribute that gives the ARN.
    arn: &'static str,
    /// The module of its service, and how its classes end.
    module: &'static str,
    class: &'static str,
    /// What variables that hold one are called, where nothing else has an attribute of this name.
    word: Option<&'static str>,
    /// The keyword of its name.
    name: &'static str,
    /// Service, and what of region and account its ARN has.
    service: &'static str,
    place: Place,
    /// Before the name.
    form: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Nowhere,
    Account,
    Region,
}

const fn row(
    arn: &'static str,
    (module, class): (&'static str, &'static str),
    word: Option<&'static str>,
    name: &'static str,
    (service, place, form): (&'static str, Place, &'static str),
) -> Construct {
    Construct {
        arn,
        module,
        class,
        word,
        name,
        service,
        place,
        form,
    }
}

#[rustfmt::skip]
const CONSTRUCTS: &[Construct] = &[
    row("bucket_arn", ("aws_s3", "Bucket"), Some("bucket"), "bucket_name", ("s3", Place::Nowhere, "")),
    row("event_bus_arn", ("aws_events", "EventBus"), Some("bus"), "event_bus_name", ("events", Place::Region, "event-bus/")),
    row("function_arn", ("aws_lambda", "Function"), None, "function_name", ("lambda", Place::Region, "function:")),
    row("group_arn", ("aws_iam", "Group"), None, "group_name", ("iam", Place::Account, "group/")),
    row("key_arn", ("aws_kms", "Key"), None, "key_id", ("kms", Place::Region, "key/")),
    row("managed_policy_arn", ("aws_iam", "ManagedPolicy"), None, "managed_policy_name", ("iam", Place::Account, "policy/")),
    row("queue_arn", ("aws_sqs", "Queue"), Some("queue"), "queue_name", ("sqs", Place::Region, "")),
    row("role_arn", ("aws_iam", "Role"), None, "role_name", ("iam", Place::Account, "role/")),
    row("secret_arn", ("aws_secretsmanager", "Secret"), Some("secret"), "secret_name", ("secretsmanager", Place::Region, "secret:")),
    row("state_machine_arn", ("aws_stepfunctions", "StateMachine"), Some("state_machine"), "state_machine_name", ("states", Place::Region, "stateMachine:")),
    row("stream_arn", ("aws_kinesis", "Stream"), None, "stream_name", ("kinesis", Place::Region, "stream/")),
    row("table_arn", ("aws_dynamodb", "Table"), None, "table_name", ("dynamodb", Place::Region, "table/")),
    row("table_arn", ("aws_dynamodb", "TableV2"), None, "table_name", ("dynamodb", Place::Region, "table/")),
    row("topic_arn", ("aws_sns", "Topic"), Some("topic"), "topic_name", ("sns", Place::Region, "")),
    row("user_arn", ("aws_iam", "User"), None, "user_name", ("iam", Place::Account, "user/")),
];

/// How many names hold a thing one after the other.
const MAX_NAMES: usize = 4;

impl ConstantEvaluator<'_> {
    /// The ARN that an attribute of a construct gives: one made here, or one that a variable of a module with the CDK is
    /// named after.
    pub(super) fn construct_arn(&self, module: usize, of: ExprId, attribute: &str, span: Span) -> Option<Text> {
        if !CONSTRUCTS.iter().any(|c| c.arn == attribute) {
            return None;
        }
        let m = self.module(module);
        if !self.program.sources.text(m.file).contains("aws_cdk") {
            return None;
        }
        let rows = || CONSTRUCTS.iter().filter(|c| c.arn == attribute);
        let made = self
            .constructor_call(module, of)
            .and_then(|made| Some((made, m.call(made)?)));
        let last = m.dotted(of).unwrap_or_default();
        let last = last.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        let by_word = || rows().find(|c| c.word.is_some_and(|word| last.ends_with(word)));
        let (construct, made) = match made {
            Some((made, call)) => match rows().find(|c| self.makes_construct(module, call, c)) {
                Some(construct) => (construct, Some((made, call))),
                // A function of the repository, which may return one.
                None if self.program.library(module, call.function).is_none() => (by_word()?, None),
                None => return None,
            },
            None => (by_word()?, None),
        };
        let part = |kind, name: &str| Text::hole(Hole::new(kind, name, span));
        let mut arn = Text::synthetic("arn:", span);
        arn.append(&part(HoleKind::Partition, "AWS::Partition"));
        arn.append(&Text::synthetic(&format!(":{}:", construct.service), span));
        if construct.place == Place::Region {
            arn.append(&part(HoleKind::Region, "AWS::Region"));
        }
        arn.append(&Text::synthetic(":", span));
        if construct.place != Place::Nowhere {
            arn.append(&part(HoleKind::Account, "AWS::AccountId"));
        }
        arn.append(&Text::synthetic(&format!(":{}", construct.form), span));
        match made {
            Some((made, call)) if construct.service == "iam" => {
                arn.append(&self.name_of(module, made, call, construct, span))
            }
            _ => {
                let shown = format!("{}.{}", self.source_text(self.span(module, of)), construct.name);
                arn.append(&part(HoleKind::Existing, &shown));
            }
        }
        Some(arn)
    }

    /// The ARN of what the call `made` makes, where its class has one.
    pub fn arn_of_construct(&self, module: usize, made: ExprId) -> Option<Text> {
        let call = self.module(module).call(made)?;
        let construct = CONSTRUCTS.iter().find(|c| self.makes_construct(module, call, c))?;
        self.construct_arn(module, made, construct.arn, self.span(module, made))
    }

    /// The path and name of a role, user, group or managed policy that the CDK makes, with its kind as in ARNs. `made` is the
    /// call that makes it.
    pub fn identity(&self, module: usize, made: ExprId) -> Option<(&'static str, Text)> {
        let call = self.module(module).call(made)?;
        let iam = CONSTRUCTS.iter().filter(|c| c.service == "iam");
        let construct = iam.rev().find(|c| self.makes_construct(module, call, c))?;
        let span = self.span(module, made);
        let kind = construct.form.trim_end_matches('/');
        Some((kind, self.name_of(module, made, call, construct, span)))
    }

    /// As it is written; else a hole of its own.
    fn name_of(&self, module: usize, made: ExprId, call: &CallExpr, construct: &Construct, span: Span) -> Text {
        let given = |keyword: &str| {
            let value = call.keyword(keyword).map(|e| self.value(module, e));
            value.filter(|v| !v.is_null()).map(|v| cdk::text_of(&v, span))
        };
        let unknown = || {
            let id = call
                .positional(1)
                .and_then(|e| self.value(module, e).as_str().map(|id| id.into_owned()));
            let shown = id.unwrap_or_else(|| format!("{}{}", construct.class, made.index()));
            Text::hole(Hole::new(
                HoleKind::Existing,
                format!("{shown}.{}", construct.name),
                span,
            ))
        };
        let name = given(construct.name).unwrap_or_else(unknown);
        match given("path").filter(|p| p.known().as_deref() != Some("/")) {
            Some(path) => {
                let mut out = path;
                if out.prefix().starts_with('/') {
                    out = out.slice(1..out.len());
                }
                out.append(&name);
                out
            }
            None => name,
        }
    }

    /// Whether a call makes such a construct, or looks one up: `Bucket(…)`, `Bucket.from_bucket_name(…)`.
    fn makes_construct(&self, module: usize, call: &CallExpr, construct: &Construct) -> bool {
        let library = self.program.library(module, call.function);
        let Some(path) = library.or_else(|| self.module(module).dotted(call.function)) else {
            return false;
        };
        let mut parts = path.rsplit('.');
        let (last, before) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (class, of) = match last.starts_with("from_") {
            true => (before, parts.next().unwrap_or_default()),
            false => (last, before),
        };
        let of_service = !of.starts_with("aws_") || of.starts_with(construct.module);
        let named = match construct.service {
            // `PythonFunction`, `DatabaseSecret`.
            "lambda" | "secretsmanager" => class.ends_with(construct.class),
            _ => class == construct.class,
        };
        named && of_service && !path.contains("pulumi") && !path.contains("troposphere")
    }

    /// The call that makes what an expression holds: through names, and attributes that one place assigns.
    pub fn constructor_call(&self, module: usize, of: ExprId) -> Option<ExprId> {
        let m = self.module(module);
        let mut at = of;
        for _ in 0..MAX_NAMES {
            match &m.expr(at).kind {
                ExprKind::Call(_) => return Some(at),
                ExprKind::Name(_) => at = m.defining_expression(at)?,
                ExprKind::Attr { .. } => at = self.assigned_attribute(module, at)?,
                _ => return None,
            }
        }
        None
    }
}
