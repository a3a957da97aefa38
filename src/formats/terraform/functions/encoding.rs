//! JSON, YAML, base64 and the like.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::formats::plain;
use crate::source::Text;
use crate::value::{Kind, Value};

use super::super::values::inherit;
use super::Call;

/// Longest text that is encoded or decoded, in bytes.
const MAX_ENCODED: usize = 1_000_000;

pub(super) fn apply(call: &Call<'_, '_>) -> Option<Value> {
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
        "base64encode" => match call.known(0) {
            Some(text) if text.len() <= MAX_ENCODED => Value::made(&STANDARD.encode(text), call.span),
            _ => call.unknown(),
        },
        "base64decode" => match call.known(0) {
            Some(text) if text.len() <= MAX_ENCODED => match STANDARD.decode(text).map(String::from_utf8) {
                Ok(Ok(text)) => Value::made(&text, call.span),
                _ => call.fail(),
            },
            _ => call.unknown(),
        },
        "urlencode" => match call.known(0) {
            Some(text) if text.len() <= MAX_ENCODED => Value::made(&url_encoded(&text), call.span),
            _ => call.unknown(),
        },
        _ => return None,
    })
}

fn decode(call: &Call<'_, '_>) -> Value {
    let Some(value) = call.get(0) else {
        return call.fail();
    };
    match &value.kind {
        Kind::Json(inner) => inherit(inner, &value.via),
        Kind::Str(text) => {
            let scalar = |kind: Kind| Value::new(kind, value.span);
            let decoded = match text.known().as_deref().map(str::trim) {
                Some("null") => scalar(Kind::Null),
                Some("true") => scalar(Kind::Bool(true)),
                Some("false") => scalar(Kind::Bool(false)),
                Some(n) if n.parse::<f64>().is_ok() => scalar(Kind::Num(n.into())),
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

fn tree_value(call: &Call<'_, '_>, text: &Text, value: &Value) -> Option<Value> {
    if text.len() > MAX_ENCODED {
        return Some(call.unknown());
    }
    if call.name == "yamldecode" {
        return plain::from_yaml(text, value.span);
    }
    let tree = crate::syntax::json::parse_text(text, value.span);
    if !tree.problems.is_empty() && text.is_known() {
        return None;
    }
    Some(plain::value(&tree, *tree.roots.first()?))
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
