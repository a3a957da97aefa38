//! Which functions run when an entry point does. Too many rather than too few: a method of something unknown may be any
//! method of that name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::classes::{self, Lazy};
use super::{Unresolved, Why};
use crate::model::python::objects::{Evaluator, decorator_name};
use crate::model::python::objects::{Place, Thing};
use crate::model::python::{BlockId, BlockKind, Bound, ExprId, ExprKind, Module, ScopeId, ScopeKind, Usage};

/// Methods of one name that a call on something unknown may reach.
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

/// What runs what, from one module on.
#[derive(Debug, Default)]
pub(super) struct Edges {
    /// Perhaps.
    all: Vec<(Place, Place)>,
    /// By a call that names what it calls, an import, or a framework's decorator.
    called: Vec<(Place, Place)>,
    /// By such a call that only a script makes: `if __name__ == "__main__"`.
    script: Vec<(Place, Place)>,
    /// Perhaps, if something that runs reads the name.
    lazy: Vec<Lazy>,
    /// Names that are read of something that may have a method of the repository; none stands for any.
    read: Vec<(Place, Option<Arc<str>>)>,
}

/// What runs what.
#[derive(Debug, Default)]
pub(super) struct Graph {
    all: BTreeMap<Place, Vec<Place>>,
    lazy: BTreeMap<Place, Vec<(Arc<str>, Place)>>,
    read: BTreeMap<Place, Vec<Option<Arc<str>>>>,
    called: BTreeMap<Place, Vec<Place>>,
    script: BTreeMap<Place, Vec<Place>>,
}

/// The edges that begin in one module, and what there keeps us from seeing all of them.
pub(super) fn edges(evaluator: &Evaluator<'_>, module: usize) -> (Edges, Vec<Unresolved>) {
    let m = &evaluator.program.modules[module];
    let mut out: Vec<(Place, Place)> = Vec::new();
    let mut called: Vec<(Place, Place)> = Vec::new();
    let mut script: Vec<(Place, Place)> = Vec::new();
    let mut lazy: Vec<Lazy> = Vec::new();
    let mut read: Vec<(Place, Option<Arc<str>>)> = Vec::new();
    let mut unclear = Vec::new();
    let read_of = objects(m);
    let place = |scope: ScopeId| Place { module, scope };
    for expr in m.ids() {
        let e = m.expr(expr);
        let from = place(m.function_of(e.scope));
        if let ExprKind::Call(call) = &e.kind {
            let callees = evaluator.things(module, call.function);
            let handed = classes::handed_out(evaluator, module, (call, &callees), from, &mut out);
            let any = |t: &Thing| matches!(t, Thing::Library(n) if classes::reads_any(evaluator, module, expr, n));
            if !handed || callees.iter().any(any) {
                read.push((from, None));
            }
            read.extend(classes::names_read(evaluator, module, call, &callees).map(|name| (from, Some(name))));
        }
        let is_name = matches!(e.kind, ExprKind::Name(_) | ExprKind::Attr { .. });
        if !is_name || e.usage == Usage::Store {
            continue;
        }
        let things = evaluator.things(module, expr);
        if e.usage == Usage::Callee
            && let [one] = &*things
        {
            let to = callee(evaluator, one).map(|to| (from, to));
            let which = if only_as_script(m, e.block) {
                &mut script
            } else {
                &mut called
            };
            which.extend(to);
        }
        for t in things.iter() {
            match t {
                Thing::Function(f) | Thing::Method(f, _) => out.push((from, *f)),
                Thing::Class(c) => classes::named(evaluator, *c, from, &mut out, &mut lazy),
                Thing::Module(other) => {
                    out.push((
                        from,
                        Place {
                            module: *other,
                            scope: 0,
                        },
                    ));
                    // `getattr(steps, name)`, `inspect.getmembers(steps)`, `steps.__dict__`: any of it may run.
                    if !read_of.contains(&expr) {
                        out.extend(all_of(evaluator, *other).map(|to| (from, to)));
                    }
                }
                Thing::Library(name)
                    if e.usage == Usage::Callee
                        && runs_code(name)
                        && !(is_import(name) && named_module(evaluator, module, expr)) =>
                {
                    unclear.push(Unresolved {
                        span: e.span,
                        at: from,
                        why: Why::Dynamic,
                    });
                }
                Thing::Opaque if e.usage == Usage::Callee => {
                    if let ExprKind::Attr { name, .. } = &e.kind {
                        let all = evaluator.index.methods(name);
                        if all.len() <= MAX_NAMESAKES {
                            out.extend(all.iter().map(|f| (from, *f)));
                        }
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
                || !evaluator.index.methods(name).is_empty() && classes::is_unclear(&things)
            {
                read.push((from, Some(name.clone())));
            }
            properties(evaluator, module, *of, name, from, &mut out);
        }
    }
    for (scope, s) in m.scopes.iter().enumerate() {
        let scope = scope as ScopeId;
        imports(evaluator, m, place(m.function_of(scope)), scope, &mut called);
        // What a framework is given by a decorator runs when the framework likes.
        if s.kind == ScopeKind::Function && is_registered(m, scope) {
            called.push((place(m.function_of(s.parent)), place(scope)));
        }
        if s.kind == ScopeKind::Class {
            overriding(evaluator, place(scope), &mut out);
            let from = place(m.function_of(s.parent));
            classes::defined(evaluator, place(scope), from, &mut out, &mut lazy);
        }
        for base in &s.bases {
            for t in evaluator.things(module, *base).iter() {
                if let Thing::Class(c) = t {
                    classes::named(evaluator, *c, place(m.function_of(s.parent)), &mut out, &mut lazy);
                }
            }
        }
    }
    out.extend(called.iter().chain(&script));
    for edges in [&mut out, &mut called, &mut script] {
        edges.sort_unstable();
        edges.dedup();
    }
    lazy.sort_unstable();
    lazy.dedup();
    read.sort_unstable();
    read.dedup();
    let edges = Edges {
        all: out,
        called,
        script,
        lazy,
        read,
    };
    (edges, unclear)
}

/// The expressions of which an attribute is read by its name.
fn objects(m: &Module) -> BTreeSet<ExprId> {
    let named = m.exprs.iter().filter_map(|e| match &e.kind {
        ExprKind::Attr { of, name, .. } if &**name != "__dict__" => Some(*of),
        _ => None,
    });
    named.collect()
}

/// The functions and methods of a module.
fn all_of(evaluator: &Evaluator<'_>, module: usize) -> impl Iterator<Item = Place> {
    let scopes = &evaluator.program.modules[module].scopes;
    (0..).zip(scopes).filter_map(move |(scope, s)| {
        let is_function = s.kind == ScopeKind::Function;
        is_function.then_some(Place { module, scope })
    })
}

/// Whether a block is, or stands in, what follows `if __name__ == "__main__"`.
fn only_as_script(m: &Module, block: BlockId) -> bool {
    let mut at = block;
    loop {
        let b = &m.blocks[at as usize];
        if matches!(&b.kind, BlockKind::Arm { label, .. } if label.starts_with("if __name__ ==")) {
            return true;
        }
        if b.parent >= at {
            return false;
        }
        at = b.parent;
    }
}

/// The function that a call of `thing` runs for certain.
fn callee(evaluator: &Evaluator<'_>, thing: &Thing) -> Option<Place> {
    match thing {
        Thing::Function(f) | Thing::Method(f, _) => Some(*f),
        Thing::Class(c) => crate::model::python::objects::constructor(evaluator.program, evaluator.index, *c),
        _ => None,
    }
}

/// Functions that run code which is chosen when they are called.
fn runs_code(name: &str) -> bool {
    is_import(name)
        || matches!(
            name,
            "exec" | "eval" | "runpy.run_module" | "runpy.run_path" | "globals" | "operator.methodcaller"
        )
}

fn is_import(name: &str) -> bool {
    matches!(name, "importlib.import_module" | "__import__")
}

/// Whether the call whose callee this is imports a module by a literal name.
fn named_module(evaluator: &Evaluator<'_>, module: usize, callee: ExprId) -> bool {
    let m = &evaluator.program.modules[module];
    // A call stands after its parts; nothing but its arguments is between.
    let mut after = (callee + 1..).take(64).take_while(|e| (*e as usize) < m.exprs.len());
    let call = after.find_map(|e| m.call(e).filter(|c| c.function == callee));
    let first = call.and_then(|c| c.positional(0));
    first.is_some_and(|a| !evaluator.texts(module, a, None).is_empty())
}

fn properties(
    evaluator: &Evaluator<'_>,
    module: usize,
    of: u32,
    name: &str,
    from: Place,
    out: &mut Vec<(Place, Place)>,
) {
    for t in evaluator.things(module, of).iter() {
        let Thing::Instance(c) = t else { continue };
        for class in evaluator.index.lineage(*c) {
            let m = &evaluator.program.modules[class.module];
            for b in m.scope(class.scope).bindings.get(name).into_iter().flatten() {
                if let Bound::Function(s) = b.bound {
                    out.push((
                        from,
                        Place {
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
fn overriding(evaluator: &Evaluator<'_>, class: Place, out: &mut Vec<(Place, Place)>) {
    let functions = |place: Place, name: &str| -> Vec<Place> {
        let m = &evaluator.program.modules[place.module];
        let all = m.scope(place.scope).bindings.get(name).into_iter().flatten();
        all.filter_map(|b| match b.bound {
            Bound::Function(scope) => Some(Place {
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
fn imports(evaluator: &Evaluator<'_>, m: &Module, from: Place, scope: ScopeId, out: &mut Vec<(Place, Place)>) {
    let program = evaluator.program;
    let mut run = |module: Option<usize>| {
        if let Some(module) = module {
            out.push((from, Place { module, scope: 0 }));
        }
    };
    let s = m.scope(scope);
    for b in s.bindings.values().flatten() {
        match &b.bound {
            Bound::Import(i) => {
                run(program.import(m.file, 0, &i.module));
                run(program.import(m.file, 0, &i.full));
            }
            Bound::From(i) => {
                let (module, sub) = program.import_from(m.file, i);
                run(module);
                run(sub);
            }
            _ => {}
        }
    }
    for w in &s.wildcards {
        run(program.import(m.file, w.level, &w.module));
    }
}

/// Whether a decorator hands the function to something that calls it.
pub(super) fn is_registered(m: &Module, scope: ScopeId) -> bool {
    m.scope(scope).decorators.iter().any(|d| !is_quiet(m, *d))
}

/// Whether a decorator leaves what it decorates to its callers.
pub(super) fn is_quiet(m: &Module, decorator: ExprId) -> bool {
    let name = decorator_name(m, decorator).unwrap_or_default();
    QUIET.contains(&name.rsplit('.').next().unwrap_or(""))
}

impl Graph {
    pub(super) fn new(all: Vec<Edges>) -> Self {
        let mut out = Self::default();
        for edges in all {
            for (from, to) in edges.all {
                out.all.entry(from).or_default().push(to);
            }
            for (from, to) in edges.called {
                out.called.entry(from).or_default().push(to);
            }
            for (from, to) in edges.script {
                out.script.entry(from).or_default().push(to);
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

    /// Everything that may run from `entries` on.
    pub(super) fn reach(&self, entries: &[Place]) -> BTreeSet<Place> {
        // Methods by name whose name nothing has read yet; with nothing in the place of a name, anything.
        let mut waiting: BTreeMap<&str, Vec<Place>> = BTreeMap::new();
        let (mut read, mut any): (BTreeSet<&str>, bool) = (BTreeSet::new(), false);
        walk(&self.all, entries, |at, stack| {
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

    /// What a module calls only when it runs as a script.
    pub(super) fn script(&self, module: Place) -> &[Place] {
        self.script.get(&module).map_or(&[], Vec::as_slice)
    }

    /// What a call, an import or a framework runs from `entries` on.
    pub(super) fn called(&self, entries: &[Place]) -> BTreeSet<Place> {
        walk(&self.called, entries, |_, _| {})
    }
}

/// What the edges lead to, each place once; `more` adds to the stack what else a place leads to.
fn walk(
    edges: &BTreeMap<Place, Vec<Place>>,
    entries: &[Place],
    mut more: impl FnMut(Place, &mut Vec<Place>),
) -> BTreeSet<Place> {
    let mut seen: BTreeSet<Place> = BTreeSet::new();
    let mut stack: Vec<Place> = entries.to_vec();
    while let Some(at) = stack.pop() {
        if !seen.insert(at) {
            continue;
        }
        // A function's module has run before it does.
        stack.push(Place {
            module: at.module,
            scope: 0,
        });
        stack.extend(edges.get(&at).into_iter().flatten().copied());
        more(at, &mut stack);
    }
    seen
}
