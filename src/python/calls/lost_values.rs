//! Calls on clients that were put where evaluation does not follow them: a dict of dicts, `setattr`, a context variable, an
//! attribute of another module, an event, a class that makes its own attributes.
//!
//! **Invariant:** a call of a method that one of the program's clients has, on something of which nothing is known, counts as
//! perhaps a call of that client. It is never certain, and never silent.

use crate::iam::sdk::{Client, SdkOperation};
use crate::python::calls::call_sites::CallTarget;
use crate::python::calls::spelled::operation;
use crate::python::points_to::ObjectEvaluator;
use crate::python::points_to::{AbstractValue, is_aws};
use crate::python::{Arg, ArgName, BindingValue, CallExpr, ExprId, ExprKind, PythonModule, Reaching};

/// Methods of the resource API that other objects commonly have too: these count with parameters of AWS only.
const COMMON: &[&str] = &[
    "accept",
    "add",
    "all",
    "attach",
    "clear",
    "copy",
    "create",
    "delete",
    "detach",
    "disable",
    "enable",
    "filter",
    "get",
    "head",
    "limit",
    "load",
    "monitor",
    "pages",
    "pop",
    "publish",
    "put",
    "reload",
    "remove",
    "reset",
    "start",
    "stop",
    "subscribe",
    "terminate",
    "update",
    "values",
];

/// Builtins of Python that have no methods of a client.
const ROOTS: &[&str] = &[
    "str", "int", "dict", "list", "set", "tuple", "bytes", "object", "type", "super",
];

/// Whether what a callee may stand for leaves open that it is a method of a client.
pub(crate) fn may_be_client_method(callee: &[AbstractValue]) -> bool {
    let open = |t: &AbstractValue| match t {
        AbstractValue::Opaque | AbstractValue::More => true,
        AbstractValue::Library(name) => {
            let root = name.split('.').next().unwrap_or("");
            !ROOTS.contains(&root) && !root.contains("boto")
        }
        AbstractValue::Bound(of, _) => {
            matches!(
                **of,
                AbstractValue::More | AbstractValue::Opaque | AbstractValue::Entry(..) | AbstractValue::Literal(_)
            )
        }
        _ => false,
    };
    let of_aws = |t: &AbstractValue| matches!(t, AbstractValue::Bound(of, _) if is_aws(of));
    callee.is_empty() || (callee.iter().any(open) && callee.iter().all(|t| open(t) || of_aws(t)))
}

/// Whether the receiver of a callee is a local name that holds a literal: `None`, a number.
pub(crate) fn is_literal_receiver(m: &PythonModule, callee: ExprId) -> bool {
    let ExprKind::Attr { of, .. } = &m.expr(callee).kind else {
        return false;
    };
    let literal = |e: ExprId| matches!(m.expr(e).kind, ExprKind::None | ExprKind::Num(_) | ExprKind::Bool(_));
    match &m.expr(*of).kind {
        ExprKind::Name(name) => match m.reaching_bindings(name, *of) {
            Reaching::Found(f) => {
                f.scope == m.expr(*of).scope
                    && f.bindings
                        .iter()
                        .all(|b| matches!(&b.bound, BindingValue::Value(s) if s.steps.is_empty() && literal(s.expr)))
            }
            Reaching::Free => false,
        },
        _ => literal(*of),
    }
}

/// What a call may call of AWS.
#[derive(Default)]
pub(crate) struct PossibleOperations {
    pub(crate) method: String,
    pub(crate) targets: Vec<CallTarget>,
    /// It calls an operation that nothing names.
    pub(crate) is_unnamed: bool,
}

/// What a call may call of AWS when nothing is known of its receiver.
pub(crate) fn possible_operations(
    evaluator: &ObjectEvaluator<'_>,
    module: usize,
    call: &CallExpr,
    callee: &[AbstractValue],
) -> PossibleOperations {
    let m = &evaluator.program.modules[module];
    let (of, names) = methods(evaluator, module, m, call.function);
    let mut out = PossibleOperations::default();
    for name in names {
        match &*name {
            "get_paginator" | "generate_presigned_url" | "_make_api_call" | "get_waiter" => {
                let named = call
                    .args
                    .first()
                    .map_or_else(Vec::new, |a| evaluator.texts(module, a.value, None));
                out.is_unnamed |= named.is_empty() && !evaluator.index.services().is_empty();
                for client in evaluator.index.services() {
                    let found = named.iter().filter_map(|n| match &*name {
                        "get_waiter" => client.waiter(n),
                        _ => client.operation(n),
                    });
                    out.targets.extend(found.map(|o| CallTarget::Operation(*client, o)));
                }
            }
            _ => out.targets.extend(of_method(evaluator, m, call, callee, of, &name)),
        }
        out.method = name;
    }
    out
}

/// What a call of this method may call, whatever its receiver is.
fn of_method(
    evaluator: &ObjectEvaluator<'_>,
    m: &PythonModule,
    call: &CallExpr,
    callee: &[AbstractValue],
    of: Option<ExprId>,
    name: &str,
) -> Vec<CallTarget> {
    let positional = call.args.iter().any(|a| a.name == ArgName::Positional);
    // Parameters of AWS begin with a capital letter, but for some services' own.
    let of_aws = call.args.iter().any(is_aws_parameter);
    let mut out = Vec::new();
    if COMMON.contains(&name) {
        // `bucket.objects.filter(…).delete()`
        if let Some(collection) = of.and_then(|of| collection_name(m, of)) {
            for client in evaluator.index.services() {
                let found = collection_operations(*client, collection, name);
                out.extend(found.map(|o| CallTarget::Operation(*client, o)));
            }
        }
        if !of_aws {
            let is_container = |t: &AbstractValue| {
                matches!(t, AbstractValue::Bound(of, _)
                    if matches!(**of, AbstractValue::Literal(_) | AbstractValue::Entry(..)))
            };
            // No argument says that it is not of AWS.
            if call.args.iter().all(|a| a.name == ArgName::Spread) && !callee.iter().any(is_container) {
                out.extend(common_operations(evaluator, name, !call.args.is_empty()));
            }
            return out;
        }
    }
    for client in evaluator.index.services() {
        let transfers = client.injected(name).into_iter().flat_map(|member| member.calls());
        out.extend(transfers.map(|o| CallTarget::Operation(*client, o)));
        // boto3 takes the parameters of operations by name only.
        if !positional {
            out.extend(operation(*client, name).map(|o| CallTarget::Operation(*client, o)));
        }
    }
    if !positional {
        out.extend(resource_operations(evaluator, name));
    }
    out
}

/// What a method that other objects commonly have too calls of resource objects, as far as the program makes some, and
/// (`of_clients`) of clients.
fn common_operations<'e>(
    evaluator: &'e ObjectEvaluator<'_>,
    name: &'e str,
    of_clients: bool,
) -> impl Iterator<Item = CallTarget> + 'e {
    let of_resources = resource_operations(evaluator, name);
    let services = evaluator.index.services().iter().filter(move |_| of_clients);
    let of_clients = services.filter_map(move |client| Some(CallTarget::Operation(*client, operation(*client, name)?)));
    of_resources.into_iter().chain(of_clients)
}

/// What the method of this name calls of the resource objects that the program may make.
fn resource_operations(evaluator: &ObjectEvaluator<'_>, name: &str) -> Vec<CallTarget> {
    let mut out = Vec::new();
    for (client, ty) in evaluator.index.resource_types() {
        let mut found: Vec<SdkOperation> = Vec::new();
        if matches!(name, "load" | "reload") {
            let injected = ty.method("load").map(|member| member.calls().collect::<Vec<_>>());
            found.extend(injected.unwrap_or_else(|| ty.load().into_iter().collect()));
        } else if let Some(member) = ty.method(name) {
            found.extend(member.calls());
        }
        out.extend(found.into_iter().map(|o| CallTarget::Operation(*client, o)));
    }
    out
}

/// Names of operations that are also those of data: they count where a function would be expected.
const DATA: &[&str] = &["query", "scan", "search", "sign", "suggest", "verify"];

/// What a method of something unknown, read by this name and not called there, may call; `is_handed`: it stands where a
/// function would.
pub(crate) fn operations_read(evaluator: &ObjectEvaluator<'_>, name: &str, is_handed: bool) -> Vec<CallTarget> {
    if evaluator.index.services().is_empty() || DATA.contains(&name) && !is_handed {
        return Vec::new();
    }
    if COMMON.contains(&name) {
        let all = common_operations(evaluator, name, true);
        return all
            .filter(|t| {
                is_handed
                    || matches!(t, CallTarget::Operation(client, o) if client.name() == "sns" && o.method() == name)
            })
            .collect();
    }
    let mut out = Vec::new();
    for client in evaluator.index.services() {
        let transfers = client.injected(name).into_iter().flat_map(|member| member.calls());
        out.extend(transfers.map(|o| CallTarget::Operation(*client, o)));
        out.extend(operation(*client, name).map(|o| CallTarget::Operation(*client, o)));
    }
    out.extend(resource_operations(evaluator, name));
    out
}

/// The attribute that is a collection, where this is one or lists it: `bucket.objects.filter(…)`.
fn collection_name(m: &PythonModule, of: ExprId) -> Option<&str> {
    let mut at = of;
    for _ in 0..8 {
        match &m.expr(at).kind {
            ExprKind::Attr { name, .. } => return Some(name),
            ExprKind::Call(c) => match &m.expr(c.function).kind {
                ExprKind::Attr { of, name, .. } if LISTING.contains(&&**name) => at = *of,
                _ => return None,
            },
            _ => return None,
        }
    }
    None
}

/// Methods that narrow a collection.
const LISTING: &[&str] = &["all", "filter", "limit", "page_size", "pages"];

/// Whether an argument is named as parameters of AWS are: `TopicArn=…`.
pub(crate) fn is_aws_parameter(a: &Arg) -> bool {
    matches!(&a.name, ArgName::Keyword(k, _) if k.starts_with(|c: char| c.is_ascii_uppercase()))
}

/// Whether a name is bound nowhere in its module, although its root is no builtin: something put it there at run time.
pub(crate) fn is_unbound(m: &PythonModule, expr: ExprId) -> bool {
    let mut at = expr;
    for _ in 0..16 {
        match &m.expr(at).kind {
            ExprKind::Attr { of, .. } => at = *of,
            ExprKind::Name(name) => return matches!(m.reaching_bindings(name, at), Reaching::Free),
            _ => return false,
        }
    }
    false
}

/// The object and the names of the methods that a callee may read: `x.publish`, `getattr(x, name)`, `send` after
/// `send = x.publish`.
fn methods(
    evaluator: &ObjectEvaluator<'_>,
    module: usize,
    m: &PythonModule,
    callee: ExprId,
) -> (Option<ExprId>, Vec<String>) {
    let defined = m.defining_expression(callee).unwrap_or(callee);
    match &m.expr(defined).kind {
        ExprKind::Attr { of, name, .. } => (Some(*of), vec![name.to_string()]),
        ExprKind::Call(c) if matches!(&m.expr(c.function).kind, ExprKind::Name(n) if &**n == "getattr") => {
            let texts = c.positional(1).map(|name| evaluator.texts(module, name, None));
            let names = texts.into_iter().flatten().map(|text| text.to_string());
            (c.positional(0), names.collect())
        }
        _ => (None, Vec::new()),
    }
}

/// The operations that a method of a collection calls.
fn collection_operations(client: Client, collection: &str, method: &str) -> impl Iterator<Item = SdkOperation> {
    let members = client.resource_types().filter_map(move |ty| ty.collection(collection));
    let found: Vec<SdkOperation> = members
        .flat_map(|member| {
            let lists = LISTING.contains(&method);
            let batch = member.returns().and_then(|t| t.batch(method));
            let own = member.calls().filter(|_| lists || batch.is_some()).collect::<Vec<_>>();
            own.into_iter().chain(batch.into_iter().flat_map(|b| b.calls()))
        })
        .collect();
    found.into_iter()
}
