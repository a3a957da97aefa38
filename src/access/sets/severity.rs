//! How grave a gain is.

use crate::finding::Severity;
use crate::iam::administration::{is_majority, keys_to_all};
use crate::iam::class::class;
use crate::iam::{AccessLevel, Action, ActionSet};

/// AWS lists some actions that read under permissions management: `backup:ListIndexedRecoveryPointsForSearch`.
fn is_misstated(action: Action) -> bool {
    const READING: [&str; 6] = ["BatchGet", "Describe", "Get", "List", "Search", "View"];
    let name = action.name().split(':').nth(1).unwrap_or_default();
    action.level() == AccessLevel::PermissionsManagement && READING.iter().any(|word| name.starts_with(word))
}

/// How grave it is to gain these actions: on any resource, for any caller.
pub(super) fn severity(actions: &ActionSet, on_anything: bool, for_anyone: bool) -> Severity {
    let is_administration =
        || on_anything && actions.intersects(keys_to_all()) && is_majority(actions, &ActionSet::all());
    let gives_away = || {
        let is_of = |name: &str| actions.intersects(class(name));
        is_of("credentials") || is_of("secrets") || (on_anything || for_anyone) && is_of("data")
    };
    let stated: ActionSet = actions.iter().filter(|a| !is_misstated(*a)).collect();
    let is_all_misstated = stated.is_empty() && !actions.is_empty();
    let highest = stated.by_level().highest();
    match highest.or(is_all_misstated.then_some(AccessLevel::Read)) {
        _ if actions.is_all() || is_administration() => Severity::Critical,
        Some(AccessLevel::PermissionsManagement) => Severity::High,
        Some(AccessLevel::Write | AccessLevel::Tagging) | None => Severity::Medium,
        Some(AccessLevel::Read | AccessLevel::List) if gives_away() => Severity::Medium,
        Some(AccessLevel::Read | AccessLevel::List) => Severity::Low,
    }
}
