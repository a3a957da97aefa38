//! What an identity may do to what, for the actions that matter to paths.

use super::asking::Asking;
use super::classes::Class;
use super::edge::NeedAt;
use super::graph::NodeId;
use super::home::Deployment;
use super::names::{ActionTargets, NodeNames};
use super::trust::conditions_of;
use crate::iam::arn::Breadth;
use crate::iam::{Action, Clause, Statement};
use crate::project::{Effective, EffectiveGrant};

/// A grant of an action and what it is on.
pub(super) struct Granted<'g, 'p> {
    pub(super) grant: &'g EffectiveGrant<'p>,
    pub(super) targets: ActionTargets,
    pub(super) action: Action,
    class: Class,
}

impl Granted<'_, '_> {
    /// On a node, or on all of a class.
    pub(super) fn need(&self, names: &NodeNames<'_>, node: Option<NodeId>) -> NeedAt {
        let mut out = need(self.grant, self.action);
        if let Some(item) = names.item_on(self.grant.statement, self.class, node) {
            out.resource = Some(item.display());
        }
        out
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
    asking: &Asking<'_, 'p>,
    action: Action,
    class: Class,
    of: Deployment,
) -> Vec<Granted<'g, 'p>> {
    let open = effective
        .grants_of(action)
        .filter(|g| asking.meets_all(g.statement).may_be());
    let all = open.map(|grant| Granted {
        grant,
        targets: asking.names.of_statement(grant.statement, class, of),
        action,
        class,
    });
    let some = |g: &Granted<'_, '_>| !matches!(&g.targets, ActionTargets::These(t) if t.is_empty());
    all.filter(some).collect()
}

/// Whether a Deny certainly takes an action on a node away from the one who asks.
pub(super) fn is_denied(effective: &Effective<'_>, asking: &Asking<'_, '_>, action: Action, node: NodeId) -> bool {
    effective.denied.contains(action.id()) || effective.limiting_denies(action).any(|s| covers(asking, s, node))
}

/// Whether a Deny is certainly about a node, for the one who asks.
pub(super) fn covers(asking: &Asking<'_, '_>, deny: &Statement, node: NodeId) -> bool {
    let certain = deny.branch.is_none() && !deny.open && asking.on(node).meets_all(deny).is_yes();
    certain && asking.names.is_on(deny, node)
}

/// Whether a Deny certainly takes an action away on all that it can be on.
pub(super) fn is_denied_everywhere(effective: &Effective<'_>, asking: &Asking<'_, '_>, action: Action) -> bool {
    let everywhere = |s: &Statement| {
        let certain = s.branch.is_none() && !s.open && asking.meets_all(s).is_yes();
        let wide = |c: &Clause| !c.negated && c.items.iter().any(|i| i.breadth() <= Breadth::WholeType);
        certain && s.resource.as_ref().is_some_and(wide)
    };
    effective.denied.contains(action.id()) || effective.limiting_denies(action).any(everywhere)
}

/// Whether some Deny of an action depends on the resource or on a condition.
pub(super) fn has_limits(effective: &Effective<'_>, action: Action) -> bool {
    effective.limiting_denies(action).next().is_some()
}
