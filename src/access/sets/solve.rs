//! The search for a request that matches one box and leaves others.

use rustc_hash::FxHashMap;

use super::callers;
use super::fill::value_of_variable;
use super::glob::{Meaning, TextGlob};
use super::keys::{self, KeyAnswer, KeyFacts, KeyState, KeyTest, text_member};
use super::search::Constraint;
use super::statements::{ACTION, Atom, CALLER, FIRST_KEY, RESOURCE, Space, StatementBox};

/// Decisions of one dimension in a comparison, beyond which the rest is unknown.
const MAX_DECISIONS: usize = 20_000;
/// Nodes of the search for one request.
const MAX_NODES: usize = 4_000;

/// What one dimension of a request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Text(String),
    Key(KeyState),
}

/// What was decided of one dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
enum CellDecision {
    Empty,
    Cell(Cell),
    Unknown,
}

/// A dimension, the frame, and the tests that are to be true or false.
type DecisionPlace = (usize, usize, Vec<(u32, bool)>);

/// Tests that are to be true or false, of each dimension, in order.
type Wanted = Vec<Vec<(u32, bool)>>;

/// What a search came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FoundCells {
    Empty,
    /// Each dimension of the request; `None` where anything will do.
    Request(Vec<Option<Cell>>),
    Unknown,
}

/// What else a dimension must be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Frame {
    /// The action is a text, not one of the catalogue.
    pub(super) free_action: bool,
    /// What the resources of the action look like.
    pub(super) resources: Vec<TextGlob>,
    pub(super) samples: Vec<String>,
}

pub(super) struct Solver<'s> {
    space: &'s Space,
    facts: Vec<KeyFacts>,
    callers: Vec<TextGlob>,
    decided: FxHashMap<DecisionPlace, CellDecision>,
    decisions: usize,
    nodes: usize,
    frame: Frame,
    /// Frames have their own decisions about resources.
    frames: Vec<Frame>,
    frame_number: usize,
}

impl<'s> Solver<'s> {
    pub(super) fn new(space: &'s Space) -> Self {
        let signed = !space.has_principals;
        Self {
            space,
            facts: space.keys.iter().map(|k| KeyFacts::new(k, signed)).collect(),
            callers: callers::every_caller(space.has_principals),
            decided: FxHashMap::default(),
            decisions: 0,
            nodes: 0,
            frame: Frame::default(),
            frames: vec![Frame::default()],
            frame_number: 0,
        }
    }

    /// A request in `inside` and outside all of `outside`. Only the boxes whose set of actions has the one that is asked
    /// about are given, or all of them where the action is a text.
    pub(super) fn find(&mut self, inside: &[&StatementBox], outside: &[&StatementBox], frame: Frame) -> FoundCells {
        self.frame_number = match self.frames.iter().position(|f| *f == frame) {
            Some(at) => at,
            None => {
                self.frames.push(frame.clone());
                self.frames.len() - 1
            }
        };
        self.frame = frame;
        self.nodes = 0;
        let mut wanted: Wanted = vec![Vec::new(); FIRST_KEY + self.space.keys.len()];
        for (dimension, atom) in inside.iter().flat_map(|g| self.atoms(g)).collect::<Vec<_>>() {
            add(&mut wanted, dimension, atom, true);
        }
        for (dimension, atoms) in wanted.iter().enumerate() {
            if !atoms.is_empty() && self.decide(dimension, atoms) == CellDecision::Empty {
                return FoundCells::Empty;
            }
        }
        self.leave(&wanted, outside)
    }

    fn atoms(&self, grant: &StatementBox) -> Vec<(usize, u32)> {
        let action = self.frame.free_action.then_some(grant.action_text);
        grant.atoms.iter().copied().chain(action).collect()
    }

    fn leave(&mut self, wanted: &Wanted, boxes: &[&StatementBox]) -> FoundCells {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return FoundCells::Unknown;
        }
        let mut left: Vec<&StatementBox> = Vec::new();
        let mut best: Option<(usize, Vec<(usize, u32)>)> = None;
        for grant in boxes {
            let Some(ways) = self.ways(wanted, grant) else {
                continue;
            };
            if ways.is_empty() {
                return FoundCells::Empty;
            }
            if best.as_ref().is_none_or(|(_, b)| ways.len() < b.len()) {
                best = Some((left.len(), ways));
            }
            left.push(grant);
        }
        let Some((at, ways)) = best else {
            return self.request(wanted);
        };
        left.remove(at);
        let mut unknown = false;
        let mut wanted = wanted.clone();
        for (dimension, atom) in ways {
            let mut next = wanted.clone();
            add(&mut next, dimension, atom, false);
            match self.leave(&next, &left) {
                FoundCells::Empty => {}
                FoundCells::Unknown => unknown = true,
                found => return found,
            }
            // What was searched does not have to be searched again.
            add(&mut wanted, dimension, atom, true);
        }
        if unknown {
            FoundCells::Unknown
        } else {
            FoundCells::Empty
        }
    }

    /// The tests by which a request may leave a box; `None` where it has left.
    fn ways(&mut self, wanted: &Wanted, grant: &StatementBox) -> Option<Vec<(usize, u32)>> {
        let mut ways = Vec::new();
        for (dimension, atom) in self.atoms(grant) {
            let own = &wanted[dimension];
            match own.binary_search_by_key(&atom, |(a, _)| *a) {
                Ok(at) if own[at].1 => continue,
                Ok(_) => return None,
                Err(at) => {
                    let mut with = own.clone();
                    with.insert(at, (atom, true));
                    if self.decide(dimension, &with) == CellDecision::Empty {
                        return None;
                    }
                    with[at].1 = false;
                    if self.decide(dimension, &with) != CellDecision::Empty {
                        ways.push((dimension, atom));
                    }
                }
            }
        }
        Some(ways)
    }

    fn request(&mut self, wanted: &Wanted) -> FoundCells {
        let mut out = Vec::new();
        for (dimension, atoms) in wanted.iter().enumerate() {
            let needed =
                !atoms.is_empty() || dimension == CALLER || dimension == RESOURCE || self.must_be_there(dimension);
            if !needed {
                out.push(None);
                continue;
            }
            match self.decide(dimension, atoms) {
                CellDecision::Empty => return FoundCells::Empty,
                CellDecision::Unknown => return FoundCells::Unknown,
                CellDecision::Cell(cell) => out.push(Some(cell)),
            }
        }
        self.give_values(wanted, &mut out);
        FoundCells::Request(out)
    }

    /// The variable of a text in the request has a value, if it may have one. A value that is only to be there is one of its
    /// own, which no other value equals by chance.
    fn give_values(&self, wanted: &Wanted, cells: &mut [Option<Cell>]) {
        let present = KeyTest::present();
        for (key, name) in self.space.keys.iter().enumerate() {
            let dimension = FIRST_KEY + key;
            let Some(Some(Cell::Key(state))) = cells.get(dimension) else {
                continue;
            };
            let is_it = |m: &Meaning| matches!(m, Meaning::Variable(of) if of == name);
            if !self.space.symbols.meanings().any(is_it) {
                continue;
            }
            let mut tests = self.key_tests(key, &wanted[dimension]);
            let occurs = |text: &str| self.space.symbols.within(text).any(|(_, meaning)| is_it(meaning));
            let needed = cells.iter().flatten().any(|cell| match cell {
                Cell::Text(text) => occurs(text),
                Cell::Key(KeyState::Values(values)) => values.iter().any(|v| occurs(v)),
                Cell::Key(KeyState::Absent) => false,
            });
            let solved = match (state, self.facts.get(key)) {
                (KeyState::Absent, Some(facts)) if needed => {
                    tests.push((&present, true));
                    match keys::solve(facts, &tests) {
                        KeyAnswer::State(state) => state,
                        KeyAnswer::Empty | KeyAnswer::Unknown => continue,
                    }
                }
                _ => state.clone(),
            };
            let any_value = !tests.is_empty() && tests.iter().all(|(t, _)| t.is_of_presence());
            cells[dimension] = Some(Cell::Key(match solved {
                KeyState::Values(_) if any_value => KeyState::Values(vec![value_of_variable(name)]),
                other => other,
            }));
        }
    }

    fn must_be_there(&self, dimension: usize) -> bool {
        dimension >= FIRST_KEY || dimension == ACTION && self.frame.free_action
    }

    fn decide(&mut self, dimension: usize, wanted: &[(u32, bool)]) -> CellDecision {
        let frame = if dimension == RESOURCE { self.frame_number } else { 0 };
        let place = (dimension, frame, wanted.to_vec());
        if let Some(known) = self.decided.get(&place) {
            return known.clone();
        }
        if self.decisions >= MAX_DECISIONS {
            return CellDecision::Unknown;
        }
        self.decisions += 1;
        let decision = match dimension.checked_sub(FIRST_KEY) {
            Some(key) => self.decide_key(key, wanted),
            None => self.decide_text(dimension, wanted),
        };
        self.decided.insert(place, decision.clone());
        decision
    }

    fn decide_key(&self, key: usize, wanted: &[(u32, bool)]) -> CellDecision {
        let Some(facts) = self.facts.get(key) else {
            return CellDecision::Unknown;
        };
        match keys::solve(facts, &self.key_tests(key, wanted)) {
            KeyAnswer::Empty => CellDecision::Empty,
            KeyAnswer::State(state) => CellDecision::Cell(Cell::Key(state)),
            KeyAnswer::Unknown => CellDecision::Unknown,
        }
    }

    fn key_tests(&self, key: usize, wanted: &[(u32, bool)]) -> Vec<(&'s KeyTest, bool)> {
        let space: &'s Space = self.space;
        let tests = wanted
            .iter()
            .filter_map(|(n, is)| match space.test(FIRST_KEY + key, *n)? {
                Atom::Key(test) => Some((test, *is)),
                Atom::Text { .. } => None,
            });
        tests.collect()
    }

    fn decide_text(&self, dimension: usize, wanted: &[(u32, bool)]) -> CellDecision {
        let constraints: Vec<Constraint<'_>> = wanted
            .iter()
            .filter_map(|(n, is)| match self.space.test(dimension, *n)? {
                Atom::Text { globs, negated } => Some(Constraint {
                    globs,
                    inside: is != negated,
                }),
                Atom::Key(_) => None,
            })
            .collect();
        let samples = match dimension {
            CALLER => {
                let named = constraints
                    .iter()
                    .filter(|c| c.inside)
                    .flat_map(|c| callers::samples_of(c.globs));
                named.chain(callers::samples(self.space.has_principals)).collect()
            }
            RESOURCE => self.frame.samples.clone(),
            _ => Vec::new(),
        };
        let frame: &[TextGlob] = match dimension {
            CALLER => &self.callers,
            RESOURCE => &self.frame.resources,
            _ => &self.space.unknown_actions,
        };
        match text_member(constraints, frame, &samples) {
            Ok(Some(text)) => CellDecision::Cell(Cell::Text(text)),
            Ok(None) => CellDecision::Empty,
            Err(()) => CellDecision::Unknown,
        }
    }
}

fn add(wanted: &mut Wanted, dimension: usize, atom: u32, is: bool) {
    let own = &mut wanted[dimension];
    if let Err(at) = own.binary_search_by_key(&atom, |(a, _)| *a) {
        own.insert(at, (atom, is));
    }
}
