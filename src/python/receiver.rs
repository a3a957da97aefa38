//! What the object before the dot is: a boto3 client, not one, or perhaps one. [`ObjectEvaluator`] answers for all of the repository.

use std::sync::Arc;

use crate::iam::sdk::{self, LibraryEffect, LibraryResult};
use crate::python::points_to::{AbstractValue, ObjectEvaluator, ObjectIndex, Params, ResourceOrigin};
use crate::python::{BindingValue, CallExpr, ExprId, ExprKind, Program, PythonModule, Reaching, ScopeKind};

/// What is known of the objects of a program.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    index: ObjectIndex,
    params: Params,
}

impl Objects {
    /// Without what parameters stand for.
    pub(crate) fn new(program: &Program<'_>) -> Self {
        Self {
            index: ObjectIndex::new(program),
            params: Params::default(),
        }
    }

    pub(crate) fn with_params(mut self, program: &Program<'_>) -> Self {
        self.params = Params::new(program, &self.index);
        self
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Receiver {
    /// `boto3.client(service)`, `boto3.resource(service)`; the service where it is known.
    Client(Option<Arc<str>>),
    /// `boto3.resource("iam").Role("x")`: its type and the call that makes it.
    Object {
        kind: Arc<str>,
        call: ExprId,
    },
    Session,
    /// Known not to be a client.
    Other,
    /// Perhaps a client.
    Unknown,
}

/// What a constructor call makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Constructor {
    Client,
    Session,
    /// An object with a key pair: the names of its positional parameters, joined by `, `.
    Credentials(&'static str),
}

/// Asks about the expressions of one module.
pub(crate) struct Receivers<'p> {
    evaluator: ObjectEvaluator<'p>,
    program: &'p Program<'p>,
    module: usize,
}

impl<'p> Receivers<'p> {
    pub(crate) fn new(program: &'p Program<'p>, module: usize, objects: &'p Objects) -> Self {
        Self {
            evaluator: ObjectEvaluator::new(program, &objects.index, &objects.params),
            program,
            module,
        }
    }

    fn module(&self) -> &'p PythonModule {
        &self.program.modules[self.module]
    }

    /// Whether the call makes a client, session or credentials object of an AWS SDK.
    pub(crate) fn constructor(&self, call: &CallExpr) -> Option<Constructor> {
        if let Some(name) = self.program.library(self.module, call.function) {
            let made = sdk::library_effects(&name).iter().find_map(|effect| match effect {
                LibraryEffect::Returns(LibraryResult::Client | LibraryResult::Resource) => Some(Constructor::Client),
                LibraryEffect::Returns(LibraryResult::Session) | LibraryEffect::SetsUpSession => {
                    Some(Constructor::Session)
                }
                LibraryEffect::TakesKeys(parameters) => Some(Constructor::Credentials(parameters)),
                _ => None,
            });
            if made.is_some() {
                return made;
            }
        }
        let m = self.module();
        if let ExprKind::Attr { of, name, .. } = &m.expr(call.function).kind
            && matches!(&**name, "client" | "resource" | "create_client")
        {
            let session = match self.receiver(*of) {
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
    fn service(&self, call: &CallExpr) -> Option<Arc<str>> {
        let arg = call.argument(0, "service_name")?;
        let text = self.module().string(arg)?;
        let fits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        fits.then(|| Arc::from(&*text))
    }

    /// Whether an answer so far depended on what a parameter stands for.
    pub(crate) fn read_params(self) -> bool {
        !self.evaluator.params_read().is_empty()
    }

    pub(crate) fn receiver(&self, expr: ExprId) -> Receiver {
        let m = self.module();
        let values = self.evaluator.values(self.module, expr);
        let known = values.iter().find_map(|t| self.known_receiver(t));
        if let Some(known) = known {
            return known;
        }
        // A session that is only called so.
        if let Some(call) = m.defining_expression(expr).and_then(|e| m.call(e))
            && self.constructor(call) == Some(Constructor::Client)
        {
            return Receiver::Client(self.service(call));
        }
        if self.is_self(expr) {
            return Receiver::Other;
        }
        match &m.expr(expr).kind {
            ExprKind::Name(_)
            | ExprKind::Attr { .. }
            | ExprKind::Call(_)
            | ExprKind::Await(_)
            | ExprKind::Walrus(_)
            | ExprKind::Conditional { .. }
            | ExprKind::Either { .. }
            | ExprKind::Index { .. }
            | ExprKind::Other(_) => match values.is_empty() || !values.iter().all(|t| self.is_not_a_client(t)) {
                true => Receiver::Unknown,
                false => Receiver::Other,
            },
            _ => Receiver::Other,
        }
    }

    fn known_receiver(&self, value: &AbstractValue) -> Option<Receiver> {
        Some(match value {
            AbstractValue::Client(c) => Receiver::Client(Some(c.name().into())),
            AbstractValue::SomeClient => Receiver::Client(None),
            AbstractValue::UnlistedClient(name) => Receiver::Client(Some(name.clone())),
            AbstractValue::Resource(c, ty, _) if ty.name() == "ServiceResource" => {
                Receiver::Client(Some(c.name().into()))
            }
            AbstractValue::Resource(_, ty, ResourceOrigin::Call((module, call))) if *module == self.module => {
                // Others find it by something that is not one of its identifiers: `get_queue_by_name`.
                let m = self.module();
                let maker = m.call(*call).map(|c| &m.expr(c.function).kind);
                if !matches!(maker, Some(ExprKind::Attr { name, .. }) if name.starts_with(|c: char| c.is_ascii_uppercase()))
                {
                    return None;
                }
                Receiver::Object {
                    kind: ty.name().into(),
                    call: *call,
                }
            }
            AbstractValue::Session => Receiver::Session,
            _ => return None,
        })
    }

    /// Something of the repository itself, or of Python, that is no client.
    fn is_not_a_client(&self, value: &AbstractValue) -> bool {
        match value {
            AbstractValue::Instance(class) => !self.evaluator.index.may_be_called_externally(*class),
            AbstractValue::Function(_)
            | AbstractValue::Method(..)
            | AbstractValue::Class(_)
            | AbstractValue::Text(_)
            | AbstractValue::Literal(_) => true,
            _ => false,
        }
    }

    /// The first parameter of a method.
    fn is_self(&self, expr: ExprId) -> bool {
        let m = self.module();
        let ExprKind::Name(name) = &m.expr(expr).kind else {
            return false;
        };
        let Reaching::Found(f) = m.reaching_bindings(name, expr) else {
            return false;
        };
        let s = m.scope(f.scope);
        let of_class = s.kind == ScopeKind::Function && m.scope(s.parent).kind == ScopeKind::Class;
        of_class && matches!(f.bindings.as_slice(), [b] if matches!(b.bound, BindingValue::Param(0)))
    }
}
