//! References to the principal itself: the identity with the policy, the policies, groups, and boundary of that
//! identity, and the caller.
//!
//! **Invariant:** a pattern that covers every role, user, or policy names no one: rules about breadth report it.

use crate::iam::arn::{Arn, Breadth, breadth_of, covers_every};
use crate::iam::glob::CaseSensitivity;
use crate::iam::pattern::Pattern;
use crate::model::Resource;
use crate::project::{Identity, IdentityKind, PolicyRef, ResourceId};
use crate::rules::Context;
use crate::source::{Piece, Span, Text};

/// How a pattern with the policy variable `${aws:username}` covers the calling user.
/// IAM User Guide, "IAM policy elements: Variables and tags".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallerPattern {
    /// `user/${aws:username}`: no one else.
    Alone,
    /// `user/${aws:username}*`: also users whose names contain the caller's name.
    WithOthers,
}

/// How an ARN covers the calling user by name.
pub(super) fn caller(resource: &Text) -> Option<CallerPattern> {
    let arn = Arn::parse(resource).filter(|a| a.service().as_deref() == Some("iam"))?;
    let flat = arn.resource.with_placeholders();
    let name = flat.strip_prefix("user/")?;
    let lower = name.to_ascii_lowercase();
    let at = lower.find("${aws:username")?;
    let end = at + lower[at..].find('}')? + 1;
    let (before, after) = (&name[..at], &name[end..]);
    let wild = |part: &str| part.contains(['*', '?']);
    match (before.rsplit('/').next().unwrap_or_default(), after) {
        ("", "") => Some(CallerPattern::Alone),
        (own, after) if wild(own) || wild(after) => {
            let literal = |part: &str| !part.trim_matches(['*', '?']).is_empty();
            (!literal(own) && !literal(after)).then_some(CallerPattern::WithOthers)
        }
        _ => None,
    }
}

/// A resource that belongs to an identity.
#[derive(Clone, Copy)]
pub(super) struct OwnedResource<'a> {
    /// `None` if the repository has only its name.
    resource: Option<ResourceId>,
    /// As in ARNs: `role`, `policy`.
    kind: &'static str,
    name: Option<&'a Text>,
}

impl<'a> OwnedResource<'a> {
    pub(super) fn identity(identity: &'a Identity) -> Self {
        Self {
            resource: Some(identity.resource),
            kind: identity.kind.name(),
            name: identity.name.as_ref(),
        }
    }

    /// A resource known only by name.
    pub(super) fn from_name(kind: &'static str, name: &'a Text) -> Self {
        Self {
            resource: None,
            kind,
            name: Some(name),
        }
    }

    /// A managed policy of the repository.
    pub(super) fn policy(cx: &Context<'a>, resource: ResourceId) -> Self {
        let r = &cx.project.resources[resource];
        let name = ["ManagedPolicyName", "PolicyName", "Name"]
            .iter()
            .find_map(|p| r.get(p)?.as_text());
        Self {
            resource: Some(resource),
            kind: "policy",
            name,
        }
    }

    /// Whether `resource` is this resource: a reference to it, or an ARN that matches its name.
    pub(super) fn is_referenced_by(self, cx: &Context<'_>, resource: &Text) -> bool {
        refers_to_resource_or_name(cx, self.resource, self.kind, self.name, resource)
    }

    /// Like [`Self::is_referenced_by`], or an ARN of every resource of its kind.
    pub(super) fn is_within(self, cx: &Context<'_>, resource: &Text) -> bool {
        covers_every(resource, self.kind) || self.is_referenced_by(cx, resource)
    }
}

/// Whether a resource is this identity.
pub(super) fn refers_to_identity(cx: &Context<'_>, identity: &Identity, resource: &Text) -> bool {
    let by_name = OwnedResource::identity(identity).is_referenced_by(cx, resource);
    by_name || (identity.kind == IdentityKind::User && caller(resource).is_some())
}

/// The managed policies of the repository that are attached to this identity, to a group of it, or are its boundary.
pub(super) fn own_policies<'a>(cx: &Context<'a>, identity: &'a Identity) -> impl Iterator<Item = OwnedResource<'a>> {
    let project = cx.project;
    let attached = project.policies_of(identity).filter(|u| !u.inline);
    let documents = attached.chain(&identity.boundary).filter_map(|u| match &u.policy {
        PolicyRef::Documents(ids) => Some(ids),
        _ => None,
    });
    documents
        .flatten()
        .filter_map(|d| project.documents[*d].resource)
        .map(|resource| OwnedResource::policy(cx, resource))
}

/// The groups of the repository that this user is in.
pub(super) fn groups_of_user<'a>(cx: &Context<'a>, identity: &'a Identity) -> impl Iterator<Item = OwnedResource<'a>> {
    let project = cx.project;
    let groups = identity.known_groups();
    groups.map(|g| OwnedResource::identity(&project.identities[g]))
}

/// Whether `resource` refers to a resource of the repository, or is an IAM ARN that matches its path and name.
fn refers_to_resource_or_name(
    cx: &Context<'_>,
    id: Option<ResourceId>,
    kind: &str,
    name: Option<&Text>,
    resource: &Text,
) -> bool {
    if breadth_of(resource) <= Breadth::WholeType {
        return false;
    }
    if id.is_some_and(|id| refers_to_resource(resource, cx, id)) {
        return true;
    }
    let r = id.map(|id| &cx.project.resources[id]);
    let path = r.and_then(|r| r.get("Path")).map_or(Some("/".into()), |p| p.as_str());
    let generated = || r.and_then(Resource::generated_name);
    let name = name.cloned().or_else(generated);
    let (Some(name), Some(path), Some(arn)) = (name, path, Arn::parse(resource)) else {
        return false;
    };
    if arn.service().as_deref() != Some("iam") {
        return false;
    }
    let pattern = Pattern::resource(&arn.resource.to_text());
    if let Some(name) = name.known() {
        return pattern
            .matches(&format!("{kind}{path}{name}"), CaseSensitivity::Sensitive)
            .is_yes();
    }
    // The name is an unknown value that both texts may contain.
    let mut full = Text::synthetic(&format!("{kind}{path}"), Span::NOWHERE);
    full.append(&name);
    pattern.covers(&Pattern::resource(&full)).is_yes()
}

/// Whether a text is a reference to the resource, or ends in one after a `/`.
fn refers_to_resource(text: &Text, cx: &Context<'_>, resource: ResourceId) -> bool {
    let address = &cx.project.resources[resource].address;
    let pieces = text.pieces();
    let Some((Piece::Hole(hole), before)) = pieces.split_last() else {
        return false;
    };
    let whole = match before.last() {
        None => true,
        Some(Piece::Lit(l)) => l.text.ends_with('/'),
        Some(Piece::Hole(_)) => false,
    };
    whole
        && hole
            .target
            .as_ref()
            .is_some_and(|t| t.scope == address.scope && t.address == address.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::pattern::tests::text;

    #[test]
    fn what_names_the_caller() {
        use CallerPattern::{Alone, WithOthers};
        for (arn, expected) in [
            ("arn:aws:iam::111122223333:user/${aws:username}", Some(Alone)),
            ("arn:aws:iam::*:user/${aws:UserName}", Some(Alone)),
            ("arn:aws:iam::‹account›:user/people/${aws:username}", Some(Alone)),
            ("arn:aws:iam::*:user/*/${aws:username}", Some(Alone)),
            ("arn:aws:iam::*:user/${aws:username, 'nobody'}", Some(Alone)),
            ("arn:aws:iam::*:user/${aws:username}*", Some(WithOthers)),
            ("arn:aws:iam::*:user/${aws:username}?*", Some(WithOthers)),
            ("arn:aws:iam::*:user/*${aws:username}", Some(WithOthers)),
            ("arn:aws:iam::*:user/${aws:username}-admin", None),
            ("arn:aws:iam::*:user/bot-${aws:username}", None),
            ("arn:aws:iam::*:mfa/${aws:username}", None),
            ("arn:aws:iam::*:user/ann", None),
            ("arn:aws:s3:::home/${aws:username}/*", None),
            ("*", None),
        ] {
            assert_eq!(caller(&text(arn)), expected, "{arn}");
        }
    }
}
