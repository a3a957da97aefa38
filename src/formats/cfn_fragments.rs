//! Pieces of CloudFormation outside its templates: policies that a program or another tool puts into one.
//!
//! **Invariant:** nothing is resolved; a function of CloudFormation is what it may be, never an object of the policy.

use std::sync::Arc;

use super::text_templates::substituted;
use crate::formats::cloudformation::eval::text::pseudo;
use crate::source::{Hole, HoleKind, Text};
use crate::value::{MAX_DEPTH, MapEntry, Value, ValueKind};

/// Whether a text may hold such a function.
pub(super) fn has_functions(text: &str) -> bool {
    text.contains("Fn::") || text.contains("\"Ref\"") || text.contains("'Ref'")
}

/// `value` with holes for `{"Ref": …}` and `{"Fn::…": …}`; of `Fn::Sub` and `Fn::Join` the text as far as it is written.
/// CloudFormation User Guide, "Intrinsic function reference".
pub(super) fn with_holes(value: &Value, depth: u32) -> Value {
    if depth > MAX_DEPTH {
        return value.clone();
    }
    let kind = match &value.kind {
        ValueKind::Seq(items) => ValueKind::Seq(items.iter().map(|v| with_holes(v, depth + 1)).collect()),
        ValueKind::Json(inner) => ValueKind::Json(Arc::new(with_holes(inner, depth + 1))),
        ValueKind::Map(entries) => match entries.as_ref() {
            [only] => match function(only, value, depth) {
                Some(kind) => kind,
                None => ValueKind::Map([resolve_entry(only, depth)].into()),
            },
            _ => ValueKind::Map(entries.iter().map(|e| resolve_entry(e, depth)).collect()),
        },
        _ => return value.clone(),
    };
    Value { kind, ..value.clone() }
}

fn resolve_entry(e: &MapEntry, depth: u32) -> MapEntry {
    MapEntry {
        value: with_holes(&e.value, depth + 1),
        ..e.clone()
    }
}

fn function(e: &MapEntry, whole: &Value, depth: u32) -> Option<ValueKind> {
    let name = e.key.known()?;
    let argument = || with_holes(&e.value, depth + 1);
    let open = |name: &str| ValueKind::Unknown(Arc::new(Hole::new(HoleKind::Input, name, whole.span)));
    Some(match &*name {
        "Ref" => {
            let of = e.value.as_str()?;
            ValueKind::Unknown(Arc::new(Hole::new(kind_of(&of), &*of, whole.span)))
        }
        "Fn::Sub" => match argument().kind {
            ValueKind::Str(text) => ValueKind::Str(substituted(&text, kind_of)),
            ValueKind::Seq(parts) => match parts.first().map(|p| &p.kind) {
                Some(ValueKind::Str(text)) => ValueKind::Str(substituted(text, kind_of)),
                _ => open(&name),
            },
            _ => open(&name),
        },
        "Fn::Join" => joined(&argument()).map_or_else(|| open(&name), ValueKind::Str),
        _ if name.starts_with("Fn::") => open(&name),
        _ => return None,
    })
}

/// `[between, [parts]]`, where all parts are texts or holes.
fn joined(argument: &Value) -> Option<Text> {
    let [between, parts] = argument.items() else {
        return None;
    };
    let (ValueKind::Str(between), ValueKind::Seq(parts)) = (&between.kind, &parts.kind) else {
        return None;
    };
    let mut out = Text::default();
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            out.append(between);
        }
        match &part.kind {
            ValueKind::Str(text) => out.append(text),
            ValueKind::Unknown(hole) => out.append(&Text::hole((**hole).clone())),
            _ => return None,
        }
    }
    Some(out)
}

fn kind_of(name: &str) -> HoleKind {
    pseudo(name).unwrap_or(HoleKind::Input)
}
