//! How findings show the hops of a path.

use crate::finding::{Finding, Label, LabelRole};
use crate::paths::{AccessPath, Hop};
use crate::phrase::{self, MAX_LABEL};
use crate::source::Span;

/// Labels of hops, so that a finding stays readable.
const MAX_HOPS: usize = 8;

/// The token of a hop that a person would edit.
pub(super) fn place(hop: &Hop) -> Option<Span> {
    hop.needs.iter().map(|n| n.span).find(|s| s.is_in_source())
}

/// "1. assumes the role: role/deploy"
pub(super) fn label(number: usize, hop: &Hop) -> String {
    phrase::clip(&format!("{number}. {}: {}", hop.by, hop.to.text()), MAX_LABEL)
}

/// With the hops after the first one as labels, and with all of them as its flow.
pub(super) fn with_hops(mut finding: Finding, path: &AccessPath) -> Finding {
    for (i, hop) in path.hops.iter().enumerate().skip(1).take(MAX_HOPS) {
        if let Some(span) = place(hop) {
            finding = finding.secondary(span, label(i + 1, hop));
        }
    }
    let steps = path.hops.iter().enumerate();
    let labeled = steps.filter_map(|(i, hop)| {
        Some(Label {
            span: place(hop)?,
            role: LabelRole::Secondary,
            text: label(i + 1, hop),
        })
    });
    finding.flow = labeled.collect();
    finding
}
