//! Actions that are gained, in as few words as say them.

use super::gains::{NewGrant, rank};
use crate::iam::administration::{is_majority, keys_to_all};
use crate::iam::pattern::is_star;
use crate::iam::{Action, ActionSet, Statement};
/// A name or a pattern of actions, as it is shown.
pub(super) struct ShownActions {
    pub(super) text: String,
    pub(super) set: ActionSet,
}

/// Patterns for a set of actions: those of the statement, services as a whole, and names, the most severe first.
pub(super) fn actions(gain: &NewGrant, s: &Statement) -> Vec<ShownActions> {
    let all = |text: String| ShownActions {
        text,
        set: gain.actions.clone(),
    };
    if gain.actions.is_empty() {
        return vec![all(gain.request.action.clone())];
    }
    if gain.actions.is_all() {
        return vec![all("*".to_owned())];
    }
    if let Some(clause) = s.action.as_ref().filter(|c| c.negated)
        && clause.actions().is_some_and(|all| all.len() < gain.actions.len() * 2)
    {
        let items = clause.items.iter();
        return items.map(|i| all(format!("not {}", i.display()))).collect();
    }
    let is_of_all = s
        .action
        .as_ref()
        .is_some_and(|c| !c.negated && c.items.iter().any(|i| is_star(&i.text)));
    if is_of_all && is_majority(&gain.actions, &ActionSet::all()) {
        if gain.actions.intersects(keys_to_all()) {
            return vec![all("*".to_owned())];
        }
        let mut without = ActionSet::all();
        without.subtract(&gain.actions);
        let shown = by_service(without).into_iter();
        return shown.map(|a| all(format!("not {}", a.text))).collect();
    }
    items_and_names(&gain.actions, s)
}

/// What a statement may grant or not, as its items say it where these are no more.
pub fn named_actions(actions: &ActionSet, s: &Statement) -> Vec<String> {
    items_and_names(actions, s).into_iter().map(|a| a.text).collect()
}

/// The items of the statement that stand for actions of the set alone, services as a whole, and names: the worst first.
fn items_and_names(all: &ActionSet, s: &Statement) -> Vec<ShownActions> {
    let mut rest = all.clone();
    let mut out = Vec::new();
    if let Some(clause) = s.action.as_ref().filter(|c| !c.negated) {
        for (item, set) in clause.items.iter().zip(clause.item_actions()) {
            if !set.is_empty() && set.is_subset(all) && set.intersects(&rest) {
                out.push(ShownActions {
                    text: item.display(),
                    set: set.clone(),
                });
                rest.subtract(set);
            }
        }
    }
    out.extend(by_service(rest));
    out.sort_by_key(|a| rank(&a.set));
    out
}

/// Services as a whole, and names, the most severe first.
fn by_service(mut rest: ActionSet) -> Vec<ShownActions> {
    let mut out = Vec::new();
    for prefix in rest.services() {
        let text = format!("{prefix}:*");
        let set = ActionSet::expand(&text);
        if set.len() > 1 && set.is_subset(&rest) {
            rest.subtract(&set);
            out.push(ShownActions { text, set });
        }
    }
    let mut names: Vec<Action> = rest.iter().collect();
    names.sort_by_key(|a| (a.severity_rank(), a.name()));
    out.extend(names.into_iter().map(|a| ShownActions {
        text: a.name().to_owned(),
        set: std::iter::once(a).collect(),
    }));
    out
}
