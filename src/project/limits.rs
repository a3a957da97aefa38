//! Boundaries and control policies as Deny statements: what they deny, and what they do not list.

use super::combined::{CombinedPolicy, statement_text};
use super::{AwsManaged, RepositoryPlace};
use crate::iam::pattern::is_star;
use crate::iam::{ActionSet, Clause, ClauseItem, Condition, Document, Effect, Statement};
use crate::source::{Span, Text, WithSpan};

/// Statements of a limit that are about some resources, or have conditions.
const MAX_NARROW: usize = 12;
/// Denials that say together what the statements of a limit leave out of the same actions.
const MAX_DENIALS: usize = 16;

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
        let is_open = documents.iter().any(|d| d.open || d.branch.is_some());
        let narrow = match allows_all {
            true => Some(Vec::new()),
            false => denials_of(&allows),
        };
        let Some(narrow) = narrow.filter(|_| !is_open) else {
            for document in documents {
                let texts: Vec<String> = document.statements.iter().map(statement_text).collect();
                self.limits.insert(texts.concat(), true);
            }
            return;
        };
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
            self.add_denial(like, rest, &LeftOut::default(), used, place);
        }
        for (set, rests) in narrow {
            let named = set
                .iter()
                .map(|a| ClauseItem::new(Text::synthetic(a.name(), action.span), action.span));
            let actions = Clause {
                negated: false,
                items: named.collect(),
                complete: true,
                sets: Default::default(),
                ..action.clone()
            };
            for rest in rests {
                self.add_denial(like, actions.clone(), &rest, used, place);
            }
        }
    }

    fn add_denial(
        &mut self,
        like: &Statement,
        actions: Clause,
        rest: &LeftOut,
        used: Span,
        place: &RepositoryPlace<'_>,
    ) {
        let all = like.resource.as_ref().map(|c| c.of_text("*"));
        let resources = all.map(|all| match rest.resources.is_empty() {
            true => all,
            false => Clause {
                negated: true,
                items: rest.resources.clone(),
                ..all
            },
        });
        let mut denial = Statement {
            effect: Some(WithSpan::new(Effect::Deny, like.span)),
            action: Some(actions),
            resource: resources,
            conditions: rest.conditions.clone(),
            condition_key: None,
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

/// Actions that a limit allows on some resources only, or under conditions, and the statements that do.
struct NarrowActions<'d> {
    actions: ActionSet,
    of: Vec<&'d Statement>,
}

/// A part of what statements leave out: other resources than these, where there are some, under these conditions.
#[derive(Clone, Default)]
struct LeftOut {
    resources: Vec<ClauseItem>,
    conditions: Vec<Condition>,
}

/// What these statements allow on some resources only, or under conditions, with what they leave out of it; `None` where that
/// cannot be said.
fn denials_of(allows: &[&Statement]) -> Option<Vec<(ActionSet, Vec<LeftOut>)>> {
    let narrow: Vec<&Statement> = allows.iter().filter(|s| !is_on_all(s)).copied().collect();
    if !allows.iter().all(|s| is_plain_list(s)) || narrow.len() > MAX_NARROW {
        return None;
    }
    let of_group = |group: NarrowActions<'_>| Some((group.actions, left_out(&group.of)?));
    groups(allows, &narrow).into_iter().map(of_group).collect()
}

/// Of the actions that no statement allows on everything: those of the same statements, with these.
fn groups<'d>(allows: &[&'d Statement], narrow: &[&'d Statement]) -> Vec<NarrowActions<'d>> {
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
    let mut out: Vec<NarrowActions<'d>> = Vec::new();
    for s in narrow {
        let mut rest = of(s);
        rest.subtract(&everywhere);
        let mut next = Vec::new();
        for group in out {
            let mut both = group.actions.clone();
            both.intersect(&rest);
            let mut alone = group.actions.clone();
            alone.subtract(&both);
            rest.subtract(&both);
            next.push(NarrowActions {
                actions: both,
                of: group.of.iter().copied().chain([*s]).collect(),
            });
            next.push(NarrowActions {
                actions: alone,
                of: group.of,
            });
        }
        next.push(NarrowActions {
            actions: rest,
            of: vec![s],
        });
        next.retain(|g| !g.actions.is_empty());
        out = next;
    }
    out
}

/// What none of these statements allows: for each of them, another resource, or one of its conditions is not met.
fn left_out(statements: &[&Statement]) -> Option<Vec<LeftOut>> {
    let mut out = vec![LeftOut::default()];
    for s in statements {
        let mut ways = Vec::new();
        if !is_on_all_resources(s) {
            let resources = s.resource.iter().flat_map(|c| &c.items).cloned().collect();
            ways.push(LeftOut {
                resources,
                conditions: Vec::new(),
            });
        }
        for condition in &s.conditions {
            ways.push(LeftOut {
                resources: Vec::new(),
                conditions: vec![condition.opposite()?],
            });
        }
        let both = |a: &LeftOut, b: &LeftOut| LeftOut {
            resources: a.resources.iter().chain(&b.resources).cloned().collect(),
            conditions: a.conditions.iter().chain(&b.conditions).cloned().collect(),
        };
        out = out.iter().flat_map(|a| ways.iter().map(|b| both(a, b))).collect();
        if out.len() > MAX_DENIALS {
            return None;
        }
    }
    Some(out)
}

/// Allows its actions on all resources in any case.
fn is_on_all(s: &Statement) -> bool {
    is_on_all_resources(s) && s.conditions.is_empty()
}

fn is_on_all_resources(s: &Statement) -> bool {
    let is_all = |c: &Clause| !c.negated && c.items.iter().any(|i| is_star(&i.text));
    s.resource.as_ref().is_some_and(is_all)
}

/// Whether it allows actions that are listed on resources that are listed, under conditions that can be read.
fn is_plain_list(s: &Statement) -> bool {
    let is_listed = |c: &Clause| !c.negated && c.is_known() && c.items.iter().all(|i| i.branch.is_none());
    let has_resources = |c: &Clause| !c.negated && c.complete && c.items.iter().all(|i| i.branch.is_none());
    let has_lists = s.action.as_ref().is_some_and(is_listed) && s.resource.as_ref().is_some_and(has_resources);
    let has_conditions = s.condition_key.is_none() || !s.conditions.is_empty() && s.complete;
    has_lists && has_conditions && s.branch.is_none() && !s.open
}
