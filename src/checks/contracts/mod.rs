//! Checks of the family `contracts`: what the repository promises about access, and whether it is so.

use std::collections::BTreeMap;

use super::hops;
use crate::contracts::{Breach, ContractDoubt, JudgedContract, judge};
use crate::finding::{Cause, Finding};
use crate::phrase::{self, MAX_LABEL};
use crate::rules::{CodeCheck, Context, FindingSink, ids};
use crate::source::Span;

/// Name in a rule file's `check:`, and the function.
pub(super) const TABLE: &[(&str, CodeCheck)] = &[("contracts", contracts)];

/// Labels of doubts, so that a finding stays readable.
const MAX_LABELS: usize = 8;
/// Longest name of a contract in a message.
const MAX_NAME: usize = 60;

fn contracts(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for judged in judge(cx.project, cx.effects) {
        for (span, name) in &judged.nameless {
            out.push(
                Finding::new(
                    ids::CONTRACT_NAMES_NOTHING,
                    format!("`{}` matches nothing here", phrase::clip(name, MAX_NAME)),
                )
                .primary(*span, "the contract is about something else than this")
                .cause(Cause::Place(*span))
                .other_evidence(name.clone()),
            );
        }
        // One finding for a token: all whom it lets in break the contract there.
        let mut by_token: BTreeMap<Span, Vec<&Breach>> = BTreeMap::new();
        for breach in &judged.breaches {
            by_token.entry(breach.at).or_default().push(breach);
        }
        for (at, breaches) in by_token {
            out.push(broken(cx, &judged, at, &breaches));
        }
        if judged.breaches.is_empty() && !judged.doubts.is_empty() {
            out.push(undecided(&judged));
        }
    }
}

fn name(judged: &JudgedContract<'_>) -> String {
    phrase::clip(&judged.contract.terms.name.value.0, MAX_NAME)
}

fn broken(cx: &Context<'_>, judged: &JudgedContract<'_>, at: Span, breaches: &[&Breach]) -> Finding {
    let rule = ids::CONTRACT_BROKEN;
    let Some(first) = breaches.first() else {
        return Finding::new(rule, "the contract is broken").primary(at, "here");
    };
    let action = first.request.as_ref().map(|r| r.action.as_str());
    let does = match (&first.path, action) {
        (None, Some(action)) => format!("`{}` can perform `{action}`", first.who),
        (Some(path), Some(action)) => {
            let steps = phrase::count(path.hops.len(), "step", "steps");
            format!("`{}` can come to perform `{action}` in {steps}", first.who)
        }
        (path, None) => {
            let steps = path.as_ref().map_or(1, |p| p.hops.len());
            let steps = phrase::count(steps, "step", "steps");
            format!("`{}` can become an administrator in {steps}", first.who)
        }
    };
    let message = format!("{does}, against the contract `{}`", name(judged));
    let mut f = match first.resource {
        Some(resource) => cx.at_resource(rule, resource, message),
        None => Finding::new(rule, message).cause(Cause::Place(at)),
    };
    let label = match &first.path {
        Some(path) => path.hops.first().map(|hop| hops::label(1, hop)),
        None => action.map(|action| phrase::clip(&format!("allows {action}"), MAX_LABEL)),
    };
    f = f
        .primary(at, label.unwrap_or_else(|| "breaks the contract".to_owned()))
        .other_evidence(judged.contract.terms.name.value.0.clone());
    if judged.span.is_in_source() {
        f = f.secondary(judged.span, "the contract");
    }
    if let Some(path) = &first.path {
        f = hops::with_hops(f, path).note(format!("the path: {}", path.line()));
    }
    if let Some(request) = &first.request {
        f = f.note(format!(
            "the request: {}",
            serde_json::to_string(request).unwrap_or_default()
        ));
        f = f.actions([request.action.clone()]);
    }
    let mut others: Vec<&str> = breaches.iter().skip(1).map(|b| b.who.as_str()).collect();
    others.sort_unstable();
    others.dedup();
    others.retain(|who| *who != first.who);
    if !others.is_empty() {
        let shown = phrase::list(others.iter().take(MAX_LABELS));
        let shown_count = others.len().min(MAX_LABELS);
        let more = phrase::and_more(shown_count, others.len() - shown_count);
        f = f.note(format!("the same is true of {shown}{more}"));
    }
    f.principals(breaches.iter().map(|b| b.who.clone()))
}

fn undecided(judged: &JudgedContract<'_>) -> Finding {
    let message = format!("it is not known whether the contract `{}` is kept", name(judged));
    let mut f = Finding::new(ids::CONTRACT_UNDECIDED, message)
        .primary(judged.span, "not decided")
        .cause(Cause::Place(judged.span))
        .other_evidence(judged.contract.terms.name.value.0.clone());
    for doubt in judged.doubts.iter().take(MAX_LABELS) {
        if let Some(at) = doubt.at.filter(|at| at.is_in_source()) {
            f = f.secondary(at, phrase::clip(&doubt.why, MAX_LABEL));
        }
        f = f.note(doubt_text(doubt));
    }
    if judged.doubts.len() > MAX_LABELS {
        f = f.note(format!("and {} more", judged.doubts.len() - MAX_LABELS));
    }
    f
}

fn doubt_text(doubt: &ContractDoubt) -> String {
    match &doubt.who {
        Some(who) => format!("`{who}`: {}", doubt.why),
        None => doubt.why.clone(),
    }
}
