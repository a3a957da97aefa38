//! What calls give: functions of the repository, libraries, methods of clients and containers.

use super::super::thing::{Bag, Place, Thing, Things, one};
use super::{Evaluator, Frame, MAX_DEPTH, MAX_FRAMES, matters, sub_resource};
use crate::iam::sdk::{self};
use crate::model::python::{ArgName, Call, ExprId, ParamKind, ScopeId, ScopeKind};
use std::sync::Arc;

impl Evaluator<'_> {
    pub(super) fn call(&self, module: usize, expr: ExprId, call: &Call, frame: Option<&Frame<'_>>) -> Things {
        let callee = self.eval(module, call.function, frame);
        let mut out = Bag::default();
        for t in callee.iter() {
            match t {
                Thing::Function(f) => {
                    let args = self.arguments(module, call, *f, 0, frame);
                    out.put_all(&self.returned(*f, args, frame));
                }
                Thing::Method(f, _) => {
                    let args = self.arguments(module, call, *f, 1, frame);
                    out.put_all(&self.returned(*f, args, frame));
                }
                Thing::Class(c) => out.put(Thing::Instance(*c)),
                Thing::Instance(c) => {
                    if let Some(found) = self.method_result(*c, &["__call__"]) {
                        out.put_all(&found);
                    }
                }
                Thing::Library(name) => out.put_all(&self.library_call(module, expr, call, name, frame)),
                Thing::Bound(receiver, name) => {
                    out.put_all(&self.bound_call(module, expr, call, receiver, name, frame));
                }
                Thing::Opaque => out.put(Thing::Opaque),
                _ => {}
            }
        }
        out.finish()
    }

    /// What a function returns, called with these arguments.
    pub(super) fn returned(&self, f: Place, args: Vec<(u32, Things)>, outer: Option<&Frame<'_>>) -> Things {
        let depth = outer.map_or(0, |o| o.depth) + 1;
        let args = if depth > MAX_FRAMES { Vec::new() } else { args };
        let key = (f, args);
        if let Some(found) = self.returned.borrow().get(&key) {
            return found.clone();
        }
        if self.depth.get() + 4 >= MAX_DEPTH {
            return self.nothing.clone();
        }
        self.depth.set(self.depth.get() + 2);
        let m = self.module(f.module);
        let s = m.scope(f.scope);
        let mut out = Bag::default();
        let frame = Frame {
            place: f,
            args: key.1.clone(),
            outer,
            depth,
        };
        let frame = if key.1.is_empty() { None } else { Some(&frame) };
        for r in &s.returns {
            out.put_all(&self.eval(f.module, *r, frame));
        }
        if let Some(t) = s.returns_type
            && !out.has_aws()
        {
            out.put_all(&self.typed(f.module, t, 0));
        }
        self.depth.set(self.depth.get() - 2);
        let things = out.finish();
        // Cut-off results are not kept: they depend on where the question came from.
        if self.depth.get() < MAX_DEPTH / 2 {
            self.returned.borrow_mut().insert(key, things.clone());
        }
        things
    }

    /// The arguments of a call that matter, by parameter; `skip` parameters are bound already.
    pub(in crate::project::calls) fn arguments(
        &self,
        module: usize,
        call: &Call,
        f: Place,
        skip: u32,
        frame: Option<&Frame<'_>>,
    ) -> Vec<(u32, Things)> {
        let s = self.module(f.module).scope(f.scope);
        let mut out: Vec<(u32, Things)> = Vec::new();
        let mut n = skip;
        for a in &call.args {
            match &a.name {
                ArgName::Positional => {
                    let at = s.params.get(n as usize).map(|p| p.kind);
                    if at == Some(ParamKind::Plain) {
                        self.argument(module, a.value, n, frame, &mut out);
                        n += 1;
                    }
                }
                ArgName::Keyword(k, _) => {
                    let at = s
                        .params
                        .iter()
                        .position(|p| p.name == *k && matches!(p.kind, ParamKind::Plain | ParamKind::KeywordOnly));
                    if let Some(i) = at {
                        self.argument(module, a.value, i as u32, frame, &mut out);
                    }
                }
                ArgName::Star => return out,
                ArgName::Spread => {
                    for t in self.eval(module, a.value, frame).iter() {
                        let Thing::Literal(at) = t else { continue };
                        for (i, p) in s.params.iter().enumerate() {
                            let found = self.elements(*at, std::slice::from_ref(&p.name), None, frame);
                            if found.iter().any(matters) {
                                out.push((i as u32, found));
                            }
                        }
                    }
                }
            }
        }
        out.sort();
        out.dedup_by_key(|(i, _)| *i);
        out
    }

    /// The arguments of a call by field of a dataclass.
    pub(in crate::project::calls) fn field_arguments(
        &self,
        module: usize,
        call: &Call,
        names: &[Arc<str>],
    ) -> Vec<(u32, Things)> {
        let mut out = Vec::new();
        let mut n = 0;
        for a in &call.args {
            match &a.name {
                ArgName::Positional => {
                    self.argument(module, a.value, n, None, &mut out);
                    n += 1;
                }
                ArgName::Keyword(k, _) => {
                    if let Some(i) = names.iter().position(|f| f == k) {
                        self.argument(module, a.value, i as u32, None, &mut out);
                    }
                }
                ArgName::Star | ArgName::Spread => break,
            }
        }
        out
    }

    pub(super) fn argument(
        &self,
        module: usize,
        value: ExprId,
        i: u32,
        frame: Option<&Frame<'_>>,
        out: &mut Vec<(u32, Things)>,
    ) {
        let things = self.eval(module, value, frame);
        if things.iter().any(matters) {
            out.push((i, things));
        }
    }

    pub(super) fn clients(&self, module: usize, call: &Call, resource: bool, frame: Option<&Frame<'_>>) -> Things {
        let Some(arg) = call.argument(0, "service_name") else {
            return one(Thing::SomeClient);
        };
        let mut out = Bag::default();
        for name in self.texts(module, arg, frame) {
            match sdk::client(&name) {
                Some(c) if resource => match c.service_resource() {
                    Some(t) => out.put(Thing::Resource(c, t, None)),
                    None => out.put(Thing::Client(c)),
                },
                Some(c) => out.put(Thing::Client(c)),
                None => {}
            }
        }
        if out.is_empty() {
            out.put(Thing::SomeClient);
        }
        out.finish()
    }

    pub(super) fn library_call(
        &self,
        module: usize,
        expr: ExprId,
        call: &Call,
        name: &str,
        frame: Option<&Frame<'_>>,
    ) -> Things {
        let first = call.positional(0);
        match name {
            "boto3.client" | "aioboto3.client" => self.clients(module, call, false, frame),
            "boto3.resource" | "aioboto3.resource" => self.clients(module, call, true, frame),
            "boto3.Session"
            | "boto3.session.Session"
            | "boto3._get_default_session"
            | "aioboto3.Session"
            | "aioboto3.session.Session"
            | "botocore.session.Session"
            | "botocore.session.get_session"
            | "aiobotocore.session.AioSession"
            | "aiobotocore.session.get_session"
            | "aiobotocore.get_session" => one(Thing::Session),
            "getattr" => {
                let (Some(of), Some(arg)) = (first, call.positional(1)) else {
                    return self.nothing.clone();
                };
                let mut out = Bag::default();
                for t in self.eval(module, of, frame).iter() {
                    for attr in self.texts(module, arg, frame) {
                        out.put_all(&self.attribute(t, &attr));
                    }
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
                Some(c) => one(Thing::Super(c)),
                None => self.nothing.clone(),
            },
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
                            other => out.put(other.clone()),
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
                        if let Thing::Literal(at) = t {
                            out.put(Thing::Items(*at));
                        }
                    }
                }
                out.finish()
            }
            "functools.partial" => self.nothing.clone(),
            // Wrappers that give back what they are given.
            "aws_xray_sdk.core.xray_recorder.capture" | "contextlib.closing" | "functools.lru_cache" => {
                first.map_or_else(|| self.nothing.clone(), |v| self.eval(module, v, frame))
            }
            // An object of a library that has methods of interest.
            _ if is_class_of_interest(name) => one(Thing::Library(name.into())),
            _ => one(Thing::Opaque),
        }
    }

    /// The class around an expression.
    pub(in crate::project::calls) fn class_around(&self, module: usize, expr: ExprId) -> Option<Place> {
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

    pub(super) fn bound_call(
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
            Thing::Resource(c, ty, _) => {
                if let Some(sub) = sub_resource(*c, *ty, name) {
                    return one(Thing::Resource(*c, sub, Some((module, expr))));
                }
                match ty.method(name).and_then(|m| m.gives()) {
                    Some(t) => one(Thing::Resource(*c, t, None)),
                    None => self.nothing.clone(),
                }
            }
            Thing::Collection(c, ty, member, _) => match name {
                "all" | "filter" | "limit" | "page_size" => one(Thing::Collection(*c, *ty, *member, true)),
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
            // `with client as c`
            Thing::Client(_) if matches!(name, "__enter__" | "__aenter__") => one(receiver.clone()),
            Thing::SomeClient => one(Thing::Opaque),
            _ => self.nothing.clone(),
        }
    }
}

/// Classes of libraries whose methods call AWS.
fn is_class_of_interest(name: &str) -> bool {
    let class = name.rsplit('.').next().unwrap_or("");
    class.starts_with(|c: char| c.is_ascii_uppercase())
        && ["aws_lambda_powertools.", "s3fs.", "boto3.s3.transfer.", "s3transfer."]
            .iter()
            .any(|l| name.starts_with(l))
}
