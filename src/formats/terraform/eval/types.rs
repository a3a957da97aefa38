//! Type constraints of variables: defaults of optional attributes, conversions that matter to us.

use std::sync::Arc;

use crate::source::{Hole, HoleKind, Span};
use crate::syntax::{NodeId, NodeKind as Node, Tree};
use crate::value::{Branch, MapEntry, Value, ValueKind};

use crate::formats::terraform::eval::evaluator::{EvalScope, TerraformEvaluator};
use crate::formats::terraform::eval::operators::equals;
use crate::formats::terraform::eval::to_string::to_text;
use crate::formats::terraform::eval::values::is_spread;

/// `value` as the type constraint `wanted` makes it; unchanged where it does not fit.
pub(crate) fn convert<'a>(
    evaluator: &TerraformEvaluator<'a>,
    value: Value,
    tree: &Tree,
    wanted: NodeId,
    env: &EvalScope<'a>,
) -> Value {
    let fallback = value.clone();
    evaluator
        .descend(|| converted(evaluator, value, tree, wanted, env))
        .unwrap_or(fallback)
}

fn converted<'a>(
    evaluator: &TerraformEvaluator<'a>,
    value: Value,
    tree: &Tree,
    wanted: NodeId,
    env: &EvalScope<'a>,
) -> Value {
    let each = |value: Value, wanted: NodeId| convert(evaluator, value, tree, wanted, env);
    if let ValueKind::OneOf(branches) = &value.kind {
        let branches: Vec<Branch> = branches
            .iter()
            .map(|b| Branch {
                when: b.when.clone(),
                value: each(b.value.clone(), wanted),
            })
            .collect();
        return Value {
            kind: ValueKind::OneOf(branches.into()),
            ..value
        };
    }
    if tree.kind(wanted) == Node::Ident && tree.name(wanted) == "string" {
        return match (&value.kind, to_text(&value)) {
            (ValueKind::Num(_) | ValueKind::Bool(_), Some(text)) => Value {
                kind: ValueKind::Str(text),
                ..value
            },
            _ => value,
        };
    }
    if tree.kind(wanted) != Node::Call {
        return value;
    }
    let Some(inner) = tree.children(wanted).next() else {
        return value;
    };
    let kind = match (tree.name(wanted), &value.kind) {
        ("list" | "set", ValueKind::Seq(items)) => {
            let mut items: Vec<Value> = items.iter().map(|v| each(v.clone(), inner)).collect();
            if tree.name(wanted) == "set" {
                items = distinct(evaluator, items);
            }
            ValueKind::Seq(items.into())
        }
        ("map", ValueKind::Map(entries)) => ValueKind::Map(
            entries
                .iter()
                .map(|e| MapEntry {
                    value: each(e.value.clone(), inner),
                    ..e.clone()
                })
                .collect(),
        ),
        ("tuple", ValueKind::Seq(items)) => {
            let types: Vec<NodeId> = tree.children(inner).collect();
            let converted = items.iter().enumerate().map(|(i, v)| match types.get(i) {
                Some(t) => each(v.clone(), *t),
                None => v.clone(),
            });
            ValueKind::Seq(converted.collect())
        }
        ("object", ValueKind::Map(_)) => object(evaluator, &value, tree, inner, env),
        ("optional", _) => return each(value, inner),
        _ => return value,
    };
    Value { kind, ..value }
}

/// The declared attributes, in the order in which they are given, then the defaults of those that are not.
fn object<'a>(
    evaluator: &TerraformEvaluator<'a>,
    value: &Value,
    tree: &Tree,
    wanted: NodeId,
    env: &EvalScope<'a>,
) -> ValueKind {
    let types: Vec<(String, NodeId)> = tree
        .entries(wanted)
        .filter_map(|(k, t)| Some((tree.text(k)?.known()?.into_owned(), t)))
        .collect();
    let optional = |t: NodeId| {
        let is = tree.kind(t) == Node::Call && tree.name(t) == "optional";
        is.then(|| tree.children(t).nth(1))
    };
    let default = |t: NodeId| {
        let default = optional(t)??;
        let inner = tree.children(t).next()?;
        let made = evaluator.eval(tree, default, env);
        Some(convert(evaluator, made, tree, inner, env))
    };
    let mut entries: Vec<MapEntry> = Vec::new();
    for e in value.entries().unwrap_or(&[]) {
        let Some(key) = e.key.known() else {
            entries.push(e.clone());
            continue;
        };
        if let Some((_, t)) = types.iter().find(|(name, _)| *name == *key) {
            let given = convert(evaluator, e.value.clone(), tree, *t, env);
            let value = if given.is_null() {
                default(*t).unwrap_or(given)
            } else {
                given
            };
            entries.push(MapEntry { value, ..e.clone() });
        }
    }
    for (name, t) in &types {
        if value.get(name).is_some() || optional(*t).is_none() {
            continue;
        }
        let span = tree.span(*t);
        entries.push(MapEntry {
            key: crate::source::Text::synthetic(name, span),
            key_span: span,
            value: default(*t).unwrap_or_else(|| Value::new(ValueKind::Null, span)),
        });
    }
    ValueKind::Map(entries.into())
}

/// An object that someone has to give, where its type has defaults: these, and what is not known of it.
pub(crate) fn required_object<'a>(
    evaluator: &TerraformEvaluator<'a>,
    tree: &Tree,
    wanted: NodeId,
    shown: &str,
    at: Span,
    env: &EvalScope<'a>,
) -> Option<Value> {
    if tree.kind(wanted) != Node::Call || tree.name(wanted) != "object" {
        return None;
    }
    let types = tree.children(wanted).next()?;
    let mut any = false;
    let mut entries = Vec::new();
    for (key, t) in tree.entries(types) {
        let name = tree.text(key)?;
        let default = (tree.kind(t) == Node::Call && tree.name(t) == "optional").then(|| tree.children(t).nth(1));
        let default = default.flatten().map(|d| evaluator.eval(tree, d, env));
        // Nothing, by default, is what someone else gives.
        let says = |v: &Value| !v.is_null() && v.as_text().is_none_or(|t| !t.is_empty());
        let default = default.filter(says);
        any |= default.is_some();
        let hole = || Hole::new(HoleKind::Input, format!("{shown}.{}", name.display()), at);
        entries.push(MapEntry {
            key: name.clone(),
            key_span: tree.span(key),
            value: default.unwrap_or_else(|| Value::unknown(hole())),
        });
    }
    any.then(|| Value::map(entries, at))
}

/// Known items of a set from which the rest is distinguished; of more, it is not.
const MAX_OTHERS: usize = 64;

/// The first of equal items each; items that may be equal stay.
pub(crate) fn distinct(evaluator: &TerraformEvaluator<'_>, items: Vec<Value>) -> Vec<Value> {
    let mut texts = std::collections::HashSet::new();
    let mut others: Vec<Value> = Vec::new();
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        if is_spread(&item) {
            out.push(item);
            continue;
        }
        if let Some(text) = to_text(&item).and_then(|t| t.known().map(std::borrow::Cow::into_owned)) {
            if texts.insert(text) {
                out.push(item);
            }
            continue;
        }
        // Comparing structures pair by pair is for short lists only.
        if others.len() < 64 {
            if others.iter().any(|o| equals(evaluator, o, &item).is_yes()) {
                continue;
            }
            others.push(item.clone());
        }
        out.push(item);
    }
    if texts.is_empty() || texts.len() > MAX_OTHERS {
        return out;
    }
    let mut others: Vec<Arc<str>> = texts.iter().map(|text| text.as_str().into()).collect();
    others.sort_unstable();
    let others: Arc<[Arc<str>]> = others.into();
    // In a set, no known item is among the rest.
    let distinguished = |item: Value| match &item.kind {
        ValueKind::Unknown(hole) if is_spread(&item) => Value {
            kind: ValueKind::Unknown(Arc::new(Hole {
                others: Some(others.clone()),
                ..(**hole).clone()
            })),
            ..item
        },
        _ => item,
    };
    out.into_iter().map(distinguished).collect()
}
