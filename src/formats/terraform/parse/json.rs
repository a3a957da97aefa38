//! `.tf.json` and `.tfvars.json`: the same declarations in JSON.
//!
//! Terraform documentation, "JSON Configuration Syntax": strings are templates, and whether a property is an argument or
//! a nested block is for the provider to say; here, the blocks that matter to us are known by name.

use crate::source::{FileId, Span, Text};
use crate::syntax::hcl::{Attribute, BlockLabel, Body, HclBlock, HclFile, embed};
use crate::syntax::{NodeId, NodeKind, NodeStyle, Tree, json};

/// Deepest nesting of values.
const MAX_DEPTH: u32 = 100;

/// Properties that are nested blocks, in the types that we look into.
const BLOCKS: &[&str] = &[
    "access_control_policy",
    "assume_role",
    "assume_role_with_web_identity",
    "condition",
    "customer_managed_policy_reference",
    "details",
    "environment",
    "environment_variable",
    "filter",
    "grant",
    "grantee",
    "iam_instance_profile",
    "inline_policy",
    "metadata_options",
    "not_principals",
    "principals",
    "public_access_block_configuration",
    "role_mapping",
    "statement",
    "vpc_config",
];

pub(crate) fn parse(file: FileId, text: &str) -> HclFile {
    let read = json::parse(file, text);
    let mut converter = Converter {
        json: &read,
        tree: Tree::new(file),
    };
    let mut body = Body::default();
    if let Some(root) = read.roots.first() {
        for root in converter.objects_of(*root) {
            converter.file(root, &mut body);
        }
    }
    let mut tree = converter.tree;
    tree.problems.extend(read.problems.iter().cloned());
    HclFile { tree, body }
}

struct Converter<'t> {
    json: &'t Tree,
    tree: Tree,
}

impl Converter<'_> {
    /// An object, or the objects of a list: JSON syntax allows both for blocks.
    fn objects_of(&self, node: NodeId) -> Vec<NodeId> {
        match self.json.kind(node) {
            NodeKind::Map => vec![node],
            NodeKind::Seq => self
                .json
                .children(node)
                .filter(|c| self.json.kind(*c) == NodeKind::Map)
                .collect(),
            _ => Vec::new(),
        }
    }

    fn name(&self, key: NodeId) -> Box<str> {
        let text = self.json.text(key).map(|t| t.display());
        text.unwrap_or_default().into()
    }

    fn is_broken(&self, key: NodeId) -> bool {
        self.json.text(key).is_some_and(Text::is_broken)
    }

    fn file(&mut self, root: NodeId, out: &mut Body) {
        let mut assigned = Vec::new();
        for (key, value) in self.json.entries(root).collect::<Vec<_>>() {
            let kind = self.name(key);
            match &*kind {
                "resource" | "data" | "ephemeral" => self.labeled_blocks(key, value, 2, out),
                "variable" | "output" | "module" | "provider" => self.labeled_blocks(key, value, 1, out),
                "locals" | "terraform" => self.labeled_blocks(key, value, 0, out),
                // A comment, by convention.
                "//" => {}
                _ if self.is_broken(key) => {}
                // What `.tfvars.json` holds.
                _ => assigned.push((key, value)),
            }
        }
        for (key, value) in assigned {
            let attribute = self.attribute(key, value);
            out.attributes.push(attribute);
        }
    }

    /// Blocks whose labels are the keys of nested objects.
    fn labeled_blocks(&mut self, kind: NodeId, value: NodeId, labels: usize, out: &mut Body) {
        let mut open: Vec<(Vec<NodeId>, NodeId)> = vec![(Vec::new(), value)];
        for _ in 0..labels {
            let mut inner = Vec::new();
            for (path, node) in open {
                for object in self.objects_of(node) {
                    for (key, value) in self.json.entries(object).filter(|(key, _)| !self.is_broken(*key)) {
                        let mut path = path.clone();
                        path.push(key);
                        inner.push((path, value));
                    }
                }
            }
            open = inner;
        }
        let name = self.name(kind);
        for (path, node) in open {
            for object in self.objects_of(node) {
                let last = path.last().copied().unwrap_or(kind);
                let header = self.json.span(last);
                let block = HclBlock {
                    kind: name.clone(),
                    kind_span: header,
                    labels: path
                        .iter()
                        .map(|key| BlockLabel {
                            text: self.name(*key),
                            span: self.json.span(*key),
                        })
                        .collect(),
                    header,
                    span: header.cover(self.json.span(object)),
                    body: self.body(object, &name, 0),
                };
                out.blocks.push(block);
            }
        }
    }

    fn body(&mut self, object: NodeId, parent: &str, depth: u32) -> Body {
        let mut out = Body::default();
        if depth > MAX_DEPTH {
            return out;
        }
        for (key, value) in self.json.entries(object).collect::<Vec<_>>() {
            let name = self.name(key);
            let objects = self.objects_of(value);
            match &*name {
                _ if self.is_broken(key) => out.gap = Some(self.json.span(key)),
                "//" => {}
                "backend" if parent == "terraform" => self.labeled_blocks(key, value, 1, &mut out),
                "dynamic" => self.dynamic(value, depth, &mut out),
                _ if !objects.is_empty() && (BLOCKS.contains(&&*name) || name.as_ref() == "content") => {
                    for object in objects {
                        let kind_span = self.json.span(key);
                        let block = HclBlock {
                            kind: name.clone(),
                            kind_span,
                            labels: Vec::new(),
                            header: kind_span,
                            span: kind_span.cover(self.json.span(object)),
                            body: self.body(object, &name, depth + 1),
                        };
                        out.blocks.push(block);
                    }
                }
                _ => {
                    let attribute = self.attribute(key, value);
                    out.attributes.push(attribute);
                }
            }
        }
        out
    }

    fn dynamic(&mut self, value: NodeId, depth: u32, out: &mut Body) {
        for object in self.objects_of(value) {
            for (key, value) in self.json.entries(object).collect::<Vec<_>>() {
                for object in self.objects_of(value) {
                    let header = self.json.span(key);
                    let block = HclBlock {
                        kind: "dynamic".into(),
                        kind_span: header,
                        labels: vec![BlockLabel {
                            text: self.name(key),
                            span: header,
                        }],
                        header,
                        span: header.cover(self.json.span(object)),
                        body: self.body(object, "dynamic", depth + 1),
                    };
                    out.blocks.push(block);
                }
            }
        }
    }

    fn attribute(&mut self, key: NodeId, value: NodeId) -> Attribute {
        let name = self.name(key);
        let name_span = self.json.span(key);
        let node = self.expression(value, matches!(&*name, "type" | "source"), 0);
        Attribute {
            name,
            name_span,
            value: node,
            span: name_span.cover(self.json.span(value)),
        }
    }

    /// A value as an expression; strings are templates unless they are to be taken as they are.
    fn expression(&mut self, node: NodeId, literal: bool, depth: u32) -> NodeId {
        let span = self.json.span(node);
        let kind = self.json.kind(node);
        let children: Vec<NodeId> = if depth < MAX_DEPTH {
            self.json.children(node).collect()
        } else {
            Vec::new()
        };
        match kind {
            NodeKind::Map | NodeKind::Seq => {
                let children: Vec<NodeId> = children
                    .into_iter()
                    .map(|c| self.expression(c, false, depth + 1))
                    .collect();
                let new = self.push(kind, NodeStyle::Plain, span);
                self.tree.adopt(new, &children);
                new
            }
            NodeKind::Str => {
                let text = self.json.text(node).cloned().unwrap_or_default();
                if text.as_hole().is_some() && self.json.node(node).style == NodeStyle::Plain {
                    return self.push(NodeKind::Unknown, NodeStyle::Plain, span);
                }
                let flat = text.with_placeholders();
                if !literal && (flat.contains("${") || flat.contains("%{")) {
                    return embed(&mut self.tree, &text, span);
                }
                drop(flat);
                let new = self.push(NodeKind::Str, NodeStyle::Double, span);
                self.tree.set_text(new, text);
                new
            }
            NodeKind::Num | NodeKind::Bool | NodeKind::Null => {
                let new = self.push(kind, NodeStyle::Plain, span);
                let text = self.json.text(node).cloned().unwrap_or_default();
                self.tree.set_text(new, text);
                new
            }
            _ => self.push(NodeKind::Unknown, NodeStyle::Plain, span),
        }
    }

    fn push(&mut self, kind: NodeKind, style: NodeStyle, span: Span) -> NodeId {
        self.tree.push(kind, style, span.start as usize, span.end as usize)
    }
}
