//! What expressions stand for: on demand, with bounded work.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::index::Index;
use super::thing::{At, Bag, Place, Thing, Things, one};
use crate::iam::sdk::{self, Client, ResourceType};
use crate::model::python::{
    ArgName, Binding, Bound, Call, ExprId, ExprKind, Module, ParamKind, Program, Reaching, ScopeId, ScopeKind, Source,
    Step,
};

/// How deep evaluation follows expressions, names and calls.
const MAX_DEPTH: u32 = 60;
/// How many calls deep arguments are told apart by call site.
const MAX_FRAMES: u32 = 4;
/// Steps of one evaluator.
const MAX_STEPS: u32 = 4_000_000;
/// Longest string that may name a service or an operation.
const MAX_TEXT: usize = 64;

/// What parameters stand for, over all call sites.
pub(super) type Params = BTreeMap<(Place, u32), Things>;

/// Arguments of one call.
pub(super) struct Frame<'f> {
    place: Place,
    args: Vec<(u32, Things)>,
    outer: Option<&'f Self>,
    depth: u32,
}

/// Evaluates. Results are kept; one evaluator is for one thread.
pub(super) struct Evaluator<'p> {
    pub(super) program: &'p Program<'p>,
    pub(super) index: &'p Index,
    params: &'p Params,
    memo: RefCell<HashMap<At, Things>>,
    returned: RefCell<HashMap<(Place, Vec<(u32, Things)>), Things>>,
    busy: RefCell<HashSet<At>>,
    depth: Cell<u32>,
    steps: Cell<u32>,
    nothing: Things,
}

impl<'p> Evaluator<'p> {
    pub(super) fn new(program: &'p Program<'p>, index: &'p Index, params: &'p Params) -> Self {
        Self {
            program,
            index,
            params,
            memo: RefCell::default(),
            returned: RefCell::default(),
            busy: RefCell::default(),
            depth: Cell::new(0),
            steps: Cell::new(0),
            nothing: Arc::from([]),
        }
    }

    fn module(&self, module: usize) -> &'p Module {
        &self.program.modules[module]
    }

    /// Whether the module names an SDK at all.
    pub(super) fn mentions_sdk(&self, module: usize) -> bool {
        let text = self.program.sources.text(self.module(module).file);
        memchr::memmem::find(text.as_bytes(), b"boto").is_some()
    }

    /// What the expression may stand for.
    pub(super) fn things(&self, module: usize, expr: ExprId) -> Things {
        self.eval(module, expr, None)
    }

    fn eval(&self, module: usize, expr: ExprId, frame: Option<&Frame<'_>>) -> Things {
        let at = (module, expr);
        if frame.is_none()
            && let Some(found) = self.memo.borrow().get(&at)
        {
            return found.clone();
        }
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if self.depth.get() >= MAX_DEPTH || steps > MAX_STEPS || !self.busy.borrow_mut().insert(at) {
            return self.nothing.clone();
        }
        self.depth.set(self.depth.get() + 1);
        let things = self.expression(module, expr, frame);
        self.depth.set(self.depth.get() - 1);
        self.busy.borrow_mut().remove(&at);
        if frame.is_none() {
            self.memo.borrow_mut().insert(at, things.clone());
        }
        things
    }

    fn expression(&self, module: usize, expr: ExprId, frame: Option<&Frame<'_>>) -> Things {
        let m = self.module(module);
        match &m.expr(expr).kind {
            ExprKind::Name(name) => self.name(module, expr, name, frame),
            ExprKind::Attr { of, name, .. } => {
                let base = self.eval(module, *of, frame);
                let mut out = Bag::default();
                for t in base.iter() {
                    out.put_all(&self.attribute(t, name));
                }
                out.finish()
            }
            ExprKind::Call(call) => self.call(module, expr, call, frame),
            ExprKind::Str(t) => match t.known() {
                Some(s) if s.len() <= MAX_TEXT => one(Thing::Text(Arc::from(&*s))),
                _ => self.nothing.clone(),
            },
            ExprKind::List(_) | ExprKind::Tuple(_) | ExprKind::Dict(_) | ExprKind::Comprehension { .. } => {
                one(Thing::Literal((module, expr)))
            }
            ExprKind::Either { left, right } => {
                let mut out = Bag::default();
                out.put_all(&self.eval(module, *left, frame));
                out.put_all(&self.eval(module, *right, frame));
                out.finish()
            }
            ExprKind::Conditional { then, other, .. } => {
                let mut out = Bag::default();
                out.put_all(&self.eval(module, *then, frame));
                out.put_all(&self.eval(module, *other, frame));
                out.finish()
            }
            ExprKind::Index { of, index } => {
                let base = self.eval(module, *of, frame);
                let keys = self.texts(module, *index, frame);
                let number = match &m.expr(*index).kind {
                    ExprKind::Num(n) => n.parse::<usize>().ok(),
                    _ => None,
                };
                let mut out = Bag::default();
                for t in base.iter() {
                    match t {
                        Thing::Literal(at) => out.put_all(&self.elements(*at, &keys, number, frame)),
                        Thing::Pair(at) if number == Some(1) => out.put_all(&self.elements(*at, &[], None, frame)),
                        Thing::Library(n) if &**n == "os.environ" => {}
                        Thing::Library(_) => {}
                        _ => out.put(Thing::Opaque),
                    }
                }
                out.finish()
            }
            ExprKind::Lambda(scope) => one(Thing::Function(Place { module, scope: *scope })),
            ExprKind::Await(inner) | ExprKind::Walrus(inner) | ExprKind::Star(inner) => {
                self.eval(module, *inner, frame)
            }
            ExprKind::Num(_) | ExprKind::Bool(_) | ExprKind::None | ExprKind::Join(_) | ExprKind::Binary { .. } => {
                self.nothing.clone()
            }
            ExprKind::Other(_) => one(Thing::Opaque),
        }
    }

    /// The literal strings that an expression may be.
    pub(super) fn texts(&self, module: usize, expr: ExprId, frame: Option<&Frame<'_>>) -> Vec<Arc<str>> {
        self.eval(module, expr, frame)
            .iter()
            .filter_map(|t| match t {
                Thing::Text(s) => Some(s.clone()),
                _ => None,
            })
            .collect()
    }

    fn name(&self, module: usize, expr: ExprId, name: &str, frame: Option<&Frame<'_>>) -> Things {
        match self.module(module).reaching(name, expr) {
            Reaching::Found(f) => {
                let mut out = Bag::default();
                for b in &f.bindings {
                    let scope = Place { module, scope: f.scope };
                    out.put_all(&self.bound(scope, b, frame));
                }
                out.finish()
            }
            Reaching::Free => self.free(module, name),
        }
    }

    fn free(&self, module: usize, name: &str) -> Things {
        let m = self.module(module);
        for w in &m.scope(0).wildcards {
            match self.program.import(m.file, w.level, &w.module) {
                Some(other) if other != module => {
                    let found = self.export(other, name);
                    if !found.is_empty() {
                        return found;
                    }
                }
                _ => {}
            }
        }
        one(Thing::Library(name.into()))
    }

    fn bound(&self, scope: Place, binding: &Binding, frame: Option<&Frame<'_>>) -> Things {
        let module = scope.module;
        let m = self.module(module);
        let found = match &binding.bound {
            Bound::Value(source) => self.source(module, source, frame),
            Bound::Param(i) => return self.param(scope, *i, binding, frame),
            Bound::Function(s) => one(Thing::Function(Place { module, scope: *s })),
            Bound::Class(s) => one(Thing::Class(Place { module, scope: *s })),
            Bound::Import(i) => match self.program.import(m.file, 0, &i.module) {
                Some(other) => one(Thing::Module(other)),
                None if i.full != i.module && self.program.import(m.file, 0, &i.full).is_some() => {
                    one(Thing::Package(module, i.module.clone()))
                }
                // `boto3.py` beside the importer.
                None if self.program.hides(m.file, &i.module) => one(Thing::Opaque),
                None => one(Thing::Library(i.module.clone())),
            },
            Bound::From(i) => {
                let (other, submodule) = self.program.import_from(m.file, i);
                let exported = match other {
                    Some(o) if o != module => self.export(o, &i.name),
                    _ => self.nothing.clone(),
                };
                match (exported.is_empty(), submodule, other) {
                    (false, _, _) => exported,
                    (true, Some(s), _) => one(Thing::Module(s)),
                    (true, None, Some(_)) => self.nothing.clone(),
                    (true, None, None) if i.level > 0 || self.program.hides(m.file, &i.module) => one(Thing::Opaque),
                    (true, None, None) => one(Thing::Library(format!("{}.{}", i.module, i.name).into())),
                }
            }
            Bound::Augment(..) | Bound::Other => self.nothing.clone(),
        };
        match binding.annotation {
            Some(a) if !found.iter().any(super::thing::is_aws) => {
                let typed = self.typed(module, a, 0);
                if typed.is_empty() { found } else { typed }
            }
            _ => found,
        }
    }

    fn param(&self, function: Place, i: u32, binding: &Binding, frame: Option<&Frame<'_>>) -> Things {
        let m = self.module(function.module);
        let s = m.scope(function.scope);
        let mut at = frame;
        while let Some(f) = at {
            if f.place == function {
                if let Some((_, things)) = f.args.iter().find(|(n, _)| *n == i) {
                    return things.clone();
                }
                break;
            }
            at = f.outer;
        }
        if i == 0
            && s.kind == ScopeKind::Function
            && m.scope(s.parent).kind == ScopeKind::Class
            && !self.has(function, "staticmethod")
        {
            let class = Place {
                module: function.module,
                scope: s.parent,
            };
            return one(if self.has(function, "classmethod") || &*s.params[0].name == "cls" {
                Thing::Class(class)
            } else {
                Thing::Instance(class)
            });
        }
        let mut out = Bag::default();
        if let Some(given) = self.params.get(&(function, i)) {
            out.put_all(given);
        }
        if let Some(p) = s.params.get(i as usize) {
            if let Some(d) = p.default {
                out.put_all(&self.eval(function.module, d, None));
            }
            if let Some(a) = binding.annotation {
                out.put_all(&self.typed(function.module, a, 0));
            }
        }
        if out.is_empty() {
            out.put(Thing::Opaque);
        }
        out.finish()
    }

    /// Whether the function has a decorator whose last part is `name`.
    pub(super) fn has(&self, function: Place, name: &str) -> bool {
        let m = self.module(function.module);
        m.scope(function.scope)
            .decorators
            .iter()
            .any(|d| decorator_name(m, *d).is_some_and(|n| n.rsplit('.').next() == Some(name)))
    }

    /// What a module holds under this name in the end.
    pub(super) fn export(&self, module: usize, name: &str) -> Things {
        if self.depth.get() >= MAX_DEPTH {
            return self.nothing.clone();
        }
        self.depth.set(self.depth.get() + 1);
        let found = match self.module(module).at_end(name, 0) {
            Reaching::Found(f) => {
                let mut out = Bag::default();
                for b in &f.bindings {
                    out.put_all(&self.bound(Place { module, scope: 0 }, b, None));
                }
                out.finish()
            }
            Reaching::Free if !self.module(module).scope(0).wildcards.is_empty() => {
                let found = self.free(module, name);
                match found.as_ref() {
                    [Thing::Library(_)] => self.nothing.clone(),
                    _ => found,
                }
            }
            Reaching::Free => self.nothing.clone(),
        };
        self.depth.set(self.depth.get() - 1);
        found
    }

    fn source(&self, module: usize, source: &Source, frame: Option<&Frame<'_>>) -> Things {
        let mut things = self.eval(module, source.expr, frame);
        for step in &source.steps {
            let mut out = Bag::default();
            for t in things.iter() {
                match (step, t) {
                    (Step::Enter, Thing::Instance(class)) => {
                        let entered = self.method_result(*class, &["__enter__", "__aenter__"]);
                        match entered {
                            Some(things) => out.put_all(&things),
                            None => out.put(t.clone()),
                        }
                    }
                    (Step::Enter, _) => out.put(t.clone()),
                    (Step::Each | Step::Rest, Thing::Literal(at)) => out.put_all(&self.elements(*at, &[], None, frame)),
                    (Step::Item(n), Thing::Literal(at)) => {
                        out.put_all(&self.elements(*at, &[], Some(*n as usize), frame));
                    }
                    (Step::Each, Thing::Items(at)) => out.put(Thing::Pair(*at)),
                    (Step::Item(0), Thing::Pair(at)) => out.put_all(&self.keys(*at)),
                    (Step::Item(1), Thing::Pair(at)) => out.put_all(&self.elements(*at, &[], None, frame)),
                    (Step::Each, Thing::Collection(c, _, member, _)) => {
                        if let Some(t) = member.gives() {
                            out.put(Thing::Resource(*c, t, None));
                        }
                    }
                    // What a generator yields stands for the generator.
                    (_, Thing::Client(_) | Thing::Resource(..) | Thing::Session | Thing::SomeClient) => {
                        out.put(t.clone())
                    }
                    (_, Thing::Text(_)) => {}
                    _ => out.put(Thing::Opaque),
                }
            }
            things = out.finish();
        }
        things
    }

    /// The result of the first of these methods that the class has.
    fn method_result(&self, class: Place, names: &[&str]) -> Option<Things> {
        for name in names {
            for t in self.attribute(&Thing::Instance(class), name).iter() {
                if let Thing::Method(f, _) = t {
                    return Some(self.returned(*f, Vec::new(), None));
                }
            }
        }
        None
    }

    /// The keys of a dict that are literal strings; the positions of a list have none.
    fn keys(&self, at: At) -> Things {
        let mut out = Bag::default();
        if let ExprKind::Dict(pairs) = &self.module(at.0).expr(at.1).kind {
            for p in pairs {
                if let Some(k) = p.key {
                    out.put_all(&self.eval(at.0, k, None));
                }
            }
        }
        out.finish()
    }

    /// The elements of a container: those under one of `keys`, the n-th, or all.
    fn elements(&self, at: At, keys: &[Arc<str>], number: Option<usize>, frame: Option<&Frame<'_>>) -> Things {
        let (module, expr) = at;
        let m = self.module(module);
        let mut out = Bag::default();
        let matches = |key: Option<ExprId>| match key {
            _ if keys.is_empty() => true,
            Some(k) => match m.string(k) {
                Some(s) => keys.iter().any(|known| **known == *s),
                None => true,
            },
            None => true,
        };
        match &m.expr(expr).kind {
            ExprKind::List(items) | ExprKind::Tuple(items) => {
                let starred = items.iter().any(|i| matches!(m.expr(*i).kind, ExprKind::Star(_)));
                match number {
                    Some(n) if !starred && n < items.len() => out.put_all(&self.eval(module, items[n], frame)),
                    _ => {
                        for i in items.iter().take(200) {
                            let things = self.eval(module, *i, frame);
                            if matches!(m.expr(*i).kind, ExprKind::Star(_)) {
                                for t in things.iter() {
                                    if let Thing::Literal(inner) = t {
                                        out.put_all(&self.deeper(*inner, frame));
                                    }
                                }
                            } else {
                                out.put_all(&things);
                            }
                        }
                    }
                }
            }
            ExprKind::Dict(pairs) => {
                for p in pairs.iter().take(400) {
                    match p.key {
                        Some(_) if matches(p.key) => out.put_all(&self.eval(module, p.value, frame)),
                        Some(_) => {}
                        None => {
                            for t in self.eval(module, p.value, frame).iter() {
                                if let Thing::Literal(inner) = t {
                                    out.put_all(&self.deeper(*inner, frame));
                                }
                            }
                        }
                    }
                }
            }
            ExprKind::Comprehension { element, .. } => out.put_all(&self.eval(module, *element, frame)),
            ExprKind::Call(c) => {
                for a in &c.args {
                    if let ArgName::Keyword(k, _) = &a.name
                        && (keys.is_empty() || keys.contains(k))
                    {
                        out.put_all(&self.eval(module, a.value, frame));
                    }
                }
            }
            _ => {}
        }
        for (key, value) in self.index.added(at).iter().take(200) {
            if matches(*key) {
                out.put_all(&self.eval(module, *value, None));
            }
        }
        out.finish()
    }

    fn deeper(&self, at: At, frame: Option<&Frame<'_>>) -> Things {
        if self.depth.get() >= MAX_DEPTH {
            return self.nothing.clone();
        }
        self.depth.set(self.depth.get() + 1);
        let found = self.elements(at, &[], None, frame);
        self.depth.set(self.depth.get() - 1);
        found
    }

    /// `thing.name`
    pub(super) fn attribute(&self, thing: &Thing, name: &str) -> Things {
        match thing {
            Thing::Library(l) => one(Thing::Library(format!("{l}.{name}").into())),
            Thing::Module(m) => {
                let found = self.export(*m, name);
                if !found.is_empty() {
                    return found;
                }
                let path = self.program.sources.path(self.module(*m).file);
                match (
                    path.ends_with("/__init__.py"),
                    self.program.import(self.module(*m).file, 1, name),
                ) {
                    (true, Some(sub)) => one(Thing::Module(sub)),
                    _ => self.nothing.clone(),
                }
            }
            Thing::Package(from, dotted) => {
                let full = format!("{dotted}.{name}");
                match self.program.import(self.module(*from).file, 0, &full) {
                    Some(m) => one(Thing::Module(m)),
                    None => one(Thing::Package(*from, full.into())),
                }
            }
            Thing::Class(c) => self.member(*c, *c, name, false),
            Thing::Instance(c) => self.member(*c, *c, name, true),
            Thing::Super(c) => {
                let mut out = Bag::default();
                for base in self.index.lineage(*c).into_iter().skip(1) {
                    let found = self.member(base, *c, name, true);
                    if !found.is_empty() {
                        out.put_all(&found);
                        break;
                    }
                }
                out.finish()
            }
            Thing::Client(c) | Thing::Resource(c, ..) if name == "meta" => one(Thing::Meta(*c)),
            Thing::Meta(c) if name == "client" => one(Thing::Client(*c)),
            Thing::Resource(c, ty, _) => match ty.collection(name) {
                Some(member) => one(Thing::Collection(*c, *ty, member, false)),
                None => one(Thing::Bound(Arc::new(thing.clone()), name.into())),
            },
            Thing::Client(_)
            | Thing::SomeClient
            | Thing::Session
            | Thing::Collection(..)
            | Thing::Literal(_)
            | Thing::Meta(_) => one(Thing::Bound(Arc::new(thing.clone()), name.into())),
            Thing::Opaque | Thing::Bound(..) => one(Thing::Opaque),
            Thing::Text(_) | Thing::Function(_) | Thing::Method(..) | Thing::Items(_) | Thing::Pair(_) => {
                self.nothing.clone()
            }
        }
    }

    /// An attribute of a class or of its instances; `receiver` is the class that methods get.
    fn member(&self, class: Place, receiver: Place, name: &str, instance: bool) -> Things {
        if self.depth.get() >= MAX_DEPTH {
            return self.nothing.clone();
        }
        self.depth.set(self.depth.get() + 1);
        let mut out = Bag::default();
        let lineage = self.index.lineage(class);
        for c in &lineage {
            self.class_attributes(*c, name, &mut out);
        }
        let in_body = |c: &Place| {
            let m = self.module(c.module);
            m.scope(c.scope).bindings.contains_key(name)
        };
        if let Some(c) = lineage.iter().find(|c| in_body(c)) {
            self.class_body(*c, receiver, name, instance, &mut out);
        }
        // What only an heir binds, a method of the base may use.
        if out.is_empty() {
            for c in self.index.heirs(class) {
                self.class_attributes(c, name, &mut out);
                if in_body(&c) {
                    self.class_body(c, receiver, name, instance, &mut out);
                }
            }
        }
        if out.is_empty() && self.index.is_open(class) {
            out.put(Thing::Opaque);
        }
        self.depth.set(self.depth.get() - 1);
        out.finish()
    }

    fn class_attributes(&self, class: Place, name: &str, out: &mut Bag) {
        let m = self.module(class.module);
        for i in self.index.attributes(class, name) {
            let a = &m.attributes[*i];
            let found = match &a.source {
                Some(s) => self.source(class.module, s, None),
                None => self.nothing.clone(),
            };
            match a.annotation {
                Some(t) if !found.iter().any(super::thing::is_aws) => out.put_all(&self.typed(class.module, t, 0)),
                _ => {}
            }
            out.put_all(&found);
        }
    }

    fn class_body(&self, class: Place, receiver: Place, name: &str, instance: bool, out: &mut Bag) {
        let m = self.module(class.module);
        for b in m.scope(class.scope).bindings.get(name).into_iter().flatten() {
            match &b.bound {
                Bound::Function(s) => {
                    let f = Place {
                        module: class.module,
                        scope: *s,
                    };
                    let is_property = ["property", "cached_property", "cachedproperty", "lazy_property"]
                        .iter()
                        .any(|d| self.has(f, d));
                    if instance && is_property {
                        out.put_all(&self.returned(f, Vec::new(), None));
                    } else if self.has(f, "staticmethod") || (!instance && !self.has(f, "classmethod")) {
                        out.put(Thing::Function(f));
                    } else {
                        out.put(Thing::Method(f, receiver));
                    }
                }
                _ => {
                    out.put_all(&self.bound(class, b, None));
                    if b.annotation.is_some()
                        && let Some(i) = fields(m, class.scope).iter().position(|f| &**f == name)
                        && let Some(given) = self.params.get(&(class, i as u32))
                    {
                        out.put_all(given);
                    }
                }
            }
        }
    }

    // ---- calls ----

    fn call(&self, module: usize, expr: ExprId, call: &Call, frame: Option<&Frame<'_>>) -> Things {
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
    fn returned(&self, f: Place, args: Vec<(u32, Things)>, outer: Option<&Frame<'_>>) -> Things {
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
    pub(super) fn arguments(
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
    pub(super) fn field_arguments(&self, module: usize, call: &Call, names: &[Arc<str>]) -> Vec<(u32, Things)> {
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

    fn argument(&self, module: usize, value: ExprId, i: u32, frame: Option<&Frame<'_>>, out: &mut Vec<(u32, Things)>) {
        let things = self.eval(module, value, frame);
        if things.iter().any(matters) {
            out.push((i, things));
        }
    }

    fn clients(&self, module: usize, call: &Call, resource: bool, frame: Option<&Frame<'_>>) -> Things {
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

    fn library_call(&self, module: usize, expr: ExprId, call: &Call, name: &str, frame: Option<&Frame<'_>>) -> Things {
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
    pub(super) fn class_around(&self, module: usize, expr: ExprId) -> Option<Place> {
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

    fn bound_call(
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

    // ---- types ----

    /// What an annotation says: `S3Client`, `"mypy_boto3_s3.S3Client"`, `Optional[Table]`, a class of the repository.
    pub(super) fn typed(&self, module: usize, annotation: ExprId, depth: u32) -> Things {
        let m = self.module(module);
        if depth > 6 {
            return self.nothing.clone();
        }
        match &m.expr(annotation).kind {
            ExprKind::Name(_) | ExprKind::Attr { .. } => self.types(&self.eval(module, annotation, None)),
            ExprKind::Str(t) => match t.known() {
                Some(s) => self.types(&self.named(module, s.trim())),
                None => self.nothing.clone(),
            },
            ExprKind::Index { of, index } => {
                let name = m.dotted(*of).unwrap_or_default();
                if matches!(
                    name.rsplit('.').next(),
                    Some("Optional" | "Union" | "Annotated" | "ClassVar" | "Final")
                ) {
                    self.typed(module, *index, depth + 1)
                } else {
                    self.nothing.clone()
                }
            }
            ExprKind::Tuple(items) | ExprKind::List(items) | ExprKind::Other(items) => {
                let mut out = Bag::default();
                for i in items.iter().take(8) {
                    out.put_all(&self.typed(module, *i, depth + 1));
                }
                out.finish()
            }
            ExprKind::Binary { left, right, .. } => {
                let mut out = Bag::default();
                out.put_all(&self.typed(module, *left, depth + 1));
                out.put_all(&self.typed(module, *right, depth + 1));
                out.finish()
            }
            _ => self.nothing.clone(),
        }
    }

    /// A dotted name in a string.
    fn named(&self, module: usize, dotted: &str) -> Things {
        let mut parts = dotted.split('.');
        let first = parts.next().unwrap_or("");
        if first.is_empty() || !first.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return self.nothing.clone();
        }
        let mut things = match self.module(module).at_end(first, 0) {
            Reaching::Found(_) => self.export(module, first),
            Reaching::Free => one(Thing::Library(first.into())),
        };
        for p in parts {
            let mut out = Bag::default();
            for t in things.iter() {
                out.put_all(&self.attribute(t, p));
            }
            things = out.finish();
        }
        things
    }

    fn types(&self, named: &[Thing]) -> Things {
        let mut out = Bag::default();
        for t in named {
            match t {
                Thing::Class(c) => out.put(Thing::Instance(*c)),
                Thing::Library(name) => {
                    if let Some(t) = library_type(name) {
                        out.put(t);
                    }
                }
                _ => {}
            }
        }
        out.finish()
    }
}

impl Bag {
    fn has_aws(&self) -> bool {
        self.iter().any(super::thing::is_aws)
    }
}

/// `mypy_boto3_s3.client.S3Client`, `types_aiobotocore_dynamodb.service_resource.Table`, `boto3.Session`.
fn library_type(name: &str) -> Option<Thing> {
    if matches!(name, "boto3.Session" | "boto3.session.Session" | "aioboto3.Session") {
        return Some(Thing::Session);
    }
    let (package, rest) = name.split_once('.')?;
    let service = package
        .strip_prefix("mypy_boto3_")
        .or_else(|| package.strip_prefix("types_aiobotocore_"))
        .or_else(|| package.strip_prefix("types_boto3_"))?;
    let client: Client = sdk::client(&service.replace('_', "-"))?;
    let class = rest.rsplit('.').next().unwrap_or(rest);
    if class.ends_with("ServiceResource") {
        return client.service_resource().map(|t| Thing::Resource(client, t, None));
    }
    if class.ends_with("Client") {
        return Some(Thing::Client(client));
    }
    client.resource_type(class).map(|t| Thing::Resource(client, t, None))
}

/// The annotated names of a class body, in order: the fields of a dataclass.
pub(super) fn fields(m: &Module, class: ScopeId) -> Vec<Arc<str>> {
    let mut all: Vec<(ExprId, Arc<str>)> = m
        .scope(class)
        .bindings
        .iter()
        .filter_map(|(name, b)| {
            let first = b.iter().find(|b| b.annotation.is_some())?;
            Some((first.at, name.clone()))
        })
        .collect();
    all.sort();
    all.into_iter().map(|(_, name)| name).collect()
}

/// Classes of libraries whose methods call AWS.
fn is_class_of_interest(name: &str) -> bool {
    let class = name.rsplit('.').next().unwrap_or("");
    class.starts_with(|c: char| c.is_ascii_uppercase())
        && ["aws_lambda_powertools.", "s3fs.", "boto3.s3.transfer.", "s3transfer."]
            .iter()
            .any(|l| name.starts_with(l))
}

/// `s3.Bucket`, `bucket.Object`. A service resource has every type of its service (`boto3.resources.model`).
pub(super) fn sub_resource(client: Client, ty: ResourceType, name: &str) -> Option<ResourceType> {
    ty.sub_resource(name).or_else(|| {
        let of_service = ty.name() == "ServiceResource" && name.starts_with(|c: char| c.is_ascii_uppercase());
        client
            .resource_type(name)
            .filter(|_| of_service && name != "ServiceResource")
    })
}

/// The name of a decorator, called or not.
pub(super) fn decorator_name(m: &Module, decorator: ExprId) -> Option<String> {
    match &m.expr(decorator).kind {
        ExprKind::Call(c) => m.dotted(c.function),
        _ => m.dotted(decorator),
    }
}

/// Whether it is worth to follow a thing into a call.
pub(super) fn matters(thing: &Thing) -> bool {
    !matches!(thing, Thing::Opaque)
}
