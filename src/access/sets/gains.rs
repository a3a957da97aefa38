//! What one document grants beyond another one, as it is found: gains by statement, and what could not be decided.

use std::collections::BTreeMap;

use super::concrete::Values;
use super::request::Witness;
use crate::iam::{Action, ActionSet};
use crate::value::Guard;

/// What a document grants beyond another one.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    /// In the order of the statements.
    pub gained: Vec<NewGrant>,
    pub unknown: Vec<Undecided>,
    /// What placeholders of the documents were taken to be.
    pub assumed: Values,
}

/// What one statement grants beyond the other document.
#[derive(Clone, Debug)]
pub struct NewGrant {
    /// The Allow statement, by index.
    pub statement: usize,
    /// The Deny statement of the other document that the request met, by index.
    pub denied_by: Option<usize>,
    /// Of the catalogue.
    pub actions: ActionSet,
    /// A request that is allowed here and not there.
    pub request: Witness,
    /// What stands for unknown parts in the request.
    pub values: Values,
    /// The actions have no such resources, as far as the AWS data says.
    pub is_unreal: bool,
    /// The cases in which it is so.
    pub worlds: Vec<Guard>,
    /// The same by actions that the statements and their resources do not tell apart.
    pub parts: Vec<GrantPart>,
}

/// Actions of a gain that are new on the same resources.
#[derive(Clone, Debug)]
pub struct GrantPart {
    /// Of the catalogue.
    pub actions: ActionSet,
    pub request: Witness,
}

/// What could not be decided.
#[derive(Clone, Debug)]
pub struct Undecided {
    /// By index; `None` for the document as a whole.
    pub statement: Option<usize>,
    /// It is a statement of the document that grants less.
    pub in_other: bool,
    /// What it is about, of the catalogue; `None`: the statement as a whole.
    pub actions: Option<ActionSet>,
    pub why: String,
}

impl Undecided {
    pub(super) fn of(statement: usize, why: &str) -> Self {
        Self {
            statement: Some(statement),
            in_other: false,
            actions: None,
            why: why.to_owned(),
        }
    }

    fn order(&self) -> (Option<usize>, bool, &str) {
        (self.statement, self.in_other, &self.why)
    }

    pub(super) fn about(statement: usize, actions: &ActionSet, why: &str) -> Self {
        Self {
            actions: Some(actions.clone()),
            ..Self::of(statement, why)
        }
    }
}

impl Difference {
    /// What is granted in one of two cases.
    pub(super) fn or(mut self, other: Self) -> Self {
        for gain in other.gained {
            match self.gained.iter_mut().find(|g| g.key() == gain.key()) {
                Some(known) if known.is_unreal && !gain.is_unreal => *known = gain,
                Some(known) if gain.is_unreal && !known.is_unreal => {}
                Some(known) => {
                    known.actions.union_with(&gain.actions);
                    known.parts.extend(gain.parts);
                    known.worlds.extend(gain.worlds);
                }
                None => self.gained.push(gain),
            }
        }
        self.gained.sort_by_key(NewGrant::key);
        self.unknown.extend(other.unknown);
        self.assumed.extend(other.assumed);
        self.settle();
        self
    }

    /// What is known of a statement counts, and not what else it may grant by the same actions.
    pub(super) fn settle(&mut self) {
        let mut known: BTreeMap<usize, ActionSet> = BTreeMap::new();
        for gain in &self.gained {
            let actions = known.entry(gain.statement).or_insert_with(ActionSet::empty);
            actions.union_with(&gain.actions);
        }
        self.unknown.retain(|d| {
            let gained = d.statement.filter(|_| !d.in_other).and_then(|at| known.get(&at));
            gained.is_none_or(|gained| d.actions.as_ref().is_some_and(|a| !a.is_subset(gained)))
        });
        self.unknown.sort_by(|a, b| a.order().cmp(&b.order()));
        self.unknown.dedup_by(|later, first| {
            let same = later.order() == first.order();
            if same {
                first.actions = match (first.actions.take(), &later.actions) {
                    (Some(mut all), Some(more)) => {
                        all.union_with(more);
                        Some(all)
                    }
                    _ => None,
                };
            }
            same
        });
        // What is not decided in the other document is a reason for a doubt, and none by itself.
        if self.unknown.iter().all(|d| d.in_other) && !self.gained.is_empty() {
            self.unknown.clear();
        }
    }
}

impl NewGrant {
    /// Whether one of these says as much of its statement.
    pub(super) fn is_among(&self, all: &[Self]) -> bool {
        let mut own = all.iter().filter(|g| g.statement == self.statement);
        own.any(|g| self.is_unreal || self.actions.is_subset(&g.actions))
    }

    pub(super) fn key(&self) -> (usize, Option<usize>) {
        (self.statement, self.denied_by)
    }
}

/// The most severe action first.
pub(super) fn rank(actions: &ActionSet) -> u32 {
    actions.iter().map(Action::severity_rank).min().unwrap_or(u32::MAX)
}
