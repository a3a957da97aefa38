//! A plan beside its source: the source is what people edit, the plan fills in what the source leaves open.
//!
//! **Invariant:** a resource of the plan that the source declares is reported once, where it is written; what the source says
//! is never replaced, only what it does not know.

use std::collections::{BTreeMap, BTreeSet};

use crate::formats::data;
use crate::model::{LoweredUnit, Resource};
use crate::source::{Piece, Sources, Text, parent_path};
use crate::value::{Branch, MAX_DEPTH, MapEntry, Value, ValueKind};

use crate::formats::terraform::emit::plan::without_keys;
use crate::formats::terraform::emit::resources::Emitted;

/// Takes out of `plans` what `emitted` declares, and completes that with it. What was not asked for stays with the plan:
/// no one would hear of it.
pub(crate) fn merge_plans(sources: &Sources, plans: &mut [LoweredUnit], emitted: &mut Emitted) {
    let mut planned: BTreeMap<usize, Vec<Resource>> = BTreeMap::new();
    for plan in plans {
        let Some(root) = plan.resources.first().map(|r| parent_path(&r.address.scope).to_owned()) else {
            continue;
        };
        let index = index_declared(sources, &root, emitted);
        if index.is_empty() {
            continue;
        }
        // The source has its documents too.
        plan.loose.clear();
        plan.resources = std::mem::take(&mut plan.resources)
            .into_iter()
            .filter_map(|r| match source_of(&r, &index) {
                Some(at) => {
                    planned.entry(at).or_default().push(r);
                    None
                }
                None => Some(r),
            })
            .collect();
    }
    for (at, instances) in planned {
        let written = emitted.resources[at].clone();
        let mut completed: Vec<Resource> = Vec::new();
        for instance in &instances {
            let props = fill_in(&written.props, &instance.props, 0);
            if completed.iter().all(|r| r.props != props) {
                completed.push(Resource {
                    props,
                    ..written.clone()
                });
            }
        }
        let addresses: BTreeSet<&str> = instances.iter().map(|r| &*r.address.name).collect();
        if let ([only], count @ 2..) = (completed.as_mut_slice(), addresses.len()) {
            only.instances = u32::try_from(count).ok();
        }
        let mut completed = completed.into_iter();
        if let Some(first) = completed.next() {
            emitted.resources[at] = first;
        }
        emitted.resources.extend(completed);
    }
}

/// Addresses in the root module's terms, each with its resource.
type AddressIndex = BTreeMap<String, usize>;

fn index_declared(sources: &Sources, root: &str, emitted: &Emitted) -> AddressIndex {
    let address = |r: &Resource| {
        let path = r.address.scope.strip_prefix(root)?;
        match path.strip_prefix('#') {
            Some(calls) => Some(format!("{calls}.{}", r.address.name)),
            None if path.is_empty() => Some(r.address.name.to_string()),
            None => None,
        }
    };
    let resources = emitted.resources.iter().enumerate();
    resources
        .filter(|(_, r)| sources.file(r.header.file).in_scope)
        .filter_map(|(i, r)| Some((address(r)?, i)))
        .collect()
}

/// The declaration of a planned resource; of instances that the source does not distinguish, that of all.
fn source_of(planned: &Resource, index: &AddressIndex) -> Option<usize> {
    let address = &*planned.address.name;
    let bare = without_keys(address);
    let name_at = bare.rmatch_indices('.').nth(1).map_or(0, |(dot, _)| dot + 1);
    let (calls, name) = address.split_at(address.rfind(&bare[name_at..]).unwrap_or(0));
    let told_apart = [
        address.to_owned(),
        format!("{calls}{}", without_keys(name)),
        format!("{}{name}", without_keys(calls)),
        bare.clone(),
    ];
    told_apart.iter().find_map(|a| index.get(a)).copied()
}

/// `written` with what it leaves open as `planned` has it.
fn fill_in(written: &Value, planned: &Value, depth: u32) -> Value {
    if depth > MAX_DEPTH || !has_unknown(written, 0) || planned.is_unknown() || planned.is_null() {
        return written.clone();
    }
    let kind = match (&written.kind, &planned.kind) {
        (ValueKind::Json(inner), _) => match document(planned) {
            Some(planned) => ValueKind::Json(fill_in(inner, &planned, depth + 1).into()),
            None => return planned_value(written, planned),
        },
        (ValueKind::Map(entries), ValueKind::Map(_)) => ValueKind::Map(
            entries
                .iter()
                .map(|e| {
                    let planned = e.key.known().and_then(|key| planned.get(&key));
                    let value = planned.map(|p| fill_in(&e.value, p, depth + 1));
                    MapEntry {
                        value: value.unwrap_or_else(|| e.value.clone()),
                        ..e.clone()
                    }
                })
                .collect(),
        ),
        (ValueKind::Seq(items), _) if items.len() == planned.items().len() => {
            let pairs = items.iter().zip(planned.items());
            ValueKind::Seq(pairs.map(|(w, p)| fill_in(w, p, depth + 1)).collect())
        }
        (ValueKind::OneOf(branches), _) => {
            let taken = |b: &&Branch| is_equal(&b.value, planned, 0);
            return match branches.iter().find(taken) {
                Some(branch) => branch.value.clone(),
                None => planned_value(written, planned),
            };
        }
        (ValueKind::Str(text), ValueKind::Str(_)) if !text.is_known() => match (document(written), document(planned)) {
            (Some(inner), Some(planned)) => ValueKind::Json(fill_in(&inner, &planned, depth + 1).into()),
            _ => return planned_value(written, planned),
        },
        _ => return planned_value(written, planned),
    };
    Value {
        kind,
        ..written.clone()
    }
}

/// What the plan says, in the place of an expression: a word stands where the expression does, more than that where the plan
/// has it.
fn planned_value(written: &Value, planned: &Value) -> Value {
    match &planned.kind {
        ValueKind::Str(text) if document(planned).is_none() => match text.known() {
            Some(known) => Value {
                kind: ValueKind::Str(Text::synthetic(&known, written.span)),
                ..written.clone()
            },
            None => written.clone(),
        },
        ValueKind::Bool(_) | ValueKind::Num(_) => Value {
            kind: planned.kind.clone(),
            ..written.clone()
        },
        _ if has_unknown(planned, 0) => written.clone(),
        _ => planned.clone().used_at(written.span),
    }
}

/// The object that a text is the JSON of.
fn document(value: &Value) -> Option<Value> {
    data::embedded(value.as_text()?, value.span).map(|(inner, _)| inner)
}

/// Whether something in a value is not known that a plan may know.
fn has_unknown(value: &Value, depth: u32) -> bool {
    let open = |text: &Text| {
        let mut pieces = text.pieces().iter();
        pieces.any(|p| matches!(p, Piece::Hole(h) if !h.kind.is_placeholder()))
    };
    match &value.kind {
        _ if depth > MAX_DEPTH => false,
        ValueKind::Null | ValueKind::Bool(_) | ValueKind::Num(_) => false,
        ValueKind::Str(text) => open(text),
        ValueKind::Seq(items) => items.iter().any(|v| has_unknown(v, depth + 1)),
        ValueKind::Map(entries) => entries.iter().any(|e| open(&e.key) || has_unknown(&e.value, depth + 1)),
        ValueKind::Json(inner) => has_unknown(inner, depth + 1),
        ValueKind::OneOf(_) => true,
        ValueKind::Unknown(hole) => !hole.kind.is_placeholder(),
    }
}

/// Whether two values say the same, a list of one and its item being alike.
fn is_equal(a: &Value, b: &Value, depth: u32) -> bool {
    match (&a.kind, &b.kind) {
        _ if depth > MAX_DEPTH => false,
        (ValueKind::Json(inner), _) => document(b).is_some_and(|b| is_equal(inner, &b, depth + 1)),
        (ValueKind::Str(a), ValueKind::Str(b)) => a.known().is_some_and(|a| b.known() == Some(a)),
        (ValueKind::Map(a), ValueKind::Map(_)) => {
            let mut all = a
                .iter()
                .map(|e| e.key.known().and_then(|key| b.get(&key)).map(|v| (&e.value, v)));
            all.all(|pair| pair.is_some_and(|(a, b)| is_equal(a, b, depth + 1)))
        }
        (ValueKind::Seq(_), _) | (_, ValueKind::Seq(_)) => {
            let (a, b) = (a.items(), b.items());
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_equal(a, b, depth + 1))
        }
        (ValueKind::Num(_), _) => a.as_number() == b.as_number(),
        (ValueKind::Bool(a), ValueKind::Bool(b)) => a == b,
        (ValueKind::Null, ValueKind::Null) => true,
        _ => false,
    }
}
