//! Values that are one of several: what a parameter stands for, a loop's variable, what a key finds that is not known.
//!
//! **Invariant:** only an evaluator that joins makes them. What others may give stays among them as unknown, so that nothing is
//! known for certain which is not.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::python::constants::ConstantEvaluator;
use crate::python::{BindingValue, CallExpr, ExprId, ExprKind, ParamKind, Reaching, ScopeId, ScopeKind};
use crate::source::{Hole, HoleKind, Span, Text};
use crate::value::guard::Fact;
use crate::value::{Branch, Guard, Value, ValueKind, inherited};

/// More alternatives than these are not distinguished.
pub(super) const MAX_ALTERNATIVES: usize = 64;
/// Calls of one function that are looked at, and objects that are distinguished: a policy has few alternatives.
const MAX_CALLS: usize = 12;
const MAX_OBJECTS: usize = 14;

/// The calls of each function of a module in the module itself, and how many parameters the receiver takes.
pub(super) type CallsOfFunction = FxHashMap<ScopeId, Vec<(ExprId, usize)>>;

impl ConstantEvaluator<'_> {
    /// What a parameter may hold: what the calls in its file give, its default, and what anyone else gives.
    pub(super) fn parameter(&self, module: usize, scope: ScopeId, index: u32, unknown: Value) -> Value {
        let m = self.module(module);
        let function = m.scope(scope);
        let fits = |kind| matches!(kind, ParamKind::Plain | ParamKind::KeywordOnly);
        let parameter = function.params.get(index as usize).filter(|p| fits(p.kind));
        let Some(parameter) = parameter.filter(|_| self.joins && function.kind == ScopeKind::Function) else {
            return unknown;
        };
        let callers = self.callers(module);
        let calls = callers.get(&scope).map(Vec::as_slice).unwrap_or_default();
        let (sources, file) = (self.program.sources, function.header.file);
        let line = sources.file(file).lines().line(function.header.start as usize);
        let subject = format!("calls of {} at {}:{line}", function.qualname, sources.path(file));
        let default = parameter.default.map(|d| self.value(module, d)).filter(may_be_truthy);
        let given = |call: &CallExpr, skip: usize| match parameter.kind {
            ParamKind::KeywordOnly => call.keyword(&parameter.name),
            _ => call.argument((index as usize).checked_sub(skip)?, &parameter.name),
        };
        let mut branches = Vec::new();
        for (n, (expr, skip)) in calls.iter().take(MAX_CALLS).enumerate() {
            let Some(call) = m.call(*expr) else { continue };
            let value = match given(call, *skip) {
                Some(argument) => Some(self.value(module, argument)),
                None => default.clone().filter(|_| !call.has_unpacking()),
            };
            let label = format!("for `{}`", self.source_text(self.span(module, *expr)));
            branches.extend(value.filter(may_be_truthy).map(|value| Branch {
                when: Guard::new(&label, vec![Fact::key(&subject, &n.to_string())]),
                value,
            }));
        }
        let other = |label: &str, is_given: bool| {
            let name = format!("{} of {subject}", parameter.name);
            let facts = vec![Fact::key(&subject, "other"), Fact::condition(&name, is_given)];
            Guard::new(label, facts)
        };
        branches.extend(default.map(|value| Branch {
            when: other("by default", false),
            value,
        }));
        if branches.is_empty() {
            return unknown;
        }
        let span = unknown.span;
        branches.push(Branch {
            when: other("otherwise", true),
            value: unknown,
        });
        one_of(branches, span)
    }

    fn callers(&self, module: usize) -> Rc<CallsOfFunction> {
        let known = self.callers.borrow().get(&module).cloned();
        known.unwrap_or_else(|| {
            let m = self.module(module);
            let mut found = CallsOfFunction::default();
            for expr in m.ids() {
                let Some(call) = m.call(expr) else { continue };
                let called = self.repository_function(module, call.function);
                let called = called.or_else(|| self.constructor_of(module, call.function));
                if let Some((_, scope, bound)) = called.filter(|(home, ..)| *home == module) {
                    found.entry(scope).or_default().push((expr, usize::from(bound)));
                }
            }
            let found = Rc::new(found);
            self.callers.borrow_mut().insert(module, found.clone());
            found
        })
    }

    /// `__init__` of the class of this module that `callee` names.
    fn constructor_of(&self, module: usize, callee: ExprId) -> Option<(usize, ScopeId, bool)> {
        let m = self.module(module);
        let ExprKind::Name(name) = &m.expr(callee).kind else {
            return None;
        };
        let Reaching::Found(found) = m.reaching_bindings(name, callee) else {
            return None;
        };
        match found.bindings.as_slice() {
            [one] => match one.bound {
                BindingValue::Class(class) => self.method_of(module, class, "__init__"),
                _ => None,
            },
            _ => None,
        }
    }

    /// An item of a list in a loop over it.
    pub(super) fn any_item(&self, module: usize, list: ExprId, items: &[Value]) -> Value {
        let span = self.span(module, list);
        let most = match items.iter().any(|i| i.entries().is_some()) {
            true => MAX_OBJECTS,
            false => MAX_ALTERNATIVES,
        };
        if items.is_empty() || items.len() > most {
            return self.unknown(module, list);
        }
        let subject = format!("loop over {} at {}", self.source_text(span), span.start);
        let item = |(n, value): (usize, &Value)| Branch {
            when: Guard::new(
                &format!("for item {}", n + 1),
                vec![Fact::key(&subject, &n.to_string())],
            ),
            value: value.clone(),
        };
        one_of(items.iter().enumerate().map(item).collect(), span)
    }

    /// What `key`, written as `index`, finds in a dict or list; `otherwise` is there for keys that are missing.
    pub(super) fn find(
        &self,
        (base, key): (&Value, &Value),
        index: Span,
        otherwise: Option<&Value>,
        span: Span,
    ) -> Option<Value> {
        map_alternatives(base, span, &|base| {
            map_alternatives(key, span, &|key| match (&base.kind, &key.kind) {
                (ValueKind::Map(_), ValueKind::Str(text)) if text.is_known() => {
                    let found = base.get(&text.known()?).or(otherwise)?;
                    Some(found.clone())
                }
                (ValueKind::Map(_), ValueKind::Unknown(_) | ValueKind::Str(_)) => {
                    self.any_entry(base, index, otherwise, span)
                }
                (ValueKind::Seq(items), ValueKind::Num(n)) if items.iter().all(|i| !i.is_unknown()) => {
                    items.get(n.parse::<usize>().ok()?).cloned()
                }
                _ => None,
            })
        })
    }

    fn any_entry(&self, map: &Value, index: Span, otherwise: Option<&Value>, span: Span) -> Option<Value> {
        let entries = map.entries()?;
        let open = entries.iter().any(|e| !e.key.is_known());
        let most = match entries.iter().any(|e| e.value.entries().is_some()) {
            true => MAX_OBJECTS,
            false => MAX_ALTERNATIVES,
        };
        if open || entries.is_empty() || entries.len() > most {
            return None;
        }
        let subject = self.source_text(index);
        let fact = |key: &str| match otherwise {
            Some(_) => Fact::equals(&subject, key, true),
            None => Fact::key(&subject, key),
        };
        let each = entries.iter().map(|e| {
            let key = e.key.display();
            Branch {
                when: Guard::new(&format!("for {key}"), vec![fact(&key)]),
                value: e.value.clone(),
            }
        });
        let none = entries.iter().map(|e| Fact::equals(&subject, &e.key.display(), false));
        let other = otherwise.map(|value| Branch {
            when: Guard::new("for any other", none.collect()),
            value: value.clone(),
        });
        Some(one_of(each.chain(other).collect(), span))
    }

    /// The items of a dict whose keys are known, as its methods give them.
    pub(super) fn items_of(&self, map: &Value, method: &str) -> Option<Value> {
        let entries = map.entries()?;
        if entries.iter().any(|e| !e.key.is_known()) {
            return None;
        }
        let key = |e: &crate::value::MapEntry| Value::text(e.key.clone(), e.key_span);
        let item = |e| match method {
            "keys" => key(e),
            "values" => e.value.clone(),
            _ => Value::seq(vec![key(e), e.value.clone()], e.key_span),
        };
        Some(Value::seq(entries.iter().map(item).collect(), map.span))
    }

    /// `left or right`, where it is not known whether the left side is something.
    pub(super) fn either_value(&self, left: Value, shown: &str, right: &Value, span: Span) -> Value {
        let sides = |left: &Value| match &left.kind {
            ValueKind::Unknown(_) => {
                let side = |is: bool, value: &Value| Branch {
                    when: Guard::condition(shown, is),
                    value: value.clone(),
                };
                Some(one_of(vec![side(true, left), side(false, right)], span))
            }
            _ if may_be_truthy(left) => Some(left.clone()),
            _ => Some(right.clone()),
        };
        map_alternatives(&left, span, &sides).unwrap_or(left)
    }

    /// The default of an environment variable, and what it may be set to.
    pub(super) fn default_or_set(&self, default: Option<Value>, name: &str, set: Value) -> Value {
        let Some(default) = default.filter(|v| self.joins && may_be_truthy(v)) else {
            return set;
        };
        let name = format!("{name} is set");
        let span = set.span;
        let branch = |is: bool, value| Branch {
            when: Guard::condition(&name, is),
            value,
        };
        one_of(vec![branch(false, default), branch(true, set)], span)
    }

    /// Texts one after the other, each of which may be one of several.
    pub(super) fn appended(&self, parts: Vec<Vec<(Guard, Text)>>, span: Span) -> Value {
        let mut whole = vec![(Guard::default(), Text::default())];
        for part in parts {
            let combined = whole.iter().flat_map(|(when, text)| {
                let fits = part.iter().filter(|(other, _)| !when.excludes(other));
                fits.map(|(other, more)| {
                    let mut text = text.clone();
                    text.append(more);
                    (when.and(other), text)
                })
            });
            let combined: Vec<(Guard, Text)> = combined.take(MAX_ALTERNATIVES + 1).collect();
            if combined.len() > MAX_ALTERNATIVES {
                // Which of them stays open.
                let hole = Text::hole(Hole::new(HoleKind::Other, "…", span));
                whole.iter_mut().for_each(|(_, text)| text.append(&hole));
            } else {
                whole = combined;
            }
        }
        let branch = |(when, text)| Branch {
            when,
            value: Value::text(text, span),
        };
        one_of(whole.into_iter().map(branch).collect(), span)
    }

    /// The value as a text, or each alternative as one.
    pub(super) fn texts(&self, module: usize, expr: ExprId) -> Vec<(Guard, Text)> {
        let value = self.value(module, expr);
        match &value.kind {
            ValueKind::OneOf(branches) if self.joins => branches
                .iter()
                .map(|b| (b.when.clone(), self.text_of(&b.value, module, expr)))
                .collect(),
            _ => vec![(Guard::default(), self.text_of(&value, module, expr))],
        }
    }
}

/// `f` of the value, or of each of its alternatives; `None` where one has none.
pub(super) fn map_alternatives(value: &Value, span: Span, f: &dyn Fn(&Value) -> Option<Value>) -> Option<Value> {
    let ValueKind::OneOf(branches) = &value.kind else {
        return f(value);
    };
    let made = branches.iter().map(|b| {
        Some(Branch {
            when: b.when.clone(),
            value: f(&inherited(&b.value, &value.via))?,
        })
    });
    Some(one_of(made.collect::<Option<_>>()?, span))
}

/// `None`, and what is empty, stands for nothing.
fn may_be_truthy(value: &Value) -> bool {
    match &value.kind {
        ValueKind::Null => false,
        ValueKind::Str(text) => !text.is_empty(),
        ValueKind::Seq(items) => !items.is_empty(),
        ValueKind::Map(entries) => !entries.is_empty(),
        _ => true,
    }
}

/// One of several values; nested choices flattened.
pub(super) fn one_of(branches: Vec<Branch>, span: Span) -> Value {
    let mut flat: Vec<Branch> = branches.into_iter().flat_map(Branch::flatten).collect();
    flat.truncate(MAX_ALTERNATIVES);
    match flat.len() {
        0 => Value::new(ValueKind::Null, span),
        1 => flat.remove(0).value,
        _ => Value::new(ValueKind::OneOf(flat.into()), span),
    }
}
