//! Which expressions cannot be a function or class of the repository, by the names in them: they need no evaluation.

use rustc_hash::FxHashSet;

use crate::iam::sdk::{self, LibraryResult};
use crate::python::{ArgName, BindingValue, ExprId, ExprKind, Program, PythonModule, Reaching};

/// Names that lead to other names that are followed.
const MAX_STEPS: u32 = 8;

/// Everything that the program binds.
pub(crate) struct CallableNames<'p> {
    bound: FxHashSet<&'p str>,
    /// Some object has attributes whose names are not written: `SimpleNamespace(**values)`.
    open: bool,
}

impl<'p> CallableNames<'p> {
    pub(crate) fn new(program: &'p Program<'_>) -> Self {
        let mut out = Self {
            bound: FxHashSet::from_iter(["__class__", "__self__"]),
            open: false,
        };
        for m in program.modules {
            for s in &m.scopes {
                out.bound.extend(s.bindings.keys().map(|name| &**name));
            }
            out.bound.extend(m.attributes.iter().map(|a| &*a.name));
            for e in &m.exprs {
                if let ExprKind::Call(c) = &e.kind {
                    out.add_attributes_of_call(m, c.function, &c.args);
                }
            }
        }
        out
    }

    /// The keywords, which may be the attributes of a namespace.
    fn add_attributes_of_call(&mut self, m: &'p PythonModule, function: ExprId, args: &'p [crate::python::Arg]) {
        let name = match &m.expr(function).kind {
            ExprKind::Name(name) | ExprKind::Attr { name, .. } => &**name,
            _ => "",
        };
        for a in args {
            match &a.name {
                ArgName::Keyword(k, _) => {
                    self.bound.insert(&**k);
                }
                ArgName::Positional => {}
                ArgName::Spread | ArgName::Star => self.open |= name.ends_with("Namespace"),
            }
        }
        self.open |= name == "setattr";
    }

    /// Whether an expression may be a function or class of the repository.
    pub(crate) fn may_be_callable(&self, m: &PythonModule, expr: ExprId) -> bool {
        self.may_be(m, expr, 0)
    }

    fn may_be(&self, m: &PythonModule, expr: ExprId, depth: u32) -> bool {
        if depth > MAX_STEPS {
            return true;
        }
        match &m.expr(expr).kind {
            ExprKind::Str(_)
            | ExprKind::Join(_)
            | ExprKind::Num(_)
            | ExprKind::Bool(_)
            | ExprKind::None
            | ExprKind::List(_)
            | ExprKind::Tuple(_)
            | ExprKind::Dict(_)
            | ExprKind::Comprehension { .. }
            | ExprKind::Binary { .. }
            | ExprKind::Comparison(_) => false,
            ExprKind::Attr { name, .. } => self.open || self.bound.contains(&**name),
            ExprKind::Name(name) if !self.bound.contains(&**name) => false,
            ExprKind::Name(name) => match m.reaching_bindings(name, expr) {
                Reaching::Found(found) => found.bindings.iter().any(|b| match &b.bound {
                    BindingValue::Value(source) if source.steps.is_empty() => self.may_be(m, source.expr, depth + 1),
                    BindingValue::Import(_) => false,
                    _ => true,
                }),
                Reaching::Free => true,
            },
            ExprKind::Call(c) => match &m.expr(c.function).kind {
                ExprKind::Name(name) if !self.bound.contains(&**name) => hands_back(name),
                ExprKind::Attr { name, .. } if !self.open && !self.bound.contains(&**name) => !is_operation(name),
                _ => true,
            },
            ExprKind::Either { left, right } => [left, right].iter().any(|e| self.may_be(m, **e, depth + 1)),
            ExprKind::Conditional { then, other, .. } => [then, other].iter().any(|e| self.may_be(m, **e, depth + 1)),
            ExprKind::Await(inner) | ExprKind::Walrus(inner) | ExprKind::Star(inner) => {
                self.may_be(m, *inner, depth + 1)
            }
            ExprKind::Index { .. } | ExprKind::Lambda(_) | ExprKind::Other(_) => true,
        }
    }
}

/// Whether a library function or builtin may give what is in its arguments.
fn hands_back(name: &str) -> bool {
    !matches!(
        sdk::library_result(name),
        None | Some(LibraryResult::Other | LibraryResult::Text | LibraryResult::Json | LibraryResult::ParsedJson)
    )
}

/// Whether clients have a method of this name.
fn is_operation(name: &str) -> bool {
    name == "get_paginator" || name == "paginate" || name.contains('_') && sdk::is_client_method(name)
}
