//! What calls of libraries, and of methods of clients and containers, give.

use super::super::SESSIONS;
use super::super::thing::{Bag, Origin, Place, Thing, Things, one};
use super::{Evaluator, Frame, is_under, sub_resource};
use crate::iam::sdk::{self, Client, ResourceType};
use crate::model::python::{Call, ExprId, ScopeId, ScopeKind};
use std::sync::Arc;

impl Evaluator<'_> {
    pub(crate) fn library_call(
        &self,
        module: usize,
        expr: ExprId,
        call: &Call,
        name: &str,
        frame: Option<&Frame<'_>>,
    ) -> Things {
        let first = call.positional(0);
        match name {
            "boto3.client" | "aioboto3.client" | "boto3.DEFAULT_SESSION.client" => {
                self.clients(module, call, false, frame)
            }
            "boto3.resource" | "aioboto3.resource" | "boto3.DEFAULT_SESSION.resource" => {
                self.clients(module, call, true, frame)
            }
            "boto3._get_default_session" => one(Thing::Session),
            name if SESSIONS.contains(&name) => one(Thing::Session),
            "getattr" => {
                let (Some(of), Some(arg)) = (first, call.positional(1)) else {
                    return self.nothing.clone();
                };
                let mut out = Bag::default();
                let names = self.texts(module, arg, frame);
                let things = self.eval(module, of, frame);
                for t in things.iter() {
                    for attr in &names {
                        out.put_all(&self.attribute(t, attr));
                    }
                }
                // Any attribute of something that may be a client.
                if names.is_empty() && things.iter().all(|t| matches!(t, Thing::Opaque | Thing::More)) {
                    out.put(Thing::More);
                }
                out.finish()
            }
            "typing.cast" | "cast" => {
                let mut out = Bag::default();
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
                Some(c) => one(Thing::Super(c, self.receiver_of(module, expr, frame).unwrap_or(c))),
                None => self.nothing.clone(),
            },
            "type" => {
                let mut out = Bag::default();
                for t in first
                    .map_or_else(|| self.nothing.clone(), |v| self.eval(module, v, frame))
                    .iter()
                {
                    if let Thing::Instance(c) = t {
                        out.put(Thing::Class(*c));
                    }
                }
                out.finish()
            }
            "importlib.import_module" | "__import__" => {
                let mut out = Bag::default();
                for name in first.map_or_else(Vec::new, |v| self.texts(module, v, frame)) {
                    out.put(match self.program.import(self.module(module).file, 0, &name) {
                        Some(other) => Thing::Module(other),
                        None => Thing::Library(name),
                    });
                }
                out.finish()
            }
            "types.SimpleNamespace" | "argparse.Namespace" => one(Thing::Literal((module, expr))),
            "dict" if first.is_none() => one(Thing::Literal((module, expr))),
            "list" | "tuple" | "sorted" | "reversed" | "iter" | "next" | "set" | "dict" | "copy.copy"
            | "copy.deepcopy" => {
                let Some(v) = first else { return self.nothing.clone() };
                let things = self.eval(module, v, frame);
                if name == "next" {
                    let mut out = Bag::default();
                    for t in things.iter() {
                        match t {
                            Thing::Literal(at) => out.put_all(&self.elements(*at, &[], None, frame)),
                            Thing::Entry(_, held) => out.put((**held).clone()),
                            other => out.put(element(other).unwrap_or_else(|| other.clone())),
                        }
                    }
                    return out.finish();
                }
                things
            }
            "enumerate" => {
                let mut out = Bag::default();
                if let Some(v) = first {
                    for t in self.eval(module, v, frame).iter() {
                        match t {
                            Thing::Literal(at) => out.put(Thing::Items(*at)),
                            Thing::Entry(_, held) => out.put(item(held)),
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
                let mut out = Bag::default();
                if let Some(v) = call.keyword("default") {
                    out.put_all(&self.eval(module, v, frame));
                }
                if let Some(function) = call.keyword("default_factory").or_else(|| call.keyword("factory")) {
                    let made = Call {
                        function,
                        args: Vec::new(),
                    };
                    out.put_all(&self.call(module, expr, &made, frame));
                }
                out.finish()
            }
            "functools.partial" => one(Thing::Partial((module, expr))),
            // Its methods are the client's.
            "boto3.s3.transfer.S3Transfer" | "s3transfer.S3Transfer" => {
                sdk::client("s3").map_or_else(|| self.nothing.clone(), |c| one(Thing::Client(c)))
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
            _ if is_class_of_interest(name) || is_application(name) => one(Thing::Library(name.into())),
            _ if is_of_others(name) => self.nothing.clone(),
            _ => one(Thing::Opaque),
        }
    }

    /// The class around an expression.
    pub(crate) fn class_around(&self, module: usize, expr: ExprId) -> Option<Place> {
        let m = self.module(module);
        let mut at: ScopeId = m.expr(expr).scope;
        loop {
            let s = m.scope(at);
            match s.kind {
                ScopeKind::Class => return Some(Place { module, scope: at }),
                ScopeKind::Module => return None,
                _ => at = s.parent,
            }
        }
    }

    pub(crate) fn bound_call(
        &self,
        module: usize,
        expr: ExprId,
        call: &Call,
        receiver: &Thing,
        name: &str,
        frame: Option<&Frame<'_>>,
    ) -> Things {
        match receiver {
            Thing::Session => match name {
                "client" | "create_client" => self.clients(module, call, false, frame),
                "resource" => self.clients(module, call, true, frame),
                _ => self.nothing.clone(),
            },
            Thing::Resource(..) if name == "batch_writer" => one(Thing::Library(BATCH_WRITER.into())),
            Thing::Resource(c, ty, of) => {
                if let Some(sub) = sub_resource(*c, *ty, name) {
                    // `summary.Object()` has its identifiers from what it is called on.
                    let origin = match of {
                        Origin::Of(at, _) if call.args.is_empty() => Origin::Of(*at, false),
                        _ => Origin::Call((module, expr)),
                    };
                    return one(Thing::Resource(*c, sub, origin));
                }
                match ty.method(name).and_then(|m| m.gives()) {
                    // It has its name from the call.
                    Some(t) if name == "get_queue_by_name" => one(Thing::Resource(*c, t, Origin::Call((module, expr)))),
                    Some(t) => one(Thing::Resource(*c, t, answered(*c, t, false, *of))),
                    None => self.nothing.clone(),
                }
            }
            Thing::Collection(c, ty, member, of, _) => match name {
                "all" | "filter" | "limit" | "page_size" => one(Thing::Collection(*c, *ty, *member, *of, true)),
                _ => self.nothing.clone(),
            },
            Thing::Literal(at) => match name {
                "get" | "pop" | "setdefault" => {
                    let keys = call
                        .positional(0)
                        .map_or_else(Vec::new, |k| self.texts(module, k, frame));
                    let mut out = Bag::default();
                    out.put_all(&self.elements(*at, &keys, None, frame));
                    if let Some(default) = call.positional(1) {
                        out.put_all(&self.eval(module, default, frame));
                    }
                    out.finish()
                }
                "values" | "copy" => one(Thing::Literal(*at)),
                "keys" => self.keys(*at),
                "items" => one(Thing::Items(*at)),
                _ => self.nothing.clone(),
            },
            Thing::Entry(key, held) => match name {
                "get" | "pop" | "setdefault" => {
                    let keys = call
                        .positional(0)
                        .map_or_else(Vec::new, |k| self.texts(module, k, frame));
                    let mut out = Bag::default();
                    if is_under(key, &keys) {
                        out.put((**held).clone());
                    }
                    if let Some(default) = call.positional(1) {
                        out.put_all(&self.eval(module, default, frame));
                    }
                    out.finish()
                }
                "values" | "copy" => one(receiver.clone()),
                "keys" => one(Thing::Text(key.clone())),
                "items" => one(item(held)),
                _ => self.nothing.clone(),
            },
            Thing::Text(s) => one(Thing::Text(match name {
                "lower" | "casefold" => s.to_lowercase().into(),
                "upper" => s.to_uppercase().into(),
                "strip" => s.trim().into(),
                _ => return self.nothing.clone(),
            })),
            // `with client as c`
            Thing::Client(_) if matches!(name, "__enter__" | "__aenter__") => one(receiver.clone()),
            Thing::SomeClient | Thing::More => one(Thing::Opaque),
            _ => self.nothing.clone(),
        }
    }
}

/// The class of what `batch_writer` gives: the batches are counted where it is made.
const BATCH_WRITER: &str = "boto3.dynamodb.table.BatchWriter";

/// One of what iterating over `.items()` gives, for what is held in a container.
fn item(held: &Arc<Thing>) -> Thing {
    Thing::Entry("".into(), Arc::new(Thing::Entry("1".into(), held.clone())))
}

/// One of what iterating over a collection gives.
pub(crate) fn element(collection: &Thing) -> Option<Thing> {
    let Thing::Collection(client, _, member, of, _) = collection else {
        return None;
    };
    let ty = member.gives()?;
    Some(Thing::Resource(*client, ty, answered(*client, ty, true, *of)))
}

/// Where an object comes from that the answer (a list of them) to an operation of `of` told of: most answers hold its
/// attributes, these hold no more than its identifiers (boto3's `resources-1.json`, `path`).
fn answered(client: Client, ty: ResourceType, listed: bool, of: Origin) -> Origin {
    let loaded = match (client.name(), ty.name()) {
        ("sqs", "Message") => true,
        ("sns" | "sqs", _) => false,
        ("iam", "SamlProvider" | "ServerCertificate" | "GroupPolicy" | "RolePolicy" | "UserPolicy") => false,
        ("dynamodb", _) => !listed,
        _ => true,
    };
    match (of.call(), loaded) {
        (Some(at), _) => Origin::Of(at, loaded),
        (None, true) => Origin::Loaded,
        (None, false) => Origin::Unknown,
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
