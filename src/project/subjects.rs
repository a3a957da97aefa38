//! What has policies: each identity with all of its own as one, trust, what is on resources, and documents by themselves.
//!
//! **Invariant:** two combined policies with one text grant the same; every statement knows a place in the repository.

mod external;

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::combined::CombinedPolicy;
use super::effective::{UnknownPolicies, gaps_of_identity};
use super::{
    AwsManaged, DocumentId, ExternalAttachment, Identity, IdentityId, PolicyRef, PolicyUse, Project, RepositoryPlace,
    ResourceId,
};
use crate::iam::{Document, PolicyKind};
use crate::model::{Resource, full_address, resource_types};
use crate::source::{Hole, Span, Text};
use crate::value::Value;

/// What a policy is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SubjectKind {
    /// What an identity may do.
    Identity,
    /// Who may become a role.
    Trust,
    /// What is on a resource.
    Resource,
    /// A document that nothing here puts to use.
    Document,
}

/// Something with policies.
#[derive(Debug)]
pub struct AccessSubject {
    pub kind: SubjectKind,
    /// With the calls of modules that lead there. Of a bare document nothing: its path says which it is.
    pub address: Option<String>,
    /// The address without these calls.
    pub local: String,
    /// What is deployed as one: the folder or the file of it.
    pub root: String,
    /// The account that it is made in, where a deployment makes things in several.
    pub account: Option<Arc<str>>,
    /// The number of the account that its root is deployed to, where it is known.
    pub deployed_to: Option<Arc<str>>,
    /// The physical name, where it is known.
    pub name: Option<String>,
    /// The ARNs of the identity, or of what the policy is on: of a bucket and its objects.
    pub on: Vec<Text>,
    /// The ARN that the identity of a policy asks with, in the account of examples.
    pub caller: Option<String>,
    /// What a person points at to name it.
    pub span: Span,
    pub policy: CombinedPolicy,
}

impl AccessSubject {
    /// A policy of identities, or a trust policy, that no identity here has.
    pub fn is_unattached(&self) -> bool {
        let is_of_identities = matches!(
            self.policy.document.kind,
            PolicyKind::Identity | PolicyKind::Boundary | PolicyKind::Trust | PolicyKind::Unknown
        );
        self.kind == SubjectKind::Document && self.address.is_some() && is_of_identities
    }
}

/// Policies of one kind on one thing.
type OtherKey = (SubjectKind, String, String, PolicyKind);

fn subject_key(subject: &AccessSubject, document: &Document) -> OtherKey {
    let address = subject.address.clone().unwrap_or_default();
    (subject.kind, subject.root.clone(), address, document.kind)
}

/// What holds a document, and its property.
fn owner_address(document: &Document) -> Option<String> {
    let owner = document.owner.as_ref()?;
    Some(format!(
        "{}.{}",
        full_address(&owner.scope, &owner.address),
        owner.attribute
    ))
}

impl Project<'_> {
    /// Whether a hole is a reference to a resource of one of these addresses.
    pub fn refers_to(hole: &Hole, addresses: &HashSet<Arc<str>>) -> bool {
        let target = hole.target.as_ref().map(|t| &*t.address);
        // What is declared nowhere is an address and attributes.
        let ends = hole.name.match_indices('.').map(|(at, _)| at);
        let parts = ends.chain([hole.name.len()]).filter_map(|end| hole.name.get(..end));
        target
            .into_iter()
            .chain(parts)
            .any(|address| addresses.contains(address))
    }

    /// Everything in scope that has policies, in the order of the project.
    pub fn access_subjects(&self) -> Vec<AccessSubject> {
        let mut out = Vec::new();
        let place = &RepositoryPlace::anywhere(self);
        let mut used: BTreeSet<DocumentId> = BTreeSet::new();
        let mut trust_of: BTreeMap<ResourceId, IdentityId> = BTreeMap::new();
        for (id, identity) in self.identities.iter_enumerated() {
            if !self.sources.file(identity.header.file).in_scope {
                continue;
            }
            trust_of.insert(identity.resource, id);
            out.extend(self.identity_subject(identity, place));
            used.extend(identity.documents());
            if let Some(PolicyRef::Documents(ids)) = identity.boundary.as_ref().map(|b| &b.policy) {
                used.extend(ids);
            }
            used.extend(&identity.trust);
            out.extend(self.trust_subject(identity, place));
        }
        out.extend(self.external_subjects(place));
        used.extend(self.put_elsewhere().flat_map(ExternalAttachment::documents));
        let mut others: BTreeMap<OtherKey, AccessSubject> = BTreeMap::new();
        for (id, document) in self.documents.iter_enumerated() {
            let in_scope = document.span.is_in_source() && self.sources.file(document.span.file).in_scope;
            if !in_scope || used.contains(&id) {
                continue;
            }
            let subject = self.document_subject(document, place);
            let key = subject_key(&subject, document);
            let same = others.entry(key).or_insert(subject);
            same.policy.add(document, document.span, place);
        }
        for document in &self.unread {
            let in_scope = document.span.is_in_source() && self.sources.file(document.span.file).in_scope;
            let holder = document.resource.filter(|_| in_scope);
            let subject = match (document.kind, holder) {
                // Those of identities are gaps of these.
                (PolicyKind::Trust, Some(role)) => trust_of.get(&role).map(|id| {
                    let policy = CombinedPolicy::new(document);
                    self.subject(SubjectKind::Trust, &self.identities[*id], policy, place)
                }),
                (PolicyKind::Resource, Some(holder)) => {
                    Some(self.resource_subject(self.policy_target(holder).unwrap_or(holder), document, place))
                }
                _ => None,
            };
            if let Some(subject) = subject {
                let key = subject_key(&subject, document);
                let same = others.entry(key).or_insert(subject);
                same.policy.unseen.insert(self.text_at(document.span), document.span);
            }
        }
        // Most permissions refer to their function.
        let names = LazyCell::new(|| place.targets_by_name());
        for stated in place.stated_policies(&|name| names.get(name).copied()) {
            let document = &stated.document;
            let Some(holder) = document
                .resource
                .filter(|_| self.sources.file(document.span.file).in_scope)
            else {
                continue;
            };
            let subject = self.resource_subject(stated.on.unwrap_or(holder), document, place);
            let key = subject_key(&subject, document);
            let same = others.entry(key).or_insert(subject);
            same.policy.add(document, document.span, place);
        }
        for ((.., kind), mut subject) in others {
            if kind == PolicyKind::Scp {
                subject.policy.allow_the_rest(place);
            }
            if subject.kind == SubjectKind::Resource {
                subject.policy.scope(&subject.on);
            }
            out.push(subject);
        }
        out
    }

    /// One document by itself.
    pub fn document_policy(&self, document: &Document, place: &RepositoryPlace<'_>) -> CombinedPolicy {
        let mut policy = CombinedPolicy::new(document);
        policy.add(document, document.span, place);
        policy
    }

    /// The addresses of policies of identities in scope.
    pub fn used_policies(&self) -> BTreeSet<String> {
        let in_scope = |i: &&Identity| self.sources.file(i.header.file).in_scope;
        let documents = self.identities.iter().filter(in_scope).flat_map(Identity::documents);
        let elsewhere = self.put_elsewhere().flat_map(ExternalAttachment::documents).copied();
        documents
            .chain(elsewhere)
            .filter_map(|id| owner_address(&self.documents[id]))
            .collect()
    }

    fn subject(
        &self,
        kind: SubjectKind,
        identity: &Identity,
        policy: CombinedPolicy,
        place: &RepositoryPlace<'_>,
    ) -> AccessSubject {
        let Resource { address, account, .. } = &self.resources[identity.resource];
        AccessSubject {
            kind,
            address: Some(address.full().into_owned()),
            local: address.name.to_string(),
            root: address.root().to_owned(),
            account: account.clone(),
            deployed_to: self.accounts.get(address.root()).cloned(),
            name: identity.name.as_ref().and_then(Text::known).map(|n| n.into_owned()),
            on: place.arns_of(identity.resource),
            caller: None,
            span: identity.header,
            policy,
        }
    }

    /// What is attached to an identity at a place, still without statements; it is like the first policy that has some.
    fn identity_policy(&self, uses: &[&PolicyUse], at: Span) -> Option<CombinedPolicy> {
        let first = uses.iter().find_map(|used| self.documents_of(used).first().copied());
        let any = first.or_else(|| AwsManaged::by_name("AdministratorAccess").map(AwsManaged::document))?;
        let mut policy = CombinedPolicy::new(any);
        policy.document.kind = PolicyKind::Identity;
        policy.document.span = at;
        Some(policy)
    }

    /// All that is attached to an identity and to its groups, less what limits it.
    fn identity_subject(&self, identity: &Identity, place: &RepositoryPlace<'_>) -> Option<AccessSubject> {
        let uses: Vec<&PolicyUse> = self.policies_of(identity).collect();
        let mut policy = self.identity_policy(&uses, identity.header)?;
        for used in uses {
            self.add_use(used, &mut policy, place);
        }
        for membership in identity.groups.iter().filter(|m| m.group.is_none()) {
            let name = self.text_at(membership.span);
            policy.elsewhere.insert(format!("group {name}"), membership.span);
        }
        let groups = identity.known_groups().map(|g| &self.identities[g]);
        let gaps = [identity]
            .into_iter()
            .chain(groups)
            .flat_map(|i| gaps_of_identity(self, i));
        let unseen = gaps.filter(|g| g.why == UnknownPolicies::NoDocument);
        policy.unseen.extend(unseen.map(|g| (self.text_at(g.span), g.span)));
        if !policy.document.statements.is_empty() {
            self.add_limits(identity, &mut policy, place);
        }
        let mut subject = self.subject(SubjectKind::Identity, identity, policy, place);
        subject.caller = place.example_arn(identity);
        Some(subject)
    }

    fn add_limits(&self, identity: &Identity, policy: &mut CombinedPolicy, place: &RepositoryPlace<'_>) {
        if let Some(boundary) = &identity.boundary {
            let documents = self.documents_of(boundary);
            match documents.is_empty() || boundary.optional {
                true => drop(policy.limits.insert(self.text_at(boundary.span), !boundary.optional)),
                false => policy.add_limit(&documents, false, boundary.span, place),
            }
        }
        for (documents, allows_all) in self.levels_above(identity.resource) {
            policy.add_limit(&documents, allows_all, identity.header, place);
        }
    }

    fn trust_subject(&self, identity: &Identity, place: &RepositoryPlace<'_>) -> Option<AccessSubject> {
        let mut policy = CombinedPolicy::new(&self.documents[*identity.trust.first()?]);
        for id in &identity.trust {
            policy.add(&self.documents[*id], self.documents[*id].span, place);
        }
        Some(self.subject(SubjectKind::Trust, identity, policy, place))
    }

    /// A policy on a resource, without its statements.
    fn resource_subject(&self, on: ResourceId, document: &Document, place: &RepositoryPlace<'_>) -> AccessSubject {
        let Resource { address, account, .. } = &self.resources[on];
        AccessSubject {
            kind: SubjectKind::Resource,
            address: Some(address.full().into_owned()),
            local: address.name.to_string(),
            root: address.root().to_owned(),
            account: account.clone(),
            deployed_to: self.accounts.get(address.root()).cloned(),
            name: None,
            on: place.arns_of(on),
            caller: None,
            span: document.span,
            policy: CombinedPolicy::new(document),
        }
    }

    /// Without its statements.
    fn document_subject(&self, document: &Document, place: &RepositoryPlace<'_>) -> AccessSubject {
        let holder = document.resource.filter(|_| document.kind == PolicyKind::Resource);
        if let Some(holder) = holder {
            return self.resource_subject(self.policy_target(holder).unwrap_or(holder), document, place);
        }
        let owner = document.owner.as_ref();
        let local = owner.map(|o| format!("{}.{}", o.address, o.attribute));
        let scope = owner.and_then(|o| o.scope.split('#').next());
        AccessSubject {
            kind: SubjectKind::Document,
            address: owner_address(document),
            root: scope.map_or_else(|| self.sources.path(document.span.file).to_owned(), str::to_owned),
            local: local.unwrap_or_default(),
            account: None,
            deployed_to: scope.and_then(|root| self.accounts.get(root)).cloned(),
            name: None,
            on: Vec::new(),
            caller: None,
            span: document.span,
            policy: CombinedPolicy::new(document),
        }
    }

    /// The resource that a resource with a policy puts it on, if it is another one of the repository.
    fn policy_target(&self, holder: ResourceId) -> Option<ResourceId> {
        let resource = &self.resources[holder];
        let target = |value: &Value| {
            let target = value.as_hole()?.target.as_ref()?;
            let (id, found) = self.resource_at(target)?;
            let fits = found.namespace() == resource.namespace() && resource_types::find(&found.kind).is_some();
            (fits && id != holder).then_some(id)
        };
        let entries = resource.props.entries().unwrap_or(&[]);
        entries.iter().flat_map(|e| e.value.items()).find_map(target)
    }

    fn documents_of(&self, used: &PolicyUse) -> Vec<&Document> {
        match &used.policy {
            PolicyRef::Documents(ids) => ids.iter().map(|id| &self.documents[*id]).collect(),
            PolicyRef::AwsManaged(name) => AwsManaged::by_name(name)
                .map(AwsManaged::document)
                .into_iter()
                .collect(),
            PolicyRef::Elsewhere(_) => Vec::new(),
        }
    }

    pub(super) fn add_use(&self, used: &PolicyUse, policy: &mut CombinedPolicy, place: &RepositoryPlace<'_>) {
        let documents = self.documents_of(used);
        if documents.is_empty() {
            let name = match &used.policy {
                PolicyRef::AwsManaged(name) => name.to_string(),
                PolicyRef::Elsewhere(text) => text.display(),
                // Its text is not known.
                PolicyRef::Documents(_) => {
                    let of = |d: &&Document| d.resource.is_some() && d.resource == used.by;
                    let at = self.unread.iter().find(of).map_or(used.span, |d| d.span);
                    policy.unseen.insert(self.text_at(at), at);
                    return;
                }
            };
            policy.elsewhere.insert(name, used.span);
        }
        for document in documents {
            policy.add(document, used.span, place);
        }
    }

    fn text_at(&self, span: Span) -> String {
        if !span.is_in_source() {
            return String::new();
        }
        self.sources.slice(span).to_owned()
    }
}
