//! Pieces of CloudFormation outside its templates: policies that a program or another tool puts into one.
//!
//! **Invariant:** nothing is resolved; a function of CloudFormation is what it may be, never an object of the policy.

use std::sync::Arc;

use super::cloudformation::text::pseudo;
use super::templated::substituted;
use crate::source::{Hole, HoleKind, Text};
use crate::value::{Entry, Kind, Value};

/// Deepest value that is looked into.
const MAX_DEPTH: u32 = 64;

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
        Kind::Seq(items) => Kind::Seq(items.iter().map(|v| with_holes(v, depth + 1)).collect()),
        Kind::Json(inner) => Kind::Json(Arc::new(with_holes(inner, depth + 1))),
        Kind::Map(entries) => match entries.as_ref() {
            [only] => match function(only, value, depth) {
                Some(kind) => kind,
                None => Kind::Map([within(only, depth)].into()),
            },
            _ => Kind::Map(entries.iter().map(|e| within(e, depth)).collect()),
        },
        _ => return value.clone(),
    };
    Value { kind, ..value.clone() }
}

fn within(e: &Entry, depth: u32) -> Entry {
    Entry {
        value: with_holes(&e.value, depth + 1),
        ..e.clone()
    }
}

fn function(e: &Entry, whole: &Value, depth: u32) -> Option<Kind> {
    let name = e.key.known()?;
    let argument = || with_holes(&e.value, depth + 1);
    let open = |name: &str| Kind::Unknown(Arc::new(Hole::new(HoleKind::Input, name, whole.span)));
    Some(match &*name {
        "Ref" => {
            let of = e.value.as_str()?;
            Kind::Unknown(Arc::new(Hole::new(kind_of(&of), &*of, whole.span)))
        }
        "Fn::Sub" => match argument().kind {
            Kind::Str(text) => Kind::Str(substituted(&text, kind_of)),
            Kind::Seq(parts) => match parts.first().map(|p| &p.kind) {
                Some(Kind::Str(text)) => Kind::Str(substituted(text, kind_of)),
                _ => open(&name),
            },
            _ => open(&name),
        },
        "Fn::Join" => joined(&argument()).map_or_else(|| open(&name), Kind::Str),
        _ if name.starts_with("Fn::") => open(&name),
        _ => return None,
    })
}

/// `[between, [parts]]`, where all parts are texts or holes.
fn joined(argument: &Value) -> Option<Text> {
    let [between, parts] = argument.items() else {
        return None;
    };
    let (Kind::Str(between), Kind::Seq(parts)) = (&between.kind, &parts.kind) else {
        return None;
    };
    let mut out = Text::default();
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            out.append(between);
        }
        match &part.kind {
            Kind::Str(text) => out.append(text),
            Kind::Unknown(hole) => out.append(&Text::hole((**hole).clone())),
            _ => return None,
        }
    }
    Some(out)
}

fn kind_of(name: &str) -> HoleKind {
    pseudo(name).unwrap_or(HoleKind::Input)
}
