//! What counts as used although no call of the code needs it: what its libraries may call, and what services do with the
//! rights of who calls them.

use std::collections::BTreeMap;

use super::roles::certain_actions;
use crate::iam::ActionSet;
use crate::project::Required;
use crate::source::Span;

/// Actions that count as used because of a library or a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedActions {
    /// Patterns: `s3:*`, `iam:PassRole`.
    pub patterns: Vec<String>,
    /// The library, the action of the call, or what runs beside the code.
    pub by: String,
    /// The import, the call, or the workload.
    pub span: Span,
}

/// What Lambda and other services may do for any role, where they are set up so elsewhere.
pub(super) const PLATFORM: &str = "the platform, if it is set up so elsewhere";

/// What of `granted` counts as used beyond the calls, in the order of the text: also what may be called `beside` the code, by
/// what it is, with the workload's place.
pub(super) fn counted_actions(
    required: &Required<'_>,
    granted: &ActionSet,
    (beside, workload): (&BTreeMap<&str, ActionSet>, Span),
) -> Vec<CountedActions> {
    let mut left = granted.clone();
    for call in &required.calls {
        let needed = certain_actions(call).map(ActionSet::expand);
        needed.for_each(|needed| left.subtract(&needed));
    }
    let mut out: Vec<CountedActions> = Vec::new();
    let mut put = |patterns: Vec<String>, by: &str, span: Span| {
        let known = out.iter().any(|c| c.by == by && c.patterns == patterns);
        if !patterns.is_empty() && !known {
            let by = by.to_owned();
            out.push(CountedActions { patterns, by, span });
        }
    };
    for (what, actions) in beside {
        let mut granted = actions.clone();
        granted.intersect(&left);
        put(shown(&granted, &left), what, workload);
    }
    for library in &required.imported {
        let package = library.name.split('.').next().unwrap_or_default();
        put(shown(&library.actions, &left), package, library.span);
    }
    for call in &required.calls {
        let companions = call.companion_actions();
        let guessed = call.actions.conditional.iter().filter(|_| call.is_unlisted());
        let patterns = companions.chain(guessed.map(|c| c.action)).map(str::to_owned);
        let patterns = patterns.chain(call.actions.service_pattern());
        let patterns = patterns.filter(|pattern| ActionSet::expand(pattern).intersects(&left));
        let by = call.actions.required.first().copied();
        let by = by.map_or_else(|| format!("{}.{}", call.service, call.method), str::to_owned);
        put(patterns.collect(), &by, call.span);
    }
    out.sort_by_key(|c| c.span);
    out
}

/// Those of the services of `left` that a set has actions of, as patterns.
fn shown(set: &ActionSet, left: &ActionSet) -> Vec<String> {
    if *set == ActionSet::expand("*") && set.intersects(left) {
        return vec!["*".to_owned()];
    }
    let mut out = Vec::new();
    let mut common = set.clone();
    common.intersect(left);
    for service in common.services() {
        let whole = format!("{service}:*");
        let mut of_service = ActionSet::expand(&whole);
        if of_service.is_subset(set) {
            out.push(whole);
            continue;
        }
        of_service.intersect(set);
        out.extend(of_service.iter().map(|a| a.name().to_owned()));
    }
    out
}
