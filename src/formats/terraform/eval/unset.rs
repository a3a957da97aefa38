//! Defaults that stand for nothing: what a variable holds as long as no one gives it a value.
//!
//! `default = ""` together with `count = var.x != "" ? 1 : 0` is how a module says that something is optional. What such a
//! guard lets through never has the default in it.

use std::rc::Rc;

use crate::formats::placeholders::{is_stand_in, means_disabled};
use crate::source::HoleKind;
use crate::syntax::{NodeId, NodeKind as Node, Tree};
use crate::value::guard::Fact;
use crate::value::{Guard, Value, ValueKind};

use crate::formats::terraform::eval::evaluator::{EvalScope, TerraformEvaluator};
use crate::formats::terraform::eval::module::TerraformModule;
use crate::formats::terraform::eval::values::spread_of;
use crate::formats::terraform::parse::directory::{Decl, Directory, HclExpr};

/// How many nodes of a `count`, and of what it refers to, are searched for a flag, and how many references deep.
const MAX_FLAG_NODES: u32 = 500;
const MAX_FLAG_DEPTH: u32 = 8;

/// Whether the default of a variable is not one that anyone means: null or empty, or a word that guards compare it with.
pub(crate) fn is_unset(directory: &Directory<'_>, name: &str, default: &Value) -> bool {
    match &default.kind {
        ValueKind::Null => true,
        ValueKind::Seq(items) => items.is_empty(),
        ValueKind::Map(entries) => entries.is_empty(),
        ValueKind::Str(text) => text
            .known()
            .is_some_and(|text| text.is_empty() || is_compared(directory, name, &text)),
        _ => false,
    }
}

/// Whether a default only shows what a value looks like; see [`is_stand_in`].
pub(crate) fn is_example(default: &Value) -> bool {
    let stands_in = |v: &Value| v.as_str().is_some_and(|text| is_stand_in(&text));
    !default.items().is_empty() && default.items().iter().all(stands_in)
}

/// A `count`, a `for_each` or a local compares the variable with this text.
fn is_compared(directory: &Directory<'_>, name: &str, text: &str) -> bool {
    let declared = directory.resources.iter().map(|(_, d)| d);
    let guards = declared
        .chain(directory.modules.values())
        .flat_map(|d| [d.expr("count"), d.expr("for_each")])
        .flatten();
    let locals = directory.locals.values().map(|(_, e)| *e);
    guards.chain(locals).any(|e| compares(e.tree, e.node, name, text))
}

fn compares(tree: &Tree, node: NodeId, name: &str, text: &str) -> bool {
    let is_variable = |n: NodeId| {
        let root = tree.children(n).next();
        tree.kind(n) == Node::Attr
            && tree.name(n) == name
            && root.is_some_and(|r| tree.kind(r) == Node::Ident && tree.name(r) == "var")
    };
    let is_text =
        |n: NodeId| tree.kind(n) == Node::Str && tree.text(n).and_then(|t| t.known()).as_deref() == Some(text);
    let mut open = vec![node];
    while let Some(n) = open.pop() {
        if tree.kind(n) == Node::Binary && matches!(tree.name(n), "==" | "!=") {
            let sides: Vec<NodeId> = tree.children(n).collect();
            if sides.iter().any(|s| is_variable(*s)) && sides.iter().any(|s| is_text(*s)) {
                return true;
            }
        }
        open.extend(tree.children(n));
    }
    false
}

/// An expression that writes a list or an object, or text made of one.
pub(crate) fn builds_container(tree: &Tree, node: NodeId) -> bool {
    match tree.kind(node) {
        Node::Seq | Node::Map | Node::For => true,
        Node::Paren => tree
            .children(node)
            .next()
            .is_some_and(|inner| builds_container(tree, inner)),
        Node::Call => matches!(
            tree.name(node),
            "jsonencode" | "concat" | "merge" | "flatten" | "toset" | "tolist"
        ),
        _ => false,
    }
}

/// The root of a chain of attributes and their names: `var` and `settings`, `enabled` of `var.settings.enabled`.
fn attribute_path(tree: &Tree, node: NodeId) -> Option<(&str, Vec<&str>)> {
    let mut path = Vec::new();
    let mut at = node;
    while tree.kind(at) == Node::Attr {
        path.push(tree.name(at));
        at = tree.children(at).next()?;
    }
    path.reverse();
    (tree.kind(at) == Node::Ident && !path.is_empty()).then(|| (tree.name(at), path))
}

/// The part of an expression that attributes lead to, as far as objects are written out; `None` where one lacks it.
fn part_written<'a>(expr: HclExpr<'a>, path: &[&str]) -> Option<HclExpr<'a>> {
    let tree = expr.tree;
    let mut node = expr.node;
    for name in path {
        if tree.kind(node) != Node::Map {
            break;
        }
        let is_it = |key: NodeId| match tree.kind(key) {
            Node::Ident => tree.name(key) == *name,
            _ => tree.text(key).and_then(|t| t.known()).is_some_and(|t| t == *name),
        };
        node = tree.entries(node).find(|(key, _)| is_it(*key))?.1;
    }
    Some(HclExpr { tree, node })
}

/// Whether a default turns off what asks for it: false, nothing, or a word for that.
pub(crate) fn is_disabling_default(default: &Value) -> bool {
    match &default.kind {
        ValueKind::Null => true,
        ValueKind::Bool(on) => !on,
        ValueKind::Num(n) => &**n == "0",
        ValueKind::Seq(items) => items.is_empty(),
        ValueKind::Map(entries) => entries.is_empty(),
        ValueKind::Str(text) => text.known().is_some_and(|text| means_disabled(&text)),
        _ => false,
    }
}

/// What someone does who asks for what the default of a variable of the root module leaves out.
pub(crate) fn asked_for(name: &str, is_flag: bool) -> String {
    let word = if is_flag { "true" } else { "given" };
    format!("if var.{name} is {word}")
}

impl<'a> TerraformEvaluator<'a> {
    /// What someone has to ask for, so that a block is there which `count` or `for_each` leave out by default: one of the
    /// variables `among` these, where there are any.
    pub(crate) fn flag(&self, module: &Rc<TerraformModule<'a>>, decl: &Decl<'a>, among: &[&str]) -> Option<Guard> {
        let expr = decl.expr("count").or_else(|| decl.expr("for_each"))?;
        let (name, is_flag) = self.off_variable(module, expr, among, &mut 0, 0)?;
        let fact = Fact::condition(&format!("var.{name}"), true);
        Some(Guard::new(&asked_for(&name, is_flag), vec![fact]).opt_in())
    }

    /// A variable of the root module that an expression asks for and whose default is off, and whether it is a flag.
    fn off_variable(
        &self,
        module: &Rc<TerraformModule<'a>>,
        expr: HclExpr<'a>,
        among: &[&str],
        seen: &mut u32,
        depth: u32,
    ) -> Option<(String, bool)> {
        if depth > MAX_FLAG_DEPTH {
            return None;
        }
        let tree = expr.tree;
        let mut open = vec![expr.node];
        while let Some(node) = open.pop() {
            *seen += 1;
            if *seen > MAX_FLAG_NODES {
                return None;
            }
            let Some((root, path)) = attribute_path(tree, node) else {
                open.extend(tree.children(node));
                continue;
            };
            let Some((&name, within)) = path.split_first() else {
                continue;
            };
            let part = |e: &HclExpr<'a>| part_written(*e, within);
            let found = match (root, &module.arguments) {
                ("local", _) => {
                    let local = module.directory.locals.get(name).map(|(_, expr)| *expr);
                    local
                        .and_then(|e| part(&e))
                        .and_then(|e| self.off_variable(module, e, among, seen, depth + 1))
                }
                ("var", Some((arguments, env))) => {
                    let given = arguments.get(name).and_then(part);
                    given.and_then(|e| self.off_variable(&env.module, e, among, seen, depth + 1))
                }
                ("var", None) if !module.chosen.contains_key(name) && !module.directory.values.contains_key(name) => {
                    let is_asked = among.is_empty() || among.contains(&name);
                    let declared = module.directory.variables.get(name).filter(|_| is_asked);
                    let default = declared.and_then(|d| d.expr("default"));
                    let default = default.map(|e| self.expr(e, &module.env()));
                    let is_flag = |v: &Value| matches!(v.kind, ValueKind::Bool(_));
                    let part = |v: &Value| within.iter().try_fold(v.clone(), |v, key| v.get(key).cloned());
                    let of_part = default.as_ref().and_then(part).filter(is_disabling_default);
                    let of_whole = default.filter(is_disabling_default);
                    match of_part {
                        Some(v) => Some((path.join("."), is_flag(&v))),
                        None => of_whole.map(|v| (name.to_owned(), is_flag(&v))),
                    }
                }
                _ => None,
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Whether a condition that a default decides is open where defaults that stand for nothing are replaced.
    pub(crate) fn asks_for_unset(&self, tree: &Tree, condition: NodeId, env: &EvalScope<'a>) -> bool {
        !env.view.given
            && self
                .eval(tree, condition, &env.without_unset_defaults())
                .as_bool()
                .is_none()
    }

    /// What a test drops that a default made empty: as many items as someone else wants.
    pub(crate) fn items_dropped_by_default(&self, value: &Value, module: &Rc<TerraformModule<'a>>) -> Option<Value> {
        let empty = value.is_null() || value.as_text().is_some_and(|t| t.is_known() && t.is_empty());
        let callers = std::iter::successors(Some(module), |m| m.arguments.as_ref().map(|(_, env)| &env.module));
        let mut variables = callers.flat_map(|m| m.directory.variables.values());
        let by_default = empty && variables.any(|d| d.block().span.contains(value.span));
        let step = value.via.as_ref().filter(|_| by_default)?;
        let name = self.name(step.span);
        let hole = crate::source::Hole::new(HoleKind::Input, name.as_str(), step.span);
        Some(spread_of(&Value::unknown(hole), step.span, &name))
    }
}
