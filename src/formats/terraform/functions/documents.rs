//! Functions on strings, where the string is the JSON of a document.

use crate::source::{Span, Text};
use crate::value::{Branch, Entry, Kind, Value};

use super::super::texts::replace;
use super::Call;

/// A document, or one that is there in one case only.
pub(super) fn is_document(value: &Value) -> bool {
    match &value.kind {
        Kind::Json(_) => true,
        Kind::OneOf(branches) => matches!(&**branches, [only] if matches!(only.value.kind, Kind::Json(_))),
        _ => false,
    }
}

/// A document in which the texts are changed: `replace(data.aws_iam_policy_document.d.json, "_BUCKET_", …)`.
pub(super) fn replaced(call: &Call<'_, '_>) -> Option<Value> {
    let document = call.arguments.first()?;
    let (search, with) = (call.known(1)?, call.text(2)?);
    if search.is_empty() || search.len() > 1 && search.starts_with('/') && search.ends_with('/') {
        return None;
    }
    let are_documents = match &document.kind {
        Kind::Json(_) => true,
        Kind::OneOf(branches) => branches.iter().all(|b| matches!(b.value.kind, Kind::Json(_))),
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
        Kind::Str(text) => Kind::Str(change(text, value.span)?),
        Kind::Seq(items) => Kind::Seq(items.iter().map(each).collect::<Option<_>>()?),
        Kind::Json(inner) => Kind::Json(each(inner)?.into()),
        Kind::Map(entries) => {
            let entry = |e: &Entry| {
                Some(Entry {
                    key: change(&e.key, e.key_span)?,
                    value: each(&e.value)?,
                    ..e.clone()
                })
            };
            Kind::Map(entries.iter().map(entry).collect::<Option<_>>()?)
        }
        Kind::OneOf(branches) => {
            let branch = |b: &Branch| {
                Some(Branch {
                    value: each(&b.value)?,
                    ..b.clone()
                })
            };
            Kind::OneOf(branches.iter().map(branch).collect::<Option<_>>()?)
        }
        _ => return Some(value.clone()),
    };
    Some(Value { kind, ..value.clone() })
}
