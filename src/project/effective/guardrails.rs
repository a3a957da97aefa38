//! Service control policies above the accounts of the repository.
//!
//! AWS Organizations User Guide, "SCP evaluation": what some level does not allow is denied, and so is what a policy of any
//! level denies; the management account and service-linked roles are not affected.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::iam::{ActionSet, Document};
use crate::project::{DocumentId, Project, ResourceId};

/// A service control policy that limits the identities of the repository.
#[derive(Clone, Debug)]
pub struct Guardrail {
    pub document: DocumentId,
    pub level: GuardrailLevel,
}

/// Where a service control policy is attached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GuardrailLevel {
    /// The settings name it by this pattern: the files of one pattern are what is attached to one level.
    Named(Arc<str>),
    /// The repository attaches it to the root, or to its only account. AWS attaches `FullAWSAccess` beside it, so that it takes
    /// away only what it denies.
    Attached,
}

impl Project<'_> {
    /// The service control policies above what `resource` makes, or above what nothing is known of.
    pub(in crate::project) fn guardrails(&self, resource: Option<ResourceId>) -> &[Guardrail] {
        let scope = |id: ResourceId| self.resources[id].address.root();
        match resource {
            Some(id) if self.management.contains(scope(id)) => &[],
            _ => &self.service_control_policies,
        }
    }

    /// The policies of each level above a resource, and whether `FullAWSAccess` is beside them: AWS attaches it, and where
    /// they only deny, nothing would be allowed without it.
    pub(in crate::project) fn levels_above(&self, resource: ResourceId) -> Vec<(Vec<&Document>, bool)> {
        let mut levels: BTreeMap<&GuardrailLevel, Vec<&Document>> = BTreeMap::new();
        for g in self.guardrails(Some(resource)) {
            levels.entry(&g.level).or_default().push(&self.documents[g.document]);
        }
        let with_full = levels.into_iter().map(|(level, documents)| {
            let mut statements = documents.iter().flat_map(|d| &d.statements);
            let denies_only = !statements.any(|s| !s.is_written_as_deny());
            let allows_all = *level == GuardrailLevel::Attached || denies_only;
            (documents, allows_all)
        });
        with_full.collect()
    }

    /// What each level allows of which some policy is an allow list. A level of which only denials are listed has
    /// `FullAWSAccess`: without an Allow it would let nothing through.
    pub(super) fn allowed_above(&self, resource: Option<ResourceId>) -> Vec<ActionSet> {
        let mut levels: BTreeMap<&GuardrailLevel, (ActionSet, bool)> = BTreeMap::new();
        for g in self
            .guardrails(resource)
            .iter()
            .filter(|g| g.level != GuardrailLevel::Attached)
        {
            let granted = self.granted(g.document);
            let (allowed, complete) = levels.entry(&g.level).or_insert_with(|| (ActionSet::empty(), true));
            *complete &= granted.unclear.is_empty();
            for a in &granted.allowed {
                allowed.union_with(&a.actions);
            }
        }
        let lists = levels
            .into_values()
            .filter(|(allowed, complete)| *complete && !allowed.is_empty());
        lists.map(|(allowed, _)| allowed).collect()
    }
}
