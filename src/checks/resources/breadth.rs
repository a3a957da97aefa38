//! ARNs that restrict nothing.

use crate::checks::holders::is_for_aws_backup;
use crate::finding::Severity;
use crate::iam::condition::strength;
use crate::iam::resource_fit::unlimited_actions;
use crate::iam::{ActionSet, Clause, ClauseItem, PolicyKind, pattern};
use crate::rules::{Context, FindingSink, ids};

pub(super) fn effectively_star(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for s in cx.statements() {
        if !matches!(s.document.kind, PolicyKind::Identity | PolicyKind::Session) || !s.allows() {
            continue;
        }
        let (Some(clause), Some(actions)) = (s.resource.as_ref().filter(|c| !c.negated), &s.action) else {
            continue;
        };
        // Beside a plain star the longer spelling changes nothing.
        if clause.items.iter().any(|r| pattern::is_star(&r.text)) {
            continue;
        }
        for item in &clause.items {
            if !item.breadth().is_star_like() {
                continue;
            }
            // What works on `*` only is given on everything in any case.
            let wide =
                Clause::actions(actions).map(|set| (set.is_empty(), unlimited_actions(&item.text, &set.scopable())));
            if wide.as_ref().is_some_and(|(unknown, wide)| !unknown && wide.is_empty()) {
                continue;
            }
            let granting = |set: &ActionSet| wide.as_ref().is_none_or(|(unknown, w)| *unknown || set.intersects(w));
            let about: Vec<&ClauseItem> = match actions.negated {
                true => Vec::new(),
                false => {
                    let items = actions.items.iter().zip(actions.item_actions());
                    items.filter(|(_, set)| granting(set)).map(|(i, _)| i).collect()
                }
            };
            let mut f = cx
                .at_statement(
                    ids::RESOURCE_EFFECTIVELY_STAR,
                    s,
                    format!("`{}` matches every resource of its type", item.display()),
                )
                .primary(item.span, "as broad as `*`")
                .resources([item.display()])
                .actions(about.iter().map(|a| a.display().to_lowercase()));
            if let Some(first) = about.first() {
                f = f.secondary(first.span, "allowed on all of these resources");
            }
            if strength(&s).narrows() {
                f.steps_down += 1;
            }
            if is_for_aws_backup(cx, s.document_id) {
                f = f.severity(Severity::Low);
            }
            out.push(f);
        }
    }
}
