//! A text in one syntax, cut into parts: what an edit has to know of the place it is made at.
//!
//! A file is one such text; a policy inside a string (a YAML block, a heredoc, a Python literal) is another, whose host
//! says how its bytes are written in the file.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::ops::Range;

use super::quoting::{Quoting, python_prefix, python_quotes};
use super::sequence::Layout;
use crate::finding::Edit;
use crate::python::syntax;
use crate::python::syntax::K;
use crate::source::{FileId, Hole, HoleKind, Span, Text};
use crate::syntax::{NodeId, NodeKind, NodeStyle, Tree, hcl, json, yaml};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    Json,
    Yaml,
    Hcl,
    Python,
}

impl Syntax {
    /// How the file at `path` is written; `None` for what is a template of something else or no code at all.
    pub(super) fn detect(path: &str, text: &str) -> Option<Self> {
        let (_, extension) = path.rsplit_once('.')?;
        let braces = text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']);
        Some(match extension {
            "json" => Self::Json,
            "yaml" | "yml" | "template" if braces => Self::Json,
            "yaml" | "yml" | "template" => Self::Yaml,
            "tf" | "tofu" | "tfvars" | "hcl" => Self::Hcl,
            "py" => Self::Python,
            _ => return None,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CodeShape {
    /// Children are its items.
    List,
    /// A Python tuple: one item needs a comma.
    Tuple,
    /// Children alternate key, value.
    Object,
    /// Between the braces of an HCL block, or a file of it: children alternate name, value; a nested block's value is its body.
    Body,
    /// A string, number or word.
    Scalar,
    Other,
}

#[derive(Debug)]
pub(super) struct CodePart {
    pub(super) shape: CodeShape,
    /// Bytes of the code's text.
    pub(super) range: Range<usize>,
    pub(super) parent: Option<usize>,
    /// In order.
    pub(super) children: Vec<usize>,
    /// What a string says and how it is written, where it may hold a document.
    inner: Option<(Text, NodeStyle)>,
    pub(super) layout: OnceCell<Option<Box<Layout>>>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct EditableCode {
    pub(super) file: FileId,
    pub(super) syntax: Syntax,
    pub(super) text: String,
    pub(super) parts: Vec<CodePart>,
    /// The innermost part that is written at a place in the file.
    places: HashMap<Span, usize>,
    /// Parts that may hold a document, in order.
    strings: Vec<usize>,
    host: Option<EmbeddedIn>,
}

/// How an embedded text stands in its file.
#[derive(Debug)]
struct EmbeddedIn {
    text: Text,
    /// From the innermost string to the outermost.
    quotings: Vec<Quoting>,
}

/// Longest string that is looked into.
const MAX_EMBEDDED: usize = 1 << 20;

/// How many strings may stand between the beginning of the one around a place and the place.
const MAX_NESTED: usize = 64;

impl EditableCode {
    /// A whole file; `None` where it is in no syntax that edits are known for.
    pub(super) fn file(file: FileId, path: &str, text: &str) -> Option<Self> {
        let syntax = Syntax::detect(path, text)?;
        let mut code = Self::new(file, syntax, text.to_owned(), None);
        match syntax {
            Syntax::Json => code.tree(&json::parse(file, text)),
            Syntax::Yaml => code.tree(&yaml::parse(file, text)),
            Syntax::Hcl => {
                let hcl = hcl::parse(file, text);
                let root = code.push(CodeShape::Body, 0..text.len(), None);
                code.body(&hcl.tree, &hcl.body, root);
            }
            Syntax::Python => {
                let parsed = syntax::parse(file, path, text);
                if let Some(tree) = &parsed.tree {
                    code.python(&parsed.code, tree);
                }
            }
        }
        Some(code)
    }

    fn new(file: FileId, syntax: Syntax, text: String, host: Option<EmbeddedIn>) -> Self {
        Self {
            file,
            syntax,
            text,
            parts: Vec::new(),
            places: HashMap::new(),
            strings: Vec::new(),
            host,
        }
    }

    /// The JSON document that the string `part` holds.
    pub(super) fn embedded(&self, part: usize) -> Option<Self> {
        let (inner, style) = self.parts[part].inner.as_ref()?;
        let flat = inner.with_placeholders();
        if flat.len() > MAX_EMBEDDED || !flat.trim_start().starts_with(['{', '[']) {
            return None;
        }
        let mut quotings = vec![self.quoting(part, inner, *style)?];
        if let Some(host) = &self.host {
            quotings.extend(host.quotings.iter().cloned());
        }
        let tree = json::parse_text(inner, Span::new(self.file, 0, 0));
        let host = EmbeddedIn {
            text: inner.clone(),
            quotings,
        };
        let mut code = Self::new(self.file, Syntax::Json, flat.into_owned(), Some(host));
        code.tree(&tree);
        Some(code)
    }

    /// How the string `part` is written.
    fn quoting(&self, part: usize, inner: &Text, style: NodeStyle) -> Option<Quoting> {
        let indent = || {
            let at = inner.span_of(0..1)?.start as usize;
            let line = self.text[..at].rfind('\n').map_or(0, |i| i + 1);
            let indent = &self.text[line..at];
            indent.trim().is_empty().then(|| indent.to_owned())
        };
        Some(match (self.syntax, style) {
            (Syntax::Json, _) => Quoting::Escaped,
            (Syntax::Yaml, NodeStyle::Double) => Quoting::Escaped,
            (Syntax::Yaml, NodeStyle::Single) => Quoting::Doubled,
            (Syntax::Yaml, NodeStyle::Literal) => Quoting::Indented(indent()?),
            (Syntax::Yaml, NodeStyle::Folded) => Quoting::OneLine,
            (Syntax::Yaml, _) => return None,
            (Syntax::Hcl, NodeStyle::Heredoc) => Quoting::Heredoc(indent()?),
            (Syntax::Hcl, _) => Quoting::Template,
            (Syntax::Python, _) => Quoting::python(self.slice(part))?,
        })
    }

    /// The part that is written at `span`.
    pub(super) fn part_at(&self, span: Span) -> Option<usize> {
        self.places.get(&span).copied()
    }

    /// The innermost string that `span` lies in, and that may hold a document.
    pub(super) fn string_around(&self, span: Span) -> Option<usize> {
        let place = |p: &usize| self.span(self.parts[*p].range.clone());
        let holds = |p: &&usize| place(p).is_some_and(|s| s.contains(span));
        let behind = self
            .strings
            .partition_point(|p| place(p).is_none_or(|s| s.start <= span.start));
        // Strings stand in strings only where something is interpolated.
        self.strings[..behind]
            .iter()
            .rev()
            .take(MAX_NESTED)
            .find(holds)
            .copied()
    }

    pub(super) fn slice(&self, part: usize) -> &str {
        self.text.get(self.parts[part].range.clone()).unwrap_or("")
    }

    /// Whether the text stands in a string of a file.
    pub(super) fn is_embedded(&self) -> bool {
        self.host.is_some()
    }

    /// Whether a list or an object stands in brackets.
    pub(super) fn is_bracketed(&self, part: usize) -> bool {
        let p = &self.parts[part];
        // A YAML block begins where its first element does.
        let opens = p
            .children
            .first()
            .is_none_or(|c| self.parts[*c].range.start > p.range.start);
        opens && self.slice(part).starts_with(['[', '{', '('])
    }

    /// Where `range` is written in the file.
    fn span(&self, range: Range<usize>) -> Option<Span> {
        match &self.host {
            None => Some(Span::new(self.file, range.start, range.end)),
            Some(host) => host.text.span_of(range),
        }
    }

    /// The edit of the file that puts `new` in the place of `range`; `None` where that cannot be written exactly.
    pub(super) fn edit(&self, range: Range<usize>, new: &str) -> Option<Edit> {
        let Some(host) = &self.host else {
            let span = Span::new(self.file, range.start, range.end);
            return Some(Edit {
                span,
                text: new.to_owned(),
            });
        };
        let hole = |c: char| Text::placeholder(c).is_some();
        let span = if range.is_empty() {
            // Right behind what stands before: between it and what follows there may be an outer indentation.
            let before = self.text[..range.start].chars().next_back()?;
            let at = host.text.span_of(range.start - before.len_utf8()..range.start)?.end;
            if hole(before) {
                return None;
            }
            Span::new(self.file, at as usize, at as usize)
        } else {
            let taken = self.text.get(range.clone())?;
            if taken.starts_with(hole) || taken.ends_with(hole) {
                return None;
            }
            host.text.span_of(range)?
        };
        let text = host
            .quotings
            .iter()
            .try_fold(new.to_owned(), |text, quoting| quoting.encode(&text))?;
        Some(Edit { span, text })
    }

    fn push(&mut self, shape: CodeShape, range: Range<usize>, parent: Option<usize>) -> usize {
        let id = self.parts.len();
        if let Some(span) = self.span(range.clone()) {
            self.places.insert(span, id);
        }
        self.parts.push(CodePart {
            shape,
            range,
            parent,
            children: Vec::new(),
            inner: None,
            layout: OnceCell::new(),
        });
        if let Some(parent) = parent {
            self.parts[parent].children.push(id);
        }
        id
    }

    fn set_inner(&mut self, part: usize, inner: Option<Text>, style: NodeStyle) {
        if let Some(text) = inner {
            self.parts[part].inner = Some((text, style));
            self.strings.push(part);
        }
    }

    /// Cuts JSON or YAML.
    fn tree(&mut self, tree: &Tree) {
        for root in &tree.roots {
            self.node(tree, *root, None);
        }
    }

    /// The node and all below it; what an alias stands for is written elsewhere and has its part there.
    fn node(&mut self, tree: &Tree, root: NodeId, parent: Option<usize>) {
        let mut open = vec![(root, parent)];
        while let Some((id, parent)) = open.pop() {
            let node = *tree.node(id);
            let range = node.start as usize..node.end as usize;
            let shape = match node.kind {
                _ if tree.is_alias(id) => CodeShape::Other,
                NodeKind::Seq => CodeShape::List,
                NodeKind::Map => CodeShape::Object,
                NodeKind::Str | NodeKind::Num | NodeKind::Bool | NodeKind::Null => CodeShape::Scalar,
                _ => CodeShape::Other,
            };
            let part = self.push(shape, range, parent);
            if tree.is_alias(id) {
                continue;
            }
            let inner = match node.kind {
                NodeKind::Str => tree.text(id).filter(|t| t.len() > 8).cloned(),
                NodeKind::Template => Some(template(tree, id)),
                _ => None,
            };
            self.set_inner(part, inner, node.style);
            let mut children: Vec<NodeId> = tree.children(id).collect();
            if node.kind == NodeKind::Template {
                children.retain(|c| !is_literal(tree, *c));
            }
            open.extend(children.into_iter().rev().map(|c| (c, Some(part))));
        }
    }

    fn body(&mut self, tree: &Tree, body: &hcl::Body, part: usize) {
        enum CodeEntry<'b> {
            Attribute(&'b hcl::Attribute),
            Block(&'b hcl::HclBlock),
        }
        let mut entries: Vec<(u32, CodeEntry<'_>)> = Vec::new();
        entries.extend(
            body.attributes
                .iter()
                .map(|a| (a.name_span.start, CodeEntry::Attribute(a))),
        );
        entries.extend(body.blocks.iter().map(|b| (b.span.start, CodeEntry::Block(b))));
        entries.sort_by_key(|(at, _)| *at);
        for (_, entry) in entries {
            match entry {
                CodeEntry::Attribute(a) => {
                    self.push(CodeShape::Other, a.name_span.range(), Some(part));
                    self.node(tree, a.value, Some(part));
                }
                CodeEntry::Block(b) => {
                    self.push(CodeShape::Other, b.kind_span.range(), Some(part));
                    let inner = self.push(CodeShape::Body, b.span.range(), Some(part));
                    self.body(tree, &b.body, inner);
                }
            }
        }
    }

    fn python(&mut self, code: &syntax::PythonCode<'_>, tree: &syntax::Tree) {
        let mut open = vec![(tree.root_node(), None)];
        while let Some((node, parent)) = open.pop() {
            let range = node.byte_range();
            let shape = match syntax::kind(node) {
                K::Comment => continue,
                K::List | K::Set => CodeShape::List,
                K::Tuple => CodeShape::Tuple,
                K::Dictionary => CodeShape::Object,
                K::String | K::Integer | K::Float | K::True | K::False | K::None => CodeShape::Scalar,
                _ => CodeShape::Other,
            };
            let mut cursor = node.walk();
            let mut children: Vec<syntax::Node<'_>> = node.named_children(&mut cursor).collect();
            // A pair is no part of its own: its key and value are the dictionary's.
            if syntax::kind(node) == K::Pair
                && let (Some(dictionary), [key, value]) = (parent, children.as_slice())
            {
                open.extend([(*value, Some(dictionary)), (*key, Some(dictionary))]);
                continue;
            }
            // `**other` stands for any number of entries: what is beside it cannot be distinguished by position.
            let spread = shape == CodeShape::Object
                && children
                    .iter()
                    .any(|c| !matches!(syntax::kind(*c), K::Pair | K::Comment));
            let shape = if spread { CodeShape::Other } else { shape };
            let part = self.push(shape, range, parent);
            if syntax::kind(node) == K::String {
                self.set_inner(part, python_text(code, node), NodeStyle::Double);
                continue;
            }
            children.reverse();
            open.extend(children.into_iter().map(|c| (c, Some(part))));
        }
    }
}

/// Whether a template's child is one of its literal runs.
fn is_literal(tree: &Tree, child: NodeId) -> bool {
    tree.kind(child) == NodeKind::Str && tree.node(child).style == NodeStyle::Plain
}

/// The text of a template; what is interpolated is a hole.
fn template(tree: &Tree, id: NodeId) -> Text {
    let mut text = Text::default();
    for child in tree.children(id) {
        match tree.text(child) {
            Some(t) if is_literal(tree, child) => text.append(t),
            _ => text.append(&Text::hole(Hole::new(HoleKind::Other, "", tree.span(child)))),
        }
    }
    text
}

/// What a Python string says; `None` where it is too short to be a document.
fn python_text(code: &syntax::PythonCode<'_>, node: syntax::Node<'_>) -> Option<Text> {
    let written = code.slice(node.byte_range());
    if written.len() < 8 {
        return None;
    }
    let (prefix, raw, formatted) = python_prefix(written);
    let mut text = Text::default();
    let mut from = node.start_byte() + prefix + python_quotes(&written[prefix..]);
    let mut end = node.end_byte();
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        match syntax::kind(child) {
            K::StringEnd => end = child.start_byte(),
            K::Interpolation if child.start_byte() >= from => {
                code.decode(from..child.start_byte(), raw, formatted, &mut text);
                let span = code.span(child.byte_range());
                text.append(&Text::hole(Hole::new(HoleKind::Other, "", span)));
                from = child.end_byte();
            }
            _ => {}
        }
    }
    code.decode(from..end.max(from), raw, formatted, &mut text);
    Some(text)
}
