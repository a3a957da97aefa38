//! One contract: who is asked about, for what, and what comes of it.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::names::{NamedParties, NamedResource, Outsider};
use super::{Breach, ContractDoubt, JudgedContract};
use crate::access::sets::Witness;
use crate::iam::{ActionSet, ContractReach, DeclaredContract, Document, catalogue};
use crate::index::IndexVec;
use crate::paths::PathFinder;
use crate::project::{
    Effects, IdentityGates, IdentityId, Project, RepositoryPlace, ResourceId, ResourcePolicies, ResourcePolicy,
};
use crate::source::{ProblemKind, Span};
use crate::terms::IdentityKind;
use crate::test_code::is_test_code;

/// Breaches and doubts of one contract that are kept, each.
const MAX_FOUND: usize = 200;

/// What a contract asks.
pub(super) struct AskedTerms<'d> {
    /// As patterns.
    pub(super) actions: Vec<String>,
    pub(super) set: ActionSet,
    /// Some pattern may stand for actions that the catalogue does not have.
    pub(super) is_open: bool,
    pub(super) resources: Vec<NamedResource>,
    /// What they may do all the same.
    pub(super) beyond: Option<&'d Document>,
    /// For each of the resources, the policies with principals that may allow something of it to an identity by name, without
    /// what they leave to the account.
    pub(super) direct: Vec<Vec<(&'d ResourcePolicy, Document)>>,
}

/// What was found so far.
#[derive(Default)]
pub(super) struct FoundAccess {
    pub(super) breaches: Vec<Breach>,
    pub(super) doubts: BTreeSet<ContractDoubt>,
}

impl FoundAccess {
    /// Nothing more is kept.
    pub(super) fn is_full(&self) -> bool {
        self.breaches.len() >= MAX_FOUND && self.doubts.len() >= MAX_FOUND
    }

    fn add(&mut self, more: Self) {
        more.breaches.into_iter().for_each(|b| self.breach(b));
        let room = MAX_FOUND.saturating_sub(self.doubts.len());
        self.doubts.extend(more.doubts.into_iter().take(room));
    }

    pub(super) fn doubt(&mut self, who: Option<String>, at: Option<Span>, why: impl Into<String>) {
        if self.doubts.len() < MAX_FOUND {
            let why = why.into();
            self.doubts.insert(ContractDoubt { who, at, why });
        }
    }

    pub(super) fn breach(&mut self, breach: Breach) {
        let is_known =
            |b: &Breach| b.at == breach.at && b.who == breach.who && b.path.is_some() == breach.path.is_some();
        if self.breaches.len() < MAX_FOUND && !self.breaches.iter().any(is_known) {
            self.breaches.push(breach);
        }
    }
}

/// Judges contracts of one project.
pub(super) struct ContractJudge<'p> {
    pub(super) project: &'p Project<'p>,
    effects: &'p Effects<'p>,
    pub(super) place: RepositoryPlace<'p>,
    policies: OnceCell<ResourcePolicies>,
    gates: IndexVec<IdentityId, OnceCell<IdentityGates>>,
    finder: OnceCell<PathFinder<'p>>,
    /// Resources by ARN, as far as it is known.
    by_arn: OnceCell<BTreeMap<String, Vec<ResourceId>>>,
    arns: IndexVec<IdentityId, OnceCell<String>>,
}

impl<'p> ContractJudge<'p> {
    pub(super) fn new(project: &'p Project<'p>, effects: &'p Effects<'p>) -> Self {
        let names = project.contracts.iter().flat_map(|c| c.terms.names());
        let place = RepositoryPlace::of_names(project, names.map(|n| n.value.0.as_str()));
        Self {
            project,
            effects,
            place: place.with_partial_names(),
            policies: OnceCell::new(),
            gates: IndexVec::with_len_of(&project.identities, OnceCell::new),
            finder: OnceCell::new(),
            by_arn: OnceCell::new(),
            arns: IndexVec::with_len_of(&project.identities, OnceCell::new),
        }
    }

    pub(super) fn policies(&self) -> &ResourcePolicies {
        self.policies.get_or_init(|| self.place.resource_policies())
    }

    pub(super) fn gates(&self, id: IdentityId) -> &IdentityGates {
        self.gates[id].get_or_init(|| self.place.gates(id))
    }

    pub(super) fn finder(&self) -> &PathFinder<'p> {
        self.finder.get_or_init(|| PathFinder::new(self.project, self.effects))
    }

    pub(super) fn own_accounts(&self) -> BTreeSet<String> {
        let own = self.project.own.accounts.keys().cloned();
        own.chain([self.place.account.clone()]).collect()
    }

    /// Whether what is deployed with `root` means another resource by the ARN of this one: the same is deployed there.
    pub(super) fn is_another(&self, root: &str, resource: ResourceId) -> bool {
        let own = self.project.resources[resource].address.root();
        if own == root {
            return false;
        }
        let arn = self.place.partial_arn(resource);
        let same = arn.and_then(|arn| self.by_arn().get(&arn.display()));
        let roots = same
            .into_iter()
            .flatten()
            .map(|id| self.project.resources[*id].address.root());
        roots.into_iter().any(|other| other == root)
    }

    fn by_arn(&self) -> &BTreeMap<String, Vec<ResourceId>> {
        self.by_arn.get_or_init(|| {
            let mut out: BTreeMap<String, Vec<ResourceId>> = BTreeMap::new();
            for id in self.project.resources.ids() {
                if let Some(arn) = self.place.partial_arn(id) {
                    out.entry(arn.display()).or_default().push(id);
                }
            }
            out
        })
    }

    /// The resources with an ARN; of an object, its bucket.
    pub(super) fn with_arn(&self, arn: &str) -> Vec<ResourceId> {
        let bucket = arn.split('/').next().filter(|b| b.contains(":s3:")).unwrap_or(arn);
        let named = [arn, bucket].into_iter().find_map(|arn| self.by_arn().get(arn));
        named.cloned().unwrap_or_default()
    }

    /// The ARN of an identity; a name that is not known is made up.
    pub(super) fn identity_arn(&self, id: IdentityId) -> &str {
        self.arns[id].get_or_init(|| self.make_arn(id))
    }

    pub(super) fn address(&self, id: ResourceId) -> String {
        self.project.resources[id].address.full().into_owned()
    }

    /// Everyone of the repository but what test code makes.
    fn everyone(&self) -> BTreeSet<IdentityId> {
        let all = self.project.identities.iter_enumerated();
        all.filter(|(_, i)| i.kind != IdentityKind::Group && !self.is_test(i.header))
            .map(|(id, _)| id)
            .collect()
    }

    pub(super) fn is_test(&self, span: Span) -> bool {
        span.is_in_source()
            && (self.project.is_in_test_code(span) || is_test_code(self.project.sources.path(span.file)))
    }

    pub(super) fn contract<'c>(&self, contract: &'c DeclaredContract) -> JudgedContract<'c> {
        let terms = &contract.terms;
        let mut nameless = Vec::new();
        let mut found = FoundAccess::default();
        let who = terms
            .who
            .as_ref()
            .map(|names| self.parties(contract, names, &mut nameless));
        let only = terms
            .only
            .as_ref()
            .map(|names| self.parties(contract, names, &mut nameless));
        let resources = match &terms.resources {
            Some(names) => self.resources(contract, names, &mut nameless),
            None => vec![NamedResource::Any],
        };
        let reference = self.reference(contract, &mut nameless);
        let actions: Vec<String> = match terms.never.as_ref().or(terms.actions.as_ref()) {
            Some(names) => {
                self.note_unknown_actions(contract, names, &mut nameless);
                names.iter().map(|n| n.value.0.trim().to_owned()).collect()
            }
            None => vec!["*".to_owned()],
        };
        let set = ActionSet::expand_all(actions.iter().map(String::as_str));
        let mut asked = AskedTerms {
            direct: Vec::new(),
            is_open: actions.iter().any(|a| ActionSet::expand(a).is_empty() || a == "*"),
            actions,
            set,
            resources,
            beyond: reference.as_ref(),
        };
        let direct = asked
            .resources
            .iter()
            .map(|target| self.direct_policies(target, &asked));
        asked.direct = direct.collect();
        if terms.policy.is_none() || reference.is_some() {
            self.ask(contract, &asked, who.as_ref(), only.as_ref(), &mut found);
        }
        self.note_unread(&mut found);
        if !contract.whole {
            // Of a part of the repository only what breaks a contract is certain.
            nameless.clear();
            found.doubts.clear();
        }
        nameless.sort();
        nameless.dedup();
        found.breaches.sort_by(|a, b| (a.at, &a.who).cmp(&(b.at, &b.who)));
        JudgedContract {
            contract,
            span: self.span_of(contract, &terms.name.range),
            breaches: found.breaches,
            doubts: found.doubts.into_iter().collect(),
            nameless,
        }
    }

    /// The reference policy, as one document.
    fn reference(&self, contract: &DeclaredContract, nameless: &mut Vec<(Span, String)>) -> Option<Document> {
        let written = contract.terms.policy.as_ref()?;
        let documents = self.project.documents_in(&contract.policy_path()?);
        let mut all = documents.into_iter().map(|d| self.place.filled_document(d));
        let Some(mut first) = all.next() else {
            nameless.push((self.span_of(contract, &written.range), written.value.0.clone()));
            return None;
        };
        for more in all {
            first.open |= more.open;
            first.statements.extend(more.statements);
        }
        Some(first)
    }

    fn ask(
        &self,
        contract: &DeclaredContract,
        asked: &AskedTerms<'_>,
        who: Option<&NamedParties>,
        only: Option<&NamedParties>,
        found: &mut FoundAccess,
    ) {
        let mut starts = who.map_or_else(|| self.everyone(), |w| w.identities.clone());
        if let Some(only) = only {
            starts.retain(|id| !only.identities.contains(id));
        }
        let follows = contract.terms.reach == ContractReach::AnyPath;
        let mut able: BTreeMap<ResourceId, Option<Witness>> = BTreeMap::new();
        let mut maybe = BTreeSet::new();
        // Along paths, all count that someone can become.
        let everyone = if follows { self.everyone() } else { BTreeSet::new() };
        for id in starts.union(&everyone) {
            if !follows && found.is_full() {
                break;
            }
            let mut of_one = FoundAccess::default();
            self.ask_identity(*id, asked, &mut of_one);
            let resource = self.project.identities[*id].resource;
            if everyone.contains(id) {
                match of_one.breaches.first() {
                    Some(breach) => drop(able.insert(resource, breach.request.clone())),
                    None if !of_one.doubts.is_empty() => drop(maybe.insert(resource)),
                    None => {}
                }
            }
            if starts.contains(id) {
                found.add(of_one);
            }
        }
        let outsiders = who.map(|w| w.outsiders.as_slice());
        let excepted: &[Outsider] = only.map_or(&[], |o| &o.outsiders);
        self.ask_outsiders(outsiders, excepted, asked, found);
        self.ask_externals(outsiders, excepted, asked, found);
        if follows {
            self.follow_paths(&starts, outsiders, &able, &maybe, found);
        }
    }

    /// What could not be read may grant anything.
    fn note_unread(&self, found: &mut FoundAccess) {
        let is_unread = |kind: ProblemKind| {
            matches!(
                kind,
                ProblemKind::Syntax | ProblemKind::PolicyJson | ProblemKind::Input | ProblemKind::Internal
            )
        };
        let mut files = BTreeSet::new();
        for problem in self.project.problems.iter().filter(|p| is_unread(p.kind)) {
            let path = self.project.sources.path(problem.span.file);
            if !crate::classify::is_access_file(path) && files.insert(path) {
                let why = format!("`{path}` could not be read completely");
                found.doubt(None, Some(problem.span), why);
            }
        }
    }
}

/// The actions that trust policies decide. AWS STS API Reference, "Actions".
pub(super) fn trust_actions() -> ActionSet {
    let names = [
        "sts:AssumeRole",
        "sts:AssumeRoleWithSAML",
        "sts:AssumeRoleWithWebIdentity",
        "sts:SetSourceIdentity",
        "sts:TagSession",
    ];
    names.iter().filter_map(|name| catalogue().action(name)).collect()
}
