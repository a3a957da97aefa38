//! What expressions stand for: on demand, with bounded work.

mod arguments;
mod calls;
mod classes;
mod containers;
mod library_models;
mod names;
mod types;

pub(crate) use classes::{fields, makes_classes};

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::iam::sdk::{Client, SdkResourceType};
use crate::python::points_to::abstract_value::{
    AbstractValue, ExprRef, MAX_VALUES, ScopeRef, ValueSet, ValueSetBuilder, single,
};
use crate::python::points_to::index::ObjectIndex;
use crate::python::points_to::params::Params;
use crate::python::{ExprId, ExprKind, FStringPart, Program, PythonModule};

/// How deep evaluation follows expressions, names and calls.
const MAX_DEPTH: u32 = 60;
/// How many calls deep arguments are distinguished by call site.
const MAX_FRAMES: u32 = 4;
/// Steps of one evaluator, and of one question to it.
const MAX_STEPS: u32 = 1_000_000;
const MAX_STEPS_EACH: u32 = 20_000;
/// What modules are loaded, by name.
pub(crate) const MODULES: &str = "sys.modules";
/// Assignments to attributes of one name that are looked at for an attribute.
const MAX_ASSIGNED: usize = 64;
/// Longest string that may name a service or an operation.
const MAX_TEXT: usize = 64;

/// Arguments of one call.
pub(crate) struct CallFrame<'f> {
    place: ScopeRef,
    args: Vec<(u32, ValueSet)>,
    outer: Option<&'f Self>,
    depth: u32,
    /// What expressions stand for in it.
    memo: RefCell<FxHashMap<ExprRef, ValueSet>>,
}

impl<'f> CallFrame<'f> {
    fn new(place: ScopeRef, args: Vec<(u32, ValueSet)>, outer: Option<&'f Self>, depth: u32) -> Self {
        Self {
            place,
            args,
            outer,
            depth,
            memo: RefCell::default(),
        }
    }

    /// The innermost call of `function` among those that lead here.
    fn innermost(&'f self, function: ScopeRef) -> Option<&'f Self> {
        let mut at = Some(self);
        while let Some(f) = at.filter(|f| f.place != function) {
            at = f.outer;
        }
        at
    }

    /// The class that the method is called on.
    fn receiver(&self) -> Option<ScopeRef> {
        let (_, values) = self.args.first().filter(|(i, _)| *i == 0)?;
        match values.as_ref() {
            [AbstractValue::Instance(c) | AbstractValue::Class(c)] => Some(*c),
            _ => None,
        }
    }

    /// Whether this is a call of the function that the expression stands in.
    fn is_call_around(&self, module: usize, m: &PythonModule, expr: ExprId) -> bool {
        self.place.module == module && self.place.scope == m.function_of(m.expr(expr).scope)
    }
}

/// A function and what its parameters are bound to.
type Application = (ScopeRef, Vec<(u32, ValueSet)>);

/// A name in a class, looked up for instances of another, or for that one itself.
type ClassMember = (ScopeRef, ScopeRef, Arc<str>, bool);

/// Evaluates. Results are kept; one evaluator is for one thread.
pub(crate) struct ObjectEvaluator<'p> {
    pub(crate) program: &'p Program<'p>,
    pub(crate) index: &'p ObjectIndex,
    params: &'p Params,
    memo: RefCell<FxHashMap<ExprRef, ValueSet>>,
    returned: RefCell<FxHashMap<Application, ValueSet>>,
    members: RefCell<FxHashMap<ClassMember, ValueSet>>,
    contents: RefCell<FxHashMap<ExprRef, ValueSet>>,
    /// Parameters that were asked for.
    read: RefCell<FxHashSet<(ScopeRef, u32)>>,
    busy: RefCell<FxHashSet<ExprRef>>,
    /// Containers that are being looked into.
    open: RefCell<FxHashSet<ExprRef>>,
    depth: Cell<u32>,
    /// Steps of all questions before this one, and of this one.
    spent: Cell<u32>,
    steps: Cell<u32>,
    nothing: ValueSet,
}

impl<'p> ObjectEvaluator<'p> {
    pub(crate) fn new(program: &'p Program<'p>, index: &'p ObjectIndex, params: &'p Params) -> Self {
        Self {
            program,
            index,
            params,
            memo: RefCell::default(),
            returned: RefCell::default(),
            members: RefCell::default(),
            contents: RefCell::default(),
            read: RefCell::default(),
            busy: RefCell::default(),
            open: RefCell::default(),
            depth: Cell::new(0),
            spent: Cell::new(0),
            steps: Cell::new(0),
            nothing: Arc::from([]),
        }
    }

    fn module(&self, module: usize) -> &'p PythonModule {
        &self.program.modules[module]
    }

    /// Whether the module names an SDK at all.
    pub(crate) fn mentions_sdk(&self, module: usize) -> bool {
        let text = self.program.sources.text(self.module(module).file);
        memchr::memmem::find(text.as_bytes(), b"boto").is_some()
    }

    /// What the expression may stand for.
    pub(crate) fn values(&self, module: usize, expr: ExprId) -> ValueSet {
        self.spent.set(self.spent.get().saturating_add(self.steps.take()));
        self.eval(module, expr, None)
    }

    /// What it may stand for where the method around it runs on an instance of this class.
    pub(crate) fn values_on(&self, module: usize, expr: ExprId, class: Option<ScopeRef>) -> ValueSet {
        let Some(class) = class else {
            return self.values(module, expr);
        };
        self.spent.set(self.spent.get().saturating_add(self.steps.take()));
        let m = self.module(module);
        let scope = m.function_of(m.expr(expr).scope);
        let on = vec![(0, single(AbstractValue::Instance(class)))];
        let frame = CallFrame::new(ScopeRef { module, scope }, on, None, 1);
        self.eval(module, expr, Some(&frame))
    }

    /// The parameters whose arguments it looked at.
    pub(crate) fn params_read(self) -> FxHashSet<(ScopeRef, u32)> {
        self.read.into_inner()
    }

    /// Whether it went beyond what one evaluator may do: its answers are no longer whole.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.spent.get() + self.steps.get() > MAX_STEPS
    }

    /// Counts a step; whether it may be taken.
    fn step(&self) -> bool {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        steps <= MAX_STEPS_EACH && self.spent.get() + steps <= MAX_STEPS
    }

    fn eval(&self, module: usize, expr: ExprId, frame: Option<&CallFrame<'_>>) -> ValueSet {
        let at = (module, expr);
        let memo = frame.map_or(&self.memo, |f| &f.memo);
        if let Some(found) = memo.borrow().get(&at) {
            return found.clone();
        }
        // What is cut short is not known; what leads back to itself adds nothing.
        if self.depth.get() >= MAX_DEPTH || !self.step() {
            return single(AbstractValue::More);
        }
        if !self.busy.borrow_mut().insert(at) {
            return self.nothing.clone();
        }
        self.depth.set(self.depth.get() + 1);
        let values = self.expression(module, expr, frame);
        self.depth.set(self.depth.get() - 1);
        self.busy.borrow_mut().remove(&at);
        memo.borrow_mut().insert(at, values.clone());
        values
    }

    fn expression(&self, module: usize, expr: ExprId, frame: Option<&CallFrame<'_>>) -> ValueSet {
        let m = self.module(module);
        match &m.expr(expr).kind {
            ExprKind::Name(name) => self.name(module, expr, name, frame),
            ExprKind::Attr { of, name, .. } => {
                let base = self.eval(module, *of, frame);
                let mut out = ValueSetBuilder::default();
                for t in base.iter() {
                    out.put_all(&self.attribute(t, name));
                }
                // `local.client = …` somewhere in the module, where `local` is nothing that we know.
                if !out.has_aws() {
                    for i in self.index.assigned(m, module, *of, name) {
                        if let Some(source) = &m.attributes[*i].source {
                            out.put_all(&self.source(module, source, frame));
                        }
                    }
                }
                self.assigned_elsewhere(&base, name, &mut out);
                out.finish()
            }
            ExprKind::Call(call) => self.call(module, expr, call, frame),
            ExprKind::Str(t) => match t.known() {
                Some(s) if s.len() <= MAX_TEXT => single(AbstractValue::Text(Arc::from(&*s))),
                _ => self.nothing.clone(),
            },
            ExprKind::List(_) | ExprKind::Tuple(_) | ExprKind::Dict(_) | ExprKind::Comprehension { .. } => {
                single(AbstractValue::Literal((module, expr)))
            }
            ExprKind::Either { left, right } => {
                let mut out = ValueSetBuilder::default();
                out.put_all(&self.eval(module, *left, frame));
                out.put_all(&self.eval(module, *right, frame));
                out.finish()
            }
            ExprKind::Conditional { then, other, .. } => {
                let mut out = ValueSetBuilder::default();
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
                let mut out = ValueSetBuilder::default();
                for t in base.iter() {
                    match t {
                        AbstractValue::Literal(at) => out.put_all(&self.elements(*at, &keys, number, frame)),
                        AbstractValue::Entry(key, held) => {
                            let wanted = match number {
                                Some(n) => is_under(key, &[n.to_string().into()]),
                                None => is_under(key, &keys),
                            };
                            if wanted {
                                out.put((**held).clone());
                            }
                        }
                        // `list(bucket.objects.all())[0]`, and one of the list that an operation answers with.
                        AbstractValue::Collection(..) => {
                            if let Some(one) = library_models::element(t) {
                                out.put(one);
                            }
                        }
                        AbstractValue::Resource(_, _, origin) if origin.is_reported() => out.put(t.clone()),
                        AbstractValue::Pair(at) if number == Some(1) => {
                            out.put_all(&self.elements(*at, &[], None, frame))
                        }
                        AbstractValue::Library(n) if &**n == MODULES => {
                            out.put_all(&self.loaded_module(module, *index, &keys))
                        }
                        AbstractValue::Library(_) => {}
                        _ => out.put(AbstractValue::Opaque),
                    }
                }
                out.finish()
            }
            ExprKind::Lambda(scope) => single(AbstractValue::Function(ScopeRef { module, scope: *scope })),
            ExprKind::Await(inner) | ExprKind::Walrus(inner) | ExprKind::Star(inner) => {
                self.eval(module, *inner, frame)
            }
            ExprKind::Binary { op, left, right } if matches!(&**op, "+" | "|") => {
                let mut out = ValueSetBuilder::default();
                if &**op == "+" {
                    // A number, or a list, is no text that is not known.
                    let sides = [left, right].map(|e| self.texts(module, *e, frame));
                    let is_text = sides.iter().any(|texts| !texts.is_empty());
                    if is_text && [left, right].iter().any(|e| self.may_be_other_text(module, **e, frame)) {
                        out.put(AbstractValue::Opaque);
                    }
                    out.put_all(&join_texts(&sides));
                }
                out.put_all(&self.joined(module, [*left, *right], frame));
                out.finish()
            }
            ExprKind::Join(parts) => {
                let mut is_open = false;
                let parts: Vec<Vec<Arc<str>>> = parts
                    .iter()
                    .map(|part| match part {
                        FStringPart::Lit(text) => text.known().map(|t| Arc::from(&*t)).into_iter().collect(),
                        FStringPart::Value(e) => {
                            is_open |= self.may_be_other_text(module, *e, frame);
                            self.texts(module, *e, frame)
                        }
                    })
                    .collect();
                let mut out = ValueSetBuilder::default();
                out.put_all(&join_texts(&parts));
                if is_open {
                    out.put(AbstractValue::Opaque);
                }
                out.finish()
            }
            ExprKind::Num(_)
            | ExprKind::Bool(_)
            | ExprKind::None
            | ExprKind::Binary { .. }
            | ExprKind::Comparison(_) => self.nothing.clone(),
            ExprKind::Other(_) => single(AbstractValue::Opaque),
        }
    }

    /// What other code assigns to an attribute of these modules, classes, and instances: `config.bus = …`.
    fn assigned_elsewhere(&self, of: &[AbstractValue], name: &str, out: &mut ValueSetBuilder) {
        let class = |t: &AbstractValue| match t {
            AbstractValue::Class(c) | AbstractValue::Instance(c) => Some(*c),
            _ => None,
        };
        let is_same = |t: &AbstractValue, other: &AbstractValue| match (t, other) {
            (AbstractValue::Module(a), AbstractValue::Module(b)) => a == b,
            _ => class(t).is_some_and(|a| class(other).is_some_and(|b| self.index.lineage(a).contains(&b))),
        };
        let may_be_assigned = |t: &&AbstractValue| matches!(t, AbstractValue::Module(_)) || class(t).is_some();
        let of: Vec<&AbstractValue> = of.iter().filter(may_be_assigned).collect();
        if of.is_empty() {
            return;
        }
        for (module, i) in self.index.assigned_anywhere(name).iter().take(MAX_ASSIGNED) {
            let assigned = &self.module(*module).attributes[*i];
            let objects = self.eval(*module, assigned.object, None);
            if !objects.iter().any(|object| of.iter().any(|t| is_same(t, object))) {
                continue;
            }
            match &assigned.source {
                Some(source) => out.put_all(&self.source(*module, source, None)),
                None => out.put(AbstractValue::Opaque),
            }
        }
    }

    /// `sys.modules[name]`
    fn loaded_module(&self, module: usize, index: ExprId, names: &[Arc<str>]) -> ValueSet {
        if matches!(&self.module(module).expr(index).kind, ExprKind::Name(n) if &**n == "__name__") {
            return single(AbstractValue::Module(module));
        }
        let mut out = ValueSetBuilder::default();
        for name in names {
            match self.program.import(self.module(module).file, 0, name) {
                Some(other) => out.put(AbstractValue::Module(other)),
                None => out.put(AbstractValue::Library(name.clone())),
            }
        }
        if names.is_empty() {
            out.put(AbstractValue::Opaque);
        }
        out.finish()
    }

    /// Whether an expression may be a string that is not among its [`Self::texts`].
    pub(crate) fn may_be_other_text(&self, module: usize, expr: ExprId, frame: Option<&CallFrame<'_>>) -> bool {
        let values = self.eval(module, expr, frame);
        let is_text = |t: &AbstractValue| matches!(t, AbstractValue::Text(_));
        let is_unknown = |t: &AbstractValue| matches!(t, AbstractValue::Opaque | AbstractValue::More);
        values.iter().any(is_unknown) || !values.iter().any(is_text)
    }

    /// The literal strings that an expression may be.
    pub(crate) fn texts(&self, module: usize, expr: ExprId, frame: Option<&CallFrame<'_>>) -> Vec<Arc<str>> {
        self.eval(module, expr, frame)
            .iter()
            .filter_map(|t| match t {
                AbstractValue::Text(s) => Some(s.clone()),
                _ => None,
            })
            .collect()
    }
}

/// The texts that these make together, one of each; none where one of them is not known or there are many.
fn join_texts(parts: &[Vec<Arc<str>>]) -> ValueSet {
    let mut all = vec![String::new()];
    for part in parts {
        if all.len() * part.len() > MAX_VALUES {
            return Arc::from([]);
        }
        let longer = all.iter().flat_map(|a| part.iter().map(move |b| format!("{a}{b}")));
        all = longer.filter(|t| t.len() <= MAX_TEXT).collect();
    }
    let mut out = ValueSetBuilder::default();
    all.into_iter().for_each(|t| out.put(AbstractValue::Text(t.into())));
    out.finish()
}

/// Whether what is held under `key` may be asked for by one of `keys`, none of which are known when it is empty.
fn is_under(key: &str, keys: &[Arc<str>]) -> bool {
    key.is_empty() || keys.is_empty() || keys.iter().any(|k| **k == *key)
}

impl ValueSetBuilder {
    fn has_aws(&self) -> bool {
        self.iter().any(crate::python::points_to::abstract_value::is_aws)
    }
}

/// `s3.Bucket`, `bucket.Object`. A service resource has every type of its service (`boto3.resources.model`).
pub(crate) fn sub_resource(client: Client, ty: SdkResourceType, name: &str) -> Option<SdkResourceType> {
    ty.sub_resource(name).or_else(|| {
        let of_service = ty.name() == "ServiceResource" && name.starts_with(|c: char| c.is_ascii_uppercase());
        client
            .resource_type(name)
            .filter(|_| of_service && name != "ServiceResource")
    })
}

/// The name of a decorator, called or not.
pub(crate) fn decorator_name(m: &PythonModule, decorator: ExprId) -> Option<String> {
    match &m.expr(decorator).kind {
        ExprKind::Call(c) => m.dotted(c.function),
        _ => m.dotted(decorator),
    }
}

/// Whether it is worth to follow a thing into a call.
pub(crate) fn is_worth_following(value: &AbstractValue) -> bool {
    !matches!(value, AbstractValue::Opaque)
}
