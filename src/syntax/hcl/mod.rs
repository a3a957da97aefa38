//! HCL as Terraform 1.x writes it: blocks of attributes and blocks, whose expressions are nodes of one [`Tree`].
//!
//! **Invariant:** every node, name and label slices the file to what is written there. A broken line costs that line (or
//! the bracket that it opens), never the file; what lost something says so: a body has a [`Body::gap`], an object or list an
//! entry or item of which nothing is known; the time is linear in the bytes, the depth of nodes and blocks bounded.
//!
//! How nodes are laid out, where [`NodeKind`] alone does not say it:
//! - an object key that is a bare identifier is a `Str` with style `Plain`; a quoted string without `${` is a `Str`,
//!   with it a `Template` of `Str` and expression nodes;
//! - `Call` has its arguments as children; the last one is a `Unary` named `...` where it is spread;
//! - `Splat` has two children: the source, and the expression applied to each, a chain that ends in an `Ident` named `*`;
//! - `For`: see [`ForParts`]; `Directive` named `if`: condition, `Template`, and a second `Template` where there is an
//!   `else`; named `for`: as [`ForParts`] without result key and condition, its result being a `Template`.

mod embed;
mod expr;
mod heredoc;
mod literal;
mod loops;
mod scan;
mod template;

use crate::source::{FileId, Span};

use super::tree::{NodeId, NodeKind, Tree};
use scan::HclParser;

pub use embed::embed;

/// How deep expressions may nest; Terraform code of people stays below 20.
pub(crate) const MAX_DEPTH: u32 = 128;
/// How deep blocks may nest.
const MAX_BLOCKS: u32 = 64;

/// One parsed file.
#[derive(Debug)]
pub struct HclFile {
    /// The expressions, and the problems of the whole file.
    pub tree: Tree,
    pub body: Body,
}

/// What stands between a block's braces, or in a file.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// In order; duplicates kept.
    pub attributes: Vec<Attribute>,
    pub blocks: Vec<HclBlock>,
    /// Where it is broken: more may have been meant to stand here.
    pub gap: Option<Span>,
}

impl Body {
    /// The last attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().rev().find(|a| &*a.name == name)
    }

    pub fn blocks<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a HclBlock> {
        self.blocks.iter().filter(move |b| &*b.kind == kind)
    }
}

/// `name = value`.
#[derive(Clone, Debug)]
pub struct Attribute {
    pub name: Box<str>,
    pub name_span: Span,
    pub value: NodeId,
    /// From the name to the end of the value.
    pub span: Span,
}

/// `kind "label" "label" { … }`.
#[derive(Clone, Debug)]
pub struct HclBlock {
    /// Empty where the header is broken.
    pub kind: Box<str>,
    pub kind_span: Span,
    pub labels: Vec<BlockLabel>,
    /// The kind and the labels, without the brace.
    pub header: Span,
    /// To the closing brace.
    pub span: Span,
    pub body: Body,
}

impl HclBlock {
    /// Marks it and all that is in it as broken.
    fn mark_broken(&mut self) {
        let end = self.span.end as usize;
        self.body.gap.get_or_insert(Span::new(self.span.file, end, end));
        self.body.blocks.iter_mut().for_each(Self::mark_broken);
    }

    /// The n-th label's text; empty where there is not one.
    pub fn label(&self, n: usize) -> &str {
        self.labels.get(n).map_or("", |l| &l.text)
    }
}

/// A block's label, quoted or bare.
#[derive(Clone, Debug)]
pub struct BlockLabel {
    pub text: Box<str>,
    /// With its quotes.
    pub span: Span,
}

/// The parts of a `For` node.
#[derive(Clone, Copy, Debug)]
pub struct ForParts {
    /// The first of two iteration variables, an `Ident`.
    pub key: Option<NodeId>,
    pub value: NodeId,
    pub collection: NodeId,
    /// `Some` in `{for … : key => value}`.
    pub result_key: Option<NodeId>,
    pub result: NodeId,
    pub condition: Option<NodeId>,
    /// `…` after the result: values of equal keys are collected.
    pub grouped: bool,
}

impl ForParts {
    /// `None` for a node of another kind or a broken one.
    pub fn of(tree: &Tree, node: NodeId) -> Option<Self> {
        let children: Vec<NodeId> = tree.children(node).collect();
        // Which optional parts are there stands in the node's name, one letter each: see `Parser::for_name`.
        let name = match tree.kind(node) {
            NodeKind::For => tree.name(node),
            NodeKind::Directive if tree.name(node) == "for" && children.len() == 4 => "k",
            NodeKind::Directive if tree.name(node) == "for" => "",
            _ => return None,
        };
        let mut at = children.into_iter();
        let key = if name.contains('k') { Some(at.next()?) } else { None };
        let (value, collection) = (at.next()?, at.next()?);
        let result_key = if name.contains('o') { Some(at.next()?) } else { None };
        Some(Self {
            key,
            value,
            collection,
            result_key,
            result: at.next()?,
            condition: at.next(),
            grouped: name.contains('g'),
        })
    }
}

/// Parses a `.tf`, `.tofu`, `.tfvars` or `.hcl` file.
pub fn parse(file: FileId, text: &str) -> HclFile {
    let mut parser = HclParser::new(file, text);
    let mut body = parser.file();
    if parser.unclosed {
        // Something stayed open to the end of the file: read again, taking a top-level keyword in the first column as
        // the end of all that is open.
        parser = HclParser::new(file, text);
        parser.columns = true;
        body = parser.file();
    }
    let mut tree = parser.tree;
    tree.problems.sort_by_key(|p| p.span);
    HclFile { tree, body }
}

/// Parses all of `text` as the inside of a template, as `templatefile` reads a file.
pub fn parse_template(file: FileId, text: &str) -> Tree {
    let mut parser = HclParser::new(file, text);
    let root = parser.template_file();
    let mut tree = parser.tree;
    tree.roots.push(root);
    tree
}
