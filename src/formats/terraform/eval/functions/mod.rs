//! Terraform's functions, as far as people use them to write policies; any other is an unknown value.
//!
//! **Invariant:** what a function passes on keeps its place and its way; what it makes is written where the call is.

mod collections;
mod documents;
mod encoding;
pub(crate) mod files;
mod numbers;
mod sets;
mod strings;

use crate::source::{HoleKind, Span, Text};
use crate::syntax::{NodeId, NodeKind as Node, Tree};
use crate::value::{Value, ValueKind};

use crate::formats::terraform::eval::evaluator::{EvalScope, TerraformEvaluator};
use crate::formats::terraform::eval::operators::spread_over;
use crate::formats::terraform::eval::template::MAX_TEXT;
use crate::formats::terraform::eval::to_string::to_text;
use crate::formats::terraform::eval::values::pairs;

/// A call's arguments, evaluated, none of them with alternatives.
pub(crate) struct FunctionCall<'e, 'a> {
    pub(crate) evaluator: &'e TerraformEvaluator<'a>,
    pub(crate) name: &'e str,
    pub(crate) arguments: &'e [Value],
    pub(crate) span: Span,
}

impl FunctionCall<'_, '_> {
    fn get(&self, n: usize) -> Option<&Value> {
        self.arguments.get(n)
    }

    /// The n-th argument as a text, maybe with holes.
    fn text(&self, n: usize) -> Option<Text> {
        to_text(self.get(n)?)
    }

    /// The n-th argument as a known string.
    fn known_text(&self, n: usize) -> Option<String> {
        Some(self.text(n)?.known()?.into_owned())
    }

    fn number(&self, n: usize) -> Option<f64> {
        self.get(n)?.as_number()
    }

    fn bool(&self, b: bool) -> Value {
        Value::new(ValueKind::Bool(b), self.span)
    }

    fn num(&self, n: f64) -> Value {
        Value::new(
            ValueKind::Num(crate::formats::terraform::eval::to_string::format_number(n).into()),
            self.span,
        )
    }

    /// A text made of parts of the arguments.
    fn text_value(&self, text: Text) -> Value {
        Value::text(text, self.span)
    }

    /// Whether a text of this length may be made.
    fn affords(&self, bytes: usize) -> bool {
        bytes <= MAX_TEXT && self.evaluator.spend(bytes / 64)
    }

    fn seq(&self, items: Vec<Value>) -> Value {
        Value::seq(items, self.span)
    }

    fn fail(&self) -> Value {
        self.evaluator.failed.set(true);
        self.unknown()
    }

    /// Unknown, since a bound was met.
    fn over_budget(&self) -> Value {
        self.evaluator.over_budget(self.span)
    }

    fn unknown(&self) -> Value {
        let kind = crate::formats::terraform::eval::values::derived_kind(self.arguments);
        self.evaluator.unknown(kind, self.span)
    }
}

pub(crate) fn call<'a>(evaluator: &TerraformEvaluator<'a>, tree: &Tree, node: NodeId, env: &EvalScope<'a>) -> Value {
    let span = tree.span(node);
    let name = tree.name(node);
    let name = name.strip_prefix("core::").unwrap_or(name);
    match name {
        "try" => return attempt(evaluator, tree, node, env),
        "can" => {
            let outer = evaluator.failed.replace(false);
            let value = match tree.children(node).next() {
                Some(child) => evaluator.eval(tree, child, env),
                None => return evaluator.unknown(HoleKind::Other, span),
            };
            let failed = evaluator.failed.replace(outer);
            return match (failed, value.is_unknown()) {
                (true, _) => Value::new(ValueKind::Bool(false), span),
                (false, false) => Value::new(ValueKind::Bool(true), span),
                (false, true) => evaluator.derived(&value, span),
            };
        }
        _ => {}
    }
    let mut arguments = Vec::new();
    for child in tree.children(node) {
        if tree.kind(child) == Node::Unary && tree.name(child) == "..." {
            let list = tree.children(child).next().map(|c| evaluator.eval(tree, c, env));
            match list.as_ref().and_then(pairs) {
                Some(items) => arguments.extend(items.into_iter().map(|(_, v)| v)),
                None => return evaluator.unknown(HoleKind::Other, span),
            }
            continue;
        }
        arguments.push(evaluator.eval(tree, child, env));
    }
    let apply_to = |arguments: &[Value]| {
        let call = FunctionCall {
            evaluator,
            name,
            arguments,
            span,
        };
        apply(&call, env)
    };
    // These keep the alternatives apart item by item.
    if matches!(name, "concat" | "flatten" | "merge" | "setunion" | "compact") {
        return apply_to(&arguments);
    }
    spread_over(evaluator, &arguments, span, &apply_to)
}

fn apply<'a>(call: &FunctionCall<'_, 'a>, env: &EvalScope<'a>) -> Value {
    strings::apply(call)
        .or_else(|| collections::apply(call, env))
        .or_else(|| sets::apply(call))
        .or_else(|| numbers::apply(call))
        .or_else(|| encoding::apply(call))
        .or_else(|| files::apply(call, env))
        .unwrap_or_else(|| call.unknown())
}

/// `try(a, b, …)`: the first that is no error.
fn attempt<'a>(evaluator: &TerraformEvaluator<'a>, tree: &Tree, node: NodeId, env: &EvalScope<'a>) -> Value {
    let outer = evaluator.failed.get();
    let mut last = None;
    for child in tree.children(node) {
        evaluator.failed.set(false);
        let value = evaluator.eval(tree, child, env);
        let failed = evaluator.failed.get();
        evaluator.failed.set(outer);
        if !failed {
            return value;
        }
        last = Some(value);
    }
    evaluator.failed.set(true);
    last.unwrap_or_else(|| evaluator.unknown(HoleKind::Other, tree.span(node)))
}
