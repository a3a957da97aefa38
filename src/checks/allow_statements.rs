//! What an Allow statement of an identity policy grants, for the checks that ask how much it is.

use std::borrow::Cow;

use crate::finding::Finding;
use crate::iam::actions::ActionSet;
use crate::iam::catalogue::AccessLevel;
use crate::iam::class::class;
use crate::iam::condition::{Strength, strength};
use crate::iam::resource_fit::{may_be_resource_of, unlimited_actions};
use crate::iam::{ClauseItem, Document, PolicyKind, pattern};
use crate::phrase;
use crate::project::{EXCEPT_DENIED, StatementRef};
use crate::rules::Context;
use crate::source::Span;

/// One Allow statement of an identity policy.
pub(super) struct AllowStatement<'a> {
    pub statement: StatementRef<'a>,
    /// What it grants of the catalogue, less what none of the document's holders gets. Patterns with holes grant what is
    /// known to be granted: nothing.
    pub actions: Cow<'a, ActionSet>,
    pub strength: &'a Strength,
}

impl<'a> AllowStatement<'a> {
    /// Says of a finding about `set` where a Deny takes some of it away, and lowers it where the boundary of each holder lets it
    /// through on some resources only.
    pub(super) fn adjust_severity(&self, cx: &Context<'_>, set: &ActionSet, f: Finding) -> Finding {
        let mut f = except_denied(cx, self.statement, set, f);
        if !cx.project.withheld(self.statement.document_id).narrows(set) {
            return f;
        }
        match &mut f.severity {
            Some(severity) => *severity = severity.lower(),
            None => f.steps_down += 1,
        }
        f.note("the permissions boundary allows it only on some resources or under a condition")
    }

    /// Of `set`, the actions whose resources an item of `Resource` may mean: `ssm:GetParameter` is not about a pipeline.
    pub(super) fn reachable_actions(&self, item: &ClauseItem, set: &ActionSet) -> ActionSet {
        set.iter().filter(|a| may_be_resource_of(&item.text, *a)).collect()
    }

    /// What is allowed on every resource that the action can be about, where, and how that is written: `*`, what is as wide
    /// for the action, or a `NotResource`, which leaves all but a few.
    pub(super) fn allowed_on_every_resource(&self) -> Option<(Span, String, Cow<'_, ActionSet>)> {
        let clause = self.statement.statement.resource.as_ref()?;
        if clause.negated {
            return Some((clause.key, "NotResource".to_owned(), Cow::Borrowed(&self.actions)));
        }
        if let Some(star) = clause.items.iter().find(|r| pattern::is_star(&r.text)) {
            return Some((star.span, star.display(), Cow::Borrowed(&self.actions)));
        }
        let mut found: Option<(&ClauseItem, ActionSet)> = None;
        for item in &clause.items {
            let wide = unlimited_actions(&item.text, &self.actions);
            match &mut found {
                Some((_, all)) => all.union_with(&wide),
                None if !wide.is_empty() => found = Some((item, wide)),
                None => {}
            }
        }
        found.map(|(item, wide)| (item.span, item.display(), Cow::Owned(wide)))
    }

    /// The items of `Action` that grant some of `set`, with how many; for a `NotAction`, nothing.
    pub(super) fn items_granting(&self, set: &ActionSet) -> Vec<&'a ClauseItem> {
        let Some(clause) = self.statement.statement.action.as_ref().filter(|c| !c.negated) else {
            return Vec::new();
        };
        let items = clause.items.iter().zip(clause.item_actions());
        items.filter(|(_, s)| s.intersects(set)).map(|(i, _)| i).collect()
    }

    /// Where to point for some of the actions: the first item that grants them, or the key of a `NotAction`.
    pub(super) fn span_granting(&self, set: &ActionSet) -> Option<Span> {
        match self.items_granting(set).first() {
            Some(i) => Some(i.span),
            None => self.statement.action.as_ref().map(|c| c.key),
        }
    }
}

/// Every Allow statement of every identity policy that the repository writes, those of one document together.
pub(super) fn identity_allow_statements<'a>(cx: &Context<'a>) -> impl Iterator<Item = AllowStatement<'a>> + use<'a> {
    let project = cx.project;
    let grants = |d: &Document| matches!(d.kind, PolicyKind::Identity | PolicyKind::Session);
    cx.documents().filter(move |(_, d)| grants(d)).flat_map(move |(id, _)| {
        project.granted(id).allowed.iter().map(move |a| {
            let mut actions = Cow::Borrowed(&a.actions);
            let lost = project.withheld(id).for_statement(a.statement);
            if a.actions.intersects(lost) {
                actions.to_mut().subtract(lost);
            }
            let statement = project.statement(id, a.statement);
            AllowStatement {
                statement,
                actions,
                strength: strength(statement.statement),
            }
        })
    })
}

/// A finding that says "every" of `set` is not about what a Deny of the same identity takes away on some resources.
pub(super) fn except_denied(cx: &Context<'_>, s: StatementRef<'_>, set: &ActionSet, mut f: Finding) -> Finding {
    let Some(deny) = cx.project.withheld(s.document_id).partial_deny(s.index, set) else {
        return f;
    };
    f.message.push_str(EXCEPT_DENIED);
    f.secondary(deny, "denied on these resources")
}

/// Those that change who may do what: what AWS lists as permissions management, but for what gives no one access.
pub(super) fn managing_actions(actions: &ActionSet) -> ActionSet {
    let mut out = actions.with_level(AccessLevel::PermissionsManagement);
    out.subtract(class("no-access"));
    out.subtract(class("reads"));
    out
}

/// Those that change something: permissions, tags, or what is kept. AWS lists some as Write that do not, such as
/// `kms:Encrypt`.
pub(super) fn writing_actions(actions: &ActionSet) -> ActionSet {
    let mut out = actions.with_level(AccessLevel::Write);
    out.union_with(&actions.with_level(AccessLevel::Tagging));
    out.union_with(&actions.with_level(AccessLevel::PermissionsManagement));
    out.subtract(class("reads"));
    out
}

/// "`a`, `b`, and 3 more" for the most severe of a set.
pub(super) fn names(set: &ActionSet, most: usize) -> String {
    let worst = set.most_severe(most);
    match (set.len().saturating_sub(worst.len()), worst.as_slice()) {
        (0, all) => phrase::all_of(all),
        (more, all) => phrase::list(all) + &phrase::and_more(all.len(), more),
    }
}
