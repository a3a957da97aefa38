//! The `Condition` element: operators, keys, values.

use std::collections::HashMap;

use crate::iam::{ClauseItem, Condition, DefectKind, Reason};
use crate::source::Span;
use crate::value::{MapEntry, Value, ValueKind, parts};

use super::document::DocumentLowering;

impl DocumentLowering {
    pub(super) fn conditions(&mut self, value: &Value) -> Vec<Condition> {
        let mut out = Vec::new();
        self.condition_block(value, &mut out, 0);
        out
    }

    fn condition_block(&mut self, value: &Value, out: &mut Vec<Condition>, depth: usize) {
        if depth > 8 {
            self.unknown("Condition", value.span, Reason::TooDeep);
            return;
        }
        let entries = match &value.kind {
            ValueKind::Map(entries) => entries,
            ValueKind::OneOf(branches) => {
                for b in branches.iter() {
                    if !b.value.is_null() {
                        self.condition_block(&b.value, out, depth + 1);
                    }
                }
                self.alternatives(branches, value.span);
                return;
            }
            ValueKind::Null => return,
            _ => return self.wrong_type(value, "an object", "Condition"),
        };
        // In an alternative, that is how to write that there is not one.
        if entries.is_empty() && !self.conditional {
            self.add_defect(DefectKind::Empty, value.span, "Condition");
        }
        let mut seen = HashMap::new();
        for (goes_on, operator) in parts(entries) {
            if !goes_on {
                self.check_duplicate_key(&mut seen, operator);
            }
            self.holes(&operator.key);
            let operator_item = ClauseItem::new(operator.key.clone(), operator.key_span);
            self.condition_keys(&operator.value, &operator_item, out, depth);
        }
    }

    /// Tells a key that was there before; of broken ones no one knows.
    fn check_duplicate_key(&mut self, seen: &mut HashMap<String, Span>, entry: &MapEntry) {
        if entry.key.is_broken() {
            return;
        }
        let name = entry.key.display();
        match seen.get(&name) {
            Some(first) => self.add_defect(DefectKind::DuplicateKey { first: *first }, entry.key_span, &name),
            None => {
                seen.insert(name, entry.key_span);
            }
        }
    }

    fn condition_keys(&mut self, value: &Value, operator: &ClauseItem, out: &mut Vec<Condition>, depth: usize) {
        match &value.kind {
            ValueKind::Map(keys) => {
                if keys.is_empty() && !self.conditional {
                    self.add_defect(DefectKind::Empty, value.span, "Condition");
                }
                let mut seen = HashMap::new();
                for key in keys.iter() {
                    self.check_duplicate_key(&mut seen, key);
                    self.holes(&key.key);
                    let Some((values, complete)) = self.strings(&key.value, "value") else {
                        continue;
                    };
                    let key_item = ClauseItem::new(key.key.clone(), key.key_span);
                    out.push(Condition {
                        values,
                        list: matches!(key.value.kind, ValueKind::Seq(_)),
                        complete,
                        ..Condition::new(operator.clone(), key_item, key.value.span)
                    });
                }
            }
            ValueKind::OneOf(branches) if depth < 8 => {
                for b in branches.iter() {
                    if !b.value.is_null() {
                        self.condition_keys(&b.value, operator, out, depth + 1);
                    }
                }
            }
            _ => self.wrong_type(value, "an object", "Condition"),
        }
    }
}
