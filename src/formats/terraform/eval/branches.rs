//! Values that are one of several, as what decides is not known before deployment.

use crate::source::{HoleKind, Span};
use crate::syntax::{NodeId, NodeKind as Node, Tree};
use crate::value::guard::Fact;
use crate::value::{Branch, Guard, Value, ValueKind};

use crate::formats::terraform::eval::evaluator::{EvalScope, TerraformEvaluator};
use crate::formats::terraform::eval::operators;
use crate::formats::terraform::eval::unset::builds_container;

/// How many alternatives an unknown conditional may spread to.
pub(crate) const MAX_BRANCHES: usize = 8;
/// How deep a condition is taken apart.
const MAX_FACTS_DEEP: u32 = 8;

impl<'a> TerraformEvaluator<'a> {
    pub(crate) fn conditional(&self, tree: &Tree, node: NodeId, env: &EvalScope<'a>) -> Value {
        let span = tree.span(node);
        let children: Vec<NodeId> = tree.children(node).collect();
        let [condition, yes, no] = children.as_slice() else {
            return self.unknown(HoleKind::Other, span);
        };
        let (decided, by_default) = self.run_noting_defaults(|| self.eval(tree, *condition, env));
        let open = by_default
            && (builds_container(tree, *yes) || builds_container(tree, *no))
            && decided.as_bool().is_some()
            && self.asks_for_unset(tree, *condition, env);
        match decided.as_bool() {
            Some(true) if !open => return self.eval(tree, *yes, env),
            Some(false) if !open => return self.eval(tree, *no, env),
            _ => {}
        }
        // What the default does not choose exists only where it is replaced.
        let place = |chosen: bool| match open && decided.as_bool() != Some(chosen) {
            true => env.without_unset_defaults(),
            false => env.clone(),
        };
        // What fails in a branch that may not be taken is no failure.
        let failed = self.failed.get();
        let (a, b) = (self.eval(tree, *yes, &place(true)), self.eval(tree, *no, &place(false)));
        self.failed.set(failed);
        if operators::equals(self, &a, &b).is_yes() {
            return a;
        }
        if let ValueKind::OneOf(conditions) = &decided.kind {
            let chosen: Option<Vec<(Guard, Value)>> = conditions
                .iter()
                .map(|c| {
                    let value = if c.value.as_bool()? { &a } else { &b };
                    Some((c.when.clone(), value.clone()))
                })
                .collect();
            if let Some(chosen) = chosen {
                return self.one_of(chosen, span);
            }
        }
        let (mut met, mut unmet) = self.guards(tree, *condition, env);
        match decided.as_bool() {
            Some(true) if open => unmet = unmet.opt_in(),
            Some(false) if open => met = met.opt_in(),
            _ => {}
        }
        self.one_of(vec![(met, a), (unmet, b)], span)
    }

    /// Alternatives, with alternatives inside them spread out.
    pub(crate) fn one_of(&self, items: Vec<(Guard, Value)>, span: Span) -> Value {
        let branches: Vec<Branch> = items
            .into_iter()
            .flat_map(|(when, value)| Branch { when, value }.flatten())
            .collect();
        if branches.len() > MAX_BRANCHES {
            return self.unknown(HoleKind::Other, span);
        }
        Value::new(ValueKind::OneOf(branches.into()), span)
    }

    /// When the condition at `node` is met, and when it is not.
    pub(crate) fn guards(&self, tree: &Tree, node: NodeId, env: &EvalScope<'a>) -> (Guard, Guard) {
        let name = self.name(tree.span(node));
        let guard = |word: &str, is: bool| {
            let mut facts = Vec::new();
            self.facts(tree, node, env, is, 0, &mut facts);
            Guard::new(&format!("{word} {name}"), facts)
        };
        (guard("if", true), guard("unless", false))
    }

    /// Adds what follows from a condition being met, or not.
    fn facts(&self, tree: &Tree, node: NodeId, env: &EvalScope<'a>, is: bool, depth: u32, out: &mut Vec<Fact>) {
        let subject = |n: NodeId| self.subject(tree, n, env);
        if depth > MAX_FACTS_DEEP {
            out.push(Fact::condition(&subject(node), is));
            return;
        }
        let children: Vec<NodeId> = tree.children(node).collect();
        match (tree.kind(node), children.as_slice()) {
            (Node::Paren, [inner]) => self.facts(tree, *inner, env, is, depth + 1, out),
            (Node::Unary, [inner]) if tree.name(node) == "!" => self.facts(tree, *inner, env, !is, depth + 1, out),
            (Node::Binary, [a, b]) => match tree.name(node) {
                name @ ("&&" | "||") => {
                    out.push(Fact::condition(&subject(node), is));
                    if (name == "&&") == is {
                        self.facts(tree, *a, env, is, depth + 1, out);
                        self.facts(tree, *b, env, is, depth + 1, out);
                    }
                }
                name => match comparison(tree, name, *a, *b) {
                    Some((of, ComparedWith::Truth(met))) => self.facts(tree, of, env, met == is, depth + 1, out),
                    Some((of, ComparedWith::Text(text, met))) => out.push(Fact::equals(&subject(of), &text, met == is)),
                    None => out.push(Fact::condition(&subject(node), is)),
                },
            },
            (Node::Attr, [root]) if tree.kind(*root) == Node::Ident && tree.name(*root) == "local" => {
                let local = env.module.directory.locals.get(tree.name(node)).map(|(_, expr)| *expr);
                match local {
                    Some(e) if is_test(e.tree, e.node) => {
                        self.facts(e.tree, e.node, &env.module.env(), is, depth + 1, out);
                    }
                    _ => out.push(Fact::condition(&subject(node), is)),
                }
            }
            _ => out.push(Fact::condition(&subject(node), is)),
        }
    }

    /// What an expression is called in facts: as it is written; in a called module, with the calls that lead there.
    fn subject(&self, tree: &Tree, node: NodeId, env: &EvalScope<'a>) -> String {
        let text = self.sources.slice(tree.span(node));
        let words: Vec<&str> = text.split_whitespace().collect();
        let calls = env.module.path.join(".");
        match calls.is_empty() {
            true => words.join(" "),
            false => format!("{} of {calls}", words.join(" ")),
        }
    }
}

/// What a comparison asks of one of its sides.
enum ComparedWith {
    /// That it is met, or is not.
    Truth(bool),
    /// That it is this text, or is not.
    Text(String, bool),
}

/// The side of a comparison that is not written out, and what is asked of it.
fn comparison(tree: &Tree, operator: &str, a: NodeId, b: NodeId) -> Option<(NodeId, ComparedWith)> {
    let literal = |n: NodeId| match tree.kind(n) {
        Node::Null => Some("null".to_owned()),
        Node::Str | Node::Num | Node::Bool => Some(tree.text(n)?.known()?.into_owned()),
        _ => None,
    };
    let (of, node, value) = match (literal(a), literal(b)) {
        (None, Some(value)) => (a, b, value),
        (Some(value), None) if matches!(operator, "==" | "!=") => (b, a, value),
        _ => return None,
    };
    let equal = match (operator, &*value) {
        ("==", _) => true,
        ("!=", _) => false,
        // A length is never negative.
        (">", "0") | (">=", "1") if tree.kind(of) == Node::Call && tree.name(of) == "length" => {
            return Some((of, ComparedWith::Text("0".to_owned(), false)));
        }
        _ => return None,
    };
    Some(match tree.kind(node) {
        Node::Bool => (of, ComparedWith::Truth((value == "true") == equal)),
        _ => (of, ComparedWith::Text(value, equal)),
    })
}

/// An expression that asks something, rather than being a value.
fn is_test(tree: &Tree, node: NodeId) -> bool {
    match tree.kind(node) {
        Node::Paren => tree.children(node).next().is_some_and(|inner| is_test(tree, inner)),
        Node::Unary => tree.name(node) == "!",
        Node::Binary => matches!(tree.name(node), "&&" | "||" | "==" | "!=" | "<" | ">" | "<=" | ">="),
        Node::Attr => true,
        _ => false,
    }
}
