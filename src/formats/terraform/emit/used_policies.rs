//! Which written policies are seen through a resource.

use std::collections::HashSet;

use crate::model::kinds;
use crate::source::Span;
use crate::value::{Value, ValueKind};

use crate::formats::terraform::emit::resources::Emitted;

/// Places of the objects and texts that resources hold, and of statements that are merged into a document and replaced.
pub(crate) struct UsedPolicies {
    spans: HashSet<Span>,
}

impl UsedPolicies {
    pub(crate) fn new<'r>(emitted: impl Iterator<Item = &'r Emitted>) -> Self {
        let mut used = Self { spans: HashSet::new() };
        for e in emitted {
            used.spans.extend(&e.replaced);
            // What a variable or an output holds is not put to use there.
            let resources = e.resources.iter();
            for r in resources.filter(|r| &*r.kind != kinds::OUTPUT && &*r.kind != kinds::PARAMETER) {
                used.add(&r.props);
            }
        }
        used
    }

    fn add(&mut self, value: &Value) {
        match &value.kind {
            ValueKind::Seq(items) => items.iter().for_each(|v| self.add(v)),
            ValueKind::Map(entries) => {
                self.spans.insert(value.span);
                entries.iter().for_each(|e| self.add(&e.value));
            }
            ValueKind::Json(inner) => self.add(inner),
            ValueKind::OneOf(branches) => branches.iter().for_each(|b| self.add(&b.value)),
            ValueKind::Str(_) => {
                self.spans.insert(value.span);
            }
            _ => {}
        }
    }

    /// Whether a policy, or one of its statements, stands in a resource.
    pub(crate) fn contains(&self, policy: &Value) -> bool {
        let policy = policy.decoded();
        self.spans.contains(&policy.span)
            || policy
                .get("Statement")
                .is_some_and(|s| s.items().iter().any(|s| self.spans.contains(&s.span)))
    }
}
