//! Statements as boxes: a set of actions, and a test for the caller, the resource, and each condition key.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::callers;
use super::concrete::is_hidden;
use super::glob::{Fields, Reading, Symbols, TextGlob};
use super::keys::KeyTest;
use super::one_thing::is_one_thing;
use super::real;
use crate::iam::condition::{Operator, OperatorFamily, always_present};
use crate::iam::variables::variables;
use crate::iam::{
    ActionSet, Clause, ClauseItem, Condition, Document, Effect, PrincipalClause, SourceFormat, Statement,
};
use crate::source::Piece;
use crate::terms::PolicyKind;

/// The dimensions that every request has; keys come after them.
pub(super) const CALLER: usize = 0;
pub(super) const RESOURCE: usize = 1;
pub(super) const ACTION: usize = 2;
pub(super) const FIRST_KEY: usize = 3;

/// A test of one dimension.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Atom {
    /// One of the patterns matches, or none does.
    Text {
        globs: Vec<TextGlob>,
        negated: bool,
    },
    Key(KeyTest),
}

/// What two documents have in common: dimensions, tests, and what is not known.
#[derive(Debug, Default)]
pub(super) struct Space {
    pub(super) symbols: Symbols,
    /// In lower case; the n-th is dimension [`FIRST_KEY`] plus n.
    pub(super) keys: Vec<String>,
    /// Of each dimension.
    pub(super) atoms: Vec<Vec<Atom>>,
    numbers: FxHashMap<(usize, Atom), u32>,
    by_key: BTreeMap<String, usize>,
    /// Action texts that stand for no action of the catalogue.
    pub(super) unknown_actions: Vec<TextGlob>,
    pub(super) has_principals: bool,
    /// Keys that repeat the principal, where a condition asks for them.
    pub(super) caller_keys: BTreeSet<String>,
}

impl Space {
    pub(super) fn atom(&mut self, dimension: usize, atom: Atom) -> (usize, u32) {
        let place = (dimension, atom);
        if let Some(number) = self.numbers.get(&place) {
            return (dimension, *number);
        }
        if self.atoms.len() <= dimension {
            self.atoms.resize_with(dimension + 1, Vec::new);
        }
        let all = &mut self.atoms[dimension];
        let number = u32::try_from(all.len()).unwrap_or(u32::MAX);
        all.push(place.1.clone());
        self.numbers.insert(place, number);
        (dimension, number)
    }

    /// The test of a statement in a dimension, by the number that [`Self::atom`] gave it.
    pub(super) fn test(&self, dimension: usize, number: u32) -> Option<&Atom> {
        self.atoms.get(dimension)?.get(number as usize)
    }

    /// A statement of which nothing is known: it may be about everything.
    pub(super) fn everything(&mut self) -> StatementBox {
        let globs = vec![TextGlob::any()];
        StatementBox {
            index: usize::MAX,
            actions: ActionSet::all(),
            action_text: self.atom(ACTION, Atom::Text { globs, negated: false }),
            atoms: Vec::new(),
        }
    }

    fn key(&mut self, key: &str) -> usize {
        let next = FIRST_KEY + self.keys.len();
        let dimension = *self.by_key.entry(key.to_owned()).or_insert(next);
        if dimension == next {
            self.keys.push(key.to_owned());
        }
        dimension
    }
}

/// How a part that is not decided counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// As much as it may be.
    Upper,
    /// What is certain.
    Lower,
}

/// How the statements of a document count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) allow: Bound,
    pub(super) deny: Bound,
    /// A part that is not known stands for any text in an upper bound.
    pub(super) widest: bool,
    /// But one that is one name or ARN stands for itself.
    pub(super) by_reference: bool,
    /// How far the wildcards of resources reach.
    pub(super) fields: Fields,
}

/// A statement.
#[derive(Clone, Debug)]
pub(super) struct StatementBox {
    /// In its document.
    pub(super) index: usize,
    /// Of the catalogue.
    pub(super) actions: ActionSet,
    /// The test of an action by its text.
    pub(super) action_text: (usize, u32),
    /// The tests of the other dimensions.
    pub(super) atoms: Vec<(usize, u32)>,
}

/// A document.
#[derive(Clone, Debug, Default)]
pub(super) struct StatementBoxes {
    pub(super) allows: Vec<StatementBox>,
    pub(super) denies: Vec<StatementBox>,
    /// Statements that are not wholly decided, and why.
    pub(super) doubts: Vec<(usize, &'static str)>,
}

/// One statement in the making.
struct StatementReader<'s> {
    space: &'s mut Space,
    bound: Bound,
    widest: bool,
    by_reference: bool,
    fields: Fields,
    /// Hidden items are only those that are not known.
    is_json: bool,
    is_deny: bool,
    variables: bool,
    doubt: Option<&'static str>,
    valued: Vec<ValuedCondition>,
}

/// A condition that holds only where its variables have a value.
struct ValuedCondition {
    /// That they have one.
    valued: Vec<(usize, u32)>,
    /// The request does not have the key, and meets the condition all the same.
    absent: Option<(usize, u32)>,
}

/// Conditions of a statement that are met in two ways.
const MAX_TWO_WAYS: usize = 3;

/// Whether it is a policy on a resource.
pub(super) fn names_principals(document: &Document) -> bool {
    document.statements.iter().any(|s| s.principal.is_some())
}

pub(super) const NOT_VISIBLE: &str = "a part of the statement cannot be seen";
pub(super) const CONDITIONAL: &str = "a condition decides whether the statement is there";
const NOT_READ: &str = "a condition that is not compared";
const NOT_A_PRINCIPAL: &str = "a principal that AWS does not accept";

impl StatementBoxes {
    pub(super) fn new(document: &Document, bounds: Bounds, space: &mut Space) -> Self {
        Self::of_some(document, bounds, &|_, _| true, space)
    }

    /// Of the statements that count with an effect.
    pub(super) fn of_some(
        document: &Document,
        bounds: Bounds,
        counts: &dyn Fn(&Statement, Effect) -> bool,
        space: &mut Space,
    ) -> Self {
        let mut out = Self::default();
        let version = document.version.as_ref().and_then(|v| v.text.known());
        // Variables came with this version. IAM User Guide, "IAM JSON policy elements: Version".
        let variables = version.is_some_and(|v| v == "2012-10-17");
        let own_actions = actions_of(document);
        for (index, s) in document.statements.iter().enumerate() {
            if s.dead.is_some() {
                continue;
            }
            let effect = s.effect.as_ref().map_or(Effect::Invalid, |e| e.value);
            for (of, bound) in [(Effect::Allow, bounds.allow), (Effect::Deny, bounds.deny)] {
                let unknown = effect == Effect::Unknown;
                if effect != of && !(unknown && bound == Bound::Upper) || !counts(s, of) {
                    continue;
                }
                let mut reader = StatementReader {
                    space: &mut *space,
                    bound,
                    widest: bounds.widest,
                    by_reference: bounds.by_reference,
                    fields: bounds.fields,
                    is_json: document.format == SourceFormat::Json,
                    is_deny: of == Effect::Deny,
                    variables,
                    doubt: unknown.then_some(NOT_VISIBLE),
                    valued: Vec::new(),
                };
                let mut grants = reader.statement(index, s).unwrap_or_default();
                if let Some(own) = &own_actions {
                    grants.iter_mut().for_each(|g| g.actions.intersect(own));
                }
                out.doubts.extend(reader.doubt.map(|why| (index, why)));
                let list = if of == Effect::Allow {
                    &mut out.allows
                } else {
                    &mut out.denies
                };
                list.extend(grants);
            }
        }
        if document.open {
            out.doubts.push((usize::MAX, NOT_VISIBLE));
        }
        out
    }
}

/// The actions that a policy on a resource is about: of the service of that resource, or of sessions. Of a document by itself, it is
/// not known what it is put on.
/// IAM User Guide, "Identity-based policies and resource-based policies".
fn actions_of(document: &Document) -> Option<ActionSet> {
    let service = match document.kind {
        PolicyKind::Trust if document.owner.is_some() => Some("sts"),
        PolicyKind::Resource if document.resource.is_some() => document.service.as_deref(),
        _ => None,
    };
    service.map(|prefix| ActionSet::expand(&format!("{prefix}:*")))
}

impl StatementReader<'_> {
    /// Something is not decided: whether the statement still counts.
    fn doubt(&mut self, why: &'static str) -> Option<()> {
        self.doubt.get_or_insert(why);
        (self.bound == Bound::Upper).then_some(())
    }

    /// A box, or several where a condition is met in two ways.
    fn statement(&mut self, index: usize, s: &Statement) -> Option<Vec<StatementBox>> {
        if s.open || s.unlimited || is_hidden(s) {
            self.doubt(NOT_VISIBLE)?;
        }
        if s.branch.is_some() {
            self.doubt(CONDITIONAL)?;
        }
        let mut atoms = Vec::new();
        let Some(action) = &s.action else {
            // AWS accepts no statement without one.
            self.doubt(NOT_VISIBLE)?;
            return None;
        };
        let (actions, action_text) = self.actions(action)?;
        if let Some(clause) = &s.resource {
            atoms.extend(self.resources(clause)?);
            // `NotResource` with a variable that has no value leaves the statement without effect.
            if clause.negated {
                atoms.extend(self.variables_of(&clause.items));
            }
        }
        if let Some(principals) = &s.principal {
            atoms.extend(self.principals(principals)?);
        }
        for c in &s.conditions {
            atoms.extend(self.condition(c)?);
        }
        let mut ways = vec![atoms];
        for ValuedCondition { valued, absent } in std::mem::take(&mut self.valued) {
            let without = absent.map(|absent| ways.iter().map(|w| [&**w, &[absent]].concat()).collect::<Vec<_>>());
            ways.iter_mut().for_each(|w| w.extend_from_slice(&valued));
            ways.extend(without.into_iter().flatten());
        }
        let boxes = ways.into_iter().map(|mut atoms| {
            atoms.sort_unstable();
            atoms.dedup();
            StatementBox {
                index,
                actions: actions.clone(),
                action_text,
                atoms,
            }
        });
        Some(boxes.collect())
    }

    /// Tests that the variables of these items have a value.
    fn variables_of(&mut self, items: &[ClauseItem]) -> Vec<(usize, u32)> {
        let mut out = Vec::new();
        for text in items.iter().filter(|_| self.variables).filter_map(|i| i.text.known()) {
            for variable in variables(&text)
                .into_iter()
                .filter(|v| v.problem.is_none() && v.default.is_none())
            {
                let dimension = self.space.key(&variable.name.to_lowercase());
                out.push(self.space.atom(dimension, Atom::Key(KeyTest::present())));
            }
        }
        out
    }

    /// A negated condition with a variable that has no value does not hold, unless the request does not have the key.
    fn negated_values(&mut self, c: &Condition, operator: Operator, always_there: bool) -> Option<()> {
        let takes_variables = matches!(operator.family, OperatorFamily::String | OperatorFamily::Arn);
        if !operator.negated || !takes_variables {
            return Some(());
        }
        let valued = self.variables_of(&c.values);
        if valued.is_empty() {
            return Some(());
        }
        let absent = (operator.without_key() && !always_there).then(|| {
            let dimension = self.space.key(&c.lower_key);
            self.space.atom(dimension, Atom::Key(KeyTest::absent()))
        });
        if absent.is_some() && self.valued.iter().filter(|v| v.absent.is_some()).count() >= MAX_TWO_WAYS {
            return self.doubt(NOT_READ);
        }
        self.valued.push(ValuedCondition { valued, absent });
        Some(())
    }

    /// The items that count: of a `Not…` element, the bound is of what is left.
    fn counted<'c, T>(
        &mut self,
        items: &'c [T],
        item: fn(&T) -> &ClauseItem,
        complete: bool,
        negated: bool,
    ) -> Option<Vec<&'c T>> {
        let upper = (self.bound == Bound::Upper) != negated;
        // What has an unknown part counts as incomplete, and in JSON that hides nothing else.
        let complete = complete || self.is_json && items.iter().any(|i| !item(i).text.is_known());
        if !complete {
            self.doubt.get_or_insert(NOT_VISIBLE);
            // More items than can be seen: all of them may be anything.
            if upper {
                return None;
            }
        }
        let counts = |i: &&T| upper || item(i).branch.is_none();
        if items.iter().any(|i| item(i).branch.is_some()) {
            self.doubt.get_or_insert(NOT_VISIBLE);
        }
        Some(items.iter().filter(counts).collect())
    }

    fn is_widest(&self, negated: bool) -> bool {
        self.widest && (self.bound == Bound::Upper) != negated
    }

    fn actions(&mut self, clause: &Clause) -> Option<(ActionSet, (usize, u32))> {
        let negated = clause.negated;
        let reading = Reading {
            wildcards: true,
            any_case: true,
            widest: self.is_widest(negated),
            ..Reading::default()
        };
        let items: Vec<(&ClauseItem, &ActionSet)> = clause.items.iter().zip(clause.item_actions()).collect();
        let Some(items) = self.counted(&items, |(item, _)| item, clause.complete, negated) else {
            // Of `NotAction`, nothing is certain; of `Action`, everything is possible.
            if negated {
                return None;
            }
            let all = Atom::Text {
                globs: vec![TextGlob::any()],
                negated,
            };
            return Some((ActionSet::all(), self.space.atom(ACTION, all)));
        };
        let mut set = ActionSet::empty();
        let mut globs = Vec::new();
        for (item, actions) in items {
            match item.text.known() {
                Some(_) => set.union_with(actions),
                None if reading.widest => set.expand_into(&widest_text(item)),
                None => {}
            }
            let Ok(glob) = TextGlob::read(&item.text, reading, &mut self.space.symbols) else {
                self.doubt(NOT_READ)?;
                continue;
            };
            let known = item.text.known();
            let unknown = known.is_none() || actions.is_empty();
            if unknown && !self.space.unknown_actions.contains(&glob) {
                self.space.unknown_actions.push(glob.clone());
            }
            globs.push(glob);
        }
        globs.sort_unstable();
        let set = if negated { set.complement() } else { set };
        Some((set, self.space.atom(ACTION, Atom::Text { globs, negated })))
    }

    /// `Some(None)` where every resource is covered.
    fn resources(&mut self, clause: &Clause) -> Option<Option<(usize, u32)>> {
        let negated = clause.negated;
        let reading = Reading {
            wildcards: true,
            variables: self.variables,
            widest: self.is_widest(negated),
            fields: self.fields,
            ..Reading::default()
        };
        let Some(items) = self.counted(&clause.items, |i| i, clause.complete, negated) else {
            return if negated { None } else { Some(None) };
        };
        let mut globs = Vec::new();
        for item in items {
            if item.text.known().is_some_and(|t| real::is_every_bucket(&t)) {
                globs.push(TextGlob::literal(real::ALL_OF_S3));
            }
            let reading = Reading {
                widest: reading.widest && !(self.by_reference && is_one_thing(item)),
                ..reading
            };
            match TextGlob::read(&item.text, reading, &mut self.space.symbols) {
                Ok(glob) => globs.push(glob),
                Err(_) => {
                    self.doubt(NOT_READ)?;
                    return Some(None);
                }
            }
        }
        Some(self.text(RESOURCE, globs, negated))
    }

    /// A test by patterns, unless it is always true.
    fn text(&mut self, dimension: usize, mut globs: Vec<TextGlob>, negated: bool) -> Option<(usize, u32)> {
        if !negated && globs.iter().any(TextGlob::is_any) {
            return None;
        }
        globs.sort_unstable();
        globs.dedup();
        Some(self.space.atom(dimension, Atom::Text { globs, negated }))
    }

    fn principals(&mut self, clause: &PrincipalClause) -> Option<Option<(usize, u32)>> {
        self.space.has_principals = true;
        let negated = clause.negated;
        let widest = self.is_widest(negated);
        let Some(items) = self.counted(&clause.items, |i| &i.value, clause.complete, negated) else {
            return if negated { None } else { Some(None) };
        };
        let mut globs = Vec::new();
        if self.is_deny && negated {
            let Ok(left_out) = callers::left_out(&items, &mut self.space.symbols) else {
                self.doubt(NOT_READ)?;
                return Some(None);
            };
            return Some(self.text(CALLER, left_out, negated));
        }
        for item in items {
            match callers::named(item, widest, &mut self.space.symbols) {
                Ok(Some(named)) => globs.extend(named),
                Ok(None) => {
                    self.doubt(NOT_A_PRINCIPAL)?;
                    return Some(None);
                }
                Err(_) => {
                    self.doubt(NOT_READ)?;
                    return Some(None);
                }
            }
        }
        Some(self.text(CALLER, globs, negated))
    }

    fn condition(&mut self, c: &Condition) -> Option<Option<(usize, u32)>> {
        let has_inputs = c.values.iter().any(|v| !v.text.is_known());
        // An input that may be a list is a few values all the same.
        let are_values = |o: Operator| o.family == OperatorFamily::String && !o.wildcards;
        let complete = c.complete || has_inputs && (self.is_json || c.parsed.is_some_and(are_values));
        let Some(operator) = c
            .parsed
            .filter(|_| complete && c.key.branch.is_none() && c.key.text.is_known())
        else {
            self.doubt(NOT_READ)?;
            return Some(self.demanded(c));
        };
        if c.values.iter().any(|v| v.branch.is_some()) {
            self.doubt(NOT_READ)?;
            return Some(self.demanded(c));
        }
        // Where wildcards are none, what is not known is one value all the same: see `DifferenceSearch::depends_on_values`.
        let widest = self.is_widest(operator.negated) && operator.wildcards;
        let symbols = &mut self.space.symbols;
        if let Some(of_caller) = callers::of_condition(c, operator, self.variables, widest, symbols) {
            let Ok((globs, negated)) = of_caller else {
                self.doubt(NOT_READ)?;
                return Some(None);
            };
            self.space.caller_keys.insert(c.lower_key.clone());
            self.negated_values(c, operator, true)?;
            return Some(self.text(CALLER, globs, negated));
        }
        let Some(mut test) = KeyTest::new(c, self.variables, widest, symbols) else {
            self.doubt(NOT_READ)?;
            return Some(self.demanded(c));
        };
        test.settle();
        self.negated_values(c, operator, false)?;
        let dimension = self.space.key(&c.lower_key);
        Some(Some(self.space.atom(dimension, Atom::Key(test))))
    }

    /// Whatever the values are, most operators are not met without the key.
    fn demanded(&mut self, c: &Condition) -> Option<(usize, u32)> {
        let demands = |o: Operator| o.family != OperatorFamily::Null && !o.without_key();
        let is_certain = c.key.branch.is_none() && c.operator.branch.is_none() && c.key.text.is_known();
        (is_certain && !always_present(&c.lower_key) && c.parsed.is_some_and(demands)).then(|| {
            let dimension = self.space.key(&c.lower_key);
            self.space.atom(dimension, Atom::Key(KeyTest::present()))
        })
    }
}

/// What is known of an action, with `*` for the rest.
fn widest_text(item: &ClauseItem) -> String {
    let pieces = item.text.pieces().iter().map(|p| match p {
        Piece::Lit(lit) => &*lit.text,
        Piece::Hole(_) => "*",
    });
    pieces.collect()
}
