//! JSON, YAML, base64 and the like.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::formats::data;
use crate::source::Text;
use crate::value::{MapEntry, Value, ValueKind};

use crate::formats::terraform::eval::evaluator::MAX_ITEMS;
use crate::formats::terraform::eval::functions::FunctionCall;
use crate::formats::terraform::eval::values::inherit;

/// Longest text that is encoded or decoded, in bytes.
const MAX_ENCODED: usize = 1_000_000;

pub(super) fn apply(call: &FunctionCall<'_, '_>) -> Option<Value> {
    Some(match call.name {
        "jsonencode" | "yamlencode" => match call.get(0) {
            Some(value) => Value {
                via: value.via.clone(),
                ..Value::json(
                    Value {
                        via: None,
                        ..value.clone()
                    },
                    call.span,
                )
            },
            None => call.fail(),
        },
        "jsondecode" | "yamldecode" => decode(call),
        "csvdecode" => rows(call),
        "base64encode" => match call.known_text(0) {
            Some(text) if text.len() <= MAX_ENCODED => Value::synthetic(&STANDARD.encode(text), call.span),
            _ => call.unknown(),
        },
        "base64decode" => match call.known_text(0) {
            Some(text) if text.len() <= MAX_ENCODED => match STANDARD.decode(text).map(String::from_utf8) {
                Ok(Ok(text)) => Value::synthetic(&text, call.span),
                _ => call.fail(),
            },
            _ => call.unknown(),
        },
        "urlencode" => match call.known_text(0) {
            Some(text) if text.len() <= MAX_ENCODED => Value::synthetic(&url_encoded(&text), call.span),
            _ => call.unknown(),
        },
        _ => return None,
    })
}

fn decode(call: &FunctionCall<'_, '_>) -> Value {
    let Some(value) = call.get(0) else {
        return call.fail();
    };
    match &value.kind {
        ValueKind::Json(inner) => inherit(inner, &value.via),
        ValueKind::Str(text) => {
            let scalar = |kind: ValueKind| Value::new(kind, value.span);
            let decoded = match text.known().as_deref().map(str::trim) {
                Some("null") => scalar(ValueKind::Null),
                Some("true") => scalar(ValueKind::Bool(true)),
                Some("false") => scalar(ValueKind::Bool(false)),
                Some(n) if n.parse::<f64>().is_ok() => scalar(ValueKind::Num(n.into())),
                Some("") | None if text.as_hole().is_some() => return call.unknown(),
                _ => match tree_value(call, text, value) {
                    Some(decoded) => decoded,
                    None => return call.fail(),
                },
            };
            inherit(&decoded, &value.via)
        }
        _ => call.unknown(),
    }
}

/// An object for each line after the first, which names its fields; each value lies where it is written.
fn rows(call: &FunctionCall<'_, '_>) -> Value {
    let Some(text) = call.text(0).filter(|t| t.is_known() && t.len() <= MAX_ENCODED) else {
        return call.unknown();
    };
    let flat = text.with_placeholders();
    // A quote that is part of a field is rare in what policies are made of.
    if flat.contains("\"\"") {
        return call.unknown();
    }
    let mut lines: Vec<Vec<Text>> = Vec::new();
    let (mut fields, mut start, mut quoted) = (Vec::new(), 0, false);
    let field = |range: std::ops::Range<usize>| {
        let written = flat[range.clone()].trim_end_matches('\r');
        let inner = written.strip_prefix('"').and_then(|w| w.strip_suffix('"'));
        let from = range.start + usize::from(inner.is_some());
        text.slice(from..from + inner.unwrap_or(written).len())
    };
    let end = flat.strip_suffix('\n').map_or(flat.len(), str::len);
    for (i, b) in flat.bytes().enumerate().take(end) {
        match b {
            b'"' => quoted = !quoted,
            b',' | b'\n' if !quoted => {
                fields.push(field(start..i));
                start = i + 1;
                if b == b'\n' {
                    lines.push(std::mem::take(&mut fields));
                }
            }
            _ => {}
        }
    }
    fields.push(field(start..end));
    lines.push(fields);
    let mut lines = lines.into_iter();
    let names = lines.next().unwrap_or_default();
    if lines.len() > MAX_ITEMS || !call.evaluator.spend(lines.len() * names.len()) {
        return call.over_budget();
    }
    let via = call.get(0).and_then(|v| v.via.clone());
    let object = |line: Vec<Text>| {
        let entries = names.iter().zip(line).map(|(name, value)| {
            let at = value.span_of(0..value.len()).unwrap_or(call.span);
            MapEntry {
                key: name.clone(),
                key_span: at,
                value: Value::text(value, at),
            }
        });
        Value::map(entries.collect(), call.span)
    };
    inherit(&call.seq(lines.map(object).collect()), &via)
}

fn tree_value(call: &FunctionCall<'_, '_>, text: &Text, value: &Value) -> Option<Value> {
    if text.len() > MAX_ENCODED {
        return Some(call.unknown());
    }
    if call.name == "yamldecode" {
        return data::from_yaml(text, value.span);
    }
    let tree = crate::syntax::json::parse_text(text, value.span);
    if !tree.problems.is_empty() && text.is_known() {
        return None;
    }
    Some(data::value(&tree, *tree.roots.first()?))
}

fn url_encoded(text: &str) -> String {
    let mut out = String::new();
    for b in text.bytes() {
        match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(b as char),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}
