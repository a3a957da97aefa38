//! Constructs that one call makes several times: for each call of the function around it, and for each item of a loop.
//!
//! **Invariant:** a call that is not seen is there as a making of which nothing is known, so that nothing is said of all of them
//! that only holds for some.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::resources::{CallLowering, method_of};
use super::conditions::is_in_block;
use super::{ConstructCall, FUNCTIONS};
use crate::python::points_to::{ScopeRef, class_named};
use crate::python::{
    AccessStep, ArgName, BindingValue, CallExpr, ExprId, ExprKind, ParamKind, PythonModule, Reaching, Scope, ScopeId,
    ScopeKind,
};
use crate::source::file_name;
use crate::value::{Value, ValueKind};

/// Maximum number of times that one construct is made.
const MAX_MAKINGS: usize = 256;
/// How many functions that call each other are followed.
const MAX_CALLERS: u32 = 3;

/// Keywords of a function that say neither what runs nor with which role.
const HARMLESS_KEYWORDS: &[&str] = &[
    "architecture",
    "description",
    "environment",
    "ephemeral_storage_size",
    "function_name",
    "log_retention",
    "memory_size",
    "reserved_concurrent_executions",
    "runtime",
    "timeout",
];

/// What names hold.
type NamedValues = Vec<(Arc<str>, Value)>;
type NamesOfScopes = Vec<(ScopeId, NamedValues)>;
/// Keywords, with the value where this module gives it.
type GivenKeywords = Vec<(Arc<str>, Option<ExprId>)>;
/// Names that a loop sets, with the parts of an item that they are.
type LoopVariables = Vec<(Arc<str>, Vec<AccessStep>)>;

/// One time that the call of a construct is evaluated.
#[derive(Clone, Debug, Default)]
pub(in crate::formats::python) struct Making {
    /// What names hold then: parameters, variables of loops.
    pub(super) names: NamesOfScopes,
    /// What a parameter is given, where this module gives it.
    given: Vec<(ScopeId, Arc<str>, ExprId)>,
    /// What `**kwargs` of a function holds, where this is all seen: keywords, with the value where this module gives it.
    more: Vec<(ScopeId, GivenKeywords)>,
    /// The ID of the construct of the repository whose constructor makes it.
    pub(super) parent: Option<String>,
}

/// A call of a function of the repository.
struct MakerCall {
    module: usize,
    expr: ExprId,
    /// How many parameters the receiver takes.
    skip: usize,
}

impl CallLowering<'_> {
    /// Each time that a function of Lambda is made by `made`; one where nothing tells them apart, and none where what is given
    /// never lets it run.
    pub(super) fn makings(&self, made: &ConstructCall<'_>) -> Vec<Making> {
        let m = self.module_ref();
        let around = m.function_of(m.expr(made.expr).scope);
        let is_constructor = m.scope(around).qualname.ends_with("__init__");
        let known = self.code_of_function(made);
        let text = |key: &str| known.iter().find(|e| e.key.known().as_deref() == Some(key));
        let place = text("CodePaths")
            .or_else(|| text("PackagePath"))
            .or_else(|| text("Code"));
        let is_known = place.is_some() && text("Handler").is_none_or(|h| h.value.as_str().is_some());
        let loops = !self.loops_around(self.module, made.expr).is_empty();
        if is_known && !loops && (is_constructor && !self.is_super_call(made.call)) {
            return vec![Making::default()];
        }
        let block = m.expr(made.expr).block;
        let mut seen = BTreeSet::new();
        let mut all = self.makings_at(self.module, made.expr, 0);
        // Stacks are often made again for another environment.
        all.retain(|making| !making.excludes(m, block) && seen.insert(self.in_making(making, || self.shape_of(made))));
        if all.len() == 1 || self.is_super_call(made.call) {
            all.iter_mut().for_each(|making| making.parent = None);
        }
        all
    }

    /// What tells functions of one call apart: the IDs, where the code is, and which role is given.
    fn shape_of(&self, made: &ConstructCall<'_>) -> String {
        let id = made.call.argument(1, "id").map(|e| self.values.value(self.module, e));
        let mut out = id.and_then(|v| v.to_text()).map(|t| t.display()).unwrap_or_default();
        out.extend(
            self.making
                .borrow()
                .parent
                .iter()
                .map(|parent| format!("\u{0}{parent}")),
        );
        for e in self.code_of_function(made) {
            e.value.each_text(&mut |v| {
                out.push('\u{0}');
                out.extend(v.to_text().map(|t| t.display()));
            });
        }
        let role = made.keyword(self, "role").and_then(|role| self.written(role));
        let place = role.map(|role| self.module_ref().expr(role).span.start.to_string());
        out.extend(place);
        out
    }

    /// Evaluates as it is in a making.
    pub(super) fn in_making<T>(&self, making: &Making, f: impl FnOnce() -> T) -> T {
        let before = self.making.replace(making.clone());
        for (scope, names) in &making.names {
            self.values.push_names(self.module, *scope, names.clone());
        }
        let out = f();
        for _ in &making.names {
            self.values.pop_names();
        }
        self.making.replace(before);
        out
    }

    /// The expression whose value `expr` is, through names and through parameters that the making is given.
    pub(super) fn written(&self, expr: ExprId) -> Option<ExprId> {
        let m = self.module_ref();
        let mut at = expr;
        for _ in 0..=MAX_CALLERS {
            let found = m.defining_expression(at).unwrap_or(at);
            if let ExprKind::Attr { .. } = &m.expr(found).kind
                && let Some(source) = self.assigned_then(found)
            {
                at = source;
                continue;
            }
            let ExprKind::Name(name) = &m.expr(found).kind else {
                return Some(found);
            };
            let Reaching::Found(reached) = m.reaching_bindings(name, found) else {
                return None;
            };
            let making = self.making.borrow();
            let is_it = |scope: ScopeId, n: &Arc<str>| scope == reached.scope && n == name;
            match making.given.iter().find(|(s, n, _)| is_it(*s, n)) {
                Some(given) => at = given.2,
                // Another module gives it: its value is known, and not where it is written.
                None => {
                    let mut known = making.names.iter();
                    let is_known = known.any(|(s, names)| names.iter().any(|(n, _)| is_it(*s, n)));
                    return is_known.then_some(found);
                }
            }
        }
        None
    }

    /// What an attribute of `self` holds in the making: of what is assigned under conditions, what they let be.
    fn assigned_then(&self, attribute: ExprId) -> Option<ExprId> {
        if let Some(only) = self.values.assigned_attribute(self.module, attribute) {
            return Some(only);
        }
        let m = self.module_ref();
        let ExprKind::Attr { of, name, .. } = &m.expr(attribute).kind else {
            return None;
        };
        let function = m.function_of(m.expr(attribute).scope);
        let (object, making) = (m.dotted(*of)?, self.making.borrow());
        let block = |e: ExprId| m.expr(e).block;
        let all = m.attributes.iter().filter(|a| {
            a.name == *name
                && a.object < attribute
                && m.function_of(a.scope) == function
                && m.dotted(a.object).as_deref() == Some(&*object)
                && !making.excludes(m, block(a.object))
        });
        let last = all.max_by_key(|a| a.object)?;
        let is_certain = making.takes(m, block(last.object), block(attribute));
        let source = last.source.as_ref().filter(|s| s.steps.is_empty() && is_certain)?;
        Some(source.expr)
    }

    /// A keyword that is among `**kwargs` of the function around.
    pub(super) fn more_given(&self, spread: ExprId, name: &str) -> Option<ExprId> {
        let scope = self.scope_of_keywords(spread)?;
        let making = self.making.borrow();
        let (_, more) = making.more.iter().find(|(s, _)| *s == scope)?;
        more.iter().find(|(n, _)| &**n == name)?.1
    }

    /// Whether all that `**kwargs` of the function around may hold is seen, or changes nothing that matters here.
    pub(super) fn is_given(&self, spread: ExprId) -> bool {
        let Some(scope) = self.scope_of_keywords(spread) else {
            return false;
        };
        let making = self.making.borrow();
        let more = making.more.iter().find(|(s, _)| *s == scope);
        more.is_some_and(|(_, more)| {
            more.iter()
                .all(|(n, e)| e.is_some() || HARMLESS_KEYWORDS.contains(&&**n))
        })
    }

    /// The function whose `**kwargs` an expression is.
    fn scope_of_keywords(&self, expr: ExprId) -> Option<ScopeId> {
        let m = self.module_ref();
        let ExprKind::Name(name) = &m.expr(expr).kind else {
            return None;
        };
        let Reaching::Found(found) = m.reaching_bindings(name, expr) else {
            return None;
        };
        let [one] = found.bindings.as_slice() else { return None };
        let BindingValue::Param(i) = one.bound else { return None };
        let param = m.scope(found.scope).params.get(i as usize)?;
        (param.kind == ParamKind::Spread).then_some(found.scope)
    }

    /// Whether `call` makes the construct of its class: `super().__init__(…)`.
    pub(super) fn is_super_call(&self, call: &CallExpr) -> bool {
        let m = self.module_ref();
        let ExprKind::Attr { of, name, .. } = &m.expr(call.function).kind else {
            return false;
        };
        &**name == "__init__" && m.call(*of).is_some_and(|of| method_of(m, of) == "super")
    }

    /// The class of the CDK whose constructor the call is, in a class of the repository that has it as base.
    pub(super) fn class_of_super(&self, call: &CallExpr, expr: ExprId) -> Option<(String, String)> {
        let m = self.module_ref();
        let function = m.function_of(m.expr(expr).scope);
        let class = self.values.class_of_method(self.module, function)?;
        let mut bases = m.scope(class).bases.iter();
        let is_function = |c: &(String, String)| FUNCTIONS.contains(&(&*c.0, &*c.1));
        self.is_super_call(call)
            .then(|| bases.find_map(|base| self.cdk_class(*base).filter(is_function)))?
    }

    /// The class whose objects the call `super().__init__(…)` makes.
    pub(super) fn own_class(&self, expr: ExprId) -> Option<ScopeId> {
        let m = self.module_ref();
        self.values
            .class_of_method(self.module, m.function_of(m.expr(expr).scope))
    }

    /// The calls in this module that make objects of a class of it, and the places in other modules.
    pub(super) fn instances_of(&self, expr: ExprId) -> Vec<(usize, ExprId)> {
        let m = self.module_ref();
        let calls = self.calls_of(self.module, m.function_of(m.expr(expr).scope));
        calls.0.iter().map(|c| (c.module, c.expr)).collect()
    }

    fn makings_at(&self, module: usize, expr: ExprId, depth: u32) -> Vec<Making> {
        let m = &self.program.modules[module];
        let function = m.function_of(m.expr(expr).scope);
        let mut out = Vec::new();
        let (calls, has_others) = match m.scope(function).kind == ScopeKind::Function && depth < MAX_CALLERS {
            true => self.calls_of(module, function),
            false => (Vec::new(), true),
        };
        if calls.is_empty() || has_others {
            out.push(Making::default());
        }
        for call in &calls {
            for outer in self.makings_at(call.module, call.expr, depth + 1) {
                out.push(self.making_of_call(module, function, call, &outer));
                if out.len() > MAX_MAKINGS {
                    return vec![Making::default()];
                }
            }
        }
        let mut all = Vec::new();
        for making in out {
            let rounds = self.with_names_of(module, &making, || self.loops_around(module, expr));
            if rounds.is_empty() {
                all.push(making);
                continue;
            }
            for round in rounds {
                let mut one = making.clone();
                one.names.extend(round);
                all.push(one);
                if all.len() > MAX_MAKINGS {
                    return vec![Making::default()];
                }
            }
        }
        all
    }

    fn with_names_of<T>(&self, module: usize, making: &Making, f: impl FnOnce() -> T) -> T {
        for (scope, names) in &making.names {
            self.values.push_names(module, *scope, names.clone());
        }
        let out = f();
        making.names.iter().for_each(|_| self.values.pop_names());
        out
    }

    /// What a call of `function` gives its parameters, where its own names are those of `outer`.
    fn making_of_call(&self, module: usize, function: ScopeId, from: &MakerCall, outer: &Making) -> Making {
        let (m, caller) = (&self.program.modules[module], &self.program.modules[from.module]);
        let Some(call) = caller.call(from.expr) else {
            return Making::default();
        };
        let mut making = Making::default();
        if from.module == module {
            // What is given is evaluated where it is written.
            making.names.extend(outer.names.iter().cloned());
            making.given.extend(outer.given.iter().cloned());
        }
        let mut names = Vec::new();
        let is_constructor = m.scope(function).qualname.ends_with("__init__");
        self.with_names_of(from.module, outer, || {
            let id = call.argument(1, "id").filter(|_| is_constructor);
            let id = id.and_then(|e| self.values.value(from.module, e).to_text());
            making.parent = id.map(|id| id.display());
            for (i, p) in m.scope(function).params.iter().enumerate().skip(from.skip) {
                let argument = match p.kind {
                    ParamKind::Star | ParamKind::Spread => continue,
                    ParamKind::KeywordOnly => call.keyword(&p.name),
                    _ => call.argument(i - from.skip, &p.name),
                };
                match (argument, p.default) {
                    (Some(e), _) => {
                        names.push((p.name.clone(), self.values.value(from.module, e)));
                        if from.module == module {
                            let through = through(caller, outer, e).unwrap_or(e);
                            making.given.push((function, p.name.clone(), through));
                        }
                    }
                    (None, Some(default)) if !call.has_unpacking() => {
                        names.push((p.name.clone(), self.values.value(module, default)));
                        making.given.push((function, p.name.clone(), default));
                    }
                    _ => {}
                }
            }
        });
        making.names.push((function, names));
        if !call.has_unpacking() {
            let params = &m.scope(function).params;
            let other = call.args.iter().filter_map(|a| match &a.name {
                ArgName::Keyword(name, _) if params.iter().all(|p| p.name != *name) => {
                    Some((name.clone(), (from.module == module).then_some(a.value)))
                }
                _ => None,
            });
            making.more.push((function, other.collect()));
        }
        making
    }

    /// The calls of a function of the repository, and whether it is also used in another way.
    fn calls_of(&self, module: usize, function: ScopeId) -> (Vec<MakerCall>, bool) {
        let home = &self.program.modules[module];
        let scope = home.scope(function);
        let class = self.values.class_of_method(module, function);
        let last = |name: &str| name.rsplit(['.', '>']).next().unwrap_or_default().to_owned();
        let name = last(&scope.qualname);
        let of_class = class.filter(|_| name == "__init__");
        let name = match of_class {
            Some(class) => last(&home.scope(class).qualname),
            None => name,
        };
        let (mut out, mut has_others) = (Vec::new(), false);
        if name.is_empty() || name.starts_with('<') {
            return (out, true);
        }
        let is_only = || {
            let defined = self.program.modules.iter().flat_map(|m| &m.scopes);
            let same = |s: &&Scope| s.kind == ScopeKind::Function && last(&s.qualname) == name;
            defined.filter(same).nth(1).is_none()
        };
        let needle = memchr::memmem::Finder::new(name.as_bytes());
        for (index, m) in self.program.modules.iter().enumerate() {
            let path = self.program.sources.path(m.file);
            let is_test = file_name(path).starts_with("test_") || path.split('/').any(|part| part == "tests");
            if needle.find(self.program.sources.text(m.file).as_bytes()).is_none() || is_test && index != module {
                continue;
            }
            for expr in m.ids() {
                let called = match &m.expr(expr).kind {
                    ExprKind::Call(call) if method_of(m, call) == name => call,
                    _ => continue,
                };
                let found = match of_class {
                    Some(class) => {
                        let own = ScopeRef { module, scope: class };
                        (class_named(self.program, index, called.function) == Some(own)).then_some(1)
                    }
                    None => match self.values.repository_function(index, called.function) {
                        Some((m, s, bound)) => ((m, s) == (module, function)).then_some(usize::from(bound)),
                        None => (class.is_some() && is_method_call(m, called) && is_only()).then_some(1),
                    },
                };
                if let Some(skip) = found {
                    out.push(MakerCall {
                        module: index,
                        expr,
                        skip,
                    });
                }
            }
            if of_class.is_none() && index == module {
                has_others |= is_handed_on(m, &name);
            }
        }
        (out, has_others)
    }

    /// The names that the loops around an expression set, for each round.
    fn loops_around(&self, module: usize, expr: ExprId) -> Vec<NamesOfScopes> {
        let m = &self.program.modules[module];
        let mut rounds: Vec<NamesOfScopes> = Vec::new();
        let mut at = m.expr(expr).scope;
        loop {
            let scope = m.scope(at);
            let mut lists: Vec<(ExprId, LoopVariables)> = Vec::new();
            for name in scope.bindings.keys() {
                let Reaching::Found(found) = m.reaching_bindings(name, expr) else {
                    continue;
                };
                let [one] = found.bindings.as_slice() else { continue };
                let BindingValue::Value(source) = &one.bound else {
                    continue;
                };
                let is_loop = found.scope == at && source.steps.first() == Some(&AccessStep::Each);
                if !(is_loop && is_in_block(m, m.expr(expr).block, one.block)) {
                    continue;
                }
                let variable = (name.clone(), source.steps[1..].to_vec());
                match lists.iter_mut().find(|(list, _)| *list == source.expr) {
                    Some((_, variables)) => variables.push(variable),
                    None => lists.push((source.expr, vec![variable])),
                }
            }
            for (list, variables) in lists {
                let plain = self.values.value(module, list);
                let value = match plain.as_seq().is_some() || plain.entries().is_some() {
                    true => plain,
                    false => self.judged.value(module, list),
                };
                let items: Vec<Value> = match &value.kind {
                    ValueKind::Seq(items) => items.to_vec(),
                    ValueKind::Map(entries) => entries.iter().map(|e| Value::text(e.key.clone(), e.key_span)).collect(),
                    _ => continue,
                };
                let items = items.iter().filter(|_| items.len() <= MAX_MAKINGS);
                let each: Vec<NamedValues> = items
                    .map(|item| {
                        let set = variables.iter();
                        set.filter_map(|(name, steps)| Some((name.clone(), step_into(item, steps)?)))
                            .collect()
                    })
                    .collect();
                if each.is_empty() {
                    continue;
                }
                let before = if rounds.is_empty() { vec![Vec::new()] } else { rounds };
                rounds = before
                    .iter()
                    .flat_map(|round| {
                        each.iter().map(|names| {
                            let mut next = round.clone();
                            next.push((at, names.clone()));
                            next
                        })
                    })
                    .take(MAX_MAKINGS + 1)
                    .collect();
            }
            if matches!(scope.kind, ScopeKind::Function | ScopeKind::Module) || scope.parent == at {
                return rounds;
            }
            at = scope.parent;
        }
    }
}

/// A parameter that is passed on, as what it was given.
fn through(m: &PythonModule, outer: &Making, expr: ExprId) -> Option<ExprId> {
    let ExprKind::Name(name) = &m.expr(expr).kind else {
        return None;
    };
    let Reaching::Found(found) = m.reaching_bindings(name, expr) else {
        return None;
    };
    let given = outer.given.iter().find(|(s, n, _)| *s == found.scope && n == name);
    given.map(|(.., e)| *e)
}

fn step_into(item: &Value, steps: &[AccessStep]) -> Option<Value> {
    let mut value = item;
    for step in steps {
        match step {
            AccessStep::Item(n) => value = value.as_seq()?.get(*n as usize)?,
            _ => return None,
        }
    }
    Some(value.clone())
}

/// A method of an object: `self.functions.create(…)`.
fn is_method_call(m: &PythonModule, call: &CallExpr) -> bool {
    let ExprKind::Attr { of, .. } = &m.expr(call.function).kind else {
        return false;
    };
    !matches!(&m.expr(*of).kind, ExprKind::Name(name) if matches!(&**name, "self" | "cls"))
}

/// Whether a function is named without being called: what is passed may call it as it likes.
fn is_handed_on(m: &PythonModule, name: &str) -> bool {
    let mut called: Vec<ExprId> = m.ids().filter_map(|e| Some(m.call(e)?.function)).collect();
    called.sort_unstable();
    m.ids().any(|e| {
        let named = match &m.expr(e).kind {
            ExprKind::Name(n) => &**n == name,
            ExprKind::Attr { name: n, .. } => &**n == name,
            _ => false,
        };
        named && called.binary_search(&e).is_err()
    })
}
