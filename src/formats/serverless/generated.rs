//! Names and values of what the framework generates.

use crate::source::Span;
use crate::value::{MapEntry, Value, ValueKind};

/// The name in logical ids: `my-fn_a` is `MyDashfnUnderscorea`. Serverless Framework, "Resource naming".
pub(super) fn normalize(name: &str) -> String {
    let name = name.replace('-', "Dash").replace('_', "Underscore");
    let mut chars = name.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

/// A policy with these statements.
pub(super) fn document(statements: Vec<Value>, at: Span, span: Span) -> Value {
    map_at(
        vec![
            ("Version", Value::synthetic("2012-10-17", at)),
            ("Statement", Value::seq(statements, span)),
        ],
        at,
        span,
    )
}

pub(super) fn map(entries: Vec<(&str, Value)>, at: Span) -> Value {
    map_at(entries, at, at)
}

fn map_at(entries: Vec<(&str, Value)>, at: Span, span: Span) -> Value {
    let entries = entries
        .into_iter()
        .map(|(name, value)| MapEntry::synthetic(name, at, value));
    Value::new(ValueKind::Map(entries.collect()), span)
}
