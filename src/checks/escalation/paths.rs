//! Paths to administrator access that lead through other identities, so that no single policy shows them.

use std::collections::BTreeSet;

use crate::checks::hops;
use crate::finding::Confidence;
use crate::paths::find_admin_paths;
use crate::rules::{Context, FindingSink, ids};
use crate::source::Span;

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let mut seen: BTreeSet<Span> = BTreeSet::new();
    for path in &find_admin_paths(cx.project, cx.effects) {
        let actors = path.hops.iter().filter(|h| h.from.acts()).count();
        if actors < 2 || path.confidence == Confidence::Low {
            continue;
        }
        let Some((first, at)) = path.hops.first().and_then(|h| Some((h, hops::place(h)?))) else {
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
            .primary(at, hops::label(1, first))
            .other_evidence(path.from.address.clone().unwrap_or_else(|| path.from.text()))
            .other_evidence(path.to.address.clone().unwrap_or_default());
        f = hops::with_hops(f, path);
        f.steps_down += u8::from(path.confidence < Confidence::High);
        out.push(f);
    }
}
