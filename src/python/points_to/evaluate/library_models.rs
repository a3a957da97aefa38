//! What calls of libraries, and of methods of clients and containers, give.

use crate::iam::sdk::{self, Client, SdkResourceType};
use crate::python::points_to::SESSIONS;
use crate::python::points_to::abstract_value::{
    AbstractValue, ResourceOrigin, ScopeRef, ValueSet, ValueSetBuilder, one,
};
use crate::python::points_to::evaluate::{CallFrame, ObjectEvaluator, is_under, sub_resource};
use crate::python::{CallExpr, ExprId, ScopeId, ScopeKind};
use std::sync::Arc;

impl ObjectEvaluator<'_> {
    pub(crate) fn library_call(
        &self,
        module: usize,
        expr: ExprId,
        call: &CallExpr,
        name: &str,
        frame: Option<&CallFrame<'_>>,
    ) -> ValueSet {
        let first = call.positional(0);
        match name {
            "boto3.client" | "aioboto3.client" | "boto3.DEFAULT_SESSION.client" => {
                self.clients(module, call, false, frame)
            }
            "boto3.resource" | "aioboto3.resource" | "boto3.DEFAULT_SESSION.resource" => {
                self.clients(module, call, true, frame)
            }
            "boto3._get_default_session" => one(AbstractValue::Session),
            name if SESSIONS.contains(&name) => one(AbstractValue::Session),
            "getattr" => {
                let (Some(of), Some(arg)) = (first, call.positional(1)) else {
                    return self.nothing.clone();
                };
                let mut out = ValueSetBuilder::default();
                let names = self.texts(module, arg, frame);
                let things = self.eval(module, of, frame);
                for t in things.iter() {
                    for attr in &names {
                        out.put_all(&self.attribute(t, attr));
                    }
                }
                // Any attribute of something that may be a client.
                if names.is_empty()
                    && things
                        .iter()
                        .all(|t| matches!(t, AbstractValue::Opaque | AbstractValue::More))
                {
                    out.put(AbstractValue::More);
                }
                out.finish()
            }
            "typing.cast" | "cast" => {
                let mut out = ValueSetBuilder::default();
                if let Some(v) = call.positional(1) {
                    out.put_all(&self.eval(module, v, frame));
                }
                if let Some(t) = first
                    && !out.has_aws()
                {
                    out.put_all(&self.typed(module, t, 0));
                }
                out.finish()
            }
            "super" => match self.class_around(module, expr) {
                Some(c) => one(AbstractValue::Super(
                    c,
                    self.receiver_of(module, expr, frame).unwrap_or(c),
                )),
                None => self.nothing.clone(),
            },
            "type" => {
                let mut out = ValueSetBuilder::default();
                for t in first
                    .map_or_else(|| self.nothing.clone(), |v| self.eval(module, v, frame))
                    .iter()
                {
                    if let AbstractValue::Instance(c) = t {
                        out.put(AbstractValue::Class(*c));
                    }
                }
                out.finish()
            }
            "importlib.import_module" | "__import__" => {
                let mut out = ValueSetBuilder::default();
                for name in first.map_or_else(Vec::new, |v| self.texts(module, v, frame)) {
                    out.put(match self.program.import(self.module(module).file, 0, &name) {
                        Some(other) => AbstractValue::Module(other),
                        None => AbstractValue::Library(name),
                    });
                }
                out.finish()
            }
            "types.SimpleNamespace" | "argparse.Namespace" => one(AbstractValue::Literal((module, expr))),
            "dict" if first.is_none() => one(AbstractValue::Literal((module, expr))),
            "list" | "tuple" | "sorted" | "reversed" | "iter" | "next" | "set" | "dict" | "copy.copy"
            | "copy.deepcopy" => {
                let Some(v) = first else { return self.nothing.clone() };
                let things = self.eval(module, v, frame);
                if name == "next" {
                    let mut out = ValueSetBuilder::default();
                    for t in things.iter() {
                        match t {
                            AbstractValue::Literal(at) => out.put_all(&self.elements(*at, &[], None, frame)),
                            AbstractValue::Entry(_, held) => out.put((**held).clone()),
                            other => out.put(element(other).unwrap_or_else(|| other.clone())),
                        }
                    }
                    return out.finish();
                }
                things
            }
            "enumerate" => {
                let mut out = ValueSetBuilder::default();
                if let Some(v) = first {
                    for t in self.eval(module, v, frame).iter() {
                        match t {
                            AbstractValue::Literal(at) => out.put(AbstractValue::Items(*at)),
                            AbstractValue::Entry(_, held) => out.put(item(held)),
                            other => out.put_all(
                                &element(other)
                                    .map(|e| item(&Arc::new(e)))
                                    .into_iter()
                                    .collect::<Vec<_>>(),
                            ),
                        }
                    }
                }
                out.finish()
            }
            // The default of a field: what the factory makes.
            "dataclasses.field"
            | "attr.ib"
            | "attr.field"
            | "attrs.field"
            | "pydantic.Field"
            | "pydantic.PrivateAttr" => {
                let mut out = ValueSetBuilder::default();
                if let Some(v) = call.keyword("default") {
                    out.put_all(&self.eval(module, v, frame));
                }
                if let Some(function) = call.keyword("default_factory").or_else(|| call.keyword("factory")) {
                    let made = CallExpr {
                        function,
                        args: Vec::new(),
                    };
                    out.put_all(&self.call(module, expr, &made, frame));
                }
                out.finish()
            }
            "functools.partial" => one(AbstractValue::Partial((module, expr))),
            // Its methods are the client's.
            "boto3.s3.transfer.S3Transfer" | "s3transfer.S3Transfer" => {
                sdk::client("s3").map_or_else(|| self.nothing.clone(), |c| one(AbstractValue::Client(c)))
            }
            // Wrappers that give back what they are given.
            "aws_xray_sdk.core.xray_recorder.capture"
            | "contextlib.aclosing"
            | "contextlib.closing"
            | "contextlib.nullcontext"
            | "functools.cache"
            | "functools.lru_cache"
            | "asgiref.sync.async_to_sync"
            | "asgiref.sync.sync_to_async" => {
                first.map_or_else(|| self.nothing.clone(), |v| self.eval(module, v, frame))
            }
            // An object of a library that has methods of interest, or that runs what it was given.
            _ if is_class_of_interest(name) || is_application(name) => one(AbstractValue::Library(name.into())),
            _ if is_of_others(name) => self.nothing.clone(),
            _ => one(AbstractValue::Opaque),
        }
    }

    /// The class around an expression.
    pub(crate) fn class_around(&self, module: usize, expr: ExprId) -> Option<ScopeRef> {
        let m = self.module(module);
        let mut at: ScopeId = m.expr(expr).scope;
        loop {
            let s = m.scope(at);
            match s.kind {
                ScopeKind::Class => return Some(ScopeRef { module, scope: at }),
                ScopeKind::Module => return None,
                _ => at = s.parent,
            }
        }
    }

    pub(crate) fn bound_call(
        &self,
        module: usize,
        expr: ExprId,
        call: &CallExpr,
        receiver: &AbstractValue,
        name: &str,
        frame: Option<&CallFrame<'_>>,
    ) -> ValueSet {
        match receiver {
            AbstractValue::Session => match name {
                "client" | "create_client" => self.clients(module, call, false, frame),
                "resource" => self.clients(module, call, true, frame),
                _ => self.nothing.clone(),
            },
            AbstractValue::Resource(..) if name == "batch_writer" => one(AbstractValue::Library(BATCH_WRITER.into())),
            AbstractValue::Resource(c, ty, of) => {
                if let Some(sub) = sub_resource(*c, *ty, name) {
                    // `summary.Object()` has its identifiers from what it is called on.
                    let origin = match of {
                        ResourceOrigin::Of(at, _) if call.args.is_empty() => ResourceOrigin::Of(*at, false),
                        _ => ResourceOrigin::Call((module, expr)),
                    };
                    return one(AbstractValue::Resource(*c, sub, origin));
                }
                match ty.method(name).and_then(|m| m.gives()) {
                    // It has its name from the call.
                    Some(t) if name == "get_queue_by_name" => {
                        one(AbstractValue::Resource(*c, t, ResourceOrigin::Call((module, expr))))
                    }
                    Some(t) => one(AbstractValue::Resource(*c, t, answered(*c, t, false, *of))),
                    None => self.nothing.clone(),
                }
            }
            AbstractValue::Collection(c, ty, member, of, _) => match name {
                "all" | "filter" | "limit" | "page_size" => one(AbstractValue::Collection(*c, *ty, *member, *of, true)),
                _ => self.nothing.clone(),
            },
            AbstractValue::Literal(at) => match name {
                "get" | "pop" | "setdefault" => {
                    let keys = call
                        .positional(0)
                        .map_or_else(Vec::new, |k| self.texts(module, k, frame));
                    let mut out = ValueSetBuilder::default();
                    out.put_all(&self.elements(*at, &keys, None, frame));
                    if let Some(default) = call.positional(1) {
                        out.put_all(&self.eval(module, default, frame));
                    }
                    out.finish()
                }
                "values" | "copy" => one(AbstractValue::Literal(*at)),
                "keys" => self.keys(*at),
                "items" => one(AbstractValue::Items(*at)),
                _ => self.nothing.clone(),
            },
            AbstractValue::Entry(key, held) => match name {
                "get" | "pop" | "setdefault" => {
                    let keys = call
                        .positional(0)
                        .map_or_else(Vec::new, |k| self.texts(module, k, frame));
                    let mut out = ValueSetBuilder::default();
                    if is_under(key, &keys) {
                        out.put((**held).clone());
                    }
                    if let Some(default) = call.positional(1) {
                        out.put_all(&self.eval(module, default, frame));
                    }
                    out.finish()
                }
                "values" | "copy" => one(receiver.clone()),
                "keys" => one(AbstractValue::Text(key.clone())),
                "items" => one(item(held)),
                _ => self.nothing.clone(),
            },
            AbstractValue::Text(s) => one(AbstractValue::Text(match name {
                "lower" | "casefold" => s.to_lowercase().into(),
                "upper" => s.to_uppercase().into(),
                "strip" => s.trim().into(),
                _ => return self.nothing.clone(),
            })),
            // `with client as c`
            AbstractValue::Client(_) if matches!(name, "__enter__" | "__aenter__") => one(receiver.clone()),
            AbstractValue::SomeClient | AbstractValue::More => one(AbstractValue::Opaque),
            _ => self.nothing.clone(),
        }
    }
}

/// The class of what `batch_writer` gives: the batches are counted where it is made.
const BATCH_WRITER: &str = "boto3.dynamodb.table.BatchWriter";

/// One of what iterating over `.items()` gives, for what is held in a container.
fn item(held: &Arc<AbstractValue>) -> AbstractValue {
    AbstractValue::Entry("".into(), Arc::new(AbstractValue::Entry("1".into(), held.clone())))
}

/// One of what iterating over a collection gives.
pub(crate) fn element(collection: &AbstractValue) -> Option<AbstractValue> {
    let AbstractValue::Collection(client, _, member, of, _) = collection else {
        return None;
    };
    let ty = member.gives()?;
    Some(AbstractValue::Resource(*client, ty, answered(*client, ty, true, *of)))
}

/// Where an object comes from that the answer (a list of them) to an operation of `of` reported of: most answers hold its
/// attributes, these hold no more than its identifiers (boto3's `resources-1.json`, `path`).
fn answered(client: Client, ty: SdkResourceType, listed: bool, of: ResourceOrigin) -> ResourceOrigin {
    let loaded = match (client.name(), ty.name()) {
        ("sqs", "Message") => true,
        ("sns" | "sqs", _) => false,
        ("iam", "SamlProvider" | "ServerCertificate" | "GroupPolicy" | "RolePolicy" | "UserPolicy") => false,
        ("dynamodb", _) => !listed,
        _ => true,
    };
    match (of.call(), loaded) {
        (Some(at), _) => ResourceOrigin::Of(at, loaded),
        (None, true) => ResourceOrigin::Loaded,
        (None, false) => ResourceOrigin::Unknown,
    }
}

/// Libraries whose objects are no clients of AWS, whatever their names.
fn is_of_others(name: &str) -> bool {
    let first = name.split('.').next().unwrap_or("");
    matches!(
        first,
        "asyncio"
            | "azure"
            | "google"
            | "httpx"
            | "kafka"
            | "minio"
            | "mock"
            | "multiprocessing"
            | "paramiko"
            | "queue"
            | "redis"
            | "requests"
            | "sqlalchemy"
            | "unittest"
    )
}

/// Classes of libraries whose methods call AWS.
fn is_class_of_interest(name: &str) -> bool {
    let class = name.rsplit('.').next().unwrap_or("");
    class.starts_with(|c: char| c.is_ascii_uppercase())
        && ["aws_lambda_powertools.", "s3fs."].iter().any(|l| name.starts_with(l))
}

/// Classes whose objects are called in place of a handler, and run what decorators of the module gave them: Chalice, Mangum,
/// and what servers and Mangum run.
pub(crate) fn is_application(name: &str) -> bool {
    matches!(
        name,
        "chalice.Chalice" | "fastapi.FastAPI" | "flask.Flask" | "mangum.Mangum" | "starlette.applications.Starlette"
    )
}
