//! Paths to administrator access that lead through other identities, so that no single policy shows them.

use std::collections::BTreeSet;

use crate::finding::{Confidence, Label, LabelRole};
use crate::paths::{AccessPath, Hop, find_admin_paths};
use crate::phrase::{self, MAX_LABEL};
use crate::rules::{Context, FindingSink, ids};
use crate::source::Span;

/// Labels of hops, so that a finding stays readable.
const MAX_HOPS: usize = 8;

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let mut seen: BTreeSet<Span> = BTreeSet::new();
    for path in &find_admin_paths(cx.project, cx.effects) {
        let actors = path.hops.iter().filter(|h| h.from.acts()).count();
        if actors < 2 || path.confidence == Confidence::Low {
            continue;
        }
        let Some((first, at)) = path.hops.first().and_then(|h| Some((h, place(h)?))) else {
            continue;
        };
        // One finding for a token: those that it is for all start there.
        if !seen.insert(at) {
            continue;
        }
        let Some(resource) = path.from.resource.or(first.to.resource) else {
            continue;
        };
        let mut f = cx
            .at_resource(
                ids::PRIVESC_PATH,
                resource,
                format!(
                    "{} can become an administrator in {} steps",
                    path.from.text(),
                    path.hops.len()
                ),
            )
            .primary(at, label(1, first))
            .other_evidence(path.from.address.clone().unwrap_or_else(|| path.from.text()))
            .other_evidence(path.to.address.clone().unwrap_or_default());
        for (i, hop) in path.hops.iter().enumerate().skip(1).take(MAX_HOPS) {
            if let Some(span) = place(hop) {
                f = f.secondary(span, label(i + 1, hop));
            }
        }
        f.flow = steps(path);
        f.steps_down += u8::from(path.confidence < Confidence::High);
        out.push(f);
    }
}

/// The token of a hop that a person would edit.
fn place(hop: &Hop) -> Option<Span> {
    hop.needs.iter().map(|n| n.span).find(|s| s.is_in_source())
}

fn label(number: usize, hop: &Hop) -> String {
    phrase::clip(&format!("{number}. {}: {}", hop.by, hop.to.text()), MAX_LABEL)
}

fn steps(path: &AccessPath) -> Vec<Label> {
    let steps = path.hops.iter().enumerate();
    let labeled = steps.filter_map(|(i, hop)| {
        Some(Label {
            span: place(hop)?,
            role: LabelRole::Secondary,
            text: label(i + 1, hop),
        })
    });
    labeled.collect()
}
