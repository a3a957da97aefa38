//! Calls that may make a resource, by the names of their methods and parameters.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::parameters::positional;
use crate::model::resource_types::{LoweredOperation, OPERATIONS};
use crate::python::receiver::{Objects, Receivers};
use crate::python::{ArgName, CallExpr, ExprId, ExprKind, Program, PythonModule};

/// Operations by method, or by the part after the dot.
fn operations_by_method() -> &'static BTreeMap<&'static str, Vec<&'static LoweredOperation>> {
    static TABLE: OnceLock<BTreeMap<&'static str, Vec<&'static LoweredOperation>>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut out: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for o in OPERATIONS {
            let name = o.method.rsplit('.').next().unwrap_or(o.method);
            out.entry(name).or_default().push(o);
        }
        out
    })
}

/// The calls of methods that may make a resource: the call, its receiver, and what it may be.
pub(super) fn candidate_calls(
    m: &PythonModule,
) -> impl Iterator<Item = (ExprId, ExprId, &'static [&'static LoweredOperation])> {
    m.ids().filter_map(|expr| {
        let call = m.call(expr)?;
        let ExprKind::Attr { of, name, .. } = &m.expr(call.function).kind else {
            return None;
        };
        let candidates = operations_by_method().get(&**name)?;
        // Its receiver is only asked for where one of them may be called.
        let may_be = candidates.iter().any(|o| is_keyed(o, call));
        may_be.then_some((expr, *of, candidates.as_slice()))
    })
}

/// Whether a module calls a method that may make a resource.
pub(super) fn may_create_resources(m: &PythonModule) -> bool {
    candidate_calls(m).next().is_some()
}

/// Whether what parameters stand for may say more about the receivers of such calls.
pub(super) fn asks_for_params(program: &Program<'_>, module: usize, objects: &Objects) -> bool {
    let receivers = Receivers::new(program, module, objects);
    for (_, of, _) in candidate_calls(&program.modules[module]) {
        receivers.receiver(of);
    }
    receivers.read_params()
}

/// Whether a call gives one of the parameters that an operation has to have.
pub(super) fn has_key(o: &LoweredOperation, call: &CallExpr) -> bool {
    let names = positional(o.method);
    let position = |k: &str| names.iter().position(|n| *n == k);
    let mut keys = o.keys.iter();
    keys.any(|k| call.keyword(k).is_some() || position(k).is_some_and(|i| call.positional(i).is_some()))
}

/// Whether a call gives parameters that are not written in it.
pub(super) fn is_open(call: &CallExpr) -> bool {
    call.args.iter().any(|a| a.name == ArgName::Spread)
}

/// Whether a call may be that operation, whatever its receiver is.
fn is_keyed(o: &LoweredOperation, call: &CallExpr) -> bool {
    o.keys.is_empty() || has_key(o, call) || is_open(call)
}
