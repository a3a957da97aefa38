//! What a document seems to grant and none of its holders gets.

use super::Effective;
use crate::iam::arn::{Breadth, widest};
use crate::iam::condition::{GIVEN, Operator};
use crate::iam::{ActionSet, Condition, Granted, PolicyKind, Statement};
use crate::project::{IdentityId, PolicyRef, Project};

/// For each document what is taken away again: by an unconditional Deny, by a boundary, or by a Deny of everything that is
/// not held to a named policy, boundary or service. Of a document with several holders, what all of them lack; of one
/// without, what it takes away itself.
pub(in crate::project) fn withheld(project: &Project<'_>) -> Vec<ActionSet> {
    let mut held: Vec<Option<ActionSet>> = vec![None; project.documents.len()];
    for (id, identity) in project.identities.iter().enumerate() {
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
        let lacks = Effective::of(project, id as IdentityId).withheld();
        for d in documents {
            match &mut held[*d as usize] {
                Some(all) => all.intersect(&lacks),
                none => *none = Some(lacks.clone()),
            }
        }
    }
    let own = |(document, held): (u32, Option<ActionSet>)| {
        held.unwrap_or_else(|| {
            let (d, granted) = (&project.documents[document as usize], project.granted(document));
            let mut out = ActionSet::empty();
            if matches!(d.kind, PolicyKind::Identity | PolicyKind::Session) {
                out.union_with(granted.denied.as_ref().unwrap_or(&ActionSet::empty()));
                add_guarded(&mut out, granted, &d.statements);
            }
            out
        })
    };
    (0u32..).zip(held).map(own).collect()
}

fn add_guarded(out: &mut ActionSet, granted: &Granted, statements: &[Statement]) {
    for limit in &granted.limits {
        if is_guard(&statements[limit.statement]) {
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
        for (deny, actions) in self.limits.iter().take(super::MAX_LIMITS) {
            if is_guard(deny) {
                out.union_with(actions);
            }
        }
        out
    }
}

/// A Deny that leaves only what is named: `unless iam:PermissionsBoundary is …`, or of every resource but a few.
fn is_guard(deny: &Statement) -> bool {
    let Some(resource) = &deny.resource else { return false };
    let wide = resource.items.iter().any(|r| widest(&r.text) <= Breadth::WholeType);
    if deny.condition_key.is_none() && deny.conditions.is_empty() {
        return resource.negated && !wide && !resource.items.is_empty();
    }
    !resource.negated && wide && deny.conditions.iter().any(guards)
}

fn guards(c: &Condition) -> bool {
    let key = c.key.text.display().to_ascii_lowercase();
    GIVEN.contains(&key.as_str())
        && c.operator
            .text
            .known()
            .and_then(|o| Operator::parse(&o))
            .is_some_and(|o| o.negated || o.name.eq_ignore_ascii_case("Null"))
}
