//! Which methods of a class run once it is named.
//!
//! **Invariant:** a method is left out only where nothing that runs reads its name, and nothing outside the repository gets
//! hold of the class or of an instance, whose methods it may then call.

use std::sync::Arc;

use crate::iam::sdk::{self, LibraryEffect, LibraryResult};
use crate::python::call_graph::{is_registered, is_transparent_decorator};
use crate::python::points_to::{AbstractValue, ExprRef, ScopeRef};
use crate::python::points_to::{ObjectEvaluator, makes_classes};
use crate::python::{BindingValue, CallExpr, ExprId, ExprKind};

/// Methods that libraries call on what they are given, and that a class may have without a base that says so.
const PROTOCOLS: &[&str] = &[
    "close", "emit", "filter", "flush", "format", "handle", "keys", "next", "read", "readline", "run", "send", "start",
    "stop", "write",
];

/// How many containers deep an argument is looked into.
const MAX_DEPTH: usize = 3;

/// How many parts of the arguments of one call are looked into.
const MAX_PARTS: usize = 5_000;

/// A method that runs if its name is read by what runs, and where its class is named.
pub(crate) type Lazy = (ScopeRef, Arc<str>, ScopeRef);

/// All functions of a class and of those it inherits from, by name.
pub(crate) fn methods(evaluator: &ObjectEvaluator<'_>, class: ScopeRef) -> impl Iterator<Item = (Arc<str>, ScopeRef)> {
    let program = evaluator.program;
    evaluator.index.lineage(class).into_iter().flat_map(move |c| {
        let bindings = program.modules[c.module].scope(c.scope).bindings.iter();
        bindings.flat_map(move |(name, all)| {
            all.iter().filter_map(move |b| match b.bound {
                BindingValue::Function(scope) => Some((
                    name.clone(),
                    ScopeRef {
                        module: c.module,
                        scope,
                    },
                )),
                _ => None,
            })
        })
    })
}

/// The classes in the bodies of a class and of those it inherits from, by name.
fn inner_classes(evaluator: &ObjectEvaluator<'_>, class: ScopeRef) -> Vec<(Arc<str>, ScopeRef)> {
    let mut out = Vec::new();
    for c in evaluator.index.lineage(class) {
        let bindings = &evaluator.program.modules[c.module].scope(c.scope).bindings;
        for (name, binding) in bindings.iter().flat_map(|(n, all)| all.iter().map(move |b| (n, b))) {
            if let BindingValue::Class(scope) = binding.bound {
                let module = c.module;
                out.push((name.clone(), ScopeRef { module, scope }));
            }
        }
    }
    out
}

/// What may run because `from` names the class.
pub(crate) fn add_named(
    evaluator: &ObjectEvaluator<'_>,
    class: ScopeRef,
    from: ScopeRef,
    all: &mut Vec<(ScopeRef, ScopeRef)>,
    lazy: &mut Vec<Lazy>,
) {
    let modules = &evaluator.program.modules;
    let decorated = |c: &ScopeRef| {
        let m = &modules[c.module];
        m.scope(c.scope)
            .decorators
            .iter()
            .any(|d| !is_transparent_decorator(m, *d))
    };
    // Patterns of `match` read properties.
    let matched = |method: &ScopeRef| {
        let m = &modules[method.module];
        let is_property = evaluator.has_decorator(*method, "property");
        is_property
            && m.scope(m.scope(method.scope).parent)
                .bindings
                .contains_key("__match_args__")
    };
    let open = evaluator.index.may_be_called_externally(class) || evaluator.index.lineage(class).iter().any(decorated);
    for (name, method) in methods(evaluator, class) {
        // `__call__`, `_missing_` of an enumeration.
        let always = (name.starts_with('_') && name.ends_with('_'))
            || matched(&method)
            || PROTOCOLS.contains(&&*name)
            || is_registered(&modules[method.module], method.scope);
        match open || always {
            true => all.push((from, method)),
            false => lazy.push((from, name, method)),
        }
    }
    // `getattr(Steps, name)` may be a class in its body.
    for (name, inner) in inner_classes(evaluator, class) {
        lazy.extend(methods(evaluator, inner).map(|(_, method)| (from, name.clone(), method)));
    }
}

/// Reading this of a class gives all classes that inherit from it.
pub(crate) const HEIRS: &str = "__subclasses__";

/// What may run because the class is defined in `from`: a class that its bases, its metaclass, or a decorator may keep counts
/// as named there.
pub(crate) fn add_definition_effects(
    evaluator: &ObjectEvaluator<'_>,
    class: ScopeRef,
    from: ScopeRef,
    all: &mut Vec<(ScopeRef, ScopeRef)>,
    lazy: &mut Vec<Lazy>,
) {
    let modules = &evaluator.program.modules;
    let scope = |c: ScopeRef| modules[c.module].scope(c.scope);
    let lineage = evaluator.index.lineage(class);
    let has = |c: ScopeRef, names: &[&str]| names.iter().any(|n| scope(c).bindings.contains_key(*n));
    let announces = |c: &ScopeRef| {
        has(*c, &["__init_subclass__"])
            || makes_classes(&modules[c.module], c.scope) && has(*c, &["__new__", "__init__", "__prepare__"])
    };
    let decorated = scope(class)
        .decorators
        .iter()
        .any(|d| !is_transparent_decorator(&modules[class.module], *d));
    if decorated || evaluator.index.may_be_called_externally(class) || lineage.iter().skip(1).any(announces) {
        return add_named(evaluator, class, from, all, lazy);
    }
    if lineage.len() > 1 {
        lazy.extend(methods(evaluator, class).map(|(_, method)| (from, HEIRS.into(), method)));
    }
}

/// What may run because a class, or an instance, is handed to something that is not of the repository; `false` where that is
/// too much to look into.
pub(crate) fn passed_to_libraries(
    evaluator: &ObjectEvaluator<'_>,
    module: usize,
    (call, callees): (&CallExpr, &[AbstractValue]),
    from: ScopeRef,
    all: &mut Vec<(ScopeRef, ScopeRef)>,
) -> bool {
    let ours = |t: &AbstractValue| match t {
        AbstractValue::Function(_) | AbstractValue::Method(..) | AbstractValue::Class(_) => true,
        AbstractValue::Library(name) => {
            let builtin = name.rsplit('.').next().unwrap_or(name);
            sdk::library_effects(builtin).contains(&LibraryEffect::OnlyInspects)
        }
        // A list's `append`: what becomes of the list is seen where that is handed on.
        AbstractValue::Bound(of, _) => matches!(**of, AbstractValue::Literal(_)),
        _ => false,
    };
    if !callees.is_empty() && callees.iter().all(ours) {
        return true;
    }
    let mut open: Vec<(ExprRef, usize)> = call.args.iter().map(|a| ((module, a.value), 0)).collect();
    let mut seen = 0;
    while let Some(((module, expr), depth)) = open.pop() {
        seen += 1;
        if seen > MAX_PARTS {
            return false;
        }
        let inside = |e: &ExprId| ((module, *e), depth + 1);
        match &evaluator.program.modules[module].expr(expr).kind {
            _ if depth > MAX_DEPTH => {}
            ExprKind::List(items) | ExprKind::Tuple(items) => open.extend(items.iter().map(inside)),
            ExprKind::Dict(pairs) => open.extend(pairs.iter().map(|p| inside(&p.value))),
            ExprKind::Name(_) | ExprKind::Attr { .. } | ExprKind::Call(_) => {
                for t in evaluator.values(module, expr).iter() {
                    match t {
                        AbstractValue::Class(class) | AbstractValue::Instance(class) => {
                            all.extend(methods(evaluator, *class).map(|(_, method)| (from, method)));
                        }
                        AbstractValue::Literal(at) => {
                            let added = evaluator.index.added(*at).iter();
                            open.extend(added.map(|(_, value)| ((at.0, *value), depth + 1)));
                            open.push((*at, depth + 1));
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    true
}

/// Whether what is read as `.name` may be a method that the evaluation did not find.
pub(crate) fn may_be_unresolved_method(values: &[AbstractValue]) -> bool {
    let unclear = |t: &AbstractValue| match t {
        AbstractValue::Opaque
        | AbstractValue::More
        | AbstractValue::Entry(..)
        | AbstractValue::Items(_)
        | AbstractValue::Pair(_) => true,
        AbstractValue::Bound(of, _) => matches!(
            &**of,
            AbstractValue::Opaque | AbstractValue::More | AbstractValue::Instance(_) | AbstractValue::Class(_)
        ),
        _ => false,
    };
    values.is_empty() || values.iter().any(unclear)
}

/// The names that a call of `getattr` reads, as far as they are known.
pub(crate) fn names_read(
    evaluator: &ObjectEvaluator<'_>,
    module: usize,
    call: &CallExpr,
    callees: &[AbstractValue],
) -> impl Iterator<Item = Arc<str>> {
    let reads = |t: &AbstractValue| matches!(t, AbstractValue::Library(n) if is_getattr(n));
    let asked = call.positional(1).filter(|_| callees.iter().any(reads));
    let names = asked.map_or_else(Vec::new, |name| evaluator.texts(module, name, None));
    names.into_iter()
}

/// Whether the call whose callee is this library name may read any name at all.
pub(crate) fn reads_any(evaluator: &ObjectEvaluator<'_>, module: usize, call: ExprId, name: &str) -> bool {
    let named = || {
        let c = evaluator.program.modules[module].call(call);
        let asked = c.and_then(|c| c.positional(1));
        asked.is_some_and(|a| !evaluator.texts(module, a, None).is_empty())
    };
    sdk::library_effects(name).contains(&LibraryEffect::ReadsAnyAttribute) || is_getattr(name) && !named()
}

fn is_getattr(name: &str) -> bool {
    sdk::library_result(name) == Some(LibraryResult::Attribute)
}
