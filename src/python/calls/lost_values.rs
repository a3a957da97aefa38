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

/// How an operation is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AccessStyle {
    /// `client.put_object(Bucket=…)`, `obj.put(Body=…)`
    Plain,
    /// `client.get_paginator("list_objects_v2")`
    Named,
    Waiter,
}

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

/// What a call may call of AWS when nothing is known of its receiver.
pub(crate) fn possible_operations(
    evaluator: &ObjectEvaluator<'_>,
    module: usize,
    call: &CallExpr,
) -> (String, Vec<CallTarget>) {
    let m = &evaluator.program.modules[module];
    let Some((of, name)) = method(evaluator, module, m, call.function) else {
        return (String::new(), Vec::new());
    };
    let positional = call.args.iter().any(|a| a.name == ArgName::Positional);
    // Parameters of AWS begin with a capital letter, but for some services' own.
    let of_aws = call.args.iter().any(is_aws_parameter);
    let style = match &*name {
        "get_paginator" | "generate_presigned_url" | "_make_api_call" => AccessStyle::Named,
        "get_waiter" => AccessStyle::Waiter,
        _ => AccessStyle::Plain,
    };
    let mut out = Vec::new();
    if style != AccessStyle::Plain {
        let names = call
            .args
            .first()
            .map_or_else(Vec::new, |a| evaluator.texts(module, a.value, None));
        for client in evaluator.index.services() {
            let found = names.iter().filter_map(|n| match style {
                AccessStyle::Waiter => client.waiter(n),
                _ => client.operation(n),
            });
            out.extend(found.map(|o| CallTarget::Operation(*client, o)));
        }
        return (name, out);
    }
    if COMMON.contains(&&*name) && !of_aws {
        // `bucket.objects.filter(…)`
        if let Some(ExprKind::Attr { name: collection, .. }) = of.map(|of| &m.expr(of).kind) {
            for client in evaluator.index.services() {
                out.extend(
                    collection_operations(*client, collection, &name).map(|o| CallTarget::Operation(*client, o)),
                );
            }
        }
        return (name, out);
    }
    for client in evaluator.index.services() {
        let transfers = client.injected(&name).into_iter().flat_map(|member| member.calls());
        out.extend(transfers.map(|o| CallTarget::Operation(*client, o)));
        // boto3 takes the parameters of operations by name only.
        if !positional {
            out.extend(operation(*client, &name).map(|o| CallTarget::Operation(*client, o)));
            let of_resources = client.resource_types().filter_map(|ty| ty.method(&name));
            out.extend(
                of_resources
                    .flat_map(|member| member.calls().collect::<Vec<_>>())
                    .map(|o| CallTarget::Operation(*client, o)),
            );
        }
    }
    (name, out)
}

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

/// The object and the name of the method that a callee reads: `x.publish`, `getattr(x, "publish")`.
fn method(
    evaluator: &ObjectEvaluator<'_>,
    module: usize,
    m: &PythonModule,
    callee: ExprId,
) -> Option<(Option<ExprId>, String)> {
    match &m.expr(callee).kind {
        ExprKind::Attr { of, name, .. } => Some((Some(*of), name.to_string())),
        ExprKind::Call(c) if matches!(&m.expr(c.function).kind, ExprKind::Name(n) if &**n == "getattr") => {
            let texts = evaluator.texts(module, c.positional(1)?, None);
            match texts.as_slice() {
                [one] => Some((c.positional(0), one.to_string())),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The operations that a method of a collection calls.
fn collection_operations(client: Client, collection: &str, method: &str) -> impl Iterator<Item = SdkOperation> {
    let members = client.resource_types().filter_map(move |ty| ty.collection(collection));
    let found: Vec<SdkOperation> = members
        .flat_map(|member| {
            let lists = matches!(method, "all" | "filter" | "limit" | "page_size" | "pages");
            let batch = member.returns().and_then(|t| t.batch(method));
            let own = member.calls().filter(|_| lists || batch.is_some()).collect::<Vec<_>>();
            own.into_iter().chain(batch.into_iter().flat_map(|b| b.calls()))
        })
        .collect();
    found.into_iter()
}
