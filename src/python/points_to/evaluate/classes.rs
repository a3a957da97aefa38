//! Attributes of things: modules, classes and their instances, clients.

use crate::python::points_to::abstract_value::{
    AbstractValue, ExprRef, ResourceOrigin, ScopeRef, ValueSet, ValueSetBuilder, is_aws, single,
};
use crate::python::points_to::evaluate::{CallFrame, MAX_DEPTH, ObjectEvaluator};
use crate::python::{BindingValue, ExprId, PythonModule, ScopeId};
use std::sync::Arc;

impl ObjectEvaluator<'_> {
    /// `thing.name`
    pub(crate) fn attribute(&self, value: &AbstractValue, name: &str) -> ValueSet {
        match value {
            AbstractValue::Library(l) => single(AbstractValue::Library(format!("{l}.{name}").into())),
            AbstractValue::Module(m) => {
                let found = self.export(*m, name);
                if !found.is_empty() {
                    return found;
                }
                let path = self.program.sources.path(self.module(*m).file);
                match (
                    path.ends_with("/__init__.py"),
                    self.program.import(self.module(*m).file, 1, name),
                ) {
                    (true, Some(sub)) => single(AbstractValue::Module(sub)),
                    _ => self.nothing.clone(),
                }
            }
            AbstractValue::Package(from, dotted) => {
                let full = format!("{dotted}.{name}");
                match self.program.import(self.module(*from).file, 0, &full) {
                    Some(m) => single(AbstractValue::Module(m)),
                    None => single(AbstractValue::Package(*from, full.into())),
                }
            }
            AbstractValue::Class(c) if name == "__name__" => {
                let name = |c: ScopeRef| {
                    let qualname = &self.module(c.module).scope(c.scope).qualname;
                    AbstractValue::Text(qualname.rsplit('.').next().unwrap_or("").into())
                };
                // A method may run on an heir.
                let mut out = ValueSetBuilder::default();
                out.put(name(*c));
                self.index
                    .subclasses(*c)
                    .into_iter()
                    .for_each(|heir| out.put(name(heir)));
                out.finish()
            }
            AbstractValue::Instance(c) if name == "__class__" => single(AbstractValue::Class(*c)),
            // `client.__class__.get_object(client, …)`
            AbstractValue::Client(_) | AbstractValue::Resource(..) if name == "__class__" => single(value.clone()),
            AbstractValue::Class(c) => self.member(*c, *c, name, false),
            AbstractValue::Instance(c) => self.member(*c, *c, name, true),
            AbstractValue::Super(c, receiver) => {
                let mut out = ValueSetBuilder::default();
                for base in self.index.lineage(*c).into_iter().skip(1) {
                    let found = self.member(base, *receiver, name, true);
                    if !found.is_empty() {
                        out.put_all(&found);
                        break;
                    }
                }
                out.finish()
            }
            AbstractValue::Client(c) | AbstractValue::Resource(c, ..) if name == "meta" => {
                single(AbstractValue::Meta(*c))
            }
            AbstractValue::Meta(c) if name == "client" => single(AbstractValue::Client(*c)),
            AbstractValue::Resource(c, ty, of) => match ty.collection(name) {
                Some(member) => single(AbstractValue::Collection(*c, *ty, member, *of, false)),
                // One of them stands for a list of them: `table.associations`.
                None => match ty.reference(name) {
                    Some(other) => {
                        let origin = of
                            .call()
                            .map_or(ResourceOrigin::Unknown, |at| ResourceOrigin::Of(at, false));
                        single(AbstractValue::Resource(*c, other, origin))
                    }
                    None => single(AbstractValue::Bound(Arc::new(value.clone()), name.into())),
                },
            },
            AbstractValue::Literal(at) if self.is_namespace(*at) => self.elements(*at, &[name.into()], None, None),
            AbstractValue::Client(_)
            | AbstractValue::More
            | AbstractValue::Entry(..)
            | AbstractValue::Text(_)
            | AbstractValue::SomeClient
            | AbstractValue::UnlistedClient(_)
            | AbstractValue::Session
            | AbstractValue::Collection(..)
            | AbstractValue::Literal(_)
            | AbstractValue::Meta(_) => single(AbstractValue::Bound(Arc::new(value.clone()), name.into())),
            // A method knows whose it is, and its name.
            AbstractValue::Bound(of, _) if name == "__self__" => single((**of).clone()),
            AbstractValue::Bound(_, own) if name == "__name__" => single(AbstractValue::Text(own.clone())),
            AbstractValue::Opaque | AbstractValue::Bound(..) => single(AbstractValue::Opaque),
            AbstractValue::Function(_)
            | AbstractValue::Method(..)
            | AbstractValue::Partial(_)
            | AbstractValue::Items(_)
            | AbstractValue::Pair(_) => self.nothing.clone(),
        }
    }

    /// `SimpleNamespace(s3=…)`
    fn is_namespace(&self, at: ExprRef) -> bool {
        let m = self.module(at.0);
        let function = m.call(at.1).and_then(|c| m.dotted(c.function));
        function.is_some_and(|f| f.ends_with("Namespace"))
    }

    /// The class of the instance that the method around `expr` is called on in this frame.
    pub(crate) fn receiver_of(&self, module: usize, expr: ExprId, frame: Option<&CallFrame<'_>>) -> Option<ScopeRef> {
        let m = self.module(module);
        let scope = m.function_of(m.expr(expr).scope);
        frame?.innermost(ScopeRef { module, scope })?.receiver()
    }

    /// An attribute of a class or of its instances; `receiver` is the class that methods get.
    pub(crate) fn member(&self, class: ScopeRef, receiver: ScopeRef, name: &str, instance: bool) -> ValueSet {
        let key = (class, receiver, Arc::from(name), instance);
        if let Some(found) = self.members.borrow().get(&key) {
            return found.clone();
        }
        if self.depth.get() >= MAX_DEPTH {
            return self.nothing.clone();
        }
        self.depth.set(self.depth.get() + 1);
        let mut out = ValueSetBuilder::default();
        let lineage = self.index.lineage(class);
        for c in &lineage {
            self.class_attributes(*c, receiver, name, &mut out);
        }
        let in_body = |c: &ScopeRef| {
            let m = self.module(c.module);
            m.scope(c.scope).bindings.contains_key(name)
        };
        if let Some(c) = lineage.iter().find(|c| in_body(c)) {
            self.class_body(*c, receiver, name, instance, &mut out);
        }
        // What only an heir binds, a method of the base may use, and what one of another module binds too, of which the base does
        // not know.
        let is_text = |t: &AbstractValue| matches!(t, AbstractValue::Text(_));
        let is_written = out.iter().any(is_text);
        if out.is_empty() || is_written {
            let heirs = self.index.subclasses(class).into_iter();
            for c in heirs.filter(|c| !is_written || c.module != class.module) {
                self.class_attributes(c, c, name, &mut out);
                if in_body(&c) {
                    self.class_body(c, receiver, name, instance, &mut out);
                }
            }
        }
        if out.is_empty() && self.index.may_be_called_externally(class) {
            out.put(AbstractValue::Opaque);
        }
        self.depth.set(self.depth.get() - 1);
        let values = out.finish();
        // Cut-off results are not kept: they depend on where the question came from.
        if self.depth.get() < MAX_DEPTH / 2 {
            self.members.borrow_mut().insert(key, values.clone());
        }
        values
    }

    /// What methods of `class` assign to `self.name` when they are called on an instance of `receiver`.
    pub(crate) fn class_attributes(&self, class: ScopeRef, receiver: ScopeRef, name: &str, out: &mut ValueSetBuilder) {
        let m = self.module(class.module);
        for i in self.index.attributes(class, name) {
            let a = &m.attributes[*i];
            let place = ScopeRef {
                module: class.module,
                scope: m.function_of(a.scope),
            };
            let called = CallFrame::new(place, self.receiver(place, receiver).into_iter().collect(), None, 1);
            let frame = (receiver != class).then_some(&called);
            let found = match &a.source {
                Some(s) => self.source(class.module, s, frame),
                None => self.nothing.clone(),
            };
            let found = frame.map_or_else(|| found.clone(), |frame| self.unpack_returned(frame, &found));
            match a.annotation {
                Some(t) if !found.iter().any(is_aws) => out.put_all(&self.values_of_annotation(class.module, t, 0)),
                _ => {}
            }
            out.put_all(&found);
        }
    }

    pub(crate) fn class_body(
        &self,
        class: ScopeRef,
        receiver: ScopeRef,
        name: &str,
        instance: bool,
        out: &mut ValueSetBuilder,
    ) {
        let m = self.module(class.module);
        for b in m.scope(class.scope).bindings.get(name).into_iter().flatten() {
            match &b.bound {
                BindingValue::Function(s) => {
                    let f = ScopeRef {
                        module: class.module,
                        scope: *s,
                    };
                    let is_property = ["property", "cached_property", "cachedproperty", "lazy_property"]
                        .iter()
                        .any(|d| self.has_decorator(f, d));
                    if (instance || makes_classes(m, class.scope)) && is_property {
                        out.put_all(&self.returned(f, self.receiver(f, receiver).into_iter().collect(), None));
                    } else if self.has_decorator(f, "staticmethod")
                        || (!instance && !self.has_decorator(f, "classmethod"))
                    {
                        out.put(AbstractValue::Function(f));
                    } else {
                        out.put(AbstractValue::Method(f, receiver));
                    }
                }
                _ => {
                    out.put_all(&self.values_of_binding(class, b, None));
                    if b.annotation.is_some()
                        && let Some(i) = fields(m, class.scope).iter().position(|f| &**f == name)
                    {
                        self.read.borrow_mut().insert((class, i as u32));
                        if let Some(given) = self.params.get(class, i as u32) {
                            out.put_all(given);
                        }
                    }
                }
            }
        }
    }
}

/// Whether the class is one of classes, so that these have its properties.
pub(crate) fn makes_classes(m: &PythonModule, class: ScopeId) -> bool {
    let bases = m.scope(class).bases.iter();
    let mut names = bases.filter_map(|b| m.dotted(*b));
    names.any(|name| name == "type" || name.ends_with("ABCMeta"))
}

/// The annotated names of a class body, in order: the fields of a dataclass.
pub(crate) fn fields(m: &PythonModule, class: ScopeId) -> Vec<Arc<str>> {
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
