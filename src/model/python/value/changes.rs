//! Changes of a value in place: `x.append(v)`, `x["k"] = v`.

use super::super::{Binding, Change, ExprId, Found};
use super::{MAX_CHANGES, MAX_WEIGHT, Values, merge, open_entry, weight};
use crate::source::{Hole, HoleKind, Text};
use crate::value::{Entry, Kind, Value};

impl Values<'_> {
    /// `v`, as changed between `binding` and the point of `found`.
    pub(super) fn changed(&self, module: usize, name: &str, found: &Found<'_>, binding: &Binding, v: Value) -> Value {
        let m = self.module(module);
        let scope = m.scope(found.scope);
        let mut v = v;
        let changes = scope
            .mutations
            .iter()
            .filter(|c| &*c.name == name && c.at > binding.at && c.at <= found.until);
        for (n, c) in changes.enumerate() {
            if n >= MAX_CHANGES {
                return self.open(v);
            }
            // A later binding that we don't see made this another object.
            if v.is_unknown() {
                return v;
            }
            let sure = m.covers(c.block, binding.block);
            v = self.change(module, v, &c.path, &c.change, sure);
            if weight(&v, MAX_WEIGHT) >= MAX_WEIGHT {
                return self.unknown(module, c.at);
            }
        }
        v
    }

    pub(super) fn change(&self, module: usize, v: Value, path: &[ExprId], change: &Change, sure: bool) -> Value {
        let Some((first, rest)) = path.split_first() else {
            return self.change_here(module, v, change, sure);
        };
        let key = self.value(module, *first);
        let span = v.span;
        let via = v.via.clone();
        let kind = match (&v.kind, &key.kind) {
            (Kind::Map(entries), Kind::Str(t)) => {
                let Some(known) = t.known() else { return self.open(v) };
                let mut entries = entries.to_vec();
                let at = entries.iter().rposition(|e| e.key.known().as_deref() == Some(&*known));
                match (at, change) {
                    (None, Change::Set(e)) if rest.is_empty() => entries.push(Entry {
                        key: t.clone(),
                        key_span: key.span,
                        value: self.value(module, *e),
                    }),
                    (None, _) => {}
                    (Some(at), Change::Set(e)) if rest.is_empty() => entries[at].value = self.value(module, *e),
                    (Some(at), _) => {
                        let inner = entries[at].value.clone();
                        entries[at].value = self.change(module, inner, rest, change, sure);
                    }
                }
                Kind::Map(entries.into())
            }
            (Kind::Seq(items), Kind::Num(n)) => {
                let mut items = items.to_vec();
                let at = n.parse::<usize>().ok().filter(|n| *n < items.len());
                match (at, change) {
                    (None, _) => return self.open(v),
                    (Some(at), Change::Set(e)) if rest.is_empty() => items[at] = self.value(module, *e),
                    (Some(at), _) => {
                        let inner = items[at].clone();
                        items[at] = self.change(module, inner, rest, change, sure);
                    }
                }
                Kind::Seq(items.into())
            }
            _ => return self.open(v),
        };
        Value { kind, span, via }
    }

    pub(super) fn change_here(&self, module: usize, v: Value, change: &Change, sure: bool) -> Value {
        let (span, via) = (v.span, v.via.clone());
        let kind = match (&v.kind, change) {
            (Kind::Seq(items), Change::Append(e)) => {
                let mut items = items.to_vec();
                items.push(self.value(module, *e));
                Kind::Seq(items.into())
            }
            (Kind::Seq(items), Change::Extend(e)) => {
                let mut items = items.to_vec();
                match self.value(module, *e) {
                    more if more.as_seq().is_some() => items.extend(more.items().iter().cloned()),
                    _ => items.push(self.unknown(module, *e)),
                }
                Kind::Seq(items.into())
            }
            (Kind::Str(t), Change::Extend(e)) => {
                let mut t = t.clone();
                match self.value(module, *e) {
                    more if sure && more.as_text().is_some() => t.append(&self.as_text(module, *e)),
                    _ => t.append(&Text::hole(Hole::new(HoleKind::Other, "…", self.span(module, *e)))),
                }
                Kind::Str(t)
            }
            (Kind::Map(entries), Change::Update(e)) => {
                let mut entries = entries.to_vec();
                match self.value(module, *e) {
                    more if more.entries().is_some() => merge(&mut entries, more.entries().unwrap_or_default()),
                    more => entries.push(open_entry(&more)),
                }
                Kind::Map(entries.into())
            }
            _ => return self.open(v),
        };
        Value { kind, span, via }
    }

    /// `v` with an unknown rest.
    pub(super) fn open(&self, v: Value) -> Value {
        let hole = || Value::other("…", v.span);
        let kind = match &v.kind {
            Kind::Seq(items) => {
                let mut items = items.to_vec();
                items.push(hole());
                Kind::Seq(items.into())
            }
            Kind::Map(entries) => {
                let mut entries = entries.to_vec();
                entries.push(open_entry(&hole()));
                Kind::Map(entries.into())
            }
            other => other.clone(),
        };
        Value { kind, ..v }
    }
}
