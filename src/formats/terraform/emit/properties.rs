//! Arguments of Terraform as the properties of a canonical resource.

use crate::formats::terraform::emit::aws;
use crate::formats::terraform::eval::blocks::BlockItem;
use crate::model::resource_types::TerraformType;
use crate::source::{Hole, HoleKind, Span, Text};
use crate::value::{Branch, MapEntry, Value, ValueKind};

/// Arguments under CloudFormation's names.
pub(crate) fn properties(row: &TerraformType, items: Vec<BlockItem>, span: Span) -> Value {
    let mut entries: Vec<MapEntry> = Vec::new();
    for item in items {
        let name = item.entry.key.display();
        let target = property(row, &name);
        let mut entry = item.entry;
        if item.block {
            entry.value = renamed(row, &name, entry.value, 0);
        }
        let value = match aws::is_required(row.name, &name) {
            true => Some(required_value(entry.value, &name)),
            false => without_null(entry.value),
        };
        if let Some(value) = value {
            entry.value = value;
            put_at(&mut entries, &target, entry, item.block);
        }
    }
    Value::map(entries, span)
}

/// The value of an argument that must have one. A variable whose default is null or empty gets its value from a caller.
fn required_value(value: Value, name: &str) -> Value {
    let empty = match &value.kind {
        ValueKind::Null => true,
        ValueKind::Str(text) => value.via.is_some() && text.is_empty(),
        ValueKind::OneOf(branches) => {
            let branches = branches.iter().map(|b| Branch {
                when: b.when.clone(),
                value: required_value(b.value.clone(), name),
            });
            return Value {
                kind: ValueKind::OneOf(branches.collect()),
                ..value
            };
        }
        _ => false,
    };
    match empty {
        true => Value::unknown(Hole::new(HoleKind::Input, name, value.span)),
        false => value,
    }
}

fn property(row: &TerraformType, name: &str) -> String {
    let listed = row.arguments.iter().find(|(argument, _)| *argument == name);
    listed.map_or_else(|| aws::pascal(name), |(_, property)| (*property).to_owned())
}

/// Arguments of a nested block under CloudFormation's names.
fn renamed(row: &TerraformType, path: &str, value: Value, depth: u32) -> Value {
    if depth > 8 {
        return value;
    }
    let kind = match &value.kind {
        ValueKind::OneOf(branches) => ValueKind::OneOf(
            branches
                .iter()
                .map(|b| Branch {
                    when: b.when.clone(),
                    value: renamed(row, path, b.value.clone(), depth + 1),
                })
                .collect(),
        ),
        // As plans write blocks.
        ValueKind::Seq(items) if items.iter().all(|v| v.entries().is_some()) => match items.as_ref() {
            [only] if depth == 0 => return renamed(row, path, only.clone(), depth + 1),
            _ => ValueKind::Seq(items.iter().map(|v| renamed(row, path, v.clone(), depth + 1)).collect()),
        },
        ValueKind::Map(inner) => {
            let mut entries: Vec<MapEntry> = Vec::new();
            for e in inner.iter() {
                let name = e.key.display();
                let nested = format!("{path}.{name}");
                let listed = row.arguments.iter().find(|(argument, _)| *argument == nested);
                let target = listed.map_or_else(|| aws::pascal(&name), |(_, p)| (*p).to_owned());
                // A block's span is more than its value's when it has a type in front.
                let block = match &e.value.kind {
                    ValueKind::Map(_) => e.value.span.contains(e.key_span),
                    ValueKind::Seq(items) => !items.is_empty() && items.iter().all(|v| v.entries().is_some()),
                    _ => false,
                };
                let value = if block {
                    renamed(row, &nested, e.value.clone(), depth + 1)
                } else {
                    e.value.clone()
                };
                let Some(value) = without_null(value) else { continue };
                let entry = MapEntry { value, ..e.clone() };
                put_at(&mut entries, &target, entry, block);
            }
            ValueKind::Map(entries.into())
        }
        _ => return value,
    };
    Value { kind, ..value }
}

/// Puts a value at `X`, `X/Y` or `X[]`; blocks that occur again make a list.
fn put_at(entries: &mut Vec<MapEntry>, target: &str, mut entry: MapEntry, block: bool) {
    if let Some((outer, inner)) = target.split_once('/') {
        let (key_span, span) = (entry.key_span, entry.value.span);
        let mut nested = match entries.iter().position(|e| e.key.known().as_deref() == Some(outer)) {
            Some(i) => entries
                .remove(i)
                .value
                .entries()
                .map(<[MapEntry]>::to_vec)
                .unwrap_or_default(),
            None => Vec::new(),
        };
        put_at(&mut nested, inner, entry, block);
        entries.push(MapEntry::synthetic(outer, key_span, Value::map(nested, span)));
        return;
    }
    let (name, list) = match target.strip_suffix("[]") {
        Some(name) => (name, true),
        None => (target, false),
    };
    if list && !matches!(entry.value.kind, ValueKind::Seq(_) | ValueKind::Unknown(_)) {
        let (span, via) = (entry.value.span, entry.value.via.clone());
        entry.value = Value {
            via,
            ..Value::seq(vec![entry.value], span)
        };
    }
    entry.key = Text::synthetic(name, entry.key_span);
    let before = entries.iter_mut().find(|e| e.key.known().as_deref() == Some(name));
    match before {
        Some(old) if block || list => {
            let mut items = match &old.value.kind {
                ValueKind::Seq(items) => items.to_vec(),
                _ => vec![old.value.clone()],
            };
            match &entry.value.kind {
                ValueKind::Seq(more) => items.extend(more.iter().cloned()),
                _ => items.push(entry.value),
            }
            old.value = Value::seq(items, old.value.span);
        }
        _ => entries.push(entry),
    }
}

/// `None` for null; alternatives without those that are null.
fn without_null(value: Value) -> Option<Value> {
    match &value.kind {
        ValueKind::Null => None,
        ValueKind::OneOf(branches) if branches.iter().any(|b| b.value.is_null()) => {
            let left: Vec<Branch> = branches.iter().filter(|b| !b.value.is_null()).cloned().collect();
            (!left.is_empty()).then(|| Value {
                kind: ValueKind::OneOf(left.into()),
                ..value
            })
        }
        _ => Some(value),
    }
}
