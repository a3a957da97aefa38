//! What expressions stand for: on demand, with bounded work.

mod calls;
mod classes;
mod names;
mod types;

pub(in crate::project::calls) use classes::fields;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::index::Index;
use super::thing::{At, Bag, Place, Thing, Things, one};
use crate::iam::sdk::{Client, ResourceType};
use crate::model::python::{ExprId, ExprKind, Module, Program};

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

/// A function and what its parameters are bound to.
type Application = (Place, Vec<(u32, Things)>);

/// Evaluates. Results are kept; one evaluator is for one thread.
pub(super) struct Evaluator<'p> {
    pub(super) program: &'p Program<'p>,
    pub(super) index: &'p Index,
    params: &'p Params,
    memo: RefCell<HashMap<At, Things>>,
    returned: RefCell<HashMap<Application, Things>>,
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
}

impl Bag {
    fn has_aws(&self) -> bool {
        self.iter().any(super::thing::is_aws)
    }
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
