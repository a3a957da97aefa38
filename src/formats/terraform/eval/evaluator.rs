//! Expressions to values.
//!
//! **Invariant:** evaluation never fails and always ends: what is not known, too deep or too much is an unknown value
//! that keeps the place and a name. The depth of recursion, the number of evaluated nodes of an expression and of a root
//! module, the length of lists and texts and the number of alternatives are bounded. What one expression uses up limits no
//! other one: each value that is remembered and each argument of a resource has an allowance of its own.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::source::{FileId, Hole, HoleKind, Problem, ProblemKind, Sources, Span};
use crate::syntax::hcl::ForParts;
use crate::syntax::{NodeId, NodeKind as Node, Tree};
use crate::value::{MapEntry, Value, ValueKind};

use crate::formats::terraform::eval::functions;
use crate::formats::terraform::eval::left_out::Reliance;
use crate::formats::terraform::eval::module::TerraformModule;
use crate::formats::terraform::eval::switches::Switches;
use crate::formats::terraform::eval::to_string::to_text;
use crate::formats::terraform::eval::values::derived_kind;
use crate::formats::terraform::parse::directory::HclExpr;
use crate::formats::terraform::parse::directory::Repository;

/// Deepest chain of evaluations; each reference, call and nesting is one.
const MAX_DEPTH: u32 = 400;
/// How many nodes the expensive expressions of one root module may evaluate together, whatever its size, and for each node
/// that is written.
const FUEL: u64 = 500_000;
const FUEL_PER_NODE: u64 = 50;
/// However large the repository is.
const MAX_FUEL: u64 = 100_000_000;
/// How many nodes each expression may evaluate whatever the others used up, and for each byte that it is written with.
const RESERVE: u64 = 20_000;
const RESERVE_PER_BYTE: u64 = 20;
/// How many times the common store all reserves together may use up.
const MAX_RESERVES: u64 = 20;
/// Longest list that a function makes.
pub(crate) const MAX_ITEMS: usize = 20_000;
/// Longest name of an unknown value.
const MAX_NAME: usize = 60;

/// What the names in an expression mean.
#[derive(Clone)]
pub(crate) struct EvalScope<'a> {
    pub(crate) module: Rc<TerraformModule<'a>>,
    pub(crate) frame: Option<Rc<ScopeFrame>>,
    pub(crate) view: View,
}

/// How expressions are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct View {
    /// A reference to a resource's name stays a reference instead of becoming the name: for properties that say which
    /// resource is meant.
    pub(crate) link: bool,
    /// What is looked at exists only where a default that stands for nothing was replaced: what replaced it is unknown.
    pub(crate) given: bool,
    /// What is looked at exists only where these switches have another value than their default: they are unknown.
    pub(crate) switches: Switches,
    /// Whatever the inputs may be: none has its default.
    pub(crate) open: bool,
}

impl View {
    pub(crate) fn linking(self, link: bool) -> Self {
        Self { link, ..self }
    }
}

/// One name bound inside an expression or block: a `for` variable, `each`, `count`, `self`, a dynamic block's iterator.
pub(crate) struct ScopeFrame {
    name: Rc<str>,
    value: Value,
    /// Whether a read adds a step to the provenance of the value.
    records_step: bool,
    parent: Option<Rc<Self>>,
}

impl<'a> EvalScope<'a> {
    pub(crate) fn with_binding(&self, name: &str, value: Value, records_step: bool) -> Self {
        Self {
            frame: Some(Rc::new(ScopeFrame {
                name: name.into(),
                value,
                records_step,
                parent: self.frame.clone(),
            })),
            ..self.clone()
        }
    }

    pub(crate) fn linking(&self, link: bool) -> Self {
        self.with_view(self.view.linking(link))
    }

    /// The same place, looked at in the way of another one.
    pub(crate) fn with_view(&self, view: View) -> Self {
        let view = View {
            given: view.given || self.view.given,
            open: view.open || self.view.open,
            switches: view.switches.and(self.view.switches),
            ..view
        };
        Self { view, ..self.clone() }
    }

    /// The same place where defaults that stand for nothing are replaced.
    pub(crate) fn without_unset_defaults(&self) -> Self {
        self.with_view(View {
            given: true,
            ..self.view
        })
    }

    /// The same place where every input that nothing replaces has its default.
    pub(crate) fn with_defaults(&self) -> Self {
        let view = View::default().linking(self.view.link);
        Self { view, ..self.clone() }
    }

    /// The same place whatever the inputs of the root module are.
    pub(crate) fn without_inputs(&self) -> Self {
        self.with_view(View {
            open: true,
            ..self.view
        })
    }

    /// The same place where switches may have another value than their default.
    pub(crate) fn with_switches(&self, switches: Switches) -> Self {
        self.with_view(View { switches, ..self.view })
    }

    pub(crate) fn lookup(&self, name: &str) -> Option<(&Value, bool)> {
        let mut frame = self.frame.as_ref();
        while let Some(f) = frame {
            if &*f.name == name {
                return Some((&f.value, f.records_step));
            }
            frame = f.parent.as_ref();
        }
        None
    }
}

/// Evaluates one root module and what it calls.
pub(crate) struct TerraformEvaluator<'a> {
    pub(crate) repository: &'a Repository<'a>,
    pub(crate) sources: &'a Sources,
    pub(crate) modules: RefCell<HashMap<Arc<str>, Rc<TerraformModule<'a>>>>,
    /// Root's directory: file names in functions are relative to it.
    pub(crate) root: &'a str,
    /// Root's scope: its directory, and how it is applied where there are several ways.
    pub(crate) scope: Arc<str>,
    pub(crate) templates: RefCell<HashMap<FileId, Rc<Tree>>>,
    pub(crate) wanted: RefCell<BTreeSet<String>>,
    pub(crate) problems: RefCell<Vec<Problem>>,
    /// Statements of documents that were merged into another one, where a statement with the same sid replaced them.
    pub(crate) replaced: RefCell<HashSet<Span>>,
    /// Variables of the root module that decide whether something exists, in the order in which they were met.
    pub(crate) switches: RefCell<Vec<String>>,
    depth: Cell<u32>,
    /// What is left of the allowance of the expression that is being evaluated.
    fuel: Cell<u64>,
    /// What expensive expressions may still use.
    store: Cell<u64>,
    /// What all expressions together may still use.
    total: Cell<u64>,
    /// Set when a bound was met in the expression that is being evaluated.
    cut: Cell<bool>,
    /// The defaults of the root module, which its user may override, that the value being evaluated rests on.
    pub(crate) reliance: Cell<Reliance>,
    /// Set when the expression being evaluated is certainly an error, as `try` and `can` ask.
    pub(crate) failed: Cell<bool>,
}

impl<'a> TerraformEvaluator<'a> {
    pub(crate) fn new(repository: &'a Repository<'a>, sources: &'a Sources, root: &'a str, scope: Arc<str>) -> Self {
        let store = (FUEL + FUEL_PER_NODE * repository.nodes).min(MAX_FUEL);
        Self {
            repository,
            sources,
            modules: RefCell::default(),
            root,
            scope,
            templates: RefCell::default(),
            wanted: RefCell::default(),
            problems: RefCell::default(),
            replaced: RefCell::default(),
            switches: RefCell::default(),
            depth: Cell::new(0),
            fuel: Cell::new(store),
            store: Cell::new(store),
            total: Cell::new(store.saturating_mul(MAX_RESERVES).min(2 * MAX_FUEL)),
            cut: Cell::new(false),
            reliance: Cell::default(),
            failed: Cell::new(false),
        }
    }

    /// Uses up some of the work that the expression may do; `false` when there is not one left.
    pub(crate) fn spend(&self, amount: usize) -> bool {
        let left = self.fuel.get().saturating_sub(amount as u64);
        self.fuel.set(left);
        if left == 0 {
            self.cut.set(true);
        }
        left > 0
    }

    /// An unknown value where a bound of lists or texts was met.
    pub(crate) fn over_budget(&self, span: Span) -> Value {
        self.cut.set(true);
        self.unknown(HoleKind::Other, span)
    }

    /// Evaluates what is written at `at` with an allowance of its own; says so where a bound was met.
    pub(crate) fn with_allowance<T>(&self, at: Span, f: impl FnOnce() -> T) -> T {
        let reserve = RESERVE + RESERVE_PER_BYTE * at.len() as u64;
        let most = reserve.max(self.store.get() / 2).min(self.total.get());
        let outer = (self.fuel.replace(most), self.cut.replace(false));
        let result = f();
        let used = most - self.fuel.replace(outer.0);
        self.store.set(self.store.get().saturating_sub(used));
        self.total.set(self.total.get().saturating_sub(used));
        if self.cut.replace(outer.1) {
            let message = "too complex to evaluate: the expression is treated as unknown";
            let problem = Problem::new(ProblemKind::Exhausted, at, message);
            self.problems.borrow_mut().push(problem);
        }
        result
    }

    /// Runs `f` with half of what is left of the allowance; `None` where that is not enough, or where evaluation stops.
    pub(crate) fn attempt<T>(&self, f: impl FnOnce() -> T) -> Option<T> {
        let failed = self.failed.get();
        let most = self.fuel.get() / 2;
        let outer = (self.fuel.replace(most), self.cut.replace(false));
        let result = f();
        self.fuel.set(outer.0 - (most - self.fuel.get()));
        self.failed.set(failed);
        (!self.cut.replace(outer.1)).then_some(result)
    }

    /// Runs `f` one level deeper; `None` at the bottom.
    pub(crate) fn descend<T>(&self, f: impl FnOnce() -> T) -> Option<T> {
        let depth = self.depth.get();
        if depth >= MAX_DEPTH || !self.spend(1) {
            self.cut.set(true);
            return None;
        }
        self.depth.set(depth + 1);
        let result = f();
        self.depth.set(depth);
        Some(result)
    }

    pub(crate) fn unsupported(&self, name: &str, span: Span) -> Value {
        self.failed.set(true);
        Value::unknown_other(name, span)
    }

    /// What the expression says, for people: one line, not too long.
    pub(crate) fn name(&self, span: Span) -> String {
        one_line(self.sources.slice(span))
    }

    pub(crate) fn unknown(&self, kind: HoleKind, span: Span) -> Value {
        Value::unknown(Hole::new(kind, self.name(span), span))
    }

    pub(crate) fn expr(&self, expr: HclExpr<'a>, env: &EvalScope<'a>) -> Value {
        self.eval(expr.tree, expr.node, env)
    }

    pub(crate) fn eval(&self, tree: &Tree, node: NodeId, env: &EvalScope<'a>) -> Value {
        self.descend(|| self.node(tree, node, env))
            .unwrap_or_else(|| self.unknown(HoleKind::Other, tree.span(node)))
    }

    fn node(&self, tree: &Tree, node: NodeId, env: &EvalScope<'a>) -> Value {
        let span = tree.span(node);
        let text = || tree.text(node).cloned().unwrap_or_default();
        let mut children = tree.children(node);
        match tree.kind(node) {
            Node::Null => Value::new(ValueKind::Null, span),
            Node::Bool => Value::new(ValueKind::Bool(text().known().as_deref() == Some("true")), span),
            Node::Num => Value::new(ValueKind::Num(text().display().into()), span),
            Node::Str => Value::text(text(), span),
            Node::Paren => match children.next() {
                Some(inner) => self.eval(tree, inner, env),
                None => self.unknown(HoleKind::Other, span),
            },
            Node::Seq => Value::seq(children.map(|c| self.eval(tree, c, env)).collect(), span),
            Node::Map => self.object(tree, node, env),
            Node::Template => self.template(tree, node, env),
            Node::Ident | Node::Attr | Node::Index | Node::Splat => self.traversal(tree, node, env),
            Node::Call => functions::call(self, tree, node, env),
            Node::Unary | Node::Binary => crate::formats::terraform::eval::operators::eval(self, tree, node, env),
            Node::Cond => self.conditional(tree, node, env),
            Node::For => match ForParts::of(tree, node) {
                Some(parts) => self.for_expression(tree, node, parts, env),
                None => self.unknown(HoleKind::Other, span),
            },
            Node::Directive | Node::Unknown => {
                self.failed.set(true);
                self.unknown(HoleKind::Other, span)
            }
        }
    }

    fn object(&self, tree: &Tree, node: NodeId, env: &EvalScope<'a>) -> Value {
        let entries = tree
            .entries(node)
            .map(|(k, v)| {
                let key_value = self.eval(tree, k, env);
                let key_span = tree.span(k);
                let key = to_text(&key_value).unwrap_or_else(|| self.hole_text(&key_value, key_span));
                MapEntry {
                    key,
                    key_span,
                    value: self.eval(tree, v, env),
                }
            })
            .collect();
        Value::map(entries, tree.span(node))
    }

    /// An unknown value made from `from` by the expression at `span`.
    pub(crate) fn derived(&self, from: &Value, span: Span) -> Value {
        self.unknown(derived_kind(std::slice::from_ref(from)), span)
    }
}

/// One line of at most [`MAX_NAME`] characters.
fn one_line(text: &str) -> String {
    let mut out = String::new();
    let mut blank = false;
    let mut count = 0;
    for c in text.chars() {
        if c.is_whitespace() {
            blank = true;
            continue;
        }
        if blank && !out.is_empty() {
            out.push(' ');
            count += 1;
        }
        blank = false;
        out.push(c);
        count += 1;
        if count >= MAX_NAME {
            out.push('…');
            break;
        }
    }
    out
}
