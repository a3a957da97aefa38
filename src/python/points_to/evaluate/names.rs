//! Names, parameters, and what other modules export.

use crate::python::points_to::abstract_value::{AbstractValue, ScopeRef, ValueSet, ValueSetBuilder, is_aws, single};
use crate::python::points_to::evaluate::library_models::element;
use crate::python::points_to::evaluate::{CallFrame, MAX_DEPTH, ObjectEvaluator, decorator_name, is_under};
use crate::python::points_to::params::ParamSlot;
use crate::python::{
    AccessStep, Binding, BindingValue, ExprId, ExprKind, ParamKind, Reaching, ScopeId, ScopeKind, ValueSource,
};
use std::sync::Arc;

impl ObjectEvaluator<'_> {
    pub(crate) fn name(&self, module: usize, expr: ExprId, name: &str, frame: Option<&CallFrame<'_>>) -> ValueSet {
        match self.module(module).reaching_bindings(name, expr) {
            Reaching::Found(f) => {
                // What the module binds is the same for all calls.
                let frame = frame.filter(|_| f.scope != ScopeId::MODULE);
                let mut out = ValueSetBuilder::default();
                let next = self.module(module).of_next_rounds(name, expr, &f);
                for b in f.bindings.iter().copied().chain(next) {
                    let scope = ScopeRef { module, scope: f.scope };
                    out.put_all(&self.values_of_binding(scope, b, frame));
                }
                // What a pattern captures is another text, and so is what is appended to one.
                if out.iter().any(|t| matches!(t, AbstractValue::Text(_))) {
                    let is_captured = f.bindings.iter().any(|b| matches!(b.bound, BindingValue::Other));
                    let changes = &self.module(module).scope(f.scope).mutations;
                    if is_captured || changes.iter().any(|c| &*c.name == name && c.path.is_empty()) {
                        out.put(AbstractValue::Opaque);
                    }
                }
                out.finish()
            }
            Reaching::Free if name == "__class__" => {
                let class = self.class_around(module, expr);
                class.map_or_else(|| self.nothing.clone(), |c| single(AbstractValue::Class(c)))
            }
            Reaching::Free => self.values_of_free_name(module, name),
        }
    }

    pub(crate) fn values_of_free_name(&self, module: usize, name: &str) -> ValueSet {
        let m = self.module(module);
        for w in &m.scope(ScopeId::MODULE).wildcards {
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
        single(AbstractValue::Library(name.into()))
    }

    pub(crate) fn values_of_binding(
        &self,
        scope: ScopeRef,
        binding: &Binding,
        frame: Option<&CallFrame<'_>>,
    ) -> ValueSet {
        let module = scope.module;
        let m = self.module(module);
        let found = match &binding.bound {
            BindingValue::Value(source) => self.source(module, source, frame),
            BindingValue::Param(i) => return self.param(scope, *i, binding, frame),
            BindingValue::Function(s) => single(AbstractValue::Function(ScopeRef { module, scope: *s })),
            BindingValue::Class(s) => single(AbstractValue::Class(ScopeRef { module, scope: *s })),
            BindingValue::Import(i) => match self.program.import(m.file, 0, &i.module) {
                Some(other) => single(AbstractValue::Module(other)),
                None if i.full != i.module && self.program.import(m.file, 0, &i.full).is_some() => {
                    single(AbstractValue::Package(module, i.module.clone()))
                }
                // `boto3.py` beside the importer.
                None if self.program.is_hidden(m.file, &i.module) => single(AbstractValue::Opaque),
                None => single(AbstractValue::Library(i.module.clone())),
            },
            BindingValue::From(i) => {
                let (other, submodule) = self.program.import_from(m.file, i);
                let exported = match other {
                    Some(o) if o != module => self.export(o, &i.name),
                    _ => self.nothing.clone(),
                };
                match (exported.is_empty(), submodule, other) {
                    (false, _, _) => exported,
                    (true, Some(s), _) => single(AbstractValue::Module(s)),
                    (true, None, Some(_)) => self.nothing.clone(),
                    (true, None, None) if i.level > 0 || self.program.is_hidden(m.file, &i.module) => {
                        single(AbstractValue::Opaque)
                    }
                    (true, None, None) => single(AbstractValue::Library(format!("{}.{}", i.module, i.name).into())),
                }
            }
            BindingValue::Other => self.nothing.clone(),
        };
        match binding.annotation {
            Some(a) if !found.iter().any(is_aws) => {
                let typed = self.values_of_annotation(module, a, 0);
                if typed.is_empty() { found } else { typed }
            }
            _ => found,
        }
    }

    pub(crate) fn param(
        &self,
        function: ScopeRef,
        i: u32,
        binding: &Binding,
        frame: Option<&CallFrame<'_>>,
    ) -> ValueSet {
        let m = self.module(function.module);
        let s = m.scope(function.scope);
        let own = frame.and_then(|f| f.innermost(function));
        if let Some((_, values)) = own.and_then(|f| f.args.iter().find(|(n, _)| *n == i)) {
            return values.clone();
        }
        if i == 0
            && s.kind == ScopeKind::Function
            && m.scope(s.parent).kind == ScopeKind::Class
            && !self.has_decorator(function, "staticmethod")
        {
            let class = ScopeRef {
                module: function.module,
                scope: s.parent,
            };
            return single(
                if self.has_decorator(function, "classmethod") || &*s.params[0].name == "cls" {
                    AbstractValue::Class(class)
                } else {
                    AbstractValue::Instance(class)
                },
            );
        }
        let mut out = ValueSetBuilder::default();
        self.read.borrow_mut().insert((function, i));
        let given = match own.and_then(CallFrame::receiver) {
            Some(class) => self.params.get_on(function, i, &self.index.lineage(class)),
            None => self.params.get(function, i).cloned(),
        };
        if let Some(given) = given {
            out.put_all(&given);
        }
        if let Some(p) = s.params.get(i as usize) {
            if p.kind == ParamKind::Spread {
                self.put_into_spread(function, p, frame, &mut out);
            }
            if let Some(d) = p.default {
                out.put_all(&self.eval(function.module, d, None));
            }
            if let Some(a) = binding.annotation {
                out.put_all(&self.values_of_annotation(function.module, a, 0));
            }
        }
        if out.is_empty() {
            out.put(AbstractValue::Opaque);
        }
        out.finish()
    }

    /// The parameter that a name is, where it is nothing else.
    pub(crate) fn parameter(&self, module: usize, expr: ExprId) -> Option<ParamSlot> {
        let m = self.module(module);
        let ExprKind::Name(name) = &m.expr(expr).kind else {
            return None;
        };
        let Reaching::Found(found) = m.reaching_bindings(name, expr) else {
            return None;
        };
        match found.bindings.as_slice() {
            [one] => match one.bound {
                BindingValue::Param(i) => Some((
                    ScopeRef {
                        module,
                        scope: found.scope,
                    },
                    i,
                )),
                _ => None,
            },
            _ => None,
        }
    }

    /// The texts that a name may be because it is a parameter, each with the functions that give it.
    pub(crate) fn callers(&self, module: usize, expr: ExprId) -> Vec<(Arc<str>, Vec<ScopeRef>)> {
        let Some(param) = self.parameter(module, expr) else {
            return Vec::new();
        };
        let texts = self.texts(module, expr, None).into_iter();
        texts
            .map(|text| {
                let givers = self.params.callers_passing(param, &text);
                (text, givers.into_iter().collect())
            })
            .filter(|(_, givers): &(_, Vec<ScopeRef>)| !givers.is_empty())
            .collect()
    }

    /// Whether the function has a decorator whose last part is `name`.
    pub(crate) fn has_decorator(&self, function: ScopeRef, name: &str) -> bool {
        let m = self.module(function.module);
        m.scope(function.scope)
            .decorators
            .iter()
            .any(|d| decorator_name(m, *d).is_some_and(|n| n.rsplit('.').next() == Some(name)))
    }

    /// What a module holds under this name in the end.
    pub(crate) fn export(&self, module: usize, name: &str) -> ValueSet {
        if self.depth.get() >= MAX_DEPTH {
            return self.nothing.clone();
        }
        self.depth.set(self.depth.get() + 1);
        let found = match self.module(module).at_end(name, ScopeId::MODULE) {
            Reaching::Found(f) => {
                let mut out = ValueSetBuilder::default();
                for b in &f.bindings {
                    out.put_all(&self.values_of_binding(
                        ScopeRef {
                            module,
                            scope: ScopeId::MODULE,
                        },
                        b,
                        None,
                    ));
                }
                out.finish()
            }
            Reaching::Free if !self.module(module).scope(ScopeId::MODULE).wildcards.is_empty() => {
                let found = self.values_of_free_name(module, name);
                match found.as_ref() {
                    [AbstractValue::Library(_)] => self.nothing.clone(),
                    _ => found,
                }
            }
            Reaching::Free => self.nothing.clone(),
        };
        self.depth.set(self.depth.get() - 1);
        found
    }

    pub(crate) fn source(&self, module: usize, source: &ValueSource, frame: Option<&CallFrame<'_>>) -> ValueSet {
        let mut values = self.eval(module, source.expr, frame);
        for step in &source.steps {
            let mut out = ValueSetBuilder::default();
            for t in values.iter() {
                match (step, t) {
                    (AccessStep::Enter, AbstractValue::Instance(class)) => {
                        let entered = self.method_result(*class, &["__enter__", "__aenter__"]);
                        match entered {
                            Some(values) => out.put_all(&values),
                            None => out.put(t.clone()),
                        }
                    }
                    (AccessStep::Enter, _) => out.put(t.clone()),
                    (AccessStep::Each | AccessStep::Rest, AbstractValue::Entry(_, held)) => out.put((**held).clone()),
                    (AccessStep::Item(n), AbstractValue::Entry(key, held)) => {
                        if is_under(key, &[n.to_string().into()]) {
                            out.put((**held).clone());
                        }
                    }
                    (AccessStep::Each | AccessStep::Rest, AbstractValue::Literal(at)) => {
                        // The keys of a dict, or what `.values()` of it gives.
                        out.put_all(&self.keys(*at));
                        out.put_all(&self.elements(*at, &[], None, frame));
                    }
                    (AccessStep::Item(n), AbstractValue::Literal(at)) => {
                        out.put_all(&self.elements(*at, &[], Some(*n as usize), frame));
                    }
                    (AccessStep::Each, AbstractValue::Items(at)) => out.put(AbstractValue::Pair(*at)),
                    (AccessStep::Item(0), AbstractValue::Pair(at)) => out.put_all(&self.keys(*at)),
                    (AccessStep::Item(1), AbstractValue::Pair(at)) => {
                        out.put_all(&self.elements(*at, &[], None, frame))
                    }
                    (AccessStep::Each | AccessStep::Item(_), AbstractValue::Collection(..)) => {
                        if let Some(one) = element(t) {
                            out.put(one);
                        }
                    }
                    // What a generator yields stands for the generator.
                    (
                        _,
                        AbstractValue::Client(_)
                        | AbstractValue::Resource(..)
                        | AbstractValue::Session
                        | AbstractValue::SomeClient
                        | AbstractValue::UnlistedClient(_),
                    ) => out.put(t.clone()),
                    (_, AbstractValue::Text(_)) => {}
                    _ => out.put(AbstractValue::Opaque),
                }
            }
            values = out.finish();
        }
        values
    }

    /// The result of the first of these methods that the class has.
    pub(crate) fn method_result(&self, class: ScopeRef, names: &[&str]) -> Option<ValueSet> {
        for name in names {
            for t in self.attribute(&AbstractValue::Instance(class), name).iter() {
                if let AbstractValue::Method(f, on) = t {
                    return Some(self.returned(*f, self.receiver(*f, *on).into_iter().collect(), None));
                }
            }
        }
        None
    }
}
