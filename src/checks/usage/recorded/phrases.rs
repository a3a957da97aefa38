//! Evidence, in the words of findings.

use crate::iam::Action;
use crate::phrase;
use crate::project::{IdentityId, Project, UseCount, UseProof};

/// Maximum number of actions that a note names.
const MAX_NAMED: usize = 4;

/// "in 90 days (2026-08-01–2026-10-29)", after "not used".
pub(super) fn since(proof: UseProof) -> String {
    match proof {
        UseProof::Logs { period, days } => {
            let days = usize::try_from(days).unwrap_or(0);
            format!(
                "in {} ({}–{})",
                phrase::count(days, "day", "days"),
                period.first,
                period.last
            )
        }
        UseProof::Analyzer(Some(day)) => format!("according to IAM Access Analyzer ({day})"),
        UseProof::Analyzer(None) => "according to IAM Access Analyzer".to_owned(),
        UseProof::LastAccessed(day) => format!("according to IAM's last-accessed details ({day})"),
    }
}

/// "not used in 90 days", for a label.
pub(super) fn not_used(proof: UseProof) -> String {
    match proof {
        UseProof::Logs { days, .. } => {
            let days = usize::try_from(days).unwrap_or(0);
            format!("not used in {}", phrase::count(days, "day", "days"))
        }
        UseProof::Analyzer(_) => "not used, says IAM Access Analyzer".to_owned(),
        UseProof::LastAccessed(_) => "not used, say the last-accessed details".to_owned(),
    }
}

/// "41 times, last on 2026-10-28"
pub(super) fn times(count: UseCount) -> String {
    let times = match count.calls {
        1 => "once".to_owned(),
        n => format!("{n} times"),
    };
    format!("{times}, last on {}", count.last)
}

/// "`s3:GetObject` (41 times, last on 2026-10-28)", a few of them, most used first.
pub(super) fn used_list(mut used: Vec<(Action, UseCount)>) -> String {
    used.sort_by_key(|(action, count)| (std::cmp::Reverse(count.calls), action.name()));
    let more = used.len().saturating_sub(MAX_NAMED);
    let few = used.iter().take(MAX_NAMED);
    let named: Vec<String> = few
        .map(|(a, count)| format!("`{}` ({})", a.name(), times(*count)))
        .collect();
    named.join(", ") + &phrase::and_more(used.len().min(MAX_NAMED), more)
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
