//! Templates inside other files: the `TemplateBody` of a stack, written as text or as data of the other language
//! (`aws_cloudformation_stack`, `jsonencode`, `create_stack`, a stack set).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::formats::data::{self, SpanMapper};
use crate::model::{LoweredUnit, Resource};
use crate::source::{FileId, Piece, Sources, Span, Text};
use crate::syntax::{NodeId, NodeKind as Node, NodeStyle, Tree, json, yaml};
use crate::value::{Value, ValueKind};

use crate::formats::cloudformation::eval::template::Template;
use crate::formats::cloudformation::eval::world::World;
use crate::formats::cloudformation::parse::doc::{Doc, is_template};

/// Deepest nesting of a template written as data.
const MAX_DEPTH: usize = 96;

/// Adds what the templates inside the unit's stacks say.
pub fn bodies(sources: &Sources, unit: &mut LoweredUnit) {
    let mut found = LoweredUnit::default();
    for resource in &unit.resources {
        if matches!(
            &*resource.kind,
            "AWS::CloudFormation::Stack" | "AWS::CloudFormation::StackSet"
        ) {
            body(sources, resource, &mut found);
        }
    }
    unit.resources.extend(found.resources);
    unit.wanted.append(&mut found.wanted);
}

fn body(sources: &Sources, stack: &Resource, out: &mut LoweredUnit) {
    let Some(value) = stack.get("TemplateBody") else { return };
    let given = stack.get("Parameters").map(parameters).unwrap_or_default();
    let tree = match &value.kind {
        ValueKind::Str(text) => match whole_file(sources, text) {
            // It is a template by itself, and says the same here.
            Some(_) if given.is_empty() => return,
            Some(file) => data::parse(file, sources.path(file), sources.text(file)),
            None => parsed(text, value.span),
        },
        ValueKind::Json(inner) => data(inner),
        _ => return,
    };
    let Some(&root) = tree.roots.first().filter(|root| is_template(&tree, **root)) else {
        return;
    };
    let scope = format!("{}#{}", stack.address.scope, stack.address.name);
    let doc = Doc::new(Arc::new(tree), root, scope.into());
    let world = World::new(sources, vec![doc], None);
    Template::with_parameters(&world, 0, &given).lower(out);
}

/// A map of parameters, or the list that the API takes: `[{ParameterKey, ParameterValue}]`.
fn parameters(value: &Value) -> BTreeMap<String, Value> {
    if let Some(entries) = value.entries() {
        return entries.iter().map(|e| (e.key.display(), e.value.clone())).collect();
    }
    let one = |item: &Value| {
        let name = item.get("ParameterKey")?.as_str()?.into_owned();
        Some((name, item.get("ParameterValue")?.clone()))
    };
    value.items().iter().filter_map(one).collect()
}

/// The file that is read into a string.
fn whole_file(sources: &Sources, text: &Text) -> Option<FileId> {
    match text.pieces() {
        [Piece::Lit(lit)] if sources.text(lit.map.file).trim().len() <= lit.text.len() => Some(lit.map.file),
        _ => None,
    }
}

fn parsed(text: &Text, span: Span) -> Tree {
    let flat = text.with_placeholders();
    if flat.trim_start().starts_with('{') {
        return json::parse_text(text, span);
    }
    let mut tree = yaml::parse(span.file, &flat);
    let place = SpanMapper::new(text, span);
    for id in (0..tree.node_count() as u32).map(NodeId) {
        let at = tree.span(id);
        if !tree.is_alias(id)
            && let Some(inner) = tree.text(id).map(|t| place.text(t))
        {
            tree.set_text(id, inner);
        }
        tree.set_span(id, place.span(at));
    }
    tree
}

/// The tree of a template that is written as data of another language.
fn data(value: &Value) -> Tree {
    let mut tree = Tree::new(value.span.file);
    let root = node(&mut tree, value, 0);
    tree.roots.push(root);
    tree
}

fn node(tree: &mut Tree, value: &Value, depth: usize) -> NodeId {
    let kind = match &value.kind {
        _ if depth > MAX_DEPTH => Node::Unknown,
        ValueKind::Null => Node::Null,
        ValueKind::Bool(_) => Node::Bool,
        ValueKind::Num(_) => Node::Num,
        ValueKind::Str(_) => Node::Str,
        ValueKind::Seq(_) => Node::Seq,
        ValueKind::Map(_) => Node::Map,
        ValueKind::Json(_) | ValueKind::OneOf(_) | ValueKind::Unknown(_) => Node::Unknown,
    };
    let id = leaf(tree, kind, value.span);
    match &value.kind {
        _ if kind == Node::Unknown => {}
        ValueKind::Bool(b) => tree.set_text(id, Text::synthetic(if *b { "true" } else { "false" }, value.span)),
        ValueKind::Num(n) => tree.set_text(id, Text::synthetic(n, value.span)),
        ValueKind::Str(text) => tree.set_text(id, text.clone()),
        ValueKind::Seq(items) => {
            let children: Vec<NodeId> = items.iter().map(|v| node(tree, v, depth + 1)).collect();
            tree.adopt(id, &children);
        }
        ValueKind::Map(entries) => {
            let mut children = Vec::with_capacity(entries.len() * 2);
            for e in entries.iter() {
                let key = leaf(tree, Node::Str, e.key_span);
                tree.set_text(key, e.key.clone());
                children.push(key);
                children.push(node(tree, &e.value, depth + 1));
            }
            tree.adopt(id, &children);
        }
        _ => {}
    }
    id
}

fn leaf(tree: &mut Tree, kind: Node, span: Span) -> NodeId {
    let id = tree.push(kind, NodeStyle::Double, span.start as usize, span.end as usize);
    if span.file != tree.file {
        tree.set_span(id, span);
    }
    id
}
