//! Constant evaluation: what an expression amounts to, as far as the repository's own code says.
//!
//! **Invariant:** the work for one expression is bounded, whatever refers to whatever; what is cut off, comes from outside
//! or is not followed is a hole that shows the expression.

mod alternatives;
mod attributes;
mod calls;
pub mod cdk;
mod changes;
mod constructs;
mod strings;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::python::{
    AccessStep, Binding, BindingValue, ExprId, ExprKind, FStringPart, Pair, Program, PythonModule, Reaching,
    ReachingBindings, ScopeId, ValueSource,
};
use crate::source::{Hole, HoleKind, Span, Text};
use crate::value::{Branch, Guard, MapEntry, Value, ValueKind};

use alternatives::{CallsOfFunction, map_alternatives, one_of};

/// How deep evaluation follows expressions and names.
const MAX_DEPTH: u32 = 100;
/// Largest weight (see [`Value::weight`]) of a value that is computed from others; what is heavier is not known.
const MAX_WEIGHT: usize = 20_000;
/// Weight up to which a computed value is kept whatever else was computed.
const LIGHT: usize = 64;
/// Weight that all computed values of one evaluator may have together, and on top for each expression of the program.
const MAX_TOTAL: usize = 4_000_000;
const TOTAL_EACH: usize = 32;
/// Changes of one value that are followed.
const MAX_CHANGES: usize = 400;
/// Expressions evaluated with arguments of calls or loop variables filled in, for one evaluator.
const MAX_SPECIAL: u32 = 50_000;
/// How many calls and loops deep arguments are filled in.
const MAX_FRAMES: usize = 4;

/// Evaluates expressions of a program. Results are kept, so one evaluator should serve all questions about a file.
pub struct ConstantEvaluator<'p> {
    program: &'p Program<'p>,
    /// Calls that create resources: `role["Role"]["Arn"]` refers to one of these.
    targets: FxHashMap<(usize, ExprId), (Arc<str>, Arc<str>)>,
    memo: RefCell<FxHashMap<(usize, ExprId), Value>>,
    /// Results that a bound or a cycle cut short: kept until the question is answered, so that nothing is computed twice
    /// for it.
    cut: RefCell<FxHashMap<(usize, ExprId), Value>>,
    busy: RefCell<Vec<(usize, ExprId)>>,
    frames: RefCell<Vec<NameFrame>>,
    depth: Cell<u32>,
    special: Cell<u32>,
    /// How often a bound or a cycle cut something short.
    cuts: Cell<u32>,
    /// Weight that computed values may still have together.
    left: Cell<usize>,
    /// Whether parameters, loop variables and the like are alternatives rather than unknown.
    joins: bool,
    callers: RefCell<FxHashMap<usize, Rc<CallsOfFunction>>>,
}

/// Names of one scope with given values.
struct NameFrame {
    module: usize,
    scope: ScopeId,
    names: Vec<(Arc<str>, Value)>,
}

impl<'p> ConstantEvaluator<'p> {
    pub fn new(program: &'p Program<'p>) -> Self {
        Self {
            program,
            targets: FxHashMap::default(),
            memo: RefCell::default(),
            cut: RefCell::default(),
            busy: RefCell::default(),
            frames: RefCell::default(),
            depth: Cell::new(0),
            special: Cell::new(0),
            cuts: Cell::new(0),
            left: Cell::new(MAX_TOTAL + TOTAL_EACH * program.modules.iter().map(|m| m.exprs.len()).sum::<usize>()),
            joins: false,
            callers: RefCell::default(),
        }
    }

    /// An evaluator that tells all values apart that may be meant: for what is judged, rather than for names of things.
    pub fn with_alternatives(program: &'p Program<'p>) -> Self {
        Self {
            joins: true,
            ..Self::new(program)
        }
    }

    /// Says that the call `expr` creates the resource with this address.
    pub fn set_target(&mut self, module: usize, expr: ExprId, scope: Arc<str>, address: Arc<str>) {
        self.targets.insert((module, expr), (scope, address));
    }

    /// Gives names of a scope values, until [`ConstantEvaluator::pop_names`].
    pub(crate) fn push_names(&self, module: usize, scope: ScopeId, names: Vec<(Arc<str>, Value)>) {
        self.frames.borrow_mut().push(NameFrame { module, scope, names });
    }

    /// Takes back the last names that were given.
    pub(crate) fn pop_names(&self) {
        self.frames.borrow_mut().pop();
    }

    fn module(&self, module: usize) -> &'p PythonModule {
        &self.program.modules[module]
    }

    /// What `expr` of the module with this index amounts to.
    pub fn value(&self, module: usize, expr: ExprId) -> Value {
        let key = (module, expr);
        let plain = self.frames.borrow().is_empty();
        if plain {
            let known = self.memo.borrow().get(&key).cloned();
            if let Some(v) = known.or_else(|| self.cut.borrow().get(&key).cloned()) {
                return v;
            }
        } else {
            let used = self.special.get() + 1;
            self.special.set(used);
            if used > MAX_SPECIAL {
                return self.unknown(module, expr);
            }
        }
        if self.depth.get() >= MAX_DEPTH || self.busy.borrow().contains(&key) {
            self.cuts.set(self.cuts.get().wrapping_add(1));
            return self.unknown(module, expr);
        }
        let cuts = self.cuts.get();
        self.depth.set(self.depth.get() + 1);
        let named = matches!(
            self.module(module).expr(expr).kind,
            ExprKind::Name(_) | ExprKind::Call(_)
        );
        if named {
            self.busy.borrow_mut().push(key);
        }
        let v = self.evaluate(module, expr);
        let v = self.within_weight(module, expr, v);
        if named {
            self.busy.borrow_mut().pop();
        }
        self.depth.set(self.depth.get() - 1);
        if plain {
            // A result that a bound or a cycle cut short is not the whole truth, unless nothing is going on around it.
            let whole = cuts == self.cuts.get() || self.busy.borrow().is_empty() || !v.is_unknown();
            let to = if whole { &self.memo } else { &self.cut };
            to.borrow_mut().insert(key, v.clone());
        }
        if self.depth.get() == 0 {
            self.cut.borrow_mut().clear();
        }
        v
    }

    /// `v`, unless it is too heavy: a few lines, each of which uses the one before twice, would fill all memory. What is
    /// written out may weigh as much as it is long.
    fn within_weight(&self, module: usize, expr: ExprId, v: Value) -> Value {
        let written = match &self.module(module).expr(expr).kind {
            ExprKind::Str(_) | ExprKind::Num(_) | ExprKind::Bool(_) | ExprKind::None => return v,
            ExprKind::List(_) | ExprKind::Tuple(_) | ExprKind::Dict(_) => self.span(module, expr).len(),
            _ => 0,
        };
        let max = MAX_WEIGHT + written;
        let weight = v.weight(max);
        if weight <= LIGHT {
            return v;
        }
        let left = self.left.get().checked_sub(weight.saturating_sub(written));
        match left.filter(|_| weight < max) {
            Some(left) => {
                self.left.set(left);
                v
            }
            None => self.unknown(module, expr),
        }
    }

    fn span(&self, module: usize, expr: ExprId) -> Span {
        self.module(module).expr(expr).span
    }

    /// A hole that shows the expression.
    fn unknown(&self, module: usize, expr: ExprId) -> Value {
        self.hole(module, expr, HoleKind::Other)
    }

    fn hole(&self, module: usize, expr: ExprId, kind: HoleKind) -> Value {
        let span = self.span(module, expr);
        Value::unknown(Hole::new(kind, self.source_text(span), span))
    }

    /// The expression as written, on one line and cut.
    fn source_text(&self, span: Span) -> String {
        let text = self.program.sources.slice(span);
        let mut out = String::new();
        for word in text.split_whitespace() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(word);
            if out.len() > 60 {
                break;
            }
        }
        if out.chars().count() > 40 {
            out = out.chars().take(39).collect();
            out.push('…');
        }
        if out.is_empty() { "?".to_owned() } else { out }
    }

    fn evaluate(&self, module: usize, expr: ExprId) -> Value {
        let m = self.module(module);
        let e = m.expr(expr);
        let span = e.span;
        match &e.kind {
            ExprKind::Name(name) => self.name(module, expr, name),
            ExprKind::Attr { of, name, .. } => self.attribute(module, expr, *of, name),
            ExprKind::Call(call) => self.call(module, expr, call),
            ExprKind::Str(t) => Value::text(t.clone(), span),
            ExprKind::Join(parts) => self.join(module, parts, span),
            ExprKind::Num(n) => Value::new(ValueKind::Num(n.clone()), span),
            ExprKind::Bool(b) => Value::new(ValueKind::Bool(*b), span),
            ExprKind::None => Value::new(ValueKind::Null, span),
            ExprKind::List(items) | ExprKind::Tuple(items) => {
                let mut out = Vec::with_capacity(items.len());
                for i in items {
                    match &m.expr(*i).kind {
                        ExprKind::Star(inner) => match self.value(module, *inner) {
                            v if v.as_seq().is_some() => {
                                let via = self.span(module, *inner);
                                out.extend(v.items().iter().map(|i| i.clone().used_at(via)));
                            }
                            _ => out.push(self.unknown(module, *inner)),
                        },
                        _ => out.push(self.value(module, *i)),
                    }
                }
                Value::seq(out, span)
            }
            ExprKind::Dict(pairs) => self.dict(module, pairs, span),
            ExprKind::Binary { op, left, right } => self.binary(module, expr, op, *left, *right),
            ExprKind::Either { left, right } => {
                let l = self.value(module, *left);
                if self.joins {
                    let shown = self.source_text(self.span(module, *left));
                    return self.either_value(l, &shown, &self.value(module, *right), span);
                }
                match &l.kind {
                    ValueKind::Unknown(_) => self.unknown(module, expr),
                    ValueKind::Null => self.value(module, *right),
                    _ => l,
                }
            }
            ExprKind::Conditional { test, then, other } => {
                let test = self.source_text(self.span(module, *test));
                let branch = |word: &str, v| Branch {
                    when: format!("{word} {test}").into(),
                    value: v,
                };
                let (a, b) = (self.value(module, *then), self.value(module, *other));
                one_of(vec![branch("if", a), branch("unless", b)], span)
            }
            ExprKind::Index { of, index } => self.index(module, expr, *of, *index),
            ExprKind::Comprehension { scope, key, element } => self.comprehension(module, expr, *scope, *key, *element),
            ExprKind::Await(inner) | ExprKind::Walrus(inner) => self.value(module, *inner),
            ExprKind::Lambda(_) | ExprKind::Star(_) | ExprKind::Comparison(_) | ExprKind::Other(_) => {
                self.unknown(module, expr)
            }
        }
    }

    fn name(&self, module: usize, expr: ExprId, name: &str) -> Value {
        let found = match self.module(module).reaching_bindings(name, expr) {
            Reaching::Found(f) => f,
            Reaching::Free => return self.wildcard(module, expr, name),
        };
        let given = self
            .frames
            .borrow()
            .iter()
            .rev()
            .find(|f| f.module == module && f.scope == found.scope)
            .and_then(|f| f.names.iter().find(|(n, _)| &**n == name).map(|(_, v)| v.clone()));
        if let Some(v) = given {
            return v.used_at(self.span(module, expr));
        }
        let v = self.value_of_bindings(module, name, &found, expr);
        let hole =
            |v: &Value| matches!(&v.kind, ValueKind::Unknown(h) if h.kind == HoleKind::Other && h.target.is_none());
        if hole(&v) {
            return self.hole(module, expr, HoleKind::Other);
        }
        v.used_at(self.span(module, expr))
    }

    /// The value of a name whose bindings are known.
    fn value_of_bindings(&self, module: usize, name: &str, found: &ReachingBindings<'_>, expr: ExprId) -> Value {
        let m = self.module(module);
        if let [one] = found.bindings.as_slice() {
            let v = self.value_of_binding(module, name, (found.scope, one), expr);
            return self.apply_changes(module, name, found, one, v);
        }
        let branches = found
            .bindings
            .iter()
            .rev()
            .map(|b| {
                let v = self.value_of_binding(module, name, (found.scope, b), expr);
                Branch {
                    when: m.label(b.block).map_or("otherwise", |label| label).into(),
                    value: self.apply_changes(module, name, found, b, v),
                }
            })
            .filter(|b| !b.value.is_null())
            .collect();
        one_of(branches, self.span(module, expr))
    }

    fn value_of_binding(
        &self,
        module: usize,
        name: &str,
        (scope, binding): (ScopeId, &Binding),
        expr: ExprId,
    ) -> Value {
        match &binding.bound {
            BindingValue::Value(source) => self.source(module, source),
            BindingValue::Param(i) => {
                let unknown = Value::unknown(Hole::new(HoleKind::Input, name, self.span(module, expr)));
                self.parameter(module, scope, *i, unknown)
            }
            BindingValue::From(import) => {
                let from = self.module(module).file;
                match self.program.import_from(from, import) {
                    (Some(other), _) => self.export(other, &import.name, module, expr),
                    _ => self.unknown(module, expr),
                }
            }
            BindingValue::Function(_) | BindingValue::Class(_) | BindingValue::Import(_) | BindingValue::Other => {
                self.unknown(module, expr)
            }
        }
    }

    /// What another module of the repository holds under this name.
    fn export(&self, other: usize, name: &str, module: usize, expr: ExprId) -> Value {
        if self.depth.get() >= MAX_DEPTH {
            return self.unknown(module, expr);
        }
        self.depth.set(self.depth.get() + 1);
        let v = match self.module(other).at_end(name, ScopeId::MODULE) {
            Reaching::Found(f) if f.bindings.iter().all(|b| !matches!(b.bound, BindingValue::Param(_))) => {
                match f.bindings.as_slice() {
                    [one] => match &one.bound {
                        BindingValue::Value(source) => {
                            let v = self.source(other, source);
                            self.apply_changes(other, name, &f, one, v)
                        }
                        BindingValue::From(import) => match self.program.import_from(self.module(other).file, import) {
                            (Some(next), _) if next != other => self.export(next, &import.name, module, expr),
                            _ => self.unknown(module, expr),
                        },
                        _ => self.unknown(module, expr),
                    },
                    _ => self.unknown(module, expr),
                }
            }
            _ => self.unknown(module, expr),
        };
        self.depth.set(self.depth.get() - 1);
        v
    }

    fn wildcard(&self, module: usize, expr: ExprId, name: &str) -> Value {
        let m = self.module(module);
        for import in &m.scope(ScopeId::MODULE).wildcards {
            if let Some(other) = self.program.import(m.file, import.level, &import.module)
                && other != module
                && matches!(self.module(other).at_end(name, ScopeId::MODULE), Reaching::Found(_))
            {
                return self.export(other, name, module, expr).used_at(self.span(module, expr));
            }
        }
        self.unknown(module, expr)
    }

    fn source(&self, module: usize, source: &ValueSource) -> Value {
        let mut v = self.value(module, source.expr);
        for step in &source.steps {
            let taken = map_alternatives(&v, self.span(module, source.expr), &|v| {
                Some(self.step(module, source.expr, v, *step))
            });
            v = taken.unwrap_or(v);
        }
        v
    }

    fn step(&self, module: usize, of: ExprId, v: &Value, step: AccessStep) -> Value {
        match (step, v.as_seq()) {
            (AccessStep::Enter, _) => v.clone(),
            (AccessStep::Item(n), Some(items)) if items.iter().all(|i| !i.is_unknown()) => {
                let item = items.get(n as usize).cloned();
                item.unwrap_or_else(|| self.unknown(module, of))
            }
            (AccessStep::Each, Some([one])) => one.clone(),
            (AccessStep::Each, Some(items)) if self.joins => self.any_item(module, of, items),
            (AccessStep::Each, None) if self.joins => match self.items_of(v, "keys") {
                Some(keys) => self.any_item(module, of, keys.items()),
                None => self.unknown(module, of),
            },
            _ => self.unknown(module, of),
        }
    }

    fn dict(&self, module: usize, pairs: &[Pair], span: Span) -> Value {
        let mut entries: Vec<MapEntry> = Vec::with_capacity(pairs.len());
        for p in pairs {
            match p.key {
                Some(k) => {
                    let key = self.value(module, k);
                    let text = match &key.kind {
                        ValueKind::Str(t) => t.clone(),
                        _ => self.as_text(module, k),
                    };
                    entries.push(MapEntry {
                        key: text,
                        key_span: self.span(module, k),
                        value: self.value(module, p.value),
                    });
                }
                None => match self.value(module, p.value) {
                    v if v.entries().is_some() => merge(&mut entries, v.entries().unwrap_or_default()),
                    v => entries.push(open_entry(&v)),
                },
            }
        }
        Value::map(entries, span)
    }

    fn comprehension(
        &self,
        module: usize,
        expr: ExprId,
        scope: ScopeId,
        key: Option<ExprId>,
        element: ExprId,
    ) -> Value {
        let m = self.module(module);
        let span = self.span(module, expr);
        // One plain loop over a list that is known.
        let bindings: Vec<(&Arc<str>, &Binding)> = m
            .scope(scope)
            .bindings
            .iter()
            .flat_map(|(n, all)| all.iter().map(move |b| (n, b)))
            .collect();
        let items = match bindings.as_slice() {
            [(name, b)] => match &b.bound {
                BindingValue::Value(s) if s.steps == [AccessStep::Each] => {
                    let over = self.value(module, s.expr);
                    over.as_seq()
                        .filter(|i| i.len() <= 200 && i.iter().all(|v| !v.is_unknown()))
                        .map(|items| ((*name).clone(), items.to_vec()))
                }
                _ => None,
            },
            _ => None,
        };
        let rounds: Vec<Option<(Arc<str>, Value)>> = match items {
            Some((name, items)) if self.frames.borrow().len() < MAX_FRAMES => {
                items.into_iter().map(|i| Some((name.clone(), i))).collect()
            }
            _ => vec![None],
        };
        let partial = rounds.iter().any(Option::is_none);
        let mut seq = Vec::new();
        let mut map = Vec::new();
        for round in rounds {
            let framed = round.is_some();
            if let Some(name) = round {
                self.frames.borrow_mut().push(NameFrame {
                    module,
                    scope,
                    names: vec![name],
                });
            }
            let v = self.value(module, element);
            match key {
                Some(k) => map.push(MapEntry {
                    key: self.as_text(module, k),
                    key_span: self.span(module, k),
                    value: v,
                }),
                None => seq.push(v),
            }
            if framed {
                self.frames.borrow_mut().pop();
            }
        }
        match key {
            Some(_) if partial => self.with_unknown_rest(Value::map(map, span)),
            Some(_) => Value::map(map, span),
            None => {
                // Its other items are like the one that is written: they have its place.
                let more = seq
                    .first()
                    .filter(|_| partial)
                    .map(|one| Value::unknown_other("…", one.span));
                seq.extend(more);
                Value::seq(seq, span)
            }
        }
    }

    /// The value as a text: what `str()` makes of it.
    fn as_text(&self, module: usize, expr: ExprId) -> Text {
        self.text_of(&self.value(module, expr), module, expr)
    }

    /// What `str()` makes of the value of an expression, or of one of its alternatives.
    fn text_of(&self, v: &Value, module: usize, expr: ExprId) -> Text {
        let open = match &v.kind {
            ValueKind::OneOf(branches) => branches.iter().find_map(|b| b.value.as_hole()),
            _ => None,
        };
        match &v.kind {
            ValueKind::Str(t) => t.clone(),
            ValueKind::Num(n) => Text::synthetic(n, v.span),
            ValueKind::Unknown(h) => Text::hole((**h).clone()),
            ValueKind::OneOf(_) if open.is_some() => open.map_or_else(Text::default, |h| Text::hole(h.clone())),
            _ => Text::hole(Hole::new(
                HoleKind::Other,
                self.source_text(self.span(module, expr)),
                self.span(module, expr),
            )),
        }
    }

    fn join(&self, module: usize, parts: &[FStringPart], span: Span) -> Value {
        let parts = parts.iter().map(|p| match p {
            FStringPart::Lit(t) => vec![(Guard::default(), t.clone())],
            FStringPart::Value(e) => self.texts(module, *e),
        });
        self.appended(parts.collect(), span)
    }

    /// What the name that `binding` binds in `scope` holds when all changes there are done.
    pub fn final_value(&self, module: usize, scope: ScopeId, name: &str, binding: &Binding, expr: ExprId) -> Value {
        let found = ReachingBindings {
            scope,
            bindings: Vec::new(),
            until: ExprId::END,
        };
        let v = self.value(module, expr);
        self.apply_changes(module, name, &found, binding, v)
    }
}

/// An entry for keys that we cannot see.
fn open_entry(v: &Value) -> MapEntry {
    let hole = match &v.kind {
        ValueKind::Unknown(h) => (**h).clone(),
        _ => Hole::new(HoleKind::Other, "…", v.span),
    };
    MapEntry {
        key: Text::hole(hole.clone()),
        key_span: v.span,
        value: Value::unknown(hole),
    }
}

/// `entries` with `more` laid over it, as `{**a, **b}` does.
fn merge(entries: &mut Vec<MapEntry>, more: &[MapEntry]) {
    for e in more {
        if let Some(key) = e.key.known() {
            entries.retain(|old| old.key.known().as_deref() != Some(&*key));
        }
        entries.push(e.clone());
    }
}
