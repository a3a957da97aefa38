//! What the object before the dot is, as far as one module says: a boto3 client, surely none, or perhaps one.

use std::sync::Arc;

use super::operations::key_holder;
use crate::model::python::{
    Binding, Bound, Call, ExprId, ExprKind, Module, Program, Reaching, ScopeKind, Source, Step,
};

/// How many names and calls are followed.
const MAX_DEPTH: u32 = 12;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Receiver {
    /// `boto3.client(service)`, `boto3.resource(service)`; the service where it is a literal.
    Client(Option<Arc<str>>),
    /// `boto3.resource("iam").Role("x")`: its type and the call that makes it.
    Object {
        kind: Arc<str>,
        call: ExprId,
    },
    Session,
    /// Surely no client.
    Other,
    /// For all we know, one.
    Unknown,
}

/// What a constructor call makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Constructor {
    Client,
    Session,
    Credentials,
}

/// Asks about the expressions of one module.
#[derive(Clone, Copy)]
pub(super) struct Receivers<'p> {
    pub program: &'p Program<'p>,
    pub module: usize,
}

impl<'p> Receivers<'p> {
    fn module(&self) -> &'p Module {
        &self.program.modules[self.module]
    }

    fn at(&self, module: usize) -> Self {
        Self {
            program: self.program,
            module,
        }
    }

    /// Whether the call makes a client, session or credentials object of an AWS SDK.
    pub(super) fn constructor(&self, call: &Call) -> Option<Constructor> {
        self.constructor_at(call, 0)
    }

    fn constructor_at(&self, call: &Call, depth: u32) -> Option<Constructor> {
        if let Some(name) = self.program.library(self.module, call.function) {
            match name.as_str() {
                "boto3.client" | "boto3.resource" | "aioboto3.client" | "aioboto3.resource" => {
                    return Some(Constructor::Client);
                }
                "boto3.Session"
                | "boto3.session.Session"
                | "boto3.setup_default_session"
                | "boto3.DEFAULT_SESSION"
                | "aioboto3.Session"
                | "aioboto3.session.Session"
                | "botocore.session.Session"
                | "botocore.session.get_session"
                | "aiobotocore.session.AioSession"
                | "aiobotocore.session.get_session"
                | "aiobotocore.get_session" => return Some(Constructor::Session),
                other if key_holder(other).is_some() => return Some(Constructor::Credentials),
                _ => {}
            }
        }
        let m = self.module();
        if let ExprKind::Attr { of, name, .. } = &m.expr(call.function).kind
            && matches!(&**name, "client" | "resource" | "create_client")
        {
            let session = match self.receiver_at(*of, depth + 1) {
                Receiver::Session => true,
                Receiver::Unknown => {
                    self.service(call).is_some() && {
                        let shown = m.dotted(*of).unwrap_or_default().to_ascii_lowercase();
                        shown.contains("session") || shown.contains("boto")
                    }
                }
                _ => false,
            };
            return session.then_some(Constructor::Client);
        }
        None
    }

    /// The service that a client constructor names.
    pub(super) fn service(&self, call: &Call) -> Option<Arc<str>> {
        let arg = call.argument(0, "service_name")?;
        let text = self.module().string(arg)?;
        let fits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        fits.then(|| Arc::from(&*text))
    }

    pub(super) fn receiver(&self, expr: ExprId) -> Receiver {
        self.receiver_at(expr, 0)
    }

    fn receiver_at(&self, expr: ExprId, depth: u32) -> Receiver {
        if depth > MAX_DEPTH {
            return Receiver::Unknown;
        }
        let m = self.module();
        match &m.expr(expr).kind {
            ExprKind::Name(n) => match m.reaching(n, expr) {
                Reaching::Found(f) => {
                    let all = f
                        .bindings
                        .iter()
                        .map(|b| self.bound(b, f.scope, depth + 1))
                        .collect::<Vec<_>>();
                    join(&all)
                }
                Reaching::Free => Receiver::Unknown,
            },
            ExprKind::Attr { of, name, .. } => self.attribute(*of, name, depth + 1),
            ExprKind::Call(call) => self.call(expr, call, depth + 1),
            ExprKind::Await(inner) | ExprKind::Walrus(inner) => self.receiver_at(*inner, depth + 1),
            ExprKind::Conditional { then, other, .. } => {
                join(&[self.receiver_at(*then, depth + 1), self.receiver_at(*other, depth + 1)])
            }
            ExprKind::Either { left, right } => {
                join(&[self.receiver_at(*left, depth + 1), self.receiver_at(*right, depth + 1)])
            }
            ExprKind::Index { .. } | ExprKind::Other(_) => Receiver::Unknown,
            _ => Receiver::Other,
        }
    }

    fn bound(&self, binding: &Binding, scope: u32, depth: u32) -> Receiver {
        let m = self.module();
        match &binding.bound {
            Bound::Value(s) => self.source(s, depth),
            Bound::Param(i) => {
                if let Some(service) = binding.annotation.and_then(|a| self.annotated(a)) {
                    return Receiver::Client(Some(service));
                }
                let s = m.scope(scope);
                let is_self = *i == 0 && s.kind == ScopeKind::Function && m.scope(s.parent).kind == ScopeKind::Class;
                if is_self { Receiver::Other } else { Receiver::Unknown }
            }
            Bound::Function(_) | Bound::Class(_) => Receiver::Other,
            Bound::From(i) => match self.program.import_from(m.file, i) {
                (Some(other), _) => self.at(other).exported(&i.name, depth),
                _ => Receiver::Unknown,
            },
            Bound::Import(_) | Bound::Augment(..) | Bound::Other => Receiver::Unknown,
        }
    }

    fn exported(&self, name: &str, depth: u32) -> Receiver {
        if depth > MAX_DEPTH {
            return Receiver::Unknown;
        }
        match self.module().at_end(name, 0) {
            Reaching::Found(f) => {
                let all: Vec<Receiver> = f.bindings.iter().map(|b| self.bound(b, f.scope, depth + 1)).collect();
                join(&all)
            }
            Reaching::Free => Receiver::Unknown,
        }
    }

    fn source(&self, source: &Source, depth: u32) -> Receiver {
        match source.steps.as_slice() {
            [] | [Step::Enter] => self.receiver_at(source.expr, depth),
            _ => Receiver::Unknown,
        }
    }

    /// The service of a type like `mypy_boto3_iam.IAMClient` or `"S3Client"`.
    fn annotated(&self, annotation: ExprId) -> Option<Arc<str>> {
        let name = self.program.library(self.module, annotation)?;
        let (package, class) = name.split_once('.')?;
        let service = package
            .strip_prefix("mypy_boto3_")
            .or_else(|| package.strip_prefix("types_aiobotocore_"))?;
        (class.ends_with("Client") || class.ends_with("ServiceResource")).then(|| service.replace('_', "-").into())
    }

    fn attribute(&self, of: ExprId, name: &str, depth: u32) -> Receiver {
        let m = self.module();
        if depth > MAX_DEPTH {
            return Receiver::Unknown;
        }
        // `x.meta.client`
        if name == "client"
            && let ExprKind::Attr { of: inner, name, .. } = &m.expr(of).kind
            && &**name == "meta"
        {
            return match self.receiver_at(*inner, depth + 1) {
                Receiver::Client(s) => Receiver::Client(s),
                _ => Receiver::Unknown,
            };
        }
        let ExprKind::Name(base) = &m.expr(of).kind else {
            return Receiver::Unknown;
        };
        let Reaching::Found(f) = m.reaching(base, of) else {
            return Receiver::Unknown;
        };
        let [one] = f.bindings.as_slice() else {
            return Receiver::Unknown;
        };
        match &one.bound {
            Bound::Param(0) => {
                let class = m.scope(f.scope).parent;
                let mut all: Vec<Receiver> = m
                    .attributes
                    .iter()
                    .filter(|a| {
                        &*a.name == name
                            && m.scope(a.scope).parent == class
                            && matches!(&m.expr(a.object).kind, ExprKind::Name(n) if n == base)
                    })
                    .filter_map(|a| a.source.as_ref())
                    .map(|s| self.source(s, depth + 1))
                    .collect();
                if all.is_empty()
                    && m.scope(class).kind == ScopeKind::Class
                    && let Some(bindings) = m.scope(class).bindings.get(name)
                {
                    all = bindings.iter().map(|b| self.bound(b, class, depth + 1)).collect();
                }
                if all.is_empty() { Receiver::Unknown } else { join(&all) }
            }
            Bound::Import(i) => match self.program.import(m.file, 0, &i.module) {
                Some(other) => self.at(other).exported(name, depth + 1),
                None => Receiver::Unknown,
            },
            Bound::From(i) => match self.program.import_from(m.file, i) {
                (_, Some(other)) => self.at(other).exported(name, depth + 1),
                _ => Receiver::Unknown,
            },
            _ => Receiver::Unknown,
        }
    }

    fn call(&self, expr: ExprId, call: &Call, depth: u32) -> Receiver {
        match self.constructor_at(call, depth) {
            Some(Constructor::Client) => return Receiver::Client(self.service(call)),
            Some(Constructor::Session) => return Receiver::Session,
            Some(Constructor::Credentials) => return Receiver::Other,
            None => {}
        }
        let m = self.module();
        match &m.expr(call.function).kind {
            ExprKind::Attr { of, name, .. } if name.starts_with(|c: char| c.is_ascii_uppercase()) => {
                match self.receiver_at(*of, depth + 1) {
                    Receiver::Client(_) => Receiver::Object {
                        kind: name.clone(),
                        call: expr,
                    },
                    Receiver::Object { kind, .. } => Receiver::Object {
                        kind: sub_resource(&kind, name),
                        call: expr,
                    },
                    _ => Receiver::Unknown,
                }
            }
            ExprKind::Name(n) => match m.reaching(n, call.function) {
                Reaching::Found(f) => match f.bindings.as_slice() {
                    [one] => match one.bound {
                        Bound::Function(s) => match m.scope(s).returns.as_slice() {
                            [] => Receiver::Other,
                            returns => {
                                let all: Vec<Receiver> =
                                    returns.iter().map(|r| self.receiver_at(*r, depth + 1)).collect();
                                join(&all)
                            }
                        },
                        // A class of the repository without bases of others is no client.
                        Bound::Class(s) if m.scope(s).bases.is_empty() => Receiver::Other,
                        _ => Receiver::Unknown,
                    },
                    _ => Receiver::Unknown,
                },
                Reaching::Free => Receiver::Unknown,
            },
            _ => Receiver::Unknown,
        }
    }
}

/// What `parent.Name(...)` is called in the resource API: `role.Policy("x")` is a RolePolicy.
fn sub_resource(parent: &str, name: &str) -> Arc<str> {
    match (parent, name) {
        ("Role", "Policy") => "RolePolicy".into(),
        ("User", "Policy") => "UserPolicy".into(),
        ("Group", "Policy") => "GroupPolicy".into(),
        ("Bucket", "Policy") => "BucketPolicy".into(),
        ("Bucket", "Acl") => "BucketAcl".into(),
        ("Bucket", "Object") => "Object".into(),
        ("Object", "Acl") => "ObjectAcl".into(),
        _ => name.into(),
    }
}

fn join(all: &[Receiver]) -> Receiver {
    let known = all.iter().find(|r| !matches!(r, Receiver::Other | Receiver::Unknown));
    match known {
        Some(r) => r.clone(),
        None if !all.is_empty() && all.iter().all(|r| *r == Receiver::Other) => Receiver::Other,
        None => Receiver::Unknown,
    }
}
