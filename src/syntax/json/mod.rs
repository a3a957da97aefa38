//! JSON, tolerant: every breakage is a problem at its place, and reading goes on after it.
//!
//! **Invariant:** accepts without a problem exactly what RFC 8259 allows; never recurses; nesting beyond [`MAX_DEPTH`] is
//! one [`NodeKind::Unknown`] node. Where more may be missing than a mark, each object and list around the
//! place ends with an entry or item of which nothing is known. A bare hole of an embedded text (`"Resource": ${x}`) and a
//! placeholder without quotes (`"Resource": $ARN`) are a [`NodeKind::Str`] node of [`NodeStyle::Plain`] whose text is that hole, and
//! no problem.

mod scalar;
mod skip;

pub use skip::is_directive;

use crate::source::{FileId, Problem, ProblemKind, Span, Text, TextIndex};

use super::{MAX_DEPTH, NodeId, NodeKind, NodeStyle, Tree};

/// Most problems that one file is worth; what follows the hundredth is noise.
const MAX_PROBLEMS: usize = 100;

/// How far after a raw line break the end of a string is looked for.
const MAX_BROKEN_STRING: usize = 4096;

/// Reads a file.
pub fn parse(file: FileId, text: &str) -> Tree {
    JsonParser::new(Tree::new(file), text, None).run()
}

/// Reads JSON inside another text. Spans and problems lie where the text was written (`span` where that is unknown);
/// strings that hold unknown parts become texts with holes.
pub fn parse_text(text: &Text, span: Span) -> Tree {
    let flat = text.with_placeholders();
    let host = HostText {
        index: TextIndex::new(text),
        fallback: span,
    };
    JsonParser::new(Tree::new(span.file), &flat, Some(host)).run()
}

/// The text that the JSON is embedded in.
struct HostText<'t> {
    index: TextIndex<'t>,
    fallback: Span,
}

/// What may come next in the innermost object or array.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Item,
    Colon,
    Value,
    Comma,
}

/// An object or array that is not closed yet.
struct OpenContainer {
    node: NodeId,
    /// Where its children begin in [`JsonParser::pending`].
    base: usize,
    expect: Expect,
    /// The comma that no item has followed yet.
    comma: Option<usize>,
    /// The last item was a bare hole, which may bring its own commas.
    after_hole: bool,
    /// Something in it was misread, and more may be missing than a mark.
    broken: bool,
}

struct JsonParser<'s> {
    src: &'s str,
    bytes: &'s [u8],
    at: usize,
    tree: Tree,
    host: Option<HostText<'s>>,
    frames: Vec<OpenContainer>,
    pending: Vec<NodeId>,
    comments: bool,
    stray: bool,
}

impl<'s> JsonParser<'s> {
    fn new(tree: Tree, src: &'s str, host: Option<HostText<'s>>) -> Self {
        Self {
            src,
            bytes: src.as_bytes(),
            at: if src.starts_with('\u{feff}') { 3 } else { 0 },
            tree,
            host,
            frames: Vec::new(),
            pending: Vec::new(),
            comments: false,
            stray: false,
        }
    }

    fn run(mut self) -> Tree {
        loop {
            self.skip_blank();
            let Some(&byte) = self.bytes.get(self.at) else { break };
            if self.frames.is_empty() {
                self.outside_brackets(byte);
            } else {
                self.inside_brackets(byte);
            }
        }
        if let Some(frame) = self.frames.last() {
            let node = self.tree.node(frame.node);
            let (from, what) = (node.start as usize, self.bytes[node.start as usize] as char);
            self.report_misread(from, from + 1, &format!("unclosed `{what}`"));
        }
        while !self.frames.is_empty() {
            let end = self.src.trim_end().len();
            self.close(end);
        }
        self.tree.problems.sort_by_key(|p| p.span);
        self.tree
    }

    /// Outside of all brackets.
    fn outside_brackets(&mut self, byte: u8) {
        if !self.tree.roots.is_empty() {
            if !self.stray {
                let end = self.token_end(self.at);
                self.problem(self.at, end, "text after the end of the JSON value");
                self.stray = true;
            }
            if !matches!(byte, b'{' | b'[') {
                // Only another object or list is worth reading on.
                self.at = memchr::memchr2(b'{', b'[', &self.bytes[self.at..]).map_or(self.bytes.len(), |i| self.at + i);
                return;
            }
        }
        if matches!(byte, b'}' | b']' | b',' | b':') {
            self.problem(self.at, self.at + 1, &format!("unexpected `{}`", byte as char));
            self.at += 1;
            return;
        }
        self.value(byte);
    }

    /// Inside an object or array.
    fn inside_brackets(&mut self, byte: u8) {
        let between = |f: &OpenContainer| matches!(f.expect, Expect::Item | Expect::Comma);
        if self.frames.last().is_some_and(between) && self.directive() {
            if let Some(frame) = self.frames.last_mut() {
                // What it decides about brings its own comma, or leaves one.
                frame.expect = Expect::Item;
                frame.after_hole = true;
            }
            return;
        }
        let Some(frame) = self.frames.last_mut() else { return };
        let map = self.tree.kind(frame.node) == NodeKind::Map;
        match byte {
            b'}' | b']' => self.closer(byte),
            b',' => {
                match frame.expect {
                    Expect::Comma => {
                        frame.comma = Some(self.at);
                        frame.expect = Expect::Item;
                    }
                    Expect::Item if frame.after_hole => {}
                    Expect::Item => {
                        self.problem(self.at, self.at + 1, "unexpected `,`");
                    }
                    Expect::Colon | Expect::Value => {
                        self.missing_value(self.at);
                        if let Some(frame) = self.frames.last_mut() {
                            frame.comma = Some(self.at);
                            frame.expect = Expect::Item;
                        }
                    }
                }
                self.at += 1;
            }
            b':' => {
                if frame.expect == Expect::Colon {
                    frame.expect = Expect::Value;
                } else if self.is_key() {
                    self.list_ends_before_key();
                } else {
                    self.report_misread(self.at, self.at + 1, "unexpected `:`");
                }
                self.at += 1;
            }
            _ => {
                match frame.expect {
                    Expect::Comma => {
                        let (glued, at) = (frame.after_hole || self.hole_ahead(), self.at);
                        if let Some(frame) = self.frames.last_mut() {
                            frame.expect = Expect::Item;
                        }
                        if !glued {
                            self.problem(at, self.token_end(at), "missing `,` before this");
                        }
                    }
                    Expect::Colon => {
                        let after_hole = frame.after_hole;
                        frame.expect = Expect::Value;
                        if after_hole {
                            // `{ ${entries} "a": 1 }`: the hole was whole entries.
                            self.missing_value(self.at);
                            if let Some(frame) = self.frames.last_mut() {
                                frame.expect = Expect::Item;
                            }
                        } else {
                            self.report_misread(self.at, self.token_end(self.at), "missing `:` before this");
                        }
                    }
                    Expect::Item | Expect::Value => {}
                }
                if map && self.frames.last().is_some_and(|f| f.expect == Expect::Item) {
                    self.key(byte);
                } else {
                    self.value(byte);
                }
            }
        }
    }

    /// Whether the `:` here makes the last item of a list a key of the object around it: `{"a": ["b", "c": 1}`.
    fn is_key(&self) -> bool {
        let [.., outer, list] = self.frames.as_slice() else {
            return false;
        };
        let is = |node, kind| self.tree.kind(node) == kind;
        let strings = &self.pending[list.base..];
        is(outer.node, NodeKind::Map)
            && is(list.node, NodeKind::Seq)
            && list.expect == Expect::Comma
            && strings.last().is_some_and(|last| is(*last, NodeKind::Str))
    }

    /// Closes a list that lacks its bracket before the key that was taken for its last item.
    fn list_ends_before_key(&mut self) {
        let (Some(key), Some(list)) = (self.pending.pop(), self.frames.last()) else {
            return;
        };
        let open = self.tree.node(list.node).start as usize;
        self.report_misread(open, open + 1, "unclosed `[`");
        let start = self.tree.node(key).start as usize;
        let end = self.src[..start].trim_end().len();
        self.close(end);
        self.pending.push(key);
        if let Some(frame) = self.frames.last_mut() {
            frame.expect = Expect::Value;
            frame.comma = None;
            frame.after_hole = false;
        }
    }

    fn closer(&mut self, byte: u8) {
        let (wanted, opener) = if byte == b'}' {
            (NodeKind::Map, '{')
        } else {
            (NodeKind::Seq, '[')
        };
        let matching = self.frames.iter().rposition(|f| self.tree.kind(f.node) == wanted);
        let Some(matching) = matching else {
            self.report_misread(self.at, self.at + 1, &format!("`{}` without `{opener}`", byte as char));
            self.at += 1;
            return;
        };
        if matching + 1 < self.frames.len() {
            self.close_unclosed(matching + 1);
        }
        self.finish_item();
        if let Some(OpenContainer {
            comma: Some(comma),
            after_hole: false,
            ..
        }) = self.frames.last()
        {
            let comma = *comma;
            self.problem(comma, comma + 1, "trailing `,`");
        }
        self.at += 1;
        self.close(self.at);
    }

    /// Closes objects and arrays that lack their brackets, until `depth` are left.
    fn close_unclosed(&mut self, depth: usize) {
        let open = self.frames.last().map_or(0, |f| self.tree.node(f.node).start as usize);
        let what = self.bytes[open] as char;
        self.report_misread(open, open + 1, &format!("unclosed `{what}`"));
        while self.frames.len() > depth {
            self.finish_item();
            self.close(self.last_end());
        }
    }

    /// Gives a key at the end of an object its missing value.
    fn finish_item(&mut self) {
        let Some(frame) = self.frames.last() else { return };
        if matches!(frame.expect, Expect::Colon | Expect::Value) {
            self.missing_value(self.at);
        }
    }

    /// Where the last token before here ends.
    fn last_end(&self) -> usize {
        self.src[..self.at].trim_end().len()
    }

    fn missing_value(&mut self, before: usize) {
        let hole = self.frames.last().is_some_and(|f| f.after_hole);
        let at = self.src[..before].trim_end().len();
        if !hole {
            self.report_misread(
                self.at,
                (self.at + 1).min(self.bytes.len()),
                "missing value before this",
            );
        }
        let node = self.push(NodeKind::Unknown, NodeStyle::Plain, at, at);
        self.pending.push(node);
        if let Some(frame) = self.frames.last_mut() {
            frame.expect = Expect::Comma;
        }
    }

    /// Puts what may be missing at the end of the innermost object or array into it.
    fn push_gap(&mut self, at: usize) {
        let is_map = self
            .frames
            .last()
            .is_some_and(|f| self.tree.kind(f.node) == NodeKind::Map);
        for _ in 0..=usize::from(is_map) {
            let span = self.span(at, at);
            let node = self.tree.push_lost(at, span);
            self.set_range(node, at, at);
            self.pending.push(node);
        }
    }

    /// Gives a key at the end of the innermost object an unknown value.
    fn finish_entry(&mut self, end: usize) {
        let Some(frame) = self.frames.last() else { return };
        if self.tree.kind(frame.node) == NodeKind::Map && (self.pending.len() - frame.base) % 2 == 1 {
            let at = self.pending.last().map_or(end, |key| self.tree.node(*key).end as usize);
            let node = self.push(NodeKind::Unknown, NodeStyle::Plain, at, at);
            self.pending.push(node);
        }
    }

    /// Ends the innermost object or array.
    fn close(&mut self, end: usize) {
        self.finish_entry(end);
        if self.frames.last().is_some_and(|f| f.broken) {
            self.push_gap(end);
        }
        let Some(frame) = self.frames.pop() else { return };
        self.tree.adopt(frame.node, &self.pending[frame.base..]);
        self.pending.truncate(frame.base);
        let start = self.tree.node(frame.node).start as usize;
        self.tree.set_range(frame.node, start, end.max(start));
        self.set_range(frame.node, start, end.max(start));
    }

    fn key(&mut self, byte: u8) {
        let list = self
            .frames
            .iter()
            .rposition(|f| self.tree.kind(f.node) == NodeKind::Seq);
        if let Some(list) = list.filter(|_| byte == b'{') {
            // `[{"a": 1, {"b": 2}]`: the next item of the list.
            self.close_unclosed(list + 1);
            if let Some(frame) = self.frames.last_mut() {
                frame.expect = Expect::Item;
            }
            return self.value(byte);
        }
        let start = self.at;
        if let Some((end, name)) = self.placeholder() {
            let node = self.placeholder_node(end, &name);
            return self.key_done(node, true);
        }
        let hole = self.hole_ahead();
        let node = match byte {
            b'"' => self.string(b'"'),
            b'\'' => {
                let node = self.string(b'\'');
                self.problem(start, self.at, "key in single quotes");
                node
            }
            b'{' | b'[' => {
                self.report_misread(start, start + 1, "a key must be a string");
                let end = self.skip_nested();
                self.at = end;
                self.plain_scalar(NodeKind::Str, start, end)
            }
            _ => {
                self.at = self.word_end(start);
                if !hole {
                    self.problem(start, self.at, "key without quotes");
                }
                self.plain_scalar(NodeKind::Str, start, self.at)
            }
        };
        self.key_done(node, hole);
    }

    fn key_done(&mut self, node: NodeId, hole: bool) {
        self.pending.push(node);
        if let Some(frame) = self.frames.last_mut() {
            frame.expect = Expect::Colon;
            frame.comma = None;
            frame.after_hole = hole;
        }
    }

    /// A value at the current place, which is not blank.
    fn value(&mut self, byte: u8) {
        let start = self.at;
        if self.frames.is_empty() && self.directive() {
            return;
        }
        let hole = self.hole_ahead();
        let node = match byte {
            b'{' | b'[' => {
                if let Some((end, name)) = self.placeholder() {
                    self.placeholder_node(end, &name)
                } else if self.frames.len() >= MAX_DEPTH {
                    self.report_misread(start, start + 1, &format!("nested deeper than {MAX_DEPTH} levels"));
                    self.at = self.skip_nested();
                    self.push(NodeKind::Unknown, NodeStyle::Plain, start, self.at)
                } else {
                    let kind = if byte == b'{' { NodeKind::Map } else { NodeKind::Seq };
                    let node = self.push(kind, NodeStyle::Plain, start, start + 1);
                    self.item_done(node, false);
                    self.frames.push(OpenContainer {
                        node,
                        base: self.pending.len(),
                        expect: Expect::Item,
                        comma: None,
                        after_hole: false,
                        broken: false,
                    });
                    self.at += 1;
                    return;
                }
            }
            b'"' => self.string(b'"'),
            b'\'' => {
                let node = self.string(b'\'');
                self.problem(start, self.at, "string in single quotes");
                node
            }
            _ => match self.placeholder() {
                Some((end, name)) => self.placeholder_node(end, &name),
                None => self.bare_word(start),
            },
        };
        let bare = self.tree.node(node).style == NodeStyle::Plain;
        let hole = hole || bare && self.tree.text(node).is_some_and(|t| t.as_hole().is_some());
        self.item_done(node, hole);
    }

    fn item_done(&mut self, node: NodeId, hole: bool) {
        match self.frames.last_mut() {
            None => self.tree.roots.push(node),
            Some(frame) => {
                self.pending.push(node);
                frame.expect = Expect::Comma;
                frame.comma = None;
                frame.after_hole = hole;
            }
        }
    }

    fn hole_ahead(&self) -> bool {
        self.host.is_some()
            && self.src[self.at..]
                .chars()
                .next()
                .is_some_and(|c| Text::placeholder(c).is_some())
    }

    fn push(&mut self, kind: NodeKind, style: NodeStyle, start: usize, end: usize) -> NodeId {
        let node = self.tree.push(kind, style, start, end);
        if !matches!(kind, NodeKind::Map | NodeKind::Seq) {
            self.set_range(node, start, end);
        }
        node
    }

    fn set_range(&mut self, node: NodeId, start: usize, end: usize) {
        if self.host.is_some() {
            let span = self.span(start, end);
            self.tree.set_span(node, span);
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        match &self.host {
            None => Span::new(self.tree.file, start, end),
            Some(host) => host.index.span_of(start..end).unwrap_or(host.fallback),
        }
    }

    /// A problem that may have made us read what was not meant: nothing around it is certain to be all.
    fn report_misread(&mut self, start: usize, end: usize, message: &str) {
        for frame in self.frames.iter_mut().rev().take_while(|f| !f.broken) {
            frame.broken = true;
        }
        self.problem(start, end, message);
    }

    fn problem(&mut self, start: usize, end: usize, message: &str) {
        self.report(ProblemKind::Syntax, start, end, message);
    }

    fn report(&mut self, kind: ProblemKind, start: usize, end: usize, message: &str) {
        if self.tree.problems.len() < MAX_PROBLEMS {
            let mut end = end.min(self.src.len());
            while !self.src.is_char_boundary(end) {
                end += 1;
            }
            let span = self.span(start, end);
            self.tree.problems.push(Problem::new(kind, span, message));
        }
    }
}

#[cfg(test)]
mod tests;
