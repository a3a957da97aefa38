//! What lists, tuples and dicts hold.

use crate::python::points_to::abstract_value::{AbstractValue, ExprRef, MAX_VALUES, ValueSet, ValueSetBuilder, is_aws};
use crate::python::points_to::evaluate::library_models::element;
use crate::python::points_to::evaluate::{CallFrame, MAX_DEPTH, ObjectEvaluator, is_under};
use crate::python::{ArgName, ExprId, ExprKind};
use std::sync::Arc;

impl ObjectEvaluator<'_> {
    /// The keys of a dict that are literal strings; the positions of a list have none.
    pub(crate) fn keys(&self, at: ExprRef) -> ValueSet {
        let mut out = ValueSetBuilder::default();
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
    pub(crate) fn elements(
        &self,
        at: ExprRef,
        keys: &[Arc<str>],
        number: Option<usize>,
        frame: Option<&CallFrame<'_>>,
    ) -> ValueSet {
        let whole = keys.is_empty() && number.is_none() && frame.is_none();
        if whole && let Some(found) = self.contents.borrow().get(&at) {
            return found.clone();
        }
        // A container that holds itself holds nothing by that.
        if !self.step() || !self.open.borrow_mut().insert(at) {
            return self.nothing.clone();
        }
        let found = self.contents(at, keys, number, frame);
        self.open.borrow_mut().remove(&at);
        if whole {
            self.contents.borrow_mut().insert(at, found.clone());
        }
        found
    }

    fn contents(
        &self,
        at: ExprRef,
        keys: &[Arc<str>],
        number: Option<usize>,
        frame: Option<&CallFrame<'_>>,
    ) -> ValueSet {
        let (module, expr) = at;
        let m = self.module(module);
        let mut out = ValueSetBuilder::default();
        // Whether it takes up what is not known.
        let mut is_open = false;
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
                            let values = self.eval(module, *i, frame);
                            if matches!(m.expr(*i).kind, ExprKind::Star(_)) {
                                is_open |= !is_container(&values);
                                for t in values.iter() {
                                    if let AbstractValue::Literal(inner) = t {
                                        out.put_all(&self.nested_values(*inner, frame));
                                    }
                                }
                            } else {
                                out.put_all(&values);
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
                            let values = self.eval(module, p.value, frame);
                            is_open |= !is_container(&values);
                            for t in values.iter() {
                                if let AbstractValue::Literal(inner) = t {
                                    out.put_all(&self.nested_values(*inner, frame));
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
                // A container that a function fills is distinguished by call, as the function is.
                let within = frame.filter(|f| f.is_call_around(module, m, *value));
                out.put_all(&self.eval(module, *value, within));
            }
        }
        for more in self.index.extended(at).iter().take(200) {
            let values = self.eval(module, *more, None);
            is_open |= !is_container(&values);
            for t in values.iter() {
                match t {
                    AbstractValue::Literal(inner) => out.put_all(&self.elements(*inner, keys, None, None)),
                    AbstractValue::Entry(key, held) if is_under(key, keys) => out.put((**held).clone()),
                    _ => {}
                }
            }
        }
        let is_text = |t: &AbstractValue| matches!(t, AbstractValue::Text(_));
        if self.index.is_changed(at) || is_open && out.iter().any(is_text) {
            out.put(AbstractValue::Opaque);
        }
        out.finish()
    }

    /// What `left + right`, or `left | right`, holds.
    pub(crate) fn joined(&self, module: usize, operands: [ExprId; 2], frame: Option<&CallFrame<'_>>) -> ValueSet {
        let mut out = ValueSetBuilder::default();
        let [mut held, mut other] = [false; 2];
        for operand in operands {
            for t in self.eval(module, operand, frame).iter() {
                match t {
                    AbstractValue::Literal(at) if matches!(self.module(at.0).expr(at.1).kind, ExprKind::Dict(_)) => {
                        out.put(t.clone());
                        held = true;
                    }
                    // Positions of what is joined are others than those in its parts.
                    AbstractValue::Literal(at) => {
                        out.put_entries("", &self.elements(*at, &[], None, frame));
                        held = true;
                    }
                    AbstractValue::Entry(..) | AbstractValue::Collection(..) => {
                        out.put(t.clone());
                        held = true;
                    }
                    AbstractValue::Opaque | AbstractValue::More => other = true,
                    _ => {}
                }
            }
        }
        if held && other {
            out.put(AbstractValue::Opaque);
        }
        out.finish()
    }

    pub(crate) fn nested_values(&self, at: ExprRef, frame: Option<&CallFrame<'_>>) -> ValueSet {
        if self.depth.get() >= MAX_DEPTH {
            return self.nothing.clone();
        }
        self.depth.set(self.depth.get() + 1);
        let found = self.elements(at, &[], None, frame);
        self.depth.set(self.depth.get() - 1);
        found
    }

    /// What is in any of these containers.
    pub(crate) fn contents_of_each(&self, values: &[AbstractValue]) -> ValueSet {
        let mut out = ValueSetBuilder::default();
        for t in values {
            match t {
                AbstractValue::Literal(at) => out.put_all(&self.elements(*at, &[], None, None)),
                AbstractValue::Entry(_, held) => out.put((**held).clone()),
                other => {
                    if let Some(one) = element(other) {
                        out.put(one);
                    }
                }
            }
        }
        out.finish()
    }

    /// What a function returned in this frame: a container that holds something of AWS is taken apart, for what it holds
    /// depends on the frame.
    pub(crate) fn unpack_returned(&self, frame: &CallFrame<'_>, values: &[AbstractValue]) -> ValueSet {
        let mut out = ValueSetBuilder::default();
        for t in values {
            match t {
                AbstractValue::Literal(at) if frame.is_call_around(at.0, self.module(at.0), at.1) => {
                    let entries = self.entries(*at, frame);
                    let matter = entries
                        .iter()
                        .any(|e| matches!(e, AbstractValue::Entry(_, held) if is_aws(held)));
                    if matter {
                        out.put_all(&entries);
                    } else {
                        out.put(t.clone());
                    }
                }
                _ => out.put(t.clone()),
            }
        }
        out.finish()
    }

    fn entries(&self, at: ExprRef, frame: &CallFrame<'_>) -> ValueSet {
        let (module, expr) = at;
        let m = self.module(module);
        let mut out = ValueSetBuilder::default();
        let mut put = |key: &str, value: ExprId| out.put_entries(key, &self.eval(module, value, Some(frame)));
        match &m.expr(expr).kind {
            ExprKind::List(items) | ExprKind::Tuple(items) => {
                for (i, item) in items.iter().enumerate().take(MAX_VALUES) {
                    put(&i.to_string(), *item);
                }
            }
            ExprKind::Dict(pairs) => {
                for p in pairs.iter().take(MAX_VALUES) {
                    let key = p.key.and_then(|k| m.string(k));
                    put(key.as_deref().unwrap_or(""), p.value);
                }
            }
            ExprKind::Comprehension { element, .. } => put("", *element),
            ExprKind::Call(c) => {
                for a in c.args.iter().take(MAX_VALUES) {
                    if let ArgName::Keyword(k, _) = &a.name {
                        put(k, a.value);
                    }
                }
            }
            _ => {}
        }
        for (key, value) in self.index.added(at).iter().take(MAX_VALUES) {
            let key = key.and_then(|k| m.string(k));
            put(key.as_deref().unwrap_or(""), *value);
        }
        out.finish()
    }
}

/// Whether all that these may be is a container whose elements are known.
fn is_container(values: &[AbstractValue]) -> bool {
    let is_known = |t: &AbstractValue| !matches!(t, AbstractValue::Opaque | AbstractValue::More);
    !values.is_empty() && values.iter().all(is_known)
}
