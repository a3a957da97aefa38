//! Which functions run when an entry point does. Too many rather than too few: a method of something unknown may be any
//! method of that name in the modules that the entry point imports, however indirectly: the class of an object was run before.

mod by_name;
mod classes;
mod decorated;

pub(crate) use decorated::exported_functions;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::iam::sdk::{self, LibraryEffect, LibraryResult};
use crate::index::Id;
use crate::python::call_graph::classes::Lazy;
use crate::python::points_to::{AbstractValue, ObjectEvaluator, ScopeRef, decorator_name};
use crate::python::{BindingValue, ExprId, ExprKind, PythonModule, ScopeId, ScopeKind, Usage};
use crate::source::Span;

/// Methods of one name, in the modules of one entry point, that a call on something unknown may reach.
const MAX_NAMESAKES: usize = 40;

/// Decorators that leave a function to its callers.
const QUIET: &[&str] = &[
    "property",
    "setter",
    "getter",
    "deleter",
    "cached_property",
    "staticmethod",
    "classmethod",
    "abstractmethod",
    "lru_cache",
    "cache",
    "wraps",
    "contextmanager",
    "asynccontextmanager",
    "dataclass",
    "overload",
    "override",
    "final",
    "retry",
    "deprecated",
    "capture_method",
    "total_ordering",
    "singledispatch",
    "backoff",
    "on_exception",
    "cached",
    "fixture",
    "parametrize",
    "patch",
    "mock_aws",
];

/// A place that may call AWS, we cannot say what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnresolvedCall {
    pub span: Span,
    pub at: ScopeRef,
    pub why: UnresolvedReason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnresolvedReason {
    /// A client, of a service that is decided when it runs.
    Service,
    /// An operation that is decided when it runs.
    Operation,
    /// Code that is chosen when it runs: `importlib.import_module(name)`.
    Dynamic,
    /// The file could not wholly be read.
    Partial,
}

impl UnresolvedReason {
    pub fn text(self) -> &'static str {
        match self {
            Self::Service => "client of unknown service",
            Self::Operation => "operation chosen at run time",
            Self::Dynamic => "code chosen at run time",
            Self::Partial => "file only partly analyzed",
        }
    }
}

/// What runs what, from one module on.
#[derive(Debug, Default)]
pub(crate) struct CallEdges {
    /// Perhaps.
    all: Vec<(ScopeRef, ScopeRef)>,
    /// Perhaps, by a call of a method of something unknown: the name.
    guessed: Vec<(ScopeRef, Arc<str>)>,
    /// By a call that names what it calls, an import, or a framework's decorator.
    called: Vec<(ScopeRef, ScopeRef)>,
    /// Perhaps, if something that runs reads the name.
    lazy: Vec<Lazy>,
    /// Names that are read of something that may have a method of the repository; none stands for any.
    read: Vec<(ScopeRef, Option<Arc<str>>)>,
}

/// What runs what.
#[derive(Debug, Default)]
pub(crate) struct CallGraph {
    all: BTreeMap<ScopeRef, Vec<ScopeRef>>,
    guessed: BTreeMap<ScopeRef, Vec<Arc<str>>>,
    lazy: BTreeMap<ScopeRef, Vec<(Arc<str>, ScopeRef)>>,
    read: BTreeMap<ScopeRef, Vec<Option<Arc<str>>>>,
    called: BTreeMap<ScopeRef, Vec<ScopeRef>>,
}

/// The edges that begin in one module, and what there keeps us from seeing all of them.
pub(crate) fn edges(evaluator: &ObjectEvaluator<'_>, module: usize) -> (CallEdges, Vec<UnresolvedCall>) {
    let m = &evaluator.program.modules[module];
    let mut out: Vec<(ScopeRef, ScopeRef)> = Vec::new();
    let mut called: Vec<(ScopeRef, ScopeRef)> = Vec::new();
    let mut guessed: Vec<(ScopeRef, Arc<str>)> = Vec::new();
    let mut lazy: Vec<Lazy> = Vec::new();
    let mut read: Vec<(ScopeRef, Option<Arc<str>>)> = Vec::new();
    let mut unclear = Vec::new();
    let read_of = objects_of_attributes(m);
    let mut wrapping = decorated::Wrapping::default();
    let place = |scope: ScopeId| ScopeRef { module, scope };
    for expr in m.ids() {
        let e = m.expr(expr);
        let from = place(m.runs_in(expr));
        if let ExprKind::Call(call) = &e.kind {
            let callees = evaluator.values(module, call.function);
            let handed = classes::passed_to_libraries(evaluator, module, (call, &callees), from, &mut out);
            let any = |t: &AbstractValue| matches!(t, AbstractValue::Library(n) if classes::reads_any(evaluator, module, expr, n));
            if !handed || callees.iter().any(any) {
                read.push((from, None));
            }
            read.extend(classes::names_read(evaluator, module, call, &callees).map(|name| (from, Some(name))));
        }
        by_name::add_named(evaluator, module, expr, from, &mut out);
        let by_name = by_name::named_at_run_time(evaluator, module, expr);
        if by_name == Some(by_name::ByName::Unknown) {
            unclear.push(UnresolvedCall {
                span: e.span,
                at: from,
                why: UnresolvedReason::Dynamic,
            });
        }
        let is_name =
            matches!(e.kind, ExprKind::Name(_) | ExprKind::Attr { .. }) || by_name == Some(by_name::ByName::Module);
        if !is_name || e.usage == Usage::Store {
            continue;
        }
        let values = evaluator.values(module, expr);
        // What calls a function that is decorated is what calls it by its name.
        let is_given = values.iter().any(is_function)
            && decorated::is_wrapped_parameter(evaluator.program, module, expr, &mut wrapping);
        let named = decorated::named_functions(evaluator, module, expr);
        let is_decorated = |f: &&ScopeRef| !evaluator.program.modules[f.module].scope(f.scope).decorators.is_empty();
        out.extend(named.iter().filter(is_decorated).map(|f| (from, *f)));
        if e.usage == Usage::Callee
            && !is_given
            && let [one] = &*values
            && !is_overridden(evaluator, one)
        {
            let to = callee(evaluator, one).map(|to| (from, to));
            let only = <[ScopeRef; 1]>::try_from(named).ok();
            let wrapped = only.map(|[to]| (from, to));
            called.extend(to.into_iter().chain(wrapped));
        }
        for t in values.iter() {
            match t {
                AbstractValue::Function(_) | AbstractValue::Method(..) if is_given => {}
                AbstractValue::Function(f) | AbstractValue::Method(f, _) => out.push((from, *f)),
                AbstractValue::Class(c) => classes::add_named(evaluator, *c, from, &mut out, &mut lazy),
                AbstractValue::Module(other) => {
                    out.push((
                        from,
                        ScopeRef {
                            module: *other,
                            scope: ScopeId::MODULE,
                        },
                    ));
                    // `getattr(steps, name)`, `inspect.getmembers(steps)`, `steps.__dict__`: any of it may run.
                    if !read_of.contains(&expr) {
                        out.extend(functions_of_module(evaluator, *other).map(|to| (from, to)));
                    }
                }
                AbstractValue::Library(name)
                    if e.usage == Usage::Callee
                        && runs_code(name)
                        && !(is_import(name) && imports_literal_module(evaluator, module, expr)) =>
                {
                    unclear.push(UnresolvedCall {
                        span: e.span,
                        at: from,
                        why: UnresolvedReason::Dynamic,
                    });
                }
                AbstractValue::Opaque if e.usage == Usage::Callee => {
                    if let ExprKind::Attr { name, .. } = &e.kind {
                        guessed.push((from, name.clone()));
                    }
                }
                _ => {}
            }
        }
        // Reading a property runs it.
        if let ExprKind::Attr { of, name, .. } = &e.kind {
            if &**name == "__dict__" {
                read.push((from, None));
            } else if &**name == classes::HEIRS
                || !evaluator.index.methods(name).is_empty() && classes::may_be_unresolved_method(&values)
            {
                read.push((from, Some(name.clone())));
            }
            properties(evaluator, module, *of, name, from, &mut out);
        }
    }
    // `self.__class__ = Other`: any of its methods may run after that.
    for a in m.attributes.iter().filter(|a| &*a.name == "__class__") {
        let Some(source) = &a.source else { continue };
        for t in evaluator.values(module, source.expr).iter() {
            if let AbstractValue::Class(class) = t {
                let from = place(m.function_of(a.scope));
                out.extend(classes::methods(evaluator, *class).map(|(_, method)| (from, method)));
            }
        }
    }
    for (scope, s) in m.scopes.iter_enumerated() {
        imports(evaluator, m, place(m.function_of(scope)), scope, &mut called);
        // What a framework is given by a decorator runs when the framework likes.
        if s.kind == ScopeKind::Function && is_registered(m, scope) {
            let edge = (place(m.function_of(s.parent)), place(scope));
            match decorated::is_wrapped(evaluator, module, scope) {
                true if decorated::runs_by_name(evaluator, module, scope, &mut wrapping) => {}
                true => out.push(edge),
                false => called.push(edge),
            }
        }
        if s.kind == ScopeKind::Class {
            overriding(evaluator, place(scope), &mut out);
            let from = place(m.function_of(s.parent));
            classes::add_definition_effects(evaluator, place(scope), from, &mut out, &mut lazy);
        }
        for base in &s.bases {
            for t in evaluator.values(module, *base).iter() {
                if let AbstractValue::Class(c) = t {
                    classes::add_named(evaluator, *c, place(m.function_of(s.parent)), &mut out, &mut lazy);
                }
            }
        }
    }
    out.extend(&called);
    for edges in [&mut out, &mut called] {
        edges.sort_unstable();
        edges.dedup();
    }
    guessed.sort_unstable();
    guessed.dedup();
    lazy.sort_unstable();
    lazy.dedup();
    read.sort_unstable();
    read.dedup();
    let edges = CallEdges {
        all: out,
        guessed,
        called,
        lazy,
        read,
    };
    (edges, unclear)
}

/// The expressions of which an attribute is read by its name.
fn objects_of_attributes(m: &PythonModule) -> BTreeSet<ExprId> {
    let named = m.exprs.iter().filter_map(|e| match &e.kind {
        ExprKind::Attr { of, name, .. } if &**name != "__dict__" => Some(*of),
        _ => None,
    });
    named.collect()
}

/// The functions and methods of a module.
fn functions_of_module(evaluator: &ObjectEvaluator<'_>, module: usize) -> impl Iterator<Item = ScopeRef> {
    let scopes = &evaluator.program.modules[module].scopes;
    scopes.iter_enumerated().filter_map(move |(scope, s)| {
        let is_function = s.kind == ScopeKind::Function;
        is_function.then_some(ScopeRef { module, scope })
    })
}

fn is_function(value: &AbstractValue) -> bool {
    matches!(value, AbstractValue::Function(_) | AbstractValue::Method(..))
}

/// Whether a class that inherits the method has its own instead: a call may run either.
fn is_overridden(evaluator: &ObjectEvaluator<'_>, value: &AbstractValue) -> bool {
    let AbstractValue::Method(f, class) = value else {
        return false;
    };
    let modules = &evaluator.program.modules;
    let name = modules[f.module]
        .scope(f.scope)
        .qualname
        .rsplit('.')
        .next()
        .unwrap_or_default();
    let heirs = evaluator.index.subclasses(*class);
    heirs
        .iter()
        .any(|c| modules[c.module].scope(c.scope).bindings.contains_key(name))
}

/// The function that a call of `thing` runs for certain.
fn callee(evaluator: &ObjectEvaluator<'_>, value: &AbstractValue) -> Option<ScopeRef> {
    match value {
        AbstractValue::Function(f) | AbstractValue::Method(f, _) => Some(*f),
        AbstractValue::Class(c) => crate::python::points_to::constructor(evaluator.program, evaluator.index, *c),
        _ => None,
    }
}

/// Functions that run code which is chosen when they are called.
fn runs_code(name: &str) -> bool {
    is_import(name) || sdk::library_effects(name).contains(&LibraryEffect::RunsText)
}

fn is_import(name: &str) -> bool {
    sdk::library_result(name) == Some(LibraryResult::Module)
}

/// Whether the call whose callee this is imports a module by a literal name.
fn imports_literal_module(evaluator: &ObjectEvaluator<'_>, module: usize, callee: ExprId) -> bool {
    let m = &evaluator.program.modules[module];
    // A call stands after its parts; nothing but its arguments is between.
    let mut after = (callee.index() + 1..m.exprs.len()).take(64).map(ExprId::new);
    let call = after.find_map(|e| m.call(e).filter(|c| c.function == callee));
    let first = call.and_then(|c| c.positional(0));
    first.is_some_and(|a| !evaluator.texts(module, a, None).is_empty())
}

fn properties(
    evaluator: &ObjectEvaluator<'_>,
    module: usize,
    of: ExprId,
    name: &str,
    from: ScopeRef,
    out: &mut Vec<(ScopeRef, ScopeRef)>,
) {
    for t in evaluator.values(module, of).iter() {
        let AbstractValue::Instance(c) = t else { continue };
        for class in evaluator.index.lineage(*c) {
            let m = &evaluator.program.modules[class.module];
            for b in m.scope(class.scope).bindings.get(name).into_iter().flatten() {
                if let BindingValue::Function(s) = b.bound {
                    out.push((
                        from,
                        ScopeRef {
                            module: class.module,
                            scope: s,
                        },
                    ));
                }
            }
        }
    }
}

/// Where a method of the class is an heir's version of another: what runs that one may run this one.
fn overriding(evaluator: &ObjectEvaluator<'_>, class: ScopeRef, out: &mut Vec<(ScopeRef, ScopeRef)>) {
    let functions = |place: ScopeRef, name: &str| -> Vec<ScopeRef> {
        let m = &evaluator.program.modules[place.module];
        let all = m.scope(place.scope).bindings.get(name).into_iter().flatten();
        all.filter_map(|b| match b.bound {
            BindingValue::Function(scope) => Some(ScopeRef {
                module: place.module,
                scope,
            }),
            _ => None,
        })
        .collect()
    };
    let bases = evaluator.index.lineage(class);
    let names = evaluator.program.modules[class.module]
        .scope(class.scope)
        .bindings
        .keys();
    for name in names {
        for own in functions(class, name) {
            for base in &bases[1..] {
                out.extend(functions(*base, name).into_iter().map(|f| (f, own)));
            }
        }
    }
}

/// Modules that run because code in `scope` imports them.
fn imports(
    evaluator: &ObjectEvaluator<'_>,
    m: &PythonModule,
    from: ScopeRef,
    scope: ScopeId,
    out: &mut Vec<(ScopeRef, ScopeRef)>,
) {
    let program = evaluator.program;
    let mut run = |module: Option<usize>, level: u32, dotted: &str| {
        let first = program.packages_through(m.file, level, dotted);
        for module in module.into_iter().chain(first) {
            out.push((
                from,
                ScopeRef {
                    module,
                    scope: ScopeId::MODULE,
                },
            ));
        }
    };
    let s = m.scope(scope);
    for b in s.bindings.values().flatten() {
        match &b.bound {
            BindingValue::Import(i) => {
                run(program.import(m.file, 0, &i.module), 0, "");
                run(program.import(m.file, 0, &i.full), 0, &i.full);
            }
            BindingValue::From(i) => {
                let (module, sub) = program.import_from(m.file, i);
                run(module, i.level, &i.module);
                run(sub, i.level, "");
            }
            _ => {}
        }
    }
    for w in &s.wildcards {
        run(program.import(m.file, w.level, &w.module), w.level, &w.module);
    }
}

/// Whether a decorator hands the function to something that calls it.
pub(crate) fn is_registered(m: &PythonModule, scope: ScopeId) -> bool {
    m.scope(scope)
        .decorators
        .iter()
        .any(|d| !is_transparent_decorator(m, *d))
}

/// Whether a decorator leaves what it decorates to its callers.
pub(crate) fn is_transparent_decorator(m: &PythonModule, decorator: ExprId) -> bool {
    let name = decorator_name(m, decorator).unwrap_or_default();
    QUIET.contains(&name.rsplit('.').next().unwrap_or(""))
}

impl CallGraph {
    pub(crate) fn new(all: Vec<CallEdges>) -> Self {
        let mut out = Self::default();
        for edges in all {
            for (from, to) in edges.all {
                out.all.entry(from).or_default().push(to);
            }
            for (from, name) in edges.guessed {
                out.guessed.entry(from).or_default().push(name);
            }
            for (from, to) in edges.called {
                out.called.entry(from).or_default().push(to);
            }
            for (from, name, to) in edges.lazy {
                out.lazy.entry(from).or_default().push((name, to));
            }
            for (from, name) in edges.read {
                out.read.entry(from).or_default().push(name);
            }
        }
        out
    }

    /// Everything that may run from `entries` on; `methods` says of a name which methods of the modules that may have run have it.
    pub(crate) fn reachable(
        &self,
        entries: &[ScopeRef],
        methods: impl Fn(&str) -> Vec<ScopeRef>,
    ) -> BTreeSet<ScopeRef> {
        // Methods by name whose name nothing has read yet; with nothing in the place of a name, anything.
        let mut waiting: BTreeMap<&str, Vec<ScopeRef>> = BTreeMap::new();
        let (mut read, mut any): (BTreeSet<&str>, bool) = (BTreeSet::new(), false);
        let mut guessed: BTreeSet<&str> = BTreeSet::new();
        walk(&self.all, entries, |at, stack| {
            for name in self.guessed.get(&at).into_iter().flatten() {
                if guessed.insert(name) {
                    let all = methods(name);
                    stack.extend(Some(all).filter(|all| all.len() <= MAX_NAMESAKES).into_iter().flatten());
                }
            }
            for (name, method) in self.lazy.get(&at).into_iter().flatten() {
                match any || read.contains(&**name) {
                    true => stack.push(*method),
                    false => waiting.entry(name).or_default().push(*method),
                }
            }
            for name in self.read.get(&at).into_iter().flatten() {
                match name {
                    Some(name) if read.insert(name) => stack.extend(waiting.remove(&**name).into_iter().flatten()),
                    Some(_) => {}
                    None => {
                        any = true;
                        stack.extend(std::mem::take(&mut waiting).into_values().flatten());
                    }
                }
            }
        })
    }

    /// What a call, an import or a framework runs from `entries` on.
    pub(crate) fn certainly_reachable(&self, entries: &[ScopeRef]) -> BTreeSet<ScopeRef> {
        walk(&self.called, entries, |_, _| {})
    }
}

/// What the edges lead to, each place once; `more` adds to the stack what else a place leads to.
fn walk(
    edges: &BTreeMap<ScopeRef, Vec<ScopeRef>>,
    entries: &[ScopeRef],
    mut more: impl FnMut(ScopeRef, &mut Vec<ScopeRef>),
) -> BTreeSet<ScopeRef> {
    let mut seen: BTreeSet<ScopeRef> = BTreeSet::new();
    let mut stack: Vec<ScopeRef> = entries.to_vec();
    while let Some(at) = stack.pop() {
        if !seen.insert(at) {
            continue;
        }
        // A function's module has run before it does.
        stack.push(ScopeRef {
            module: at.module,
            scope: ScopeId::MODULE,
        });
        stack.extend(edges.get(&at).into_iter().flatten().copied());
        more(at, &mut stack);
    }
    seen
}
