//! What the logs say of the identities of the repository.
//!
//! **Invariant:** a name of the logs counts for an identity only where it is certainly no other one's; an action is unused only
//! where its calls would be in the logs of every account in which the identity was seen.

mod absence;
mod names;
mod tally;
mod words;

pub use absence::{Absence, AbsenceProof};
pub use tally::{IdentityUse, UseCount, UseProof};
pub use words::{times, used_list};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Effective, IdentityId, Project};
use crate::evidence::{Evidence, EvidenceIdentity, Period};
use crate::source::{FileId, Sources};
use names::{LoggedIdentity, NamePattern};
use tally::{LoggedByAccounts, Tally};

/// Fewer days of logs say nothing about what is not used.
pub const LEAST_DAYS: i64 = 30;

/// A file of evidence that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EvidenceFile {
    /// As it is shown.
    pub path: String,
    pub evidence: Evidence,
}

/// The evidence of a project, and which of it is about which source.
#[derive(Clone, Debug, Default)]
pub struct ProjectEvidence {
    pub files: Vec<Arc<EvidenceFile>>,
    /// Index into `files`, of each source whose settings name one.
    pub of: BTreeMap<FileId, usize>,
}

impl ProjectEvidence {
    /// One file, about all sources.
    pub fn for_all(sources: &Sources, file: EvidenceFile) -> Self {
        Self {
            files: vec![Arc::new(file)],
            of: sources.ids().map(|id| (id, 0)).collect(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

/// What the logs say, by identity.
#[derive(Debug, Default)]
pub struct RecordedUse {
    of: BTreeMap<IdentityId, IdentityUse>,
    /// Identities that do not appear although they would.
    absent: BTreeMap<IdentityId, Absence>,
    /// Roles and users of the logs that are none of the repository's, or may be several.
    pub others: Vec<UnplacedIdentity>,
}

/// A role or user of the logs of which nothing is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnplacedIdentity {
    /// Index into [`ProjectEvidence::files`].
    pub file: usize,
    pub identity: EvidenceIdentity,
    /// Identities of the repository that it may be.
    pub candidates: Vec<IdentityId>,
    /// Calls that were allowed.
    pub calls: u64,
}

impl RecordedUse {
    /// What an identity used; `None` where it does not appear, or may be another one.
    pub fn of(&self, id: IdentityId) -> Option<&IdentityUse> {
        self.of.get(&id)
    }

    /// The identities that appear, in their order.
    pub fn all(&self) -> impl Iterator<Item = (IdentityId, &IdentityUse)> {
        self.of.iter().map(|(id, used)| (*id, used))
    }

    /// Why an identity certainly did nothing.
    pub fn absence(&self, id: IdentityId) -> Option<&Absence> {
        self.absent.get(&id)
    }

    /// The identities that certainly did nothing, in their order.
    pub fn absent(&self) -> impl Iterator<Item = (IdentityId, &Absence)> {
        self.absent.iter().map(|(id, absence)| (*id, absence))
    }
}

impl Project<'_> {
    /// What the logs say of its identities; worked out once.
    pub fn recorded(&self) -> &RecordedUse {
        self.recorded.get_or_init(|| RecordedUse::new(self))
    }

    /// The file of evidence about an identity.
    pub fn evidence_of(&self, id: IdentityId) -> Option<&EvidenceFile> {
        let file = self.evidence.of.get(&self.identities[id].header.file)?;
        self.evidence.files.get(*file).map(|file| &**file)
    }

    /// The account of an identity, where the repository or the settings say it.
    fn account_of(&self, id: IdentityId) -> Option<&str> {
        let resource = &self.resources[self.identities[id].resource];
        let deployed_to = || self.accounts.get(resource.address.root());
        let account = resource.account.as_ref().or_else(deployed_to);
        account.map(|a| &**a).or_else(|| self.own.only_account())
    }
}

impl RecordedUse {
    fn new(project: &Project<'_>) -> Self {
        let mut out = Self::default();
        for file in 0..project.evidence.files.len() {
            out.add_file(project, file);
        }
        out
    }

    fn add_file(&mut self, project: &Project<'_>, file: usize) {
        let evidence = &project.evidence.files[file].evidence;
        let logged = LoggedIdentity::all(evidence);
        let about = |id: &IdentityId| project.evidence.of.get(&project.identities[*id].header.file) == Some(&file);
        let patterns: Vec<(IdentityId, NamePattern)> = project
            .identities
            .ids()
            .filter(about)
            .filter_map(|id| Some((id, NamePattern::new(project, id)?)))
            .collect();
        let candidates = names::candidates(&logged, &patterns);
        let mut tallies: BTreeMap<IdentityId, Tally<'_>> = BTreeMap::new();
        // Identities that some name may be: what is not known of them is not an absence.
        let mut doubtful: BTreeSet<IdentityId> = BTreeSet::new();
        for (identity, candidates) in logged.iter().zip(candidates) {
            let taken: Vec<IdentityId> = match names::is_one_source(project, &candidates.ids) {
                true => candidates.ids.clone(),
                false => Vec::new(),
            };
            let taken: Vec<IdentityId> = taken
                .into_iter()
                .filter(|id| candidates.exact || identity.fits(evidence, &Effective::new(project, *id)))
                .collect();
            if taken.is_empty() {
                doubtful.extend(&candidates.ids);
                self.others.push(UnplacedIdentity {
                    file,
                    identity: identity.identity(),
                    candidates: candidates.ids,
                    calls: identity.calls(evidence),
                });
                continue;
            }
            for id in taken {
                let tally = tallies.entry(id).or_insert_with(|| Tally::new(file, evidence));
                tally.add(identity, candidates.exact);
            }
        }
        let absences = absence::find(project, evidence, &patterns, &tallies, &doubtful);
        for (id, absence) in absences {
            self.absent.insert(id, absence);
        }
        let mut logged_by_accounts = LoggedByAccounts::default();
        for (id, tally) in tallies {
            if let Some(used) = tally
                .finish(&mut logged_by_accounts)
                .filter(|_| !self.absent.contains_key(&id))
            {
                self.of.insert(id, used);
            }
        }
    }
}

/// The days that the logs of some accounts cover, and how many of them have events.
fn covered(evidence: &Evidence, accounts: &BTreeSet<String>) -> Option<(Period, i64)> {
    let mut all: Option<Period> = None;
    for account in accounts {
        let mut trails = evidence.coverage.iter().filter(|c| c.account == *account);
        let mut seen = trails.next()?.seen;
        for trail in trails {
            seen.extend(trail.seen);
        }
        // What is said of several accounts is true of each.
        all = Some(all.map_or(seen, |all| Period {
            first: all.first.max(seen.first),
            last: all.last.min(seen.last),
        }));
    }
    let all = all.filter(|p| p.first <= p.last)?;
    let gaps = evidence.gaps.iter().map(|gap| {
        let (first, last) = (gap.first.max(all.first), gap.last.min(all.last));
        (last.days() - first.days() + 1).max(0)
    });
    Some((all, all.days() - gaps.sum::<i64>()))
}
