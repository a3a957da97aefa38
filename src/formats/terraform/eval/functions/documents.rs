//! Functions on strings, where the string is the JSON of a document.

use crate::source::{Span, Text};
use crate::value::{Branch, MapEntry, Value, ValueKind};

use crate::formats::terraform::eval::functions::FunctionCall;
use crate::formats::terraform::eval::to_string::replace;

/// A document, or one that is there in one case only.
pub(super) fn is_document(value: &Value) -> bool {
    match &value.kind {
        ValueKind::Json(_) => true,
        ValueKind::OneOf(branches) => matches!(&**branches, [only] if matches!(only.value.kind, ValueKind::Json(_))),
        _ => false,
    }
}

/// A document in which the texts are changed: `replace(data.aws_iam_policy_document.d.json, "_BUCKET_", …)`.
pub(super) fn replaced(call: &FunctionCall<'_, '_>) -> Option<Value> {
    let document = call.arguments.first()?;
    let (search, with) = (call.known_text(1)?, call.text(2)?);
    if search.is_empty() || search.len() > 1 && search.starts_with('/') && search.ends_with('/') {
        return None;
    }
    let are_documents = match &document.kind {
        ValueKind::Json(_) => true,
        ValueKind::OneOf(branches) => branches.iter().all(|b| matches!(b.value.kind, ValueKind::Json(_))),
        _ => false,
    };
    let change = |text: &Text, span| replace(call.evaluator, text, &search, &with, span);
    are_documents.then(|| in_texts(document, &change, 0)).flatten()
}

/// A value with all its texts changed; `None` where one of them cannot be.
fn in_texts(value: &Value, change: &dyn Fn(&Text, Span) -> Option<Text>, depth: u32) -> Option<Value> {
    if depth > 32 {
        return None;
    }
    let each = |v: &Value| in_texts(v, change, depth + 1);
    let kind = match &value.kind {
        ValueKind::Str(text) => ValueKind::Str(change(text, value.span)?),
        ValueKind::Seq(items) => ValueKind::Seq(items.iter().map(each).collect::<Option<_>>()?),
        ValueKind::Json(inner) => ValueKind::Json(each(inner)?.into()),
        ValueKind::Map(entries) => {
            let entry = |e: &MapEntry| {
                Some(MapEntry {
                    key: change(&e.key, e.key_span)?,
                    value: each(&e.value)?,
                    ..e.clone()
                })
            };
            ValueKind::Map(entries.iter().map(entry).collect::<Option<_>>()?)
        }
        ValueKind::OneOf(branches) => {
            let branch = |b: &Branch| {
                Some(Branch {
                    value: each(&b.value)?,
                    ..b.clone()
                })
            };
            ValueKind::OneOf(branches.iter().map(branch).collect::<Option<_>>()?)
        }
        _ => return Some(value.clone()),
    };
    Some(Value { kind, ..value.clone() })
}
