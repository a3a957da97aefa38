//! Identities that do not appear in the logs although they would.

use std::collections::{BTreeMap, BTreeSet};

use super::names::NamePattern;
use super::tally::{Tally, UseProof};
use super::{LEAST_DAYS, covered};
use crate::evidence::{Evidence, EvidenceIdentityKind};
use crate::iam::ActionSet;
use crate::project::{IdentityId, Project};

/// An identity that did nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    pub proof: AbsenceProof,
}

/// How that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbsenceProof {
    /// A report of IAM, or the logs of the account that it is deployed to.
    Certain(UseProof),
    /// The logs of the one account of the settings: it may not be deployed.
    OwnAccount(UseProof),
    /// The logs of the account in which another identity of the same deployment was seen.
    SameDeployment(UseProof),
}

/// Identities that did nothing, of those that `patterns` may name.
pub(super) fn find(
    project: &Project<'_>,
    evidence: &Evidence,
    patterns: &[(IdentityId, NamePattern)],
    tallies: &BTreeMap<IdentityId, Tally<'_>>,
    doubtful: &BTreeSet<IdentityId>,
) -> Vec<(IdentityId, Absence)> {
    let assumed = AssumedRoles::new(evidence);
    // Of each deployment, the accounts in which it was seen.
    let mut seen: BTreeMap<&str, &BTreeSet<String>> = BTreeMap::new();
    for (id, tally) in tallies.iter().filter(|(_, tally)| tally.is_seen()) {
        let resource = &project.resources[project.identities[*id].resource];
        seen.entry(resource.address.root()).or_insert(tally.accounts());
    }
    let mut out = Vec::new();
    for (id, pattern) in patterns {
        let identity = &project.identities[*id];
        let resource = &project.resources[identity.resource];
        let tally = tallies.get(id);
        if doubtful.contains(id) || tally.is_some_and(Tally::is_seen) {
            continue;
        }
        if let Some(day) = tally.and_then(Tally::unused_by_analyzer) {
            let proof = AbsenceProof::Certain(UseProof::Analyzer(day));
            out.push((*id, Absence { proof }));
            continue;
        }
        if resource.branch.is_some() || resource.instances.is_some() || assumed.may_name(pattern) {
            continue;
        }
        if has_silent_sessions(project, *id) {
            continue;
        }
        let own: Option<BTreeSet<String>> = project.account_of(*id).map(|a| BTreeSet::from([a.to_owned()]));
        let same = seen.get(resource.address.root());
        // What is not known to be deployed has a name of its own at least.
        let accounts = match (own, same) {
            (Some(own), _) if same.is_some() || pattern.is_known() => own,
            (None, Some(same)) => (*same).clone(),
            _ => continue,
        };
        let is_known = resource.account.is_some() || project.accounts.contains_key(resource.address.root());
        let Some((period, days)) = covered(evidence, &accounts).filter(|(_, days)| *days >= LEAST_DAYS) else {
            continue;
        };
        if !accounts.iter().all(|account| has_management_events(evidence, account)) {
            continue;
        }
        let proof = UseProof::Logs { period, days };
        let proof = match (is_known, same) {
            (true, _) => AbsenceProof::Certain(proof),
            (false, Some(_)) => AbsenceProof::SameDeployment(proof),
            (false, None) => AbsenceProof::OwnAccount(proof),
        };
        out.push((*id, Absence { proof }));
    }
    out
}

fn has_management_events(evidence: &Evidence, account: &str) -> bool {
    let trails = || evidence.coverage.iter().filter(|c| c.account == account);
    trails().any(|c| c.reads) && trails().any(|c| c.writes)
}

/// Those to whom sessions may be given without an event of AWS STS: Amazon Cognito identity pools, AWS IoT, IAM Roles Anywhere,
/// EKS Pod Identity, and hybrid nodes of AWS Systems Manager.
const SILENT: [&str; 5] = [
    "cognito-identity.amazonaws.com",
    "credentials.iot.amazonaws.com",
    "pods.eks.amazonaws.com",
    "rolesanywhere.amazonaws.com",
    "ssm.amazonaws.com",
];

fn has_silent_sessions(project: &Project<'_>, id: IdentityId) -> bool {
    let documents = project.identities[id].trust.iter().map(|d| &project.documents[*d]);
    let principals = documents
        .flat_map(|d| &d.statements)
        .filter_map(|s| s.principal.as_ref());
    let mut items = principals.flat_map(|p| &p.items);
    items.any(|i| SILENT.contains(&&*i.value.text.display()))
}

/// Roles that were assumed, by anyone.
struct AssumedRoles {
    /// Account and name.
    roles: BTreeSet<(String, String)>,
    /// Some calls do not tell which role.
    incomplete: bool,
}

impl AssumedRoles {
    fn new(evidence: &Evidence) -> Self {
        let assuming = ActionSet::expand("sts:AssumeRole*");
        let mut out = Self {
            roles: BTreeSet::new(),
            incomplete: false,
        };
        for row in evidence.rows.iter().filter(|r| !r.denied) {
            let by_event = row.event_source.starts_with("sts.") && row.event_name.starts_with("AssumeRole");
            let mut actions = row.actions.iter().flatten();
            if !by_event && !actions.any(|a| assuming.contains_name(a)) {
                continue;
            }
            let roles = row.resources.iter().filter_map(|arn| {
                let account = arn.split(':').nth(4)?;
                let name = arn.split_once(":role/")?.1.rsplit('/').next()?;
                Some((account.to_owned(), name.to_owned()))
            });
            let before = out.roles.len();
            out.roles.extend(roles);
            let names_none = row.resources.is_empty() && before == out.roles.len();
            // A service that assumes its own service-linked role names it; a person may hide behind a cut list.
            out.incomplete |= row.resources_cut || names_none && row.identity.kind != EvidenceIdentityKind::Root;
        }
        out
    }

    fn may_name(&self, pattern: &NamePattern) -> bool {
        let named = |(account, name): &(String, String)| pattern.matches(false, account, name);
        !pattern.is_user() && (self.incomplete || self.roles.iter().any(named))
    }
}
