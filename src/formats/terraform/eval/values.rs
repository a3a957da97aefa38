//! What evaluation asks of values: their items in Terraform's order, the way they travelled, how much of them is unknown.

use std::collections::HashMap;

use crate::source::{Hole, HoleKind, Piece, Span, Text};
pub(crate) use crate::value::inherited as inherit;
use crate::value::{Branch, MapEntry, Value, ValueKind};

/// Keys and values of a collection, in Terraform's order (objects by key); `None` when it is not known.
pub(crate) fn pairs(collection: &Value) -> Option<Vec<(Value, Value)>> {
    match &collection.kind {
        ValueKind::Seq(items) => Some(
            items
                .iter()
                .enumerate()
                .map(|(i, v)| {
                    let index = Value::new(ValueKind::Num(i.to_string().into()), v.span);
                    (index, inherit(v, &collection.via))
                })
                .collect(),
        ),
        ValueKind::Map(_) => {
            let entries = sorted_entries(collection);
            let keys = told_apart(entries.iter().map(|e| e.key.clone()));
            let each = keys.into_iter().zip(entries);
            Some(
                each.map(|(key, e)| (Value::text(key, e.key_span), inherit(&e.value, &collection.via)))
                    .collect(),
            )
        }
        ValueKind::Null => Some(Vec::new()),
        _ => None,
    }
}

/// The entries of an object by key, the last of equal ones; unknown keys at the end.
pub(crate) fn sorted_entries(map: &Value) -> Vec<&MapEntry> {
    let mut keyed: Vec<(Option<String>, usize, &MapEntry)> = map
        .entries()
        .unwrap_or(&[])
        .iter()
        .enumerate()
        .map(|(i, e)| (e.key.known().map(std::borrow::Cow::into_owned), i, e))
        .collect();
    keyed.sort_by(|a, b| (a.0.is_none(), &a.0, a.1).cmp(&(b.0.is_none(), &b.0, b.1)));
    let mut out: Vec<&MapEntry> = Vec::with_capacity(keyed.len());
    let mut last: Option<String> = None;
    for (key, _, entry) in keyed {
        if key.is_some() && key == last {
            out.pop();
        }
        last = key;
        out.push(entry);
    }
    out
}

/// Keys of one object. Two that are not known and read alike are two keys all the same: the second gets another name.
pub(crate) fn told_apart(keys: impl Iterator<Item = Text>) -> Vec<Text> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let each = keys.map(|key| {
        if key.is_known() {
            return key;
        }
        let before = seen.entry(key.display()).or_default();
        *before += 1;
        match *before {
            1 => key,
            n => numbered(&key, n),
        }
    });
    each.collect()
}

fn numbered(key: &Text, n: usize) -> Text {
    let mut out = Text::default();
    for piece in key.pieces() {
        match piece {
            Piece::Lit(_) => out.push(piece.clone()),
            Piece::Hole(hole) => out.append(&Text::hole(Hole {
                name: format!("{} #{n}", hole.name).into(),
                ..(**hole).clone()
            })),
        }
    }
    out
}

/// The entry whose key is the same text, known or not.
pub(crate) fn entry_of<'v>(map: &'v Value, key: &Text) -> Option<&'v MapEntry> {
    let entries = sorted_entries(map);
    let keys = told_apart(entries.iter().map(|e| e.key.clone()));
    let wanted = key.display();
    let at = keys
        .iter()
        .position(|k| k.is_known() == key.is_known() && k.display() == wanted)?;
    entries.get(at).copied()
}

/// Ends the name of an unknown item that stands for any number of items.
const SPREAD: &str = "[*]";

/// Whether an item may stand for another number of items than one: for any, or (an alternative alone) for none.
pub(crate) fn is_spread(value: &Value) -> bool {
    match &value.kind {
        ValueKind::Unknown(h) => h.name.ends_with(SPREAD),
        ValueKind::OneOf(branches) => branches.len() == 1,
        _ => false,
    }
}

/// The first item of a list. Of one that may be missing, what it is when it is there.
pub(crate) fn first(items: &[Value]) -> Option<Value> {
    let item = items.first()?;
    match &item.kind {
        ValueKind::OneOf(branches) if branches.len() == 1 => Some(inherit(&branches[0].value, &item.via)),
        _ => (!is_spread(item)).then(|| item.clone()),
    }
}

/// Whether two values say the same, wherever they are written.
pub(crate) fn is_equivalent(a: &Value, b: &Value, depth: u32) -> bool {
    let each = |a: &Value, b: &Value| is_equivalent(a, b, depth + 1);
    match (&a.kind, &b.kind) {
        _ if depth > 64 => false,
        (ValueKind::Str(a), ValueKind::Str(b)) => a.display() == b.display(),
        (ValueKind::Unknown(a), ValueKind::Unknown(b)) => a.name == b.name,
        (ValueKind::Seq(a), ValueKind::Seq(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| each(a, b)),
        (ValueKind::Map(a), ValueKind::Map(b)) => {
            let same = |(a, b): (&MapEntry, &MapEntry)| a.key.display() == b.key.display() && each(&a.value, &b.value);
            a.len() == b.len() && a.iter().zip(b.iter()).all(same)
        }
        (ValueKind::Json(a), ValueKind::Json(b)) => each(a, b),
        (ValueKind::OneOf(a), ValueKind::OneOf(b)) => {
            let same = |(a, b): (&Branch, &Branch)| a.when == b.when && each(&a.value, &b.value);
            a.len() == b.len() && a.iter().zip(b.iter()).all(same)
        }
        (a, b) => a == b,
    }
}

/// An unknown item that stands for all of an unknown list.
pub(crate) fn spread_of(list: &Value, span: Span, name: &str) -> Value {
    let mut hole = match &list.kind {
        ValueKind::Unknown(h) => (**h).clone(),
        _ => Hole::new(HoleKind::Other, name, span),
    };
    if !hole.name.ends_with(SPREAD) {
        hole.name = format!("{}{SPREAD}", hole.name).into();
    }
    hole.target = None;
    Value {
        span,
        ..Value::unknown(hole)
    }
}

/// One element of a list that is not known and comes from outside.
pub(crate) fn element_of(list: &Value) -> Option<Value> {
    let hole = list.as_hole().filter(|h| !h.kind.is_placeholder())?;
    let mut element = Hole::new(hole.kind, hole.name.trim_end_matches(SPREAD), hole.span);
    element.name = format!("{}{SPREAD}", element.name).into();
    Some(Value {
        span: list.span,
        ..Value::unknown(element)
    })
}

/// The items of a list that is made of an unknown one, where the form of its elements is known: one element, and any number of
/// others.
pub(crate) fn items_of_known_form(element: Value, list: &Value, span: Span, name: &str) -> Option<Vec<Value>> {
    let has_form = element
        .as_text()
        .is_some_and(|t| !t.is_known() && t.as_hole().is_none());
    has_form.then(|| vec![element, spread_of(list, span, name)])
}

/// What is made of unknown values: a name or ARN where all of them are, else what the first that is not one is.
pub(crate) fn derived_kind(from: &[Value]) -> HoleKind {
    let open = |h: &Hole| !h.kind.is_placeholder();
    let first = from.iter().find_map(|v| find_hole(v, 0, &open));
    let any = from.iter().find_map(|v| find_hole(v, 0, &|_| true));
    match (first, any) {
        (Some(hole), _) => hole.kind,
        (None, Some(_)) => HoleKind::Existing,
        (None, None) => HoleKind::Other,
    }
}

/// The first unknown part of a value that is as wanted.
fn find_hole<'v>(value: &'v Value, depth: u32, wanted: &dyn Fn(&Hole) -> bool) -> Option<&'v Hole> {
    if depth > 4 {
        return None;
    }
    let within = |v: &'v Value| find_hole(v, depth + 1, wanted);
    match &value.kind {
        ValueKind::Unknown(h) => Some(&**h).filter(|h| wanted(h)),
        ValueKind::Str(t) => t.holes().find(|h| wanted(h)),
        ValueKind::Seq(items) => items.iter().take(64).find_map(within),
        ValueKind::Map(entries) => entries.iter().take(64).find_map(|e| within(&e.value)),
        ValueKind::Json(inner) => within(inner),
        ValueKind::OneOf(branches) => branches.iter().find_map(|b| within(&b.value)),
        _ => None,
    }
}
