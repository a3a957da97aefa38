//! Grants that nothing used in the whole period.

use std::collections::BTreeSet;

use super::phrases::{not_used, since};
use super::statements::{RecordedStatements, StatementUse, known_needs};
use crate::checks::allow_statements::writing_actions;
use crate::checks::usage::comparison::RoleComparison;
use crate::checks::usage::unused::{MAX_LISTED, actions, names};
use crate::finding::{Confidence, Finding, Remedy};
use crate::iam::condition::strength;
use crate::iam::pattern::has_wildcard;
use crate::iam::{ActionSet, ClauseItem, DocumentOrigin};
use crate::phrase;
use crate::project::targets::ResourceRefs;
use crate::project::{DocumentId, StatementRef, UseProof, used_list};
use crate::rules::{Context, FindingSink, ids};
use crate::source::Span;

/// Maximum number of further items with a label.
const MAX_ITEMS: usize = 4;
/// Maximum number of actions that a fix writes in the place of a wildcard.
const MAX_WRITTEN: usize = 16;

pub(super) fn check(cx: &Context<'_>, comparison: &RoleComparison<'_, '_>, out: &mut FindingSink<'_>) {
    if !out.is_selected(ids::UNUSED_IN_PERIOD) {
        return;
    }
    let texts = RecordedStatements::new(comparison);
    let all: BTreeSet<Span> = texts.texts().collect();
    for text in all {
        let Some(used) = texts.of(text).filter(|used| used.complete) else {
            continue;
        };
        // What of these is never called is another rule's to say.
        let is_compared = |d: &DocumentId| matches!(comparison.used_of_policy(*d), Some(Ok(_)));
        if used.documents.iter().all(is_compared) && out.is_selected(ids::UNUSED_GRANT) {
            continue;
        }
        let mut needs = ActionSet::empty();
        for holder in &used.holders {
            needs.union_with(&known_needs(comparison, *holder));
        }
        let Some((document, index)) = place_of(cx, &used, text) else {
            continue;
        };
        let grant = RecordedGrant {
            cx,
            places: &comparison.roles.places,
            statement: cx.project.statement(document, index),
            used,
            needs,
        };
        if let Some(finding) = grant.finding() {
            out.push(finding);
        }
    }
}

/// The first document that has the statement, written by a person, and its index there.
fn place_of(cx: &Context<'_>, used: &StatementUse<'_>, text: Span) -> Option<(DocumentId, usize)> {
    used.documents.iter().find_map(|id| {
        let d = &cx.project.documents[*id];
        let index = d.statements.iter().position(|s| s.span == text)?;
        (d.origin == DocumentOrigin::Written).then_some((*id, index))
    })
}

/// A statement, and what was used of it.
struct RecordedGrant<'g, 'p> {
    cx: &'g Context<'p>,
    places: &'g ResourceRefs<'g>,
    statement: StatementRef<'g>,
    used: StatementUse<'g>,
    /// What those who have it may need, as far as that can be seen.
    needs: ActionSet,
}

/// An item of `Action` of which something was not used.
struct IdleItem<'d> {
    item: &'d ClauseItem,
    granted: ActionSet,
    unused: ActionSet,
}

impl RecordedGrant<'_, '_> {
    fn finding(&self) -> Option<Finding> {
        let project = self.cx.project;
        let allowed = &project.granted(self.statement.document_id).allowed;
        if !allowed.iter().any(|a| a.statement == self.statement.index) {
            return None;
        }
        let clause = self.statement.action.as_ref().filter(|c| !c.negated)?;
        let idle: Vec<IdleItem<'_>> = clause.items.iter().filter_map(|item| self.idle_item(item)).collect();
        let (first, others) = idle.split_first()?;
        let mut unused = ActionSet::empty();
        let mut granted = ActionSet::empty();
        idle.iter().for_each(|i| unused.union_with(&i.unused));
        for item in &clause.items {
            granted.union_with(&self.cx.project.granted_by(self.statement, item));
        }
        let proof = self.used.proof(&unused)?;
        let mut f = self
            .cx
            .at_statement(
                ids::UNUSED_IN_PERIOD,
                self.statement,
                self.message(&idle, &granted, proof),
            )
            .primary(first.item.span, label(first, proof))
            .actions(idle.iter().map(|i| i.item.display().to_lowercase()));
        for other in others.iter().take(MAX_ITEMS) {
            f = f.secondary(other.item.span, label(other, proof));
        }
        f.evidence.expanded_actions = Some(unused.len());
        let writes = !writing_actions(&unused).is_empty() && idle.iter().any(|i| has_wildcard(&i.item.text));
        if !writes {
            f = f.lower_severity();
        }
        if strength(&self.statement).narrows() {
            f = f.lower_severity();
        }
        if !self.used.is_exact() {
            f = f.confidence(Confidence::Medium);
        }
        let used = self.used.used(&granted);
        if !used.is_empty() {
            f = f.note(format!("used: {}", used_list(used)));
        }
        let judged = self.used.judged(&granted, self.statement, self.places);
        match granted.difference(&judged).len() {
            0 => {}
            1 => f = f.note("1 action that is granted here is not in the logs, and counts as used"),
            n => {
                f = f.note(format!(
                    "{n} actions that are granted here are not in the logs, and count as used"
                ))
            }
        }
        let kept = granted.difference(&unused);
        let help = match kept.len() {
            0 => "Remove the grant.".to_owned(),
            _ if idle.iter().all(|i| i.unused.len() == i.granted.len()) => {
                "Remove the actions that are not used.".to_owned()
            }
            n if n <= MAX_LISTED => {
                format!("Allow only what is used, or may be: {}.", phrase::all_of(&names(&kept)))
            }
            n => format!("Allow only the {} that are used, or may be.", actions(n)),
        };
        Some(f.help(help).remedies(self.remedy(&idle)))
    }

    fn message(&self, idle: &[IdleItem<'_>], granted: &ActionSet, proof: UseProof) -> String {
        let since = since(proof);
        match idle {
            [one] if one.granted.len() == 1 => format!("`{}` was not used {since}", one.item.display()),
            [one] => {
                let used = self.used.used(&one.granted).len();
                let shown = one.item.display();
                let n = one.granted.len();
                match used {
                    0 => format!("`{shown}` grants {n} actions; none was used {since}"),
                    1 => format!("`{shown}` grants {n} actions; 1 was used {since}"),
                    used => format!("`{shown}` grants {n} actions; {used} were used {since}"),
                }
            }
            _ => {
                let mut unused = ActionSet::empty();
                idle.iter().for_each(|i| unused.union_with(&i.unused));
                let (n, total) = (unused.len(), granted.len());
                match n == total {
                    true => format!("{total} actions are granted here; none was used {since}"),
                    false => format!("{n} of the {total} actions granted here were not used {since}"),
                }
            }
        }
    }

    fn idle_item<'d>(&self, item: &'d ClauseItem) -> Option<IdleItem<'d>> {
        let granted = self.cx.project.granted_by(self.statement, item);
        let mut unused = self.used.unused(&granted, self.statement, self.places);
        unused.subtract(&self.needs);
        (!unused.is_empty()).then_some(IdleItem { item, granted, unused })
    }

    /// Writes what is used, or may be, in the place of wildcards, and removes the rest.
    fn remedy(&self, idle: &[IdleItem<'_>]) -> Option<Remedy> {
        let clause = self.statement.action.as_ref()?;
        let kept = |i: &IdleItem<'_>| i.granted.difference(&i.unused);
        let is_all = clause.items.len() == idle.len() && idle.iter().all(|i| kept(i).is_empty());
        let unsure = |i: &IdleItem<'_>| i.item.via.is_some() || kept(i).len() > MAX_WRITTEN;
        if is_all || idle.iter().any(unsure) {
            return None;
        }
        let title = match idle {
            [one] if kept(one).is_empty() => "remove what is not used".to_owned(),
            [one] => format!("replace with the {} that are used, or may be", actions(kept(one).len())),
            _ => "keep only the actions that are used, or may be".to_owned(),
        };
        let step = |remedy: Remedy, i: &IdleItem<'_>| match kept(i) {
            kept if kept.is_empty() => remedy.remove(i.item.span),
            kept => remedy.replace(i.item.span, names(&kept)),
        };
        Some(idle.iter().fold(Remedy::risky(title), step))
    }
}

fn label(i: &IdleItem<'_>, proof: UseProof) -> String {
    match (i.granted.len(), i.unused.len()) {
        (1, _) => not_used(proof),
        (n, m) if n == m => format!("grants {n} actions, none of which was used"),
        (n, 1) => format!("grants {n} actions, 1 of which was not used"),
        (n, m) => format!("grants {n} actions, {m} of which were not used"),
    }
}
