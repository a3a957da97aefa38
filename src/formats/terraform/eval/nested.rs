//! The nested blocks of a statement of `aws_iam_policy_document`: principals and conditions.
//!
//! AWS provider documentation, "Data Source: aws_iam_policy_document".

use std::collections::HashMap;

use crate::source::{Hole, HoleKind, Lit, Piece, Span, Text};
use crate::value::{Branch, Guard, MapEntry, Value, ValueKind};

use crate::formats::terraform::eval::policy_document::{as_set, lost_entry};
use crate::formats::terraform::eval::to_string::to_text;
use crate::formats::terraform::eval::values::inherit;

/// A nested block: its type's span, its arguments, and the alternative it belongs to.
pub(crate) type NestedBlock = (Span, Value, Option<Guard>);

/// The nested blocks of one type, with the span of the type; lists of JSON syntax and dynamic blocks spread out.
pub(crate) fn nested_blocks(entries: &[MapEntry], name: &str) -> Vec<NestedBlock> {
    fn spread(key: Span, value: &Value, branch: Option<&Guard>, out: &mut Vec<NestedBlock>) {
        match &value.kind {
            ValueKind::Seq(items) => items
                .iter()
                .for_each(|v| spread(key, &inherit(v, &value.via), branch, out)),
            ValueKind::OneOf(branches) => branches.iter().for_each(|b| spread(key, &b.value, Some(&b.when), out)),
            ValueKind::Null => {}
            _ => out.push((key, value.clone(), branch.cloned())),
        }
    }
    let mut out = Vec::new();
    for e in entries.iter().filter(|e| e.key.known().as_deref() == Some(name)) {
        spread(e.key_span, &e.value, None, &mut out);
    }
    out
}

/// Principals that exist under conditions, where no two of these may be met at once but are the same, and what stands in
/// them is known.
pub(crate) fn alternatives(blocks: &[NestedBlock]) -> Option<Value> {
    let mut cases: Vec<(Guard, Vec<NestedBlock>)> = Vec::new();
    for (key, block, when) in blocks {
        let when = when.as_ref()?;
        let known = |name: &str| block.get(name).is_some_and(|v| !v.is_unknown());
        if !known("type") || !known("identifiers") {
            return None;
        }
        let block = (*key, block.clone(), None);
        match cases.iter().position(|(other, _)| other == when) {
            Some(i) => cases[i].1.push(block),
            None if cases.iter().all(|(other, _)| other.excludes(when)) => cases.push((when.clone(), vec![block])),
            None => return None,
        }
    }
    let branches: Vec<Branch> = cases
        .into_iter()
        .map(|(when, blocks)| Branch {
            when,
            value: principals(&blocks),
        })
        .collect();
    let span = branches.first()?.value.span;
    Some(Value::new(ValueKind::OneOf(branches.into()), span))
}

/// Values that exist only under a condition stay so.
pub(crate) fn conditioned(value: Value, branch: Option<&Guard>) -> Value {
    match branch {
        Some(when) => {
            let span = value.span;
            let branch = Branch {
                when: when.clone(),
                value,
            };
            Value::new(ValueKind::OneOf(vec![branch].into()), span)
        }
        None => value,
    }
}

/// The text of a string argument, with the place it is written at.
fn key_text(value: Option<&Value>, at: Span) -> (Text, Span) {
    match value {
        Some(v) => match to_text(v) {
            Some(text) => (text, v.span),
            None => (Text::hole(Hole::new(HoleKind::Other, "…", v.span)), v.span),
        },
        None => (Text::hole(Hole::new(HoleKind::Other, "…", at)), at),
    }
}

pub(crate) fn principals(blocks: &[NestedBlock]) -> Value {
    let span = blocks.iter().skip(1).fold(blocks[0].1.span, |s, b| s.cover(b.1.span));
    if let [(_, only, None)] = blocks
        && only.get("type").and_then(Value::as_str).as_deref() == Some("*")
        && let Some([everyone]) = only.get("identifiers").map(Value::items)
        && everyone.as_str().as_deref() == Some("*")
    {
        return everyone.clone();
    }
    let mut entries: Vec<MapEntry> = Vec::new();
    for (key, block, branch) in blocks {
        if block.is_unknown() {
            let (text, at) = key_text(None, *key);
            entries.push(MapEntry {
                key: text,
                key_span: at,
                value: block.clone(),
            });
            continue;
        }
        let (kind, key_span) = key_text(block.get("type"), *key);
        let identifiers = match block.get("identifiers") {
            Some(v) => conditioned(with_variables(&as_set(v)), branch.as_ref()),
            None => match lost_entry(block, 0) {
                Some(entry) => entry.value,
                None => continue,
            },
        };
        push_merged(&mut entries, kind, key_span, identifiers);
    }
    Value::map(entries, span)
}

/// Adds values under a key; a key that is there already gets the values of both.
fn push_merged(entries: &mut Vec<MapEntry>, key: Text, key_span: Span, value: Value) {
    let shown = key.display();
    let Some(old) = entries.iter_mut().find(|e| e.key.display() == shown) else {
        entries.push(MapEntry { key, key_span, value });
        return;
    };
    let spread = |v: &Value| match &v.kind {
        ValueKind::Seq(items) => items.iter().map(|i| inherit(i, &v.via)).collect(),
        _ => vec![v.clone()],
    };
    let mut items: Vec<Value> = spread(&old.value);
    items.extend(spread(&value));
    old.value = Value::seq(items, old.value.span);
}

pub(crate) fn condition(blocks: &[NestedBlock]) -> Value {
    let span = blocks.iter().skip(1).fold(blocks[0].1.span, |s, b| s.cover(b.1.span));
    let mut tests: Vec<(Text, Span, Vec<MapEntry>)> = Vec::new();
    let mut at: HashMap<(String, String), usize> = HashMap::new();
    for (key, block, branch) in blocks {
        let (test, test_span) = key_text(block.get("test"), *key);
        let (variable, variable_span) = key_text(block.get("variable"), *key);
        let values = match block.get("values") {
            Some(v) => with_variables(v),
            None if block.is_unknown() => block.clone(),
            None => lost_entry(block, 0).map_or_else(|| Value::seq(Vec::new(), block.span), |entry| entry.value),
        };
        let values = conditioned(values, branch.as_ref());
        // Each block names the operator anew; those of one key are one line.
        let next = tests.len();
        let at = *at.entry((test.display(), variable.display())).or_insert(next);
        if at == next {
            tests.push((test, test_span, Vec::new()));
        }
        push_merged(&mut tests[at].2, variable, variable_span, values);
    }
    let entries = tests.into_iter().map(|(key, key_span, keys)| MapEntry {
        key,
        key_span,
        value: Value::map(keys, span),
    });
    Value::map(entries.collect(), span)
}

/// `&{aws:username}` is how `${aws:username}` is written here.
pub(crate) fn with_variables(value: &Value) -> Value {
    let kind = match &value.kind {
        ValueKind::Str(text) => ValueKind::Str(variables(text)),
        ValueKind::Seq(items) => ValueKind::Seq(items.iter().map(with_variables).collect()),
        ValueKind::OneOf(branches) => ValueKind::OneOf(
            branches
                .iter()
                .map(|b| Branch {
                    when: b.when.clone(),
                    value: with_variables(&b.value),
                })
                .collect(),
        ),
        _ => return value.clone(),
    };
    Value { kind, ..value.clone() }
}

fn variables(text: &Text) -> Text {
    let has = |p: &Piece| matches!(p, Piece::Lit(l) if l.text.contains("&{"));
    if !text.pieces().iter().any(has) {
        return text.clone();
    }
    let pieces = text.pieces().iter().map(|p| match p {
        // Both spellings are of one length, so the places stay right.
        Piece::Lit(l) => Piece::Lit(Lit {
            text: l.text.replace("&{", "${").into(),
            map: l.map.clone(),
        }),
        Piece::Hole(_) => p.clone(),
    });
    Text::from_pieces(pieces)
}
