//! Expressions to values.
//!
//! **Invariant:** evaluation never fails and always ends: what is not known, too deep or too much is an unknown value
//! that keeps the place and a name. The depth of recursion, the number of evaluated nodes of a root module, the length of
//! lists and texts and the number of alternatives are bounded.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use crate::source::{FileId, Hole, HoleKind, Problem, Sources, Span, Text, TextBuilder};
use crate::syntax::hcl::ForParts;
use crate::syntax::{Kind as Node, NodeId, Tree};
use crate::value::{Branch, Entry, Kind, Step, Value, Via};

use super::Repository;
use super::directory::Expr;
use super::functions;
use super::module::Module;
use super::texts::{json_text, to_text};

/// Deepest chain of evaluations; each reference, call and nesting is one.
const MAX_DEPTH: u32 = 400;
/// How many nodes one root module may evaluate, whatever its size, and for each node that is written.
const FUEL: u64 = 500_000;
const FUEL_PER_NODE: u64 = 50;
/// However large the repository is.
const MAX_FUEL: u64 = 100_000_000;
/// Longest list that a function makes.
pub(super) const MAX_ITEMS: usize = 20_000;
/// Longest text that a template makes, in bytes.
const MAX_TEXT: usize = 1_000_000;
/// How many alternatives an unknown conditional may spread to.
pub(super) const MAX_BRANCHES: usize = 8;
/// Longest name of an unknown value.
const MAX_NAME: usize = 60;

/// What the names in an expression mean.
#[derive(Clone)]
pub(super) struct Env<'a> {
    pub(super) module: Rc<Module<'a>>,
    pub(super) frame: Option<Rc<Frame>>,
    /// A reference to a resource's name stays a reference instead of becoming the name: for properties that say which
    /// resource is meant.
    pub(super) link: bool,
}

/// One name bound inside an expression or block: a `for` variable, `each`, `count`, `self`, a dynamic block's iterator.
pub(super) struct Frame {
    name: Rc<str>,
    value: Value,
    /// Whether reading it is worth a step on the value's way.
    told: bool,
    parent: Option<Rc<Self>>,
}

impl<'a> Env<'a> {
    pub(super) fn with(&self, name: &str, value: Value, told: bool) -> Self {
        Self {
            frame: Some(Rc::new(Frame {
                name: name.into(),
                value,
                told,
                parent: self.frame.clone(),
            })),
            ..self.clone()
        }
    }

    pub(super) fn linking(&self, link: bool) -> Self {
        Self { link, ..self.clone() }
    }

    pub(super) fn lookup(&self, name: &str) -> Option<(&Value, bool)> {
        let mut frame = self.frame.as_ref();
        while let Some(f) = frame {
            if &*f.name == name {
                return Some((&f.value, f.told));
            }
            frame = f.parent.as_ref();
        }
        None
    }
}

/// Evaluates one root module and what it calls.
pub(super) struct Evaluator<'a> {
    pub(super) repository: &'a Repository<'a>,
    pub(super) sources: &'a Sources,
    pub(super) modules: RefCell<HashMap<Arc<str>, Rc<Module<'a>>>>,
    /// Root's directory: file names in functions are relative to it.
    pub(super) root: &'a str,
    pub(super) templates: RefCell<HashMap<FileId, Rc<Tree>>>,
    pub(super) wanted: RefCell<BTreeSet<String>>,
    pub(super) problems: RefCell<Vec<Problem>>,
    depth: Cell<u32>,
    fuel: Cell<u64>,
    /// Set when the value being evaluated rests on a default of the root module, which its user may override.
    pub(super) tainted: Cell<bool>,
    /// Set when the expression being evaluated is certainly an error, as `try` and `can` ask.
    pub(super) failed: Cell<bool>,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(repository: &'a Repository<'a>, sources: &'a Sources, root: &'a str) -> Self {
        Self {
            repository,
            sources,
            modules: RefCell::default(),
            root,
            templates: RefCell::default(),
            wanted: RefCell::default(),
            problems: RefCell::default(),
            depth: Cell::new(0),
            fuel: Cell::new((FUEL + FUEL_PER_NODE * repository.nodes).min(MAX_FUEL)),
            tainted: Cell::new(false),
            failed: Cell::new(false),
        }
    }

    /// Uses up some of the work that this root module may do; `false` when there is none left.
    pub(super) fn spend(&self, amount: usize) -> bool {
        let left = self.fuel.get().saturating_sub(amount as u64);
        self.fuel.set(left);
        left > 0
    }

    /// All work that may be done is done: what came later is unknown.
    pub(super) fn exhausted(&self) -> bool {
        self.fuel.get() == 0
    }

    /// Runs `f` one level deeper; `None` at the bottom.
    pub(super) fn deeper<T>(&self, f: impl FnOnce() -> T) -> Option<T> {
        let depth = self.depth.get();
        if depth >= MAX_DEPTH || !self.spend(1) {
            return None;
        }
        self.depth.set(depth + 1);
        let result = f();
        self.depth.set(depth);
        Some(result)
    }

    pub(super) fn fail(&self, name: &str, span: Span) -> Value {
        self.failed.set(true);
        Value::other(name, span)
    }

    /// What the expression says, for people: one line, not too long.
    pub(super) fn name(&self, span: Span) -> String {
        short(self.sources.slice(span))
    }

    pub(super) fn unknown(&self, kind: HoleKind, span: Span) -> Value {
        Value::unknown(Hole::new(kind, self.name(span), span))
    }

    pub(super) fn expr(&self, expr: Expr<'a>, env: &Env<'a>) -> Value {
        self.eval(expr.tree, expr.node, env)
    }

    pub(super) fn eval(&self, tree: &Tree, node: NodeId, env: &Env<'a>) -> Value {
        self.deeper(|| self.node(tree, node, env))
            .unwrap_or_else(|| self.unknown(HoleKind::Other, tree.span(node)))
    }

    fn node(&self, tree: &Tree, node: NodeId, env: &Env<'a>) -> Value {
        let span = tree.span(node);
        let text = || tree.text(node).cloned().unwrap_or_default();
        let mut children = tree.children(node);
        match tree.kind(node) {
            Node::Null => Value::new(Kind::Null, span),
            Node::Bool => Value::new(Kind::Bool(text().known().as_deref() == Some("true")), span),
            Node::Num => Value::new(Kind::Num(text().display().into()), span),
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
            Node::Unary | Node::Binary => super::operators::eval(self, tree, node, env),
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

    fn object(&self, tree: &Tree, node: NodeId, env: &Env<'a>) -> Value {
        let entries = tree
            .entries(node)
            .map(|(k, v)| {
                let key_value = self.eval(tree, k, env);
                let key_span = tree.span(k);
                let key = to_text(&key_value).unwrap_or_else(|| self.hole_text(&key_value, key_span));
                Entry {
                    key,
                    key_span,
                    value: self.eval(tree, v, env),
                }
            })
            .collect();
        Value::map(entries, tree.span(node))
    }

    /// A text that is one hole, for a value that is no text.
    pub(super) fn hole_text(&self, value: &Value, span: Span) -> Text {
        let hole = match &value.kind {
            Kind::Unknown(h) => Hole { span, ..(**h).clone() },
            _ => Hole::new(HoleKind::Other, self.name(span), span),
        };
        Text::hole(hole)
    }

    /// A quoted template or heredoc.
    fn template(&self, tree: &Tree, node: NodeId, env: &Env<'a>) -> Value {
        let span = tree.span(node);
        let mut children = tree.children(node);
        if let (Some(only), None) = (children.next(), children.next())
            && !matches!(tree.kind(only), Node::Str | Node::Directive)
        {
            // `"${x}"` is x itself, whatever its type.
            return self.eval(tree, only, env);
        }
        let texts = self.template_texts(tree, node, env);
        self.alternatives(texts, |text| Value::text(text, span))
    }

    /// One text for each combination of alternatives that occurs in it, with its label (empty for the only one).
    pub(super) fn template_texts(&self, tree: &Tree, node: NodeId, env: &Env<'a>) -> Vec<(String, Text)> {
        let mut texts: Vec<(String, TextBuilder)> = vec![(String::new(), TextBuilder::new())];
        let mut len = 0;
        for child in tree.children(node) {
            let span = tree.span(child);
            let parts: Vec<(String, Text)> = match tree.kind(child) {
                Node::Str => vec![(String::new(), tree.text(child).cloned().unwrap_or_default())],
                Node::Directive => self
                    .deeper(|| self.directive(tree, child, env))
                    .unwrap_or_else(|| vec![(String::new(), self.opaque(span))]),
                _ => {
                    let value = self.eval(tree, child, env);
                    self.part_texts(&value, span)
                }
            };
            if parts.len() * texts.len() > MAX_BRANCHES {
                let hole = self.opaque(span);
                texts.iter_mut().for_each(|(_, t)| t.append(&hole));
                continue;
            }
            len += parts.iter().map(|(_, t)| t.len()).max().unwrap_or(0);
            if len > MAX_TEXT || !self.spend(parts.len() + len / 64) {
                return vec![(String::new(), self.opaque(tree.span(node)))];
            }
            if let [(label, only)] = parts.as_slice()
                && label.is_empty()
            {
                texts.iter_mut().for_each(|(_, t)| t.append(only));
                continue;
            }
            texts = texts
                .into_iter()
                .map(|(label, t)| (label, t.finish(span)))
                .flat_map(|(label, t)| {
                    let parts = &parts;
                    parts.iter().map(move |(more, part)| {
                        let mut builder = TextBuilder::new();
                        builder.append(&t);
                        builder.append(part);
                        (both_labels(&label, more), builder)
                    })
                })
                .collect();
        }
        let place = tree.span(node);
        texts.into_iter().map(|(l, t)| (l, t.finish(place))).collect()
    }

    fn opaque(&self, span: Span) -> Text {
        Text::hole(Hole::new(HoleKind::Other, self.name(span), span))
    }

    /// What an interpolated value adds to a text.
    fn part_texts(&self, value: &Value, span: Span) -> Vec<(String, Text)> {
        match &value.kind {
            Kind::OneOf(branches) => branches
                .iter()
                .flat_map(|b| {
                    let inner = self.part_texts(&b.value, span);
                    inner.into_iter().map(|(l, t)| (both_labels(&b.label, &l), t))
                })
                .collect(),
            Kind::Null => {
                self.failed.set(true);
                vec![(String::new(), Text::default())]
            }
            Kind::Json(inner) => vec![(String::new(), json_text(self, inner))],
            Kind::Unknown(_) => vec![(String::new(), self.hole_text(value, span))],
            _ => {
                let text = to_text(value).unwrap_or_else(|| {
                    self.failed.set(true);
                    self.opaque(span)
                });
                vec![(String::new(), text)]
            }
        }
    }

    /// `%{ if }` and `%{ for }`.
    fn directive(&self, tree: &Tree, node: NodeId, env: &Env<'a>) -> Vec<(String, Text)> {
        let span = tree.span(node);
        let opaque = || vec![(String::new(), self.opaque(span))];
        if let Some(parts) = ForParts::of(tree, node) {
            let collection = self.eval(tree, parts.collection, env);
            let Some(items) = pairs(&collection) else {
                return opaque();
            };
            let mut out = TextBuilder::new();
            let mut len = 0;
            for (key, value) in items {
                let inner = self.loop_env(tree, &parts, env, key, value);
                let texts = self.template_texts(tree, parts.result, &inner);
                let [(_, text)] = texts.as_slice() else {
                    return opaque();
                };
                len += text.len();
                if len > MAX_TEXT || !self.spend(1 + text.len() / 64) {
                    return opaque();
                }
                out.append(text);
            }
            return vec![(String::new(), out.finish(span))];
        }
        let children: Vec<NodeId> = tree.children(node).collect();
        let (Some(&condition), Some(&yes)) = (children.first(), children.get(1)) else {
            return opaque();
        };
        let no = children.get(2).copied();
        let branch = |n: Option<NodeId>| match n {
            Some(n) => self.template_texts(tree, n, env),
            None => vec![(String::new(), Text::default())],
        };
        match self.eval(tree, condition, env).as_bool() {
            Some(true) => branch(Some(yes)),
            Some(false) => branch(no),
            None => {
                let (if_label, unless) = labels(&self.name(tree.span(condition)));
                let mut out: Vec<_> = branch(Some(yes))
                    .into_iter()
                    .map(|(l, t)| (both_labels(&if_label, &l), t))
                    .collect();
                out.extend(branch(no).into_iter().map(|(l, t)| (both_labels(&unless, &l), t)));
                out
            }
        }
    }

    /// `OneOf` where there is more than one.
    pub(super) fn alternatives<T>(&self, items: Vec<(String, T)>, make: impl Fn(T) -> Value) -> Value {
        let mut branches: Vec<Branch> = items
            .into_iter()
            .map(|(label, item)| Branch {
                label: label.into(),
                value: make(item),
            })
            .collect();
        if branches.len() == 1 && branches[0].label.is_empty() {
            return branches.remove(0).value;
        }
        let span = branches.first().map_or(Span::new(FileId(0), 0, 0), |b| b.value.span);
        Value::new(Kind::OneOf(branches.into()), span)
    }

    fn conditional(&self, tree: &Tree, node: NodeId, env: &Env<'a>) -> Value {
        let span = tree.span(node);
        let children: Vec<NodeId> = tree.children(node).collect();
        let [condition, yes, no] = children.as_slice() else {
            return self.unknown(HoleKind::Other, span);
        };
        let decided = self.eval(tree, *condition, env);
        match decided.as_bool() {
            Some(true) => return self.eval(tree, *yes, env),
            Some(false) => return self.eval(tree, *no, env),
            None => {}
        }
        // What fails in a branch that may not be taken is no failure.
        let failed = self.failed.get();
        let (a, b) = (self.eval(tree, *yes, env), self.eval(tree, *no, env));
        self.failed.set(failed);
        if super::operators::same(self, &a, &b).is_yes() {
            return a;
        }
        if let Kind::OneOf(conditions) = &decided.kind {
            let chosen: Option<Vec<(String, Value)>> = conditions
                .iter()
                .map(|c| {
                    let value = if c.value.as_bool()? { &a } else { &b };
                    Some((c.label.to_string(), value.clone()))
                })
                .collect();
            if let Some(chosen) = chosen {
                return self.one_of(chosen, span);
            }
        }
        let (if_label, unless) = labels(&self.name(tree.span(*condition)));
        self.one_of(vec![(if_label, a), (unless, b)], span)
    }

    /// Alternatives, with alternatives inside them spread out.
    pub(super) fn one_of(&self, items: Vec<(String, Value)>, span: Span) -> Value {
        let mut branches: Vec<Branch> = Vec::new();
        for (label, value) in items {
            match &value.kind {
                Kind::OneOf(inner) => branches.extend(inner.iter().map(|b| Branch {
                    label: both_labels(&label, &b.label).into(),
                    value: inherit(&b.value, &value.via),
                })),
                _ => branches.push(Branch {
                    label: label.into(),
                    value,
                }),
            }
        }
        if branches.len() > MAX_BRANCHES {
            return self.unknown(HoleKind::Other, span);
        }
        Value::new(Kind::OneOf(branches.into()), span)
    }

    fn for_expression(&self, tree: &Tree, node: NodeId, parts: ForParts, env: &Env<'a>) -> Value {
        let span = tree.span(node);
        let collection = self.eval(tree, parts.collection, env);
        if let Kind::OneOf(branches) = &collection.kind {
            let each = branches
                .iter()
                .map(|b| {
                    let value = self.for_over(tree, node, parts, &inherit(&b.value, &collection.via), env);
                    (b.label.to_string(), value)
                })
                .collect();
            return self.one_of(each, span);
        }
        self.for_over(tree, node, parts, &collection, env)
    }

    fn for_over(&self, tree: &Tree, node: NodeId, parts: ForParts, collection: &Value, env: &Env<'a>) -> Value {
        let span = tree.span(node);
        let Some(items) = pairs(collection) else {
            return self.derived(collection, span);
        };
        let mut values: Vec<Value> = Vec::new();
        let mut entries: Vec<Entry> = Vec::new();
        for (key, value) in items {
            if values.len() + entries.len() >= MAX_ITEMS || !self.spend(1) {
                return self.unknown(HoleKind::Other, span);
            }
            let rest = (is_spread(&value) && value.is_unknown()).then(|| value.clone());
            let inner = self.loop_env(tree, &parts, env, key, value);
            let condition = parts.condition.map(|c| (self.eval(tree, c, &inner), tree.span(c)));
            let label = match &condition {
                Some((c, _)) if c.as_bool() == Some(false) => continue,
                Some((c, span)) if c.as_bool().is_none() => Some(labels(&self.name(*span)).0),
                _ => None,
            };
            let mut result = self.eval(tree, parts.result, &inner);
            if let Some(label) = label {
                result = self.one_of(vec![(label, result)], tree.span(parts.result));
            }
            match parts.result_key {
                Some(k) => {
                    let key_value = self.eval(tree, k, &inner);
                    let key_span = if matches!(key_value.kind, Kind::Str(_)) {
                        key_value.span
                    } else {
                        tree.span(k)
                    };
                    let key = to_text(&key_value).unwrap_or_else(|| self.hole_text(&key_value, key_span));
                    entries.push(Entry {
                        key,
                        key_span,
                        value: result,
                    });
                }
                None => match rest {
                    Some(rest) => values.push(spread_of(&rest, span, &self.name(span))),
                    None => values.push(result),
                },
            }
        }
        if parts.result_key.is_none() {
            return Value::seq(values, span);
        }
        if parts.grouped {
            entries = grouped(entries, span);
        }
        Value::map(entries, span)
    }

    fn loop_env(&self, tree: &Tree, parts: &ForParts, env: &Env<'a>, key: Value, value: Value) -> Env<'a> {
        let env = match parts.key {
            Some(k) => env.with(tree.name(k), key, false),
            None => env.clone(),
        };
        env.with(tree.name(parts.value), value, false)
    }

    /// An unknown value made from `from` by the expression at `span`.
    pub(super) fn derived(&self, from: &Value, span: Span) -> Value {
        self.unknown(derived_kind(std::slice::from_ref(from)), span)
    }
}

/// What is made of unknown values: a name or ARN where all of them are, else what the first that is none is.
pub(super) fn derived_kind(from: &[Value]) -> HoleKind {
    let open = |h: &Hole| !h.kind.is_placeholder();
    let first = from.iter().find_map(|v| hole_that(v, 0, &open));
    let any = from.iter().find_map(|v| hole_that(v, 0, &|_| true));
    match (first, any) {
        (Some(hole), _) => hole.kind,
        (None, Some(_)) => HoleKind::Existing,
        (None, None) => HoleKind::Other,
    }
}

/// The first unknown part of a value that is as wanted.
fn hole_that<'v>(value: &'v Value, depth: u32, wanted: &dyn Fn(&Hole) -> bool) -> Option<&'v Hole> {
    if depth > 4 {
        return None;
    }
    let within = |v: &'v Value| hole_that(v, depth + 1, wanted);
    match &value.kind {
        Kind::Unknown(h) => Some(&**h).filter(|h| wanted(h)),
        Kind::Str(t) => t.holes().find(|h| wanted(h)),
        Kind::Seq(items) => items.iter().take(64).find_map(within),
        Kind::Map(entries) => entries.iter().take(64).find_map(|e| within(&e.value)),
        Kind::Json(inner) => within(inner),
        Kind::OneOf(branches) => branches.iter().find_map(|b| within(&b.value)),
        _ => None,
    }
}

/// Elements with equal keys collected into lists (`...`), in the order of their first occurrence.
fn grouped(entries: Vec<Entry>, span: Span) -> Vec<Entry> {
    let mut at: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<(Text, Span, Vec<Value>)> = Vec::new();
    for e in entries {
        let i = *at.entry(e.key.display()).or_insert(groups.len());
        if i == groups.len() {
            groups.push((e.key, e.key_span, Vec::new()));
        }
        groups[i].2.push(e.value);
    }
    groups
        .into_iter()
        .map(|(key, key_span, values)| Entry {
            key,
            key_span,
            value: Value::seq(values, span),
        })
        .collect()
}

/// Keys and values of a collection, in Terraform's order (objects by key); `None` when it is not known.
pub(super) fn pairs(collection: &Value) -> Option<Vec<(Value, Value)>> {
    match &collection.kind {
        Kind::Seq(items) => Some(
            items
                .iter()
                .enumerate()
                .map(|(i, v)| {
                    let index = Value::new(Kind::Num(i.to_string().into()), v.span);
                    (index, inherit(v, &collection.via))
                })
                .collect(),
        ),
        Kind::Map(_) => Some(
            sorted_entries(collection)
                .into_iter()
                .map(|e| {
                    (
                        Value::text(e.key.clone(), e.key_span),
                        inherit(&e.value, &collection.via),
                    )
                })
                .collect(),
        ),
        Kind::Null => Some(Vec::new()),
        _ => None,
    }
}

/// The entries of an object by key, the last of equal ones; unknown keys at the end.
pub(super) fn sorted_entries(map: &Value) -> Vec<&Entry> {
    let mut keyed: Vec<(Option<String>, usize, &Entry)> = map
        .entries()
        .unwrap_or(&[])
        .iter()
        .enumerate()
        .map(|(i, e)| (e.key.known().map(std::borrow::Cow::into_owned), i, e))
        .collect();
    keyed.sort_by(|a, b| (a.0.is_none(), &a.0, a.1).cmp(&(b.0.is_none(), &b.0, b.1)));
    let mut out: Vec<&Entry> = Vec::with_capacity(keyed.len());
    let mut last: Option<String> = None;
    for (key, _, entry) in keyed {
        if key.is_some() && key == last {
            out.pop();
        }
        last = key;
        out.push(entry);
    }
    out
}

/// `value`, reached through a container that travelled `via`.
pub(super) fn inherit(value: &Value, via: &Via) -> Value {
    let Some(step) = via else {
        return value.clone();
    };
    let mut value = value.clone();
    value.via = match value.via {
        None => Some(step.clone()),
        Some(inner) => {
            // The container's steps, oldest first, on top of the value's own.
            let mut steps = Vec::new();
            let mut at = Some(step);
            while let Some(s) = at
                && steps.len() < 16
            {
                steps.push(s.span);
                at = s.from.as_ref();
            }
            let mut chain = Some(inner);
            for span in steps.into_iter().rev() {
                chain = Some(Arc::new(Step { span, from: chain }));
            }
            chain
        }
    };
    value
}

/// Ends the name of an unknown item that stands for any number of items.
const SPREAD: &str = "[*]";

/// Whether an item may stand for another number of items than one: for any, or (an alternative alone) for none.
pub(super) fn is_spread(value: &Value) -> bool {
    match &value.kind {
        Kind::Unknown(h) => h.name.ends_with(SPREAD),
        Kind::OneOf(branches) => branches.len() == 1,
        _ => false,
    }
}

/// An unknown item that stands for all of an unknown list.
pub(super) fn spread_of(list: &Value, span: Span, name: &str) -> Value {
    let mut hole = match &list.kind {
        Kind::Unknown(h) => (**h).clone(),
        _ => Hole::new(HoleKind::Other, name, span),
    };
    if !hole.name.ends_with(SPREAD) {
        hole.name = format!("{}{SPREAD}", hole.name).into();
    }
    hole.target = None;
    Value {
        span,
        ..Value::unknown(hole)
    }
}

/// One line of at most [`MAX_NAME`] characters.
pub(super) fn short(text: &str) -> String {
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

/// "if x" and "unless x".
fn labels(condition: &str) -> (String, String) {
    let condition: String = condition.chars().take(40).collect();
    (format!("if {condition}"), format!("unless {condition}"))
}

pub(super) fn both_labels(a: &str, b: &str) -> String {
    match (a.is_empty(), b.is_empty()) {
        (true, _) => b.to_owned(),
        (_, true) => a.to_owned(),
        _ if a == b => a.to_owned(),
        _ => format!("{a} and {b}"),
    }
}
