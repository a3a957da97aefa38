//! From references and names to resources and identities, and from documents to those who hold them.

use std::collections::BTreeMap;

use super::{DocumentId, IdentityId, IdentityKind, Project, ResourceId};
use crate::iam::arn::Arn;
use crate::index::IndexVec;
use crate::model::Resource;
use crate::source::{HoleTarget, Text};
use crate::value::{Value, ValueKind};

/// Identities by kind and physical name; `None` if two of them share a name.
pub(super) type NamedIdentities = BTreeMap<(IdentityKind, String), Option<IdentityId>>;

impl Project<'_> {
    /// The resources that a reference names, in their order: instances of a module share an address.
    pub fn resources_at(&self, target: &HoleTarget) -> &[ResourceId] {
        self.references.target(target)
    }

    /// The last of the resources that a reference names.
    pub fn resource_at(&self, target: &HoleTarget) -> Option<(ResourceId, &Resource)> {
        let id = *self.resources_at(target).last()?;
        Some((id, &self.resources[id]))
    }

    /// The identity that a resource declares.
    pub fn identity_of(&self, resource: ResourceId) -> Option<IdentityId> {
        self.identity_of.get(&resource).copied()
    }

    /// The identity with the name at the end of an ARN: `arn:aws:iam::111122223333:user/path/ann`.
    pub fn identity_named(&self, arn: &Text) -> Option<IdentityId> {
        let arn = Arn::parse(arn).filter(|a| a.service().as_deref() == Some("iam"))?;
        let full = arn.resource.known()?;
        let (kind, name) = full.split_once('/')?;
        let kind = [IdentityKind::Role, IdentityKind::User, IdentityKind::Group]
            .into_iter()
            .find(|k| k.name() == kind)?;
        let name = name.rsplit('/').next()?;
        let named = self.named_identities.get_or_init(|| self.find_names());
        *named.get(&(kind, name.to_owned()))?
    }

    fn find_names(&self) -> NamedIdentities {
        let mut named = NamedIdentities::new();
        for (id, identity) in self.identities.iter_enumerated() {
            if let Some(name) = identity.name.as_ref().and_then(Text::known) {
                let one = named.entry((identity.kind, name.into_owned())).or_insert(Some(id));
                *one = one.filter(|one| *one == id);
            }
        }
        named
    }

    /// The role that a value refers to.
    pub fn role(&self, value: &Value) -> Option<IdentityId> {
        let (id, _) = self.resource_at(value.as_hole()?.target.as_ref()?)?;
        self.identity_of(id)
    }

    /// The instance profile that a value refers to, and its role; launch templates use `{Arn}` or `{Name}`.
    pub fn instance_profile(&self, value: &Value) -> Option<(ResourceId, IdentityId)> {
        let value = match &value.kind {
            ValueKind::Map(_) => value.get("Arn").or_else(|| value.get("Name"))?,
            ValueKind::Seq(items) => return self.instance_profile(items.first()?),
            _ => value,
        };
        let (id, profile) = self.resource_at(value.as_hole()?.target.as_ref()?)?;
        if &*profile.kind != "AWS::IAM::InstanceProfile" {
            return None;
        }
        let role = profile.get("Roles")?.items().iter().find_map(|r| self.role(r))?;
        Some((id, role))
    }

    /// The identities that hold a document, in their order.
    pub fn holders(&self, document: DocumentId) -> &[IdentityId] {
        let holders = self.holders.get_or_init(|| {
            let mut holders: IndexVec<DocumentId, Vec<IdentityId>> = IndexVec::with_len_of(&self.documents, Vec::new);
            for (id, identity) in self.identities.iter_enumerated() {
                for document in identity.documents() {
                    if holders[document].last() != Some(&id) {
                        holders[document].push(id);
                    }
                }
            }
            holders
        });
        &holders[document]
    }
}
