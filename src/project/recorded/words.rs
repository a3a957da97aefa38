//! What was used, in the words of findings.

use std::cmp::Reverse;

use super::UseCount;
use crate::iam::Action;
use crate::phrase;

/// Maximum number of actions that a note names.
const MAX_NAMED: usize = 4;

impl UseCount {
    /// "41 times, last on 2026-10-28"
    pub fn text(self) -> String {
        format!("{}, last on {}", times(self.calls), self.last)
    }
}

/// "once", "41 times"
pub fn times(calls: u64) -> String {
    match calls {
        1 => "once".to_owned(),
        n => format!("{n} times"),
    }
}

/// "`s3:GetObject` (41 times, last on 2026-10-28)", a few of them, most used first.
pub fn used_list(mut used: Vec<(Action, UseCount)>) -> String {
    used.sort_by_key(|(action, count)| (Reverse(count.calls), action.name()));
    let more = used.len().saturating_sub(MAX_NAMED);
    let few = used.iter().take(MAX_NAMED);
    let named: Vec<String> = few
        .map(|(a, count)| format!("`{}` ({})", a.name(), count.text()))
        .collect();
    named.join(", ") + &phrase::and_more(used.len().min(MAX_NAMED), more)
}
