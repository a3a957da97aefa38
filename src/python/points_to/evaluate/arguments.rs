//! Which argument of a call goes to which parameter.

use crate::python::points_to::abstract_value::{AbstractValue, ScopeRef, ValueSet, ValueSetBuilder, single};
use crate::python::points_to::evaluate::{CallFrame, ObjectEvaluator, is_worth_following};
use crate::python::{ArgName, CallExpr, ExprId, FunctionParam, ParamKind, Scope};
use std::collections::BTreeMap;
use std::sync::Arc;

impl ObjectEvaluator<'_> {
    /// The arguments of a call that matter, by parameter; `skip` parameters are bound already.
    pub(crate) fn arguments(
        &self,
        module: usize,
        call: &CallExpr,
        f: ScopeRef,
        skip: u32,
        frame: Option<&CallFrame<'_>>,
    ) -> Vec<(u32, ValueSet)> {
        let s = self.module(f.module).scope(f.scope);
        let mut out: BTreeMap<u32, ValueSetBuilder> = BTreeMap::new();
        // What no parameter of its own takes.
        let mut rest = ValueSetBuilder::default();
        let mut n = skip;
        let mut starred = false;
        for a in &call.args {
            match &a.name {
                ArgName::Positional => {
                    if !starred && s.params.get(n as usize).map(|p| p.kind) == Some(ParamKind::Plain) {
                        out.entry(n).or_default().put_all(&self.eval(module, a.value, frame));
                        n += 1;
                    }
                }
                ArgName::Keyword(k, _) => {
                    let values = self.eval(module, a.value, frame);
                    match keyword_parameter(s, k) {
                        Some(i) => out.entry(i).or_default().put_all(&values),
                        None => rest.put_entries(k, &values),
                    }
                }
                ArgName::Star => {
                    starred = true;
                    for i in n..s.params.len() as u32 {
                        out.entry(i).or_default().put(AbstractValue::Opaque);
                    }
                }
                ArgName::Spread => {
                    let given = self.eval(module, a.value, frame);
                    if given.iter().all(|t| !is_worth_following(t)) {
                        for i in skip..s.params.len() as u32 {
                            out.entry(i).or_default().put(AbstractValue::Opaque);
                        }
                    }
                    for t in given.iter() {
                        match t {
                            AbstractValue::Literal(at) => {
                                for (i, p) in (0..).zip(&s.params) {
                                    let found = self.elements(*at, std::slice::from_ref(&p.name), None, frame);
                                    if found.iter().any(is_worth_following) {
                                        out.entry(i).or_default().put_all(&found);
                                    }
                                }
                                rest.put(t.clone());
                            }
                            AbstractValue::Entry(k, held) => match keyword_parameter(s, k) {
                                Some(i) => out.entry(i).or_default().put((**held).clone()),
                                None => rest.put(t.clone()),
                            },
                            _ => {}
                        }
                    }
                }
            }
        }
        let spread = s.params.iter().position(|p| p.kind == ParamKind::Spread);
        if let Some(i) = spread {
            out.insert(i as u32, rest);
        }
        out.into_iter()
            .map(|(i, bag)| (i, bag.finish()))
            .filter(|(_, values)| !values.is_empty())
            .collect()
    }

    /// The arguments of a call by field of a dataclass.
    pub(crate) fn field_arguments(&self, module: usize, call: &CallExpr, names: &[Arc<str>]) -> Vec<(u32, ValueSet)> {
        let mut out = Vec::new();
        let mut n = 0;
        for a in &call.args {
            match &a.name {
                ArgName::Positional => {
                    self.argument(module, a.value, n, &mut out);
                    n += 1;
                }
                ArgName::Keyword(k, _) => {
                    if let Some(i) = names.iter().position(|f| f == k) {
                        self.argument(module, a.value, i as u32, &mut out);
                    }
                }
                ArgName::Star | ArgName::Spread => {
                    let others = n..names.len() as u32;
                    out.extend(others.map(|i| (i, single(AbstractValue::Opaque))));
                    break;
                }
            }
        }
        out
    }

    fn argument(&self, module: usize, value: ExprId, i: u32, out: &mut Vec<(u32, ValueSet)>) {
        let values = self.eval(module, value, None);
        if !values.is_empty() {
            out.push((i, values));
        }
    }

    /// The literal strings that a call gives under `name` by `**values`.
    pub(crate) fn texts_in_spread(
        &self,
        module: usize,
        call: &CallExpr,
        name: &str,
        frame: Option<&CallFrame<'_>>,
    ) -> Vec<Arc<str>> {
        let mut out = Vec::new();
        for a in call.args.iter().filter(|a| a.name == ArgName::Spread) {
            for t in self.eval(module, a.value, frame).iter() {
                let held = match t {
                    AbstractValue::Literal(at) => self.elements(*at, &[name.into()], None, frame),
                    AbstractValue::Entry(k, held) if **k == *name => {
                        crate::python::points_to::evaluate::single((**held).clone())
                    }
                    _ => continue,
                };
                out.extend(held.iter().filter_map(|t| match t {
                    AbstractValue::Text(s) => Some(s.clone()),
                    _ => None,
                }));
            }
        }
        out
    }

    /// What the `**kwargs` of a function holds in addition to what it was given: `kwargs["client_type"] = "glue"`.
    pub(crate) fn put_into_spread(
        &self,
        function: ScopeRef,
        param: &FunctionParam,
        frame: Option<&CallFrame<'_>>,
        out: &mut ValueSetBuilder,
    ) {
        use crate::python::ObjectChange;
        let m = self.module(function.module);
        for change in m
            .scope(function.scope)
            .mutations
            .iter()
            .filter(|c| c.name == param.name)
        {
            match (&change.change, change.path.as_slice()) {
                (ObjectChange::Set(v), [k]) => {
                    if let Some(key) = m.string(*k) {
                        out.put_entries(&key, &self.eval(function.module, *v, frame));
                    }
                }
                (ObjectChange::Update(v), []) => out.put_all(&self.eval(function.module, *v, frame)),
                _ => {}
            }
        }
    }
}

/// The parameter that takes a keyword argument.
fn keyword_parameter(s: &Scope, name: &str) -> Option<u32> {
    let at = s
        .params
        .iter()
        .position(|p| *p.name == *name && matches!(p.kind, ParamKind::Plain | ParamKind::KeywordOnly));
    at.map(|i| i as u32)
}
