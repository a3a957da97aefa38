//! Modules of the public registry by their known shape: what their arguments say about policies.

use std::rc::Rc;

use crate::source::Span;
use crate::value::Value;

use super::blocks;
use super::directory::Decl;
use super::emit::Emitter;
use super::eval::Evaluator;
use super::module::Module;

/// An output of a registry module, where it can be told from the arguments.
pub(super) fn output<'a>(
    _evaluator: &Evaluator<'a>,
    _caller: &Rc<Module<'a>>,
    _name: &str,
    _decl: &Decl<'a>,
    _output: &str,
    _span: Span,
) -> Option<Value> {
    None
}

/// The policies that a call of a module that is not here makes.
pub(super) fn resources<'a>(emitter: &mut Emitter<'_, 'a>, module: &Rc<Module<'a>>, name: &str, decl: &Decl<'a>) {
    let address = format!("module.{name}");
    for instance in emitter.evaluator.instances(module, &address, decl) {
        for item in blocks::items(emitter.evaluator, decl, &instance.env, &|_| false) {
            emitter.loose(module, &address, "module", &item.entry.value);
        }
    }
}
