//! Functions and the decorators of the repository around them.

use std::collections::{BTreeMap, BTreeSet};

use super::{callee, is_transparent_decorator};
use crate::python::points_to::{AbstractValue, ObjectEvaluator, ScopeRef};
use crate::python::{Binding, BindingValue, ExprId, ExprKind, Program, PythonModule, ScopeId, ScopeKind, Usage};

/// How many imports a name may come through.
const MAX_IMPORTS: usize = 6;

/// Functions that only look at a function that they are given, or write its name into another (Python documentation,
/// "functools", "inspect").
const LOOKS: &[&str] = &[
    "wraps",
    "update_wrapper",
    "signature",
    "iscoroutinefunction",
    "isgeneratorfunction",
];

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

/// Whether the function runs only where something calls what its name stands for: each decorator wraps it, and neither calls
/// nor keeps it.
pub(super) fn runs_by_name(
    evaluator: &ObjectEvaluator<'_>,
    module: usize,
    scope: ScopeId,
    known: &mut Wrapping,
) -> bool {
    let m = &evaluator.program.modules[module];
    let s = m.scope(scope);
    // Methods are found by other ways than their names.
    if m.scope(s.parent).kind == ScopeKind::Class {
        return false;
    }
    let mut wraps = |d: &ExprId| {
        let values = evaluator.values(module, *d);
        let mut only_wraps =
            |v: &AbstractValue| matches!(v, AbstractValue::Function(f) if known.only_wraps(evaluator.program, *f));
        !values.is_empty() && values.iter().all(&mut only_wraps)
    };
    let mut own = s.decorators.iter().filter(|d| !is_transparent_decorator(m, **d));
    own.all(&mut wraps)
}

/// Whether a name is that of the function that such a decorator is given: what runs it is what names the function.
pub(super) fn is_wrapped_parameter(program: &Program<'_>, module: usize, expr: ExprId, known: &mut Wrapping) -> bool {
    let m = &program.modules[module];
    let e = m.expr(expr);
    let ExprKind::Name(name) = &e.kind else { return false };
    let mut at = m.function_of(e.scope);
    loop {
        let s = m.scope(at);
        if s.params.first().is_some_and(|p| p.name == *name) {
            return known.only_wraps(program, ScopeRef { module, scope: at });
        }
        if s.params.iter().any(|p| p.name == *name) || at == ScopeId::MODULE {
            return false;
        }
        at = m.function_of(s.parent);
    }
}

/// What is known of decorators, found once for each.
#[derive(Default)]
pub(super) struct Wrapping {
    known: BTreeMap<ScopeRef, bool>,
}

impl Wrapping {
    fn only_wraps(&mut self, program: &Program<'_>, decorator: ScopeRef) -> bool {
        *self
            .known
            .entry(decorator)
            .or_insert_with(|| only_wraps(program, decorator))
    }
}

/// Whether a decorator does nothing with the function that it is given but return it, look at it, and use it in functions that
/// it defines and returns.
fn only_wraps(program: &Program<'_>, decorator: ScopeRef) -> bool {
    let m = &program.modules[decorator.module];
    let s = m.scope(decorator.scope);
    let Some(given) = s.params.first() else { return false };
    let inner = |scope: ScopeId| m.scope(scope).kind == ScopeKind::Function && m.scope(scope).parent == decorator.scope;
    let is_inner = |name: &str| {
        let bound = s.bindings.get(name).into_iter().flatten();
        bound
            .into_iter()
            .any(|b| matches!(b.bound, BindingValue::Function(f) if inner(f)))
    };
    let looked_at = looked_at(m);
    let mut defines = false;
    for expr in m.ids() {
        let e = m.expr(expr);
        let ExprKind::Name(name) = &e.kind else { continue };
        // In a function that it defines, what is done with it is done when that is called; a decorator of that, or a
        // default, is evaluated by this one.
        if e.scope != decorator.scope {
            if m.function_of(e.scope) == decorator.scope && (*name == given.name || is_inner(name)) {
                return false;
            }
            continue;
        }
        let kept = |name: &str| name == &*given.name || is_inner(name);
        if !kept(name) || e.usage == Usage::Store {
            continue;
        }
        let is_returned = s.returns.contains(&expr);
        defines |= is_returned;
        if !is_returned && !looked_at.contains(&expr) {
            return false;
        }
    }
    // `return functools.update_wrapper(wrapper, function)`
    let returns_looked = s.returns.iter().any(|r| {
        m.call(*r)
            .is_some_and(|c| c.args.iter().any(|a| looked_at.contains(&a.value)))
    });
    defines || returns_looked
}

/// What only an attribute is read or written of, and arguments of [`LOOKS`].
fn looked_at(m: &PythonModule) -> BTreeSet<ExprId> {
    let mut out = BTreeSet::new();
    for e in &m.exprs {
        match &e.kind {
            ExprKind::Attr { of, name, .. } if name.starts_with("__") && &**name != "__call__" => {
                out.insert(*of);
            }
            ExprKind::Attr { of, .. } if e.usage == Usage::Store => {
                out.insert(*of);
            }
            ExprKind::Call(call) => {
                let function = m.dotted(call.function).unwrap_or_default();
                if LOOKS.contains(&function.rsplit('.').next().unwrap_or_default()) {
                    out.extend(call.args.iter().map(|a| a.value));
                }
            }
            _ => {}
        }
    }
    out
}

/// The functions that a name, or an attribute of a module, is defined as, whatever decorators make of them.
pub(super) fn named_functions(evaluator: &ObjectEvaluator<'_>, module: usize, expr: ExprId) -> Vec<ScopeRef> {
    let program = evaluator.program;
    let m = &program.modules[module];
    let e = m.expr(expr);
    let mut out = Vec::new();
    match &e.kind {
        ExprKind::Name(name) => {
            let mut scope = m.function_of(e.scope);
            let bound = loop {
                match m.scope(scope).bindings.get(name) {
                    Some(all) => break Some(all.as_slice()),
                    None if scope == ScopeId::MODULE => break None,
                    None => scope = m.function_of(m.scope(scope).parent),
                }
            };
            match bound {
                Some(all) => add_bound(program, module, all, 0, &mut out),
                None => add_exported(program, module, name, 0, &mut out),
            }
        }
        ExprKind::Attr { of, name, .. } => {
            for t in evaluator.values(module, *of).iter() {
                if let AbstractValue::Module(other) = t {
                    add_exported(program, *other, name, 0, &mut out);
                }
            }
        }
        _ => {}
    }
    out
}

/// The functions that a module has under a name.
pub(crate) fn exported_functions(program: &Program<'_>, module: usize, name: &str) -> Vec<ScopeRef> {
    let mut out = Vec::new();
    add_exported(program, module, name, 0, &mut out);
    out
}

fn add_exported(program: &Program<'_>, module: usize, name: &str, imports: usize, out: &mut Vec<ScopeRef>) {
    let m = &program.modules[module];
    let s = m.scope(ScopeId::MODULE);
    if let Some(all) = s.bindings.get(name) {
        return add_bound(program, module, all, imports, out);
    }
    if imports < MAX_IMPORTS {
        for w in &s.wildcards {
            if let Some(other) = program
                .import(m.file, w.level, &w.module)
                .filter(|other| *other != module)
            {
                add_exported(program, other, name, imports + 1, out);
            }
        }
    }
}

fn add_bound(program: &Program<'_>, module: usize, all: &[Binding], imports: usize, out: &mut Vec<ScopeRef>) {
    for b in all {
        match &b.bound {
            BindingValue::Function(scope) => out.push(ScopeRef { module, scope: *scope }),
            BindingValue::From(import) if imports < MAX_IMPORTS => {
                let (from, _) = program.import_from(program.modules[module].file, import);
                if let Some(from) = from.filter(|from| *from != module) {
                    add_exported(program, from, &import.name, imports + 1, out);
                }
            }
            _ => {}
        }
    }
}
