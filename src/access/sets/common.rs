//! What several documents allow together, of what is asked about.
//!
//! A request is found only if every document allows it and none denies it. As in `compare`, what may be is searched first: where
//! nothing may be, nothing is. What is certain is then said with a request.

use std::collections::BTreeMap;

use super::callers;
use super::cells::{MAX_KINDS, TOO_MANY, cells, find_beyond, kinds, with_action};
use super::concrete::{Values, allows};
use super::glob::{Fields, Reading, TextGlob};
use super::real;
use super::request::Witness;
use super::solve::{FoundCells, Frame, Solver};
use super::statements::{ACTION, Atom, Bound, Bounds, CALLER, RESOURCE, Space, StatementBox, StatementBoxes};
use super::witness::witness;
use crate::iam::{Action, ActionSet, Document, Effect, Statement};
use crate::source::{Span, Text};

/// Combinations of statements that are searched.
const MAX_COMBINATIONS: usize = 20_000;
const DEPENDS: &str = "it depends on a part that is not known";

/// Who asks.
#[derive(Clone, Debug, Default)]
pub struct AskedCallers {
    /// As patterns of [`AskedCallers::identity`] and the like; none is everyone.
    within: Vec<TextGlob>,
    without: Vec<TextGlob>,
}

impl AskedCallers {
    fn texts_of(arn: &str) -> Vec<TextGlob> {
        let own = TextGlob::literal(&format!("A:{arn}"));
        let mut out = vec![own.clone()];
        if arn.contains(":role/") {
            out.push(own.then(&TextGlob::plain("|?*")));
        }
        out
    }

    /// The role or user with this ARN.
    pub fn identity(arn: &str) -> Self {
        Self {
            within: Self::texts_of(arn),
            ..Self::default()
        }
    }

    /// Those without an account.
    pub fn anonymous() -> Self {
        Self {
            within: vec![TextGlob::literal("N")],
            ..Self::default()
        }
    }

    /// The services whose names match a pattern.
    pub fn service(pattern: &str) -> Self {
        Self {
            within: vec![TextGlob::plain(&format!("S:{pattern}"))],
            ..Self::default()
        }
    }

    /// Identities whose ARNs match a pattern.
    fn arns(pattern: &str) -> Self {
        Self {
            within: vec![
                TextGlob::plain(&format!("A:{pattern}")),
                TextGlob::plain(&format!("A:{pattern}|?*")),
                TextGlob::plain(&format!("F:{pattern}")),
            ],
            ..Self::default()
        }
    }

    /// Identities of all accounts.
    pub fn of_accounts() -> Self {
        Self {
            within: vec![TextGlob::plain("A:*")],
            ..Self::default()
        }
    }

    /// The identities or identity providers that a text names: an ARN or a pattern of ARNs, an account, or a provider.
    pub fn named(text: &str) -> Self {
        match text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            true => Self {
                within: vec![callers::pattern(&format!("A:arn:*:iam::{text}:*"))],
                ..Self::default()
            },
            false => Self::arns(
                text.strip_suffix(":root")
                    .map_or(text.to_owned(), |a| format!("{a}:*"))
                    .as_str(),
            ),
        }
    }

    /// With others.
    #[must_use]
    pub fn with(mut self, others: &Self) -> Self {
        self.within.extend(others.within.iter().cloned());
        self
    }

    /// Without the identities of an account.
    #[must_use]
    pub fn without_account(mut self, account: &str) -> Self {
        self.without
            .push(callers::pattern(&format!("A:arn:*:iam::{account}:*")));
        self
    }

    /// Without others.
    #[must_use]
    pub fn without(mut self, others: &Self) -> Self {
        self.without.extend(others.within.iter().cloned());
        self
    }
}

/// What is asked about.
#[derive(Clone, Debug)]
pub struct AskedRequests {
    pub callers: AskedCallers,
    /// As patterns.
    pub actions: Vec<String>,
    /// Actions that are not asked about.
    pub other_actions: ActionSet,
    /// As patterns; none is any resource.
    pub resources: Vec<Text>,
    /// Resources that are not asked about.
    pub other_than: Vec<Text>,
    /// Of requests that could be in any account.
    pub account: String,
}

/// What documents allow together.
#[derive(Clone, Debug, Default)]
pub struct CommonAccess {
    /// In the order of the statements of the first document.
    pub granted: Vec<CommonGrant>,
    /// Statements of the first document that may grant something, and why that is not decided.
    pub unknown: Vec<(usize, &'static str)>,
}

/// What a statement of the first document grants.
#[derive(Clone, Debug)]
pub struct CommonGrant {
    pub statement: usize,
    /// One of them, by the most severe action.
    pub request: Witness,
}

impl CommonAccess {
    pub fn is_nothing(&self) -> bool {
        self.granted.is_empty() && self.unknown.is_empty()
    }
}

/// What all of `gates` allow and neither they nor `limits` deny, of `asked`; beyond what a document allows, where one is given.
pub fn find_common(
    asked: &AskedRequests,
    gates: &[&Document],
    limits: &[&Document],
    beyond: Option<&Document>,
) -> CommonAccess {
    let is_of_catalogue = asked
        .actions
        .iter()
        .all(|a| a != "*" && !ActionSet::expand(a).is_empty());
    let inputs = CommonInputs {
        asked,
        actions: is_of_catalogue.then(|| ActionSet::expand_all(asked.actions.iter().map(String::as_str))),
        gates,
        limits,
        beyond,
    };
    let mut possible = inputs.search(true, Fields::Resource, false);
    let loose = inputs.search(true, Fields::Strict, true);
    for (statement, found) in loose {
        possible.entry(statement).or_insert(found);
    }
    if possible.is_empty() {
        return CommonAccess::default();
    }
    let certain = inputs.search(false, Fields::Resource, false);
    let mut out = CommonAccess::default();
    for (statement, may_be) in possible {
        match certain.get(&statement) {
            Some(StatementFind::Request { request, .. }) => out.granted.push(CommonGrant {
                statement,
                request: request.clone(),
            }),
            _ => out.unknown.push((
                statement,
                match may_be {
                    StatementFind::Unknown(why) => why,
                    StatementFind::Request { why, .. } => why.unwrap_or(DEPENDS),
                },
            )),
        }
    }
    out
}

struct CommonInputs<'d> {
    asked: &'d AskedRequests,
    /// What is asked, unless actions that the catalogue does not have may be.
    actions: Option<ActionSet>,
    gates: &'d [&'d Document],
    limits: &'d [&'d Document],
    beyond: Option<&'d Document>,
}

/// What was found of a statement.
enum StatementFind {
    Request {
        request: Witness,
        rank: u32,
        /// What of the statement is not decided.
        why: Option<&'static str>,
    },
    Unknown(&'static str),
}

impl CommonInputs<'_> {
    /// Whether a statement may be about an action that is asked about.
    fn may_be_about(&self, s: &Statement) -> bool {
        let (Some(asked), Some(clause)) = (&self.actions, &s.action) else {
            return true;
        };
        s.second_action.is_some() || clause.may_name_any(asked)
    }

    fn search(&self, possible: bool, fields: Fields, loose: bool) -> BTreeMap<usize, StatementFind> {
        let (more, less) = match possible {
            true => (Bound::Upper, Bound::Lower),
            false => (Bound::Lower, Bound::Upper),
        };
        let bounds = |allow, deny| Bounds {
            allow,
            deny,
            widest: true,
            by_reference: false,
            fields,
        };
        let mut space = Space::default();
        let asked = self.asked_box(possible, &mut space);
        let counts = |s: &Statement, _: Effect| self.may_be_about(s);
        let mut gates: Vec<StatementBoxes> = Vec::new();
        for document in self.gates {
            let mut boxes = StatementBoxes::of_some(document, bounds(more, less), &counts, &mut space);
            if possible && document.open {
                boxes.allows.push(space.everything());
            }
            if boxes.allows.is_empty() {
                return BTreeMap::new();
            }
            gates.push(boxes);
        }
        // What these allow grants nothing.
        let denies = |s: &Statement, effect: Effect| effect == Effect::Deny && counts(s, effect);
        let limits: Vec<StatementBoxes> = self
            .limits
            .iter()
            .map(|document| StatementBoxes::of_some(document, bounds(more, less), &denies, &mut space))
            .collect();
        let beyond = self
            .beyond
            .map(|document| StatementBoxes::of_some(document, bounds(less, more), &counts, &mut space));
        let denies = gates.iter().chain(&limits).flat_map(|boxes| &boxes.denies);
        let mut search = CommonSearch {
            inputs: self,
            space: &space,
            solver: Solver::new(&space),
            denies: denies.collect(),
            beyond: beyond.as_ref(),
            first: gates.first(),
            possible,
            loose,
            combinations: 0,
            found: BTreeMap::new(),
        };
        let lists: Vec<Vec<&StatementBox>> = std::iter::once(vec![&asked])
            .chain(gates.iter().map(|g| g.allows.iter().collect()))
            .collect();
        search.combine(&lists, &mut Vec::new(), &ActionSet::all());
        search.found
    }

    /// What is asked; what is not known of its resources is any text where that may be.
    fn asked_box(&self, possible: bool, space: &mut Space) -> StatementBox {
        let mut actions = ActionSet::empty();
        let mut globs = Vec::new();
        let reading = Reading {
            wildcards: true,
            any_case: true,
            ..Reading::default()
        };
        for pattern in &self.asked.actions {
            actions.expand_into(pattern);
            let text = Text::synthetic(pattern, Span::NOWHERE);
            if let Ok(glob) = TextGlob::read(&text, reading, &mut space.symbols) {
                if ActionSet::expand(pattern).is_empty() && !space.unknown_actions.contains(&glob) {
                    space.unknown_actions.push(glob.clone());
                }
                globs.push(glob);
            }
        }
        actions.subtract(&self.asked.other_actions);
        globs.sort_unstable();
        let mut atoms = Vec::new();
        let mut push = |space: &mut Space, dimension: usize, mut globs: Vec<TextGlob>, negated: bool| {
            globs.sort_unstable();
            globs.dedup();
            if !globs.is_empty() {
                atoms.push(space.atom(dimension, Atom::Text { globs, negated }));
            }
        };
        let callers = &self.asked.callers;
        space.has_principals |= !callers.within.is_empty() || !callers.without.is_empty();
        push(space, CALLER, callers.within.clone(), false);
        push(space, CALLER, callers.without.clone(), true);
        let read = |space: &mut Space, texts: &[Text], widest: bool| -> Vec<TextGlob> {
            let reading = Reading {
                wildcards: true,
                widest,
                ..Reading::default()
            };
            let read = texts
                .iter()
                .map(|t| TextGlob::read(t, reading, &mut space.symbols).unwrap_or_else(|_| TextGlob::any()));
            read.collect()
        };
        let on = read(space, &self.asked.resources, possible);
        let other = read(space, &self.asked.other_than, !possible);
        push(space, RESOURCE, on, false);
        push(space, RESOURCE, other, true);
        let action_text = space.atom(ACTION, Atom::Text { globs, negated: false });
        atoms.sort_unstable();
        atoms.dedup();
        StatementBox {
            index: usize::MAX,
            actions,
            action_text,
            atoms,
        }
    }

    /// Whether all documents allow a request, and none denies it, as each is evaluated by itself.
    fn is_confirmed(&self, request: &Witness, values: &Values) -> bool {
        let beyond = self.beyond.is_none_or(|d| allows(d, request, values).is_no());
        beyond && self.gates.iter().all(|d| allows(d, request, values).is_yes())
    }
}

struct CommonSearch<'s> {
    inputs: &'s CommonInputs<'s>,
    space: &'s Space,
    solver: Solver<'s>,
    denies: Vec<&'s StatementBox>,
    beyond: Option<&'s StatementBoxes>,
    first: Option<&'s StatementBoxes>,
    possible: bool,
    loose: bool,
    combinations: usize,
    found: BTreeMap<usize, StatementFind>,
}

impl<'s> CommonSearch<'s> {
    /// Each combination of one statement of each list.
    fn combine(&mut self, lists: &[Vec<&'s StatementBox>], chosen: &mut Vec<&'s StatementBox>, actions: &ActionSet) {
        let Some((list, rest)) = lists.split_first() else {
            self.combination(chosen, actions);
            return;
        };
        for next in list {
            let mut common = actions.clone();
            common.intersect(&next.actions);
            if common.is_empty() && self.space.unknown_actions.is_empty() {
                continue;
            }
            chosen.push(next);
            self.combine(rest, chosen, &common);
            chosen.pop();
        }
    }

    fn combination(&mut self, chosen: &[&StatementBox], actions: &ActionSet) {
        // The first is what is asked, the second is of the first document.
        let statement = chosen.get(1).map_or(usize::MAX, |b| b.index);
        self.combinations += 1;
        if self.combinations > MAX_COMBINATIONS {
            return self.doubt(statement, TOO_MANY);
        }
        let of_other = self.beyond.iter().flat_map(|b| b.allows.iter().chain(&b.denies));
        match cells(actions, self.denies.iter().copied().chain(of_other)) {
            Some(cells) => cells.iter().for_each(|cell| self.cell(statement, chosen, cell)),
            None => self.doubt(statement, TOO_MANY),
        }
        if !self.space.unknown_actions.is_empty() {
            let frame = Frame {
                free_action: true,
                ..Frame::default()
            };
            match self.find(chosen, None, &frame) {
                FoundCells::Empty => {}
                FoundCells::Unknown => self.doubt(statement, TOO_MANY),
                FoundCells::Request(cells) => {
                    let (request, values) = witness(self.space, &Values::new(), None, &cells, false);
                    self.keep(statement, None, request, &values);
                }
            }
        }
    }

    fn doubt(&mut self, statement: usize, why: &'static str) {
        self.found.entry(statement).or_insert(StatementFind::Unknown(why));
    }

    fn find(&mut self, chosen: &[&StatementBox], action: Option<Action>, frame: &Frame) -> FoundCells {
        let denies = with_action(self.denies.iter().copied(), action);
        match self.beyond {
            Some(beyond) => find_beyond(&mut self.solver, chosen, &denies, beyond, action, frame),
            None => self.solver.find(chosen, &denies, frame.clone()),
        }
    }

    fn cell(&mut self, statement: usize, chosen: &[&StatementBox], cell: &ActionSet) {
        let Some(first) = cell.iter().next() else {
            return;
        };
        match self.find(chosen, Some(first), &Frame::default()) {
            FoundCells::Empty => return,
            FoundCells::Unknown => self.doubt(statement, TOO_MANY),
            FoundCells::Request(_) => {}
        }
        // Of the resources that there are, those of the most severe actions first.
        for (n, kind) in kinds(cell.iter()).iter().enumerate() {
            let Some(action) = kind.first().copied() else { continue };
            // The rest is likely alike, and the request is there.
            let is_found = matches!(self.found.get(&statement), Some(StatementFind::Request { .. }));
            if n >= MAX_KINDS && is_found {
                break;
            }
            let mut frame = real::resources_of(action, self.loose);
            for sample in &mut frame.samples {
                *sample = sample.replace(real::ACCOUNT, &self.inputs.asked.account);
            }
            match self.find(chosen, Some(action), &frame) {
                FoundCells::Empty => {}
                FoundCells::Unknown => self.doubt(statement, TOO_MANY),
                FoundCells::Request(cells) => {
                    let (request, values) = witness(self.space, &Values::new(), Some(action), &cells, false);
                    self.keep(statement, Some(action), request, &values);
                }
            }
        }
    }

    fn keep(&mut self, statement: usize, action: Option<Action>, request: Witness, values: &Values) {
        if !self.possible && !self.inputs.is_confirmed(&request, values) {
            return;
        }
        let rank = action.map_or(u32::MAX, Action::severity_rank);
        let why = self.first.and_then(|of_first| {
            let mut doubts = of_first.doubts.iter();
            doubts.find(|(at, _)| *at == statement).map(|(_, why)| *why)
        });
        let is_worse = match self.found.get(&statement) {
            Some(StatementFind::Request { rank: lowest, .. }) => rank < *lowest,
            _ => true,
        };
        if is_worse {
            let found = StatementFind::Request { request, rank, why };
            self.found.insert(statement, found);
        }
    }
}
