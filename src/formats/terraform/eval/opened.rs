//! Defaults that another value may add to: lists that are empty or shorter by default.
//!
//! `concat(["a"], var.more)` with `default = []` is a list of one by default, and that one is judged. That it has no other
//! item is not certain. An expression that rests on defaults is read a second time, whatever the inputs are, and the parts of
//! policies in it that may have more get an unknown item of the kind [`HoleKind::Default`].

use crate::formats::recognize::is_policy;
use crate::source::{Hole, HoleKind, Span};
use crate::syntax::{NodeId, Tree};
use crate::value::{Branch, MapEntry, Value, ValueKind};

use crate::formats::terraform::eval::evaluator::{EvalScope, TerraformEvaluator};
use crate::formats::terraform::eval::values::{is_equivalent, pairs};

/// Deepest value that is compared.
const MAX_DEPTH: u32 = 32;

/// Whether an argument of a policy document, or of a block in it, is a list by its name.
pub(crate) fn is_list_of_policy(name: &str) -> bool {
    const LISTS: [&str; 8] = [
        "actions",
        "identifiers",
        "not_actions",
        "not_resources",
        "override_policy_documents",
        "resources",
        "source_policy_documents",
        "values",
    ];
    LISTS.contains(&name)
}

impl<'a> TerraformEvaluator<'a> {
    /// What an expression is by default; where inputs may add to policies in it, or to the list that it is itself, with an
    /// item that says so.
    pub(crate) fn with_possible_additions(&self, tree: &Tree, node: NodeId, env: &EvalScope<'a>, name: &str) -> Value {
        let is_list = is_list_of_policy(name);
        let (value, reliance) = self.run_noting_reliance(|| self.eval(tree, node, env));
        let value = self.with_parts_left_out(value, reliance, name, env, |env| self.eval(tree, node, env));
        // What a call leaves out, another one may give.
        let rests = reliance.any || env.module.arguments.is_some();
        if !rests || env.view.open || !(is_list || contains_policy(&value, 0)) {
            return value;
        }
        // What fails for some input is no failure.
        let failed = self.failed.get();
        let open = self.eval(tree, node, &env.without_inputs());
        self.failed.set(failed);
        self.with_open_items(&value, &open, is_list, 0).unwrap_or(value)
    }

    /// The value by default with an item for what an input may add; `None` where nothing is added.
    fn with_open_items(&self, value: &Value, open: &Value, in_policy: bool, depth: u32) -> Option<Value> {
        if depth > MAX_DEPTH || !self.spend(1) {
            return None;
        }
        let in_policy = in_policy || is_policy(value);
        let kind = match (&value.kind, &open.kind) {
            (ValueKind::Json(inner), ValueKind::Json(open)) => {
                ValueKind::Json(self.with_open_items(inner, open, in_policy, depth + 1)?.into())
            }
            (ValueKind::Map(entries), ValueKind::Map(others)) => {
                let change = |e: &MapEntry| {
                    let same = |o: &&MapEntry| o.key_span == e.key_span && o.value.span == e.value.span;
                    let other = others.iter().find(same);
                    let named = |o: &&MapEntry| o.key.display() == e.key.display();
                    let other = other.or_else(|| others.iter().find(named))?;
                    let value = self.with_open_items(&e.value, &other.value, in_policy, depth + 1)?;
                    Some(MapEntry { value, ..e.clone() })
                };
                ValueKind::Map(map_changed(entries, change)?.into())
            }
            (ValueKind::Seq(items), ValueKind::Seq(others)) => {
                let change = |v: &Value| {
                    let other = others.iter().find(|o| o.span == v.span && o.kind != v.kind)?;
                    self.with_open_items(v, other, in_policy, depth + 1)
                };
                let kept = map_changed(items, change);
                let more = in_policy && adds_items(items, others);
                let mut all = match (&kept, more) {
                    (None, false) => return None,
                    (None, true) => items.to_vec(),
                    (Some(kept), _) => kept.clone(),
                };
                if more && !has_more(items) {
                    all.push(self.possible_item(open.span));
                }
                ValueKind::Seq(all.into())
            }
            (ValueKind::OneOf(branches), ValueKind::OneOf(others)) if branches.len() == others.len() => {
                let change = |b: &Branch| {
                    let other = others.iter().find(|o| o.when == b.when)?;
                    let value = self.with_open_items(&b.value, &other.value, in_policy, depth + 1)?;
                    Some(Branch { value, ..b.clone() })
                };
                ValueKind::OneOf(map_changed(branches, change)?.into())
            }
            (ValueKind::Seq(items), ValueKind::Unknown(_)) if items.is_empty() && self.is_root_default(value) => {
                return None;
            }
            (ValueKind::Seq(items), ValueKind::Unknown(_) | ValueKind::OneOf(_)) if in_policy && !has_more(items) => {
                let more = std::iter::once(self.possible_item(value.span));
                ValueKind::Seq(items.iter().cloned().chain(more).collect())
            }
            (ValueKind::Null, ValueKind::Unknown(_) | ValueKind::OneOf(_)) if in_policy => {
                self.possible_item(value.span).kind
            }
            (ValueKind::Str(text), ValueKind::Unknown(_) | ValueKind::OneOf(_))
                if in_policy && text.is_known() && text.is_empty() =>
            {
                self.possible_item(value.span).kind
            }
            _ => return None,
        };
        Some(Value { kind, ..value.clone() })
    }

    /// The default of a variable that the user of the repository sets, and nothing else: what holds by default is judged.
    pub(crate) fn is_root_default(&self, value: &Value) -> bool {
        let root = self.modules.borrow().get(&self.scope).map(|m| m.directory);
        let declared = root.into_iter().flat_map(|d| d.variables.values());
        let mut defaults = declared.filter_map(|v| v.expr("default"));
        defaults.any(|e| e.tree.span(e.node) == value.span)
    }

    fn possible_item(&self, span: Span) -> Value {
        Value::unknown(Hole::new(HoleKind::Default, self.name(span), span))
    }

    /// Whether a collection has no items by default, or only such as an input asks for.
    pub(crate) fn is_empty_by_default(&self, tree: &Tree, node: NodeId, env: &EvalScope<'a>) -> bool {
        let failed = self.failed.get();
        let value = self.eval(tree, node, &env.with_defaults());
        self.failed.set(failed);
        let is_empty = |v: &Value| pairs(v).is_some_and(|items| items.is_empty());
        match &value.kind {
            ValueKind::OneOf(branches) => branches.iter().all(|b| b.when.is_opt_in() || is_empty(&b.value)),
            _ => is_empty(&value),
        }
    }

    /// What a collection that is empty by default is where an input asks for more; `None` where no input does.
    pub(crate) fn requested_items(&self, tree: &Tree, node: NodeId, env: &EvalScope<'a>) -> Option<Value> {
        let failed = self.failed.get();
        let open = self.eval(tree, node, &env.without_inputs());
        self.failed.set(failed);
        let ValueKind::OneOf(branches) = &open.kind else {
            return None;
        };
        let is_empty = |v: &Value| pairs(v).is_some_and(|items| items.is_empty());
        let asked: Vec<Branch> = branches
            .iter()
            .filter(|b| !is_empty(&b.value))
            .map(|b| Branch {
                when: b.when.clone().opt_in(),
                value: b.value.clone(),
            })
            .collect();
        (!asked.is_empty()).then(|| Value::new(ValueKind::OneOf(asked.into()), open.span))
    }
}

/// Whether a list that does not depend on defaults has items that the list by default lacks. One that is another value
/// altogether does not add to it.
fn adds_items(items: &[Value], others: &[Value]) -> bool {
    let vague = |v: &&Value| matches!(v.kind, ValueKind::Unknown(_) | ValueKind::OneOf(_));
    let own = |v: &&Value| items.iter().any(|i| is_equivalent(i, v, 0));
    let more = others.iter().filter(|v| vague(v) && !own(v)).count();
    let open = items
        .iter()
        .filter(|v| !others.iter().any(|o| is_equivalent(o, v, 0)))
        .count();
    more > 0 && (others.len() != items.len() || more > open)
}

fn has_more(items: &[Value]) -> bool {
    let is_more = |v: &Value| v.as_hole().is_some_and(|h| h.kind == HoleKind::Default);
    items.iter().any(is_more)
}

fn contains_policy(value: &Value, depth: u32) -> bool {
    depth < 8
        && match &value.kind {
            _ if is_policy(value) => true,
            ValueKind::Json(inner) => contains_policy(inner, depth + 1),
            ValueKind::Seq(items) => items.iter().any(|v| contains_policy(v, depth + 1)),
            ValueKind::OneOf(branches) => branches.iter().any(|b| contains_policy(&b.value, depth + 1)),
            ValueKind::Map(entries) => entries.iter().any(|e| contains_policy(&e.value, depth + 1)),
            _ => false,
        }
}

/// The items with those that `change` changes; `None` where it changes none.
fn map_changed<T: Clone>(items: &[T], change: impl Fn(&T) -> Option<T>) -> Option<Vec<T>> {
    let new: Vec<Option<T>> = items.iter().map(change).collect();
    let any = new.iter().any(Option::is_some);
    any.then(|| {
        new.into_iter()
            .zip(items)
            .map(|(n, old)| n.unwrap_or_else(|| old.clone()))
            .collect()
    })
}
