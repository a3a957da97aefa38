//! What one document grants and another one does not.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::concrete::{Values, allows};
use super::fill::fillings;
use super::glob::Fields;
use super::real;
use super::request::Witness;
use super::solve::{Cell, FoundCells, Frame, Solver};
use super::statements::{Bound, Bounds, Space, StatementBox, StatementBoxes};
use super::witness::witness;
use crate::iam::{Action, ActionSet, Document};

/// Sets of actions that statements tell apart within one.
const MAX_CELLS: usize = 512;
/// Actions with resources of different kinds that are searched in one set.
const MAX_KINDS: usize = 40;

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
    /// Of the catalogue.
    pub actions: ActionSet,
    /// A request that is allowed here and not there.
    pub request: Witness,
    /// What stands for unknown parts in the request.
    pub values: Values,
}

/// What could not be decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Undecided {
    /// By index; `None` for the document as a whole.
    pub statement: Option<usize>,
    /// It is a statement of the document that grants less.
    pub in_other: bool,
    pub why: String,
}

impl Undecided {
    fn of(statement: usize, why: &str) -> Self {
        Self {
            statement: Some(statement),
            in_other: false,
            why: why.to_owned(),
        }
    }
}

const TOO_MANY: &str = "too many combinations to compare";
const NO_SUCH_RESOURCE: &str = "differs only for resources that its actions do not have, as far as the AWS data says";
const NOT_CONFIRMED: &str = "may differ, depending on the values of policy variables";
const DEPENDS: &str = "may differ, depending on a part that is not known";
const OTHER_KIND: &str = "one document names principals and the other one does not";

/// What `new` grants and `old` does not.
pub fn compare(old: &Document, new: &Document) -> Difference {
    compare_where(old, new, &Values::new())
}

/// As [`compare`], where placeholders of these names have these values.
pub fn compare_where(old: &Document, new: &Document, values: &Values) -> Difference {
    if names_principals(old) != names_principals(new) && !old.statements.is_empty() && !new.statements.is_empty() {
        return Difference {
            unknown: vec![Undecided {
                statement: None,
                in_other: false,
                why: OTHER_KIND.to_owned(),
            }],
            ..Difference::default()
        };
    }
    let possible = Pass::possible(old, new, values);
    if possible.is_empty() {
        return Difference::default();
    }
    if values.is_empty() {
        for values in fillings(old, new) {
            if Pass::possible(old, new, &values).is_empty() {
                return Difference {
                    assumed: values,
                    ..Difference::default()
                };
            }
        }
    }
    if possible.exact {
        return possible.into_comparison(NOT_CONFIRMED);
    }
    let mut out = Pass::new(old, new, Mode::CERTAIN, values).into_comparison(NOT_CONFIRMED);
    let certain: BTreeSet<usize> = out.gained.iter().map(|g| g.statement).collect();
    let maybe = possible.into_comparison(DEPENDS);
    out.unknown = maybe.unknown;
    let uncertain = maybe.gained.into_iter().filter(|g| !certain.contains(&g.statement));
    out.unknown
        .extend(uncertain.map(|g| Undecided::of(g.statement, DEPENDS)));
    out.settle();
    out
}

impl Difference {
    /// What is known of a statement counts, and not what else it may grant.
    fn settle(&mut self) {
        let certain: BTreeSet<usize> = self.gained.iter().map(|g| g.statement).collect();
        let is_known = |d: &Undecided| !d.in_other && d.statement.is_some_and(|s| certain.contains(&s));
        self.unknown.retain(|d| !is_known(d));
        self.unknown.sort();
        self.unknown.dedup();
        // What is not decided in the other document is a reason for a doubt, and none by itself.
        if self.unknown.iter().all(|d| d.in_other) && !self.gained.is_empty() {
            self.unknown.clear();
        }
    }
}

/// How two documents are compared.
#[derive(Clone, Copy)]
struct Mode {
    /// What may be new, or what is certainly new.
    possible: bool,
    fields: Fields,
}

impl Mode {
    const POSSIBLE: Self = Self {
        possible: true,
        fields: Fields::Resource,
    };
    const CERTAIN: Self = Self {
        possible: false,
        fields: Fields::Resource,
    };
    const BY_FIELDS: Self = Self {
        possible: true,
        fields: Fields::Strict,
    };
}

fn names_principals(document: &Document) -> bool {
    document.statements.iter().any(|s| s.principal.is_some())
}

/// What a search found for some actions of one statement.
struct FoundRequest {
    statement: usize,
    actions: ActionSet,
    request: Witness,
    values: Values,
    confirmed: bool,
}

/// One comparison, of what may be or of what is certain.
struct Pass {
    found: Vec<FoundRequest>,
    doubts: Vec<Undecided>,
    /// Nothing was left out or widened.
    exact: bool,
}

impl Pass {
    /// What may be new. A difference on resources that no action has does not count if it is gone where wildcards keep to fields:
    /// `arn:aws:sqs:*:*:a/*` and `arn:aws:sqs:*:*:b/*` have `arn:aws:sqs:::a/:b/` in common.
    fn possible(old: &Document, new: &Document, values: &Values) -> Self {
        let mut out = Self::new(old, new, Mode::POSSIBLE, values);
        let is_unreal = |d: &Undecided| d.why == NO_SUCH_RESOURCE;
        if out.doubts.iter().any(is_unreal) {
            let by_fields = Self::new(old, new, Mode::BY_FIELDS, values);
            let remains = |d: &Undecided| by_fields.doubts.iter().any(|other| other.statement == d.statement);
            out.doubts.retain(|d| !is_unreal(d) || remains(d));
            let known: BTreeSet<usize> = out.found.iter().map(|f| f.statement).collect();
            let more = by_fields.found.into_iter().filter(|f| !known.contains(&f.statement));
            out.found.extend(more);
        }
        out
    }

    fn is_empty(&self) -> bool {
        self.found.is_empty() && self.doubts.iter().all(|d| d.in_other)
    }

    fn new(old: &Document, new: &Document, mode: Mode, values: &Values) -> Self {
        let possible = mode.possible;
        let (more, less) = match possible {
            true => (Bound::Upper, Bound::Lower),
            false => (Bound::Lower, Bound::Upper),
        };
        let mut space = Space::default();
        space.symbols.fillings.clone_from(values);
        let bounds = |allow, deny| Bounds {
            allow,
            deny,
            widest: !possible,
            fields: mode.fields,
        };
        let of_new = StatementBoxes::new(new, bounds(more, less), &mut space);
        let of_old = StatementBoxes::new(old, bounds(less, more), &mut space);
        let filled = space.symbols.holes.keys().all(|name| values.contains_key(name));
        let exact = of_new.doubts.is_empty() && of_old.doubts.is_empty() && filled;
        let mut search = DifferenceSearch {
            documents: (old, new),
            values,
            space: &space,
            solver: Solver::new(&space),
            of_new: &of_new,
            of_old: &of_old,
            loose: mode.fields == Fields::Strict,
            pass: Self {
                found: Vec::new(),
                doubts: Vec::new(),
                exact,
            },
        };
        search.run();
        let mut pass = search.pass;
        if possible && !exact && (!pass.found.is_empty() || !pass.doubts.is_empty()) {
            for (doubts, in_other) in [(of_new.doubts, false), (of_old.doubts, true)] {
                pass.doubts.extend(doubts.into_iter().map(|(at, why)| Undecided {
                    statement: (at != usize::MAX).then_some(at),
                    in_other,
                    why: why.to_owned(),
                }));
            }
        }
        pass
    }

    fn into_comparison(self, why: &str) -> Difference {
        let mut by_statement: BTreeMap<usize, NewGrant> = BTreeMap::new();
        let mut unknown = self.doubts;
        for found in self.found {
            if !found.confirmed {
                unknown.push(Undecided::of(found.statement, why));
                continue;
            }
            match by_statement.entry(found.statement) {
                Entry::Vacant(entry) => {
                    entry.insert(NewGrant {
                        statement: found.statement,
                        actions: found.actions,
                        request: found.request,
                        values: found.values,
                    });
                }
                Entry::Occupied(mut entry) => {
                    let gain = entry.get_mut();
                    if rank(&found.actions) < rank(&gain.actions) {
                        gain.request = found.request;
                        gain.values = found.values;
                    }
                    gain.actions.union_with(&found.actions);
                }
            }
        }
        let mut out = Difference {
            gained: by_statement.into_values().collect(),
            unknown,
            assumed: Values::new(),
        };
        out.settle();
        out
    }
}

/// The most severe action first.
fn rank(actions: &ActionSet) -> u32 {
    actions.iter().map(Action::severity_rank).min().unwrap_or(u32::MAX)
}

struct DifferenceSearch<'s> {
    documents: (&'s Document, &'s Document),
    values: &'s Values,
    space: &'s Space,
    solver: Solver<'s>,
    of_new: &'s StatementBoxes,
    of_old: &'s StatementBoxes,
    /// Names of resources may have colons.
    loose: bool,
    pass: Pass,
}

impl DifferenceSearch<'_> {
    fn run(&mut self) {
        let of_new = self.of_new;
        for allow in &of_new.allows {
            match self.cells(allow) {
                Some(cells) => cells.into_iter().for_each(|cell| self.cell(allow, &cell)),
                None => self.doubt(allow, TOO_MANY),
            }
            if !self.space.unknown_actions.is_empty() {
                let frame = Frame {
                    free_action: true,
                    ..Frame::default()
                };
                match self.find(allow, None, &frame) {
                    FoundCells::Empty => {}
                    FoundCells::Unknown => self.doubt(allow, TOO_MANY),
                    FoundCells::Request(cells) => self.keep(allow, ActionSet::empty(), None, &cells),
                }
            }
        }
    }

    fn doubt(&mut self, allow: &StatementBox, why: &str) {
        self.pass.doubts.push(Undecided::of(allow.index, why));
    }

    /// The actions of a statement, by which other statements they are in.
    fn cells(&self, allow: &StatementBox) -> Option<Vec<ActionSet>> {
        let mut cells = vec![allow.actions.clone()];
        let others = [&self.of_new.denies, &self.of_old.allows, &self.of_old.denies];
        for other in others.into_iter().flatten() {
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
        Some(cells)
    }

    /// A request for an action that this statement allows and that the other document does not allow; for an action that is
    /// a text where none is given.
    fn find(&mut self, allow: &StatementBox, action: Option<Action>, frame: &Frame) -> FoundCells {
        let has = |g: &&StatementBox| action.is_none_or(|a| g.actions.contains(a.id()));
        let denies: Vec<&StatementBox> = self.of_new.denies.iter().filter(has).collect();
        let mut outside = denies.clone();
        outside.extend(self.of_old.allows.iter().filter(has));
        let mut unknown = false;
        match self.solver.find(&[allow], &outside, frame.clone()) {
            FoundCells::Empty => {}
            FoundCells::Unknown => unknown = true,
            found => return found,
        }
        for deny in self.of_old.denies.iter().filter(has) {
            match self.solver.find(&[allow, deny], &denies, frame.clone()) {
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

    fn cell(&mut self, allow: &StatementBox, cell: &ActionSet) {
        let Some(first) = cell.iter().next() else {
            return;
        };
        match self.find(allow, Some(first), &Frame::default()) {
            FoundCells::Empty => return,
            FoundCells::Unknown => {
                self.doubt(allow, TOO_MANY);
                return;
            }
            FoundCells::Request(_) => {}
        }
        // Of the resources that there are, those of the most severe actions first.
        let mut kinds: BTreeMap<Vec<usize>, Vec<Action>> = BTreeMap::new();
        for action in cell.iter() {
            let types = action
                .resource_types()
                .map(|t| t.number() * 2 + usize::from(t.required));
            kinds.entry(types.collect()).or_default().push(action);
        }
        let mut kinds: Vec<Vec<Action>> = kinds.into_values().collect();
        kinds.iter_mut().for_each(|k| k.sort_by_key(|a| a.severity_rank()));
        kinds.sort_by_key(|k| k.first().map(|a| a.severity_rank()));
        let mut any = false;
        let mut unknown = false;
        for (n, kind) in kinds.iter().enumerate() {
            let Some(action) = kind.first().copied() else {
                continue;
            };
            if n >= MAX_KINDS {
                // The rest is likely alike, and the request is there.
                if let Some(last) = self.pass.found.last_mut().filter(|_| any) {
                    last.actions.union_with(&kind.iter().copied().collect());
                }
                continue;
            }
            let frame = real::resources_of(action, self.loose);
            match self.find(allow, Some(action), &frame) {
                FoundCells::Empty => {}
                FoundCells::Unknown => unknown = true,
                FoundCells::Request(cells) => {
                    any = true;
                    self.keep(allow, kind.iter().copied().collect(), Some(action), &cells);
                }
            }
        }
        if !any && !cell.iter().all(Action::certainly_star_only) {
            let many = kinds.len() > MAX_KINDS;
            self.doubt(allow, if unknown || many { TOO_MANY } else { NO_SUCH_RESOURCE });
        }
    }

    fn keep(&mut self, allow: &StatementBox, actions: ActionSet, action: Option<Action>, cells: &[Option<Cell>]) {
        let (request, values) = witness(self.space, self.values, action, cells);
        let (old, new) = self.documents;
        let confirmed = allows(new, &request, &values).is_yes() && allows(old, &request, &values).is_no();
        self.pass.found.push(FoundRequest {
            statement: allow.index,
            actions,
            request,
            values,
            confirmed,
        });
    }
}
