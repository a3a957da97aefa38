//! The least that must be allowed for some calls: what a policy written for them would say.

use std::collections::{BTreeMap, BTreeSet};

use crate::iam::glob::CaseSensitivity;
use crate::iam::pattern::Pattern;
use crate::iam::{Truth, catalogue};
use crate::python::calls::ApiCall;
use crate::source::{Piece, Text};

/// Actions that are allowed on the same resources. Sorted within, and among each other by service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinimalGrant {
    pub actions: Vec<&'static str>,
    /// Patterns; what is not known of them is `*`.
    pub resources: Vec<String>,
    /// For `iam:PassRole`: the services that the roles are passed to; empty when they are not known.
    pub passed_to: Vec<&'static str>,
}

/// What `calls` need certainly: required actions, those of which one is needed, and conditional ones whose trigger is given.
pub fn minimal_grants<'c>(
    calls: impl IntoIterator<Item = &'c ApiCall>,
    others: impl IntoIterator<Item = (&'static str, &'c [Text])>,
) -> Vec<MinimalGrant> {
    let mut needed: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    // Roles by the services that they are passed to.
    let mut passed: BTreeMap<Vec<&'static str>, BTreeSet<String>> = BTreeMap::new();
    for call in calls {
        let a = &call.actions;
        for action in a.required.iter().chain(&a.any_of) {
            let on = needed.entry(action).or_default();
            on.extend(patterns(action, call.resources_of(action)));
        }
        for c in a.conditional.iter().filter(|c| c.trigger.is_some()) {
            if c.action == "iam:PassRole" {
                let roles = patterns(c.action, &c.resources);
                passed.entry(c.passed_to.clone()).or_default().extend(roles);
            } else {
                let on = needed.entry(c.action).or_default();
                on.extend(patterns(c.action, call.resources_of(c.action)));
            }
        }
    }
    for (action, on) in others {
        needed.entry(action).or_default().extend(patterns(action, on));
    }
    let mut groups: BTreeMap<(&str, Vec<String>), Vec<&'static str>> = BTreeMap::new();
    for (action, on) in needed {
        let service = action.split_once(':').map_or("", |(service, _)| service);
        groups.entry((service, without_covered(on))).or_default().push(action);
    }
    let mut grants: Vec<MinimalGrant> = groups
        .into_iter()
        .map(|((_, resources), actions)| MinimalGrant {
            actions,
            resources,
            passed_to: Vec::new(),
        })
        .collect();
    grants.extend(passed.into_iter().map(|(passed_to, roles)| MinimalGrant {
        actions: vec!["iam:PassRole"],
        resources: without_covered(roles),
        passed_to,
    }));
    grants
}

/// The resources that `action` can be scoped to, as patterns; everything where none is known.
fn patterns(action: &str, resources: &[Text]) -> Vec<String> {
    let action = catalogue().action(action);
    let fits = |r: &&Text| {
        let arn = Pattern::resource(r);
        let mut types = action.iter().flat_map(|a| a.resource_types());
        r.prefix().starts_with("arn:") && types.any(|t| t.matches(&arn).may_be())
    };
    let found: Vec<String> = resources.iter().filter(fits).map(pattern_of).collect();
    if found.is_empty() { vec!["*".to_owned()] } else { found }
}

/// A text with `*` for all that is not known.
fn pattern_of(text: &Text) -> String {
    let mut out = String::new();
    for piece in text.pieces() {
        match piece {
            Piece::Lit(l) => out.push_str(&l.text),
            Piece::Hole(_) if out.ends_with('*') => {}
            Piece::Hole(_) => out.push('*'),
        }
    }
    out
}

/// Without the patterns that others cover.
fn without_covered(patterns: BTreeSet<String>) -> Vec<String> {
    if patterns.contains("*") {
        return vec!["*".to_owned()];
    }
    let compiled: Vec<Pattern> = patterns
        .iter()
        .map(|p| Pattern::plain(p, CaseSensitivity::Sensitive))
        .collect();
    let wild: Vec<usize> = (0..compiled.len()).filter(|i| compiled[*i].has_wildcard()).collect();
    let covered = |at: usize| {
        let own = &compiled[at];
        wild.iter()
            .any(|w| *w != at && compiled[*w].covers(own) == Truth::Yes && own.covers(&compiled[*w]) != Truth::Yes)
    };
    (0..)
        .zip(&patterns)
        .filter(|(i, _)| !covered(*i))
        .map(|(_, p)| p.clone())
        .collect()
}
