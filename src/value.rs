//! Evaluated values: what an expression of any format amounts to, with the place where each part was written.
//!
//! **Invariant:** every value carries the span of where it was *written*, however far it travelled; the places it was
//! *used* at are in [`Value::via`], nearest use last. What is not known before deployment is a [`ValueKind::Unknown`] value or
//! a hole in a [`Text`], never an absence.

pub mod guard;

use std::collections::HashSet;
use std::sync::Arc;

use crate::source::{Hole, HoleKind, Span, Text};

pub use guard::Guard;

/// Deepest value that is walked: what evaluation makes is never deeper in code that people write.
pub const MAX_DEPTH: u32 = 64;

/// One step that a value travelled: the expression that used it.
#[derive(Debug, PartialEq, Eq)]
pub struct ProvenanceStep {
    /// The reference: `local.actions`, `!Ref P`, a module argument.
    pub span: Span,
    /// The step before this one, nearer to where the value is written.
    pub from: Provenance,
}

/// How a value came here; `None` when it stands where it is used.
pub type Provenance = Option<Arc<ProvenanceStep>>;

/// An evaluated value.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    pub kind: ValueKind,
    /// Where it is written: with its quotes for a string, the whole block for a map made of blocks.
    pub span: Span,
    pub via: Provenance,
}

/// What a value is. Cloning is cheap.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueKind {
    Null,
    Bool(bool),
    /// As written: `1`, `1.5`, `1e3`.
    Num(Arc<str>),
    Str(Text),
    Seq(Arc<[Value]>),
    /// In order, duplicates kept.
    Map(Arc<[MapEntry]>),
    /// A string that is the JSON of the value inside (`jsonencode`, `json.dumps`, `Fn::ToJsonString`, a
    /// `policy_document.json`): the spans inside stay those of the value.
    Json(Arc<Value>),
    /// One of these, decided at deployment (`Fn::If`, an unknown conditional).
    OneOf(Arc<[Branch]>),
    /// Not known. As an item of a sequence it may stand for any number of items.
    Unknown(Arc<Hole>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct MapEntry {
    pub key: Text,
    /// With its quotes.
    pub key_span: Span,
    pub value: Value,
}

impl MapEntry {
    /// An entry whose key is made, not written: it lies at `span`.
    pub fn synthetic(key: &str, span: Span, value: Value) -> Self {
        Self {
            key: Text::synthetic(key, span),
            key_span: span,
            value,
        }
    }
}

/// The entries of a map, and whether each goes on with one before it: two parts of one value that is written in blocks, each
/// of which names the key. No text has two values in one place.
pub fn parts(entries: &[MapEntry]) -> impl Iterator<Item = (bool, &MapEntry)> {
    let whole = entries.first().map(|e| e.value.span);
    let mut seen = HashSet::new();
    let several = entries.len() > 1;
    entries.iter().map(move |e| {
        let in_blocks = several && Some(e.value.span) == whole;
        (in_blocks && !seen.insert(e.key.display()), e)
    })
}

/// One alternative of [`ValueKind::OneOf`].
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// When it is the one.
    pub when: Guard,
    pub value: Value,
}

impl Branch {
    /// The alternative, or those that it is made of itself; what cannot be is left out.
    pub fn flatten(self) -> Vec<Self> {
        let ValueKind::OneOf(inner) = &self.value.kind else {
            return vec![self];
        };
        let possible = inner.iter().filter(|b| !self.when.excludes(&b.when));
        possible
            .map(|b| Self {
                when: self.when.and(&b.when),
                value: inherited(&b.value, &self.value.via),
            })
            .collect()
    }
}

/// `value`, reached through a container that travelled `via`.
pub fn inherited(value: &Value, via: &Provenance) -> Value {
    let Some(step) = via else {
        return value.clone();
    };
    let mut value = value.clone();
    value.via = match value.via {
        None => Some(step.clone()),
        Some(inner) => {
            // The container's steps, oldest first, on top of the value's own.
            let mut steps = Vec::new();
            let mut at = Some(step);
            while let Some(s) = at
                && steps.len() < 16
            {
                steps.push(s.span);
                at = s.from.as_ref();
            }
            let mut chain = Some(inner);
            for span in steps.into_iter().rev() {
                chain = Some(Arc::new(ProvenanceStep { span, from: chain }));
            }
            chain
        }
    };
    value
}

impl Value {
    pub fn new(kind: ValueKind, span: Span) -> Self {
        Self { kind, span, via: None }
    }

    pub fn text(text: Text, span: Span) -> Self {
        Self::new(ValueKind::Str(text), span)
    }

    /// A known string that was made, not written.
    pub fn synthetic(text: &str, span: Span) -> Self {
        Self::text(Text::synthetic(text, span), span)
    }

    pub fn seq(items: Vec<Self>, span: Span) -> Self {
        Self::new(ValueKind::Seq(items.into()), span)
    }

    pub fn map(entries: Vec<MapEntry>, span: Span) -> Self {
        Self::new(ValueKind::Map(entries.into()), span)
    }

    pub fn json(inner: Self, span: Span) -> Self {
        Self::new(ValueKind::Json(Arc::new(inner)), span)
    }

    pub fn unknown(hole: Hole) -> Self {
        let span = hole.span;
        Self::new(ValueKind::Unknown(Arc::new(hole)), span)
    }

    pub fn unknown_other(name: impl Into<Arc<str>>, span: Span) -> Self {
        Self::unknown(Hole::new(HoleKind::Other, name, span))
    }

    /// How many values it is made of, long texts and those of many pieces being several; counted up to `cap`.
    pub fn weight(&self, cap: usize) -> usize {
        let mut stack = vec![self];
        let mut n = 0;
        while let Some(v) = stack.pop() {
            n += 1;
            if n >= cap {
                break;
            }
            match &v.kind {
                ValueKind::Seq(items) => stack.extend(items.iter()),
                ValueKind::Map(entries) => stack.extend(entries.iter().map(|e| &e.value)),
                ValueKind::Json(inner) => stack.push(inner),
                ValueKind::OneOf(branches) => stack.extend(branches.iter().map(|b| &b.value)),
                ValueKind::Str(t) => n += t.pieces().len() / 4 + t.len() / 256,
                ValueKind::Null | ValueKind::Bool(_) | ValueKind::Num(_) | ValueKind::Unknown(_) => {}
            }
        }
        n
    }

    /// The same value, seen through a reference at `span`.
    #[must_use]
    pub fn used_at(mut self, span: Span) -> Self {
        self.via = Some(Arc::new(ProvenanceStep { span, from: self.via }));
        self
    }

    /// The value itself, or what an encoded string holds.
    pub fn decoded(&self) -> &Self {
        match &self.kind {
            ValueKind::Json(inner) => inner.decoded(),
            _ => self,
        }
    }

    pub fn as_text(&self) -> Option<&Text> {
        match &self.kind {
            ValueKind::Str(t) => Some(t),
            _ => None,
        }
    }

    /// A known string.
    pub fn as_str(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.as_text()?.known()
    }

    /// The text, or all of it as one hole.
    pub fn to_text(&self) -> Option<Text> {
        match &self.kind {
            ValueKind::Str(text) => Some(text.clone()),
            ValueKind::Unknown(hole) => Some(Text::hole((**hole).clone())),
            _ => None,
        }
    }

    /// A known truth value; the strings "true" and "false" count.
    pub fn as_bool(&self) -> Option<bool> {
        match &self.kind {
            ValueKind::Bool(b) => Some(*b),
            ValueKind::Str(t) => match &*t.known()? {
                "true" | "True" => Some(true),
                "false" | "False" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    pub fn as_number(&self) -> Option<f64> {
        match &self.kind {
            ValueKind::Num(n) => n.parse().ok(),
            ValueKind::Str(t) => t.known()?.parse().ok(),
            _ => None,
        }
    }

    pub fn as_seq(&self) -> Option<&[Self]> {
        match &self.kind {
            ValueKind::Seq(items) => Some(items),
            _ => None,
        }
    }

    pub fn entries(&self) -> Option<&[MapEntry]> {
        match &self.kind {
            ValueKind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The last entry with this key, as every reader of JSON takes it.
    pub fn entry(&self, key: &str) -> Option<&MapEntry> {
        self.entries()?
            .iter()
            .rev()
            .find(|e| e.key.known().as_deref() == Some(key))
    }

    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|e| &e.value)
    }

    /// Follows keys: `path(&["PolicyDocument", "Statement"])`.
    pub fn path(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |v, k| v.get(k))
    }

    /// The value without the items that stand for what an input may add; see [`HoleKind::Default`].
    #[must_use]
    pub fn without_additions(&self) -> Self {
        let adds = |v: &Self| v.as_hole().is_some_and(|h| h.kind == HoleKind::Default);
        let kind = match &self.kind {
            ValueKind::Seq(items) => {
                ValueKind::Seq(items.iter().filter(|v| !adds(v)).map(Self::without_additions).collect())
            }
            ValueKind::Map(entries) => {
                let entry = |e: &MapEntry| MapEntry {
                    value: e.value.without_additions(),
                    ..e.clone()
                };
                ValueKind::Map(entries.iter().map(entry).collect())
            }
            ValueKind::Json(inner) => ValueKind::Json(inner.without_additions().into()),
            ValueKind::OneOf(branches) => {
                let branch = |b: &Branch| Branch {
                    value: b.value.without_additions(),
                    ..b.clone()
                };
                ValueKind::OneOf(branches.iter().map(branch).collect())
            }
            ValueKind::Unknown(_) if adds(self) => ValueKind::Null,
            _ => return self.clone(),
        };
        Self { kind, ..self.clone() }
    }

    /// A list's items, or the value itself as the only one.
    pub fn items(&self) -> &[Self] {
        match &self.kind {
            ValueKind::Seq(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    pub fn is_unknown(&self) -> bool {
        matches!(self.kind, ValueKind::Unknown(_))
    }

    pub fn is_null(&self) -> bool {
        matches!(self.kind, ValueKind::Null)
    }

    /// The hole that is the whole value, be it a value or a text.
    pub fn as_hole(&self) -> Option<&Hole> {
        match &self.kind {
            ValueKind::Unknown(h) => Some(h),
            ValueKind::Str(t) => t.as_hole(),
            _ => None,
        }
    }

    /// Every single value, in order: of lists and of conditionals, however they are nested, or itself. Null is not one.
    pub fn each_value<'v>(&'v self, f: &mut dyn FnMut(&'v Self)) {
        let mut open = vec![self];
        while let Some(value) = open.pop() {
            match &value.kind {
                ValueKind::Seq(items) => open.extend(items.iter().rev()),
                ValueKind::OneOf(branches) => open.extend(branches.iter().rev().map(|b| &b.value)),
                ValueKind::Null => {}
                _ => f(value),
            }
        }
    }

    /// Whether one of its cases is no value at all.
    pub fn may_be_absent(&self) -> bool {
        match &self.kind {
            ValueKind::OneOf(branches) => {
                !guard::is_certain(branches.iter().map(|b| &b.when)) || branches.iter().any(|b| b.value.may_be_absent())
            }
            ValueKind::Null => true,
            ValueKind::Unknown(hole) => hole.kind == HoleKind::Default,
            _ => false,
        }
    }

    /// Each text within, known or not, in order: also those in maps and in JSON.
    pub fn each_text<'v>(&'v self, f: &mut dyn FnMut(&'v Self)) {
        let mut open = vec![self];
        while let Some(value) = open.pop() {
            match &value.kind {
                ValueKind::Str(_) | ValueKind::Unknown(_) => f(value),
                ValueKind::Seq(items) => open.extend(items.iter().rev()),
                ValueKind::Map(entries) => open.extend(entries.iter().rev().map(|e| &e.value)),
                ValueKind::OneOf(branches) => open.extend(branches.iter().rev().map(|b| &b.value)),
                ValueKind::Json(inner) => open.push(inner),
                ValueKind::Null | ValueKind::Bool(_) | ValueKind::Num(_) => {}
            }
        }
    }

    /// As [`Value::each_text`], with the key that is nearest above each; `""` where it has no key.
    pub fn each_setting<'v>(&'v self, f: &mut dyn FnMut(&str, &'v Self)) {
        let mut open = vec![(String::new(), self)];
        while let Some((key, value)) = open.pop() {
            match &value.kind {
                ValueKind::Str(_) | ValueKind::Unknown(_) => f(&key, value),
                ValueKind::Seq(items) => open.extend(items.iter().rev().map(|v| (key.clone(), v))),
                ValueKind::Map(entries) => open.extend(entries.iter().rev().map(|e| (e.key.display(), &e.value))),
                ValueKind::OneOf(branches) => open.extend(branches.iter().rev().map(|b| (key.clone(), &b.value))),
                ValueKind::Json(inner) => open.push((key, inner)),
                ValueKind::Null | ValueKind::Bool(_) | ValueKind::Num(_) => {}
            }
        }
    }

    /// "a string", "a list", … for messages.
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            ValueKind::Null => "null",
            ValueKind::Bool(_) => "a boolean",
            ValueKind::Num(_) => "a number",
            ValueKind::Str(_) | ValueKind::Json(_) => "a string",
            ValueKind::Seq(_) => "a list",
            ValueKind::Map(_) => "an object",
            ValueKind::OneOf(_) | ValueKind::Unknown(_) => "unknown",
        }
    }
}
