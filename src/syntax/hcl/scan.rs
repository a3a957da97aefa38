//! Bytes to tokens, the bodies of blocks, and how to go on after an error.

use crate::source::{FileId, Problem, Span};

use super::super::tree::{NodeId, NodeKind, NodeStyle, Tree};
use super::{Attribute, BlockLabel, Body, HclBlock, MAX_BLOCKS};

/// How many problems of one file are worth telling.
const MAX_PROBLEMS: usize = 50;

/// Blocks that stand at the top of a file: in the first column they end whatever is unclosed.
const TOP_LEVEL: [&str; 13] = [
    "resource",
    "data",
    "module",
    "variable",
    "output",
    "locals",
    "provider",
    "terraform",
    "moved",
    "import",
    "check",
    "removed",
    "ephemeral",
];

pub(super) struct HclParser<'s> {
    pub(super) src: &'s str,
    pub(super) bytes: &'s [u8],
    pub(super) pos: usize,
    /// Where reading stops: the file's end, or that of the heredoc being read.
    pub(super) end: usize,
    pub(super) file: FileId,
    pub(super) tree: Tree,
    /// Line breaks are blanks here (inside brackets).
    pub(super) breaks: bool,
    pub(super) depth: u32,
    blocks: u32,
    /// How many `(`, `[`, `{` are open.
    pub(super) open: [u32; 3],
    /// Something stayed open until the end of the file.
    pub(super) unclosed: bool,
    /// See [`super::parse`].
    pub(super) columns: bool,
    /// Heredocs whose end was searched for in vain; each costs a look at the rest of the file.
    pub(super) lost_heredocs: u32,
    /// One problem is reported for each line.
    quiet_until: usize,
    /// How often something did not fit, reported or not.
    pub(super) misread: u32,
}

impl<'s> HclParser<'s> {
    pub(super) fn new(file: FileId, src: &'s str) -> Self {
        let pos = if src.starts_with('\u{feff}') { 3 } else { 0 };
        Self {
            src,
            bytes: src.as_bytes(),
            pos,
            end: src.len(),
            file,
            tree: Tree::new(file),
            breaks: false,
            depth: 0,
            blocks: 0,
            open: [0; 3],
            unclosed: false,
            columns: false,
            lost_heredocs: 0,
            quiet_until: 0,
            misread: 0,
        }
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    pub(super) fn problem(&mut self, start: usize, end: usize, message: impl Into<String>) {
        self.misread += 1;
        if start < self.quiet_until || self.tree.problems.len() >= MAX_PROBLEMS {
            return;
        }
        self.quiet_until = self.line_end(end) + 1;
        let end = self.char_end(end.max(start));
        let problem = Problem::syntax(self.span(start, end), message);
        self.tree.problems.push(problem);
    }

    /// A problem at the character that stands here.
    pub(super) fn expected(&mut self, what: &str) {
        let end = (self.pos + 1).min(self.end);
        let message = match self.src.get(self.pos..self.end).and_then(|s| s.chars().next()) {
            None => format!("expected {what}, found the end"),
            Some('\n' | '\r') => format!("expected {what}, found the end of the line"),
            Some(c) => format!("expected {what}, found `{c}`"),
        };
        self.problem(self.pos, end, message);
    }

    /// The next character border at or after `at`.
    fn char_end(&self, mut at: usize) -> usize {
        at = at.min(self.src.len());
        while !self.src.is_char_boundary(at) {
            at += 1;
        }
        at
    }

    pub(super) fn line_end(&self, from: usize) -> usize {
        let from = from.min(self.end);
        memchr::memchr(b'\n', &self.bytes[from..self.end]).map_or(self.end, |i| from + i)
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<u8> {
        let at = self.pos + ahead;
        if at < self.end {
            self.bytes.get(at).copied()
        } else {
            None
        }
    }

    pub(super) fn looking_at(&self, token: &str) -> bool {
        self.bytes[self.pos.min(self.end)..self.end].starts_with(token.as_bytes())
    }

    pub(super) fn eat(&mut self, token: &str) -> bool {
        let found = self.looking_at(token);
        if found {
            self.pos += token.len();
        }
        found
    }

    /// Skips blanks and comments, and line breaks where they are blanks.
    pub(super) fn blank(&mut self) {
        self.skip(self.breaks);
    }

    pub(super) fn skip(&mut self, breaks: bool) {
        while let Some(b) = self.peek() {
            match b {
                b' ' | b'\t' | b'\r' => self.pos += 1,
                b'\n' if breaks => self.pos += 1,
                b'#' => self.pos = self.line_end(self.pos),
                b'/' if self.peek_at(1) == Some(b'/') => self.pos = self.line_end(self.pos),
                b'/' if self.peek_at(1) == Some(b'*') => {
                    let inside = self.pos + 2;
                    match memchr::memmem::find(&self.bytes[inside.min(self.end)..self.end], b"*/") {
                        Some(i) => self.pos = inside + i + 2,
                        None => {
                            self.problem(self.pos, self.pos + 2, "unclosed `/*`");
                            self.pos = self.end;
                        }
                    }
                }
                _ => break,
            }
        }
    }

    pub(super) fn at_identifier(&self) -> bool {
        self.peek().is_some_and(starts_identifier)
    }

    /// Reads an identifier; `None` where none stands here. Identifiers may hold `-`.
    pub(super) fn identifier(&mut self) -> Option<(&'s str, usize)> {
        if !self.at_identifier() {
            return None;
        }
        let start = self.pos;
        while self.peek().is_some_and(continues_identifier) {
            self.pos += 1;
        }
        Some((&self.src[start..self.pos], start))
    }

    pub(super) fn file(&mut self) -> Body {
        let mut body = Body::default();
        self.items(&mut body, true);
        body
    }

    /// Attributes and blocks up to a `}` (not taken) or the end.
    fn items(&mut self, body: &mut Body, top: bool) {
        loop {
            self.skip(true);
            if !top && self.columns && self.at_top_level() {
                return;
            }
            match self.peek() {
                None => return,
                Some(b'}') if !top => return,
                Some(b'}' | b']' | b')') => {
                    self.expected("an attribute or a block");
                    self.pos += 1;
                }
                Some(b'"') => self.item(body),
                Some(b) if starts_identifier(b) => self.item(body),
                Some(_) => {
                    self.expected("an attribute or a block");
                    self.recover_line(body);
                }
            }
        }
    }

    /// At a keyword of the top level, in the first column, followed by a label or a brace.
    pub(super) fn at_top_level(&self) -> bool {
        if self.pos > 0 && self.bytes[self.pos - 1] != b'\n' {
            return false;
        }
        TOP_LEVEL.iter().any(|word| {
            self.looking_at(word)
                && matches!(self.peek_at(word.len()), Some(b' ' | b'{'))
                && self.bytes[self.pos + word.len()..self.end]
                    .iter()
                    .find(|b| **b != b' ')
                    .is_some_and(|b| matches!(b, b'"' | b'{'))
        })
    }

    fn item(&mut self, body: &mut Body) {
        let start = self.pos;
        let name: Box<str> = match self.label() {
            Some(label) => label.text,
            None => {
                self.recover_line(body);
                return;
            }
        };
        let name_span = self.span(start, self.pos);
        self.skip(false);
        match self.peek() {
            Some(b'=') if self.peek_at(1) != Some(b'=') => {
                self.pos += 1;
                self.attribute(name, name_span, body);
            }
            Some(b'{' | b'"') => self.block(name, name_span, body),
            Some(b) if starts_identifier(b) => self.block(name, name_span, body),
            // A brace on a line of its own: Terraform refuses it, and what it means is clear.
            Some(b'\n') if self.brace_follows() => self.block(name, name_span, body),
            _ => {
                self.expected("`=` or `{`");
                self.recover_line(body);
            }
        }
    }

    fn brace_follows(&mut self) -> bool {
        let before = self.pos;
        self.skip(true);
        let found = self.peek() == Some(b'{');
        self.pos = before;
        found
    }

    fn attribute(&mut self, name: Box<str>, name_span: Span, body: &mut Body) {
        self.skip(false);
        let breaks = std::mem::replace(&mut self.breaks, false);
        let value = self.expr();
        self.breaks = breaks;
        let end = self.tree.node(value).end.max(name_span.end) as usize;
        let span = self.span(name_span.start as usize, end);
        body.attributes.push(Attribute {
            name,
            name_span,
            value,
            span,
        });
        self.skip(false);
        match self.peek() {
            None | Some(b'\n' | b'}') => {}
            // `{ a = 1, b = 2 }` as a body: not HCL, and harmless.
            Some(b',') => self.pos += 1,
            Some(_) => {
                self.expected("a line break");
                self.recover_line(body);
            }
        }
    }

    /// A quoted or bare name.
    fn label(&mut self) -> Option<BlockLabel> {
        let start = self.pos;
        if self.peek() == Some(b'"') {
            let node = self.quoted();
            let text = self.tree.text(node).and_then(|t| t.known().map(|s| Box::from(&*s)));
            return Some(BlockLabel {
                text: text.unwrap_or_default(),
                span: self.span(start, self.pos),
            });
        }
        let (name, _) = self.identifier()?;
        Some(BlockLabel {
            text: name.into(),
            span: self.span(start, self.pos),
        })
    }

    fn block(&mut self, kind: Box<str>, kind_span: Span, body: &mut Body) {
        let start = kind_span.start as usize;
        let mut header_end = kind_span.end as usize;
        let mut labels = Vec::new();
        loop {
            self.skip(false);
            match self.peek() {
                Some(b'{') => break,
                Some(b'\n') if self.brace_follows() => self.skip(true),
                Some(b) if b == b'"' || starts_identifier(b) => {
                    if let Some(label) = self.label() {
                        header_end = self.pos;
                        labels.push(label);
                    }
                }
                _ => {
                    self.expected("`{`");
                    self.recover_line(body);
                    return;
                }
            }
        }
        let header = self.span(start, header_end);
        if let Some((inner, end)) = self.braced_body() {
            body.blocks.push(HclBlock {
                kind,
                kind_span,
                labels,
                header,
                span: self.span(start, end),
                body: inner,
            });
        }
    }

    /// A body in braces, and where it ends; `None` where it nests too deep, and is skipped.
    fn braced_body(&mut self) -> Option<(Body, usize)> {
        let start = self.pos;
        if self.blocks >= MAX_BLOCKS {
            self.problem(start, start + 1, "blocks nest too deep");
            self.pos += 1;
            self.skip_group();
            return None;
        }
        self.pos += 1;
        self.blocks += 1;
        let mut body = Body::default();
        let misread = self.misread;
        self.items(&mut body, false);
        self.blocks -= 1;
        let end = if self.eat("}") {
            self.pos
        } else {
            self.unclosed |= !self.columns;
            self.quiet_until = 0;
            self.problem(start, start + 1, "unclosed `{`");
            // Which block it is that lacks its brace, no one can tell.
            body.blocks.iter_mut().for_each(HclBlock::mark_broken);
            self.trimmed(self.pos)
        };
        if self.misread > misread {
            let last = end.saturating_sub(1).max(start);
            body.gap = Some(self.span(last, last));
        }
        Some((body, end))
    }

    /// `at` without the blanks before it.
    pub(super) fn trimmed(&self, at: usize) -> usize {
        self.src[..at].trim_end().len()
    }

    /// After an error: to the end of the line, over strings, brackets and heredocs that start in it. A line that ends in
    /// an open brace keeps its body, as a block without a name.
    fn recover_line(&mut self, body: &mut Body) {
        let start = self.pos;
        loop {
            match self.peek() {
                None | Some(b'\n') => return,
                Some(b'}') => return,
                Some(b'{') => {
                    let brace = self.pos;
                    let mut rest = self.bytes[brace + 1..self.end].iter();
                    let after = rest.find(|b| !matches!(b, b' ' | b'\t' | b'\r'));
                    if matches!(after, None | Some(b'\n' | b'#' | b'/')) {
                        if let Some((inner, end)) = self.braced_body() {
                            body.blocks.push(HclBlock {
                                kind: Box::default(),
                                kind_span: self.span(start, start),
                                labels: Vec::new(),
                                header: self.span(start, start),
                                span: self.span(start, end),
                                body: inner,
                            });
                        }
                    } else {
                        self.pos += 1;
                        self.skip_group();
                    }
                }
                Some(_) => self.skip_token(),
            }
        }
    }

    /// After an opening bracket: past the bracket that closes it, or to where nothing can close it any more.
    pub(super) fn skip_group(&mut self) {
        let mut open = 1_u32;
        while let Some(b) = self.peek() {
            match b {
                b'(' | b'[' | b'{' => open += 1,
                b')' | b']' | b'}' => open -= 1,
                b'\n' => {
                    self.pos += 1;
                    if self.columns && self.at_top_level() {
                        return;
                    }
                    continue;
                }
                _ => {
                    self.skip_token();
                    continue;
                }
            }
            self.pos += 1;
            if open == 0 {
                return;
            }
        }
    }

    /// In a list, call or object, after an error: to the next `,`, line break or closing bracket of this level.
    pub(super) fn recover_item(&mut self) {
        loop {
            match self.peek() {
                None | Some(b',' | b'\n' | b')' | b']' | b'}') => return,
                Some(b'(' | b'[' | b'{') => {
                    self.pos += 1;
                    self.skip_group();
                }
                Some(_) => self.skip_token(),
            }
        }
    }

    /// One character, string, comment or heredoc, understood no further.
    fn skip_token(&mut self) {
        match self.peek() {
            Some(b'"') => {
                self.pos += 1;
                while let Some(b) = self.peek() {
                    match b {
                        b'\n' => return,
                        b'\\' if self.peek_at(1).is_some_and(|b| b.is_ascii_graphic()) => self.pos += 2,
                        b'"' => {
                            self.pos += 1;
                            return;
                        }
                        _ => self.pos += 1,
                    }
                }
                self.pos = self.pos.min(self.end);
            }
            Some(b'#') => self.pos = self.line_end(self.pos),
            Some(b'/') if matches!(self.peek_at(1), Some(b'/' | b'*')) => self.skip(false),
            Some(b'<') if self.looking_at("<<") && self.heredoc().is_some() => {}
            Some(_) => {
                self.pos += 1;
                while self.pos < self.end && !self.src.is_char_boundary(self.pos) {
                    self.pos += 1;
                }
            }
            None => {}
        }
    }

    pub(super) fn node(&mut self, kind: NodeKind, start: usize, end: usize, children: &[NodeId]) -> NodeId {
        let id = self.tree.push(kind, NodeStyle::Plain, start, end);
        self.tree.adopt(id, children);
        id
    }

    pub(super) fn named_node(
        &mut self,
        kind: NodeKind,
        name: &str,
        start: usize,
        end: usize,
        children: &[NodeId],
    ) -> NodeId {
        let id = self.node(kind, start, end, children);
        self.tree.set_name(id, name);
        id
    }
}

pub(super) fn starts_identifier(b: u8) -> bool {
    b.is_ascii_alphabetic() || b == b'_' || b >= 0x80
}

pub(super) fn continues_identifier(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'-' || b >= 0x80
}
