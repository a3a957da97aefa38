//! Policies whose syntax is broken.
//!
//! **Invariant:** of a statement in which something was misread nothing is certain, and nothing is said; the statements
//! beside it are what they are.

use std::sync::OnceLock;

use crate::iam::{Effect, Reason, Statement};
use crate::source::{HoleKind, WithSpan};
use crate::value::{Guard, MapEntry, Value, ValueKind};

use super::document::DocumentLowering;

/// Whether a part of these entries, or of what is in them, stands where the file is broken.
pub(super) fn is_broken(entries: &[MapEntry], depth: usize) -> bool {
    let value = |value: &Value| match &value.kind {
        ValueKind::Map(inner) if depth < 3 => is_broken(inner, depth + 1),
        ValueKind::Seq(items) => items
            .iter()
            .any(|i| i.as_hole().is_some_and(|h| h.kind == HoleKind::Broken)),
        _ => false,
    };
    entries.iter().any(|e| e.key.is_broken() || value(&e.value))
}

impl DocumentLowering {
    /// A statement in which the syntax is broken: what is lost, or read wrongly, may turn all of it into its contrary.
    pub(super) fn broken_statement(&mut self, value: &Value, pointer: &str, branch: Option<Guard>) -> Statement {
        self.unknown("unread", value.span, Reason::Hole(HoleKind::Broken));
        Statement {
            sid: None,
            effect: Some(WithSpan::new(Effect::Unknown, value.span)),
            action: None,
            resource: None,
            second_action: None,
            second_resource: None,
            principal: None,
            conditions: Vec::new(),
            condition_key: None,
            keys: Vec::new(),
            span: value.span,
            pointer: pointer.to_owned(),
            branch,
            open: true,
            unlimited: false,
            complete: false,
            dead: None,
            strength: OnceLock::new(),
            nothing: OnceLock::new(),
        }
    }
}
