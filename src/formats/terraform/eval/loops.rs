//! `for` expressions.

use std::collections::HashMap;
use std::sync::Arc;

use crate::source::{Span, Text};
use crate::syntax::hcl::ForParts;
use crate::syntax::{NodeId, Tree};
use crate::value::{Branch, MapEntry, ProvenanceStep, Value, ValueKind};

use crate::formats::terraform::eval::evaluator::{EvalScope, MAX_ITEMS, TerraformEvaluator};
use crate::formats::terraform::eval::to_string::to_text;
use crate::formats::terraform::eval::values::{element_of, formed, inherit, is_spread, pairs, spread_of};

impl<'a> TerraformEvaluator<'a> {
    pub(crate) fn for_expression(&self, tree: &Tree, node: NodeId, parts: ForParts, env: &EvalScope<'a>) -> Value {
        let span = tree.span(node);
        let collection = self.eval(tree, parts.collection, env);
        if let ValueKind::OneOf(branches) = &collection.kind {
            let each = branches
                .iter()
                .map(|b| {
                    let value = self.for_over(tree, node, parts, &inherit(&b.value, &collection.via), env);
                    (b.when.clone(), value)
                })
                .collect();
            return self.one_of(each, span);
        }
        self.for_over(tree, node, parts, &collection, env)
    }

    fn for_over(&self, tree: &Tree, node: NodeId, parts: ForParts, collection: &Value, env: &EvalScope<'a>) -> Value {
        let span = tree.span(node);
        let Some(items) = pairs(collection) else {
            return self.for_unknown(tree, node, parts, collection, env);
        };
        let mut values: Vec<Value> = Vec::new();
        let mut entries: Vec<MapEntry> = Vec::new();
        for (key, value) in items {
            if values.len() + entries.len() >= MAX_ITEMS || !self.spend(1) {
                return self.over_budget(span);
            }
            // Each alternative of an element passes the condition, or does not.
            if let (ValueKind::OneOf(branches), true, None) = (&value.kind, parts.condition.is_some(), parts.result_key)
            {
                values.extend(self.kept_alternatives(tree, parts, env, &key, branches, &value.via));
                continue;
            }
            let rest = (is_spread(&value) && value.is_unknown()).then(|| value.clone());
            let dropped = self.dropped(&value, &env.module);
            let inner = self.loop_env(tree, &parts, env, key, value);
            let condition = parts.condition.map(|c| (self.eval(tree, c, &inner), c));
            let label = match &condition {
                Some((c, _)) if c.as_bool() == Some(false) => {
                    values.extend(dropped.filter(|_| parts.result_key.is_none()));
                    continue;
                }
                Some((c, node)) if c.as_bool().is_none() => Some(self.guards(tree, *node, &inner).0),
                _ => None,
            };
            let mut result = self.eval(tree, parts.result, &inner);
            if let Some(label) = label {
                result = self.one_of(vec![(label, result)], tree.span(parts.result));
            }
            match parts.result_key {
                Some(k) => {
                    let key_value = self.eval(tree, k, &inner);
                    let key_span = if matches!(key_value.kind, ValueKind::Str(_)) {
                        key_value.span
                    } else {
                        tree.span(k)
                    };
                    let key = to_text(&key_value).unwrap_or_else(|| self.hole_text(&key_value, key_span));
                    entries.push(MapEntry {
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

    /// What a `for` makes of the alternatives of one element: those that its condition drops are not there.
    fn kept_alternatives(
        &self,
        tree: &Tree,
        parts: ForParts,
        env: &EvalScope<'a>,
        key: &Value,
        branches: &[Branch],
        via: &Option<Arc<ProvenanceStep>>,
    ) -> Vec<Value> {
        let mut out = Vec::new();
        for b in branches {
            let inner = self.loop_env(tree, &parts, env, key.clone(), inherit(&b.value, via));
            let condition = parts.condition.map(|c| (self.eval(tree, c, &inner), c));
            let when = match condition {
                Some((c, _)) if c.as_bool() == Some(false) => continue,
                Some((c, node)) if c.as_bool().is_none() => b.when.and(&self.guards(tree, node, &inner).0),
                _ => b.when.clone(),
            };
            let result = self.eval(tree, parts.result, &inner);
            out.push((when, result));
        }
        let at = tree.span(parts.result);
        match out.len() {
            n if n == branches.len() && n > 1 => vec![self.one_of(out, at)],
            _ => out.into_iter().map(|one| self.one_of(vec![one], at)).collect(),
        }
    }

    /// A `for` over a list that is not known. Where the form of what it makes is known, it is one such element and any number of
    /// others: `[for a in var.accounts : "arn:aws:iam::${a}:root"]`.
    fn for_unknown(
        &self,
        tree: &Tree,
        node: NodeId,
        parts: ForParts,
        collection: &Value,
        env: &EvalScope<'a>,
    ) -> Value {
        let span = tree.span(node);
        let whole = self.derived(collection, span);
        let Some(element) = element_of(collection).filter(|_| parts.result_key.is_none()) else {
            return whole;
        };
        let inner = self.loop_env(tree, &parts, env, element.clone(), element);
        let result = self.eval(tree, parts.result, &inner);
        let label = parts.condition.map(|c| self.guards(tree, c, &inner).0);
        match formed(result, &whole, span, &self.name(span)) {
            Some(items) => {
                let made = items.into_iter().map(|item| match &label {
                    Some(label) if !item.is_unknown() => self.one_of(vec![(label.clone(), item)], span),
                    _ => item,
                });
                Value::seq(made.collect(), span)
            }
            None => whole,
        }
    }

    pub(crate) fn loop_env(
        &self,
        tree: &Tree,
        parts: &ForParts,
        env: &EvalScope<'a>,
        key: Value,
        value: Value,
    ) -> EvalScope<'a> {
        let env = match parts.key {
            Some(k) => env.with_binding(tree.name(k), key, false),
            None => env.clone(),
        };
        env.with_binding(tree.name(parts.value), value, false)
    }
}

/// Elements with equal keys collected into lists (`...`), in the order of their first occurrence.
fn grouped(entries: Vec<MapEntry>, span: Span) -> Vec<MapEntry> {
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
        .map(|(key, key_span, values)| MapEntry {
            key,
            key_span,
            value: Value::seq(values, span),
        })
        .collect()
}
