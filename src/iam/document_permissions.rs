//! What the statements of a document come to, as sets of actions.
//!
//! **Invariant:** an action is in a set only where that is certain; what stays unclear is listed.
//! IAM User Guide, "Policy evaluation logic".

use super::actions::ActionSet;
use super::{Clause, Document, Effect, Statement, pattern};
use crate::source::Span;

/// The Allow statements of a document, and what it denies.
#[derive(Debug, Default)]
pub struct DocumentPermissions {
    /// One for each Allow statement with actions that are known, in order.
    pub allowed: Vec<AllowedStatement>,
    /// Denied to anyone who asks for whatever resource, without a condition; `None` where that is nothing.
    pub denied: Option<ActionSet>,
    /// Other Deny statements whose actions are known, in order: with a condition, or on some resources only.
    pub limits: Vec<AllowedStatement>,
    /// Where more may be allowed than can be seen: patterns with unknown parts, unknown effects, unknown statements.
    pub unclear: Vec<Span>,
}

/// A statement, by index, and its actions.
#[derive(Debug)]
pub struct AllowedStatement {
    pub statement: usize,
    pub actions: ActionSet,
}

impl DocumentPermissions {
    pub fn new(d: &Document) -> Self {
        let mut out = Self::default();
        if d.open {
            out.unclear.push(d.statement_key.unwrap_or(d.span));
        }
        for (statement, s) in d.statements.iter().enumerate() {
            if s.matches_nothing() {
                continue;
            }
            match s.effect.as_ref().map(|e| e.value) {
                Some(_) if s.dead.is_some() => {}
                Some(Effect::Allow) => out.allow(statement, s),
                Some(Effect::Deny) => out.deny(statement, s),
                Some(Effect::Unknown) => out.unclear.push(s.span),
                None if s.open => out.unclear.push(s.span),
                Some(Effect::Invalid) | None => {}
            }
        }
        out
    }

    fn allow(&mut self, statement: usize, s: &Statement) {
        match &s.action {
            Some(clause) => {
                if !clause.is_known() {
                    self.unclear.push(clause.span);
                }
                if let Some(actions) = clause.actions() {
                    self.allowed.push(AllowedStatement { statement, actions });
                }
            }
            None if s.open => self.unclear.push(s.span),
            None => {}
        }
    }

    fn deny(&mut self, statement: usize, s: &Statement) {
        let Some(actions) = s.action.as_ref().and_then(Clause::actions) else {
            return;
        };
        let everywhere = s
            .resource
            .as_ref()
            .is_some_and(|r| !r.negated && r.items.iter().any(|i| pattern::is_star(&i.text)));
        let always = s.condition_key.is_none() && s.conditions.is_empty() && s.branch.is_none() && !s.open;
        if !(everywhere && always) {
            self.limits.push(AllowedStatement { statement, actions });
            return;
        }
        match &mut self.denied {
            Some(denied) => denied.union_with(&actions),
            None => self.denied = Some(actions),
        }
    }
}
