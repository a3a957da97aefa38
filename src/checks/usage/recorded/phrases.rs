//! Evidence, in the words of findings.

use crate::iam::Action;
use crate::phrase;
use crate::project::{IdentityId, Project, UseCount, UseProof, used_list};

/// "in 90 days (2026-08-01–2026-10-29)", after "not used".
pub(super) fn since(proof: UseProof) -> String {
    match proof {
        UseProof::Logs { period, days } => format!(
            "in {} ({}–{})",
            phrase::count(days, "day", "days"),
            period.first,
            period.last
        ),
        UseProof::Analyzer(Some(day)) => format!("according to IAM Access Analyzer ({day})"),
        UseProof::Analyzer(None) => "according to IAM Access Analyzer".to_owned(),
        UseProof::LastAccessed(day) => format!("according to IAM's last-accessed details ({day})"),
    }
}

/// "not used in 90 days", for a label.
pub(super) fn not_used(proof: UseProof) -> String {
    match proof {
        UseProof::Logs { days, .. } => format!("not used in {}", phrase::count(days, "day", "days")),
        UseProof::Analyzer(_) => "not used, says IAM Access Analyzer".to_owned(),
        UseProof::LastAccessed(_) => "not used, say the last-accessed details".to_owned(),
    }
}

/// What AWS denied of the actions of a call, by a role.
pub(in crate::checks::usage) fn denied_note(
    project: &Project<'_>,
    role: IdentityId,
    actions: &[&str],
) -> Option<String> {
    let record = project.recorded().of(role)?;
    let denied: Vec<(Action, UseCount)> = record
        .denied
        .iter()
        .map(|(id, count)| (id.action(), *count))
        .filter(|(a, _)| actions.contains(&a.name()))
        .collect();
    (!denied.is_empty()).then(|| format!("denied in the logs: {}", used_list(denied)))
}
