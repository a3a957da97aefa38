//! How a search takes actions apart, and what it searches for beyond another document.

use std::collections::BTreeMap;

use super::solve::{FoundCells, Frame, Solver};
use super::statements::{StatementBox, StatementBoxes};
use crate::iam::{Action, ActionSet};

/// Sets of actions that statements tell apart.
const MAX_CELLS: usize = 512;
/// Actions with resources of different kinds that are searched in one set.
pub(super) const MAX_KINDS: usize = 40;

pub(super) const TOO_MANY: &str = "too many combinations to compare";

/// The actions, by which of the other statements they are in; `None` if these are too many sets.
pub(super) fn cells<'b>(actions: &ActionSet, others: impl Iterator<Item = &'b StatementBox>) -> Option<Vec<ActionSet>> {
    let mut cells = vec![actions.clone()];
    for other in others {
        let mut next = Vec::with_capacity(cells.len() + 1);
        for cell in cells {
            let mut within = cell.clone();
            within.intersect(&other.actions);
            let outside = cell.difference(&other.actions);
            next.extend([within, outside].into_iter().filter(|c| !c.is_empty()));
        }
        cells = next;
        if cells.len() > MAX_CELLS {
            return None;
        }
    }
    cells.retain(|c| !c.is_empty());
    Some(cells)
}

/// Actions by the kinds of resources that they are on, those with the most severe action first.
pub(super) fn kinds(actions: impl Iterator<Item = Action>) -> Vec<Vec<Action>> {
    let mut by_types: BTreeMap<Vec<usize>, Vec<Action>> = BTreeMap::new();
    for action in actions {
        let types = action
            .resource_types()
            .map(|t| t.number() * 2 + usize::from(t.required));
        by_types.entry(types.collect()).or_default().push(action);
    }
    let mut kinds: Vec<Vec<Action>> = by_types.into_values().collect();
    kinds.iter_mut().for_each(|k| k.sort_by_key(|a| a.severity_rank()));
    kinds.sort_by_key(|k| k.first().map(|a| a.severity_rank()));
    kinds
}

/// The statements that have an action; all of them for an action that is a text.
pub(super) fn with_action<'b>(
    boxes: impl Iterator<Item = &'b StatementBox>,
    action: Option<Action>,
) -> Vec<&'b StatementBox> {
    boxes
        .filter(|b| action.is_none_or(|a| b.actions.contains(a.id())))
        .collect()
}

/// A request for an action that all of `chosen` match, none of `denies` does, and the other document does not allow.
pub(super) fn find_beyond(
    solver: &mut Solver<'_>,
    chosen: &[&StatementBox],
    denies: &[&StatementBox],
    beyond: &StatementBoxes,
    action: Option<Action>,
    frame: &Frame,
) -> FoundCells {
    let mut outside = denies.to_vec();
    outside.extend(with_action(beyond.allows.iter(), action));
    let mut unknown = false;
    match solver.find(chosen, &outside, frame.clone()) {
        FoundCells::Empty => {}
        FoundCells::Unknown => unknown = true,
        found => return found,
    }
    for deny in with_action(beyond.denies.iter(), action) {
        let mut inside = chosen.to_vec();
        inside.push(deny);
        match solver.find(&inside, denies, frame.clone()) {
            FoundCells::Empty => {}
            FoundCells::Unknown => unknown = true,
            found => return found,
        }
    }
    if unknown {
        FoundCells::Unknown
    } else {
        FoundCells::Empty
    }
}
