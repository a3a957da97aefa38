//! Resolves references to roles, and determines whether those roles are administrators.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::allow_statements::AllowStatement;
use crate::finding::Cause;
use crate::iam::arn::Arn;
use crate::iam::principal::{PrincipalOrigin, origin_of};
use crate::index::IndexVec;
use crate::model::Resource;
use crate::project::{
    DocumentId, Identity, IdentityId, IdentityKind, PolicyRef, PolicySource, Power, Project, Reach, ResourceId,
};
use crate::rules::Context;
use crate::source::{HoleTarget, Text};
use crate::value::{Value, ValueKind};

/// The identities of a project, by reference; their privileges are computed on demand.
pub(super) struct IdentityIndex<'a> {
    cx: Context<'a>,
    by_address: BTreeMap<(&'a str, &'a str), ResourceId>,
    by_resource: BTreeMap<ResourceId, IdentityId>,
    /// By kind and physical name; `None` if two identities share a name.
    by_name: BTreeMap<(IdentityKind, String), Option<IdentityId>>,
    power: IndexVec<IdentityId, OnceCell<Option<Power<'a>>>>,
}

impl<'a> IdentityIndex<'a> {
    pub(super) fn new(cx: &Context<'a>) -> Self {
        let project = cx.project;
        let mut by_name = BTreeMap::new();
        for (id, identity) in project.identities.iter_enumerated() {
            if let Some(name) = identity.name.as_ref().and_then(Text::known) {
                let one = by_name.entry((identity.kind, name.into_owned())).or_insert(Some(id));
                *one = one.filter(|one| *one == id);
            }
        }
        Self {
            by_name,
            cx: *cx,
            by_address: project
                .resources
                .iter_enumerated()
                .map(|(id, r)| ((&*r.address.scope, &*r.address.name), id))
                .collect(),
            by_resource: project
                .identities
                .iter_enumerated()
                .map(|(id, identity)| (identity.resource, id))
                .collect(),
            power: IndexVec::beside(&project.identities, OnceCell::new),
        }
    }

    /// The resource of the repository that a target refers to.
    pub(super) fn resource(&self, target: &HoleTarget) -> Option<(ResourceId, &'a Resource)> {
        let id = *self.by_address.get(&(&*target.scope, &*target.address))?;
        Some((id, &self.cx.project.resources[id]))
    }

    pub(super) fn identity(&self, resource: ResourceId) -> Option<IdentityId> {
        self.by_resource.get(&resource).copied()
    }

    /// The identity with the name at the end of an ARN: `arn:aws:iam::111122223333:user/path/ann`.
    pub(super) fn identity_named(&self, arn: &Text) -> Option<IdentityId> {
        let arn = Arn::parse(arn).filter(|a| a.service().as_deref() == Some("iam"))?;
        let full = arn.resource.known()?;
        let (kind, name) = full.split_once('/')?;
        let kind = [IdentityKind::Role, IdentityKind::User, IdentityKind::Group]
            .into_iter()
            .find(|k| k.name() == kind)?;
        let name = name.rsplit('/').next()?;
        *self.by_name.get(&(kind, name.to_owned()))?
    }

    /// The role that a value refers to.
    pub(super) fn role(&self, value: &Value) -> Option<IdentityId> {
        let (id, _) = self.resource(value.as_hole()?.target.as_ref()?)?;
        self.identity(id)
    }

    /// The role of the instance profile that a value refers to; launch templates use `{Arn}` or `{Name}`.
    pub(super) fn profile(&self, value: &Value) -> Option<(ResourceId, IdentityId)> {
        let value = match &value.kind {
            ValueKind::Map(_) => value.get("Arn").or_else(|| value.get("Name"))?,
            ValueKind::Seq(items) => return self.profile(items.first()?),
            _ => value,
        };
        let (id, profile) = self.resource(value.as_hole()?.target.as_ref()?)?;
        if &*profile.kind != "AWS::IAM::InstanceProfile" {
            return None;
        }
        let role = profile.get("Roles")?.items().iter().find_map(|r| self.role(r))?;
        Some((id, role))
    }

    /// Why this identity is equivalent to an administrator, if it is.
    pub(super) fn power(&self, id: IdentityId) -> Option<&Power<'a>> {
        self.power[id].get_or_init(|| self.cx.effects.of(id).power()).as_ref()
    }
}

/// Note for findings about the breadth of a policy.
pub(super) const IS_ADMINISTRATOR: &str = "its holder can already grant itself any permission";

/// The documents whose holders are administrators because of another statement.
pub(super) struct Administrators<'a> {
    holders: IdentityIndex<'a>,
    /// The identities that have each document.
    of: BTreeMap<DocumentId, Vec<IdentityId>>,
}

impl<'a> Administrators<'a> {
    pub(super) fn new(cx: &Context<'a>) -> Self {
        let mut of: BTreeMap<DocumentId, Vec<IdentityId>> = BTreeMap::new();
        for (id, identity) in cx.project.identities.iter_enumerated() {
            for held in &identity.policies {
                if let PolicyRef::Documents(documents) = &held.policy {
                    documents.iter().for_each(|d| of.entry(*d).or_default().push(id));
                }
            }
        }
        Self {
            holders: IdentityIndex::new(cx),
            of,
        }
    }

    /// Whether every holder of a statement is equivalent to an administrator without it.
    pub(super) fn are_all_holders_of(&self, g: &AllowStatement<'_>) -> bool {
        let elsewhere = |holder: &IdentityId| {
            self.holders.power(*holder).is_some_and(|power| {
                let here = matches!(power.grant.source, PolicySource::Written(d) if d == g.statement.document_id)
                    && power.grant.index == g.statement.index;
                power.reach != Reach::Most && !here
            })
        };
        let holders = self.of.get(&g.statement.document_id);
        holders.is_some_and(|all| !all.is_empty() && all.iter().all(elsewhere))
    }
}

/// The cause that findings about the granting policy have, so that others fold into them.
pub(super) fn cause_of(cx: &Context<'_>, power: &Power<'_>, holder: IdentityId) -> Cause {
    match power.grant.source {
        PolicySource::Written(d) => Cause::Statement(d, power.grant.index),
        PolicySource::AwsManaged(_) => {
            let own = cx.project.identities[holder].resource;
            Cause::Resource(power.grant.through.by.unwrap_or(own))
        }
    }
}

/// The prefix of the only service that can assume the roles with a policy: `backup` for `backup.amazonaws.com`. `None`
/// if others can assume them, or if something other than a role has the policy.
pub(crate) fn only_service(project: &Project<'_>, document: DocumentId) -> Option<String> {
    let holds = |identity: &&Identity| {
        identity.policies.iter().any(|p| match &p.policy {
            PolicyRef::Documents(ids) => ids.contains(&document),
            _ => false,
        })
    };
    let mut found: Option<String> = None;
    for identity in project.identities.iter().filter(holds) {
        if identity.kind != IdentityKind::Role || identity.trust.is_empty() {
            return None;
        }
        for s in identity.trust.iter().flat_map(|d| &project.documents[*d].statements) {
            let principals = s.principal.as_ref().filter(|p| !p.negated && p.complete && !s.open)?;
            for item in principals.items.iter().filter(|_| !s.denies()) {
                let PrincipalOrigin::Service { name } = origin_of(item, project.own, None) else {
                    return None;
                };
                let prefix = name.strip_suffix(".amazonaws.com")?.rsplit('.').next()?.to_owned();
                if found.as_ref().is_some_and(|one| *one != prefix) {
                    return None;
                }
                found = Some(prefix);
            }
        }
    }
    found
}

/// Whether only roles of AWS Backup have the document. AWS Backup selects resources by tags, so no policy can name
/// them. AWS Backup Developer Guide, "Amazon S3 backups".
pub(super) fn is_for_aws_backup(cx: &Context<'_>, document: DocumentId) -> bool {
    only_service(cx.project, document).as_deref() == Some("backup")
}
