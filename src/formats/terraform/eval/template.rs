//! Quoted templates, heredocs and their directives to texts.

use crate::source::{Hole, HoleKind, Span, Text, TextBuilder};
use crate::syntax::hcl::ForParts;
use crate::syntax::{NodeId, NodeKind as Node, Tree};
use crate::value::{Branch, Guard, Value, ValueKind};

use crate::formats::terraform::eval::branches::MAX_BRANCHES;
use crate::formats::terraform::eval::evaluator::{EvalScope, TerraformEvaluator};
use crate::formats::terraform::eval::to_string::{json_text, to_text};
use crate::formats::terraform::eval::values::pairs;

/// Longest text that a template or function makes, in bytes.
pub(crate) const MAX_TEXT: usize = 1_000_000;

impl<'a> TerraformEvaluator<'a> {
    /// A text that is one hole, for a value that is no text.
    pub(crate) fn hole_text(&self, value: &Value, span: Span) -> Text {
        let hole = match &value.kind {
            ValueKind::Unknown(h) => Hole { span, ..(**h).clone() },
            _ => Hole::new(HoleKind::Other, self.name(span), span),
        };
        Text::hole(hole)
    }

    /// A quoted template or heredoc.
    pub(crate) fn template(&self, tree: &Tree, node: NodeId, env: &EvalScope<'a>) -> Value {
        let span = tree.span(node);
        let mut children = tree.children(node);
        if let (Some(only), None) = (children.next(), children.next())
            && !matches!(tree.kind(only), Node::Str | Node::Directive)
        {
            // `"${x}"` is x itself, whatever its type.
            return self.eval(tree, only, env);
        }
        let texts = self.template_texts(tree, node, env);
        let mut branches: Vec<Branch> = texts
            .into_iter()
            .map(|(when, text)| Branch {
                when,
                value: Value::text(text, span),
            })
            .collect();
        if branches.len() == 1 && branches[0].when.is_always() {
            return branches.remove(0).value;
        }
        Value::new(ValueKind::OneOf(branches.into()), span)
    }

    /// One text for each combination of alternatives that occurs in it, with its label (empty for the only one).
    pub(crate) fn template_texts(&self, tree: &Tree, node: NodeId, env: &EvalScope<'a>) -> Vec<(Guard, Text)> {
        let mut texts: Vec<(Guard, TextBuilder)> = vec![(Guard::default(), TextBuilder::new())];
        let mut len = 0;
        let children: Vec<NodeId> = tree.children(node).collect();
        for (i, child) in children.iter().copied().enumerate() {
            let span = tree.span(child);
            let parts: Vec<(Guard, Text)> = match tree.kind(child) {
                Node::Str => vec![(Guard::default(), tree.text(child).cloned().unwrap_or_default())],
                Node::Directive => self
                    .descend(|| self.directive(tree, child, env))
                    .unwrap_or_else(|| vec![(Guard::default(), self.opaque(span))]),
                _ => {
                    let (value, by_default) = self.run_noting_defaults(|| self.eval(tree, child, env));
                    // What a default leaves empty in the middle of a name is a stand-in for what goes there.
                    let computed = tree.kind(child) == Node::Call || is_whole_field(tree, &children, i);
                    let stands_in =
                        by_default && continues_name(tree, &children, i) && self.is_empty_stand_in(&value, computed);
                    match stands_in {
                        true => vec![(Guard::default(), self.unset_text(span))],
                        false => self.part_texts(&value, span),
                    }
                }
            };
            if parts.len() * texts.len() > MAX_BRANCHES {
                let hole = self.opaque(span);
                texts.iter_mut().for_each(|(_, t)| t.append(&hole));
                continue;
            }
            len += parts.iter().map(|(_, t)| t.len()).max().unwrap_or(0);
            if len > MAX_TEXT || !self.spend(parts.len() + len / 64) {
                self.over_budget(span);
                return vec![(Guard::default(), self.opaque(tree.span(node)))];
            }
            if let [(label, only)] = parts.as_slice()
                && label.is_always()
            {
                texts.iter_mut().for_each(|(_, t)| t.append(only));
                continue;
            }
            texts = texts
                .into_iter()
                .map(|(label, t)| (label, t.finish(span)))
                .flat_map(|(label, t)| {
                    let parts = &parts;
                    let possible = parts
                        .iter()
                        .filter(|(more, _)| !label.excludes(more))
                        .collect::<Vec<_>>();
                    possible.into_iter().map(move |(more, part)| {
                        let mut builder = TextBuilder::new();
                        builder.append(&t);
                        builder.append(part);
                        (label.and(more), builder)
                    })
                })
                .collect();
        }
        let place = tree.span(node);
        texts.into_iter().map(|(l, t)| (l, t.finish(place))).collect()
    }

    /// Whether a value that rests on defaults is the empty text of one, or what is computed from one: `coalesce(var.x, "")`.
    pub(crate) fn is_empty_stand_in(&self, value: &Value, computed: bool) -> bool {
        let empty = value.as_text().is_some_and(|t| t.is_known() && t.is_empty());
        // A file of values says that the rest keeps its defaults.
        empty && (computed || &*self.scope == self.root && self.is_root_default(value))
    }

    /// What someone else sets for what is empty by default.
    pub(crate) fn unset_text(&self, span: Span) -> Text {
        Text::hole(Hole::new(HoleKind::Input, self.name(span), span))
    }

    fn opaque(&self, span: Span) -> Text {
        Text::hole(Hole::new(HoleKind::Other, self.name(span), span))
    }

    /// What an interpolated value adds to a text.
    fn part_texts(&self, value: &Value, span: Span) -> Vec<(Guard, Text)> {
        match &value.kind {
            ValueKind::OneOf(branches) => branches
                .iter()
                .flat_map(|b| {
                    let inner = self.part_texts(&b.value, span);
                    inner.into_iter().map(|(l, t)| (b.when.and(&l), t))
                })
                .collect(),
            ValueKind::Null => {
                self.failed.set(true);
                vec![(Guard::default(), Text::default())]
            }
            ValueKind::Json(inner) => vec![(Guard::default(), json_text(self, inner))],
            ValueKind::Unknown(_) => vec![(Guard::default(), self.hole_text(value, span))],
            _ => {
                let text = to_text(value).unwrap_or_else(|| {
                    self.failed.set(true);
                    self.opaque(span)
                });
                vec![(Guard::default(), text)]
            }
        }
    }

    /// `%{ if }` and `%{ for }`.
    fn directive(&self, tree: &Tree, node: NodeId, env: &EvalScope<'a>) -> Vec<(Guard, Text)> {
        let span = tree.span(node);
        let opaque = || vec![(Guard::default(), self.opaque(span))];
        if let Some(parts) = ForParts::of(tree, node) {
            let collection = self.eval(tree, parts.collection, env);
            let Some(items) = pairs(&collection) else {
                return opaque();
            };
            let mut out = TextBuilder::new();
            let mut len = 0;
            for (key, value) in items {
                let inner = self.loop_env(tree, &parts, env, key, value);
                let texts = self.template_texts(tree, parts.result, &inner);
                let [(_, text)] = texts.as_slice() else {
                    return opaque();
                };
                len += text.len();
                if len > MAX_TEXT || !self.spend(1 + text.len() / 64) {
                    self.over_budget(span);
                    return opaque();
                }
                out.append(text);
            }
            return vec![(Guard::default(), out.finish(span))];
        }
        let children: Vec<NodeId> = tree.children(node).collect();
        let (Some(&condition), Some(&yes)) = (children.first(), children.get(1)) else {
            return opaque();
        };
        let no = children.get(2).copied();
        let branch = |n: Option<NodeId>| match n {
            Some(n) => self.template_texts(tree, n, env),
            None => vec![(Guard::default(), Text::default())],
        };
        match self.eval(tree, condition, env).as_bool() {
            Some(true) => branch(Some(yes)),
            Some(false) => branch(no),
            None => {
                let (yes_guard, no_guard) = self.guards(tree, condition, env);
                let mut out: Vec<_> = branch(Some(yes))
                    .into_iter()
                    .map(|(l, t)| (yes_guard.and(&l), t))
                    .collect();
                out.extend(branch(no).into_iter().map(|(l, t)| (no_guard.and(&l), t)));
                out
            }
        }
    }
}

/// Whether an interpolation goes on with a name: a character of one is before it, or another interpolation. One that begins a
/// text is no stand-in: without what it is for, the rest is no ARN.
fn continues_name(tree: &Tree, children: &[NodeId], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).and_then(|i| children.get(i)) else {
        return false;
    };
    match tree.kind(*before) {
        Node::Str => (tree.text(*before)).is_some_and(|t| t.with_placeholders().ends_with(is_name_character)),
        Node::Directive => false,
        _ => true,
    }
}

/// Whether an interpolation is all between two separators of an ARN, or the separator and its end: none of these is empty.
fn is_whole_field(tree: &Tree, children: &[NodeId], at: usize) -> bool {
    let text = |i: usize| Some(tree.text(*children.get(i)?)?.with_placeholders());
    let is_separator = |c: char| matches!(c, ':' | '/');
    // In a heredoc, a quote ends it.
    let ends = |c: char| is_separator(c) || !is_name_character(c);
    let begins = at
        .checked_sub(1)
        .and_then(text)
        .is_some_and(|t| t.ends_with(is_separator));
    begins && (at + 1 == children.len() || text(at + 1).is_some_and(|t| t.starts_with(ends)))
}

/// Whether a character may be part of a name or an ARN.
pub(crate) fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, ':' | '/' | '-' | '_' | '.' | '*' | '@')
}
