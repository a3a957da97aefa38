//! Evaluated values: what an expression of any format amounts to, with the place where each part was written.
//!
//! **Invariant:** every value carries the span of where it was *written*, however far it travelled; the places it was
//! *used* at are in [`Value::via`], nearest use last. What is not known before deployment is a [`Kind::Unknown`] value or
//! a hole in a [`Text`], never an absence.

pub mod guard;

use std::collections::HashSet;
use std::sync::Arc;

use crate::source::{Hole, HoleKind, Span, Text};

pub use guard::Guard;

/// One step that a value travelled: the expression that used it.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// The reference: `local.actions`, `!Ref P`, a module argument.
    pub span: Span,
    /// The step before this one, nearer to where the value is written.
    pub from: Via,
}

/// How a value came here; `None` when it stands where it is used.
pub type Via = Option<Arc<Step>>;

/// An evaluated value.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    pub kind: Kind,
    /// Where it is written: with its quotes for a string, the whole block for a map made of blocks.
    pub span: Span,
    pub via: Via,
}

/// What a value is. Cloning is cheap.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Null,
    Bool(bool),
    /// As written: `1`, `1.5`, `1e3`.
    Num(Arc<str>),
    Str(Text),
    Seq(Arc<[Value]>),
    /// In order, duplicates kept.
    Map(Arc<[Entry]>),
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
pub struct Entry {
    pub key: Text,
    /// With its quotes.
    pub key_span: Span,
    pub value: Value,
}

/// The entries of a map, and whether each goes on with one before it: two parts of one value that is written in blocks, each
/// of which names the key. No text has two values in one place.
pub fn parts(entries: &[Entry]) -> impl Iterator<Item = (bool, &Entry)> {
    let whole = entries.first().map(|e| e.value.span);
    let mut seen = HashSet::new();
    let several = entries.len() > 1;
    entries.iter().map(move |e| {
        let in_blocks = several && Some(e.value.span) == whole;
        (in_blocks && !seen.insert(e.key.display()), e)
    })
}

/// One alternative of [`Kind::OneOf`].
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// When it is the one.
    pub when: Guard,
    pub value: Value,
}

impl Branch {
    /// The alternative, or those that it is made of itself; what cannot be is left out.
    pub fn spread(self) -> Vec<Self> {
        let Kind::OneOf(inner) = &self.value.kind else {
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
pub fn inherited(value: &Value, via: &Via) -> Value {
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
                chain = Some(Arc::new(Step { span, from: chain }));
            }
            chain
        }
    };
    value
}

impl Value {
    pub fn new(kind: Kind, span: Span) -> Self {
        Self { kind, span, via: None }
    }

    pub fn text(text: Text, span: Span) -> Self {
        Self::new(Kind::Str(text), span)
    }

    /// A known string that was made, not written.
    pub fn made(text: &str, span: Span) -> Self {
        Self::text(Text::made(text, span), span)
    }

    pub fn seq(items: Vec<Self>, span: Span) -> Self {
        Self::new(Kind::Seq(items.into()), span)
    }

    pub fn map(entries: Vec<Entry>, span: Span) -> Self {
        Self::new(Kind::Map(entries.into()), span)
    }

    pub fn json(inner: Self, span: Span) -> Self {
        Self::new(Kind::Json(Arc::new(inner)), span)
    }

    pub fn unknown(hole: Hole) -> Self {
        let span = hole.span;
        Self::new(Kind::Unknown(Arc::new(hole)), span)
    }

    pub fn other(name: impl Into<Arc<str>>, span: Span) -> Self {
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
                Kind::Seq(items) => stack.extend(items.iter()),
                Kind::Map(entries) => stack.extend(entries.iter().map(|e| &e.value)),
                Kind::Json(inner) => stack.push(inner),
                Kind::OneOf(branches) => stack.extend(branches.iter().map(|b| &b.value)),
                Kind::Str(t) => n += t.pieces().len() / 4 + t.len() / 256,
                Kind::Null | Kind::Bool(_) | Kind::Num(_) | Kind::Unknown(_) => {}
            }
        }
        n
    }

    /// The same value, seen through a reference at `span`.
    #[must_use]
    pub fn used_at(mut self, span: Span) -> Self {
        self.via = Some(Arc::new(Step { span, from: self.via }));
        self
    }

    /// The value itself, or what an encoded string holds.
    pub fn decoded(&self) -> &Self {
        match &self.kind {
            Kind::Json(inner) => inner.decoded(),
            _ => self,
        }
    }

    pub fn as_text(&self) -> Option<&Text> {
        match &self.kind {
            Kind::Str(t) => Some(t),
            _ => None,
        }
    }

    /// A known string.
    pub fn as_str(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.as_text()?.known()
    }

    /// A known truth value; the strings "true" and "false" count.
    pub fn as_bool(&self) -> Option<bool> {
        match &self.kind {
            Kind::Bool(b) => Some(*b),
            Kind::Str(t) => match &*t.known()? {
                "true" | "True" => Some(true),
                "false" | "False" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    pub fn as_number(&self) -> Option<f64> {
        match &self.kind {
            Kind::Num(n) => n.parse().ok(),
            Kind::Str(t) => t.known()?.parse().ok(),
            _ => None,
        }
    }

    pub fn as_seq(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::Seq(items) => Some(items),
            _ => None,
        }
    }

    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The last entry with this key, as every reader of JSON takes it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
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
            Kind::Seq(items) => Kind::Seq(items.iter().filter(|v| !adds(v)).map(Self::without_additions).collect()),
            Kind::Map(entries) => {
                let entry = |e: &Entry| Entry {
                    value: e.value.without_additions(),
                    ..e.clone()
                };
                Kind::Map(entries.iter().map(entry).collect())
            }
            Kind::Json(inner) => Kind::Json(inner.without_additions().into()),
            Kind::OneOf(branches) => {
                let branch = |b: &Branch| Branch {
                    value: b.value.without_additions(),
                    ..b.clone()
                };
                Kind::OneOf(branches.iter().map(branch).collect())
            }
            Kind::Unknown(_) if adds(self) => Kind::Null,
            _ => return self.clone(),
        };
        Self { kind, ..self.clone() }
    }

    /// A list's items, or the value itself as the only one.
    pub fn items(&self) -> &[Self] {
        match &self.kind {
            Kind::Seq(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    pub fn is_unknown(&self) -> bool {
        matches!(self.kind, Kind::Unknown(_))
    }

    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// The hole that is the whole value, be it a value or a text.
    pub fn as_hole(&self) -> Option<&Hole> {
        match &self.kind {
            Kind::Unknown(h) => Some(h),
            Kind::Str(t) => t.as_hole(),
            _ => None,
        }
    }

    /// Every single value, in order: of lists and of conditionals, however they are nested, or itself. Null is none.
    pub fn each<'v>(&'v self, f: &mut dyn FnMut(&'v Self)) {
        let mut open = vec![self];
        while let Some(value) = open.pop() {
            match &value.kind {
                Kind::Seq(items) => open.extend(items.iter().rev()),
                Kind::OneOf(branches) => open.extend(branches.iter().rev().map(|b| &b.value)),
                Kind::Null => {}
                _ => f(value),
            }
        }
    }

    /// "a string", "a list", … for messages.
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Null => "null",
            Kind::Bool(_) => "a boolean",
            Kind::Num(_) => "a number",
            Kind::Str(_) | Kind::Json(_) => "a string",
            Kind::Seq(_) => "a list",
            Kind::Map(_) => "an object",
            Kind::OneOf(_) | Kind::Unknown(_) => "unknown",
        }
    }
}
