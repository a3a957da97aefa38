//! All units together: identities, what is attached to them, what runs with them, and how things refer to each other.
//!
//! **Invariant:** ids are indices into the vectors of [`Project`]; every edge keeps the span of the reference that made it;
//! nothing here sees syntax, and linking fills no holes in texts.

mod applicable;
mod combined;
mod effective;
mod gates;
mod hosts;
mod limits;
mod link;
mod recorded;
mod references;
mod requests;
mod required;
mod settings;
mod stated;
mod statement;
mod subjects;
mod synthesized;
pub(crate) mod targets;
mod unreadable;
pub(crate) mod user_data;
mod workload;

pub use applicable::RequestDocuments;
pub use combined::{CombinedPolicy, statement_text};
pub use effective::{
    AccessLimit, AwsManaged, Boundary, EXCEPT_DENIED, Effective, EffectiveGrant, Effects, Gap, Guardrail,
    GuardrailLevel, PolicySource, Power, Reach, StatementGrant, UnknownPolicies, Withheld, is_denied, is_majority,
};
pub use gates::{IdentityGates, ResourcePolicies, ResourcePolicy};
pub use hosts::host;
pub(crate) use link::called_as_package;
pub use link::link;
pub use recorded::{
    AbsenceProof, EvidenceFile, IdentityUse, LEAST_DAYS, ProjectEvidence, RecordedUse, UnplacedIdentity, UseCount,
    UseProof, times, used_list,
};
pub use requests::RepositoryPlace;
pub use required::{Codebase, Required, Uncertainty};
pub use settings::{AccessSetting, SettingOf};
pub use statement::StatementRef;
pub use subjects::{AccessSubject, SubjectKind};
pub use unreadable::UnreadableParts;
pub use workload::{
    CodePlace, ContentGap, Definition, DefinitionGap, Handler, MachineTask, RoleGap, RunsAs, Workload, WorkloadCode,
    WorkloadContent, WorkloadKind,
};

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, OnceLock};

pub use crate::index::{DocumentId, IdentityId, ResourceId};

use crate::iam::{Clause, DeclaredContract, Document, DocumentPermissions, Ownership, Statement};
use crate::index::IndexVec;
use crate::model::Resource;
use crate::python::{Program, PythonModule};
use crate::source::{Problem, Sources, Span, Text};
pub use crate::terms::IdentityKind;

/// Everything a check may ask.
#[derive(Debug)]
pub struct Project<'a> {
    pub sources: &'a Sources,
    pub own: &'a Ownership,
    pub documents: IndexVec<DocumentId, Document>,
    /// Policies that are put somewhere and of which nothing is known: listed, and never judged.
    pub unread: Vec<Document>,
    pub identities: IndexVec<IdentityId, Identity>,
    pub resources: IndexVec<ResourceId, Resource>,
    pub problems: Vec<Problem>,
    /// See [`crate::model::LoweredUnit::extents`].
    pub extents: Vec<Span>,
    /// Python, sorted by file, for [`crate::python::calls::Calls`].
    pub modules: Vec<PythonModule>,
    /// See [`crate::model::LoweredUnit::test_code`].
    pub test_code: Vec<Span>,
    /// See [`crate::model::LoweredUnit::unused`]; sorted.
    unused: Vec<Span>,
    /// See [`crate::model::LoweredUnit::defaults`]; sorted.
    defaults: Vec<(Span, Arc<str>)>,
    /// See [`crate::model::LoweredUnit::unattached`].
    unattached: HashSet<Span>,
    /// Policies that are put on an identity that cannot be determined, by its kind and the scope of the resource that puts them:
    /// one place of each.
    pub unplaced: BTreeMap<(IdentityKind, Arc<str>), Span>,
    /// Policies that are put on identities of which the repository has the name only.
    pub elsewhere: Vec<ExternalAttachment>,
    /// For [`Project::resources_at`].
    references: link::ReferenceIndex,
    /// For [`Project::identity_of`].
    identity_of: BTreeMap<ResourceId, IdentityId>,
    /// For [`Project::identity_named`].
    named_identities: OnceLock<references::NamedIdentities>,
    /// For [`Project::holders`].
    holders: OnceLock<IndexVec<DocumentId, Vec<IdentityId>>>,
    /// For [`Project::cases`].
    alternatives: OnceLock<BTreeMap<ResourceId, Vec<Resource>>>,
    /// For [`Project::granted`], by document.
    granted: IndexVec<DocumentId, OnceLock<DocumentPermissions>>,
    /// For [`Project::withheld`], by document.
    withheld: OnceLock<IndexVec<DocumentId, Withheld>>,
    /// Python inside other files, in the order of the units.
    pub inline: Vec<crate::model::Inline>,
    /// Folders of layers, and those that images copy beside their code, from which functions import. Sorted.
    pub shared: Vec<String>,
    /// In the order of their resources.
    pub workloads: Vec<Workload>,
    /// Files of assets that the CDK staged, with the file of the repository that each is a copy of.
    pub copies: BTreeMap<crate::source::FileId, crate::source::FileId>,
    /// Functions of synthesized templates with the function of CDK code that each is made of: indices into `workloads`.
    pub rendered: BTreeMap<usize, usize>,
    /// Workloads in the code of the CDK that are known only in what it synthesized, each with the one there.
    pub synthesized: BTreeMap<usize, usize>,
    /// Files of code that would say more; see [`crate::model::LoweredUnit::wanted`].
    pub wanted: Vec<String>,
    /// Documents that limit all identities of the account: the settings or the repository say that they are attached above it.
    pub service_control_policies: Vec<Guardrail>,
    /// Documents that limit all resources of the account: the repository attaches them above it. AWS attaches
    /// `RCPFullAWSAccess` beside them.
    pub resource_control_policies: Vec<DocumentId>,
    /// What is deployed to the management account, which these do not limit; see [`crate::model::Address::root`].
    pub management: BTreeSet<String>,
    /// See [`crate::model::LoweredUnit::deployed_to`].
    pub accounts: BTreeMap<Arc<str>, Arc<str>>,
    /// Of the settings and of access files, in the order of their places.
    pub contracts: Vec<DeclaredContract>,
    /// What logs and reports of AWS say was used; filled in after linking, from files that the settings name.
    pub evidence: ProjectEvidence,
    /// For [`Project::recorded`].
    recorded: OnceLock<RecordedUse>,
}

impl Project<'_> {
    /// All its Python.
    pub fn program(&self) -> Program<'_> {
        Program::with_shared_folders(self.sources, &self.modules, &self.shared)
    }

    /// Each of [`Project::inline`] by itself.
    pub fn inline_programs(&self) -> Vec<Program<'_>> {
        let modules = self.inline.iter().map(|code| std::slice::from_ref(&code.module));
        modules.map(|m| Program::new(self.sources, m)).collect()
    }

    /// A resource with its settings as they may be deployed: where conditions decide about them, once for each case, whose
    /// condition is in `branch`.
    pub fn cases(&self, id: ResourceId) -> &[Resource] {
        let alternatives = self.alternatives.get_or_init(|| {
            let each = self.resources.iter_enumerated().map(|(id, r)| (id, r.alternatives()));
            each.filter(|(_, cases)| !cases.is_empty()).collect()
        });
        let whole = std::slice::from_ref(&self.resources[id]);
        alternatives.get(&id).map_or(whole, Vec::as_slice)
    }

    /// The cases of all resources.
    pub fn deployed(&self) -> impl Iterator<Item = (ResourceId, &Resource)> {
        let all = self.resources.ids();
        all.flat_map(|id| self.cases(id).iter().map(move |case| (id, case)))
    }

    /// The parameter or variable whose default is written at `span`, where nothing here gives it another value.
    pub fn default_at(&self, span: Span) -> Option<&str> {
        let before = |at: Span| (at.file, at.start) <= (span.file, span.start);
        let next = self.defaults.partition_point(|(at, _)| before(*at));
        let (at, name) = self.defaults.get(next.checked_sub(1)?)?;
        at.contains(span).then_some(name)
    }

    /// Whether nothing here uses a document, which an output may hand on.
    pub fn is_unattached(&self, d: &Document) -> bool {
        d.resource.is_none() && self.unattached.contains(&d.span)
    }

    /// Whether all that a statement says is written in it or known for sure: no input whose default stands there may change it.
    pub fn is_closed(&self, s: &Statement) -> bool {
        let clauses = [&s.action, &s.resource].into_iter().flatten().flat_map(|c| &c.items);
        let principals = s.principal.iter().flat_map(|p| &p.items).map(|p| &p.value);
        let values = s.conditions.iter().flat_map(|c| &c.values);
        let mut items = clauses.chain(principals).chain(values);
        // An element that is empty by default may have any items.
        let is_empty = |c: &Option<Clause>| c.as_ref().is_some_and(|c| c.items.is_empty());
        let empty = is_empty(&s.action)
            || is_empty(&s.resource)
            || s.principal.as_ref().is_some_and(|p| p.items.is_empty())
            || s.conditions.iter().any(|c| c.values.is_empty());
        !s.unlimited && !empty && items.all(|item| self.default_at(item.span).is_none())
    }

    /// The policies of an identity, and those of its groups.
    pub fn policies_of<'s>(&'s self, identity: &'s Identity) -> impl Iterator<Item = &'s PolicyUse> {
        let of_groups = identity.known_groups().flat_map(|g| &self.identities[g].policies);
        identity.policies.iter().chain(of_groups)
    }

    /// Whether a place is in code that calls no account; see [`crate::model::LoweredUnit::test_code`].
    pub fn is_in_test_code(&self, span: Span) -> bool {
        self.test_code.iter().any(|code| code.contains(span))
    }

    /// Whether nothing in the repository puts the policy at `span` to use.
    pub fn is_unused(&self, span: Span) -> bool {
        let before = |at: Span| (at.file, at.start) <= (span.file, span.start);
        let next = self.unused.partition_point(|at| before(*at));
        let last = next.checked_sub(1).and_then(|i| self.unused.get(i));
        last.is_some_and(|at| at.contains(span))
    }

    /// What a document grants and denies; worked out once.
    pub fn granted(&self, document: DocumentId) -> &DocumentPermissions {
        self.granted[document].get_or_init(|| DocumentPermissions::new(&self.documents[document]))
    }

    /// What a document seems to grant and none of its holders gets: it is denied, outside their boundaries, or only let
    /// through for a named policy, boundary or service.
    pub fn withheld(&self, document: DocumentId) -> &Withheld {
        &self.withheld.get_or_init(|| effective::withheld(self))[document]
    }
}

/// A role, user, group or permission set of the repository.
#[derive(Debug)]
pub struct Identity {
    pub kind: IdentityKind,
    pub resource: ResourceId,
    /// The physical name, as far as it is known.
    pub name: Option<Text>,
    /// What a person points at to name it.
    pub header: Span,
    /// Trust policies (more than one where a conditional has alternatives).
    pub trust: Vec<DocumentId>,
    pub policies: Vec<PolicyUse>,
    pub boundary: Option<PolicyUse>,
    /// Of a user.
    pub groups: Vec<Membership>,
}

impl Identity {
    /// The groups of the repository that a user is in.
    pub fn known_groups(&self) -> impl Iterator<Item = IdentityId> {
        self.groups.iter().filter_map(|m| m.group)
    }

    /// The documents of the repository that are its policies.
    pub fn documents(&self) -> impl Iterator<Item = DocumentId> {
        let documents = self.policies.iter().filter_map(|used| match &used.policy {
            PolicyRef::Documents(ids) => Some(ids),
            _ => None,
        });
        documents.flatten().copied()
    }
}

/// A policy that is put on an identity that is not one of the repository's.
#[derive(Clone, Debug)]
pub struct ExternalAttachment {
    pub used: PolicyUse,
    pub kind: IdentityKind,
    pub name: Text,
}

impl ExternalAttachment {
    /// The documents of the repository that it puts there.
    pub fn documents(&self) -> &[DocumentId] {
        match &self.used.policy {
            PolicyRef::Documents(ids) => ids,
            _ => &[],
        }
    }
}

/// A user's place in a group.
#[derive(Clone, Copy, Debug)]
pub struct Membership {
    /// `None` where the group is not one of the repository's.
    pub group: Option<IdentityId>,
    /// The reference that says so.
    pub span: Span,
}

/// A policy put on an identity.
#[derive(Clone, Debug)]
pub struct PolicyUse {
    pub policy: PolicyRef,
    /// The reference: the ARN, the attachment's argument, the inline policy's attribute.
    pub span: Span,
    /// Written inside the identity or put on it alone, rather than a managed policy attached.
    pub inline: bool,
    /// There are deployments without it: an `!If` with `AWS::NoValue`, an input that is empty by default.
    pub optional: bool,
    /// The resource that attaches, when it is another than the identity's own.
    pub by: Option<ResourceId>,
}

#[derive(Clone, Debug)]
pub enum PolicyRef {
    /// A document of the repository (several ids where a conditional has alternatives).
    Documents(Vec<DocumentId>),
    /// AWS's own: name with its path, without `arn:…:policy/`: `service-role/AWSLambdaBasicExecutionRole`.
    AwsManaged(Arc<str>),
    /// Somewhere else, or not known.
    Elsewhere(Text),
}
