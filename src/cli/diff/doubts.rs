//! What is not decided, in words.

use crate::access::sets::{Undecided, named_actions};
use crate::iam::Statement;
use crate::phrase::{and_more, list};
use crate::project::CombinedPolicy;
use crate::report::{DiffChange, DiffUnknown};

/// Why something is not decided, with the actions that it is about.
fn doubted(doubt: &Undecided, statement: Option<&Statement>, is_gain: bool) -> String {
    let reason = doubt.why.strip_prefix("may differ");
    let about = doubt.actions.as_ref().zip(statement).filter(|(all, _)| !all.is_empty());
    let Some((reason, (actions, statement))) = reason.zip(about) else {
        return doubt.why.clone();
    };
    let names = named_actions(actions, statement);
    let verb = if is_gain { "gain" } else { "lose" };
    format!("may {verb} {}{reason}", named(&names))
}

/// The first of some actions, and how many more there are.
pub(super) fn named(actions: &[String]) -> String {
    let shown = actions.len().min(MOST_NAMED);
    list(&actions[..shown]) + &and_more(shown, actions.len() - shown)
}

/// Actions that a line names.
const MOST_NAMED: usize = 3;

pub(super) const BEYOND_LIMITS: &str = "within a boundary that is not compared";

/// A change that is one only if what is not known allows it.
pub(super) fn possible(change: DiffChange, is_gain: bool, doubt: &str) -> DiffUnknown {
    DiffUnknown {
        why: format!("may {}, {doubt}", change.does(is_gain)),
        subject: change.subject,
        is_new: is_gain,
        is_gain,
        span: Some(change.change.span),
    }
}

pub(super) fn unknown(
    subject: &str,
    doubt: &Undecided,
    policy: &CombinedPolicy,
    is_new: bool,
    is_gain: bool,
) -> DiffUnknown {
    let statement = doubt
        .statement
        .and_then(|at| Some((at, policy.document.statements.get(at)?)));
    let gone = doubt.statement.and_then(|at| policy.dangling.get(&at));
    DiffUnknown {
        subject: subject.to_owned(),
        why: match gone {
            Some(name) => format!("refers to `{name}`, which is not there"),
            None => doubted(doubt, statement.map(|(_, s)| s), is_gain),
        },
        is_new,
        is_gain,
        span: Some(statement.map_or(policy.document.span, |(at, s)| policy.place(at, s.span))),
    }
}
