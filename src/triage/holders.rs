//! Whose policies a finding is about.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ReportedFinding;
use crate::finding::{Cause, Holders};
use crate::project::{DocumentId, IdentityId, Project, ResourceId};

/// Maximum number of identities that a finding names.
const MAX_HOLDERS: usize = 100;

/// Writes into each finding which identities of the repository have the policy, or are the resource, that it is about.
pub(super) fn name_holders(project: &Project<'_>, findings: &mut [ReportedFinding]) {
    let index = HolderIndex::new(project);
    let mut known: BTreeMap<HolderKey, Arc<Holders>> = BTreeMap::new();
    for f in findings {
        let Some(key) = HolderKey::of(f.finding.cause) else {
            continue;
        };
        let holders = known.entry(key).or_insert_with(|| Arc::new(index.holders(key)));
        f.finding.subject.holders = Arc::clone(holders);
    }
}

/// What has holders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum HolderKey {
    Document(DocumentId),
    Identity(IdentityId),
    Resource(ResourceId),
}

impl HolderKey {
    fn of(cause: Cause) -> Option<Self> {
        match cause {
            Cause::Statement(d, _) | Cause::Document(d) => Some(Self::Document(d)),
            Cause::Identity(i) => Some(Self::Identity(i)),
            Cause::Resource(r) => Some(Self::Resource(r)),
            Cause::Place(_) | Cause::Alone => None,
        }
    }
}

/// Identities by what a finding may name.
struct HolderIndex<'p> {
    project: &'p Project<'p>,
    trusting: BTreeMap<DocumentId, Vec<IdentityId>>,
    made_by: BTreeMap<ResourceId, Vec<IdentityId>>,
    documents: BTreeMap<ResourceId, Vec<DocumentId>>,
}

impl<'p> HolderIndex<'p> {
    fn new(project: &'p Project<'p>) -> Self {
        let mut index = Self {
            project,
            trusting: BTreeMap::new(),
            made_by: BTreeMap::new(),
            documents: BTreeMap::new(),
        };
        for (id, identity) in project.identities.iter_enumerated() {
            index.made_by.entry(identity.resource).or_default().push(id);
            for document in &identity.trust {
                index.trusting.entry(*document).or_default().push(id);
            }
        }
        for (id, document) in project.documents.iter_enumerated() {
            if let Some(resource) = document.resource {
                index.documents.entry(resource).or_default().push(id);
            }
        }
        index
    }

    fn holders(&self, key: HolderKey) -> Holders {
        let mut ids: Vec<IdentityId> = match key {
            HolderKey::Document(d) => self.of_document(d).collect(),
            HolderKey::Identity(i) => vec![i],
            HolderKey::Resource(r) => match self.made_by.get(&r) {
                Some(ids) => ids.clone(),
                None => {
                    let documents = self.documents.get(&r).into_iter().flatten();
                    documents.flat_map(|d| self.of_document(*d)).collect()
                }
            },
        };
        ids.sort_unstable();
        ids.dedup();
        let mut names: Vec<String> = ids.iter().take(MAX_HOLDERS).map(|id| self.name(*id)).collect();
        names.sort();
        names.dedup();
        Holders {
            names,
            more: ids.len().saturating_sub(MAX_HOLDERS),
        }
    }

    fn of_document(&self, document: DocumentId) -> impl Iterator<Item = IdentityId> {
        let trusting = self.trusting.get(&document).into_iter().flatten();
        self.project.holders(document).iter().chain(trusting).copied()
    }

    /// "role `deploy`", without marks; the address of the resource where the name is not known.
    fn name(&self, id: IdentityId) -> String {
        let identity = &self.project.identities[id];
        let known = identity.name.as_ref().and_then(|name| name.known());
        let name = known.map_or_else(
            || self.project.resources[identity.resource].address.name.to_string(),
            |name| name.into_owned(),
        );
        format!("{} {name}", identity.kind.name())
    }
}
