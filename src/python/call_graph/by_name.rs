//! Code that is reached by a name that is a value: `"settings.Production"`, `"jobs.nightly:run"`, `locals()[name]`.

use crate::python::call_graph::classes;
use crate::python::points_to::{AbstractValue, MODULES, ObjectEvaluator, ScopeRef};
use crate::python::{BindingValue, ExprId, ExprKind, ScopeId, Usage};

/// Adds what a string names of the repository's code, which runs perhaps, since frameworks import what their settings name: the
/// module, and the function, or the methods of the class.
pub(super) fn add_named(
    evaluator: &ObjectEvaluator<'_>,
    module: usize,
    expr: ExprId,
    from: ScopeRef,
    out: &mut Vec<(ScopeRef, ScopeRef)>,
) {
    let program = evaluator.program;
    let m = &program.modules[module];
    let ExprKind::Str(text) = &m.expr(expr).kind else {
        return;
    };
    let Some(text) = text.known() else { return };
    let Some((other, name)) = program.named_by_text(m.file, &text) else {
        return;
    };
    let place = |scope| ScopeRef { module: other, scope };
    out.push((from, place(ScopeId::MODULE)));
    let bindings = &program.modules[other].scope(ScopeId::MODULE).bindings;
    for binding in name.and_then(|name| bindings.get(name)).into_iter().flatten() {
        match binding.bound {
            BindingValue::Function(scope) => out.push((from, place(scope))),
            BindingValue::Class(scope) => {
                let methods = classes::methods(evaluator, place(scope));
                out.extend(methods.map(|(_, method)| (from, method)));
                out.push((from, place(scope)));
            }
            _ => {}
        }
    }
}

/// What an expression reads by a name that may be chosen when it runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ByName {
    /// A module of the repository: `sys.modules[__name__]`.
    Module,
    /// Anything: `locals()[name]`, `sys.modules[name]`.
    Unknown,
}

pub(super) fn named_at_run_time(evaluator: &ObjectEvaluator<'_>, module: usize, expr: ExprId) -> Option<ByName> {
    let m = &evaluator.program.modules[module];
    let is_named = |e: ExprId, name: &str| {
        let values = evaluator.values(module, e);
        values
            .iter()
            .any(|t| matches!(t, AbstractValue::Library(n) if &**n == name))
    };
    let of_locals = |of: ExprId| {
        let made = m.defining_expression(of).and_then(|of| m.call(of));
        made.is_some_and(|c| is_named(c.function, "locals"))
    };
    match &m.expr(expr).kind {
        ExprKind::Index { of, .. } if m.expr(expr).usage != Usage::Store => {
            if of_locals(*of) {
                return Some(ByName::Unknown);
            }
            if m.dotted(*of).is_some_and(|name| name.ends_with("modules")) && is_named(*of, MODULES) {
                let values = evaluator.values(module, expr);
                let is_known = values.iter().all(|t| !matches!(t, AbstractValue::Opaque));
                return Some(if is_known { ByName::Module } else { ByName::Unknown });
            }
            None
        }
        ExprKind::Attr { of, name, .. } if matches!(&**name, "get" | "__getitem__") => {
            of_locals(*of).then_some(ByName::Unknown)
        }
        _ => None,
    }
}
