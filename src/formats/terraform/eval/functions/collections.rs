//! Functions on lists and objects, and conversions.

use crate::iam::Truth;
use crate::source::Text;
use crate::value::{Branch, Guard, MapEntry, Value, ValueKind};

use crate::formats::terraform::eval::evaluator::{EvalScope, MAX_ITEMS};
use crate::formats::terraform::eval::functions::FunctionCall;
use crate::formats::terraform::eval::operators::{equals, is_null};
use crate::formats::terraform::eval::to_string::to_text;
use crate::formats::terraform::eval::types::distinct;
use crate::formats::terraform::eval::values::{first, inherit, is_spread, pairs, sorted_entries, spread_of};

pub(super) fn apply<'a>(call: &FunctionCall<'_, 'a>, env: &EvalScope<'a>) -> Option<Value> {
    Some(match call.name {
        "concat" => concat(call),
        "flatten" => match call.get(0) {
            Some(list) => {
                let mut out = Vec::new();
                flatten(call, list, &mut out, 0);
                if out.len() > MAX_ITEMS {
                    call.over_budget()
                } else {
                    call.seq(out)
                }
            }
            None => call.fail(),
        },
        "merge" => merge(call),
        "keys" => keys(call),
        "values" => match call.get(0) {
            Some(map) if map.entries().is_some_and(|e| e.iter().all(|e| e.key.is_known())) => {
                call.seq(items(map).unwrap_or_default())
            }
            _ => call.unknown(),
        },
        "lookup" => lookup(call),
        "element" => element(call),
        "index" => position(call),
        "slice" => slice(call),
        "length" => length(call),
        "contains" => contains(call),
        "compact" => compact(call, env),
        "distinct" | "toset" => match call.get(0) {
            Some(list) if list.is_unknown() => list.clone(),
            Some(list) => match items(list) {
                Some(all) => call.seq(distinct(call.evaluator, all)),
                None => call.unknown(),
            },
            None => call.fail(),
        },
        "tolist" | "tomap" | "sensitive" | "nonsensitive" | "ephemeralasnull" => match call.get(0) {
            Some(value) => value.clone(),
            None => call.fail(),
        },
        "tostring" => match call.get(0) {
            Some(v) if matches!(v.kind, ValueKind::Num(_) | ValueKind::Bool(_)) => Value {
                kind: ValueKind::Str(to_text(v)?),
                ..v.clone()
            },
            Some(v) if matches!(v.kind, ValueKind::Seq(_) | ValueKind::Map(_)) => call.fail(),
            Some(v) => v.clone(),
            None => call.fail(),
        },
        "tonumber" => match call.get(0) {
            Some(v) if v.is_unknown() || v.is_null() => v.clone(),
            Some(v) => v.as_number().map_or_else(|| call.fail(), |n| call.num(n)),
            None => call.fail(),
        },
        "tobool" => match call.get(0) {
            Some(v) if v.is_unknown() || v.is_null() => v.clone(),
            Some(v) => v.as_bool().map_or_else(|| call.fail(), |b| call.bool(b)),
            None => call.fail(),
        },
        "list" => call.seq(call.arguments.to_vec()),
        "map" => {
            let entries = call
                .arguments
                .chunks_exact(2)
                .map(|pair| entry(call, &pair[0], pair[1].clone()));
            Value::map(entries.collect(), call.span)
        }
        "coalesce" => coalesce(call),
        "coalescelist" => coalesce_list(call),
        "one" => one(call),
        "sort" => sort(call),
        "reverse" => match call.get(0).and_then(items) {
            Some(mut all) => {
                all.reverse();
                call.seq(all)
            }
            None => call.unknown(),
        },
        "zipmap" => zipmap(call),
        "chunklist" => match (call.get(0).and_then(items), call.number(1)) {
            (Some(all), Some(n)) if n >= 1.0 => {
                call.seq(all.chunks(n as usize).map(|c| call.seq(c.to_vec())).collect())
            }
            _ => call.unknown(),
        },
        "matchkeys" => match_keys(call),
        "transpose" => transpose(call),
        _ => return None,
    })
}

/// The items of a list, or the values of an object, each with the way of the whole.
pub(super) fn items(value: &Value) -> Option<Vec<Value>> {
    Some(pairs(value)?.into_iter().map(|(_, v)| v).collect())
}

fn entry(call: &FunctionCall<'_, '_>, key: &Value, value: Value) -> MapEntry {
    let key_text = to_text(key).unwrap_or_else(|| call.evaluator.hole_text(key, call.span));
    MapEntry {
        key: key_text,
        key_span: key.span,
        value,
    }
}

/// What is neither null nor empty; of alternatives, those that are not.
fn compact<'a>(call: &FunctionCall<'_, 'a>, env: &EvalScope<'a>) -> Value {
    let is_empty = |v: &Value| v.is_null() || to_text(v).is_some_and(|t| t.is_known() && t.is_empty());
    let Some(all) = call.get(0).and_then(items) else {
        return filter(call, |v| !is_empty(v));
    };
    let kept = all.into_iter().filter_map(|v| match &v.kind {
        ValueKind::OneOf(branches) => {
            let left: Vec<Branch> = branches.iter().filter(|b| !is_empty(&b.value)).cloned().collect();
            let kind = ValueKind::OneOf(left.into());
            (!matches!(&kind, ValueKind::OneOf(b) if b.is_empty())).then_some(Value { kind, ..v })
        }
        _ if is_empty(&v) => call.evaluator.items_dropped_by_default(&v, &env.module),
        _ => Some(v),
    });
    call.seq(kept.collect())
}

/// All items of all lists; those of a list that is an alternative are there under its condition.
pub(super) fn concat(call: &FunctionCall<'_, '_>) -> Value {
    let mut out = Vec::new();
    for list in call.arguments {
        if !append(call, list, &mut out) {
            return call.fail();
        }
        if out.len() > MAX_ITEMS || !call.evaluator.spend(out.len() / 8) {
            return call.over_budget();
        }
    }
    call.seq(out)
}

fn append(call: &FunctionCall<'_, '_>, list: &Value, out: &mut Vec<Value>) -> bool {
    match (items(list), &list.kind) {
        (Some(all), _) => out.extend(all),
        (None, ValueKind::Unknown(_)) => out.push(spread_of(list, list.span, &call.evaluator.name(list.span))),
        (None, ValueKind::OneOf(branches)) => {
            for b in branches.iter() {
                let mut inner = Vec::new();
                if !append(call, &inherit(&b.value, &list.via), &mut inner) {
                    return false;
                }
                out.extend(inner.into_iter().map(|v| guarded_item(call, &b.when, v)));
            }
        }
        _ => return false,
    }
    true
}

/// An item that is there in one alternative only.
fn guarded_item(call: &FunctionCall<'_, '_>, when: &Guard, value: Value) -> Value {
    let span = value.span;
    call.evaluator.one_of(vec![(when.clone(), value)], span)
}

fn flatten(call: &FunctionCall<'_, '_>, value: &Value, out: &mut Vec<Value>, depth: u32) {
    if depth > 16 || out.len() > MAX_ITEMS || !call.evaluator.spend(1) {
        return;
    }
    match &value.kind {
        ValueKind::Seq(_) => {
            for item in items(value).unwrap_or_default() {
                flatten(call, &item, out, depth + 1);
            }
        }
        ValueKind::OneOf(branches) => {
            for b in branches.iter() {
                let mut inner = Vec::new();
                flatten(call, &inherit(&b.value, &value.via), &mut inner, depth + 1);
                out.extend(inner.into_iter().map(|v| guarded_item(call, &b.when, v)));
            }
        }
        // An unknown item may be a list.
        ValueKind::Unknown(h) if h.target.is_none() && !is_known_text(value) => {
            out.push(spread_of(value, value.span, &call.evaluator.name(value.span)));
        }
        _ => out.push(value.clone()),
    }
}

/// Unknown, and still certainly one string.
fn is_known_text(value: &Value) -> bool {
    is_null(value).is_no()
}

fn merge(call: &FunctionCall<'_, '_>) -> Value {
    let mut entries: Vec<MapEntry> = Vec::new();
    for map in call.arguments {
        if !merge_into(call, map, None, &mut entries) {
            return call.fail();
        }
        if !call.evaluator.spend(entries.len()) {
            return call.unknown();
        }
    }
    Value::map(entries, call.span)
}

/// Adds the entries of `map`, under a condition where it is an alternative.
fn merge_into(call: &FunctionCall<'_, '_>, map: &Value, when: Option<&Guard>, entries: &mut Vec<MapEntry>) -> bool {
    match &map.kind {
        ValueKind::Null => {}
        ValueKind::Map(more) => {
            for e in more.iter() {
                let value = inherit(&e.value, &map.via);
                let key = e.key.known();
                let same = |old: &MapEntry| key.is_some() && old.key.known() == key;
                // Objects of people are short; a generated one is not searched.
                let before = entries.iter().position(same).filter(|_| entries.len() < 2_000);
                let value = match (when, before) {
                    (None, _) => value,
                    (Some(when), None) => guarded_item(call, when, value),
                    (Some(when), Some(i)) => {
                        let before = entries[i].value.clone();
                        let others = when.otherwise().into_iter().map(|other| (other, before.clone()));
                        let both = std::iter::once((when.clone(), value)).chain(others).collect();
                        call.evaluator.one_of(both, e.value.span)
                    }
                };
                let e = MapEntry { value, ..e.clone() };
                match before {
                    Some(i) => entries[i] = e,
                    None => entries.push(e),
                }
            }
        }
        // Entries that no one knows: one whose key is unknown too.
        ValueKind::Unknown(_) => {
            let rest = spread_of(map, map.span, &call.evaluator.name(map.span));
            entries.push(entry(call, &rest.clone(), rest));
        }
        ValueKind::OneOf(branches) => {
            return branches
                .iter()
                .all(|b| merge_into(call, &inherit(&b.value, &map.via), Some(&b.when), entries));
        }
        _ => return false,
    }
    true
}

fn keys(call: &FunctionCall<'_, '_>) -> Value {
    let Some(map) = call.get(0).filter(|m| m.entries().is_some()) else {
        return call.unknown();
    };
    let key = |e: &MapEntry| Value {
        via: map.via.clone(),
        ..Value::text(e.key.clone(), e.key_span)
    };
    call.seq(sorted_entries(map).into_iter().map(key).collect())
}

fn lookup(call: &FunctionCall<'_, '_>) -> Value {
    let (Some(map), Some(key)) = (call.get(0), call.known_text(1)) else {
        let by_key = |map| call.evaluator.by_key(map, call.get(1)?, Some(call.get(2)?), call.span);
        return call.get(0).and_then(by_key).unwrap_or_else(|| call.unknown());
    };
    match &map.kind {
        ValueKind::Map(entries) => match map.get(&key) {
            Some(value) => inherit(value, &map.via),
            None if entries.iter().any(|e| !e.key.is_known()) => call.unknown(),
            None => call.get(2).cloned().unwrap_or_else(|| call.fail()),
        },
        _ => call.unknown(),
    }
}

fn element(call: &FunctionCall<'_, '_>) -> Value {
    let (Some(all), Some(n)) = (call.get(0).and_then(items), call.number(1)) else {
        return call.unknown();
    };
    if all.is_empty() {
        return call.fail();
    }
    if let (true, Some(first)) = (n == 0.0, first(&all)) {
        return first;
    }
    if all.iter().any(is_spread) {
        return call.unknown();
    }
    let n = (n as i64).rem_euclid(all.len() as i64);
    all[n as usize].clone()
}

fn position(call: &FunctionCall<'_, '_>) -> Value {
    let (Some(all), Some(wanted)) = (call.get(0).and_then(items), call.get(1)) else {
        return call.unknown();
    };
    for (i, item) in all.iter().enumerate() {
        match equals(call.evaluator, item, wanted) {
            Truth::Yes => return call.num(i as f64),
            Truth::Unknown => return call.unknown(),
            Truth::No => {}
        }
    }
    call.fail()
}

fn slice(call: &FunctionCall<'_, '_>) -> Value {
    let (Some(all), Some(from), Some(to)) = (call.get(0).and_then(items), call.number(1), call.number(2)) else {
        return call.unknown();
    };
    if all.iter().any(is_spread) {
        return call.unknown();
    }
    match all.get(from.max(0.0) as usize..to.max(0.0) as usize) {
        Some(part) => call.seq(part.to_vec()),
        None => call.fail(),
    }
}

fn length(call: &FunctionCall<'_, '_>) -> Value {
    match call.get(0).map(|v| &v.kind) {
        Some(ValueKind::Seq(all)) if !all.iter().any(is_spread) => call.num(all.len() as f64),
        Some(ValueKind::Map(_)) => {
            let entries = sorted_entries(&call.arguments[0]);
            if entries.iter().all(|e| e.key.is_known()) {
                call.num(entries.len() as f64)
            } else {
                call.unknown()
            }
        }
        Some(ValueKind::Str(t)) => match t.known() {
            Some(t) => call.num(t.chars().count() as f64),
            None => call.unknown(),
        },
        Some(ValueKind::Null) => call.fail(),
        _ => call.unknown(),
    }
}

fn contains(call: &FunctionCall<'_, '_>) -> Value {
    let (Some(all), Some(wanted)) = (call.get(0).and_then(items), call.get(1)) else {
        return call.unknown();
    };
    let mut found = Truth::No;
    for item in &all {
        let this = if is_spread(item) {
            Truth::Unknown
        } else {
            equals(call.evaluator, item, wanted)
        };
        found = found.or(this);
    }
    match found {
        Truth::Yes => call.bool(true),
        Truth::No => call.bool(false),
        Truth::Unknown => call.unknown(),
    }
}

fn filter(call: &FunctionCall<'_, '_>, f: impl Fn(&Value) -> bool) -> Value {
    match call.get(0) {
        Some(list) if matches!(list.kind, ValueKind::OneOf(_)) => {
            let mut out = Vec::new();
            if !append(call, list, &mut out) {
                return call.fail();
            }
            call.seq(out.into_iter().filter(f).collect())
        }
        Some(list) if list.is_unknown() => list.clone(),
        Some(list) => match items(list) {
            Some(all) => call.seq(all.into_iter().filter(f).collect()),
            None => call.unknown(),
        },
        None => call.fail(),
    }
}

fn coalesce(call: &FunctionCall<'_, '_>) -> Value {
    for (i, value) in call.arguments.iter().enumerate() {
        let empty = match &value.kind {
            ValueKind::Str(t) if t.is_known() => Truth::from(t.is_empty()),
            _ => is_null(value),
        };
        match empty {
            Truth::No => return value.clone(),
            Truth::Yes => {}
            Truth::Unknown if i + 1 == call.arguments.len() => return value.clone(),
            Truth::Unknown => {
                let rest = FunctionCall {
                    arguments: &call.arguments[i + 1..],
                    ..*call
                };
                let other = coalesce(&rest);
                let name = call.evaluator.name(value.span);
                let both = vec![
                    (Guard::condition(&name, true), value.clone()),
                    (Guard::condition(&name, false), other),
                ];
                return call.evaluator.one_of(both, call.span);
            }
        }
    }
    call.fail()
}

fn coalesce_list(call: &FunctionCall<'_, '_>) -> Value {
    for value in call.arguments {
        match &value.kind {
            ValueKind::Seq(all) if all.is_empty() => {}
            ValueKind::Null => {}
            ValueKind::Unknown(_) => return call.unknown(),
            _ => return value.clone(),
        }
    }
    call.fail()
}

fn one(call: &FunctionCall<'_, '_>) -> Value {
    match call.get(0).and_then(items).as_deref() {
        Some([]) => Value::new(ValueKind::Null, call.span),
        Some(only @ [_]) => first(only).unwrap_or_else(|| call.unknown()),
        Some([_, _, ..]) => call.fail(),
        _ => call.unknown(),
    }
}

fn sort(call: &FunctionCall<'_, '_>) -> Value {
    let Some(mut all) = call.get(0).and_then(items) else {
        return call.unknown();
    };
    all.sort_by_cached_key(|v| {
        let text: Option<Text> = to_text(v);
        text.map(|t| t.display())
    });
    call.seq(all)
}

fn zipmap(call: &FunctionCall<'_, '_>) -> Value {
    let (Some(keys), Some(values)) = (call.get(0).and_then(items), call.get(1).and_then(items)) else {
        return call.unknown();
    };
    if keys.len() != values.len() {
        return call.fail();
    }
    let entries = keys.iter().zip(values).map(|(k, v)| entry(call, k, v));
    Value::map(entries.collect(), call.span)
}

fn match_keys(call: &FunctionCall<'_, '_>) -> Value {
    let lists: Option<Vec<Vec<Value>>> = (0..3).map(|i| call.get(i).and_then(items)).collect();
    let Some([values, keys, wanted]) = lists.as_deref() else {
        return call.unknown();
    };
    let mut out = Vec::new();
    for (value, key) in values.iter().zip(keys) {
        let mut found = Truth::No;
        for w in wanted {
            found = found.or(equals(call.evaluator, key, w));
        }
        match found {
            Truth::Yes => out.push(value.clone()),
            Truth::No => {}
            Truth::Unknown => return call.unknown(),
        }
    }
    call.seq(out)
}

fn transpose(call: &FunctionCall<'_, '_>) -> Value {
    let Some(map) = call.get(0).filter(|m| m.entries().is_some()) else {
        return call.unknown();
    };
    let mut groups: std::collections::BTreeMap<String, (Value, Vec<Value>)> = std::collections::BTreeMap::new();
    for e in sorted_entries(map) {
        let key = Value::text(e.key.clone(), e.key_span);
        let Some(all) = items(&e.value) else {
            return call.unknown();
        };
        for item in all {
            let Some(name) = to_text(&item) else {
                return call.unknown();
            };
            let group = groups.entry(name.display()).or_insert_with(|| (item, Vec::new()));
            group.1.push(key.clone());
        }
    }
    let entries = groups.into_values().map(|(k, v)| entry(call, &k, call.seq(v)));
    Value::map(entries.collect(), call.span)
}
