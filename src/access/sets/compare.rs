//! What one document grants and another one does not.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::cells::{MAX_KINDS, TOO_MANY, cells, find_beyond, kinds, with_action};
use super::concrete::{LoneDocument, Values};
use super::fill::fillings;
use super::gains::{Difference, GrantPart, NewGrant, Undecided};
use super::glob::{Fields, Meaning, Sym, TextGlob};
use super::one_thing::{is_on_many, leaves_resources_out, names_one_thing};
use super::real;
use super::request::Witness;
use super::search::{Constraint, FoundText, member};
use super::solve::{Cell, FoundCells, Frame, Solver};
use super::statements::{
    Atom, Bound, Bounds, CONDITIONAL, RESOURCE, Space, StatementBox, StatementBoxes, names_principals,
};
use super::witness::witness;
use super::worlds;
use crate::iam::{Action, ActionSet, Document};

/// AWS STS API Reference, "GetCallerIdentity": no permissions are required.
const NEEDS_NO_PERMISSION: &str = "sts:GetCallerIdentity";

const NOT_CONFIRMED: &str = "may differ, depending on the values of policy variables";
const DEPENDS: &str = "may differ, depending on a part that is not known";
const OTHER_KIND: &str = "one document names principals and the other one does not";

/// What `new` grants and `old` does not.
#[cfg(any(test, feature = "internals"))]
pub fn compare(old: &Document, new: &Document) -> Difference {
    compare_as(old, new, &Values::new(), None)
}

/// What `new` grants and `old` does not, where placeholders of these names have these values. Requests are by the identity with this ARN if it proves anything.
pub fn compare_as(old: &Document, new: &Document, values: &Values, caller: Option<&str>) -> Difference {
    let of = |pair: &worlds::ComparedPair<'_>| {
        let mut found = compare_pair(&pair.old, &pair.new, values, caller);
        found
            .gained
            .iter_mut()
            .for_each(|g| g.worlds = vec![pair.world.clone()]);
        found
    };
    let each = worlds::pairs(old, new).iter().map(of).collect::<Vec<_>>();
    each.into_iter().reduce(Difference::or).unwrap_or_default()
}

/// Two documents as they are.
fn compare_pair(old: &Document, new: &Document, values: &Values, caller: Option<&str>) -> Difference {
    if names_principals(old) != names_principals(new) && !old.statements.is_empty() && !new.statements.is_empty() {
        return Difference {
            unknown: vec![Undecided {
                statement: None,
                in_other: false,
                actions: None,
                why: OTHER_KIND.to_owned(),
            }],
            ..Difference::default()
        };
    }
    let possible = Pass::possible(old, new, values, caller);
    if possible.is_empty() {
        return Difference::default();
    }
    if values.is_empty() {
        for values in fillings(old, new) {
            if Pass::possible(old, new, &values, caller).is_empty() {
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
    let mut out = Pass::new(old, new, Mode::CERTAIN, values, caller).into_comparison(NOT_CONFIRMED);
    let maybe = possible.into_comparison(DEPENDS);
    let is_beyond = |g: &&NewGrant| new.statements.get(g.statement).is_some_and(is_on_many) && !g.is_among(&out.gained);
    let beyond: BTreeSet<usize> = maybe.gained.iter().filter(is_beyond).map(|g| g.statement).collect();
    let both = [old, new];
    if !beyond.is_empty() && both.into_iter().any(names_one_thing) && !both.into_iter().any(leaves_resources_out) {
        let mut found = Pass::new(old, new, Mode::BY_REFERENCE, values, caller).into_comparison(NOT_CONFIRMED);
        found.gained.retain(|g| beyond.contains(&g.statement));
        found.unknown.clear();
        out = out.or(found);
    }
    let certain: BTreeSet<usize> = out.gained.iter().map(|g| g.statement).collect();
    // What is real with the parts that are not known is so without.
    let real: BTreeSet<usize> = maybe
        .gained
        .iter()
        .filter(|g| !g.is_unreal)
        .map(|g| g.statement)
        .collect();
    for gain in &mut out.gained {
        gain.is_unreal &= !real.contains(&gain.statement);
    }
    out.unknown = maybe.unknown;
    if maybe.gained.iter().all(|g| g.is_among(&out.gained)) {
        // With and without these statements, it is the same.
        out.unknown.retain(|u| u.why != CONDITIONAL);
    }
    let uncertain = maybe
        .gained
        .iter()
        .filter(|g| !g.is_unreal || !certain.contains(&g.statement));
    out.unknown
        .extend(uncertain.map(|g| Undecided::about(g.statement, &g.actions, DEPENDS)));
    out.settle();
    out
}

/// How two documents are compared.
#[derive(Clone, Copy)]
struct Mode {
    /// What may be new, or what is certainly new.
    possible: bool,
    fields: Fields,
    /// A reference to one thing is one ARN, whichever it is.
    by_reference: bool,
}

impl Mode {
    const POSSIBLE: Self = Self {
        possible: true,
        fields: Fields::Resource,
        by_reference: false,
    };
    const CERTAIN: Self = Self {
        possible: false,
        fields: Fields::Resource,
        by_reference: false,
    };
    const BY_FIELDS: Self = Self {
        possible: true,
        fields: Fields::Strict,
        by_reference: false,
    };
    const BY_REFERENCE: Self = Self {
        by_reference: true,
        ..Self::CERTAIN
    };
}

/// What a search found for some actions of one statement.
struct FoundRequest {
    statement: usize,
    actions: ActionSet,
    request: Witness,
    values: Values,
    confirmed: bool,
    /// See [`NewGrant::is_unreal`].
    is_unreal: bool,
    /// See [`NewGrant::denied_by`].
    denied_by: Option<usize>,
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
    fn possible(old: &Document, new: &Document, values: &Values, caller: Option<&str>) -> Self {
        let mut out = Self::new(old, new, Mode::POSSIBLE, values, caller);
        let real: BTreeSet<usize> = out.found.iter().filter(|f| !f.is_unreal).map(|f| f.statement).collect();
        if out.found.iter().any(|f| !real.contains(&f.statement)) {
            let by_fields = Self::new(old, new, Mode::BY_FIELDS, values, caller);
            let doubted = by_fields.doubts.iter().filter_map(|d| d.statement);
            let remaining: BTreeSet<usize> = by_fields.found.iter().map(|f| f.statement).chain(doubted).collect();
            out.found.retain(|f| !f.is_unreal || remaining.contains(&f.statement));
            let more = by_fields.found.into_iter().filter(|f| !f.is_unreal);
            out.found.extend(more.filter(|f| !real.contains(&f.statement)));
        }
        out
    }

    fn is_empty(&self) -> bool {
        self.found.is_empty() && self.doubts.iter().all(|d| d.in_other)
    }

    fn new(old: &Document, new: &Document, mode: Mode, values: &Values, caller: Option<&str>) -> Self {
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
            by_reference: mode.by_reference,
            fields: mode.fields,
        };
        let of_new = StatementBoxes::new(new, bounds(more, less), &mut space);
        let of_old = StatementBoxes::new(old, bounds(less, more), &mut space);
        let filled = space.symbols.holes.keys().all(|name| values.contains_key(name));
        let exact = of_new.doubts.is_empty() && of_old.doubts.is_empty() && filled;
        let mut search = DifferenceSearch {
            documents: (old, new),
            values,
            judges: None,
            caller,
            space: &space,
            solver: Solver::new(&space),
            of_new: &of_new,
            of_old: &of_old,
            loose: mode.fields == Fields::Strict,
            own_inputs: (!possible).then(|| worlds::own_inputs(old, new)),
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
                    actions: None,
                    why: why.to_owned(),
                }));
            }
        }
        pass
    }

    fn into_comparison(self, why: &str) -> Difference {
        let mut by_cause: BTreeMap<(usize, Option<usize>), NewGrant> = BTreeMap::new();
        let mut unknown = self.doubts;
        for found in self.found {
            if !found.confirmed {
                unknown.push(match found.is_unreal {
                    true => Undecided::of(found.statement, why),
                    false => Undecided::about(found.statement, &found.actions, why),
                });
                continue;
            }
            let is_better = |known: &NewGrant| known.is_unreal && !found.is_unreal;
            let key = (found.statement, found.denied_by);
            if by_cause.get(&key).is_some_and(is_better) {
                by_cause.remove(&key);
            }
            let part = GrantPart {
                actions: found.actions.clone(),
                request: found.request.clone(),
            };
            match by_cause.entry(key) {
                Entry::Vacant(entry) => {
                    entry.insert(NewGrant {
                        statement: found.statement,
                        denied_by: found.denied_by,
                        actions: found.actions,
                        request: found.request,
                        values: found.values,
                        is_unreal: found.is_unreal,
                        worlds: Vec::new(),
                        parts: vec![part],
                    });
                }
                Entry::Occupied(entry) if found.is_unreal && !entry.get().is_unreal => {}
                Entry::Occupied(mut entry) => {
                    let gain = entry.get_mut();
                    if found.request.order() < gain.request.order() {
                        gain.request = found.request;
                        gain.values = found.values;
                    }
                    gain.actions.union_with(&found.actions);
                    gain.parts.push(part);
                }
            }
        }
        let real: BTreeSet<usize> = by_cause
            .values()
            .filter(|g| !g.is_unreal)
            .map(|g| g.statement)
            .collect();
        by_cause.retain(|_, g| !g.is_unreal || !real.contains(&g.statement));
        let mut out = Difference {
            gained: by_cause.into_values().collect(),
            unknown,
            assumed: Values::new(),
        };
        out.settle();
        out
    }
}

/// The resource of a request that was found.
fn resource_of(cells: &[Option<Cell>]) -> Option<&str> {
    match cells.get(RESOURCE) {
        Some(Some(Cell::Text(resource))) => Some(resource),
        _ => None,
    }
}

struct DifferenceSearch<'s> {
    documents: (&'s Document, &'s Document),
    values: &'s Values,
    /// The documents with these values.
    judges: Option<(Values, LoneDocument<'s>, LoneDocument<'s>)>,
    /// The ARN of who asks, where that is known.
    caller: Option<&'s str>,
    space: &'s Space,
    solver: Solver<'s>,
    of_new: &'s StatementBoxes,
    of_old: &'s StatementBoxes,
    /// Names of resources may have colons.
    loose: bool,
    /// Inputs of the new document alone, whose value may be what the old one has: nothing is certain of these. `None` where what
    /// is possible is asked for.
    own_inputs: Option<BTreeSet<String>>,
    pass: Pass,
}

impl<'s> DifferenceSearch<'s> {
    fn run(&mut self) {
        let of_new = self.of_new;
        for allow in &of_new.allows {
            let others = [&of_new.denies, &self.of_old.allows, &self.of_old.denies];
            match cells(&allow.actions, others.into_iter().flatten()) {
                Some(cells) => cells.into_iter().for_each(|cell| self.cell(allow, &cell)),
                None => self.doubt(allow, &allow.actions),
            }
            if !self.space.unknown_actions.is_empty() {
                let frame = Frame {
                    free_action: true,
                    ..Frame::default()
                };
                match self.find(allow, None, &frame) {
                    FoundCells::Empty => {}
                    FoundCells::Unknown => self.doubt(allow, &ActionSet::empty()),
                    FoundCells::Request(cells) => {
                        let found = self.proven(allow, ActionSet::empty(), None, &cells);
                        self.pass.found.extend(found);
                    }
                }
            }
        }
    }

    fn doubt(&mut self, allow: &StatementBox, actions: &ActionSet) {
        self.pass.doubts.push(Undecided::about(allow.index, actions, TOO_MANY));
    }

    /// A request for an action that this statement allows and that the other document does not allow; for an action that is
    /// a text where none is given.
    fn find(&mut self, allow: &StatementBox, action: Option<Action>, frame: &Frame) -> FoundCells {
        let denies = with_action(self.of_new.denies.iter(), action);
        find_beyond(&mut self.solver, &[allow], &denies, self.of_old, action, frame)
    }

    fn cell(&mut self, allow: &StatementBox, cell: &ActionSet) {
        let Some(first) = cell.iter().next() else {
            return;
        };
        let anywhere = match self.find(allow, Some(first), &Frame::default()) {
            FoundCells::Empty => return,
            FoundCells::Unknown => {
                self.doubt(allow, cell);
                return;
            }
            FoundCells::Request(cells) => cells,
        };
        // Of the resources that there are, those of the most severe actions first.
        let services = self.services(allow);
        let may_be = |action: Action| services.as_ref().is_none_or(|s| real::may_be_of(action, s));
        let mut kinds = kinds(cell.iter().filter(|a| may_be(*a)));
        if let (true, Some(resource)) = (kinds.len() > MAX_KINDS, resource_of(&anywhere)) {
            // Those of the resource that was found come first.
            let is_of = |kind: &Vec<Action>| {
                let frame = kind.first().map(|action| real::resources_of(*action, self.loose));
                frame.is_some_and(|f| f.resources.iter().any(|g| g.matches(resource)))
            };
            kinds.sort_by_key(|kind| !is_of(kind));
        }
        let mut any = false;
        let mut unknown = false;
        for (n, kind) in kinds.iter().enumerate() {
            // What needs no permission proves nothing.
            let Some(action) = kind.iter().find(|a| a.name() != NEEDS_NO_PERMISSION).copied() else {
                if let Some(last) = self.pass.found.last_mut().filter(|_| any) {
                    last.actions.union_with(&kind.iter().copied().collect());
                }
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
                    let found = self.proven(allow, kind.iter().copied().collect(), Some(action), &cells);
                    self.pass.found.extend(found);
                }
            }
        }
        if any || unknown || kinds.len() > MAX_KINDS {
            if !any {
                self.doubt(allow, cell);
            }
            return;
        }
        // An action that is checked against `*` alone differs nowhere else.
        let may_be_there = |a: &Action| self.may_be_resource(*a, &anywhere);
        let named: ActionSet = cell.iter().filter(|a| a.scopable()).filter(may_be_there).collect();
        let worst = named.iter().min_by_key(|a| a.severity_rank());
        if let Some(found) = worst.and_then(|worst| self.proven(allow, named.clone(), Some(worst), &anywhere)) {
            self.pass.found.push(FoundRequest {
                is_unreal: !self.is_any_resource(&anywhere),
                ..found
            });
        }
    }

    /// Whether an action may be on the resource that was found, whatever its unknown parts are.
    fn may_be_resource(&self, action: Action, cells: &[Option<Cell>]) -> bool {
        let Some(resource) = resource_of(cells).filter(|_| self.is_any_resource(cells)) else {
            return true;
        };
        let widest = TextGlob::with_any_for(resource, |c| self.is_hole(c));
        let frame = real::resources_of(action, self.loose);
        let all = [std::slice::from_ref(&widest), &frame.resources];
        let both = all.map(|globs| Constraint { globs, inside: true });
        frame.resources.is_empty() || member(&both, &[]) != FoundText::Empty
    }

    /// The resource is a part that is not known, from its start: it may be of any type.
    fn is_any_resource(&self, cells: &[Option<Cell>]) -> bool {
        let first = resource_of(cells).and_then(|resource| resource.chars().next());
        first.is_some_and(|c| self.is_hole(c))
    }

    fn is_hole(&self, c: char) -> bool {
        matches!(self.space.symbols.meaning(c), Some(Meaning::Hole(..)))
    }

    /// The test of a statement's resources; `None` where it is about all of them.
    fn resource_test(&self, statement: &StatementBox) -> Option<&'s Atom> {
        let (_, number) = statement.atoms.iter().find(|(dimension, _)| *dimension == RESOURCE)?;
        self.space.test(RESOURCE, *number)
    }

    /// Of the resources of a statement, where all of them say so.
    fn services(&self, allow: &StatementBox) -> Option<BTreeSet<String>> {
        match self.resource_test(allow)? {
            Atom::Text { globs, negated: false } => {
                let plain: Vec<TextGlob> = globs.iter().filter(|g| !g.matches(real::ALL_OF_S3)).cloned().collect();
                let mut services = real::services_of(&plain)?;
                if plain.len() < globs.len() {
                    services.insert("s3".to_owned());
                }
                Some(services)
            }
            Atom::Text { .. } | Atom::Key(_) => None,
        }
    }

    /// The request that the search came to, decided.
    fn proven(
        &mut self,
        allow: &StatementBox,
        actions: ActionSet,
        action: Option<Action>,
        cells: &[Option<Cell>],
    ) -> Option<FoundRequest> {
        if let Some(inputs) = &self.own_inputs
            && (self.may_be_known(inputs, action, cells) || self.depends_on_values(allow, action))
        {
            return None;
        }
        let mut found = None;
        let mut last = None;
        for attempt in 0..4 {
            let (request, values) = witness(self.space, self.values, action, cells, attempt == 3);
            let request = match (attempt, self.caller) {
                _ if self.space.has_principals && attempt < 2 => None,
                (0, caller) => caller.and_then(|arn| request.by_identity(arn)),
                (1, _) => request.by_natural_caller(),
                _ => Some(request),
            };
            let Some(request) = request else { continue };
            let mut each = match self.space.has_principals {
                true => request.in_each_partition(),
                false => vec![request],
            };
            if let Some(at) = each.iter().position(|r| self.is_proof(r, &values)) {
                found = Some((each.swap_remove(at), values));
                break;
            }
            last = each.into_iter().next().map(|request| (request, values));
        }
        let confirmed = found.is_some();
        let (request, values) = found.or(last)?;
        let judges = self.judges.as_ref().filter(|(of, ..)| *of == values);
        let denied_by = judges.and_then(|(_, old, _)| old.denied_by(&request));
        Some(FoundRequest {
            denied_by,
            statement: allow.index,
            actions,
            request,
            values,
            confirmed,
            is_unreal: false,
        })
    }

    /// Whether the old document allows the action on something that an input of the new one may name.
    fn may_be_known(&self, inputs: &BTreeSet<String>, action: Option<Action>, cells: &[Option<Cell>]) -> bool {
        let symbols = &self.space.symbols;
        let is_input = |c: char| matches!(symbols.meaning(c), Some(Meaning::Hole(_, _, name)) if inputs.contains(name));
        let Some(resource) = resource_of(cells).filter(|resource| resource.contains(is_input)) else {
            return false;
        };
        let widest = [TextGlob::with_any_for(resource, is_input)];
        with_action(self.of_old.allows.iter(), action).into_iter().any(|known| {
            let Some(Atom::Text { globs, negated }) = self.resource_test(known) else {
                return true;
            };
            // Two inputs are two things.
            let written: Vec<TextGlob> = globs.iter().filter(|g| *negated || !g.has_symbol()).cloned().collect();
            let of = |globs, inside| Constraint { globs, inside };
            member(&[of(&widest, true), of(&written, !negated)], &[]) != FoundText::Empty
        })
    }

    /// Whether the statement asks for values of a key of which the old document names one that is not known: they may be the same.
    fn depends_on_values(&self, allow: &StatementBox, action: Option<Action>) -> bool {
        let symbols = &self.space.symbols;
        let is_input = |s: &Sym| {
            let Sym::Char(c) = s else { return false };
            matches!(symbols.meaning(*c), Some(Meaning::Hole(kind, ..)) if !kind.is_placeholder())
        };
        // The same test is about the same values.
        let asks = |dimension: usize, atom: u32| {
            let mut own = allow.atoms.iter().filter(|(own, _)| *own == dimension).peekable();
            own.peek().is_some() && own.all(|(_, own)| *own != atom)
        };
        let boxes = self.of_old.allows.iter().chain(&self.of_old.denies);
        let of_action = with_action(boxes, action).into_iter().flat_map(|b| &b.atoms);
        of_action.into_iter().any(|(dimension, number)| {
            let found = self.space.test(*dimension, *number);
            let Some(Atom::Key(test)) = found.filter(|_| asks(*dimension, *number)) else {
                return false;
            };
            let mut globs = test.globs().unwrap_or_default().iter();
            globs.any(|g| g.syms().iter().any(is_input))
        })
    }

    /// Whether the request is allowed by one document and denied by the other.
    fn is_proof(&mut self, request: &Witness, values: &Values) -> bool {
        let (old, new) = self.documents;
        if self.judges.as_ref().is_none_or(|(of, ..)| of != values) {
            self.judges = Some((
                values.clone(),
                LoneDocument::new(old, values, self.space.has_principals),
                LoneDocument::new(new, values, self.space.has_principals),
            ));
        }
        let judges = self.judges.as_ref();
        judges.is_some_and(|(_, old, new)| new.allows(request).is_yes() && old.allows(request).is_no())
    }
}
