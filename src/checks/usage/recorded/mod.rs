//! Grants, roles, and calls, compared with evidence of what was used.
//!
//! **Invariant:** nothing is called unused of which a use might be missing in the evidence; what counts as used because of it
//! is said in a note.

mod denied;
mod phrases;
mod roles;
mod statements;
mod unused;
mod verdict;

pub(super) use phrases::denied_note;
pub(super) use statements::RecordedStatements;
pub(super) use verdict::{check_text, with_recorded};

use super::comparison::RoleComparison;
use crate::project::LEAST_DAYS;
use crate::rules::{Context, FindingSink};
use crate::unjudged::{Unjudged, UnjudgedKind, UnjudgedReason};

pub(super) fn check(cx: &Context<'_>, comparison: &RoleComparison<'_, '_>, out: &mut FindingSink<'_>) {
    if cx.project.evidence.is_empty() {
        return;
    }
    list_short_periods(cx, out);
    unused::check(cx, comparison, out);
    roles::check(cx, out);
    denied::check(cx, comparison, out);
}

/// Says of each file once that it covers too few days.
fn list_short_periods(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for file in &cx.project.evidence.files {
        let evidence = &file.evidence;
        let days = evidence.period.map_or(0, |period| period.days());
        let has_reports = !evidence.unused.is_empty() || !evidence.last_used.is_empty();
        if days >= LEAST_DAYS || days == 0 && has_reports {
            continue;
        }
        let why = match days {
            0 => "the evidence has no events".to_owned(),
            1 => format!("the evidence covers 1 day: what is not used in less than {LEAST_DAYS} is not reported"),
            n => format!("the evidence covers {n} days: what is not used in less than {LEAST_DAYS} is not reported"),
        };
        out.unjudged.push(Unjudged {
            what: UnjudgedKind::Settings,
            ..Unjudged::whole(file.path.as_str(), UnjudgedReason::Settings(why))
        });
    }
}
