//! YAML, by granit-parser's events, with short tags, aliases and exact offset maps of every scalar style.
//!
//! **Invariant:** never fails: broken input gives the tree before the breakage (often, after a same-length repair, all of
//! it) and a problem at its place. A tag of the file's own (`!Sub x`) is a [`NodeKind::Call`] named without its `!`, whose
//! child is the value. An alias is a node that the tree resolves ([`Tree::resolve`]); what aliases add up to is bounded in
//! size and depth here, so that no walker need fear them. `<<` stays an entry; see [`Tree::merged`]. A collection of which
//! something was lost ends with an entry or item of which nothing is known.

mod repair;
mod scalar;

use std::borrow::Cow;
use std::collections::BTreeMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, StructureStyle, Tag, options};

use crate::source::{FileId, Hole, Problem, ProblemKind, Span, Text};

use self::repair::Repair;
use super::{MAX_DEPTH, NodeId, NodeKind, NodeStyle, Tree};

/// Most nodes that the aliases of one file may stand for.
const MAX_EXPANDED: u64 = 200_000;

/// Reads a file: one root for each document.
pub fn parse(file: FileId, text: &str) -> Tree {
    let mut repair = Repair::new(file, text);
    let tree = loop {
        let mut builder = YamlBuilder::new(file, &repair);
        let Some(error) = builder.read(false) else {
            break builder.tree;
        };
        let broken = builder.breakage(&error);
        if !repair.try_repair(&error, &broken) {
            let mut builder = YamlBuilder::new(file, &repair);
            builder.read(true);
            break builder.tree;
        }
    };
    repair.finish(tree)
}

/// Where and how reading stopped.
struct Breakage {
    /// Byte that the parser stumbled over.
    at: usize,
    /// End of the last token that was understood.
    last_end: usize,
    /// The flow collection that is open there.
    open: Option<usize>,
}

#[derive(Clone, Copy)]
struct Anchor {
    node: NodeId,
    size: u64,
    height: u32,
}

/// A collection that is not closed yet.
struct OpenCollection {
    node: NodeId,
    /// The tag around it.
    call: Option<NodeId>,
    base: usize,
    anchor: usize,
    size: u64,
    height: u32,
    flow: bool,
}

struct YamlBuilder<'r> {
    tree: Tree,
    repair: &'r Repair<'r>,
    src: &'r str,
    anchors: BTreeMap<usize, Anchor>,
    frames: Vec<OpenCollection>,
    pending: Vec<NodeId>,
    /// What all aliases so far stand for.
    expanded: u64,
    last_end: usize,
    /// Starts of what repairs took out that were the value of a line, and nothing else.
    claimed: Vec<usize>,
}

impl<'r> YamlBuilder<'r> {
    fn new(file: FileId, repair: &'r Repair<'r>) -> Self {
        Self {
            tree: Tree::new(file),
            repair,
            src: repair.source(),
            anchors: BTreeMap::new(),
            frames: Vec::new(),
            pending: Vec::new(),
            expanded: 0,
            last_end: 0,
            claimed: Vec::new(),
        }
    }

    /// Reads up to the first error, or over all errors from document to document.
    fn read(&mut self, over_errors: bool) -> Option<ScanError> {
        let options = options! {
            emit_comments: false,
            emit_unresolved_aliases: true,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        let mut parser = Parser::new_from_str_with_options(self.src, options);
        loop {
            match parser.next_event() {
                None => return None,
                Some(Ok((event, span))) => self.event(event, span),
                Some(Err(error)) if !over_errors => return Some(error),
                Some(Err(error)) => {
                    let broken = self.breakage(&error);
                    self.tree.problems.push(self.repair.problem(&error, &broken));
                    while !self.frames.is_empty() {
                        self.push_gap();
                        self.close(self.last_end);
                    }
                    if !matches!(parser.proceed_next_document(), Ok(true)) {
                        return None;
                    }
                }
            }
        }
    }

    fn breakage(&self, error: &ScanError) -> Breakage {
        Breakage {
            at: error
                .marker()
                .byte_offset()
                .unwrap_or(self.last_end)
                .min(self.src.len()),
            last_end: self.last_end,
            open: self
                .frames
                .iter()
                .rfind(|f| f.flow)
                .map(|f| self.tree.node(f.node).start as usize),
        }
    }

    fn event(&mut self, event: Event<'_>, span: granit_parser::Span) {
        let range = span.byte_range().unwrap_or(0..0);
        let tag_start = span.tag_start().and_then(|m| m.byte_offset());
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let node = self.scalar(value, style, tag.as_deref(), range);
                let call = self.call(tag.as_deref(), tag_start, node);
                self.finish_node(node, call, anchor, 1, 1);
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.open(NodeKind::Seq, style, anchor, tag.as_deref(), tag_start, range);
            }
            Event::MappingStart(style, anchor, tag) => {
                self.open(NodeKind::Map, style, anchor, tag.as_deref(), tag_start, range);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if self.has_lost_part(range.start) {
                    self.push_gap();
                }
                self.close(range.end);
            }
            Event::Alias(id) => {
                let node = self
                    .tree
                    .push(NodeKind::Unknown, NodeStyle::Plain, range.start, range.end);
                self.last_end = self.last_end.max(range.end);
                let (size, height) = self.alias(id, node);
                self.finish_node(node, None, 0, size, height);
            }
            Event::UnresolvedAlias(name) => {
                let node = self
                    .tree
                    .push(NodeKind::Unknown, NodeStyle::Plain, range.start, range.end);
                self.last_end = self.last_end.max(range.end);
                let span = self.tree.span(node);
                self.tree
                    .problems
                    .push(Problem::syntax(span, format!("alias of an unknown anchor `{name}`")));
                self.finish_node(node, None, 0, 1, 1);
            }
            _ => {}
        }
    }

    /// Makes `node` stand for what has the anchor `id`; gives the size and height of that.
    fn alias(&mut self, id: usize, node: NodeId) -> (u64, u32) {
        let span = self.tree.span(node);
        let Some(anchor) = self.anchors.get(&id).copied() else {
            // The anchor is of a collection that is still open.
            self.tree
                .problems
                .push(Problem::syntax(span, "alias of a node that contains it"));
            return (1, 1);
        };
        let depth = self.frames.len() as u32;
        if self.expanded + anchor.size > MAX_EXPANDED || (depth + anchor.height) as usize > MAX_DEPTH {
            self.tree.problems.push(Problem::new(
                ProblemKind::Exhausted,
                span,
                "alias not expanded: the aliases in this file expand to too many nodes",
            ));
            return (1, 1);
        }
        self.expanded += anchor.size;
        self.tree.set_alias(node, anchor.node);
        (anchor.size, anchor.height)
    }

    fn open(
        &mut self,
        kind: NodeKind,
        style: StructureStyle,
        anchor: usize,
        tag: Option<&Tag>,
        tag_start: Option<usize>,
        range: std::ops::Range<usize>,
    ) {
        let node = self.tree.push(kind, NodeStyle::Plain, range.start, range.end);
        let call = self.call(tag, tag_start, node);
        let flow = style == StructureStyle::Flow && range.end > range.start;
        self.last_end = self.last_end.max(range.end);
        self.frames.push(OpenCollection {
            node,
            call,
            base: self.pending.len(),
            anchor,
            size: 1,
            height: 1,
            flow,
        });
    }

    /// Whether a repair took something out of the innermost collection, which ends before `end`, or of one inside it.
    fn has_lost_part(&self, end: usize) -> bool {
        let Some(frame) = self.frames.last() else { return false };
        let start = self.tree.node(frame.node).start as usize;
        let indent = if frame.flow { 0 } else { column(self.src, start) };
        let lost = self.repair.lost_ranges().iter();
        lost.filter(|r| (start..end).contains(&r.start) && !self.claimed.contains(&r.start))
            .any(|r| indent <= column(self.src, r.start))
    }

    /// An entry or item of which nothing is known, at the end of the innermost collection.
    fn push_gap(&mut self) {
        let Some(flow) = self.frames.last().map(|f| f.flow) else {
            return;
        };
        self.is_cut_off(flow);
        let Some(frame) = self.frames.last() else { return };
        let at = self.last_end.max(self.tree.node(frame.node).start as usize);
        if self.tree.kind(frame.node) == NodeKind::Map {
            if (self.pending.len() - frame.base) % 2 == 1 {
                let value = self.tree.push(NodeKind::Unknown, NodeStyle::Plain, at, at);
                self.pending.push(value);
            }
            let key = self.lost_node(at);
            self.pending.push(key);
        }
        let item = self.lost_node(at);
        self.pending.push(item);
    }

    fn lost_node(&mut self, at: usize) -> NodeId {
        let span = Span::new(self.tree.file, at, at);
        self.tree.push_lost(at, span)
    }

    /// A bare scalar with which the text ends inside brackets may go on.
    fn is_cut_off(&mut self, flow: bool) {
        if !flow {
            return;
        }
        // A collection is older than what is in it; the tag around a scalar is younger.
        let mut last = NodeId(self.tree.node_count() as u32 - 1);
        if self.tree.kind(last) == NodeKind::Call
            && let Some(child) = self.tree.children(last).next()
        {
            last = child;
        }
        let n = *self.tree.node(last);
        if n.style == NodeStyle::Plain
            && n.end as usize == self.src.trim_end().len()
            && let Some(text) = self.tree.text(last)
            && !text.is_broken()
        {
            let mut text = text.clone();
            let span = self.tree.span(last);
            text.append(&Text::hole(Hole::broken(Span {
                start: span.end,
                ..span
            })));
            self.tree.set_kind(last, NodeKind::Str);
            self.tree.set_text(last, text);
        }
    }

    /// The node of a tag of the file's own, around `node`.
    fn call(&mut self, tag: Option<&Tag>, tag_start: Option<usize>, node: NodeId) -> Option<NodeId> {
        let tag = tag.filter(|t| t.is_custom() && t.original() != "!")?;
        let n = self.tree.node(node);
        let (start, end) = (n.start as usize, n.end as usize);
        let call = self.tree.push(
            NodeKind::Call,
            NodeStyle::Plain,
            tag_start.unwrap_or(start).min(start),
            end,
        );
        let name = tag.original();
        self.tree.set_name(call, name.trim_start_matches('!'));
        self.tree.adopt(call, &[node]);
        Some(call)
    }

    /// Ends the innermost collection.
    fn close(&mut self, end: usize) {
        let Some(frame) = self.frames.pop() else { return };
        let start = self.tree.node(frame.node).start as usize;
        // The end mark of a block collection lies in what follows it.
        let end = if frame.flow { end } else { self.last_end };
        let end = end.max(start);
        self.last_end = self.last_end.max(end);
        if self.tree.kind(frame.node) == NodeKind::Map && (self.pending.len() - frame.base) % 2 == 1 {
            let missing = self.tree.push(NodeKind::Unknown, NodeStyle::Plain, end, end);
            self.pending.push(missing);
        }
        self.tree.set_range(frame.node, start, end);
        if let Some(call) = frame.call {
            let start = self.tree.node(call).start as usize;
            self.tree.set_range(call, start, end);
        }
        self.tree.adopt(frame.node, &self.pending[frame.base..]);
        self.pending.truncate(frame.base);
        self.finish_node(frame.node, frame.call, frame.anchor, frame.size, frame.height);
    }

    /// Puts a finished node, with the tag around it, in its place.
    fn finish_node(&mut self, node: NodeId, call: Option<NodeId>, anchor: usize, size: u64, height: u32) {
        let node = call.unwrap_or(node);
        let height = height + u32::from(call.is_some());
        if anchor != 0 {
            self.anchors.insert(anchor, Anchor { node, size, height });
        }
        match self.frames.last_mut() {
            Some(frame) => {
                frame.size += size;
                frame.height = frame.height.max(height + 1);
                self.pending.push(node);
            }
            None => self.tree.roots.push(node),
        }
    }

    fn scalar(
        &mut self,
        value: Cow<'_, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        range: std::ops::Range<usize>,
    ) -> NodeId {
        let file = self.tree.file;
        if range.is_empty() && style == ScalarStyle::Plain {
            // Nothing is written; granit says `~`.
            let at = range.start.max(self.last_end).min(self.src.len());
            // What was taken out after the key or the dash.
            let marks = |text: &str| text.chars().all(|c| matches!(c, ' ' | ':' | '-' | '?'));
            let behind = |r: &std::ops::Range<usize>| self.src.get(self.last_end..r.start).is_some_and(marks);
            if let Some(range) = self.repair.lost_ranges().iter().find(|r| behind(r)) {
                if self.frames.last().is_some_and(|f| !f.flow) {
                    self.claimed.push(range.start);
                }
                return self
                    .tree
                    .push(NodeKind::Unknown, NodeStyle::Plain, range.start, range.end);
            }
            let node = self.tree.push(NodeKind::Null, NodeStyle::Plain, at, at);
            self.tree.set_text(node, scalar::empty(Span::new(file, at, at)));
            return node;
        }
        let (text, range) = scalar::text(file, self.src, &value, style, range);
        let text = match style {
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted if self.repair.joined(&range) => {
                scalar::quoted(file, self.repair.original(), style, range.clone()).unwrap_or(text)
            }
            _ => text,
        };
        let text = self.repair.unmask(text, Span::new(file, range.start, range.end));
        let kind = match tag.and_then(Tag::core_suffix) {
            Some("str" | "binary") => NodeKind::Str,
            _ if style != ScalarStyle::Plain || tag.is_some_and(|t| t.original() == "!") => NodeKind::Str,
            _ if !text.is_known() => NodeKind::Str,
            _ => scalar::kind(&value),
        };
        let style = match style {
            ScalarStyle::Plain => NodeStyle::Plain,
            ScalarStyle::SingleQuoted => NodeStyle::Single,
            ScalarStyle::DoubleQuoted => NodeStyle::Double,
            ScalarStyle::Literal => NodeStyle::Literal,
            ScalarStyle::Folded => NodeStyle::Folded,
        };
        let node = self.tree.push(kind, style, range.start, range.end);
        self.last_end = self.last_end.max(range.end);
        self.tree.set_text(node, text);
        node
    }
}

/// Bytes from the start of the line.
fn column(src: &str, at: usize) -> usize {
    at - src[..at].rfind('\n').map_or(0, |i| i + 1)
}

/// Errors that no repair of the text can cure.
fn is_limit(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::RecursionLimitExceeded)
}

#[cfg(test)]
mod tests;
