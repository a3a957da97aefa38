//! JSON, tolerant: every breakage is a problem at its place, and reading goes on behind it.
//!
//! **Invariant:** accepts without a problem exactly what RFC 8259 allows; never recurses; nesting beyond [`MAX_DEPTH`] is
//! one [`Kind::Unknown`] node. A bare hole of an embedded text (`"Resource": ${x}`) is a [`Kind::Str`] node of
//! [`Style::Plain`] whose text is that hole, and no problem.

use crate::source::{FileId, Problem, ProblemKind, Span, Text, TextBuilder, TextIndex};

use super::{Kind, NodeId, Style, Tree};

/// Deepest nesting that is followed.
pub const MAX_DEPTH: usize = 512;
/// Most problems that one file is worth; what follows the hundredth is noise.
const MAX_PROBLEMS: usize = 100;

/// How far behind a raw line break the end of a string is looked for.
const MAX_BROKEN_STRING: usize = 4096;

/// Reads a file.
pub fn parse(file: FileId, text: &str) -> Tree {
    Parser::new(Tree::new(file), text, None).run()
}

/// Reads JSON inside another text. Spans and problems lie where the text was written (`span` where that is unknown);
/// strings that hold unknown parts become texts with holes.
pub fn parse_text(text: &Text, span: Span) -> Tree {
    let flat = text.with_placeholders();
    let host = Host {
        index: TextIndex::new(text),
        fallback: span,
    };
    Parser::new(Tree::new(span.file), &flat, Some(host)).run()
}

/// The text that the JSON is embedded in.
struct Host<'t> {
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
struct Frame {
    node: NodeId,
    /// Where its children begin in [`Parser::pending`].
    base: usize,
    expect: Expect,
    /// The comma that no item has followed yet.
    comma: Option<usize>,
    /// The last item was a bare hole, which may bring its own commas.
    after_hole: bool,
}

struct Parser<'s> {
    src: &'s str,
    bytes: &'s [u8],
    at: usize,
    tree: Tree,
    host: Option<Host<'s>>,
    frames: Vec<Frame>,
    pending: Vec<NodeId>,
    comments: bool,
    stray: bool,
}

impl<'s> Parser<'s> {
    fn new(tree: Tree, src: &'s str, host: Option<Host<'s>>) -> Self {
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
                self.top(byte);
            } else {
                self.inside(byte);
            }
        }
        if let Some(frame) = self.frames.last() {
            let node = self.tree.node(frame.node);
            let (from, what) = (node.start as usize, self.bytes[node.start as usize] as char);
            self.problem(from, from + 1, &format!("unclosed `{what}`"));
        }
        while !self.frames.is_empty() {
            let end = self.src.trim_end().len();
            self.close(end);
        }
        self.tree.problems.sort_by_key(|p| p.span);
        self.tree
    }

    /// Outside of all brackets.
    fn top(&mut self, byte: u8) {
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
    fn inside(&mut self, byte: u8) {
        let Some(frame) = self.frames.last_mut() else { return };
        let map = self.tree.kind(frame.node) == Kind::Map;
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
                } else {
                    self.problem(self.at, self.at + 1, "unexpected `:`");
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
                            self.problem(self.at, self.token_end(self.at), "missing `:` before this");
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

    fn closer(&mut self, byte: u8) {
        let (wanted, opener) = if byte == b'}' {
            (Kind::Map, '{')
        } else {
            (Kind::Seq, '[')
        };
        let matching = self.frames.iter().rposition(|f| self.tree.kind(f.node) == wanted);
        let Some(matching) = matching else {
            self.problem(self.at, self.at + 1, &format!("`{}` without `{opener}`", byte as char));
            self.at += 1;
            return;
        };
        if matching + 1 < self.frames.len() {
            let open = self.frames.last().map_or(0, |f| self.tree.node(f.node).start as usize);
            let what = self.bytes[open] as char;
            self.problem(open, open + 1, &format!("unclosed `{what}`"));
            while self.frames.len() > matching + 1 {
                self.finish_item();
                self.close(self.last_end());
            }
        }
        self.finish_item();
        if let Some(Frame {
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
            self.problem(
                self.at,
                (self.at + 1).min(self.bytes.len()),
                "missing value before this",
            );
        }
        let node = self.push(Kind::Unknown, Style::Plain, at, at);
        self.pending.push(node);
        if let Some(frame) = self.frames.last_mut() {
            frame.expect = Expect::Comma;
        }
    }

    /// Ends the innermost object or array.
    fn close(&mut self, end: usize) {
        let Some(frame) = self.frames.pop() else { return };
        if self.tree.kind(frame.node) == Kind::Map && (self.pending.len() - frame.base) % 2 == 1 {
            let at = self.pending.last().map_or(end, |key| self.tree.node(*key).end as usize);
            let node = self.push(Kind::Unknown, Style::Plain, at, at);
            self.pending.push(node);
        }
        self.tree.adopt(frame.node, &self.pending[frame.base..]);
        self.pending.truncate(frame.base);
        let start = self.tree.node(frame.node).start as usize;
        self.tree.set_range(frame.node, start, end.max(start));
        self.place(frame.node, start, end.max(start));
    }

    fn key(&mut self, byte: u8) {
        if self.directive() {
            return;
        }
        let (start, hole) = (self.at, self.hole_ahead());
        let node = match byte {
            b'"' => self.string(b'"'),
            b'\'' => {
                let node = self.string(b'\'');
                self.problem(start, self.at, "key in single quotes");
                node
            }
            b'{' | b'[' => {
                self.problem(start, start + 1, "a key must be a string");
                let end = self.skip_nested();
                self.at = end;
                self.plain(Kind::Str, start, end)
            }
            _ => {
                self.at = self.word_end(start);
                if !hole {
                    self.problem(start, self.at, "key without quotes");
                }
                self.plain(Kind::Str, start, self.at)
            }
        };
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
        if self.frames.last().is_none_or(|f| f.expect == Expect::Item) && self.directive() {
            return;
        }
        let hole = self.hole_ahead();
        let node = match byte {
            b'{' | b'[' => {
                if let Some(end) = self.template_end() {
                    self.not_evaluated(start, end);
                    self.at = end;
                    self.push(Kind::Unknown, Style::Plain, start, end)
                } else if self.frames.len() >= MAX_DEPTH {
                    self.problem(start, start + 1, &format!("nested deeper than {MAX_DEPTH} levels"));
                    self.at = self.skip_nested();
                    self.push(Kind::Unknown, Style::Plain, start, self.at)
                } else {
                    let kind = if byte == b'{' { Kind::Map } else { Kind::Seq };
                    let node = self.push(kind, Style::Plain, start, start + 1);
                    self.item_done(node, false);
                    self.frames.push(Frame {
                        node,
                        base: self.pending.len(),
                        expect: Expect::Item,
                        comma: None,
                        after_hole: false,
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
            _ => {
                if let Some(end) = self.template_end() {
                    self.not_evaluated(start, end);
                    self.at = end;
                    self.push(Kind::Unknown, Style::Plain, start, end)
                } else {
                    self.word(start)
                }
            }
        };
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

    /// A number, a literal name, a bare hole, or something else without quotes.
    fn word(&mut self, start: usize) -> NodeId {
        self.at = self.word_end(start);
        let word = &self.src[start..self.at];
        let kind = match word {
            "true" | "false" => Kind::Bool,
            "null" => Kind::Null,
            "True" | "False" | "TRUE" | "FALSE" => {
                let lower = word.to_ascii_lowercase();
                self.problem(start, self.at, &format!("`{word}` is not JSON; write `{lower}`"));
                Kind::Bool
            }
            "None" | "NULL" | "Null" | "nil" | "undefined" => {
                self.problem(start, self.at, &format!("`{word}` is not JSON; write `null`"));
                Kind::Null
            }
            _ if self.host.is_some() && word.chars().any(|c| Text::placeholder(c).is_some()) => Kind::Str,
            _ if is_number(word.as_bytes()) => Kind::Num,
            _ => {
                self.problem(start, self.at, "value without quotes");
                if word.parse::<f64>().is_ok() {
                    Kind::Num
                } else {
                    Kind::Unknown
                }
            }
        };
        self.plain(kind, start, self.at)
    }

    /// A scalar whose text is the source itself.
    fn plain(&mut self, kind: Kind, start: usize, end: usize) -> NodeId {
        let node = self.push(kind, Style::Plain, start, end);
        if kind != Kind::Unknown {
            let text = self.slice(start, end);
            self.tree.set_text(node, text);
        }
        node
    }

    /// A string; the current byte is its opening quote.
    fn string(&mut self, quote: u8) -> NodeId {
        let start = self.at;
        let mut at = start + 1;
        let mut escaped = false;
        let mut control = None;
        let end = loop {
            let rest = &self.bytes[at..];
            let Some(skip) = rest.iter().position(|&b| b == quote || b == b'\\' || b < 0x20) else {
                break None;
            };
            at += skip;
            match self.bytes[at] {
                b'\\' => {
                    escaped = true;
                    at += 1;
                    if !matches!(self.bytes.get(at), None | Some(b'\n' | b'\r')) {
                        at += 1;
                        while !self.src.is_char_boundary(at) {
                            at += 1;
                        }
                    }
                }
                b'\n' | b'\r' => {
                    let close = self.closing_quote(at, quote);
                    if close.is_some() {
                        control.get_or_insert(at);
                        escaped = true;
                    }
                    break close;
                }
                b if b == quote => break Some(at),
                _ => {
                    control.get_or_insert(at);
                    at += 1;
                }
            }
        };
        let (content_end, end) = match end {
            Some(end) => {
                if let Some(at) = control {
                    let what = if matches!(self.bytes[at], b'\n' | b'\r') {
                        "line break in a string"
                    } else {
                        "control character in a string"
                    };
                    self.problem(at, at + 1, what);
                }
                (end, end + 1)
            }
            None => {
                self.problem(start, start + 1, "unclosed string");
                let line = &self.bytes[start..];
                let eol = start + memchr::memchr2(b'\n', b'\r', line).unwrap_or(line.len());
                let end = self.src[..eol]
                    .trim_end_matches([' ', '\t', ',', ']', '}'])
                    .len()
                    .max(start + 1);
                (end, end)
            }
        };
        self.at = end;
        let node = self.push(Kind::Str, Style::Double, start, end);
        let text = if escaped {
            self.unescape(start + 1, content_end)
        } else {
            self.slice(start + 1, content_end)
        };
        self.tree.set_text(node, text);
        node
    }

    /// Where a string with a raw line break at `at` seems to end properly further on; `None` if it rather lacks its quote.
    fn closing_quote(&self, at: usize, quote: u8) -> Option<usize> {
        let mut end = self.bytes.len().min(at + MAX_BROKEN_STRING);
        while !self.src.is_char_boundary(end) {
            end -= 1;
        }
        let mut close = at;
        loop {
            close += memchr::memchr2(quote, b'\\', &self.bytes[close..end])?;
            if self.bytes[close] == quote {
                break;
            }
            close = (close + 2).min(end);
        }
        let after = self.bytes[close + 1..].iter().find(|b| !b.is_ascii_whitespace());
        matches!(after, None | Some(b',' | b':' | b']' | b'}')).then_some(close)
    }

    fn unescape(&mut self, start: usize, end: usize) -> Text {
        let mut out = TextBuilder::new();
        let mut run = start;
        let mut at = start;
        while let Some(skip) = memchr::memchr(b'\\', &self.bytes[at..end]) {
            at += skip;
            self.copy(&mut out, run, at);
            let (c, len) = escape(&self.bytes[at..end]);
            let mut to = (at + len).min(end);
            while !self.src.is_char_boundary(to) {
                to += 1;
            }
            match c {
                Some(c) => out.unit(c.encode_utf8(&mut [0; 4]), self.span(at, to)),
                None => {
                    self.problem(at, to, "invalid escape");
                    self.copy(&mut out, at, to);
                }
            }
            at = to;
            run = at;
        }
        self.copy(&mut out, run, end);
        out.finish(self.span(start, end))
    }

    fn copy(&self, out: &mut TextBuilder, start: usize, end: usize) {
        match &self.host {
            None => out.verbatim(&self.src[start..end], self.tree.file, start),
            Some(host) => out.append(&host.index.slice(start..end)),
        }
    }

    fn slice(&self, start: usize, end: usize) -> Text {
        match &self.host {
            None => Text::verbatim(&self.src[start..end], self.tree.file, start),
            Some(_) if start == end => TextBuilder::new().finish(self.span(start, end)),
            Some(host) => host.index.slice(start..end),
        }
    }

    fn hole_ahead(&self) -> bool {
        self.host.is_some()
            && self.src[self.at..]
                .chars()
                .next()
                .is_some_and(|c| Text::placeholder(c).is_some())
    }

    /// End of a run of characters that are no punctuation of JSON.
    fn word_end(&self, start: usize) -> usize {
        let stop = |b: &u8| b.is_ascii_whitespace() || matches!(b, b',' | b':' | b'{' | b'}' | b'[' | b']' | b'"');
        let rest = &self.bytes[start..];
        let first = self.src[start..].chars().next().map_or(1, char::len_utf8);
        let len = rest.iter().position(stop).unwrap_or(rest.len());
        start + len.max(first)
    }

    /// End of the token at `start`, for a problem's span.
    fn token_end(&self, start: usize) -> usize {
        match self.bytes.get(start) {
            Some(b'{' | b'}' | b'[' | b']' | b',' | b':') => start + 1,
            Some(quote @ (b'"' | b'\'')) => {
                let line = &self.bytes[start + 1..];
                let line = &line[..memchr::memchr2(b'\n', b'\r', line).unwrap_or(line.len())];
                memchr::memchr(*quote, line).map_or(start + 1, |i| start + i + 2)
            }
            Some(_) => self.word_end(start),
            None => start,
        }
    }

    /// End of a bracket with all in it, without looking at what it holds.
    fn skip_nested(&self) -> usize {
        let mut depth = 0usize;
        let mut at = self.at;
        while let Some(&byte) = self.bytes.get(at) {
            at += 1;
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return at;
                    }
                }
                b'"' => {
                    while let Some(skip) = memchr::memchr2(b'"', b'\\', self.bytes.get(at..).unwrap_or(&[])) {
                        at += skip + 1;
                        if self.bytes[at - 1] == b'"' {
                            break;
                        }
                        at += 1;
                    }
                }
                _ => {}
            }
        }
        self.bytes.len()
    }

    /// A directive of a template language where an item should stand (`{% if x %}`, `%{ endif }`): stepped over.
    fn directive(&mut self) -> bool {
        let rest = &self.bytes[self.at..];
        let is_directive = rest.starts_with(b"{%")
            || rest.starts_with(b"%{")
            || rest.starts_with(b"{{#")
            || rest.starts_with(b"{{/")
            || rest.starts_with(b"{{-")
            || rest.starts_with(b"{{ if")
            || rest.starts_with(b"{{ end")
            || rest.starts_with(b"{{ range");
        if !is_directive {
            return false;
        }
        let Some(end) = self.template_end() else { return false };
        self.not_evaluated(self.at, end);
        self.at = end;
        true
    }

    /// End of an expression of a template language that starts here: `{{ x }}`, `${x}`, `<%= x %>`.
    fn template_end(&self) -> Option<usize> {
        let rest = &self.bytes[self.at..];
        let line = &rest[..memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len())];
        let close: &[u8] = match line {
            [b'{', b'{', ..] => b"}}",
            [b'{', b'%', ..] => b"%}",
            [b'<', b'%', ..] => b"%>",
            [b'$' | b'%', b'{', ..] => {
                let mut depth = 0usize;
                for (i, byte) in line.iter().enumerate() {
                    match byte {
                        b'{' => depth += 1,
                        b'}' if depth == 1 => return Some(self.at + i + 1),
                        b'}' => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                }
                return None;
            }
            _ => return None,
        };
        // `{{}}` could be JSON gone wrong; `{{ "a": …` surely is.
        let found = memchr::memmem::find(&line[2..], close)?;
        let inner = &line[2..2 + found];
        let first = inner.iter().find(|b| !b.is_ascii_whitespace())?;
        let name =
            first.is_ascii_alphanumeric() || matches!(first, b'-' | b'_' | b'.' | b'$' | b'#' | b'/' | b'=' | b'(');
        name.then_some(self.at + 2 + found + close.len())
    }

    fn not_evaluated(&mut self, start: usize, end: usize) {
        self.report(
            ProblemKind::NotEvaluated,
            start,
            end,
            "template expression is not evaluated",
        );
    }

    fn skip_blank(&mut self) {
        loop {
            while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.bytes.get(self.at) {
                self.at += 1;
            }
            let rest = &self.bytes[self.at..];
            let end = match rest {
                [b'/', b'*', tail @ ..] => {
                    let end = memchr::memmem::find(tail, b"*/").map(|i| i + 4);
                    if end.is_none() {
                        self.problem(self.at, self.at + 2, "unclosed comment");
                    }
                    end.unwrap_or(rest.len())
                }
                [b'/', b'/', ..] | [b'#', ..] => memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len()),
                _ => return,
            };
            if !self.comments {
                self.comments = true;
                let line = &self.bytes[self.at..self.at + end];
                let to = memchr::memchr2(b'\n', b'\r', line).unwrap_or(line.len());
                self.problem(self.at, self.at + to, "JSON with comments, which AWS rejects");
            }
            self.at += end;
        }
    }

    fn push(&mut self, kind: Kind, style: Style, start: usize, end: usize) -> NodeId {
        let node = self.tree.push(kind, style, start, end);
        if !matches!(kind, Kind::Map | Kind::Seq) {
            self.place(node, start, end);
        }
        node
    }

    fn place(&mut self, node: NodeId, start: usize, end: usize) {
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

/// The grammar of RFC 8259, section 6.
fn is_number(word: &[u8]) -> bool {
    let digits = |b: &[u8]| b.iter().take_while(|b| b.is_ascii_digit()).count();
    let mut rest = word.strip_prefix(b"-").unwrap_or(word);
    let n = digits(rest);
    if n == 0 || (n > 1 && rest[0] == b'0') {
        return false;
    }
    rest = &rest[n..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let n = digits(fraction);
        if n == 0 {
            return false;
        }
        rest = &fraction[n..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'+' | b'-', e @ ..] => e,
            e => e,
        };
        let n = digits(exponent);
        if n == 0 {
            return false;
        }
        rest = &exponent[n..];
    }
    rest.is_empty()
}

/// The character that the escape at the start of `bytes` stands for, and how long the escape is. A lone surrogate, which
/// RFC 8259 lets pass, is U+FFFD.
fn escape(bytes: &[u8]) -> (Option<char>, usize) {
    let simple = match bytes.get(1) {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'u') => {
            let Some(high) = hex(bytes, 2) else {
                return (None, 2);
            };
            if let 0xD800..=0xDBFF = high
                && bytes.get(6..8) == Some(b"\\u")
                && let Some(low @ 0xDC00..=0xDFFF) = hex(bytes, 8)
            {
                let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                return (char::from_u32(code), 12);
            }
            return (Some(char::from_u32(high).unwrap_or('\u{fffd}')), 6);
        }
        _ => return (None, 2),
    };
    (Some(simple), 2)
}

fn hex(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 4)?;
    digits
        .iter()
        .try_fold(0, |n, b| Some(n * 16 + (*b as char).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Hole, HoleKind};

    const F: FileId = FileId(0);

    fn show(tree: &Tree, id: NodeId) -> String {
        match tree.kind(id) {
            Kind::Map => {
                let inner: Vec<_> = tree
                    .entries(id)
                    .map(|(k, v)| format!("{}={}", show(tree, k), show(tree, v)))
                    .collect();
                format!("{{{}}}", inner.join(","))
            }
            Kind::Seq => {
                let inner: Vec<_> = tree.children(id).map(|c| show(tree, c)).collect();
                format!("[{}]", inner.join(","))
            }
            Kind::Unknown => "?".to_owned(),
            _ => tree.text(id).map(Text::display).unwrap_or_default(),
        }
    }

    fn read(src: &str) -> (String, Vec<String>) {
        let tree = parse(F, src);
        let roots: Vec<_> = tree.roots.iter().map(|r| show(&tree, *r)).collect();
        let problems = tree
            .problems
            .iter()
            .map(|p| format!("{}: {}", &src[p.span.range()], p.message))
            .collect();
        (roots.join(" "), problems)
    }

    #[test]
    fn broken_json_is_read_on() {
        let cases = [
            (r#"{"a": [1, 2], "a": "x\n"}"#, "{a=[1,2],a=x\n}", vec![]),
            (
                r#"{"a": [1, 2,], }"#,
                "{a=[1,2]}",
                vec![",: trailing `,`", ",: trailing `,`"],
            ),
            (
                r#"{"a": 1 "b": 2}"#,
                "{a=1,b=2}",
                vec!["\"b\": missing `,` before this"],
            ),
            (
                r#"{"a" 1, "b": }"#,
                "{a=1,b=?}",
                vec!["1: missing `:` before this", "}: missing value before this"],
            ),
            (r#"{"a": [1, {"b": 2}"#, "{a=[1,{b=2}]}", vec!["[: unclosed `[`"]),
            (r#"{"a": [1, 2}"#, "{a=[1,2]}", vec!["[: unclosed `[`"]),
            (r#"{"a": [1]], "b": 2}"#, "{a=[1],b=2}", vec!["]: `]` without `[`"]),
            ("{\"a\": \"x,\n  \"b\": 2}", "{a=x,b=2}", vec!["\": unclosed string"]),
            (
                "{\"a\": \"x\n  y\", \"b\": 2}",
                "{a=x\n  y,b=2}",
                vec!["\n: line break in a string"],
            ),
            (
                "// hi\n{'a': b, c: True}",
                "{a=?,c=True}",
                vec![
                    "// hi: JSON with comments, which AWS rejects",
                    "'a': key in single quotes",
                    "b: value without quotes",
                    "c: key without quotes",
                    "True: `True` is not JSON; write `true`",
                ],
            ),
            (
                "{\"a\": 1}\n{\"b\": 2}",
                "{a=1} {b=2}",
                vec!["{: text after the end of the JSON value"],
            ),
            (
                "{\"a\": ${jsonencode({x = 1})}, \"b\": {{ .v }}}",
                "{a=?,b=?}",
                vec![
                    "${jsonencode({x = 1})}: template expression is not evaluated",
                    "{{ .v }}: template expression is not evaluated",
                ],
            ),
        ];
        for (src, tree, problems) in cases {
            assert_eq!(
                read(src),
                (tree.to_owned(), problems.into_iter().map(str::to_owned).collect()),
                "{src}"
            );
        }
    }

    #[test]
    fn escapes_map_to_their_source() {
        let src = r#"["a\u0041\ud83d\ude00z"]"#;
        let tree = parse(F, src);
        let string = tree.children(tree.roots[0]).next().expect("one item");
        let text = tree.text(string).expect("a string");
        assert_eq!(text.known().as_deref(), Some("aA😀z"));
        let slice = |range| &src[text.span_of(range).expect("a place").range()];
        assert_eq!(slice(1..2), r"\u0041");
        assert_eq!(slice(2..6), r"\ud83d\ude00");
        assert_eq!(slice(6..7), "z");
    }

    #[test]
    fn embedded_json_keeps_holes_and_places() {
        let mut text = Text::verbatim(r#"{"a": ["#, F, 10);
        let hole = |name, at| Text::hole(Hole::new(HoleKind::Other, name, Span::new(F, at, at + 4)));
        text.append(&hole("x", 17));
        text.append(&Text::verbatim(r#", "p/"#, F, 21));
        text.append(&hole("y", 26));
        text.append(&Text::verbatim(r#"/\n"], 1: 2}"#, F, 30));
        let tree = parse_text(&text, Span::new(F, 9, 99));
        assert_eq!(show(&tree, tree.roots[0]), "{a=[${x},p/${y}/\n],1=2}");
        let list = tree.get(tree.roots[0], "a").expect("an entry");
        assert_eq!(tree.span(list), Span::new(F, 16, 35));
        let items: Vec<_> = tree.children(list).collect();
        assert_eq!(tree.span(items[0]), Span::new(F, 17, 21));
        assert_eq!(tree.span(items[1]), Span::new(F, 23, 34));
        assert_eq!(tree.problems[0].span, Span::new(F, 37, 38));
        assert_eq!(tree.span(tree.roots[0]), Span::new(F, 10, 42));
    }

    #[test]
    fn depth_is_bounded() {
        for open in ["[", "{\"a\":"] {
            let tree = parse(F, &open.repeat(10_000));
            assert!(tree.len() < 3 * MAX_DEPTH);
            assert!(tree.problems.iter().any(|p| p.message.contains("nested deeper")));
        }
    }
}
