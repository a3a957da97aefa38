//! What parameters stand for: arguments carried from the places that call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::python::points_to::abstract_value::{AbstractValue, ScopeRef, ValueSet, ValueSetBuilder, single};
use crate::python::points_to::callable_names::CallableNames;
use crate::python::points_to::evaluate;
use crate::python::points_to::evaluate::ObjectEvaluator;
use crate::python::points_to::index::ObjectIndex;
use crate::python::{ArgName, BindingValue, CallExpr, ExprId, ExprKind, Program, PythonModule, ScopeId, ScopeKind};

/// How often arguments are carried into parameters; chains of calls that hand on a client are rarely longer.
const MAX_ROUNDS: usize = 12;
/// Things that one parameter may stand for before the rest is only [`AbstractValue::More`].
const MAX_PARAM: usize = 32;

/// A parameter of a function, or a field of a dataclass.
pub(crate) type ParamSlot = (ScopeRef, u32);

/// What parameters stand for, over all call sites.
#[derive(Debug, Default)]
pub(crate) struct Params {
    all: FxHashMap<ParamSlot, ValueSet>,
    /// The part of it that comes from calls on this class: `super().__init__("sqs")` in it, `Queue("q")`.
    on: FxHashMap<ParamSlot, BTreeMap<ScopeRef, ValueSet>>,
    /// Which functions give a text for it, and of which of their own parameters, if it is one.
    named: FxHashMap<ParamSlot, BTreeMap<Arc<str>, BTreeSet<ArgumentOrigin>>>,
    /// Those for which some call gives something that is not known.
    unknown: FxHashSet<ParamSlot>,
}

/// The function that gives an argument, and its parameter that the argument is.
type ArgumentOrigin = (ScopeRef, Option<ParamSlot>);

/// An argument on its way.
struct PassedArgument {
    param: ParamSlot,
    /// The class that it is called on.
    class: Option<ScopeRef>,
    values: ValueSet,
    by: ArgumentOrigin,
}

impl Params {
    pub(crate) fn get(&self, function: ScopeRef, i: u32) -> Option<&ValueSet> {
        self.all.get(&(function, i))
    }

    /// What the parameter stands for when the method is run on an instance of a class with this lineage.
    pub(crate) fn get_on(&self, function: ScopeRef, i: u32, lineage: &[ScopeRef]) -> Option<ValueSet> {
        let mut bag = ValueSetBuilder::default();
        if let Some(on) = self.on.get(&(function, i)) {
            lineage
                .iter()
                .filter_map(|class| on.get(class))
                .for_each(|values| bag.put_all(values));
        }
        if bag.is_empty() {
            return self.get(function, i).cloned();
        }
        Some(bag.finish())
    }

    /// The functions that give this text for a parameter, whether they are called themselves or not.
    pub(crate) fn callers_passing(&self, param: ParamSlot, text: &str) -> BTreeSet<ScopeRef> {
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

    /// Whether a parameter has a default, or something is given for it.
    fn has_value(&self, program: &Program<'_>, (function, i): ParamSlot) -> bool {
        let scope = program.modules[function.module].scope(function.scope);
        let has_default = || scope.params.get(i as usize).is_some_and(|p| p.default.is_some());
        self.all.contains_key(&(function, i)) || scope.kind == ScopeKind::Class || has_default()
    }

    /// Carries arguments into parameters until nothing new arrives.
    pub(crate) fn new(program: &Program<'_>, index: &ObjectIndex) -> Self {
        Self::of(program, index, &program.all_modules())
    }

    /// The same for what some of the modules hand on.
    pub(crate) fn of(program: &Program<'_>, index: &ObjectIndex, modules: &[usize]) -> Self {
        let mut params = Self::default();
        // The parameters that each module's answers depend on: it is asked again only when one of them changed.
        let mut asked: Vec<FxHashSet<ParamSlot>> = vec![FxHashSet::default(); program.modules.len()];
        let mut due: Vec<usize> = modules.to_vec();
        let names = CallableNames::new(program);
        for round in 0..=MAX_ROUNDS {
            let found: Vec<(Vec<PassedArgument>, FxHashSet<ParamSlot>)> = due
                .par_iter()
                .map(|module| passed_arguments(program, index, &params, &names, *module))
                .collect();
            let mut changed: FxHashSet<ParamSlot> = FxHashSet::default();
            for (module, (handed, read)) in due.iter().zip(found) {
                asked[*module] = read;
                for PassedArgument {
                    param,
                    class,
                    values,
                    by,
                } in handed
                {
                    for t in values.iter() {
                        if let AbstractValue::Text(text) = t {
                            let named = params.named.entry(param).or_default();
                            named.entry(text.clone()).or_default().insert(by);
                        }
                    }
                    // What only is not known changes nothing until something else is given.
                    if values.contains(&AbstractValue::Opaque) {
                        params.unknown.insert(param);
                    }
                    if values.iter().all(|t| !evaluate::is_worth_following(t)) && !params.has_value(program, param) {
                        continue;
                    }
                    let values = with_unknown(&values, params.unknown.contains(&param));
                    let given = params.all.entry(param).or_default();
                    let mut is_new = add(given, &values);
                    // What it hands on is not followed.
                    if is_new && round == MAX_ROUNDS {
                        add(given, &single(AbstractValue::More));
                    }
                    if let Some(class) = class {
                        is_new |= add(params.on.entry(param).or_default().entry(class).or_default(), &values);
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

/// What is given for a parameter: next to texts, that there are others matters; next to objects, it does not.
fn with_unknown(values: &[AbstractValue], is_unknown: bool) -> ValueSet {
    let mut bag = ValueSetBuilder::default();
    let known = values.iter().filter(|t| evaluate::is_worth_following(t));
    known.cloned().for_each(|t| bag.put(t));
    if is_unknown && bag.iter().all(|t| matches!(t, AbstractValue::Text(_))) {
        bag.put(AbstractValue::Opaque);
    }
    bag.finish()
}

fn add(to: &mut ValueSet, values: &ValueSet) -> bool {
    let mut bag = ValueSetBuilder::default();
    bag.put_all(to);
    bag.put_all(values);
    let new = bag.finish_within(MAX_PARAM);
    let changed = **to != *new;
    *to = new;
    changed
}

/// What the calls and decorators of one module hand to functions of the repository, and the parameters that were looked at
/// to tell.
fn passed_arguments(
    program: &Program<'_>,
    index: &ObjectIndex,
    params: &Params,
    names: &CallableNames<'_>,
    module: usize,
) -> (Vec<PassedArgument>, FxHashSet<ParamSlot>) {
    let m = &program.modules[module];
    let evaluator = ObjectEvaluator::new(program, index, params);
    let mut out = Vec::new();
    for expr in m.ids() {
        let Some(call) = m.call(expr) else { continue };
        if call.args.is_empty() {
            continue;
        }
        let callee = match names.may_be_callable(m, call.function) {
            true => evaluator.values(module, call.function),
            false => ValueSet::default(),
        };
        let place = ScopeRef {
            module,
            scope: m.function_of(m.expr(expr).scope),
        };
        let mut hidden = true;
        for t in callee.iter() {
            let (f, skip, class) =
                match t {
                    AbstractValue::Function(f) => (*f, 0, None),
                    AbstractValue::Method(f, class) => (*f, 1, Some(*class)),
                    AbstractValue::Class(c) => match constructor(program, index, *c) {
                        Some(f) => (f, 1, Some(*c)),
                        None => {
                            // A dataclass: its fields take the arguments.
                            hidden = false;
                            let names = evaluate::fields(&program.modules[c.module], c.scope);
                            out.extend(evaluator.field_arguments(module, call, &names).into_iter().map(
                                |(i, values)| PassedArgument {
                                    param: (*c, i),
                                    class: None,
                                    values,
                                    by: (place, None),
                                },
                            ));
                            continue;
                        }
                    },
                    _ => continue,
                };
            hidden = false;
            for (i, values) in evaluator.arguments(module, call, f, skip, None) {
                let given = call_argument(&program.modules[f.module], call, f, i, skip);
                let by = (place, given.and_then(|e| evaluator.parameter(module, e)));
                out.push(PassedArgument {
                    param: (f, i),
                    class,
                    values,
                    by,
                });
            }
        }
        let first = call.args.iter().take_while(|a| a.name == ArgName::Positional).take(2);
        let mut functions = first.map(|a| a.value).chain(call.keyword("target"));
        if hidden && functions.any(|e| names.may_be_callable(m, e)) {
            for on in receivers(&evaluator, params, module, call) {
                deferred_call(&evaluator, (module, place), call, on, &mut out);
            }
        }
    }
    for (scope, s) in m.scopes.iter_enumerated() {
        if s.kind != ScopeKind::Function {
            continue;
        }
        for d in &s.decorators {
            for t in evaluator.values(module, *d).iter() {
                let param = match t {
                    AbstractValue::Function(f) => (*f, 0),
                    AbstractValue::Method(f, _) => (*f, 1),
                    _ => continue,
                };
                out.push(PassedArgument {
                    param,
                    class: None,
                    values: single(AbstractValue::Function(ScopeRef { module, scope })),
                    by: (
                        ScopeRef {
                            module,
                            scope: ScopeId::MODULE,
                        },
                        None,
                    ),
                });
            }
        }
    }
    (out, evaluator.params_read())
}

/// What a call gives for a parameter of `f`, by name or by position.
fn call_argument(m: &PythonModule, call: &CallExpr, f: ScopeRef, i: u32, skip: u32) -> Option<ExprId> {
    let name = &m.scope(f.scope).params.get(i as usize)?.name;
    let position = i.checked_sub(skip).and_then(|n| call.positional(n as usize));
    call.keyword(name).or(position)
}

/// The classes of the instances on which the method around a call runs, where one of the call's first arguments is a
/// parameter of it that is another for each of them: `executor.submit(call, item)`. Any, where there are none.
fn receivers(
    evaluator: &ObjectEvaluator<'_>,
    params: &Params,
    module: usize,
    call: &CallExpr,
) -> Vec<Option<ScopeRef>> {
    let of_parameter = |e: ExprId| params.on.get(&evaluator.parameter(module, e)?);
    let first = call.args.iter().take(2).map(|a| a.value);
    let by_class: BTreeSet<ScopeRef> = first
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
fn deferred_call(
    evaluator: &ObjectEvaluator<'_>,
    (module, place): (usize, ScopeRef),
    call: &CallExpr,
    on: Option<ScopeRef>,
    out: &mut Vec<PassedArgument>,
) {
    let mut put = |param: ParamSlot, class: Option<ScopeRef>, values: &[AbstractValue]| {
        out.push(PassedArgument {
            param,
            class,
            values: match values {
                [] => single(AbstractValue::Opaque),
                values => values.into(),
            },
            by: (place, None),
        });
    };
    let m = &evaluator.program.modules[module];
    let values = |e: ExprId| evaluator.values_on(module, e, on);
    let target = |e: ExprId| -> Vec<(ScopeRef, u32, Option<ScopeRef>)> {
        let values = values(e);
        let found = values.iter().filter_map(|t| match t {
            AbstractValue::Function(f) => Some((*f, 0, None)),
            AbstractValue::Method(f, class) => Some((*f, 1, Some(*class))),
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
                put((f, i), class, &values(*a));
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
    let each = matches!(name, "map" | "filter" | "imap" | "imap_unordered" | "map_async");
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
                let given = values(*a);
                let given = if each {
                    evaluator.contents_of_each(&given)
                } else {
                    given
                };
                put((f, i), class, &given);
            }
            let params = &evaluator.program.modules[f.module].scope(f.scope).params;
            for a in &call.args {
                if let ArgName::Keyword(k, _) = &a.name
                    && let Some(i) = params.iter().position(|p| p.name == *k)
                {
                    put((f, i as u32), class, &values(a.value));
                }
            }
        }
        return;
    }
}

pub(crate) fn constructor(program: &Program<'_>, index: &ObjectIndex, class: ScopeRef) -> Option<ScopeRef> {
    index.lineage(class).into_iter().find_map(|c| {
        let m = &program.modules[c.module];
        let binding = m.scope(c.scope).bindings.get("__init__")?.last()?;
        match binding.bound {
            BindingValue::Function(scope) => Some(ScopeRef {
                module: c.module,
                scope,
            }),
            _ => None,
        }
    })
}
