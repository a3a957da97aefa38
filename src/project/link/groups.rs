//! Which groups users are in.

use super::index::ReferenceIndex;
use crate::model::Resource;
use crate::project::{IdentityId, IdentityKind, Membership, Project};
use crate::value::Value;

/// Fills in the groups of every user.
pub(super) fn memberships(project: &mut Project<'_>, index: &ReferenceIndex) {
    let named = |kind, value: &Value| -> Vec<IdentityId> {
        let found = index.identities(kind, value);
        found.iter().filter_map(|r| project.identity_of(*r)).collect()
    };
    let mut found: Vec<(IdentityId, Membership)> = Vec::new();
    for (id, r) in project.resources.iter_enumerated() {
        let users = match &*r.kind {
            "AWS::IAM::User" => project.identity_of(id).into_iter().collect(),
            "AWS::IAM::UserToGroupAddition" => {
                let mut users = Vec::new();
                values(r, &["Users"], &mut |v| users.extend(named(IdentityKind::User, v)));
                users
            }
            _ => continue,
        };
        if users.is_empty() {
            continue;
        }
        values(r, &["Groups", "GroupName"], &mut |value| {
            let membership = Membership {
                group: named(IdentityKind::Group, value).first().copied(),
                span: value.span,
            };
            found.extend(users.iter().map(|user| (*user, membership)));
        });
    }
    for (user, membership) in found {
        project.identities[user].groups.push(membership);
    }
}

fn values(r: &Resource, props: &[&str], f: &mut dyn FnMut(&Value)) {
    for value in props.iter().filter_map(|p| r.get(p)) {
        value.each_value(f);
    }
}
