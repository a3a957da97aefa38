//! What a document seems to grant and none of its holders gets.

use std::collections::BTreeMap;

use super::{Effective, PolicySource, denies_all, denies_some, is_certain};
use crate::iam::arn::Breadth;
use crate::iam::condition::{GIVEN, is_unrestrictive};
use crate::iam::document_permissions::AllowedStatement;
use crate::iam::{ActionSet, Condition, DocumentPermissions, PolicyKind, Statement};
use crate::index::{DocumentId, IndexVec};
use crate::project::{PolicyRef, Project};
use crate::source::Span;

/// Ends a message about what is allowed on every resource, where [`Withheld::partly`] says that a Deny spares some.
pub const EXCEPT_DENIED: &str = ", except where a Deny applies";

/// What one document seems to grant and none of its holders gets.
#[derive(Clone, Debug, Default)]
pub struct Withheld {
    all: ActionSet,
    /// Of single statements more: a Deny is on their resources only.
    of: BTreeMap<usize, ActionSet>,
    /// What single statements lose on some of their resources, and where the first such Deny says on which.
    partly: BTreeMap<usize, (Span, ActionSet)>,
    /// What each holder's boundary lets through on some resources or under a condition only.
    bounded: Option<ActionSet>,
}

impl Withheld {
    /// Whatever the statement.
    pub fn for_all_statements(&self) -> &ActionSet {
        &self.all
    }

    /// Of one statement.
    pub fn for_statement(&self, statement: usize) -> &ActionSet {
        self.of.get(&statement).unwrap_or(&self.all)
    }

    /// Whether the boundary of each holder lets all of `actions` through on some resources or under a condition only.
    pub fn narrows(&self, actions: &ActionSet) -> bool {
        self.bounded.as_ref().is_some_and(|b| actions.is_subset(b))
    }

    /// Where a Deny says on which resources it takes some of `actions` away from a statement that keeps them on others.
    pub fn partial_deny(&self, statement: usize, actions: &ActionSet) -> Option<Span> {
        let (span, lost) = self.partly.get(&statement)?;
        lost.difference(self.for_statement(statement))
            .intersects(actions)
            .then_some(*span)
    }

    fn intersect(&mut self, other: &Self) {
        self.partly
            .retain(|statement, (_, lost)| match other.partly.get(statement) {
                Some((_, others)) => {
                    lost.intersect(others);
                    true
                }
                None => false,
            });
        let statements: Vec<usize> = self.of.keys().chain(other.of.keys()).copied().collect();
        let of = statements.into_iter().map(|s| {
            let mut both = self.for_statement(s).clone();
            both.intersect(other.for_statement(s));
            (s, both)
        });
        self.of = of.collect();
        self.all.intersect(&other.all);
        self.bounded = match (self.bounded.take(), &other.bounded) {
            (Some(mut a), Some(b)) => {
                a.intersect(b);
                Some(a)
            }
            _ => None,
        };
    }
}

/// For each document what is taken away again: by a Deny on all that a statement is on, by a boundary, or by a Deny of
/// everything that is not limited to a named policy, boundary or service. Of a document with several holders, what all of them
/// lack; of one without, what it takes away itself.
pub(in crate::project) fn withheld(project: &Project<'_>) -> IndexVec<DocumentId, Withheld> {
    let mut held: IndexVec<DocumentId, Option<Withheld>> = IndexVec::with_len_of(&project.documents, || None);
    for (id, identity) in project.identities.iter_enumerated() {
        let documents: Vec<_> = identity
            .policies
            .iter()
            .filter_map(|u| match &u.policy {
                PolicyRef::Documents(ids) => Some(ids),
                _ => None,
            })
            .flatten()
            .collect();
        if documents.is_empty() {
            continue;
        }
        let effective = Effective::new(project, id);
        let lacks = effective.withheld();
        let bounded = effective.boundary.as_ref().filter(|b| b.complete);
        let bounded = bounded.map(|b| b.everywhere.complement());
        for d in documents {
            let left: BTreeMap<usize, &ActionSet> = effective
                .grants
                .iter()
                .filter(|g| g.source == PolicySource::Written(*d))
                .map(|g| (g.index, &*g.actions))
                .collect();
            let nothing = ActionSet::empty();
            let lost = |a: &AllowedStatement| {
                a.actions
                    .difference(left.get(&a.statement).copied().unwrap_or(&nothing))
            };
            let statements = &project.documents[*d].statements;
            let here = Withheld {
                of: statement_losses(project.granted(*d), &lacks, lost),
                partly: partial_losses(project.granted(*d), statements, &effective.limits),
                all: lacks.clone(),
                bounded: bounded.clone(),
            };
            match &mut held[*d] {
                Some(all) => all.intersect(&here),
                none => *none = Some(here),
            }
        }
    }
    let own = |(document, held): (DocumentId, Option<Withheld>)| {
        held.unwrap_or_else(|| {
            let (d, granted) = (&project.documents[document], project.granted(document));
            let mut out = Withheld::default();
            if matches!(d.kind, PolicyKind::Identity | PolicyKind::Session) {
                out.all
                    .union_with(granted.denied.as_ref().unwrap_or(&ActionSet::empty()));
                add_guarded(&mut out.all, granted, &d.statements);
                for above in project.guardrails(d.resource) {
                    if let Some(denied) = &project.granted(above.document).denied {
                        out.all.union_with(denied);
                    }
                }
                for level in project.allowed_above(d.resource) {
                    out.all.union_with(&level.complement());
                }
                let denies: Vec<_> = granted.limits.iter().take(super::MAX_LIMITS).collect();
                let limits: Vec<_> = denies
                    .iter()
                    .map(|a| (&d.statements[a.statement], &a.actions))
                    .collect();
                out.partly = partial_losses(granted, &d.statements, &limits);
                out.of = statement_losses(granted, &out.all, |a| {
                    let mut lost = ActionSet::empty();
                    for deny in &denies {
                        let (s, allow) = (&d.statements[deny.statement], &d.statements[a.statement]);
                        if a.actions.intersects(&deny.actions) && is_certain(s) && denies_all(s, allow) {
                            lost.union_with(&deny.actions);
                        }
                    }
                    lost
                });
            }
            out
        })
    };
    held.into_iter_enumerated().map(own).collect()
}

/// What single statements lose by a certain Deny on some of their resources or more.
fn partial_losses(
    granted: &DocumentPermissions,
    statements: &[Statement],
    limits: &[(&Statement, &ActionSet)],
) -> BTreeMap<usize, (Span, ActionSet)> {
    let limits = || {
        limits
            .iter()
            .take(super::MAX_LIMITS)
            .filter(|(deny, _)| is_certain(deny))
    };
    let lost = granted.allowed.iter().filter_map(|a| {
        let mut taking = limits()
            .filter(|(deny, actions)| a.actions.intersects(actions) && denies_some(deny, &statements[a.statement]));
        let (first, actions) = taking.next()?;
        let mut lost = (*actions).clone();
        taking.for_each(|(_, actions)| lost.union_with(actions));
        lost.intersect(&a.actions);
        let span = first.resource.as_ref().map_or(first.span, |r| r.span);
        Some((a.statement, (span, lost)))
    });
    lost.collect()
}

/// What single statements lose, where it is more than `all`.
fn statement_losses(
    granted: &DocumentPermissions,
    all: &ActionSet,
    lost: impl Fn(&AllowedStatement) -> ActionSet,
) -> BTreeMap<usize, ActionSet> {
    let more = granted.allowed.iter().filter_map(|a| {
        let mut lost = lost(a);
        (!lost.is_subset(all)).then(|| {
            lost.union_with(all);
            (a.statement, lost)
        })
    });
    more.collect()
}

fn add_guarded(out: &mut ActionSet, granted: &DocumentPermissions, statements: &[Statement]) {
    for limit in &granted.limits {
        if is_deny_with_exceptions(&statements[limit.statement]) {
            out.union_with(&limit.actions);
        }
    }
}

impl Effective<'_> {
    /// What no policy can give the identity; see [`GIVEN`] for what counts as much as a Deny.
    pub fn withheld(&self) -> ActionSet {
        let mut out = self.denied.clone();
        if let Some(boundary) = self.boundary.as_ref().filter(|b| b.complete) {
            out.union_with(&boundary.most.complement());
        }
        for level in &self.above {
            out.union_with(&level.complement());
        }
        for (deny, actions) in self.limits.iter().take(super::MAX_LIMITS) {
            if is_deny_with_exceptions(deny) {
                out.union_with(actions);
            }
        }
        out
    }
}

/// A Deny that leaves only what is named: `unless iam:PermissionsBoundary is …`, or of every resource but a few.
fn is_deny_with_exceptions(deny: &Statement) -> bool {
    let Some(resource) = &deny.resource else { return false };
    let wide = resource.items.iter().any(|r| r.breadth() <= Breadth::WholeType);
    if deny.condition_key.is_none() && deny.conditions.is_empty() {
        return resource.negated && !wide && !resource.items.is_empty();
    }
    !resource.negated && wide && deny.conditions.iter().any(guards)
}

fn guards(c: &Condition) -> bool {
    let key = &c.lower_key;
    GIVEN.contains(&key.as_str())
        && c.parsed.is_some_and(|o| match o.negated {
            true => !is_unrestrictive(c),
            false => o.name.eq_ignore_ascii_case("Null"),
        })
}
