//! Which written policies are seen through a resource.

use std::collections::HashSet;

use crate::model::kinds;
use crate::source::Span;
use crate::value::{Kind, Value};

use super::emit::Emitted;

/// Places of the objects and texts that resources hold, and of statements that are merged into a document and replaced.
pub(super) struct Used {
    spans: HashSet<Span>,
    /// Of what outputs hold: callers may use it.
    handed_on: HashSet<Span>,
}

impl Used {
    pub(super) fn new<'r>(emitted: impl Iterator<Item = &'r Emitted>) -> Self {
        let mut used = Self {
            spans: HashSet::new(),
            handed_on: HashSet::new(),
        };
        for e in emitted {
            used.spans.extend(&e.replaced);
            // What a variable or an output holds is not put to use there.
            for r in &e.resources {
                match &*r.kind {
                    kinds::OUTPUT => add(&mut used.handed_on, &r.props),
                    kinds::PARAMETER => {}
                    _ => add(&mut used.spans, &r.props),
                }
            }
        }
        used
    }

    /// Whether an output holds a policy.
    pub(super) fn hands_on(&self, policy: &Value) -> bool {
        self.handed_on.contains(&policy.decoded().span)
    }

    /// Whether a policy, or one of its statements, stands in a resource.
    pub(super) fn holds(&self, policy: &Value) -> bool {
        let policy = policy.decoded();
        self.spans.contains(&policy.span)
            || policy
                .get("Statement")
                .is_some_and(|s| s.items().iter().any(|s| self.spans.contains(&s.span)))
    }
}

fn add(spans: &mut HashSet<Span>, value: &Value) {
    match &value.kind {
        Kind::Seq(items) => items.iter().for_each(|v| add(spans, v)),
        Kind::Map(entries) => {
            spans.insert(value.span);
            entries.iter().for_each(|e| add(spans, &e.value));
        }
        Kind::Json(inner) => add(spans, inner),
        Kind::OneOf(branches) => branches.iter().for_each(|b| add(spans, &b.value)),
        Kind::Str(_) => {
            spans.insert(value.span);
        }
        _ => {}
    }
}
