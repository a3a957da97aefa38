//! Identities that the repository only names where it puts policies on them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{AccessSubject, SubjectKind};
use crate::project::{ExternalAttachment, Project, RepositoryPlace};

impl Project<'_> {
    /// What resources in scope put on identities that are only named.
    pub(super) fn put_elsewhere(&self) -> impl Iterator<Item = &ExternalAttachment> {
        let in_scope = move |put: &&ExternalAttachment| {
            let by = put.used.by.map(|id| &self.resources[id]);
            by.is_some_and(|by| self.sources.file(by.header.file).in_scope)
        };
        self.elsewhere.iter().filter(in_scope)
    }

    /// Each with all that is put on it by what is deployed as one.
    pub(super) fn external_subjects(&self, place: &RepositoryPlace<'_>) -> Vec<AccessSubject> {
        let mut all: BTreeMap<(String, String), AccessSubject> = BTreeMap::new();
        for put in self.put_elsewhere() {
            let Some(by) = put.used.by.map(|id| &self.resources[id]) else {
                continue;
            };
            let name = put.name.display();
            let address = format!("{}/{name}", put.kind.name());
            let subject = match all.entry((by.address.root().to_owned(), address)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(free) => {
                    let (root, address) = free.key().clone();
                    let Some(policy) = self.identity_policy(&[&put.used], put.used.span) else {
                        continue;
                    };
                    free.insert(AccessSubject {
                        kind: SubjectKind::Identity,
                        local: address.clone(),
                        caller: put.name.known().and_then(|name| place.example_arn_of(put.kind, &name)),
                        address: Some(address),
                        root,
                        account: by.account.clone(),
                        deployed_to: self.accounts.get(by.address.root()).cloned(),
                        name: Some(name),
                        on: Vec::new(),
                        span: put.used.span,
                        policy,
                    })
                }
            };
            self.add_use(&put.used, &mut subject.policy, place);
        }
        all.into_values().collect()
    }
}
