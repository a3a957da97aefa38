//! The Globals section. SAM Developer Guide, "Globals section of the AWS SAM template".

use crate::source::Span;
use crate::value::{MapEntry, Value, ValueKind};

/// What a function may not inherit: it would be ignored or refused.
const NOT_INHERITED: [&str; 4] = ["Role", "Policies", "FunctionName", "Events"];
/// Lists that the resource replaces instead of adding to.
const REPLACED: [&str; 1] = ["Architectures"];

/// `props` with what `globals` adds: maps are merged and lists put together, global items first; for all else the resource
/// wins. What comes from the Globals section is used at `at`.
pub(super) fn merge_globals(globals: Option<&Value>, props: &[MapEntry], at: Span) -> Vec<MapEntry> {
    let Some(globals) = globals.and_then(Value::entries) else {
        return props.to_vec();
    };
    let mut out = props.to_vec();
    for global in globals {
        let name = global.key.known().unwrap_or_default();
        if NOT_INHERITED.contains(&&*name) {
            continue;
        }
        match out.iter_mut().find(|e| e.key.known().as_deref() == Some(&*name)) {
            Some(_) if REPLACED.contains(&&*name) => {}
            Some(own) => own.value = merge(&global.value, &own.value, at),
            None => out.push(used_at(global, at)),
        }
    }
    out
}

fn merge(global: &Value, own: &Value, at: Span) -> Value {
    match (&global.kind, &own.kind) {
        (ValueKind::Map(theirs), ValueKind::Map(ours)) => {
            let mut out = ours.to_vec();
            for entry in theirs.iter() {
                let name = entry.key.display();
                match out.iter_mut().find(|e| e.key.display() == name) {
                    Some(e) => e.value = merge(&entry.value, &e.value, at),
                    None => out.push(used_at(entry, at)),
                }
            }
            Value {
                kind: ValueKind::Map(out.into()),
                ..own.clone()
            }
        }
        (ValueKind::Seq(theirs), ValueKind::Seq(ours)) => {
            let items = theirs.iter().map(|v| v.clone().used_at(at)).chain(ours.iter().cloned());
            Value {
                kind: ValueKind::Seq(items.collect()),
                ..own.clone()
            }
        }
        _ => own.clone(),
    }
}

fn used_at(entry: &MapEntry, at: Span) -> MapEntry {
    MapEntry {
        value: entry.value.clone().used_at(at),
        ..entry.clone()
    }
}
