//! Joins the units: references to resources, names to identities, attachments to documents.
//!
//! **Invariant:** the result does not depend on the order of the units; nothing is guessed: what does not resolve to one
//! thing of the repository stays [`PolicyRef::Elsewhere`].

mod code;
mod declared;
mod groups;
mod guardrails;
mod identities;
mod index;
mod instances;
mod named_code;
mod rendered;
mod staged;
mod states;
mod targets;
mod workloads;

pub(crate) use named_code::called_as_package;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::OnceLock;

use crate::iam::arn::{Arn, ArnField, is_account_id};
use crate::iam::{DeclaredContract, Document, Ownership, PolicyKind};
use crate::index::{DocumentId, Id, IndexVec, ResourceId};
use crate::model::LoweredUnit;
use crate::source::{FileId, Sources};

use super::{PolicyRef, Project, ProjectEvidence};
use crate::value::Value;
pub(super) use index::ReferenceIndex;

/// Joins all units of a run into one project.
pub fn link<'a>(sources: &'a Sources, own: &'a Ownership, units: Vec<LoweredUnit>) -> Project<'a> {
    let mut project = Project {
        sources,
        own,
        documents: IndexVec::new(),
        unread: Vec::new(),
        identities: IndexVec::new(),
        resources: IndexVec::new(),
        problems: Vec::new(),
        extents: Vec::new(),
        modules: Vec::new(),
        test_code: Vec::new(),
        unused: Vec::new(),
        defaults: Vec::new(),
        unattached: HashSet::new(),
        unplaced: BTreeMap::new(),
        elsewhere: Vec::new(),
        references: ReferenceIndex::default(),
        identity_of: BTreeMap::new(),
        named_identities: OnceLock::new(),
        holders: OnceLock::new(),
        alternatives: OnceLock::new(),
        granted: IndexVec::new(),
        withheld: OnceLock::new(),
        inline: Vec::new(),
        shared: Vec::new(),
        workloads: Vec::new(),
        copies: BTreeMap::new(),
        rendered: BTreeMap::new(),
        synthesized: BTreeMap::new(),
        wanted: Vec::new(),
        service_control_policies: Vec::new(),
        resource_control_policies: Vec::new(),
        management: BTreeSet::new(),
        accounts: BTreeMap::new(),
        contracts: own.contracts.clone(),
        evidence: ProjectEvidence::default(),
        recorded: OnceLock::new(),
    };
    let mut unfilled = Vec::new();
    for mut unit in units {
        let base = project.resources.next_id().index();
        for d in unit.documents.iter_mut().chain(&mut unit.unread) {
            d.resource = d.resource.map(|r| ResourceId::new(base + r.index()));
        }
        for code in &mut unit.inline {
            code.resource = ResourceId::new(base + code.resource.index());
        }
        project.inline.append(&mut unit.inline);
        project.documents.raw.append(&mut unit.documents);
        project.unread.append(&mut unit.unread);
        project.resources.raw.append(&mut unit.resources.raw);
        project.problems.append(&mut unit.problems);
        unfilled.append(&mut unit.unfilled);
        project.extents.append(&mut unit.extents);
        project.modules.append(&mut unit.modules);
        project.test_code.append(&mut unit.test_code);
        project.defaults.append(&mut unit.defaults);
        project.unattached.extend(unit.unattached.drain(..));
        for (span, scope) in unit.completed {
            let key = (crate::terms::IdentityKind::Role, scope);
            project.unplaced.entry(key).or_insert(span);
        }
        project.unused.append(&mut unit.unused);
        project.accounts.extend(unit.deployed_to);
        project.contracts.append(&mut unit.contracts);
    }
    project.unused.sort();
    project.defaults.sort();
    project.defaults.dedup();
    project.modules.sort_by_key(|m| m.file);
    drop_unowned_twins(&mut project.documents.raw);
    find_accounts(&mut project);
    let held = project.documents.iter().filter(|d| d.resource.is_some());
    let filled: BTreeSet<FileId> = held.map(|d| d.span.file).collect();
    unfilled.retain(|p| !filled.contains(&p.span.file));
    project.problems.append(&mut unfilled);
    project
        .problems
        .sort_by(|a, b| (a.span, &a.message).cmp(&(b.span, &b.message)));
    project.problems.dedup();
    let index = ReferenceIndex::new(&project);
    identities::identities(&mut project, &index);
    groups::memberships(&mut project, &index);
    mark_boundaries(&mut project, &index);
    guardrails::guardrails(&mut project, &index);
    project.granted = IndexVec::with_len_of(&project.documents, OnceLock::new);
    workloads::workloads(&mut project, &index);
    project.references = index;
    let place = |c: &DeclaredContract| (c.file.clone(), c.terms.name.range.start);
    project.contracts.sort_by_cached_key(place);
    let policies = project.contracts.iter().filter_map(DeclaredContract::policy_path);
    let missing = policies.filter(|path| sources.find(path).is_none());
    project.wanted.extend(missing);
    project
}

/// A bare document that another file puts to use (`file("p.json")`) is seen there, with its holder and kind; the document
/// seen without a holder is the same text again.
fn drop_unowned_twins(documents: &mut Vec<Document>) {
    let mut held: Vec<_> = documents
        .iter()
        .filter(|d| d.resource.is_some())
        .map(|d| d.span)
        .collect();
    held.sort_unstable();
    held.dedup();
    documents.retain(|d| d.resource.is_some() || held.binary_search(&d.span).is_err());
    documents.sort_by(|a, b| {
        (a.span, &a.owner.as_ref().map(|o| (&o.scope, &o.address, &o.attribute)))
            .cmp(&(b.span, &b.owner.as_ref().map(|o| (&o.scope, &o.address, &o.attribute))))
    });
}

/// Properties by which a policy that is a resource of its own names what it is on.
const TARGETS: [&str; 9] = [
    "Arn",
    "KeyId",
    "QueueUrl",
    "RegistryArn",
    "ResourceARN",
    "ResourceArn",
    "SecretId",
    "StreamARN",
    "TopicArn",
];

/// Whose resource a policy is on, where its target is written as an ARN: the statements may say `*`.
fn find_accounts(project: &mut Project<'_>) {
    for d in project.documents.iter_mut().filter(|d| d.kind == PolicyKind::Resource) {
        let holder = d.resource.and_then(|r| project.resources.get(r));
        let targets = holder
            .iter()
            .flat_map(|r| TARGETS.iter().filter_map(|name| r.get(name)));
        d.account = targets.filter_map(account_of).next();
    }
}

fn account_of(target: &Value) -> Option<String> {
    match Arn::parse(target.as_text()?)?.account() {
        ArnField::Literal(account) if is_account_id(&account) => Some(account.into_owned()),
        _ => None,
    }
}

/// A document that is used as a permissions boundary, and as nothing else, is one; so is one that a condition demands as the
/// boundary of what is made. IAM User Guide, "Permissions boundaries for IAM entities".
fn mark_boundaries(project: &mut Project<'_>, index: &ReferenceIndex) {
    let mut boundary = Vec::new();
    let statements = project.documents.iter().flat_map(|d| &d.statements);
    for c in statements.flat_map(|s| &s.conditions) {
        if c.lower_key != "iam:permissionsboundary" {
            continue;
        }
        for item in &c.values {
            if let PolicyRef::Documents(ids) = index.policy(&Value::text(item.text.clone(), item.span)) {
                boundary.extend(ids);
            }
        }
    }
    let mut attached: BTreeSet<DocumentId> = BTreeSet::new();
    for identity in &project.identities {
        if let Some(u) = &identity.boundary
            && let PolicyRef::Documents(ids) = &u.policy
        {
            boundary.extend_from_slice(ids);
        }
        for u in &identity.policies {
            if let PolicyRef::Documents(ids) = &u.policy {
                attached.extend(ids);
            }
        }
    }
    attached.extend(identities::attached_documents(project, index));
    for id in boundary {
        let d = &mut project.documents[id];
        if d.kind == PolicyKind::Identity && !attached.contains(&id) {
            d.kind = PolicyKind::Boundary;
        }
    }
}
