//! Edges: what leads from one node to the next, and what it takes.

use super::graph::NodeId;
use crate::source::Span;

/// What an edge needs: a permission, and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NeedAt {
    pub(super) action: &'static str,
    /// As the policy writes it; `None` where it is the other end.
    pub(super) resource: Option<String>,
    pub(super) span: Span,
}

impl NeedAt {
    /// A permission for the other end that is written at `span`.
    pub(super) fn on_end(action: &'static str, span: Span) -> Self {
        Self {
            action,
            resource: None,
            span,
        }
    }

    /// What is no permission, such as the role that a function runs as.
    pub(super) fn declared(span: Span) -> Self {
        Self::on_end("", span)
    }
}

/// From one node to another.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    /// "assumes the role", after the subject.
    pub(super) by: &'static str,
    pub(super) needs: Vec<NeedAt>,
    /// Keys of conditions that the caller must meet.
    pub(super) conditions: Vec<String>,
    /// What is not known and may stand in the way.
    pub(super) unknown: Vec<String>,
}

impl Edge {
    /// Without conditions, and with nothing unknown.
    pub(super) fn new(from: NodeId, to: NodeId, by: &'static str, needs: Vec<NeedAt>) -> Self {
        Self {
            from,
            to,
            by,
            needs,
            conditions: Vec::new(),
            unknown: Vec::new(),
        }
    }

    /// What it costs: longer paths are worse, and of two equally long ones the one with more conditions.
    pub(super) fn cost(&self) -> u64 {
        if self.by.is_empty() {
            return 0;
        }
        16 + self.conditions.len().min(8) as u64 + 24 * u64::from(!self.unknown.is_empty())
    }

    /// With the needs and conditions of another edge that must hold too.
    pub(super) fn join(&mut self, other: &Self) {
        self.needs.extend(other.needs.iter().cloned());
        self.conditions.extend(other.conditions.iter().cloned());
        self.unknown.extend(other.unknown.iter().cloned());
        self.unknown.dedup();
        self.conditions.sort();
        self.conditions.dedup();
    }
}
