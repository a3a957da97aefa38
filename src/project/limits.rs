//! Boundaries and control policies as Deny statements: what they deny, and what they do not list.

use super::combined::{CombinedPolicy, statement_text};
use super::{AwsManaged, RepositoryPlace};
use crate::iam::pattern::is_star;
use crate::iam::{ActionSet, Clause, ClauseItem, Document, Effect, Statement};
use crate::source::{Span, Text, WithSpan};

/// Statements of a limit that are about some resources.
const MAX_NARROW: usize = 12;

impl CombinedPolicy {
    /// Takes away what the policies of a boundary, or of one level of control policies, deny or do not list.
    pub(super) fn add_limit(
        &mut self,
        documents: &[&Document],
        allows_all: bool,
        used: Span,
        place: &RepositoryPlace<'_>,
    ) {
        let allows: Vec<&Statement> = documents
            .iter()
            .flat_map(|d| &d.statements)
            .filter(|s| s.is_written_as_allow())
            .collect();
        let narrow: Vec<&Statement> = allows.iter().filter(|s| !is_on_all(s)).copied().collect();
        let is_open = documents.iter().any(|d| d.open || d.branch.is_some());
        if is_open || !(allows_all || allows.iter().all(|s| is_plain_list(s)) && narrow.len() <= MAX_NARROW) {
            for document in documents {
                let texts: Vec<String> = document.statements.iter().map(statement_text).collect();
                self.limits.insert(texts.concat(), true);
            }
            return;
        }
        for document in documents {
            let mut denials = (*document).clone();
            denials.statements.retain(|s| !s.allows());
            self.add(&denials, used, place);
        }
        let items: Vec<ClauseItem> = allows
            .iter()
            .filter_map(|s| s.action.as_ref())
            .flat_map(|c| &c.items)
            .cloned()
            .collect();
        let Some((like, action)) = allows.iter().find_map(|s| Some((*s, s.action.as_ref()?))) else {
            return;
        };
        if allows_all {
            return;
        }
        if !items.iter().any(|i| is_star(&i.text)) {
            let rest = Clause {
                negated: true,
                items,
                sets: Default::default(),
                ..action.clone()
            };
            self.add_denial(like, rest, like.resource.as_ref().map(|c| c.of_text("*")), used, place);
        }
        for group in groups(&allows, &narrow) {
            let named = group
                .actions
                .iter()
                .map(|a| ClauseItem::new(Text::synthetic(a.name(), action.span), action.span));
            let actions = Clause {
                negated: false,
                items: named.collect(),
                complete: true,
                sets: Default::default(),
                ..action.clone()
            };
            let except = Clause {
                negated: true,
                items: group.resources,
                complete: true,
                sets: Default::default(),
                ..action.clone()
            };
            self.add_denial(like, actions, Some(except), used, place);
        }
    }

    fn add_denial(
        &mut self,
        like: &Statement,
        actions: Clause,
        resources: Option<Clause>,
        used: Span,
        place: &RepositoryPlace<'_>,
    ) {
        let mut denial = Statement {
            effect: Some(WithSpan::new(Effect::Deny, like.span)),
            action: Some(actions),
            resource: resources,
            strength: Default::default(),
            nothing: Default::default(),
            ..like.clone()
        };
        place.fill_statement(&mut denial);
        self.document.statements.push(denial);
        self.places.push(used);
    }

    /// AWS attaches `FullAWSAccess` beside control policies that only deny.
    pub(super) fn allow_the_rest(&mut self, place: &RepositoryPlace<'_>) {
        if self.document.statements.iter().any(|s| !s.is_written_as_deny()) {
            return;
        }
        if let Some(full) = AwsManaged::by_name("AdministratorAccess") {
            self.add(full.document(), self.document.span, place);
        }
    }
}

/// Actions that a limit allows on some resources only.
struct NarrowActions {
    actions: ActionSet,
    resources: Vec<ClauseItem>,
}

/// Of the actions that no statement allows on everything: those of the same statements, with the resources of these.
fn groups(allows: &[&Statement], narrow: &[&Statement]) -> Vec<NarrowActions> {
    let of = |s: &Statement| {
        s.action
            .as_ref()
            .and_then(Clause::actions)
            .unwrap_or_else(ActionSet::empty)
    };
    let mut everywhere = ActionSet::empty();
    for s in allows.iter().filter(|s| is_on_all(s)) {
        everywhere.union_with(&of(s));
    }
    let mut out: Vec<NarrowActions> = Vec::new();
    for s in narrow {
        let mut rest = of(s);
        rest.subtract(&everywhere);
        let own: Vec<ClauseItem> = s.resource.iter().flat_map(|c| &c.items).cloned().collect();
        let mut next = Vec::new();
        for group in out {
            let mut both = group.actions.clone();
            both.intersect(&rest);
            let mut alone = group.actions.clone();
            alone.subtract(&both);
            rest.subtract(&both);
            let all = group.resources.iter().chain(&own).cloned().collect();
            next.push(NarrowActions {
                actions: alone,
                resources: group.resources,
            });
            next.push(NarrowActions {
                actions: both,
                resources: all,
            });
        }
        next.push(NarrowActions {
            actions: rest,
            resources: own,
        });
        next.retain(|g| !g.actions.is_empty());
        out = next;
    }
    out
}

fn is_on_all(s: &Statement) -> bool {
    let is_all = |c: &Clause| !c.negated && c.items.iter().any(|i| is_star(&i.text));
    s.resource.as_ref().is_some_and(is_all)
}

/// Whether it allows actions that are listed on resources that are listed, whatever else is the case.
fn is_plain_list(s: &Statement) -> bool {
    let is_listed = |c: &Clause| !c.negated && c.is_known() && c.items.iter().all(|i| i.branch.is_none());
    let has_resources = |c: &Clause| !c.negated && c.complete && c.items.iter().all(|i| i.branch.is_none());
    let has_lists = s.action.as_ref().is_some_and(is_listed) && s.resource.as_ref().is_some_and(has_resources);
    has_lists && s.conditions.is_empty() && s.condition_key.is_none() && s.branch.is_none() && !s.open
}
