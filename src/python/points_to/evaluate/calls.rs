//! What calls give: functions of the repository, libraries, methods of clients and containers.

use crate::iam::{sdk, unlisted};
use crate::python::points_to::abstract_value::{
    AbstractValue, ExprRef, ResourceOrigin, ScopeRef, ValueSet, ValueSetBuilder, single,
};
use crate::python::points_to::evaluate::{CallFrame, MAX_DEPTH, MAX_FRAMES, ObjectEvaluator};
use crate::python::{Arg, CallExpr, ExprId, ExprKind};

impl ObjectEvaluator<'_> {
    pub(crate) fn call(&self, module: usize, expr: ExprId, call: &CallExpr, frame: Option<&CallFrame<'_>>) -> ValueSet {
        let callee = self.eval(module, call.function, frame);
        let mut out = ValueSetBuilder::default();
        for t in callee.iter() {
            match t {
                AbstractValue::Function(f) => {
                    let args = self.arguments(module, call, *f, 0, frame);
                    out.put_all(&self.returned(*f, args, frame));
                }
                AbstractValue::Method(f, on) => {
                    let mut args = self.arguments(module, call, *f, 1, frame);
                    args.splice(0..0, self.receiver(*f, *on));
                    out.put_all(&self.returned(*f, args, frame));
                }
                AbstractValue::Partial(at) => out.put_all(&self.partial(module, call, *at, frame)),
                AbstractValue::Class(c) => out.put(AbstractValue::Instance(*c)),
                AbstractValue::Instance(c) => {
                    if let Some(found) = self.method_result(*c, &["__call__"]) {
                        out.put_all(&found);
                    }
                }
                AbstractValue::Library(name) => out.put_all(&self.library_call(module, expr, call, name, frame)),
                AbstractValue::Bound(receiver, name) => {
                    out.put_all(&self.bound_call(module, expr, call, receiver, name, frame));
                }
                AbstractValue::Opaque => match &self.module(module).expr(call.function).kind {
                    // An exit stack gives what it enters.
                    ExprKind::Attr { name, .. } if matches!(&**name, "enter_context" | "enter_async_context") => {
                        if let Some(a) = call.positional(0) {
                            out.put_all(&self.eval(module, a, frame));
                        }
                    }
                    _ => out.put(AbstractValue::Opaque),
                },
                _ => {}
            }
        }
        out.finish()
    }

    /// The argument that a method has from its receiver, where that is of another class than the one that defines it.
    pub(crate) fn receiver(&self, f: ScopeRef, on: ScopeRef) -> Option<(u32, ValueSet)> {
        let parent = self.module(f.module).scope(f.scope).parent;
        let own = ScopeRef {
            module: f.module,
            scope: parent,
        };
        if own == on || self.has_decorator(f, "staticmethod") {
            return None;
        }
        let value = if self.has_decorator(f, "classmethod") {
            AbstractValue::Class(on)
        } else {
            AbstractValue::Instance(on)
        };
        Some((0, single(value)))
    }

    /// A call of `functools.partial(f, …)`, made at `at`.
    fn partial(&self, module: usize, call: &CallExpr, at: ExprRef, frame: Option<&CallFrame<'_>>) -> ValueSet {
        let Some(made) = self.module(at.0).call(at.1) else {
            return self.nothing.clone();
        };
        let Some(function) = made.positional(0) else {
            return self.nothing.clone();
        };
        let more = if at.0 == module { call.args.as_slice() } else { &[] };
        let args = made.args.iter().skip(1).chain(more).map(|a| Arg {
            name: a.name.clone(),
            value: a.value,
        });
        let merged = CallExpr {
            function,
            args: args.collect(),
        };
        self.call(at.0, at.1, &merged, frame)
    }

    /// What a function returns, called with these arguments.
    pub(crate) fn returned(&self, f: ScopeRef, args: Vec<(u32, ValueSet)>, outer: Option<&CallFrame<'_>>) -> ValueSet {
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
        let mut out = ValueSetBuilder::default();
        let frame = CallFrame::new(f, key.1.clone(), outer, depth);
        let frame = if key.1.is_empty() { None } else { Some(&frame) };
        for r in &s.returns {
            out.put_all(&self.eval(f.module, *r, frame));
        }
        if let Some(t) = s.returns_type
            && !out.has_aws()
        {
            out.put_all(&self.values_of_annotation(f.module, t, 0));
        }
        self.depth.set(self.depth.get() - 2);
        let values = match frame {
            Some(frame) => self.unpack_returned(frame, &out.finish()),
            None => out.finish(),
        };
        // Cut-off results are not kept: they depend on where the question came from.
        if self.depth.get() < MAX_DEPTH / 2 {
            self.returned.borrow_mut().insert(key, values.clone());
        }
        values
    }

    pub(crate) fn clients(
        &self,
        module: usize,
        call: &CallExpr,
        resource: bool,
        frame: Option<&CallFrame<'_>>,
    ) -> ValueSet {
        let mut out = ValueSetBuilder::default();
        let names = match call.argument(0, "service_name") {
            Some(arg) => {
                if self.eval(module, arg, frame).contains(&AbstractValue::More) {
                    out.put(AbstractValue::More);
                } else if self.may_be_other_text(module, arg, frame) {
                    out.put(AbstractValue::SomeClient);
                }
                self.texts(module, arg, frame)
            }
            None => self.texts_in_spread(module, call, "service_name", frame),
        };
        for name in names {
            match sdk::client(&name) {
                Some(c) if resource => match c.service_resource() {
                    Some(t) => out.put(AbstractValue::Resource(c, t, ResourceOrigin::Unknown)),
                    None => out.put(AbstractValue::Client(c)),
                },
                Some(c) => out.put(AbstractValue::Client(c)),
                None if unlisted::is_client_name(&name) => out.put(AbstractValue::UnlistedClient(name)),
                None => {}
            }
        }
        if out.is_empty() {
            out.put(AbstractValue::SomeClient);
        }
        out.finish()
    }
}
