//! What a permissions boundary leaves.

use super::{is_permissions, managed};
use crate::iam::condition::strength;
use crate::iam::{Action, ActionSet, Document, DocumentPermissions, Truth};
use crate::project::{PolicyRef, PolicyUse, Project};

/// What a permissions boundary lets through.
#[derive(Debug)]
pub struct Boundary {
    /// Let through on some resource, perhaps under a condition.
    pub most: ActionSet,
    /// Let through on every resource, without a condition that narrows.
    pub everywhere: ActionSet,
    /// All that it lets through can be seen; else it may let through anything.
    pub complete: bool,
}

impl Boundary {
    /// What the policy at `boundary` lets through.
    pub fn new(project: &Project<'_>, boundary: &PolicyUse) -> Self {
        let mut out = Self {
            most: ActionSet::empty(),
            everywhere: ActionSet::empty(),
            complete: true,
        };
        match &boundary.policy {
            PolicyRef::Documents(ids) => {
                out.complete = !ids.is_empty();
                for id in ids {
                    out.add_document(&project.documents[*id], project.granted(*id));
                }
            }
            PolicyRef::AwsManaged(name) => match managed::managed(name) {
                Some(m) => out.add_document(&m.document, &m.granted),
                None => out.complete = false,
            },
            PolicyRef::Elsewhere(_) => out.complete = false,
        }
        out
    }

    /// Certainly lets everything through: nothing is outside it, and no Deny of it takes anything away.
    pub fn allows_everything(&self) -> bool {
        self.complete && self.everywhere.is_all()
    }

    pub fn allows(&self, action: Action) -> Truth {
        match (self.most.contains(action.id()), self.complete) {
            (true, _) => Truth::Yes,
            (false, true) => Truth::No,
            (false, false) => Truth::Unknown,
        }
    }

    /// Adds one of the documents that it may be.
    fn add_document(&mut self, d: &Document, granted: &DocumentPermissions) {
        if !is_permissions(d) {
            return;
        }
        self.complete &= granted.unclear.is_empty();
        for a in &granted.allowed {
            let mut actions = a.actions.clone();
            if let Some(denied) = &granted.denied {
                actions.subtract(denied);
            }
            self.most.union_with(&actions);
            let s = &d.statements[a.statement];
            let wide = s
                .resource
                .as_ref()
                .is_some_and(|r| !r.negated && r.items.iter().any(|i| i.breadth().is_star_like()));
            if wide && !strength(s).narrows() {
                self.everywhere.union_with(&actions);
            }
        }
        for limit in &granted.limits {
            self.everywhere.subtract(&limit.actions);
        }
    }
}
