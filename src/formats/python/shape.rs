//! Whether a value looks like a policy.

use crate::value::{Kind, Value};

/// How many alternatives and encodings are looked into.
const MAX_DEPTH: u32 = 6;

/// A document with statements, as a dict or as JSON text.
pub(super) fn is_document(v: &Value) -> bool {
    document(v, 0)
}

fn document(v: &Value, depth: u32) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    match &v.kind {
        Kind::Map(_) => {
            let dated = v.get("Version").is_some();
            match v.get("Statement") {
                Some(s) => match &s.kind {
                    Kind::Seq(items) => {
                        let fits = |i: &Value| i.entries().is_some() && looks_like_statement(i);
                        items.iter().all(|i| i.entries().is_none() || looks_like_statement(i))
                            // Without a version it may be an intermediate form of some program: the statements must
                            // be written here.
                            && (dated || items.iter().any(|i| fits(i) && i.via.is_none()))
                    }
                    Kind::Map(_) => looks_like_statement(s) && (dated || s.via.is_none()),
                    Kind::Unknown(_) | Kind::OneOf(_) => dated,
                    _ => false,
                },
                None => false,
            }
        }
        Kind::Str(t) => {
            let flat = t.with_placeholders();
            is_json_document(&flat)
        }
        Kind::Json(inner) => document(inner, depth + 1),
        Kind::OneOf(branches) => branches.iter().any(|b| document(&b.value, depth + 1)),
        _ => false,
    }
}

/// The JSON text of a document, judged by its words.
pub(super) fn is_json_document(text: &str) -> bool {
    text.trim_start().starts_with('{') && text.contains("\"Statement\"") && text.contains("\"Effect\"")
}

/// An object with some element of a statement.
fn looks_like_statement(v: &Value) -> bool {
    v.entries().is_some_and(|entries| {
        entries.is_empty()
            || entries.iter().any(|e| {
                matches!(
                    e.key.known().as_deref(),
                    Some("Effect" | "Action" | "NotAction" | "Resource" | "NotResource" | "Principal") | None
                )
            })
    })
}

/// A whole statement outside a document: who or what, and which effect.
pub(super) fn is_statement(v: &Value) -> bool {
    let effect = v.get("Effect").and_then(Value::as_str);
    let has = |names: &[&str]| names.iter().any(|n| v.get(n).is_some());
    matches!(effect.as_deref(), Some("Allow" | "Deny"))
        && has(&["Action", "NotAction"])
        && has(&["Resource", "NotResource", "Principal", "NotPrincipal"])
}
