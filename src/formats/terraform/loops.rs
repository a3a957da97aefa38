//! `for` expressions.

use std::collections::HashMap;

use crate::source::{Span, Text};
use crate::syntax::hcl::ForParts;
use crate::syntax::{NodeId, Tree};
use crate::value::{Entry, Kind, Value};

use super::eval::{Env, Evaluator, MAX_ITEMS};
use super::texts::to_text;
use super::values::{inherit, is_spread, pairs, spread_of};

impl<'a> Evaluator<'a> {
    pub(super) fn for_expression(&self, tree: &Tree, node: NodeId, parts: ForParts, env: &Env<'a>) -> Value {
        let span = tree.span(node);
        let collection = self.eval(tree, parts.collection, env);
        if let Kind::OneOf(branches) = &collection.kind {
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

    fn for_over(&self, tree: &Tree, node: NodeId, parts: ForParts, collection: &Value, env: &Env<'a>) -> Value {
        let span = tree.span(node);
        let Some(items) = pairs(collection) else {
            return self.derived(collection, span);
        };
        let mut values: Vec<Value> = Vec::new();
        let mut entries: Vec<Entry> = Vec::new();
        for (key, value) in items {
            if values.len() + entries.len() >= MAX_ITEMS || !self.spend(1) {
                return self.too_much(span);
            }
            let rest = (is_spread(&value) && value.is_unknown()).then(|| value.clone());
            let dropped = self.dropped(&value);
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

    pub(super) fn loop_env(&self, tree: &Tree, parts: &ForParts, env: &Env<'a>, key: Value, value: Value) -> Env<'a> {
        let env = match parts.key {
            Some(k) => env.with(tree.name(k), key, false),
            None => env.clone(),
        };
        env.with(tree.name(parts.value), value, false)
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
