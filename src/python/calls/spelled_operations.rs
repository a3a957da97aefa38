//! Operations whose name is computed: `getattr(client, step.operation)`.
//!
//! **Invariant:** a name that is not written out where it is used may be any name of an operation that the program spells. What
//! evaluation finds is part of that; lists, attributes, and arguments that it does not follow all the way may hold the rest.

use crate::python::calls::call_sites::{CallForm, CallSiteFinder, CallTarget};
use crate::python::points_to::AbstractValue;
use crate::python::{BindingValue, ExprId, ExprKind, PythonModule, Reaching};

/// How deep names and alternatives are looked through.
const MAX_DEPTH: u32 = 4;

impl CallSiteFinder<'_, '_> {
    /// Adds, as possible calls, what `name` may name of these clients beside what is known of it.
    pub(super) fn add_spelled_operations(
        &mut self,
        m: &PythonModule,
        expr: ExprId,
        name: ExprId,
        receivers: &[AbstractValue],
    ) {
        if is_written_out(m, name, MAX_DEPTH) {
            return;
        }
        let clients = receivers.iter().filter_map(|t| match t {
            AbstractValue::Client(c) => Some(*c),
            _ => None,
        });
        let mut targets = Vec::new();
        for client in clients {
            for text in self.evaluator.index.operation_names() {
                targets.extend(client.operation(text).map(|o| CallTarget::Operation(client, o)));
                let injected = client.injected(text).into_iter().flat_map(|member| member.calls());
                targets.extend(injected.map(|o| CallTarget::Operation(client, o)));
            }
        }
        let form = std::mem::replace(&mut self.form, CallForm::Reference);
        for target in targets {
            let method = match &target {
                CallTarget::Operation(_, o) => o.method().into(),
                CallTarget::Actions { .. } | CallTarget::Unlisted { .. } => continue,
            };
            self.add_site(expr, None, &method, vec![target], None, false);
        }
        self.form = form;
    }
}

/// Whether all that a text may be is written where it stands, or is bound in the same function: a literal, a choice of literals.
fn is_written_out(m: &PythonModule, expr: ExprId, depth: u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    match &m.expr(expr).kind {
        ExprKind::Str(_) => true,
        ExprKind::Conditional { then, other, .. } => {
            is_written_out(m, *then, depth) && is_written_out(m, *other, depth)
        }
        ExprKind::Name(name) => match m.reaching_bindings(name, expr) {
            Reaching::Found(f) => f.bindings.iter().all(|b| match &b.bound {
                BindingValue::Value(source) => match source.steps.as_slice() {
                    [] => is_written_out(m, source.expr, depth),
                    // `for name in ("get_object", "put_object")`
                    _ => match &m.expr(source.expr).kind {
                        ExprKind::List(items) | ExprKind::Tuple(items) => {
                            items.iter().all(|item| is_written_out(m, *item, depth))
                        }
                        _ => false,
                    },
                },
                _ => false,
            }),
            Reaching::Free => false,
        },
        _ => false,
    }
}

/// Whether a callee is `getattr(object, name)` where the name may be another: it is not all known, or is an attribute, which other
/// classes may have otherwise.
pub(super) fn may_be_another(m: &PythonModule, callee: ExprId, values: &[AbstractValue]) -> bool {
    let defined = m.defining_expression(callee).unwrap_or(callee);
    let name = m.call(defined).and_then(|c| match &m.expr(c.function).kind {
        ExprKind::Name(n) if &**n == "getattr" => c.positional(1),
        _ => None,
    });
    name.is_some_and(|name| {
        matches!(m.expr(name).kind, ExprKind::Attr { .. }) || values.contains(&AbstractValue::Opaque)
    })
}

/// Whether a callee is one of what its container holds, or of two: `OPERATIONS[name](…)`.
pub(super) fn is_one_of_several(m: &PythonModule, callee: ExprId) -> bool {
    let defined = m.defining_expression(callee).unwrap_or(callee);
    match &m.expr(defined).kind {
        ExprKind::Index { .. } | ExprKind::Conditional { .. } | ExprKind::Either { .. } => true,
        ExprKind::Call(c) => {
            matches!(&m.expr(c.function).kind, ExprKind::Attr { name, .. } if matches!(&**name, "get" | "pop"))
        }
        _ => false,
    }
}
