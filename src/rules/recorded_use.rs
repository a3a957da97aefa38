//! What evidence says of findings about grants that are too broad.

use crate::finding::{Cause, Confidence, Finding};
use crate::iam::ActionSet;
use crate::project::targets::ResourceRefs;
use crate::project::{IdentityUse, Project, used_list};
use crate::rule_id::RuleId;
use crate::rules::ids;

/// Rules about more actions than are needed, whatever these are.
const BROAD: [RuleId; 5] = [
    ids::ACTION_STAR,
    ids::ADMIN_STAR_STAR,
    ids::ALLOW_NOT_ACTION,
    ids::PREFIX_WILDCARD_TOO_BROAD,
    ids::SERVICE_WILDCARD,
];

/// Adds what was used of the statement, if everything that has it is in the evidence: nothing of it makes a finding more certain,
/// all of it less.
pub(super) fn add_recorded_use(f: &mut Finding, project: &Project<'_>) {
    let Cause::Statement(document, index) = f.cause else {
        return;
    };
    if project.evidence.is_empty() || !BROAD.contains(&f.rule) || project.documents.get(document).is_none() {
        return;
    }
    let holders = project.holders(document).iter();
    let records: Option<Vec<&IdentityUse>> = holders.map(|id| project.recorded().of(*id)).collect();
    let Some(records) = records.filter(|records| !records.is_empty()) else {
        return;
    };
    let allowed = &project.granted(document).allowed;
    let Some(granted) = allowed.iter().find(|a| a.statement == index).map(|a| &a.actions) else {
        return;
    };
    let statement = project.statement(document, index);
    let places = ResourceRefs::new(project);
    let mut used = Vec::new();
    let mut possible = ActionSet::empty();
    let mut unused = granted.clone();
    for record in records {
        used.extend(record.used.iter().map(|(id, count)| (id.action(), *count)));
        possible.union_with(&record.used_actions());
        unused.intersect(&record.unused_of(granted, &statement, &places));
    }
    used.retain(|(action, _)| granted.contains(action.id()));
    if granted.is_subset(&possible) {
        f.confidence = Some(Confidence::Low);
        f.notes.push("the logs show that all of it is used".to_owned());
    } else if granted.is_subset(&unused) {
        f.confidence = Some(Confidence::High);
        f.notes.push("the logs show no use of any of it".to_owned());
    } else if !used.is_empty() {
        f.notes.push(format!("used in the logs: {}", used_list(used)));
    }
}
