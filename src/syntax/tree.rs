//! The one arena tree of JSON, YAML and HCL expressions.

use std::collections::{HashMap, HashSet};

use crate::source::{FileId, Hole, Problem, Span, Text};

/// Index of a node in its [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// Deepest nesting of JSON and YAML that is followed, by parsers and so by everything behind them: what is deeper is a problem
/// at its place, and is not read.
pub const MAX_DEPTH: usize = 90;

/// No node.
const NONE: u32 = u32::MAX;

/// What a node is. JSON and YAML use the first group only; HCL expressions use all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    Null,
    Bool,
    Num,
    Str,
    Seq,
    /// Children alternate key, value; order and duplicates are kept.
    Map,
    /// A function by name ([`Tree::name`]) and its arguments: a YAML tag (`!Sub x` is `Sub`), `jsonencode(x)`.
    Call,
    /// Broken or not understood.
    Unknown,
    /// A bare identifier ([`Tree::name`]).
    Ident,
    /// `child.name`.
    Attr,
    /// `child[child]`.
    Index,
    /// `child[*]` or `child.*`; what follows is applied to each.
    Splat,
    /// Operator in [`Tree::name`].
    Unary,
    Binary,
    /// `child ? child : child`.
    Cond,
    /// A `for` expression; layout given by the HCL parser.
    For,
    /// A quoted template or heredoc with interpolations or directives; children are Str and expression nodes.
    Template,
    /// A template directive (`%{if}`, `%{for}`); layout given by the HCL parser.
    Directive,
    Paren,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeStyle {
    Plain,
    Single,
    Double,
    Literal,
    Folded,
    Heredoc,
}

/// One node: 28 bytes, no ownership, dropped flat.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    pub kind: NodeKind,
    pub style: NodeStyle,
    /// Bytes of the whole node, quotes included, trailing white space not.
    pub start: u32,
    pub end: u32,
    pub first: u32,
    pub next: u32,
    /// Index of the node's text or name in the side tables.
    pub aux: u32,
}

/// All that was understood of one file or one embedded text.
#[derive(Debug)]
pub struct Tree {
    pub file: FileId,
    nodes: Vec<Node>,
    texts: Vec<Text>,
    names: Vec<Box<str>>,
    /// Span of a node that does not lie byte for byte in the file (embedded texts).
    spans: HashMap<u32, Span>,
    /// What a YAML alias stands for.
    aliases: HashMap<u32, NodeId>,
    /// One root for each document of the stream; empty for an empty file.
    pub roots: Vec<NodeId>,
    pub problems: Vec<Problem>,
}

impl Tree {
    pub fn new(file: FileId) -> Self {
        Self {
            file,
            nodes: Vec::new(),
            texts: Vec::new(),
            names: Vec::new(),
            spans: HashMap::new(),
            aliases: HashMap::new(),
            roots: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// How many nodes the tree has.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// The node itself, an alias as such; all other questions but [`Tree::span`] see through an alias.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// What a YAML alias stands for; any other node itself. What is found this way is written elsewhere: its span is not
    /// the alias's. Never leads in a circle.
    pub fn resolve(&self, id: NodeId) -> NodeId {
        if self.aliases.is_empty() {
            return id;
        }
        self.aliases.get(&id.0).copied().unwrap_or(id)
    }

    pub fn is_alias(&self, id: NodeId) -> bool {
        self.aliases.contains_key(&id.0)
    }

    pub fn kind(&self, id: NodeId) -> NodeKind {
        self.node(self.resolve(id)).kind
    }

    pub fn span(&self, id: NodeId) -> Span {
        if let Some(span) = self.spans.get(&id.0) {
            return *span;
        }
        let n = self.node(id);
        Span {
            file: self.file,
            start: n.start,
            end: n.end,
        }
    }

    pub fn children(&self, id: NodeId) -> Children<'_> {
        Children {
            tree: self,
            next: self.node(self.resolve(id)).first,
        }
    }

    /// The entries of a map.
    pub fn entries(&self, id: NodeId) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
        let mut children = self.children(id);
        let is_map = self.kind(id) == NodeKind::Map;
        std::iter::from_fn(move || {
            if !is_map {
                return None;
            }
            Some((children.next()?, children.next()?))
        })
    }

    /// The entries of a map with those that YAML merge keys (`<<: *base`) bring, which lose against the map's own.
    /// YAML 1.1 type repository, "Merge Key Language-Independent Type".
    pub fn merged(&self, id: NodeId) -> Vec<(NodeId, NodeId)> {
        let (merges, mut entries): (Vec<_>, Vec<_>) = self.entries(id).partition(|(k, _)| self.is_merge(*k));
        if merges.is_empty() {
            return entries;
        }
        let key = |k: NodeId| self.text(k).and_then(Text::known);
        let mut seen: HashSet<_> = entries.iter().filter_map(|(k, _)| key(*k)).collect();
        for (_, from) in merges {
            let maps = match self.kind(from) {
                NodeKind::Seq => self.children(from).collect(),
                _ => vec![from],
            };
            // Aliases are bounded in depth and in number, and so is this recursion.
            for entry in maps.into_iter().flat_map(|map| self.merged(map)) {
                if key(entry.0).is_none_or(|k| seen.insert(k)) {
                    entries.push(entry);
                }
            }
        }
        entries
    }

    /// Whether `key` is an unquoted `<<`.
    fn is_merge(&self, key: NodeId) -> bool {
        let n = self.node(key);
        n.style == NodeStyle::Plain
            && n.end - n.start == 2
            && self.text(key).and_then(Text::known).as_deref() == Some("<<")
    }

    /// The last value of `key` in a map.
    pub fn get(&self, id: NodeId, key: &str) -> Option<NodeId> {
        self.entries(id)
            .filter(|(k, _)| self.text(*k).and_then(Text::known).as_deref() == Some(key))
            .map(|(_, v)| v)
            .last()
    }

    /// Decoded text of a scalar.
    pub fn text(&self, id: NodeId) -> Option<&Text> {
        let n = self.node(self.resolve(id));
        match n.kind {
            NodeKind::Str | NodeKind::Num | NodeKind::Bool | NodeKind::Null => self.texts.get(n.aux as usize),
            _ => None,
        }
    }

    /// Name of a call, identifier, attribute or operator.
    pub fn name(&self, id: NodeId) -> &str {
        let n = self.node(self.resolve(id));
        match n.kind {
            NodeKind::Call
            | NodeKind::Ident
            | NodeKind::Attr
            | NodeKind::Unary
            | NodeKind::Binary
            | NodeKind::Directive
            | NodeKind::For => self.names.get(n.aux as usize).map_or("", |s| s),
            _ => "",
        }
    }

    /// Adds a node without children; see [`Tree::adopt`].
    pub fn push(&mut self, kind: NodeKind, style: NodeStyle, start: usize, end: usize) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(Node {
            kind,
            style,
            start: start as u32,
            end: end as u32,
            first: NONE,
            next: NONE,
            aux: NONE,
        });
        id
    }

    /// A node of unknown content, for what is lost at a broken place: a bare hole.
    pub fn push_lost(&mut self, at: usize, span: Span) -> NodeId {
        let id = self.push(NodeKind::Str, NodeStyle::Plain, at, at);
        self.set_text(id, Text::hole(Hole::broken(span)));
        id
    }

    pub fn set_text(&mut self, id: NodeId, text: Text) {
        self.nodes[id.0 as usize].aux = self.texts.len() as u32;
        self.texts.push(text);
    }

    pub fn set_name(&mut self, id: NodeId, name: &str) {
        self.nodes[id.0 as usize].aux = self.names.len() as u32;
        self.names.push(name.into());
    }

    pub fn set_kind(&mut self, id: NodeId, kind: NodeKind) {
        self.nodes[id.0 as usize].kind = kind;
    }

    pub fn set_range(&mut self, id: NodeId, start: usize, end: usize) {
        let n = &mut self.nodes[id.0 as usize];
        n.start = start as u32;
        n.end = end as u32;
    }

    /// Gives the node a span that is not its byte range in [`Tree::file`].
    pub fn set_span(&mut self, id: NodeId, span: Span) {
        self.spans.insert(id.0, span);
    }

    /// Makes the node stand for `target`, which must not contain it.
    pub fn set_alias(&mut self, id: NodeId, target: NodeId) {
        self.aliases.insert(id.0, target);
    }

    /// Makes `children` the children of `parent`, in order.
    pub fn adopt(&mut self, parent: NodeId, children: &[NodeId]) {
        self.nodes[parent.0 as usize].first = children.first().map_or(NONE, |c| c.0);
        for pair in children.windows(2) {
            self.nodes[pair[0].0 as usize].next = pair[1].0;
        }
        if let Some(last) = children.last() {
            self.nodes[last.0 as usize].next = NONE;
        }
    }
}

/// Iterator over a node's children.
#[derive(Clone)]
pub struct Children<'a> {
    tree: &'a Tree,
    next: u32,
}

impl Iterator for Children<'_> {
    type Item = NodeId;

    fn next(&mut self) -> Option<NodeId> {
        if self.next == NONE {
            return None;
        }
        let id = NodeId(self.next);
        self.next = self.tree.node(id).next;
        Some(id)
    }
}
