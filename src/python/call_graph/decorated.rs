//! Functions and the decorators of the repository around them.

use super::{callee, is_transparent_decorator};
use crate::python::points_to::{ObjectEvaluator, ScopeRef};
use crate::python::{Binding, BindingValue, ExprId, ExprKind, Program, ScopeId};

/// Whether only decorators of the repository, which wrap it or keep it, could call the function.
pub(super) fn is_wrapped(evaluator: &ObjectEvaluator<'_>, module: usize, scope: ScopeId) -> bool {
    let m = &evaluator.program.modules[module];
    let is_own = |d: &ExprId| {
        let function = m.call(*d).map_or(*d, |c| c.function);
        let values = evaluator.values(module, function);
        !values.is_empty() && values.iter().all(|v| callee(evaluator, v).is_some())
    };
    let decorators = &m.scope(scope).decorators;
    decorators
        .iter()
        .filter(|d| !is_transparent_decorator(m, **d))
        .all(is_own)
}

/// The function that a call names, whatever decorators make of it.
pub(super) fn defined_function(program: &Program<'_>, module: usize, called: ExprId) -> Option<ScopeRef> {
    let m = &program.modules[module];
    let e = m.expr(called);
    let ExprKind::Name(name) = &e.kind else { return None };
    let mut scope = m.function_of(e.scope);
    let bound = loop {
        match m.scope(scope).bindings.get(name) {
            Some(all) => break all.as_slice(),
            None if scope == ScopeId::MODULE => return None,
            None => scope = m.function_of(m.scope(scope).parent),
        }
    };
    let only = |all: &[Binding], module: usize| match all {
        [one] => match one.bound {
            BindingValue::Function(scope) => Some(ScopeRef { module, scope }),
            _ => None,
        },
        _ => None,
    };
    match bound {
        [
            Binding {
                bound: BindingValue::From(import),
                ..
            },
        ] => {
            let (from, _) = program.import_from(m.file, import);
            let from = from?;
            let all = program.modules[from]
                .scope(ScopeId::MODULE)
                .bindings
                .get(&import.name)?;
            only(all, from)
        }
        all => only(all, module),
    }
}
