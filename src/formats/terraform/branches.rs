//! Values that are one of several, as what decides is not known before deployment.

use crate::source::{FileId, HoleKind, Span};
use crate::syntax::{NodeId, Tree};
use crate::value::{Branch, Kind, Value};

use super::eval::{Env, Evaluator};
use super::operators;
use super::values::inherit;

/// How many alternatives an unknown conditional may spread to.
pub(super) const MAX_BRANCHES: usize = 8;

impl<'a> Evaluator<'a> {
    /// `OneOf` where there is more than one.
    pub(super) fn alternatives<T>(&self, items: Vec<(String, T)>, make: impl Fn(T) -> Value) -> Value {
        let mut branches: Vec<Branch> = items
            .into_iter()
            .map(|(label, item)| Branch {
                label: label.into(),
                value: make(item),
            })
            .collect();
        if branches.len() == 1 && branches[0].label.is_empty() {
            return branches.remove(0).value;
        }
        let span = branches.first().map_or(Span::new(FileId(0), 0, 0), |b| b.value.span);
        Value::new(Kind::OneOf(branches.into()), span)
    }

    pub(super) fn conditional(&self, tree: &Tree, node: NodeId, env: &Env<'a>) -> Value {
        let span = tree.span(node);
        let children: Vec<NodeId> = tree.children(node).collect();
        let [condition, yes, no] = children.as_slice() else {
            return self.unknown(HoleKind::Other, span);
        };
        let decided = self.eval(tree, *condition, env);
        match decided.as_bool() {
            Some(true) => return self.eval(tree, *yes, env),
            Some(false) => return self.eval(tree, *no, env),
            None => {}
        }
        // What fails in a branch that may not be taken is no failure.
        let failed = self.failed.get();
        let (a, b) = (self.eval(tree, *yes, env), self.eval(tree, *no, env));
        self.failed.set(failed);
        if operators::same(self, &a, &b).is_yes() {
            return a;
        }
        if let Kind::OneOf(conditions) = &decided.kind {
            let chosen: Option<Vec<(String, Value)>> = conditions
                .iter()
                .map(|c| {
                    let value = if c.value.as_bool()? { &a } else { &b };
                    Some((c.label.to_string(), value.clone()))
                })
                .collect();
            if let Some(chosen) = chosen {
                return self.one_of(chosen, span);
            }
        }
        let (if_label, unless) = labels(&self.name(tree.span(*condition)));
        self.one_of(vec![(if_label, a), (unless, b)], span)
    }

    /// Alternatives, with alternatives inside them spread out.
    pub(super) fn one_of(&self, items: Vec<(String, Value)>, span: Span) -> Value {
        let mut branches: Vec<Branch> = Vec::new();
        for (label, value) in items {
            match &value.kind {
                Kind::OneOf(inner) => branches.extend(inner.iter().map(|b| Branch {
                    label: both_labels(&label, &b.label).into(),
                    value: inherit(&b.value, &value.via),
                })),
                _ => branches.push(Branch {
                    label: label.into(),
                    value,
                }),
            }
        }
        if branches.len() > MAX_BRANCHES {
            return self.unknown(HoleKind::Other, span);
        }
        Value::new(Kind::OneOf(branches.into()), span)
    }
}

/// "if x" and "unless x".
pub(super) fn labels(condition: &str) -> (String, String) {
    (format!("if {condition}"), format!("unless {condition}"))
}

pub(super) fn both_labels(a: &str, b: &str) -> String {
    match (a.is_empty(), b.is_empty()) {
        (true, _) => b.to_owned(),
        (_, true) => a.to_owned(),
        _ if a == b => a.to_owned(),
        _ => format!("{a} and {b}"),
    }
}
