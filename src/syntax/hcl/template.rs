//! Quoted templates, and what stands inside every template: literals, `${…}` and `%{…}`.

use crate::source::Text;

use super::super::tree::{NodeId, NodeKind, NodeStyle};
use super::MAX_DEPTH;
use super::literal::LiteralBuilder;
use super::scan::HclParser;

/// What ended a run of template parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// The quote, or the end of the heredoc or file.
    End,
    Else,
    EndIf,
    EndFor,
}

/// How the literal parts are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Literals {
    /// In quotes: backslash escapes, and no line break.
    pub(super) quoted: bool,
    /// Blanks to leave out after each line break (`<<-`).
    pub(super) indent: usize,
}

/// The parts of a template that are read so far.
struct TemplateParts {
    nodes: Vec<NodeId>,
    literal: LiteralBuilder,
    /// Where the literal starts in the file.
    from: usize,
    /// Leave out the blanks that follow (`~}`).
    trim_next: bool,
}

impl HclParser<'_> {
    /// A quoted string at the quote: a `Str`, or a `Template`.
    pub(super) fn quoted(&mut self) -> NodeId {
        let start = self.pos;
        self.pos += 1;
        // Nearly all strings are plain.
        let mut at = self.pos;
        while at < self.end {
            match self.bytes[at] {
                b'"' => {
                    let text = Text::verbatim(&self.src[self.pos..at], self.file, self.pos);
                    self.pos = at + 1;
                    return self.string(NodeStyle::Double, start, self.pos, text);
                }
                b'\\' | b'\n' => break,
                b'$' | b'%' if self.bytes.get(at + 1) == Some(&b'{') => break,
                _ => at += 1,
            }
        }
        let breaks = std::mem::replace(&mut self.breaks, false);
        let literals = Literals {
            quoted: true,
            indent: 0,
        };
        let mut nodes = self.template(literals);
        self.breaks = breaks;
        if !self.eat("\"") {
            self.problem(start, start + 1, "unclosed `\"`");
            nodes.push(self.unknown(self.pos));
        }
        self.template_node(NodeStyle::Double, start, self.pos, nodes)
    }

    /// A whole file as a template.
    pub(super) fn template_file(&mut self) -> NodeId {
        let literals = Literals {
            quoted: false,
            indent: 0,
        };
        // After a byte order mark, where there is one.
        let start = self.pos;
        let nodes = self.template(literals);
        self.template_node(NodeStyle::Heredoc, start, self.end, nodes)
    }

    fn string(&mut self, style: NodeStyle, start: usize, end: usize, text: Text) -> NodeId {
        let node = self.tree.push(NodeKind::Str, style, start, end);
        self.tree.set_text(node, text);
        node
    }

    /// One literal is a `Str` of its own; all else a `Template`.
    pub(super) fn template_node(&mut self, style: NodeStyle, start: usize, end: usize, nodes: Vec<NodeId>) -> NodeId {
        match nodes.as_slice() {
            [] => {
                let inside = (start + 1).min(end);
                let text = Text::verbatim("", self.file, inside);
                self.string(style, start, end, text)
            }
            [only] if self.tree.kind(*only) == NodeKind::Str => {
                let text = self.tree.text(*only).cloned().unwrap_or_default();
                self.string(style, start, end, text)
            }
            _ => {
                let node = self.tree.push(NodeKind::Template, style, start, end);
                self.tree.adopt(node, &nodes);
                node
            }
        }
    }

    /// All parts up to the end of the template.
    pub(super) fn template(&mut self, literals: Literals) -> Vec<NodeId> {
        let mut nodes = Vec::new();
        loop {
            let start = self.pos;
            let (more, ended) = self.parts(literals, false);
            nodes.extend(more);
            if ended == Ended::End {
                return nodes;
            }
            self.problem(start, self.pos, "template directive without a matching start");
        }
    }

    fn parts(&mut self, literals: Literals, trim_next: bool) -> (Vec<NodeId>, Ended) {
        let mut parts = TemplateParts {
            nodes: Vec::new(),
            literal: LiteralBuilder::new(),
            from: self.pos,
            trim_next,
        };
        loop {
            self.literal_run(literals, &mut parts);
            let opener = self.peek();
            if !matches!(opener, Some(b'$' | b'%')) {
                self.flush(&mut parts);
                return (parts.nodes, Ended::End);
            }
            let start = self.pos;
            self.pos += 2;
            if self.eat("~") {
                parts.literal.trim_end();
            }
            self.flush(&mut parts);
            if opener == Some(b'$') {
                let node = self.interpolation(start, literals);
                parts.nodes.push(node);
                parts.trim_next = self.bytes[..self.pos].ends_with(b"~}");
            } else if let Some(ended) = self.directive(start, literals, &mut parts) {
                return (parts.nodes, ended);
            }
            parts.from = self.pos;
        }
    }

    fn flush(&mut self, parts: &mut TemplateParts) {
        let literal = std::mem::replace(&mut parts.literal, LiteralBuilder::new());
        if !literal.is_empty() {
            let end = self.pos.min(self.end);
            let text = literal.into_text(self.file);
            let span = text.span_of(0..text.len());
            let (start, end) = span.map_or((parts.from, end), |s| (s.start as usize, s.end as usize));
            let node = self.string(NodeStyle::Plain, start, end, text);
            parts.nodes.push(node);
        }
    }

    /// Literal bytes up to `${`, `%{`, the closing quote, a line break in quotes, or the end.
    fn literal_run(&mut self, literals: Literals, parts: &mut TemplateParts) {
        let mut run = self.pos;
        while self.pos < self.end {
            let b = self.bytes[self.pos];
            match b {
                b'"' if literals.quoted => break,
                b'\n' if literals.quoted => break,
                b'\\' if literals.quoted => {
                    self.take(run, parts);
                    self.escape(parts);
                    run = self.pos;
                }
                b'$' | b'%' if self.peek_at(1) == Some(b'{') => break,
                b'$' | b'%' if self.peek_at(1) == Some(b) && self.peek_at(2) == Some(b'{') => {
                    self.take(run, parts);
                    let text = if b == b'$' { "${" } else { "%{" };
                    parts.literal.unit(text, self.pos, 3);
                    parts.trim_next = false;
                    self.pos += 3;
                    run = self.pos;
                }
                b'\n' if literals.indent > 0 => {
                    self.pos += 1;
                    self.take(run, parts);
                    self.skip_indent(literals.indent);
                    run = self.pos;
                }
                _ => self.pos += 1,
            }
        }
        self.take(run, parts);
    }

    /// At the start of a line of a `<<-` heredoc. Blank lines keep their blanks, as in HCL.
    pub(super) fn skip_indent(&mut self, indent: usize) {
        let line = &self.src[self.pos..self.line_end(self.pos)];
        if line.trim().is_empty() {
            return;
        }
        let skip: usize = line
            .chars()
            .take(indent)
            .take_while(|c| c.is_whitespace())
            .map(char::len_utf8)
            .sum();
        self.pos += skip;
    }

    fn take(&mut self, run: usize, parts: &mut TemplateParts) {
        let mut text = &self.src[run..self.pos];
        let mut at = run;
        if parts.trim_next {
            // Each line is a literal of its own to HCL: the next one keeps its blanks.
            let (line, ended) = text.find('\n').map_or((text, false), |end| (&text[..=end], true));
            let blank = line.len() - line.trim_start().len();
            parts.trim_next = blank == line.len() && !ended;
            at += blank;
            text = &text[blank..];
        }
        parts.literal.run(text, at);
    }

    fn escape(&mut self, parts: &mut TemplateParts) {
        let start = self.pos;
        let digits = match self.peek_at(1) {
            Some(b'u') => 4,
            Some(b'U') => 8,
            Some(b) => {
                let text = match b {
                    b'n' => "\n",
                    b'r' => "\r",
                    b't' => "\t",
                    b'"' => "\"",
                    b'\\' => "\\",
                    // No escape of HCL: both characters stay.
                    _ => {
                        parts.literal.run("\\", start);
                        self.pos += 1;
                        return;
                    }
                };
                parts.literal.unit(text, start, 2);
                parts.trim_next = false;
                self.pos += 2;
                return;
            }
            None => {
                self.pos += 1;
                return;
            }
        };
        let hex = self
            .src
            .get(start + 2..start + 2 + digits)
            .filter(|_| start + 2 + digits <= self.end);
        match hex
            .and_then(|h| u32::from_str_radix(h, 16).ok())
            .and_then(char::from_u32)
        {
            Some(c) => {
                parts.literal.unit(c.encode_utf8(&mut [0; 4]), start, 2 + digits);
                self.pos += 2 + digits;
            }
            None => {
                parts.literal.run("\\", start);
                self.pos += 1;
            }
        }
    }

    /// After `${`: the expression, and its `}`.
    fn interpolation(&mut self, start: usize, literals: Literals) -> NodeId {
        let breaks = std::mem::replace(&mut self.breaks, true);
        let open = std::mem::take(&mut self.open);
        let node = self.expr();
        self.blank();
        self.open = open;
        self.breaks = breaks;
        if self.eat("~}") || self.eat("}") {
            return node;
        }
        // `${aws:username}` is a policy variable that lacks an escape: not readable as an expression, and reported by its name.
        let policy_variable = self.src[start + 2..].starts_with("aws:") || self.peek() == Some(b':');
        if !policy_variable {
            self.expected("`}`");
        }
        self.close_sequence(literals);
        let end = self.pos;
        let from = (start + 2).min(end);
        let inner = self.src[from..end].trim_end_matches('}').trim_end().len();
        self.node(NodeKind::Unknown, from, from + inner, &[])
    }

    /// After an error inside `${` or `%{`: past the `}` of this line, if there is one before the string ends.
    fn close_sequence(&mut self, literals: Literals) {
        while let Some(b) = self.peek() {
            match b {
                b'}' => {
                    self.pos += 1;
                    return;
                }
                b'\n' => return,
                b'"' if literals.quoted => return,
                _ => self.pos += 1,
            }
        }
    }

    /// After `%{`: what it ends, or `None` after a whole directive.
    fn directive(&mut self, start: usize, literals: Literals, parts: &mut TemplateParts) -> Option<Ended> {
        let breaks = std::mem::replace(&mut self.breaks, true);
        let open = std::mem::take(&mut self.open);
        self.blank();
        let keyword = self.identifier().map_or("", |(n, _)| n);
        let mut head = Vec::new();
        match keyword {
            "if" => {
                let condition = self.expr();
                head.push(condition);
            }
            "for" => head = self.for_intro(&mut String::new()),
            _ => {}
        }
        self.blank();
        self.open = open;
        self.breaks = breaks;
        let trim = self.eat("~}");
        if !trim && !self.eat("}") {
            self.expected("`}`");
            self.close_sequence(literals);
        }
        parts.trim_next = trim;
        match keyword {
            "else" => return Some(Ended::Else),
            "endif" => return Some(Ended::EndIf),
            "endfor" => return Some(Ended::EndFor),
            "if" | "for" if self.depth < MAX_DEPTH => {}
            _ => {
                let message = if matches!(keyword, "if" | "for") {
                    "template directives nest too deep"
                } else {
                    "unknown template directive"
                };
                self.problem(start, self.pos, message);
                let node = self.node(NodeKind::Unknown, start, self.pos, &[]);
                parts.nodes.push(node);
                return None;
            }
        }
        self.depth += 1;
        let mut ended = self.branch(literals, trim, &mut head);
        if keyword == "if" && ended == Ended::Else {
            ended = self.branch(literals, self.bytes[..self.pos].ends_with(b"~}"), &mut head);
        }
        self.depth -= 1;
        let wanted = if keyword == "if" { Ended::EndIf } else { Ended::EndFor };
        if ended != wanted {
            self.problem(start, start + 2, format!("`%{{{keyword}` without its end"));
        }
        parts.trim_next = ended != Ended::End && self.bytes[..self.pos].ends_with(b"~}");
        let node = self.named_node(NodeKind::Directive, keyword, start, self.pos, &head);
        parts.nodes.push(node);
        (ended == Ended::End).then_some(Ended::End)
    }

    /// The parts of one branch, as a `Template` appended to `head`.
    fn branch(&mut self, literals: Literals, trim: bool, head: &mut Vec<NodeId>) -> Ended {
        let start = self.pos;
        let (nodes, ended) = self.parts(literals, trim);
        let node = self.node(NodeKind::Template, start, self.pos, &nodes);
        head.push(node);
        ended
    }
}
