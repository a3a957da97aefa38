//! What an identity may do to what, for the actions that matter to paths.

use super::edge::NeedAt;
use super::graph::NodeId;
use super::names::{ActionTargets, Class, Deployment, NodeNames};
use super::trust::conditions_of;
use crate::iam::{Action, Statement};
use crate::project::{Effective, EffectiveGrant};

/// A grant of an action and what it is on.
pub(super) struct Granted<'g, 'p> {
    pub(super) grant: &'g EffectiveGrant<'p>,
    pub(super) targets: ActionTargets,
    pub(super) action: Action,
}

impl Granted<'_, '_> {
    pub(super) fn need(&self) -> NeedAt {
        need(self.grant, self.action)
    }

    pub(super) fn conditions(&self) -> Vec<String> {
        conditions_of(self.grant.statement)
    }
}

pub(super) fn need(grant: &EffectiveGrant<'_>, action: Action) -> NeedAt {
    let resource = grant.statement.resource.as_ref();
    let shown = resource.map(|r| {
        let each: Vec<String> = r.items.iter().take(3).map(|i| i.display()).collect();
        let more = if r.items.len() > 3 { ", …" } else { "" };
        let not = if r.negated { "all but " } else { "" };
        format!("{not}{}{more}", each.join(", "))
    });
    NeedAt {
        action: action.name(),
        resource: shown,
        span: grant.span(action),
    }
}

/// What an identity is granted of `action` on things of a class, in the order of its policies.
pub(super) fn granted<'g, 'p>(
    effective: &'g Effective<'p>,
    names: &NodeNames<'p>,
    action: Action,
    class: Class,
    of: Deployment,
) -> Vec<Granted<'g, 'p>> {
    let all = effective.grants_of(action).map(|grant| Granted {
        grant,
        targets: names.of_statement(grant.statement, class, of),
        action,
    });
    let some = |g: &Granted<'_, '_>| !matches!(&g.targets, ActionTargets::These(t) if t.is_empty());
    all.filter(some).collect()
}

/// Whether a Deny certainly takes an action on a node away.
pub(super) fn is_denied(effective: &Effective<'_>, names: &NodeNames<'_>, action: Action, node: NodeId) -> bool {
    if effective.denied.contains(action.id()) {
        return true;
    }
    let covers = |deny: &Statement| {
        deny.resource.as_ref().is_some_and(|r| {
            let mut items = r.items.iter().filter(|i| i.branch.is_none());
            let about = items.any(|i| names.is_about(i, node));
            let plain = deny.conditions.is_empty() && deny.branch.is_none() && !deny.open;
            plain && about != r.negated && (!r.negated || r.complete)
        })
    };
    effective.limiting_denies(action).any(covers)
}

/// Whether some Deny of an action depends on the resource or on a condition.
pub(super) fn has_limits(effective: &Effective<'_>, action: Action) -> bool {
    effective.limiting_denies(action).next().is_some()
}
