//! A statement of the CDK as its parts come together: from the constructor, from later calls.

use super::cdk::CdkPrincipal;
use super::resources::synthetic_entry;
use crate::source::{Span, Text};
use crate::value::{MapEntry, Value, ValueKind};

/// The elements of a statement as they are gathered.
#[derive(Default)]
pub(super) struct PartialStatement {
    entries: Vec<MapEntry>,
}

impl PartialStatement {
    pub(super) fn set(&mut self, key: &str, at: Span, value: Value) {
        self.entries.push(MapEntry {
            key: Text::synthetic(key, at),
            key_span: at,
            value,
        });
    }

    /// The element, as a list or a map that more goes into.
    fn element(&mut self, key: &str, at: Span, empty: ValueKind) -> &mut Value {
        let i = match self.entries.iter().position(|e| e.key.known().as_deref() == Some(key)) {
            Some(i) => i,
            None => {
                self.set(key, at, Value::new(empty, at));
                self.entries.len() - 1
            }
        };
        &mut self.entries[i].value
    }

    pub(super) fn add(&mut self, key: &str, at: Span, value: Value) {
        let element = self.element(key, at, ValueKind::Seq(Vec::new().into()));
        let mut items = match element.as_seq() {
            Some(items) => items.to_vec(),
            None => vec![element.clone()],
        };
        items.push(value);
        *element = Value::seq(items, element.span);
    }

    pub(super) fn principal(&mut self, key: &str, at: Span, who: CdkPrincipal) {
        for conditions in who.conditions {
            self.condition(conditions.span, conditions);
        }
        let element = self.element(key, at, ValueKind::Map(Vec::new().into()));
        let Some(entries) = element.entries() else { return };
        let mut entries = entries.to_vec();
        match entries.iter_mut().find(|e| e.key.known().as_deref() == Some(who.kind)) {
            Some(e) => {
                let mut items = e.value.items().to_vec();
                items.push(who.value);
                e.value = Value::seq(items, at);
            }
            None => {
                entries.push(synthetic_entry(who.kind, Value::seq(vec![who.value], at)));
                entries.sort_by_key(|e| e.key.known().map(|k| k.into_owned()));
            }
        }
        *element = Value::map(entries, at);
    }

    /// Conditions are all asked for: those of another operator join, those of the same one too.
    pub(super) fn condition(&mut self, at: Span, more: Value) {
        let element = self.element("Condition", at, ValueKind::Map(Vec::new().into()));
        let (Some(old), Some(new)) = (element.entries(), more.entries()) else {
            *element = match more.entries() {
                Some(_) => element.clone(),
                None => more,
            };
            return;
        };
        let mut entries = old.to_vec();
        for e in new {
            match entries.iter_mut().find(|o| o.key.known() == e.key.known()) {
                Some(o) => {
                    let keys = o.value.entries().unwrap_or_default().iter();
                    let all = keys.chain(e.value.entries().unwrap_or_default()).cloned().collect();
                    o.value = Value::map(all, o.value.span);
                }
                None => entries.push(e.clone()),
            }
        }
        let span = if old.is_empty() { more.span } else { element.span };
        *element = Value::map(entries, span);
    }

    pub(super) fn value(mut self, effect: Value, span: Span) -> Value {
        self.entries.insert(0, synthetic_entry("Effect", effect));
        Value::map(self.entries, span)
    }
}
