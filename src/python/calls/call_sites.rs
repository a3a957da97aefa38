//! The places in a module that call AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::iam::sdk::{self, Client, LibraryResult, SdkOperation, SdkResourceType};
use crate::iam::unlisted::UnlistedMethod;
use crate::python::calls::library_models;
use crate::python::calls::lost_values;
use crate::python::calls::references::ReferencePlaces;
use crate::python::calls::spelled::{is_method_of_any, operation, service_named, waiters_like};
use crate::python::calls::spelled_operations;
use crate::python::calls::switched_off::may_never_run;
use crate::python::calls::{UnresolvedCall, UnresolvedReason};
use crate::python::points_to::{AbstractValue, ExprRef, ObjectEvaluator, ScopeRef, is_aws};
use crate::python::{ArgName, CallExpr, ExprId, ExprKind, PythonModule, Usage};
use crate::source::Span;

/// One operation called at one place.
#[derive(Clone, Debug)]
pub(crate) struct CallSite {
    pub at: ExprRef,
    /// The call whose arguments count; none for an attribute that is read.
    pub call: Option<ExprId>,
    pub target: CallTarget,
    pub method: Arc<str>,
    /// The object of the resource API whose method it is.
    pub object: Option<Object>,
    pub certain: bool,
    pub form: CallForm,
    /// See [`crate::python::calls::ApiCall::callers`].
    pub callers: Vec<ScopeRef>,
}

impl CallSite {
    /// How many arguments of `call` stand before those of the method: `partial(client.method, …)`.
    pub(super) fn skipped(&self) -> usize {
        usize::from(self.form == CallForm::ByValue && self.call.is_some_and(|call| call != self.at.1))
    }
}

/// How a method is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallForm {
    /// `client.method(…)`
    Direct,
    /// By a value that is the method: `send(…)`, `pool.submit(send, …)`.
    ByValue,
    /// It is read here, and called elsewhere if at all: `calls.append(client.method)`.
    Reference,
}

/// An object of the resource API.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object {
    pub ty: SdkResourceType,
    /// The call that made it, or that made what reported of it.
    pub made: Option<ExprRef>,
    /// Whether something else reported of it.
    pub reported: bool,
}

impl Object {
    /// The same, as another place where it may come from says.
    fn merge(self, before: Option<Self>) -> Self {
        match (self.made, before) {
            (None, Some(before)) => Self { ty: self.ty, ..before },
            _ => self,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CallTarget {
    Operation(Client, SdkOperation),
    /// Actions that no operation stands for, and the prefix of the first.
    Actions {
        service: Arc<str>,
        all: Vec<&'static str>,
        /// Only one of them is needed.
        any: bool,
    },
    /// A method that the API data does not have, of the client of this name.
    Unlisted {
        service: Arc<str>,
        method: Arc<str>,
        needs: UnlistedMethod,
    },
}

impl CallTarget {
    /// Its own method, where the call may name others.
    fn method(&self) -> Option<&Arc<str>> {
        match self {
            Self::Unlisted { method, .. } => Some(method),
            Self::Operation(..) | Self::Actions { .. } => None,
        }
    }
}

/// What the methods that a value may be call.
pub(super) struct MethodTargets {
    pub(super) method: Arc<str>,
    pub(super) targets: Vec<CallTarget>,
    pub(super) object: Option<Object>,
}

pub(crate) struct CallSiteFinder<'e, 'p> {
    pub(super) evaluator: &'e ObjectEvaluator<'p>,
    pub(super) module: usize,
    pub(super) found: Vec<CallSite>,
    unresolved: Vec<UnresolvedCall>,
    /// How what is added now is called.
    pub(super) form: CallForm,
    /// Methods whose argument names the operation, that are called by value, and where they are read.
    pub(super) named_by_value: BTreeSet<Arc<str>>,
    pub(super) named_references: Vec<(ExprId, Arc<str>)>,
    /// The only service with a method of this name.
    unique: BTreeMap<Arc<str>, Option<Client>>,
    /// Of the call that is looked at: the targets that some callers name, and these.
    named_by: Vec<(CallTarget, Vec<ScopeRef>)>,
}

/// All sites of a module, in the order of the text.
pub(crate) fn find_call_sites(evaluator: &ObjectEvaluator<'_>, module: usize) -> (Vec<CallSite>, Vec<UnresolvedCall>) {
    let mut s = CallSiteFinder {
        evaluator,
        module,
        found: Vec::new(),
        unresolved: Vec::new(),
        form: CallForm::Direct,
        named_by_value: BTreeSet::new(),
        named_references: Vec::new(),
        unique: BTreeMap::new(),
        named_by: Vec::new(),
    };
    let m = &evaluator.program.modules[module];
    let places = ReferencePlaces::new(evaluator, module);
    for expr in m.ids() {
        match &m.expr(expr).kind {
            ExprKind::Call(call) => {
                s.call(m, expr, call);
                s.named_attribute(m, expr, call, &places);
            }
            ExprKind::Attr { of, name, .. } if m.expr(expr).usage == Usage::Load => {
                s.read_attribute(m, expr, *of, name);
                s.method_read(m, expr, name, &places);
            }
            ExprKind::Name(name) if m.expr(expr).usage == Usage::Load => s.reader_passed(m, expr, name),
            _ => {}
        }
    }
    s.add_unnamed_references(m);
    s.found.sort_by_key(|f| (m.expr(f.at.1).span.start, f.at.1, f.form));
    (s.found, s.unresolved)
}

impl CallSiteFinder<'_, '_> {
    fn call(&mut self, m: &PythonModule, expr: ExprId, call: &CallExpr) {
        self.named_by.clear();
        let callee = self.evaluator.values(self.module, call.function);
        let bound = |t: &AbstractValue| matches!(t, AbstractValue::Bound(of, _) if is_aws(of));
        let direct = match &m.expr(call.function).kind {
            ExprKind::Attr { of, .. } => {
                !callee.iter().any(bound) || self.evaluator.values(self.module, *of).iter().any(is_aws)
            }
            _ => false,
        };
        self.form = match direct {
            true => CallForm::Direct,
            false => CallForm::ByValue,
        };
        let MethodTargets {
            method,
            targets,
            object,
        } = self.bound_targets(m, expr, call, &callee);
        for t in callee.iter() {
            if let AbstractValue::Library(name) = t {
                self.library(expr, call, name);
            }
        }
        if callee.contains(&AbstractValue::Opaque) && targets.is_empty() {
            self.add_uncertain_call(m, expr, call);
        }
        if targets.is_empty()
            && lost_values::may_be_client_method(&callee)
            && !lost_values::is_literal_receiver(m, call.function)
        {
            self.call_on_lost_value(m, expr, call, &callee);
        }
        // A class of the repository may stand in for the client.
        let own = callee
            .iter()
            .any(|t| matches!(t, AbstractValue::Method(..) | AbstractValue::Function(_)));
        let is_picked = targets.len() > 1 && spelled_operations::is_one_of_several(m, call.function)
            || spelled_operations::may_be_another(m, call.function, &callee);
        self.add_site(expr, Some(expr), &method, targets, object, !own && !is_picked);
        self.passed_methods(m, expr, call, &callee);
        self.form = CallForm::Direct;
    }

    /// What a call with these arguments calls, of the methods that its callee may be.
    pub(super) fn bound_targets(
        &mut self,
        m: &PythonModule,
        expr: ExprId,
        call: &CallExpr,
        callee: &[AbstractValue],
    ) -> MethodTargets {
        let mut out = MethodTargets {
            method: "".into(),
            targets: Vec::new(),
            object: None,
        };
        for t in callee {
            let AbstractValue::Bound(receiver, name) = t else {
                continue;
            };
            out.method = name.clone();
            self.note_by_value(name);
            let of = match &**receiver {
                AbstractValue::Resource(_, ty, o) => Some((*ty, o)),
                AbstractValue::Collection(_, ty, member, o, _) => Some((member.returns().unwrap_or(*ty), o)),
                _ => None,
            };
            if let Some((ty, o)) = of {
                let of = Object {
                    ty,
                    made: o.call(),
                    reported: o.is_reported(),
                };
                out.object = Some(of.merge(out.object));
            }
            // What an annotation leaves open, another place may say.
            let known = matches!(**receiver, AbstractValue::SomeClient)
                && callee
                    .iter()
                    .any(|t| matches!(t, AbstractValue::Bound(r, _) if matches!(**r, AbstractValue::Client(_))));
            if known {
                continue;
            }
            self.method_call(m, expr, call, receiver, name, &mut out.targets);
        }
        out.targets.extend(self.unlisted_targets(m, expr, call, callee));
        out
    }

    pub(super) fn add_site(
        &mut self,
        at: ExprId,
        call: Option<ExprId>,
        method: &Arc<str>,
        mut targets: Vec<CallTarget>,
        object: Option<Object>,
        certain: bool,
    ) {
        targets.dedup();
        let mut services: Vec<&str> = targets
            .iter()
            .map(|t| match t {
                CallTarget::Operation(c, _) => c.name(),
                CallTarget::Actions { service, .. } | CallTarget::Unlisted { service, .. } => service,
            })
            .collect();
        services.sort_unstable();
        services.dedup();
        let certain =
            certain && services.len() == 1 && !may_never_run(&self.evaluator.program.modules[self.module], at);
        for target in targets {
            let named = self.named_by.iter().find(|(t, _)| *t == target);
            let callers = named.map(|(_, callers)| callers.clone()).unwrap_or_default();
            self.found.push(CallSite {
                at: (self.module, at),
                call,
                method: target.method().unwrap_or(method).clone(),
                target,
                object,
                certain,
                form: self.form,
                callers,
            });
        }
    }

    /// A call on something of which nothing is known: clients that evaluation lost may be it.
    fn call_on_lost_value(&mut self, m: &PythonModule, expr: ExprId, call: &CallExpr, callee: &[AbstractValue]) {
        if self
            .found
            .iter()
            .rev()
            .take_while(|f| f.at.1 >= expr)
            .any(|f| f.at.1 == expr)
        {
            return;
        }
        if callee.iter().any(|t| matches!(t, AbstractValue::More))
            && !self.evaluator.index.services().is_empty()
            && call.args.iter().all(|a| a.name != ArgName::Positional)
        {
            self.add_unresolved(m, expr, UnresolvedReason::Operation);
        }
        let library = callee.iter().any(|t| matches!(t, AbstractValue::Library(_)));
        if library && !lost_values::is_unbound(m, call.function) && !call.args.iter().any(lost_values::is_aws_parameter)
        {
            return;
        }
        let possible = lost_values::possible_operations(self.evaluator, self.module, call, callee);
        if possible.is_unnamed {
            self.add_unresolved(m, expr, UnresolvedReason::Operation);
        }
        self.add_site(
            expr,
            Some(expr),
            &possible.method.as_str().into(),
            possible.targets,
            None,
            false,
        );
    }

    pub(super) fn add_unresolved(&mut self, m: &PythonModule, expr: ExprId, why: UnresolvedReason) {
        self.unresolved.push(UnresolvedCall {
            span: callee_span(m, expr),
            at: ScopeRef {
                module: self.module,
                scope: m.runs_in(expr),
            },
            why,
        });
    }

    /// A method of something of AWS.
    fn method_call(
        &mut self,
        m: &PythonModule,
        expr: ExprId,
        call: &CallExpr,
        receiver: &AbstractValue,
        name: &str,
        out: &mut Vec<CallTarget>,
    ) {
        let (evaluator, module) = (self.evaluator, self.module);
        let may_be_other = |n: usize, keyword: &str| {
            let named = call.argument(n, keyword);
            named.is_none_or(|a| evaluator.may_be_other_text(module, a, None))
        };
        let texts = |n: usize, keyword: &str| {
            call.argument(n, keyword)
                .map_or_else(Vec::new, |a| self.evaluator.texts(self.module, a, None))
        };
        match receiver {
            AbstractValue::Client(c) => match name {
                "get_paginator" | "generate_presigned_url" | "_make_api_call" => {
                    let keyword = match name {
                        "generate_presigned_url" => "ClientMethod",
                        _ => "operation_name",
                    };
                    let names = texts(0, keyword);
                    out.extend(
                        names
                            .iter()
                            .filter_map(|n| c.operation(n))
                            .map(|o| CallTarget::Operation(*c, o)),
                    );
                    self.note_name_parameter(call, keyword, |n| c.operation(n).map(|o| CallTarget::Operation(*c, o)));
                    if may_be_other(0, keyword) {
                        self.add_unresolved(m, expr, UnresolvedReason::Operation);
                    }
                    if let Some(named) = call.argument(0, keyword) {
                        self.add_spelled_operations(m, expr, named, std::slice::from_ref(receiver));
                    }
                }
                "get_waiter" => {
                    let names = texts(0, "waiter_name");
                    self.note_name_parameter(call, "waiter_name", |n| {
                        c.waiter(n).map(|o| CallTarget::Operation(*c, o))
                    });
                    out.extend(
                        names
                            .iter()
                            .filter_map(|n| c.waiter(n))
                            .map(|o| CallTarget::Operation(*c, o)),
                    );
                    if names.is_empty() || may_be_other(0, "waiter_name") {
                        let mut fitting = call
                            .argument(0, "waiter_name")
                            .map_or_else(Vec::new, |a| waiters_like(m, a, *c));
                        // One of the waiters that the client has.
                        if fitting.is_empty() {
                            fitting = c.waiters().map(|(_, operation)| operation).collect();
                            fitting.sort_unstable();
                            fitting.dedup();
                        }
                        if fitting.is_empty() {
                            self.add_unresolved(m, expr, UnresolvedReason::Operation);
                        }
                        let certain = fitting.len() == 1;
                        let fitting = fitting.into_iter().map(|o| CallTarget::Operation(*c, o)).collect();
                        self.add_site(expr, Some(expr), &name.into(), fitting, None, certain);
                    }
                }
                // The attribute that it reads was not found by its name.
                "__getattribute__" => {
                    if may_be_other(0, "name") {
                        self.add_unresolved(m, expr, UnresolvedReason::Operation);
                    }
                }
                _ => {
                    if let Some(o) = operation(*c, name) {
                        out.push(CallTarget::Operation(*c, o));
                    } else if let Some(member) = c.injected(name) {
                        out.extend(member.calls().map(|o| CallTarget::Operation(*c, o)));
                        let needs: Vec<&'static str> = member.needs().collect();
                        if !needs.is_empty() {
                            out.push(actions(needs, false));
                        }
                    }
                }
            },
            AbstractValue::SomeClient => match self.unique_service(name) {
                Some(c) => {
                    if let Some(o) = operation(c, name) {
                        self.add_site(
                            expr,
                            Some(expr),
                            &name.into(),
                            vec![CallTarget::Operation(c, o)],
                            None,
                            false,
                        );
                    }
                }
                None => {
                    if is_method_of_any(name) {
                        self.add_unresolved(m, expr, UnresolvedReason::Service);
                    }
                }
            },
            AbstractValue::More if is_method_of_any(name) => self.add_unresolved(m, expr, UnresolvedReason::Service),
            AbstractValue::Resource(c, ty, _) => {
                if matches!(name, "load" | "reload") {
                    let injected = ty.method("load").map(|m| m.calls().collect::<Vec<_>>());
                    let ops = injected.unwrap_or_else(|| ty.load().into_iter().collect());
                    out.extend(ops.into_iter().map(|o| CallTarget::Operation(*c, o)));
                } else if let Some(member) = ty.method(name) {
                    out.extend(member.calls().map(|o| CallTarget::Operation(*c, o)));
                }
            }
            AbstractValue::Collection(c, _, member, _, listed) => {
                let listing = matches!(name, "all" | "filter" | "limit" | "page_size" | "pages");
                let batch = member.returns().and_then(|t| t.batch(name));
                if !listed && (listing || batch.is_some()) {
                    out.extend(member.calls().map(|o| CallTarget::Operation(*c, o)));
                }
                if let Some(b) = batch {
                    out.extend(b.calls().map(|o| CallTarget::Operation(*c, o)));
                }
            }
            _ => {}
        }
    }

    /// Notes which callers name which target, where the name is a parameter of the function around the call.
    fn note_name_parameter(&mut self, call: &CallExpr, keyword: &str, target: impl Fn(&str) -> Option<CallTarget>) {
        let Some(arg) = call.argument(0, keyword) else { return };
        for (name, callers) in self.evaluator.callers(self.module, arg) {
            let Some(target) = target(&name) else { continue };
            match self.named_by.iter_mut().find(|(t, _)| *t == target) {
                Some((_, known)) => known.extend(callers),
                None => self.named_by.push((target, callers)),
            }
        }
    }

    fn library(&mut self, expr: ExprId, call: &CallExpr, name: &str) {
        let m = &self.evaluator.program.modules[self.module];
        self.attributes_listed(m, expr, call, name);
        if sdk::library_result(name) == Some(LibraryResult::Attribute) {
            let (Some(of), Some(attr)) = (call.positional(0), call.positional(1)) else {
                return;
            };
            let of = self.evaluator.values(self.module, of);
            self.add_spelled_operations(m, expr, attr, &of);
            if self.evaluator.may_be_other_text(self.module, attr, None)
                && of.iter().any(|t| {
                    matches!(
                        t,
                        AbstractValue::Client(_) | AbstractValue::SomeClient | AbstractValue::Resource(..)
                    )
                })
            {
                self.add_unresolved(m, expr, UnresolvedReason::Operation);
            }
            return;
        }
        let method: Arc<str> = name.rsplit('.').next().unwrap_or(name).into();
        if let Some(needs) = library_models::library_needs(m, call, name) {
            let target = actions(needs.actions, needs.any);
            self.add_site(expr, Some(expr), &method, vec![target], None, needs.certain);
        } else if let Some(written) = library_models::written_path(m, call, &method) {
            self.add_site(expr, Some(expr), &method, vec![actions(written, false)], None, false);
        }
    }

    /// A receiver of which nothing is known, but its name: `s3_client.get_object(Bucket=…)`. Listed as uncertain.
    fn add_uncertain_call(&mut self, m: &PythonModule, expr: ExprId, call: &CallExpr) {
        let ExprKind::Attr { of, name, .. } = &m.expr(call.function).kind else {
            return;
        };
        let shown = match &m.expr(*of).kind {
            ExprKind::Name(n) => n,
            ExprKind::Attr { name, .. } => name,
            _ => return,
        };
        if let Some(written) = library_models::written_path(m, call, name) {
            self.add_site(expr, Some(expr), name, vec![actions(written, false)], None, false);
            return;
        }
        // Transfers take their parameters by position.
        if let Some(c) = service_named(shown)
            && let Some(member) = c.injected(name)
            && member.calls().len() > 0
            && self.evaluator.mentions_sdk(self.module)
        {
            let targets = member.calls().map(|o| CallTarget::Operation(c, o)).collect();
            self.add_site(expr, Some(expr), name, targets, None, false);
            return;
        }
        // What is paged through, waited for or signed is named by the first argument.
        let named = match &**name {
            "get_paginator" | "generate_presigned_url" | "get_waiter" => {
                call.args.first().and_then(|a| m.string(a.value))
            }
            _ => None,
        };
        let keyed = call.args.iter().all(|a| !matches!(a.name, ArgName::Positional));
        if !(keyed || named.is_some()) || !self.evaluator.mentions_sdk(self.module) {
            return;
        }
        let method: Arc<str> = named.map_or_else(|| name.clone(), |text| text.as_ref().into());
        let of = |c: Client| match &**name {
            "get_waiter" => c.waiter(&method),
            _ => operation(c, &method),
        };
        let of_service = service_named(shown).and_then(|c| Some((c, of(c)?)));
        let found = match of_service {
            Some(found) => Some(found),
            // `client.list_hosted_zones()`: only one service has such a method.
            None if shown.to_ascii_lowercase().ends_with("client") && method.contains('_') => {
                let only = self.unique_service(&method);
                if only.is_none() && sdk::clients().any(|c| of(c).is_some()) {
                    self.add_unresolved(m, expr, UnresolvedReason::Service);
                }
                only.and_then(|c| Some((c, of(c)?)))
            }
            None => None,
        };
        if let Some((c, o)) = found {
            self.add_site(expr, Some(expr), name, vec![CallTarget::Operation(c, o)], None, false);
        }
    }

    pub(super) fn unique_service(&mut self, method: &str) -> Option<Client> {
        if let Some(found) = self.unique.get(method) {
            return *found;
        }
        let mut all = sdk::clients().filter(|c| operation(*c, method).is_some());
        let found = match (all.next(), all.next()) {
            (Some(one), None) => Some(one),
            _ => None,
        };
        self.unique.insert(method.into(), found);
        found
    }
}

fn actions(all: Vec<&'static str>, any: bool) -> CallTarget {
    let service = all.first().and_then(|a| a.split(':').next()).unwrap_or("");
    CallTarget::Actions {
        service: service.into(),
        all,
        any,
    }
}

/// What a person points at: the callee, or the method's name where the callee spans lines.
pub(crate) fn callee_span(m: &PythonModule, expr: ExprId) -> Span {
    let function = match &m.expr(expr).kind {
        ExprKind::Call(c) => c.function,
        _ => expr,
    };
    let span = m.expr(function).span;
    match &m.expr(function).kind {
        ExprKind::Attr { of, name_span, .. } if matches!(m.expr(*of).kind, ExprKind::Call(_)) && span.len() > 80 => {
            *name_span
        }
        _ => span,
    }
}
