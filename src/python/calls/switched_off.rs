//! Code that does not run, or only where something is switched on.

use crate::python::{Binding, BindingValue, BlockKind, ExprId, ExprKind, PythonModule, Reaching, ScopeId};

/// Conditions that are never true when the code runs.
const NEVER: &[&str] = &["if False", "if 0", "if TYPE_CHECKING", "if typing.TYPE_CHECKING"];

/// Whether nothing runs an expression, wherever its function is called from: it stands after a `return`, in `if False`, or
/// after a flag that is off by its constant or its default: whether a caller sets it is not followed.
pub(super) fn may_never_run(m: &PythonModule, expr: ExprId) -> bool {
    let mut at = m.expr(expr).block;
    loop {
        let block = &m.blocks[at];
        let is_never = matches!(&block.kind, BlockKind::Arm { label, .. } if is_off(m, label, expr));
        if is_never || expr >= block.ends {
            return true;
        }
        if block.parent >= at {
            return false;
        }
        at = block.parent;
    }
}

/// Whether a condition that `expr` stands after is off: `if False`, `if ARCHIVE` after `ARCHIVE = False`.
fn is_off(m: &PythonModule, label: &str, expr: ExprId) -> bool {
    if NEVER.contains(&label) {
        return true;
    }
    let flag = label.strip_prefix("if ").unwrap_or_default();
    match m.reaching_bindings(flag, expr) {
        Reaching::Found(f) => !f.bindings.is_empty() && f.bindings.iter().all(|b| is_off_by_default(m, f.scope, b)),
        Reaching::Free => false,
    }
}

fn is_off_by_default(m: &PythonModule, scope: ScopeId, binding: &Binding) -> bool {
    let is_false = |e: ExprId| match &m.expr(e).kind {
        ExprKind::Bool(on) => !on,
        ExprKind::None => true,
        _ => false,
    };
    match &binding.bound {
        BindingValue::Value(source) => source.steps.is_empty() && is_false(source.expr),
        BindingValue::Param(i) => {
            let default = m.scope(scope).params.get(*i as usize).and_then(|p| p.default);
            default.is_some_and(is_false)
        }
        _ => false,
    }
}
