//! What refers to a role, other than what is known to run with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::roles::RoleUser;
use crate::model::{Resource, kinds};
use crate::project::{IdentityId, Project, WorkloadKind};
use crate::source::{Span, Text};

/// The places where settings of resources name a role that something with a definition has, and that no workload has there: a
/// service that is not compared may use it. Policies, and what grants the role, do not count.
pub(super) fn other_references(
    project: &Project<'_>,
    users: &BTreeMap<IdentityId, Vec<RoleUser<'_>>>,
) -> BTreeMap<IdentityId, Span> {
    let mut roles: BTreeMap<(Arc<str>, Arc<str>), IdentityId> = BTreeMap::new();
    let mut known: BTreeSet<Span> = BTreeSet::new();
    for (role, users) in users {
        let kind = |u: &RoleUser<'_>| project.workloads[u.workload].kind;
        if users
            .iter()
            .any(|u| kind(u).has_definition() && kind(u) != WorkloadKind::Machine)
        {
            let address = &project.resources[project.identities[*role].resource].address;
            roles.insert((address.scope.clone(), address.name.clone()), *role);
            known.extend(users.iter().map(|u| u.runs_as.span));
        }
    }
    let mut out = BTreeMap::new();
    if roles.is_empty() {
        return out;
    }
    let is_no_use = |r: &Resource| {
        r.namespace() == Some("IAM")
            || r.type_name.starts_with("aws_iam_")
            || matches!(&*r.kind, kinds::OUTPUT | "AWS::Lambda::Permission")
    };
    for r in project.resources.iter().filter(|r| !is_no_use(r)) {
        r.props.each_text(&mut |v| {
            let text = v.to_text();
            for target in text.iter().flat_map(Text::holes).filter_map(|h| h.target.as_ref()) {
                let role = roles.get(&(target.scope.clone(), target.address.clone()));
                if let Some(role) = role.filter(|_| !known.contains(&v.span) && !is_in_policy(project, v.span)) {
                    out.entry(*role).or_insert(v.span);
                }
            }
        });
    }
    out
}

/// Whether a place is in a policy. Documents are sorted by their places.
pub(super) fn is_in_policy(project: &Project<'_>, span: Span) -> bool {
    let before = |at: Span| (at.file, at.start) <= (span.file, span.start);
    let documents = &project.documents.raw;
    let next = documents.partition_point(|d| before(d.span));
    let last = next.checked_sub(1).and_then(|i| documents.get(i));
    last.is_some_and(|d| d.span.contains(span))
}
