//! Changes of a value in place: `x.append(v)`, `x["k"] = v`.

use crate::python::constants::{ConstantEvaluator, MAX_CHANGES, MAX_WEIGHT, map_alternatives, merge, open_entry};
use crate::python::{Binding, ExprId, ObjectChange, ReachingBindings};
use crate::source::{Hole, HoleKind, Text};
use crate::value::{Branch, Guard, MapEntry, Value, ValueKind};

impl ConstantEvaluator<'_> {
    /// `v`, as changed between `binding` and the point of `found`.
    pub(super) fn apply_changes(
        &self,
        module: usize,
        name: &str,
        found: &ReachingBindings<'_>,
        binding: &Binding,
        v: Value,
    ) -> Value {
        let m = self.module(module);
        let scope = m.scope(found.scope);
        let mut v = v;
        let changes = scope
            .mutations
            .iter()
            .filter(|c| &*c.name == name && c.at > binding.at && c.at <= found.until);
        for (n, c) in changes.enumerate() {
            if n >= MAX_CHANGES {
                return self.with_unknown_rest(v);
            }
            // A later binding that we don't see made this another object.
            if v.is_unknown() {
                return v;
            }
            let sure = m.covers(c.block, binding.block);
            let when = m.label(c.block).filter(|_| !sure).map(|label| Guard::from(&**label));
            v = self.change(module, v, &c.path, &c.change, (sure, when.as_ref()));
            if v.weight(MAX_WEIGHT) >= MAX_WEIGHT {
                return self.unknown(module, c.at);
            }
        }
        v
    }

    /// The value with a change, which is certain, or made where a condition holds.
    pub(super) fn change(
        &self,
        module: usize,
        v: Value,
        path: &[ExprId],
        change: &ObjectChange,
        sure: (bool, Option<&Guard>),
    ) -> Value {
        if matches!(v.kind, ValueKind::OneOf(_)) {
            let changed = map_alternatives(&v, v.span, &|one| {
                Some(self.change(module, one.clone(), path, change, sure))
            });
            return changed.unwrap_or(v);
        }
        let Some((first, rest)) = path.split_first() else {
            return self.change_here(module, v, change, sure);
        };
        let key = self.value(module, *first);
        let span = v.span;
        let via = v.via.clone();
        let kind = match (&v.kind, &key.kind) {
            (ValueKind::Map(entries), ValueKind::Str(t)) => {
                let Some(known) = t.known() else {
                    return self.with_unknown_rest(v);
                };
                let mut entries = entries.to_vec();
                let at = entries.iter().rposition(|e| e.key.known().as_deref() == Some(&*known));
                match (at, change) {
                    (None, ObjectChange::Set(e)) if rest.is_empty() => entries.push(MapEntry {
                        key: t.clone(),
                        key_span: key.span,
                        value: under_condition(sure.1, self.value(module, *e), None),
                    }),
                    (None, _) => {}
                    (Some(at), ObjectChange::Set(e)) if rest.is_empty() => {
                        let before = entries[at].value.clone();
                        entries[at].value = under_condition(sure.1, self.value(module, *e), Some(before));
                    }
                    (Some(at), _) => {
                        let inner = entries[at].value.clone();
                        entries[at].value = self.change(module, inner, rest, change, sure);
                    }
                }
                ValueKind::Map(entries.into())
            }
            (ValueKind::Seq(items), ValueKind::Num(n)) => {
                let mut items = items.to_vec();
                let at = n.parse::<usize>().ok().filter(|n| *n < items.len());
                match (at, change) {
                    (None, _) => return self.with_unknown_rest(v),
                    (Some(at), ObjectChange::Set(e)) if rest.is_empty() => {
                        let before = items[at].clone();
                        items[at] = under_condition(sure.1, self.value(module, *e), Some(before));
                    }
                    (Some(at), _) => {
                        let inner = items[at].clone();
                        items[at] = self.change(module, inner, rest, change, sure);
                    }
                }
                ValueKind::Seq(items.into())
            }
            _ => return self.with_unknown_rest(v),
        };
        Value { kind, span, via }
    }

    fn change_here(
        &self,
        module: usize,
        v: Value,
        change: &ObjectChange,
        (sure, when): (bool, Option<&Guard>),
    ) -> Value {
        let (span, via) = (v.span, v.via.clone());
        let kind = match (&v.kind, change) {
            (ValueKind::Seq(items), ObjectChange::Append(e)) => {
                let mut items = items.to_vec();
                items.push(under_condition(when, self.value(module, *e), None));
                ValueKind::Seq(items.into())
            }
            (ValueKind::Seq(items), ObjectChange::Extend(e)) => {
                let mut items = items.to_vec();
                match self.value(module, *e) {
                    more if more.as_seq().is_some() => {
                        items.extend(
                            more.items()
                                .iter()
                                .map(|item| under_condition(when, item.clone(), None)),
                        );
                    }
                    _ => items.push(self.unknown(module, *e)),
                }
                ValueKind::Seq(items.into())
            }
            (ValueKind::Str(t), ObjectChange::Extend(e)) => {
                let mut t = t.clone();
                match self.value(module, *e) {
                    more if sure && more.as_text().is_some() => t.append(&self.as_text(module, *e)),
                    _ => t.append(&Text::hole(Hole::new(HoleKind::Other, "…", self.span(module, *e)))),
                }
                ValueKind::Str(t)
            }
            (ValueKind::Map(entries), ObjectChange::Update(e)) => {
                let mut entries = entries.to_vec();
                match self.value(module, *e) {
                    more if more.entries().is_some() => {
                        let more = more.entries().unwrap_or_default().iter().map(|e| {
                            let name = e.key.known();
                            let before = entries.iter().rfind(|old| name.is_some() && old.key.known() == name);
                            MapEntry {
                                value: under_condition(when, e.value.clone(), before.map(|old| old.value.clone())),
                                ..e.clone()
                            }
                        });
                        let more: Vec<MapEntry> = more.collect();
                        merge(&mut entries, &more);
                    }
                    more => entries.push(open_entry(&more)),
                }
                ValueKind::Map(entries.into())
            }
            _ => return self.with_unknown_rest(v),
        };
        Value { kind, span, via }
    }

    /// `v` with an unknown rest.
    pub(super) fn with_unknown_rest(&self, v: Value) -> Value {
        let hole = || Value::unknown_other("…", v.span);
        let kind = match &v.kind {
            ValueKind::Seq(items) => {
                let mut items = items.to_vec();
                items.push(hole());
                ValueKind::Seq(items.into())
            }
            ValueKind::Map(entries) => {
                let mut entries = entries.to_vec();
                entries.push(open_entry(&hole()));
                ValueKind::Map(entries.into())
            }
            other => other.clone(),
        };
        Value { kind, ..v }
    }
}

/// A value that is there under a condition, and what is there otherwise.
fn under_condition(when: Option<&Guard>, value: Value, otherwise: Option<Value>) -> Value {
    let Some(when) = when else { return value };
    let span = value.span;
    let other = otherwise.map(|value| Branch {
        when: when.negated(),
        value,
    });
    let this = Branch {
        when: when.clone(),
        value,
    };
    let branches = std::iter::once(this).chain(other).flat_map(Branch::flatten);
    Value::new(ValueKind::OneOf(branches.collect()), span)
}
