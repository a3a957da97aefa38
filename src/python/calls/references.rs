//! Methods of clients and resource objects that are read and not called there: put into a container, returned, passed on.
//!
//! **Invariant:** each counts as perhaps called, unless a call is seen by which its value is called; only what cannot call it
//! (a comparison, `callable`) is left out.

use rustc_hash::FxHashSet;
use std::sync::Arc;

use crate::iam::sdk::{self, LibraryEffect, LibraryResult};
use crate::python::calls::UnresolvedReason;
use crate::python::calls::call_sites::{CallForm, CallSiteFinder, CallTarget, MethodTargets, Object};
use crate::python::calls::lost_values;
use crate::python::points_to::{AbstractValue, ObjectEvaluator, is_aws, sub_resource};
use crate::python::{Arg, ArgName, CallExpr, ExprId, ExprKind, FStringPart, PythonModule, Usage};

/// Functions of libraries that certainly call the function that they are given.
const CALLERS: &[&str] = &[
    "Process",
    "Thread",
    "Timer",
    "apply",
    "apply_async",
    "call",
    "call_later",
    "call_soon",
    "call_soon_threadsafe",
    "callback",
    "map",
    "run_in_executor",
    "run_in_threadpool",
    "run_sync",
    "starmap",
    "submit",
    "to_thread",
];

/// Keywords of arguments that are called.
const CALLED: &[&str] = &["target", "func", "function"];

/// Methods of clients whose first argument names the operation.
const NAMING: &[&str] = &[
    "get_paginator",
    "get_waiter",
    "generate_presigned_url",
    "_make_api_call",
];

/// Where the expressions of a module stand, as far as it says what becomes of a method that is read there.
pub(super) struct ReferencePlaces {
    /// What looks at them does not call them.
    inspected: FxHashSet<ExprId>,
    /// Parts of containers, what functions return, arguments of what calls them.
    handed: FxHashSet<ExprId>,
    /// Another attribute is read of them.
    objects: FxHashSet<ExprId>,
}

impl ReferencePlaces {
    pub(super) fn new(evaluator: &ObjectEvaluator<'_>, module: usize) -> Self {
        let m = &evaluator.program.modules[module];
        let mut out = Self {
            inspected: FxHashSet::default(),
            handed: m.scopes.iter().flat_map(|s| s.returns.iter().copied()).collect(),
            objects: FxHashSet::default(),
        };
        for e in &m.exprs {
            match &e.kind {
                ExprKind::Comparison(operands) => out.inspected.extend(operands),
                ExprKind::Join(parts) => out.inspected.extend(parts.iter().filter_map(|part| match part {
                    FStringPart::Value(e) => Some(*e),
                    FStringPart::Lit(_) => None,
                })),
                ExprKind::Attr { of, name, .. } if &**name != "__call__" => {
                    out.objects.insert(*of);
                    if name.starts_with("__") {
                        out.inspected.insert(*of);
                    }
                }
                ExprKind::List(items) | ExprKind::Tuple(items) => out.handed.extend(items),
                ExprKind::Dict(pairs) => out.handed.extend(pairs.iter().map(|p| p.value)),
                ExprKind::Call(call) => out.add_arguments(evaluator, module, call),
                _ => {}
            }
        }
        out
    }

    fn add_arguments(&mut self, evaluator: &ObjectEvaluator<'_>, module: usize, call: &CallExpr) {
        let m = &evaluator.program.modules[module];
        let is_reference = |e: ExprId| matches!(m.expr(e).kind, ExprKind::Attr { .. } | ExprKind::Call(_));
        let all = || call.args.iter().map(|a| a.value).filter(|e| is_reference(*e));
        if all().next().is_none() {
            return;
        }
        let only_inspects = |t: &AbstractValue| match t {
            AbstractValue::Library(name) => sdk::library_effects(name).contains(&LibraryEffect::OnlyInspects),
            _ => false,
        };
        let callee = evaluator.values(module, call.function);
        if !callee.is_empty() && callee.iter().all(only_inspects) {
            // `setattr(x, name, value)` keeps the third, `getattr` may return it.
            let accesses =
                |t: &AbstractValue| matches!(t, AbstractValue::Library(n) if matches!(&**n, "getattr" | "setattr"));
            let kept = call.positional(2).filter(|_| callee.iter().any(accesses));
            self.inspected.extend(all().filter(|e| Some(*e) != kept));
            self.handed.extend(kept);
        } else {
            self.handed.extend(called_arguments(m, call).map(|(_, a)| a.value));
        }
    }
}

/// The arguments that a call of a library certainly calls, with their positions.
fn called_arguments<'c>(m: &PythonModule, call: &'c CallExpr) -> impl Iterator<Item = (usize, &'c Arg)> {
    let name = match &m.expr(call.function).kind {
        ExprKind::Name(name) | ExprKind::Attr { name, .. } => &**name,
        _ => "",
    };
    let calls = CALLERS.contains(&name) || m.dotted(call.function).is_some_and(|name| name == "atexit.register");
    call.args.iter().enumerate().filter(move |(_, a)| match &a.name {
        ArgName::Positional => calls,
        ArgName::Keyword(k, _) => CALLED.contains(&&**k),
        ArgName::Star | ArgName::Spread => false,
    })
}

impl CallSiteFinder<'_, '_> {
    /// Methods that a call hands to code that we don't see and that calls them: `executor.submit(s3.get_object, …)`.
    pub(super) fn passed_methods(&mut self, m: &PythonModule, expr: ExprId, call: &CallExpr, callee: &[AbstractValue]) {
        let hidden = |t: &AbstractValue| {
            matches!(
                t,
                AbstractValue::Opaque | AbstractValue::Library(_) | AbstractValue::Bound(..)
            )
        };
        if !callee.iter().all(hidden) {
            return;
        }
        let is_partial = |t: &AbstractValue| matches!(t, AbstractValue::Library(n) if sdk::library_result(n) == Some(LibraryResult::Partial));
        let (with, called): (_, Vec<(usize, &Arg)>) = match callee.iter().any(is_partial) {
            true => (Some(expr), call.args.iter().enumerate().take(1).collect()),
            false => (None, called_arguments(m, call).collect()),
        };
        self.form = CallForm::ByValue;
        for (at, a) in called {
            if !matches!(
                m.expr(a.value).kind,
                ExprKind::Attr { .. } | ExprKind::Name(_) | ExprKind::Call(_)
            ) {
                continue;
            }
            let values = self.evaluator.values(self.module, a.value);
            if !values.iter().any(is_method) {
                continue;
            }
            let made = CallExpr {
                function: a.value,
                args: call.args.iter().skip(at + 1).map(copied).collect(),
            };
            let found = self.bound_targets(m, a.value, &made, &values);
            self.add_site(a.value, with, &found.method, found.targets, found.object, true);
        }
    }

    /// An attribute of a resource object that is neither identifier nor member: boto3 loads the object.
    pub(super) fn read_attribute(&mut self, m: &PythonModule, expr: ExprId, of: ExprId, name: &Arc<str>) {
        if !matches!(
            m.expr(of).kind,
            ExprKind::Name(_) | ExprKind::Attr { .. } | ExprKind::Call(_) | ExprKind::Index { .. }
        ) {
            return;
        }
        let mut targets = Vec::new();
        let mut object = None;
        for t in self.evaluator.values(self.module, of).iter() {
            let AbstractValue::Resource(c, ty, o) = t else { continue };
            if o.is_loaded() {
                continue;
            }
            let known = ty.ids().any(|id| id == &**name)
                || ty.collection(name).is_some()
                || ty.method(name).is_some()
                || sub_resource(*c, *ty, name).is_some()
                || name.starts_with('_')
                || name.starts_with("get_available")
                || name.starts_with("wait_until")
                || matches!(&**name, "meta" | "load" | "reload" | "batch_writer");
            if known {
                continue;
            }
            let injected = ty.method("load").map(|m| m.calls().collect::<Vec<_>>());
            let ops = injected.unwrap_or_else(|| ty.load().into_iter().collect());
            targets.extend(ops.into_iter().map(|op| CallTarget::Operation(*c, op)));
            object = Some(Object {
                ty: *ty,
                made: o.call(),
                reported: o.is_reported(),
            });
        }
        self.add_site(expr, None, name, targets, object, true);
    }

    /// An attribute that is read and not called.
    pub(super) fn method_read(&mut self, m: &PythonModule, expr: ExprId, name: &Arc<str>, places: &ReferencePlaces) {
        if places.inspected.contains(&expr) {
            return;
        }
        let values = self.evaluator.values(self.module, expr);
        if values.iter().any(is_method) {
            return self.known_reference(m, expr, &values);
        }
        let is_object = places.objects.contains(&expr);
        if !is_object && lost_values::may_be_client_method(&values) && !lost_values::is_literal_receiver(m, expr) {
            self.lost_reference(expr, name, places);
        }
    }

    fn known_reference(&mut self, m: &PythonModule, expr: ExprId, values: &[AbstractValue]) {
        let naming = values.iter().find_map(|t| match t {
            AbstractValue::Bound(of, name) if is_aws(of) && NAMING.contains(&&**name) => Some(name.clone()),
            _ => None,
        });
        if let Some(name) = naming {
            return self.named_references.push((expr, name));
        }
        let without = CallExpr {
            function: expr,
            args: Vec::new(),
        };
        self.form = CallForm::Reference;
        let MethodTargets {
            method,
            targets,
            object,
        } = self.bound_targets(m, expr, &without, values);
        self.add_site(expr, None, &method, targets, object, false);
        self.form = CallForm::Direct;
    }

    /// A method of something of which nothing is known.
    fn lost_reference(&mut self, expr: ExprId, name: &Arc<str>, places: &ReferencePlaces) {
        let targets = lost_values::operations_read(self.evaluator, name, places.handed.contains(&expr));
        self.form = CallForm::Reference;
        self.add_site(expr, None, name, targets, None, false);
        self.form = CallForm::Direct;
    }

    /// An attribute that is read by its name: `getattr(client, "put_item")`, `attrgetter("put_item")`.
    pub(super) fn named_attribute(
        &mut self,
        m: &PythonModule,
        expr: ExprId,
        call: &CallExpr,
        places: &ReferencePlaces,
    ) {
        let callee = self.evaluator.values(self.module, call.function);
        for name in callee.iter().filter_map(|t| match t {
            AbstractValue::Library(name) => Some(name),
            _ => None,
        }) {
            if sdk::library_effects(name).contains(&LibraryEffect::NamesAttributes) {
                self.named_by_text(m, expr, call, places);
            } else if sdk::library_result(name) == Some(LibraryResult::Attribute)
                && m.expr(expr).usage == Usage::Load
                && !places.inspected.contains(&expr)
            {
                let values = self.evaluator.values(self.module, expr);
                let asked = call.positional(1);
                if values.iter().any(is_method) {
                    self.known_reference(m, expr, &values);
                } else if lost_values::may_be_client_method(&values) {
                    for text in asked.map_or_else(Vec::new, |a| self.evaluator.texts(self.module, a, None)) {
                        self.lost_reference(expr, &text, places);
                    }
                }
            }
        }
    }

    /// A function is made that reads, or calls, what its arguments name of any object.
    fn named_by_text(&mut self, m: &PythonModule, expr: ExprId, call: &CallExpr, places: &ReferencePlaces) {
        if self.evaluator.index.services().is_empty() {
            return;
        }
        let positional = call.args.iter().filter(|a| a.name == ArgName::Positional);
        let mut known = true;
        for a in positional.take(1) {
            let texts = self.evaluator.texts(self.module, a.value, None);
            known &= !texts.is_empty();
            for text in texts {
                let last: Arc<str> = text.rsplit('.').next().unwrap_or_default().into();
                self.lost_reference(expr, &last, places);
            }
        }
        if !known || call.has_unpacking() {
            self.add_unresolved(m, expr, UnresolvedReason::Operation);
        }
    }

    /// `map(getattr, …)`, `reduce(getattr, …)`: names that nothing shows are read of anything.
    pub(super) fn reader_passed(&mut self, m: &PythonModule, expr: ExprId, name: &str) {
        let reads = |t: &AbstractValue| matches!(t, AbstractValue::Library(n) if sdk::library_result(n) == Some(LibraryResult::Attribute));
        if name == "getattr"
            && !self.evaluator.index.services().is_empty()
            && self.evaluator.values(self.module, expr).iter().any(reads)
        {
            self.add_unresolved(m, expr, UnresolvedReason::Operation);
        }
    }

    /// All attributes of something of AWS are read: `inspect.getmembers(client)`.
    pub(super) fn attributes_listed(&mut self, m: &PythonModule, expr: ExprId, call: &CallExpr, name: &str) {
        let effects = sdk::library_effects(name);
        if !effects.contains(&LibraryEffect::ReadsAnyAttribute) || effects.contains(&LibraryEffect::NamesAttributes) {
            return;
        }
        let of_aws = |e: ExprId| {
            self.evaluator.values(self.module, e).iter().any(|t| {
                matches!(
                    t,
                    AbstractValue::Client(_)
                        | AbstractValue::SomeClient
                        | AbstractValue::UnlistedClient(_)
                        | AbstractValue::Resource(..)
                )
            })
        };
        if call.positional(0).is_some_and(of_aws) {
            self.add_unresolved(m, expr, UnresolvedReason::Operation);
        }
    }

    /// A paginator, a waiter, or a signed address is asked for by a value of which no call is seen: for any operation.
    pub(super) fn add_unnamed_references(&mut self, m: &PythonModule) {
        for (expr, name) in std::mem::take(&mut self.named_references) {
            if !self.named_by_value.contains(&name) {
                self.add_unresolved(m, expr, UnresolvedReason::Operation);
            }
        }
    }

    /// Notes that a method is called by value.
    pub(super) fn note_by_value(&mut self, name: &Arc<str>) {
        if self.form == CallForm::ByValue && NAMING.contains(&&**name) {
            self.named_by_value.insert(name.clone());
        }
    }
}

fn copied(a: &Arg) -> Arg {
    Arg {
        name: a.name.clone(),
        value: a.value,
    }
}

fn is_method(value: &AbstractValue) -> bool {
    matches!(value, AbstractValue::Bound(of, _) if is_aws(of))
}
