//! What two documents do not know alike: a condition that decides about a part of both, a list that both take from one input.
//!
//! Whatever such a condition is, it is the same for both documents. Each case is compared by itself, and what is granted in one
//! of them is granted. A list of both is the same list, and what is beside it is all that differs.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::callers;
use super::glob::Symbols;
use super::keys::KeyTest;
use crate::iam::{ClauseItem, Condition, Document, Effect, Statement};
use crate::source::Hole;
use crate::value::Guard;
use crate::value::guard::{Fact, MAX_WORLDS};

/// Two documents in one case.
pub(super) struct ComparedPair<'d> {
    pub(super) world: Guard,
    pub(super) old: Cow<'d, Document>,
    pub(super) new: Cow<'d, Document>,
}

/// The documents in each case that both know of, and with the lists of both.
pub(super) fn pairs<'d>(old: &'d Document, new: &'d Document) -> Vec<ComparedPair<'d>> {
    let conditions = shared_conditions(old, new);
    if conditions.is_empty() {
        return cases(old, new);
    }
    let (old, new) = (with_facts(old, &conditions), with_facts(new, &conditions));
    cases(&old, &new).into_iter().map(ComparedPair::into_owned).collect()
}

impl ComparedPair<'_> {
    fn into_owned<'o>(self) -> ComparedPair<'o> {
        ComparedPair {
            world: self.world,
            old: Cow::Owned(self.old.into_owned()),
            new: Cow::Owned(self.new.into_owned()),
        }
    }
}

/// Allow statements that are compared one by one.
const MAX_ALONE: usize = 64;

fn cases<'d>(old: &'d Document, new: &'d Document) -> Vec<ComparedPair<'d>> {
    let shared = shared_facts(old, new);
    let (worlds, is_all) = worlds(&shared);
    let count = new.statements.iter().filter(|s| s.is_written_as_allow()).count();
    if is_all || !(2..=MAX_ALONE).contains(&count) {
        return in_worlds(old, new, &shared, &worlds);
    }
    // Each Allow statement by itself depends on fewer facts.
    let mut out = Vec::new();
    for at in (0..new.statements.len()).filter(|at| new.statements[*at].is_written_as_allow()) {
        let mut alone = new.clone();
        let others = alone
            .statements
            .iter_mut()
            .enumerate()
            .filter(|(n, s)| *n != at && s.is_written_as_allow());
        others
            .filter_map(|(_, s)| s.effect.as_mut())
            .for_each(|e| e.value = Effect::Invalid);
        let shared = shared_facts(old, &alone);
        let pairs = in_worlds(old, &alone, &shared, &self::worlds(&shared).0);
        out.extend(pairs.into_iter().map(ComparedPair::into_owned));
    }
    out
}

fn in_worlds<'d>(old: &'d Document, new: &'d Document, shared: &[Fact], worlds: &[Guard]) -> Vec<ComparedPair<'d>> {
    let lists = shared_lists(old, new);
    let of = |document: &'d Document, world: &Guard| {
        let mut out = Cow::Borrowed(document);
        if !shared.is_empty() {
            decide(out.to_mut(), world);
        }
        if !lists.is_empty() {
            complete(out.to_mut(), &lists);
        }
        out
    };
    let each = worlds.iter().map(|world| ComparedPair {
        world: world.clone(),
        old: of(old, world),
        new: of(new, world),
    });
    each.collect()
}

/// What begins the name of a condition that is not read, as a fact.
const OPAQUE: &str = "\u{1}condition ";

/// A condition that cannot be decided here, as a fact: a request meets it or does not, whichever document it stands in.
fn opaque_fact(c: &Condition) -> Option<Fact> {
    let symbols = &mut Symbols::default();
    let is_read = c.key.text.is_known()
        && c.parsed.is_some_and(
            |operator| match callers::of_condition(c, operator, true, false, symbols) {
                Some(of_caller) => of_caller.is_ok(),
                None => KeyTest::new(c, true, false, symbols).is_some(),
            },
        );
    let is_certain = c.key.branch.is_none() && c.values.iter().all(|v| v.branch.is_none());
    if is_read || !is_certain {
        return None;
    }
    let values: Vec<String> = c.values.iter().map(ClauseItem::display).collect();
    let name = format!("{OPAQUE}{} {} {}", c.operator.display(), c.lower_key, values.join(" "));
    Some(Fact::condition(&name, true))
}

/// Conditions of both documents that are not read become facts about their statements.
fn with_facts(document: &Document, shared: &BTreeSet<String>) -> Document {
    let mut out = document.clone();
    for s in &mut out.statements {
        let (opaque, read): (Vec<Condition>, Vec<Condition>) = std::mem::take(&mut s.conditions)
            .into_iter()
            .partition(|c| opaque_fact(c).is_some_and(|f| shared.contains(f.subject())));
        s.conditions = read;
        for fact in opaque.iter().filter_map(opaque_fact) {
            let guard = Guard::of(fact);
            s.branch = Some(s.branch.as_ref().map_or_else(|| guard.clone(), |b| b.and(&guard)));
        }
        if s.conditions.is_empty() && !opaque.is_empty() {
            s.condition_key = None;
        }
    }
    out
}

/// The conditions that both documents have and neither can be decided with.
fn shared_conditions(old: &Document, new: &Document) -> BTreeSet<String> {
    let of = |document: &Document| -> BTreeSet<String> {
        let all = document.statements.iter().flat_map(|s| &s.conditions);
        all.filter_map(opaque_fact).map(|f| f.subject().to_owned()).collect()
    };
    let of_new = of(new);
    if of_new.is_empty() {
        return of_new;
    }
    of(old).intersection(&of_new).cloned().collect()
}

/// Facts that both documents depend on; not what only follows from one of them.
fn shared_facts(old: &Document, new: &Document) -> Vec<Fact> {
    let of_old: Vec<&Guard> = guards(old);
    let is_same = |a: &Fact, b: &Fact| a == b || *a == b.negated();
    let is_shared = |fact: &Fact| of_old.iter().any(|g| g.facts().iter().any(|f| is_same(f, fact)));
    let mut out: Vec<Fact> = Vec::new();
    for guard in guards(new) {
        let shared: Vec<&Fact> = guard.facts().iter().filter(|f| is_shared(f)).collect();
        let follows = |fact: &Fact| shared.iter().any(|f| f.brings().contains(fact));
        for fact in shared.iter().filter(|f| !follows(f)) {
            if !out.iter().any(|known| is_same(known, fact)) {
                out.push((*fact).clone());
            }
        }
    }
    out
}

/// Those of the statements that are compared.
fn guards(document: &Document) -> Vec<&Guard> {
    let mut out = Vec::new();
    let is_left_out = |s: &&Statement| s.effect.as_ref().is_some_and(|e| e.value == Effect::Invalid);
    for s in document.statements.iter().filter(|s| !is_left_out(s)) {
        out.extend(&s.branch);
        out.extend(
            lists_of(s)
                .flat_map(|(_, items, _)| items)
                .filter_map(|i| i.branch.as_ref()),
        );
    }
    out
}

/// Every combination of the facts that can be, and whether these are all of them: of too many facts, those of the first.
fn worlds(shared: &[Fact]) -> (Vec<Guard>, bool) {
    let mut out = vec![Guard::default()];
    let ways: Vec<[Vec<Guard>; 2]> = shared.iter().map(|f| [f.ways(), f.negated().ways()]).collect();
    for (at, fact) in shared.iter().enumerate() {
        let others = || {
            ways.iter()
                .enumerate()
                .filter(|(n, _)| *n != at)
                .flat_map(|(_, w)| w)
                .flatten()
        };
        // Ways that nothing else depends on are one case.
        let is_told_apart = |own: &[Guard]| own.iter().any(|way| others().any(|other| way.excludes(other)));
        let each = ways[at].iter().zip([fact.clone(), fact.negated()]);
        let of_fact: Vec<Guard> = each
            .flat_map(|(own, fact)| match own.len() > 1 && !is_told_apart(own) {
                true => vec![Guard::of(fact)],
                false => own.clone(),
            })
            .collect();
        let mut next = Vec::new();
        for world in &out {
            let possible = of_fact.iter().filter(|way| !world.excludes(way));
            next.extend(possible.map(|way| world.and(way)));
        }
        if next.len() > MAX_WORLDS {
            return (out, false);
        }
        out = next;
    }
    (out, true)
}

/// Leaves what there is in this case.
pub(super) fn decide(document: &mut Document, world: &Guard) {
    for s in &mut document.statements {
        if s.branch.as_ref().is_some_and(|b| world.excludes(b)) {
            if let Some(effect) = &mut s.effect {
                effect.value = Effect::Invalid;
            }
            continue;
        }
        s.branch = s.branch.take().filter(|b| !world.implies(b));
        s.strength = Default::default();
        s.nothing = Default::default();
        for clause in [&mut s.action, &mut s.resource].into_iter().flatten() {
            clause.sets = Default::default();
            decide_items(&mut clause.items, |i| i, world);
        }
        if let Some(clause) = &mut s.principal {
            decide_items(&mut clause.items, |i| &mut i.value, world);
        }
        for condition in &mut s.conditions {
            decide_items(&mut condition.values, |i| i, world);
        }
    }
}

fn decide_items<T>(items: &mut Vec<T>, item: fn(&mut T) -> &mut ClauseItem, world: &Guard) {
    items.retain_mut(|i| item(i).branch.as_ref().is_none_or(|b| !world.excludes(b)));
    for one in items {
        let branch = &mut item(one).branch;
        *branch = branch.take().filter(|b| !world.implies(b));
    }
}

/// What a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ListOf {
    Actions,
    Resources,
    Principals,
    Values,
}

/// The lists of a statement, and whether all of each is there.
fn lists_of(s: &Statement) -> impl Iterator<Item = (ListOf, Vec<&ClauseItem>, bool)> {
    let actions = s.action.iter().map(|c| (ListOf::Actions, &c.items, c.complete));
    let resources = s.resource.iter().map(|c| (ListOf::Resources, &c.items, c.complete));
    let values = s.conditions.iter().map(|c| (ListOf::Values, &c.values, c.complete));
    let principals = s.principal.iter().map(|c| {
        let items = c.items.iter().map(|i| &i.value).collect();
        (ListOf::Principals, items, c.complete)
    });
    let clauses = actions.chain(resources).map(unowned);
    clauses.chain(principals).chain(values.map(unowned))
}

fn unowned((of, items, complete): (ListOf, &Vec<ClauseItem>, bool)) -> (ListOf, Vec<&ClauseItem>, bool) {
    (of, items.iter().collect(), complete)
}

/// An item that may stand for several.
fn list_in(item: &ClauseItem) -> Option<&Hole> {
    item.text.as_hole().filter(|h| !h.kind.is_placeholder())
}

/// The inputs that lists of both documents are made of.
fn shared_lists(old: &Document, new: &Document) -> BTreeSet<(ListOf, String)> {
    let of = |document: &Document| -> BTreeSet<(ListOf, String)> {
        let mut out = BTreeSet::new();
        for (of, items, complete) in document.statements.iter().flat_map(lists_of) {
            if !complete {
                let holes = items.into_iter().filter_map(list_in);
                out.extend(holes.map(|h| (of, h.name.to_string())));
            }
        }
        out
    };
    let of_new = of(new);
    if of_new.is_empty() {
        return of_new;
    }
    of(old).intersection(&of_new).cloned().collect()
}

/// Lists that both documents have hide nothing.
fn complete(document: &mut Document, shared: &BTreeSet<(ListOf, String)>) {
    let is_shared = |of: ListOf, items: &[&ClauseItem]| {
        let mut lists = items.iter().filter_map(|i| list_in(i)).peekable();
        lists.peek().is_some() && lists.all(|h| shared.contains(&(of, h.name.to_string())))
    };
    for s in &mut document.statements {
        let found: Vec<bool> = lists_of(s).map(|(of, items, _)| is_shared(of, &items)).collect();
        let clauses = [&mut s.action, &mut s.resource]
            .into_iter()
            .flatten()
            .map(|c| &mut c.complete);
        let principals = s.principal.iter_mut().map(|c| &mut c.complete);
        let values = s.conditions.iter_mut().map(|c| &mut c.complete);
        for (complete, is_shared) in clauses.chain(principals).chain(values).zip(found) {
            *complete |= is_shared;
        }
    }
}

/// Inputs that only the new document has.
pub(super) fn own_inputs(old: &Document, new: &Document) -> BTreeSet<String> {
    let of = |document: &Document| -> BTreeSet<String> {
        let items = document
            .statements
            .iter()
            .flat_map(lists_of)
            .flat_map(|(_, items, _)| items);
        let holes = items.flat_map(|i| i.text.holes()).filter(|h| !h.kind.is_placeholder());
        holes.map(|h| h.name.to_string()).collect()
    };
    let of_new = of(new);
    if of_new.is_empty() {
        return of_new;
    }
    of_new.difference(&of(old)).cloned().collect()
}
