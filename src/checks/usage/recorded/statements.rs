//! Who has a statement, and what they used of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::checks::usage::comparison::RoleComparison;
use crate::checks::usage::platform;
use crate::checks::usage::sources::EventSources;
use crate::iam::{Action, ActionSet, PolicyKind, catalogue};
use crate::model::{Address, kinds};
use crate::project::targets::ResourceRefs;
use crate::project::{
    DocumentId, IdentityId, IdentityKind, IdentityUse, Project, StatementRef, UseCount, UseProof, WorkloadKind,
};
use crate::source::{Span, Text};

/// The identities that have each statement: one text may be given to several, in one document or in several.
pub(in crate::checks::usage) struct RecordedStatements<'p> {
    project: &'p Project<'p>,
    holders: BTreeMap<Span, TextHolders>,
}

/// All that have a statement.
#[derive(Default)]
struct TextHolders {
    identities: BTreeSet<IdentityId>,
    documents: BTreeSet<DocumentId>,
    /// Others may have it too.
    others: bool,
}

/// What is known of the use of a statement.
pub(in crate::checks::usage) struct StatementUse<'p> {
    pub(super) seen: Vec<&'p IdentityUse>,
    pub(super) holders: Vec<IdentityId>,
    pub(super) documents: Vec<DocumentId>,
    /// Everything that has it was seen, or certainly did nothing.
    pub(super) complete: bool,
}

impl<'p> RecordedStatements<'p> {
    pub(in crate::checks::usage) fn new(comparison: &RoleComparison<'_, 'p>) -> Self {
        let project = comparison.project;
        let mut holders: BTreeMap<Span, TextHolders> = BTreeMap::new();
        let elsewhere: BTreeSet<DocumentId> = project.elsewhere.iter().flat_map(|e| e.documents()).copied().collect();
        let outputs = output_targets(project);
        for (document, of_document) in &comparison.holders {
            let d = &project.documents[*document];
            let is_grant = matches!(d.kind, PolicyKind::Identity | PolicyKind::Unknown);
            let resource = d.resource.map(|r| &project.resources[r].address);
            let others = elsewhere.contains(document)
                || resource.is_some_and(|address| {
                    let unplaced = |(_, scope): &(IdentityKind, _)| *scope == address.scope;
                    comparison.roles.is_passed_on(address)
                        || outputs.contains(address)
                        || project.unplaced.keys().any(unplaced)
                });
            for statement in d.statements.iter().filter(|_| is_grant) {
                let text = holders.entry(statement.span).or_default();
                text.identities.extend(of_document.iter().map(|(id, _)| *id));
                text.documents.insert(*document);
                text.others |= others;
            }
        }
        Self { project, holders }
    }

    /// The statements that any identity has, each once.
    pub(super) fn texts(&self) -> impl Iterator<Item = Span> + '_ {
        self.holders.keys().copied()
    }

    /// `None` where no evidence is about it.
    pub(in crate::checks::usage) fn of(&self, statement: Span) -> Option<StatementUse<'p>> {
        let text = self.holders.get(&statement)?;
        let recorded = self.project.recorded();
        let seen: Vec<&IdentityUse> = text.identities.iter().filter_map(|id| recorded.of(*id)).collect();
        let known = |id: &IdentityId| {
            // Anyone may be in a group.
            let is_group = self.project.identities[*id].kind == IdentityKind::Group;
            !is_group && (recorded.of(*id).is_some() || recorded.absence(*id).is_some())
        };
        (!seen.is_empty()).then(|| StatementUse {
            complete: !text.others && text.identities.iter().all(known),
            seen,
            holders: text.identities.iter().copied().collect(),
            documents: text.documents.iter().copied().collect(),
        })
    }
}

/// What outputs name that others than the repository may read.
fn output_targets(project: &Project<'_>) -> BTreeSet<Address> {
    let mut out = BTreeSet::new();
    let outputs = project.resources.iter().filter(|r| &*r.kind == kinds::OUTPUT);
    for value in outputs
        .filter(|r| !r.address.in_called_module())
        .filter_map(|r| r.get("Value"))
    {
        value.each_text(&mut |v| {
            let text = v.to_text();
            let targets = text.iter().flat_map(Text::holes).filter_map(|h| h.target.as_ref());
            out.extend(targets.map(|t| Address {
                scope: t.scope.clone(),
                name: t.address.clone(),
            }));
        });
    }
    out
}

impl StatementUse<'_> {
    /// Those of `granted` that none of those who have the statement used.
    pub(super) fn unused(
        &self,
        granted: &ActionSet,
        statement: StatementRef<'_>,
        places: &ResourceRefs<'_>,
    ) -> ActionSet {
        let mut unused = granted.clone();
        for record in self.seen.iter().filter(|_| self.complete) {
            unused.intersect(&record.unused_of(granted, &statement, places));
        }
        match self.complete {
            true => unused,
            false => ActionSet::empty(),
        }
    }

    /// Those of `granted` of which a use would be known.
    pub(super) fn judged(
        &self,
        granted: &ActionSet,
        statement: StatementRef<'_>,
        places: &ResourceRefs<'_>,
    ) -> ActionSet {
        let mut judged = granted.clone();
        for record in &self.seen {
            judged.intersect(&record.judged_of(granted, &statement, places));
        }
        judged
    }

    /// Those of `actions` that were used, by anyone who has the statement.
    pub(super) fn used(&self, actions: &ActionSet) -> Vec<(Action, UseCount)> {
        let mut all: BTreeMap<&str, (Action, UseCount)> = BTreeMap::new();
        for (id, count) in self.seen.iter().flat_map(|record| &record.used) {
            let action = id.action();
            if actions.contains(*id) {
                let (_, sum) = all
                    .entry(action.name())
                    .or_insert((action, UseCount { calls: 0, ..*count }));
                sum.calls = sum.calls.saturating_add(count.calls);
                sum.last = sum.last.max(count.last);
            }
        }
        all.into_values().collect()
    }

    /// How it is known that actions are not used: the weakest of what is known of each who has the statement.
    pub(super) fn proof(&self, actions: &ActionSet) -> Option<UseProof> {
        let proofs: Option<Vec<UseProof>> = self.seen.iter().map(|record| record.proof(actions)).collect();
        let days = |proof: &UseProof| match proof {
            UseProof::Logs { days, .. } => *days,
            _ => i64::MAX,
        };
        proofs?.into_iter().min_by_key(days)
    }

    /// Every name of the logs is one whole name of the repository.
    pub(super) fn is_exact(&self) -> bool {
        self.seen.iter().all(|record| record.exact)
    }
}

/// What everything that runs with a role may need, as far as that can be seen: what it calls, what its libraries may call, and
/// what the platform calls for it.
pub(super) fn known_needs(comparison: &RoleComparison<'_, '_>, role: IdentityId) -> ActionSet {
    let project = comparison.project;
    let mut needs = platform::actions_of_any_role().clone();
    let everything = ActionSet::all();
    // A library that may call anything says nothing of what is needed.
    let mut add = |set: &ActionSet| {
        if !everything.is_subset(set) {
            needs.union_with(set);
        }
    };
    for user in comparison.roles.users.get(&role).into_iter().flatten() {
        let w = &project.workloads[user.workload];
        let r = &project.resources[w.resource];
        if let Some(definition) = w.definition() {
            add(&definition.actions);
        }
        if w.kind == WorkloadKind::Function {
            add(&platform::platform_actions(r));
            add(&platform::actions_of_function(r, true));
            if platform::has_other_layers(r, |_| false) {
                add(platform::actions_of_extensions());
            }
            let sources = EventSources::new(project, &comparison.roles.places, r);
            add(&sources.possible_actions(&everything));
            add(&sources.required_actions());
        }
        if w.kind == WorkloadKind::Job {
            add(platform::actions_of_job());
        }
        let Some(required) = &user.required else { continue };
        add(&required.libraries);
        for call in &required.calls {
            let a = &call.actions;
            let conditional = a.conditional.iter().map(|c| c.action);
            let named = a.required.iter().chain(&a.any_of).copied().chain(conditional);
            named
                .chain(call.companion_actions())
                .for_each(|pattern| add(&ActionSet::expand(pattern)));
            a.service_pattern()
                .iter()
                .for_each(|pattern| add(&ActionSet::expand(pattern)));
        }
    }
    needs
}

/// A set of one action by its name.
pub(super) fn single(name: &str) -> ActionSet {
    catalogue().action(name).into_iter().collect()
}
