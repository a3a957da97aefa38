//! What parameters stand for: arguments carried from the places that call.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::evaluate::{self, Evaluator};
use super::index::Index;
use super::thing::{Bag, Place, Thing, Things, one};
use crate::model::python::{ArgName, Bound, Call, ExprId, ExprKind, Module, Program, ScopeKind};

/// How often arguments are carried into parameters; chains of calls that hand on a client are rarely longer.
const MAX_ROUNDS: usize = 6;
/// Things that one parameter may stand for before the rest is only [`Thing::More`].
const MAX_PARAM: usize = 32;

/// A parameter of a function, or a field of a dataclass.
pub(crate) type Param = (Place, u32);

/// What parameters stand for, over all call sites.
#[derive(Debug, Default)]
pub(crate) struct Params {
    all: HashMap<Param, Things>,
    /// The part of it that comes from calls on this class: `super().__init__("sqs")` in it, `Queue("q")`.
    on: HashMap<Param, BTreeMap<Place, Things>>,
    /// Which functions give a text for it, and of which of their own parameters, if it is one.
    named: HashMap<Param, BTreeMap<Arc<str>, BTreeSet<Giver>>>,
}

/// The function that gives an argument, and its parameter that the argument is.
type Giver = (Place, Option<Param>);

/// An argument on its way.
struct Handed {
    param: Param,
    /// The class that it is called on.
    class: Option<Place>,
    things: Things,
    by: Giver,
}

impl Params {
    pub(crate) fn get(&self, function: Place, i: u32) -> Option<&Things> {
        self.all.get(&(function, i))
    }

    /// What the parameter stands for when the method is run on an instance of a class with this lineage.
    pub(crate) fn get_on(&self, function: Place, i: u32, lineage: &[Place]) -> Option<Things> {
        let mut bag = Bag::default();
        if let Some(on) = self.on.get(&(function, i)) {
            lineage
                .iter()
                .filter_map(|class| on.get(class))
                .for_each(|things| bag.put_all(things));
        }
        if bag.is_empty() {
            return self.get(function, i).cloned();
        }
        Some(bag.finish())
    }

    /// The functions that give this text for a parameter, whether they are called themselves or not.
    pub(crate) fn givers(&self, param: Param, text: &str) -> BTreeSet<Place> {
        let mut out = BTreeSet::new();
        let mut seen = BTreeSet::from([param]);
        let mut open = vec![param];
        while let Some(param) = open.pop() {
            for (place, of) in self.named.get(&param).and_then(|n| n.get(text)).into_iter().flatten() {
                match of {
                    Some(of) if self.named.get(of).is_some_and(|n| n.contains_key(text)) => {
                        if seen.insert(*of) {
                            open.push(*of);
                        }
                    }
                    _ => {
                        out.insert(*place);
                    }
                }
            }
        }
        out
    }

    /// Carries arguments into parameters until nothing new arrives.
    pub(crate) fn new(program: &Program<'_>, index: &Index) -> Self {
        let mut params = Self::default();
        // The parameters that each module's answers depend on: it is asked again only when one of them changed.
        let mut asked: Vec<HashSet<Param>> = vec![HashSet::new(); program.modules.len()];
        let mut due: Vec<usize> = (0..program.modules.len()).collect();
        for _ in 0..MAX_ROUNDS {
            let found: Vec<(Vec<Handed>, HashSet<Param>)> = due
                .par_iter()
                .map(|module| handed_on(program, index, &params, *module))
                .collect();
            let mut changed: HashSet<Param> = HashSet::new();
            for (module, (handed, read)) in due.iter().zip(found) {
                asked[*module] = read;
                for Handed {
                    param,
                    class,
                    things,
                    by,
                } in handed
                {
                    for t in things.iter() {
                        if let Thing::Text(text) = t {
                            let named = params.named.entry(param).or_default();
                            named.entry(text.clone()).or_default().insert(by);
                        }
                    }
                    let mut is_new = add(params.all.entry(param).or_default(), &things);
                    if let Some(class) = class {
                        is_new |= add(params.on.entry(param).or_default().entry(class).or_default(), &things);
                    }
                    if is_new {
                        changed.insert(param);
                    }
                }
            }
            due = (0..)
                .zip(&asked)
                .filter(|(_, asked)| !asked.is_disjoint(&changed))
                .map(|(module, _)| module)
                .collect();
            if due.is_empty() {
                break;
            }
        }
        params
    }
}

fn add(to: &mut Things, things: &Things) -> bool {
    let mut bag = Bag::default();
    bag.put_all(to);
    bag.put_all(things);
    let new = bag.finish_within(MAX_PARAM);
    let changed = **to != *new;
    *to = new;
    changed
}

/// What the calls and decorators of one module hand to functions of the repository, and the parameters that were looked at
/// to tell.
fn handed_on(program: &Program<'_>, index: &Index, params: &Params, module: usize) -> (Vec<Handed>, HashSet<Param>) {
    let m = &program.modules[module];
    let evaluator = Evaluator::new(program, index, params);
    let mut out = Vec::new();
    for expr in m.ids() {
        let Some(call) = m.call(expr) else { continue };
        if call.args.is_empty() {
            continue;
        }
        let callee = evaluator.things(module, call.function);
        let place = Place {
            module,
            scope: m.function_of(m.expr(expr).scope),
        };
        let mut hidden = true;
        for t in callee.iter() {
            let (f, skip, class) =
                match t {
                    Thing::Function(f) => (*f, 0, None),
                    Thing::Method(f, class) => (*f, 1, Some(*class)),
                    Thing::Class(c) => match constructor(program, index, *c) {
                        Some(f) => (f, 1, Some(*c)),
                        None => {
                            // A dataclass: its fields take the arguments.
                            hidden = false;
                            let names = evaluate::fields(&program.modules[c.module], c.scope);
                            out.extend(evaluator.field_arguments(module, call, &names).into_iter().map(
                                |(i, things)| Handed {
                                    param: (*c, i),
                                    class: None,
                                    things,
                                    by: (place, None),
                                },
                            ));
                            continue;
                        }
                    },
                    _ => continue,
                };
            hidden = false;
            for (i, things) in evaluator.arguments(module, call, f, skip, None) {
                let given = call_argument(&program.modules[f.module], call, f, i, skip);
                let by = (place, given.and_then(|e| evaluator.parameter(module, e)));
                out.push(Handed {
                    param: (f, i),
                    class,
                    things: kept(&things),
                    by,
                });
            }
        }
        if hidden {
            for on in receivers(&evaluator, params, module, call) {
                deferred(&evaluator, (module, place), call, on, &mut out);
            }
        }
    }
    for (scope, s) in (0..).zip(&m.scopes) {
        if s.kind != ScopeKind::Function {
            continue;
        }
        for d in &s.decorators {
            for t in evaluator.things(module, *d).iter() {
                let param = match t {
                    Thing::Function(f) => (*f, 0),
                    Thing::Method(f, _) => (*f, 1),
                    _ => continue,
                };
                out.push(Handed {
                    param,
                    class: None,
                    things: one(Thing::Function(Place { module, scope })),
                    by: (Place { module, scope: 0 }, None),
                });
            }
        }
    }
    (out, evaluator.params_read())
}

/// What a call gives for a parameter of `f`, by name or by position.
fn call_argument(m: &Module, call: &Call, f: Place, i: u32, skip: u32) -> Option<ExprId> {
    let name = &m.scope(f.scope).params.get(i as usize)?.name;
    let position = i.checked_sub(skip).and_then(|n| call.positional(n as usize));
    call.keyword(name).or(position)
}

fn kept(things: &[Thing]) -> Things {
    let kept: Vec<Thing> = things.iter().filter(|t| evaluate::matters(t)).cloned().collect();
    kept.into()
}

/// The classes of the instances on which the method around a call runs, where one of the call's first arguments is a
/// parameter of it that is another for each of them: `executor.submit(call, item)`. Any, where there are none.
fn receivers(evaluator: &Evaluator<'_>, params: &Params, module: usize, call: &Call) -> Vec<Option<Place>> {
    let of_parameter = |e: ExprId| params.on.get(&evaluator.parameter(module, e)?);
    let first = call.args.iter().take(2).map(|a| a.value);
    let by_class: BTreeSet<Place> = first
        .filter_map(of_parameter)
        .flat_map(|on| on.keys().copied())
        .collect();
    if by_class.is_empty() {
        return vec![None];
    }
    by_class.into_iter().map(Some).collect()
}

/// A function that is handed to code that we don't see, with its arguments: `executor.submit(f, client)`, `map(f, clients)`,
/// `Thread(target=f, args=(client,))`; `on`: the class of the instance that this runs on.
fn deferred(
    evaluator: &Evaluator<'_>,
    (module, place): (usize, Place),
    call: &Call,
    on: Option<Place>,
    out: &mut Vec<Handed>,
) {
    let mut put = |param: Param, class: Option<Place>, things: &[Thing]| {
        out.push(Handed {
            param,
            class,
            things: kept(things),
            by: (place, None),
        });
    };
    let m = &evaluator.program.modules[module];
    let things = |e: ExprId| evaluator.things_on(module, e, on);
    let target = |e: ExprId| -> Vec<(Place, u32, Option<Place>)> {
        let things = things(e);
        let found = things.iter().filter_map(|t| match t {
            Thing::Function(f) => Some((*f, 0, None)),
            Thing::Method(f, class) => Some((*f, 1, Some(*class))),
            _ => None,
        });
        found.collect()
    };
    if let Some(t) = call.keyword("target") {
        let args = call.keyword("args").map(|a| match &m.expr(a).kind {
            ExprKind::Tuple(items) | ExprKind::List(items) => items.clone(),
            _ => Vec::new(),
        });
        for (f, skip, class) in target(t) {
            for (i, a) in (skip..).zip(args.iter().flatten()) {
                put((f, i), class, &things(*a));
            }
        }
        return;
    }
    let positional: Vec<ExprId> = call
        .args
        .iter()
        .take_while(|a| a.name == ArgName::Positional)
        .map(|a| a.value)
        .collect();
    let name = m.dotted(call.function).unwrap_or_default();
    let name = name.rsplit('.').next().unwrap_or_default();
    let each = name == "map";
    // A method made of another one gets its receiver before these arguments.
    let receiver = u32::from(name == "partialmethod");
    // The function stands first, but for `loop.run_in_executor(None, f)`.
    for (at, e) in positional.iter().enumerate().take(2) {
        let targets = target(*e);
        if targets.is_empty() {
            continue;
        }
        for (f, skip, class) in targets {
            for (i, a) in (skip + receiver..).zip(&positional[at + 1..]) {
                let given = things(*a);
                let given = if each { evaluator.each(&given) } else { given };
                put((f, i), class, &given);
            }
            let params = &evaluator.program.modules[f.module].scope(f.scope).params;
            for a in &call.args {
                if let ArgName::Keyword(k, _) = &a.name
                    && let Some(i) = params.iter().position(|p| p.name == *k)
                {
                    put((f, i as u32), class, &things(a.value));
                }
            }
        }
        return;
    }
}

pub(crate) fn constructor(program: &Program<'_>, index: &Index, class: Place) -> Option<Place> {
    index.lineage(class).into_iter().find_map(|c| {
        let m = &program.modules[c.module];
        let binding = m.scope(c.scope).bindings.get("__init__")?.last()?;
        match binding.bound {
            Bound::Function(scope) => Some(Place {
                module: c.module,
                scope,
            }),
            _ => None,
        }
    })
}
