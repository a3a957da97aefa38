//! Names, parameters, what other modules export, and what containers hold.

use super::super::thing::{At, Bag, Place, Thing, Things, is_aws, one};
use super::{Evaluator, Frame, MAX_DEPTH, decorator_name};
use crate::model::python::{ArgName, Binding, Bound, ExprId, ExprKind, Reaching, ScopeKind, Source, Step};
use std::sync::Arc;

impl Evaluator<'_> {
    pub(super) fn name(&self, module: usize, expr: ExprId, name: &str, frame: Option<&Frame<'_>>) -> Things {
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

    pub(super) fn free(&self, module: usize, name: &str) -> Things {
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

    pub(super) fn bound(&self, scope: Place, binding: &Binding, frame: Option<&Frame<'_>>) -> Things {
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
            Some(a) if !found.iter().any(is_aws) => {
                let typed = self.typed(module, a, 0);
                if typed.is_empty() { found } else { typed }
            }
            _ => found,
        }
    }

    pub(super) fn param(&self, function: Place, i: u32, binding: &Binding, frame: Option<&Frame<'_>>) -> Things {
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
    pub(in crate::project::calls) fn has(&self, function: Place, name: &str) -> bool {
        let m = self.module(function.module);
        m.scope(function.scope)
            .decorators
            .iter()
            .any(|d| decorator_name(m, *d).is_some_and(|n| n.rsplit('.').next() == Some(name)))
    }

    /// What a module holds under this name in the end.
    pub(in crate::project::calls) fn export(&self, module: usize, name: &str) -> Things {
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

    pub(super) fn source(&self, module: usize, source: &Source, frame: Option<&Frame<'_>>) -> Things {
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
    pub(super) fn method_result(&self, class: Place, names: &[&str]) -> Option<Things> {
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
    pub(super) fn keys(&self, at: At) -> Things {
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
    pub(super) fn elements(
        &self,
        at: At,
        keys: &[Arc<str>],
        number: Option<usize>,
        frame: Option<&Frame<'_>>,
    ) -> Things {
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

    pub(super) fn deeper(&self, at: At, frame: Option<&Frame<'_>>) -> Things {
        if self.depth.get() >= MAX_DEPTH {
            return self.nothing.clone();
        }
        self.depth.set(self.depth.get() + 1);
        let found = self.elements(at, &[], None, frame);
        self.depth.set(self.depth.get() - 1);
        found
    }
}
