//! Nodes to values.
//!
//! `None` is `AWS::NoValue`: the property, item or argument is not there. A conditional of which one branch is `NoValue`
//! is a [`ValueKind::OneOf`] with the other branch alone. What is exactly one string of unknown content (a `Ref` to a resource,
//! a string parameter) is a text of one hole; [`ValueKind::Unknown`] is left for what may have any shape.

use std::sync::Arc;

use crate::source::{Hole, HoleKind, Span, Text};
use crate::syntax::{NodeId, NodeKind as Node, NodeStyle, Tree};
use crate::value::{MapEntry, Value, ValueKind};

use crate::formats::text_templates::{is_filled_in, replace_interpolations, with_brace_holes};

use crate::formats::cloudformation::eval::env::TemplateScope;
use crate::formats::cloudformation::eval::template::Template;

impl Template<'_> {
    /// What `node` amounts to.
    pub(crate) fn value(&self, env: TemplateScope<'_>, node: NodeId) -> Option<Value> {
        let tree = env.tree;
        let span = tree.span(node);
        let Some(env) = env.nested() else {
            return Some(Value::unknown_other("nested too deep", span));
        };
        if !self.spend_nodes(1) {
            return Some(Value::unknown_other("too large", span));
        }
        if tree.is_alias(node) {
            return Some(self.value(env, tree.resolve(node))?.used_at(span));
        }
        Some(match tree.kind(node) {
            Node::Null => Value::new(ValueKind::Null, span),
            Node::Bool => {
                let text = tree.text(node).and_then(Text::known).unwrap_or_default();
                let yes = matches!(text.as_bytes().first(), Some(b't' | b'T' | b'y' | b'Y'))
                    || text.eq_ignore_ascii_case("on");
                Value::new(ValueKind::Bool(yes), span)
            }
            Node::Num => {
                let text = tree.text(node).and_then(Text::known).unwrap_or_default();
                Value::new(ValueKind::Num(Arc::from(&*text)), span)
            }
            Node::Str => self.string(env, node),
            Node::Seq => {
                let items = tree.children(node).filter_map(|item| self.value(env, item)).collect();
                Value::new(ValueKind::Seq(items), span)
            }
            Node::Map => return self.map(env, node),
            Node::Call => {
                let Some(argument) = tree.children(node).next() else {
                    return Some(Value::unknown_other(tree.name(node), span));
                };
                return self.call(env, tree.name(node), argument, span);
            }
            _ => Value::unknown_other("unreadable", span),
        })
    }

    /// A scalar: in a loop with its identifiers filled in, everywhere with dynamic references as holes.
    fn string(&self, env: TemplateScope<'_>, node: NodeId) -> Value {
        let span = env.tree.span(node);
        let Some(text) = env.tree.text(node) else {
            return Value::unknown_other("unreadable", span);
        };
        if let Some(hole) = text.as_hole().filter(|_| env.tree.node(node).style == NodeStyle::Plain) {
            return Value {
                span,
                ..Value::unknown(hole.clone())
            };
        }
        if let Some(value) = self.world.variables.and_then(|v| v.resolve(self, env, text, span)) {
            return value;
        }
        let mut text = if env.in_loop() {
            env.fill_identifiers(text)
        } else {
            text.clone()
        };
        if is_filled_in(self.world.sources.path(env.tree.file)) {
            text = replace_interpolations(&text);
        }
        Value::text(with_brace_holes(text), span)
    }

    fn map(&self, env: TemplateScope<'_>, node: NodeId) -> Option<Value> {
        let tree = env.tree;
        let span = tree.span(node);
        if let Some((name, argument)) = intrinsic(tree, node) {
            return self.call(env, &name, argument, span);
        }
        if tree
            .entries(node)
            .any(|(key, _)| matches!(tree.kind(key), Node::Map | Node::Seq))
        {
            // What `{{ x }}` looks like to YAML.
            return Some(Value::unknown_other("template", span));
        }
        let mut entries = Vec::new();
        self.entries(env, node, &mut |env, key, key_span, value| {
            if let Some(value) = self.value(env, value) {
                entries.push(MapEntry { key, key_span, value });
            }
        });
        Some(Value::new(ValueKind::Map(entries.into()), span))
    }

    /// The entries of a map with loops and includes expanded: the place to evaluate in, the key, its span, the value's node.
    pub(crate) fn entries(
        &self,
        env: TemplateScope<'_>,
        node: NodeId,
        f: &mut dyn FnMut(TemplateScope<'_>, Text, Span, NodeId),
    ) {
        let Some(env) = env.nested() else { return };
        let tree = env.tree;
        for (key, value) in tree.merged(node) {
            if !self.spend_nodes(1) {
                return;
            }
            let span = tree.span(key);
            let Some(text) = tree.text(key) else { continue };
            let known = text.known().unwrap_or_default();
            if known.starts_with("Fn::ForEach::") {
                self.for_each(env, value, f);
            } else if known == "Fn::Transform" {
                let unknown = self.included(env, value, &mut |env, root| {
                    self.entries(env, root, f);
                    None
                });
                if let Some(hole) = unknown.as_ref().and_then(Value::as_hole) {
                    self.macros.borrow_mut().insert((tree.span(value), hole.name.clone()));
                }
            } else {
                f(env, env.fill_identifiers(text), span, value);
            }
        }
    }

    /// `Fn::ForEach::Name: [Identifier, Collection, {OutputKey: OutputValue}]`. A collection that is not known counts as one
    /// item that is not known. CloudFormation Template Reference, "Fn::ForEach".
    fn for_each(&self, env: TemplateScope<'_>, node: NodeId, f: &mut dyn FnMut(TemplateScope<'_>, Text, Span, NodeId)) {
        let tree = env.tree;
        let mut parts = tree.children(node);
        let (Some(identifier), Some(collection), Some(body)) = (parts.next(), parts.next(), parts.next()) else {
            return;
        };
        let Some(identifier) = tree.text(identifier).and_then(Text::known) else {
            return;
        };
        let collection_span = tree.span(collection);
        let Some(collection) = self.value(env, collection) else {
            return;
        };
        let unknown;
        let items = match &collection.kind {
            ValueKind::Seq(items) => &items[..],
            _ => {
                let hole = Hole::new(HoleKind::Other, &*identifier, collection_span);
                unknown = [Value::text(Text::hole(hole), collection_span)];
                &unknown[..]
            }
        };
        for item in items {
            if !self.spend_nodes(1) {
                return;
            }
            let bound = env.bind(&identifier, item);
            self.entries(env.with_bound(&bound), body, f);
        }
    }

    /// Hands the root of an included snippet to `f`. `AWS::Include` names a file of the repository before
    /// `aws cloudformation package` has run; macros and snippets that lie elsewhere are unknown.
    /// CloudFormation Template Reference, "AWS::Include transform".
    pub(crate) fn included(
        &self,
        env: TemplateScope<'_>,
        node: NodeId,
        f: &mut dyn FnMut(TemplateScope<'_>, NodeId) -> Option<Value>,
    ) -> Option<Value> {
        let tree = env.tree;
        let span = tree.span(node);
        let unknown = |name: &str| Some(Value::unknown_other(name.to_owned(), span));
        let name = tree.get(node, "Name").and_then(|n| tree.text(n)?.known());
        if name.as_deref() != Some("AWS::Include") {
            return unknown(name.as_deref().unwrap_or("Fn::Transform"));
        }
        let location = tree
            .get(node, "Parameters")
            .and_then(|p| tree.get(p, "Location"))
            .and_then(|l| self.value(env, l));
        let Some(path) = location
            .as_ref()
            .and_then(Value::as_str)
            .and_then(|l| self.local_path(tree, &l))
        else {
            return unknown("AWS::Include");
        };
        let Some(file) = self.world.sources.find(&path) else {
            self.request_file(path);
            return unknown("AWS::Include");
        };
        let shared = self.world.tree(file);
        let Some(&root) = shared.roots.first() else {
            return unknown("AWS::Include");
        };
        if !self.spend_nodes(shared.node_count()) {
            return unknown("too large");
        }
        f(env.including(&shared, span), root).map(|v| v.used_at(span))
    }

    /// A name, label or index that a function takes: the text with loops filled in.
    pub(crate) fn name(&self, env: TemplateScope<'_>, node: NodeId) -> Option<String> {
        self.value(env, node)?.as_text().map(Text::display)
    }
}

/// The long form of a function: a map with one entry whose key is `Ref`, `Fn::…`, or what Rain puts a file in with.
pub(crate) fn intrinsic(tree: &Tree, node: NodeId) -> Option<(String, NodeId)> {
    let mut entries = tree.entries(node);
    let (key, argument) = entries.next()?;
    if entries.next().is_some() {
        return None;
    }
    let key = tree.text(key)?.known()?;
    match key.strip_prefix("Fn::") {
        Some(name) if !name.starts_with("ForEach::") => Some((name.to_owned(), argument)),
        Some(_) => None,
        None => (matches!(&*key, "Ref" | "Rain::Embed") && !matches!(tree.kind(argument), Node::Map | Node::Seq))
            .then(|| (key.into_owned(), argument)),
    }
}
