//! The policies that decide about requests of an identity or on a resource, each as one document with what is known filled in.

use std::collections::{BTreeMap, BTreeSet};

use super::combined::CombinedPolicy;
use super::effective::UnknownPolicies;
use super::stated::TargetNames;
use super::{DocumentId, Effective, IdentityId, PolicyUse, Project, RepositoryPlace, ResourceId};
use crate::iam::pattern::is_star;
use crate::iam::{
    Clause, ClauseItem, Document, Effect, PolicyKind, PrincipalClause, PrincipalItem, PrincipalType, Statement,
};
use crate::model::Resource;
use crate::source::{Span, Text, WithSpan};

/// What has to allow a request of an identity.
#[derive(Debug)]
pub struct IdentityGates {
    /// Of the identity and its groups. Open where more may be granted than is here.
    pub grants: CombinedPolicy,
    /// `None`: no boundary.
    pub boundary: Option<Document>,
    /// Of each level above the account, and whether `FullAWSAccess` is beside it.
    pub levels: Vec<(Document, bool)>,
    /// Why more may be granted than is here.
    pub unknown: Vec<(Span, &'static str)>,
}

/// A policy with principals, and what it is on.
#[derive(Debug)]
pub struct ResourcePolicy {
    /// `None`: not known, or not in the repository.
    pub on: Option<ResourceId>,
    /// As the repository writes it; `None` for what the properties of a resource say.
    pub written: Option<DocumentId>,
    pub document: Document,
}

/// All policies with principals, in the order of the project.
#[derive(Debug, Default)]
pub struct ResourcePolicies {
    pub all: Vec<ResourcePolicy>,
    by_resource: BTreeMap<ResourceId, Vec<usize>>,
}

impl ResourcePolicies {
    /// Those on a resource.
    pub fn on(&self, id: ResourceId) -> impl Iterator<Item = &ResourcePolicy> {
        let places = self.by_resource.get(&id).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|at| self.all.get(*at))
    }

    fn push(&mut self, on: Option<ResourceId>, written: Option<DocumentId>, document: Document) {
        if let Some(id) = on {
            self.by_resource.entry(id).or_default().push(self.all.len());
        }
        self.all.push(ResourcePolicy { on, written, document });
    }
}

impl RepositoryPlace<'_> {
    pub fn gates(&self, id: IdentityId) -> IdentityGates {
        let project = self.project();
        let identity = &project.identities[id];
        let uses: Vec<&PolicyUse> = project.policies_of(identity).collect();
        let mut grants = self.combined(&uses);
        let gaps = Effective::new(project, id).gaps;
        let hidden = gaps.iter().filter_map(|g| Some((g.span, gap_text(g.why)?)));
        let unknown: Vec<(Span, &'static str)> = hidden.collect();
        grants.document.open |= !unknown.is_empty() || !grants.elsewhere.is_empty();
        grants.document.kind = PolicyKind::Identity;
        IdentityGates {
            grants,
            boundary: identity.boundary.as_ref().map(|used| {
                let mut policy = self.combined(&[used]);
                policy.document.open |= !policy.elsewhere.is_empty();
                policy.document
            }),
            levels: project
                .levels_above(identity.resource)
                .into_iter()
                .map(|(documents, allows_all)| (self.united(&documents), allows_all))
                .collect(),
            unknown,
        }
    }

    fn combined(&self, uses: &[&PolicyUse]) -> CombinedPolicy {
        let project = self.project();
        let mut policy = CombinedPolicy::new(&Document::empty());
        for used in uses {
            project.add_use(used, &mut policy, self);
        }
        policy.document.statements.iter_mut().for_each(settle);
        policy
    }

    fn united(&self, documents: &[&Document]) -> Document {
        let mut out = Document {
            statements: Vec::new(),
            open: false,
            ..documents.first().map_or_else(Document::empty, |d| (*d).clone())
        };
        for document in documents {
            let filled = self.filled_document(document);
            out.open |= filled.open;
            out.statements.extend(filled.statements);
        }
        out
    }

    /// A document with what is known filled in, whose statements are there only where the document is.
    pub fn filled_document(&self, document: &Document) -> Document {
        let mut out = self.document(document);
        for s in &mut out.statements {
            if s.branch.is_none() {
                s.branch.clone_from(&document.branch);
            }
            settle(s);
        }
        out
    }

    /// Every policy with principals: those on resources, trust policies, and what properties of resources say to the same
    /// effect.
    pub fn resource_policies(&self) -> ResourcePolicies {
        let project = self.project();
        let mut out = ResourcePolicies::default();
        let names = self.targets_by_name();
        let mut trust: BTreeMap<DocumentId, ResourceId> = BTreeMap::new();
        for identity in &project.identities {
            trust.extend(identity.trust.iter().map(|d| (*d, identity.resource)));
        }
        for (id, document) in project.documents.iter_enumerated() {
            if let Some(role) = trust.get(&id) {
                out.push(Some(*role), Some(id), self.filled_document(document));
                continue;
            }
            // The policy of an endpoint grants nothing.
            let grants = document.service.as_deref() != Some("ec2") && document.suggested.is_none();
            if document.kind != PolicyKind::Resource || !grants {
                continue;
            }
            let holder = document.resource.map(|at| (at, &project.resources[at]));
            let mut on: BTreeSet<ResourceId> = holder.map(|(_, r)| self.policy_targets(r, &names)).unwrap_or_default();
            if let (Some((at, _)), true) = (holder, on.is_empty()) {
                on.insert(at);
            }
            if on.is_empty() {
                // What it is on, only its statements can say.
                let mut filled = self.filled_document(document);
                filled.statements.retain(|s| {
                    let items = s.resource.iter().filter(|c| !c.negated).flat_map(|c| &c.items);
                    items.clone().next().is_some() && !items.clone().any(|i| is_star(&i.text))
                });
                out.push(None, Some(id), filled);
            }
            for target in on {
                out.push(Some(target), Some(id), self.filled_document(document));
            }
        }
        for (id, r) in project.resources.iter_enumerated() {
            if &*r.kind == "AWS::KMS::Key" && !out.by_resource.contains_key(&id) {
                out.push(Some(id), None, default_key_policy(&self.account, r.header));
            }
        }
        for stated in self.stated_policies(&|name| names.get(name).copied()) {
            out.push(stated.on, None, stated.document);
        }
        out
    }

    /// What a resource that holds a policy puts it on, where that is another one of the repository.
    fn policy_targets(&self, holder: &Resource, names: &TargetNames<'_>) -> BTreeSet<ResourceId> {
        let project = self.project();
        let entries = holder.props.entries().unwrap_or(&[]);
        let mut out = BTreeSet::new();
        for value in entries.iter().flat_map(|e| e.value.items()) {
            let referred = value.as_hole().and_then(|h| h.target.as_ref());
            let same = |id: &ResourceId| project.resources[*id].namespace() == holder.namespace();
            let found = referred.map_or(&[][..], |t| project.resources_at(t));
            out.extend(found.iter().copied().filter(same).filter(|id| self.arn_is_formed(*id)));
            let text = value.as_text().and_then(|t| known(&self.filled_text(t)));
            out.extend(text.and_then(|t| names.get(&(holder.namespace(), t)).copied()));
        }
        out
    }

    fn arn_is_formed(&self, id: ResourceId) -> bool {
        self.partial_arn(id).is_some()
    }
}

/// A statement with one action and one principal.
pub(super) fn allow_statement(at: Span, action: ClauseItem, kind: PrincipalType, principal: ClauseItem) -> Statement {
    let (action_at, principal_at) = (action.span, principal.span);
    Statement {
        sid: None,
        effect: Some(WithSpan::new(Effect::Allow, at)),
        action: Some(Clause {
            negated: false,
            key: action_at,
            span: action_at,
            items: vec![action],
            list: false,
            complete: true,
            sets: Default::default(),
        }),
        resource: None,
        second_action: None,
        second_resource: None,
        principal: Some(PrincipalClause {
            negated: false,
            key: principal_at,
            span: principal_at,
            items: vec![PrincipalItem {
                kind,
                type_key: None,
                value: principal,
                home: None,
            }],
            complete: true,
        }),
        conditions: Vec::new(),
        condition_key: None,
        keys: Vec::new(),
        span: at,
        pointer: String::new(),
        branch: None,
        open: false,
        unlimited: false,
        complete: true,
        dead: None,
        strength: Default::default(),
        nothing: Default::default(),
    }
}

/// What AWS puts on a key that is made without a policy: the account decides.
/// AWS KMS Developer Guide, "Default key policy".
fn default_key_policy(account: &str, at: Span) -> Document {
    let item = |text: &str| ClauseItem::new(Text::synthetic(text, at), at);
    Document {
        kind: PolicyKind::Resource,
        statements: vec![allow_statement(at, item("kms:*"), PrincipalType::Aws, item(account))],
        span: at,
        ..Document::empty()
    }
}

fn known(text: &Text) -> Option<String> {
    text.known().map(|t| t.into_owned())
}

/// What no request of today matches says nothing; what an input may limit is not certain.
fn settle(s: &mut Statement) {
    s.open |= s.unlimited;
    if s.dead.is_some() {
        s.effect = None;
    }
}

fn gap_text(why: UnknownPolicies) -> Option<&'static str> {
    Some(match why {
        UnknownPolicies::Elsewhere => "a policy that is not in the repository",
        UnknownPolicies::NotShownByAws => "a managed policy that AWS does not have, or does not show",
        UnknownPolicies::NoDocument => "a policy whose text is not known",
        UnknownPolicies::GroupElsewhere => "a group that is not in the repository",
        UnknownPolicies::GivenToCode => "what code gives to it that it is handed to",
        UnknownPolicies::Unplaced => "a policy that is put on an identity that is not known",
        // Statements say so themselves.
        UnknownPolicies::Unclear => return None,
    })
}

impl Project<'_> {
    /// The documents in a file.
    pub fn documents_in(&self, path: &str) -> Vec<&Document> {
        let Some(file) = self.sources.find(path) else {
            return Vec::new();
        };
        self.documents.iter().filter(|d| d.span.file == file).collect()
    }
}
